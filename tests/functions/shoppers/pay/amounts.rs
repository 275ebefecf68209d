//! The amount: exact, as a number and as a string, and never through a float.

use insta::assert_snapshot;
use pay::Pay;
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, brief};

use crate::shoppers::pay::{function, request};

/// A body with the amount as it is written here.
fn body(amount: &str) -> String {
    format!("{{\"order_id\": \"{}\", \"payment_method\": \"sandbox:ok\", \"amount\": {amount}}}", Buyer::first().id)
}

async fn answer_to(amount: &str) -> (String, usize) {
    let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
    let before = shop.everything().await;
    let line = brief(&function(&shop, &calls).handle(request().body(body(amount)).build()).await);
    if line != "202" {
        assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]), "{amount}");
    }
    (line, calls.total())
}

#[tokio::test]
async fn the_orders_amount_is_taken_in_every_plain_form() {
    for amount in ["999", "999.0", "999.00", "999.000", "999.00000000000000000000", "0999"] {
        let string = format!("\"{amount}\"");
        assert_eq!(answer_to(&string).await.0, "202", "{string}");
        // JSON has no numbers that begin with a zero.
        let expected = if amount.starts_with('0') { "400 malformed-request /amount" } else { "202" };
        assert_eq!(answer_to(amount).await.0, expected, "{amount}");
    }
    assert_eq!(answer_to("\"9\\u0039\\u0039.00\"").await.0, "202", "an escape is as good as its character");
}

#[tokio::test]
async fn any_other_amount_is_422_however_little_it_differs() {
    for amount in
        ["998.99", "999.01", "999.001", "99900", "0", "0.00", "1998", "9.99", "999.00000000000000000001", "998.9999999999999"]
    {
        for written in [amount.to_owned(), format!("\"{amount}\"")] {
            assert_eq!(answer_to(&written).await, ("422 amount-mismatch".to_owned(), 1), "{written}");
        }
    }
}

#[tokio::test]
async fn what_is_no_plain_decimal_is_400_at_the_amount() {
    for amount in ["-999", "-999.00", "9.99e2", "9.99E2", "999e0", "999.0e0", "999000E-3", "-0", "99999999999999999999999"] {
        for written in [amount.to_owned(), format!("\"{amount}\"")] {
            assert_eq!(answer_to(&written).await.0, "400 malformed-request /amount", "{written}");
        }
    }
    for text in ["", " 999", "999 ", "+999", "999.", ".99", "999,00", "1_000", "$999", "999 USD", "nine hundred", "NaN", "0x3e7"]
    {
        assert_eq!(answer_to(&format!("\"{text}\"")).await.0, "400 malformed-request /amount", "{text}");
    }
    assert_eq!(answer_to("1e400").await.0, "400 malformed-request /amount", "more than any float");
}

#[tokio::test]
async fn what_is_neither_a_number_nor_a_string_is_400_without_asking() {
    for amount in ["null", "true", "[999]", "{\"amount_minor\": 99900, \"currency\": \"USD\"}", "NaN", "Infinity", "+999"] {
        assert_eq!(answer_to(amount).await, ("400 malformed-request /amount".to_owned(), 0), "{amount}");
    }
}

#[tokio::test]
async fn a_mismatch_says_what_the_order_costs() {
    let shop = Shop::with(Stage::Waiting).await;
    assert_snapshot!(shop.told::<Pay>("pay/amount-mismatch").await, @r#"
    422 Unprocessable Entity: amount-mismatch, Amount mismatch
    The order costs 999.00 USD.
    {"amount":{"amount_minor":99900,"currency":"USD"}}
    "#);
    assert_snapshot!(shop.told::<Pay>("pay/impossible-amount").await, @r#"
    400 Bad Request: malformed-request, The request cannot be read
    an amount is a plain decimal number such as 999.00, without exponent, sign or separators
    {"pointer":"/amount"}
    "#);
}

#[tokio::test]
async fn an_order_of_two_units_costs_twice_the_price() {
    let (shop, buyer) = (test_shop::Shop::open().await, Buyer::second());
    shop.bring(&buyer, Stage::Waiting).await;
    for (amount, expected) in [("999.00", "422 amount-mismatch"), ("1998.00", "202")] {
        let body = serde_json::json!({"order_id": buyer.id, "payment_method": "sandbox:ok", "amount": amount});
        let request = test_aws::request("POST", "/payment").shopper(buyer.shopper.as_str()).json(&body);
        assert_eq!(brief(&function(&shop, &Calls::new()).handle(request.build()).await), expected);
    }
}
