//! Which addresses a checkout takes. It keeps them byte for byte.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use get_order::GetOrder;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, brief};

use crate::shoppers::checkout::{LONGEST, function, good_body, request};

fn address(changes: &Value) -> Value {
    let mut address = good_body("")["shipping_address"].take();
    for (member, value) in changes.as_object().unwrap() {
        address[member] = value.clone();
    }
    address
}

/// The answer to a checkout with this address, and the address that the order then has.
async fn checked_out(address: &Value) -> (String, Value) {
    let (shop, buyer) = (Shop::with(Stage::Held).await, Buyer::first());
    let mut body = good_body(&buyer.id.to_string());
    body["shipping_address"] = address.clone();
    let answer = brief(&function(&shop, &Calls::new()).handle(request(&buyer).json(&body).build()).await);
    let order = shop.ask::<GetOrder>("get-order/ok").await;
    let listed = shop.ask::<GetOrder>("get-order/list").await;
    let (order, listed) = (test_shop::body(&order), test_shop::body(&listed));
    assert_eq!(order["shipping_address"], listed["orders"][0]["shipping_address"]);
    (answer, order["shipping_address"].clone())
}

#[tokio::test]
async fn an_address_is_shown_as_it_was_sent() {
    for changes in [
        json!({}),
        json!({"name": "Ann Example", "address_line2": "Apartment 4", "state": "MI", "phone": "+1 517 555 0100"}),
        json!({"name": "  Łukasz  Ńowak ", "city": "Łódź", "country": "PL"}),
        json!({"name": "山田\u{3000}太郎", "address_line1": "千代田1-1", "city": "東京", "country": "日本"}),
        json!({"name": "محمد", "address_line1": "شارع \u{200f}12\u{200e}", "city": "القاهرة", "country": "مصر"}),
        json!({"name": "می\u{200c}خواهم", "city": "تهران"}),
        json!({"name": "Cafe\u{301} 👩\u{200d}👧"}),
        json!({"name": "\"<b>&amp;\\ 'x'"}),
    ] {
        let sent = address(&changes);
        assert_eq!(checked_out(&sent).await, ("202".to_owned(), sent));
    }
}

#[tokio::test]
async fn a_member_that_is_null_is_one_that_is_missing() {
    let sent = address(&json!({"name": null, "address_line2": null, "state": null, "phone": null}));
    assert_eq!(checked_out(&sent).await, ("202".to_owned(), address(&json!({}))));
}

#[tokio::test]
async fn a_country_without_postal_codes_needs_none() {
    for (postal_code, country, expected) in [
        (None, "HK", "202"),
        (None, "AE", "202"),
        (None, "hk", "202"),
        (None, "MW", "202"),
        (Some(json!(null)), "HK", "202"),
        (Some(json!("999077")), "HK", "202"),
        (None, "US", "422 invalid-request /shipping_address/postal_code"),
        (None, "Hong Kong", "422 invalid-request /shipping_address/postal_code"),
        (Some(json!(null)), "DE", "422 invalid-request /shipping_address/postal_code"),
        (Some(json!("")), "HK", "422 invalid-request /shipping_address/postal_code"),
    ] {
        let mut sent = address(&json!({"country": country}));
        sent.as_object_mut().unwrap().remove("postal_code");
        let mut shown = sent.clone();
        if let Some(code) = postal_code {
            sent["postal_code"] = code.clone();
            shown["postal_code"] = code;
        }
        if shown["postal_code"].is_null() {
            shown.as_object_mut().unwrap().remove("postal_code");
        }
        let shown = if expected == "202" { shown } else { Value::Null };
        assert_eq!(checked_out(&sent).await, (expected.to_owned(), shown), "{sent}");
    }
}

#[tokio::test]
async fn what_nobody_could_write_on_a_parcel_is_refused_in_every_member() {
    let shop = Shop::with(Stage::Held).await;
    let (calls, before) = (Calls::new(), shop.everything().await);
    let function = function(&shop, &calls);
    for (member, longest) in LONGEST {
        let long = "é".repeat(longest + 1);
        for text in [
            "",
            " ",
            "\u{200b}\u{feff}",
            "\u{301}",
            "\u{3164}",
            "a\nb",
            "a\0",
            "\u{1b}[2J",
            "a\u{85}b",
            "a\u{2028}b",
            "\u{e000}",
            "a\u{202e}b",
            "\u{fdd0}",
            "a\u{378}",
            "\u{10ffff}",
            &long,
        ] {
            let mut body = good_body(&Buyer::first().id.to_string());
            body["shipping_address"] = address(&json!({member: text}));
            let answer = brief(&function.handle(request(&Buyer::first()).json(&body).build()).await);
            assert_eq!(answer, format!("422 invalid-request /shipping_address/{member}"), "{text:?}");
        }
    }
    assert_eq!((calls.total(), shop.everything().await), (0, before));
}
