//! An account at a payment provider is down. A token belongs to one account, so failover goes through the shopper: the refusal names the
//! providers that can be used.

use checkout::Checkout;
use domain::{Breaker, ChargeOutcome, GatewayName};
use kit::HttpFunction;
use parts::FromParts;
use pay::Pay;
use serde_json::{Value, json};
use test_aws::{Calls, request};
use test_shop::{Buyer, Judged, Shop, Stage, body, brief};

const ACCOUNTS: [(&str, &str); 1] = [("PAYMENT_GATEWAYS", "stripe=pk_test_local,paypal=client")];

/// Payments at Stripe have failed so often that none asks for a while.
async fn stripe_is_down(shop: &Shop) {
    let gateways = shop.parts_with(&Calls::new(), &ACCOUNTS).gateways();
    let gateway = gateways.named(&GatewayName("stripe".to_owned())).unwrap();
    for _ in 0..Breaker::FAILURES {
        gateways.tell(gateway, &ChargeOutcome::Unavailable).await;
    }
}

/// The answer to a request with this payment method, and the providers that it names.
async fn asked<F: HttpFunction + FromParts>(shop: &Shop, calls: &Calls, path: &str, ask: &Value) -> (String, Value) {
    let function: Judged<F> = Judged::wire(&mut shop.parts_with(calls, &ACCOUNTS)).unwrap();
    let response = function.handle(request("POST", path).shopper(Buyer::first().shopper.as_str()).json(ask).build()).await;
    (brief(&response), body(&response).get("methods").cloned().unwrap_or_default())
}

/// Asserts that Stripe's methods are refused and write nothing, that PayPal's are taken, and Stripe's again once it may be up.
async fn goes_through_the_shopper<F: HttpFunction + FromParts>(stage: Stage, path: &str, ask: impl Fn(&str) -> Value) {
    for (method, pause) in [("paypal:checkout", 0), ("stripe:pm_card_visa", Breaker::PAUSE.as_secs())] {
        let (shop, calls) = (Shop::with(stage).await, Calls::new());
        stripe_is_down(&shop).await;
        let refused = asked::<F>(&shop, &calls, path, &ask("stripe:pm_card_visa")).await;
        assert_eq!(refused, ("409 payment-method-unavailable".to_owned(), json!(["paypal"])));
        assert!(shop.orders_sent().is_empty());
        assert_eq!(["TransactWriteItems", "PutItem", "UpdateItem"].map(|write| calls.count(write)), [0; 3]);
        shop.clock.advance_seconds(pause);
        assert_eq!(asked::<F>(&shop, &calls, path, &ask(method)).await.0, "202", "{method}");
        assert_eq!(shop.orders_sent().len(), 1);
    }
}

#[tokio::test]
async fn a_checkout_by_an_account_that_is_down_names_the_others() {
    let address = json!({"address_line1": "1 Market Street", "city": "Springfield", "postal_code": "49007", "country": "US"});
    goes_through_the_shopper::<Checkout>(
        Stage::Held,
        "/checkout",
        |method| json!({"cart_id": Buyer::first().id, "payment_method": method, "shipping_address": address}),
    )
    .await;
}

#[tokio::test]
async fn a_payment_by_an_account_that_is_down_names_the_others() {
    goes_through_the_shopper::<Pay>(
        Stage::Waiting,
        "/payment",
        |method| json!({"order_id": Buyer::first().id, "payment_method": method, "amount": "999.00"}),
    )
    .await;
}
