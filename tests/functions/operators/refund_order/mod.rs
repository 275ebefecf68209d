//! `POST /admin/orders/{order_id}/refund` on a real DynamoDB engine, with the sandbox and with a fake Stripe.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod faults;
mod pending;
mod refusals;
mod stripe;
mod told;

use domain::{GatewayName, RefundStatus};
use insta::assert_snapshot;
use kit::Request;
use refund_order::RefundOrder;
use serde_json::{Value, json};
use test_aws::{Calls, RequestBuilder};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo};

/// The price of the first buyer's order.
const PRICE: i64 = 99_900;

fn function(shop: &Shop, calls: &Calls) -> Judged<RefundOrder> {
    shop.wire(calls)
}

/// An operator's request about the first buyer's order, without an idempotency key and a body.
fn of_operator() -> RequestBuilder {
    let id = Buyer::first().id.to_string();
    let path = format!("/admin/orders/{id}/refund");
    test_aws::request("POST", &path).path_parameter("order_id", &id).shopper("operator-1").group("ops")
}

fn refund(key: &str, body: &Value) -> Request {
    of_operator().header("idempotency-key", key).json(body).build()
}

fn whole(key: &str) -> Request {
    refund(key, &json!({}))
}

fn with_unit(key: &str) -> Request {
    refund(key, &json!({"return_unit": true}))
}

fn part(key: &str, amount_minor: i64) -> Request {
    refund(key, &json!({"amount": {"amount_minor": amount_minor, "currency": "USD"}}))
}

/// What the sandbox has given back, in minor units.
async fn given_back(shop: &Shop) -> i64 {
    let books = shop.uncounted().books();
    let entry = books.get(&GatewayName("sandbox".to_owned()), &Buyer::first().key(1)).await.unwrap().unwrap();
    entry.refunded_minor
}

/// The order's three statuses, what the sandbox has given back, and how many units are sold.
async fn state(shop: &Shop) -> String {
    let order = shop.order(&Buyer::first()).await;
    let (_, _, sold) = shop.units(&demo()).await;
    let statuses = (order.status, order.payment_status, order.stock_status);
    format!("{statuses:?}, {} back, {sold} sold", given_back(shop).await)
}

async fn statuses(shop: &Shop) -> Vec<(i64, RefundStatus)> {
    let order = shop.order(&Buyer::first()).await;
    order.refunds.all.iter().map(|refund| (refund.amount.amount_minor(), refund.status)).collect()
}

#[tokio::test]
async fn a_whole_refund_ends_the_order_and_its_shopper_keeps_the_units() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    assert_snapshot!(shop.told_with::<RefundOrder>(&calls, "refund-order/ok").await, @r#"
    200 OK
    {"created_at":"2026-11-01T12:00:00Z",
     "history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"completed"},{"at":"2026-11-01T12:01:00Z","event":"refund_requested"},{"at":"2026-11-01T12:01:00Z","event":"price_refunded"}],
     "inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"refunded",
     "payment_status":"refunded","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","quantity":1,
     "refunds":[{"amount":{"amount_minor":99900,"currency":"USD"},"at":"2026-11-01T12:01:00Z","status":"refunded"}],
     "shipping_address":{"address_line1":"1 Market Street","city":"Springfield","country":"US","postal_code":"49007"},
     "transaction_id":"sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1","updated_at":"2026-11-01T12:01:00Z",
     "user_id":"5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01"}
    "#);
    assert_snapshot!(state(&shop).await, @"(Refunded, Refunded, Confirmed), 99900 back, 1 sold");
    assert!(shop.reservation(&Buyer::first()).await.is_some());
    // The order, its attempt and the books are read; the order is written twice, the books once, and once that the shopper is told.
    assert_eq!((calls.count("GetItem"), calls.count("UpdateItem"), calls.count("Publish"), calls.total()), (3, 4, 1, 8));
}

#[tokio::test]
async fn with_its_unit_it_ends_the_reservation_and_the_shopper_may_buy_again() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    let before = shop.units(&demo()).await;
    assert_eq!(brief(&function(&shop, &calls).handle(with_unit("one")).await), "200");
    assert_snapshot!(state(&shop).await, @"(Refunded, Refunded, Released), 99900 back, 0 sold");
    assert_eq!((before, shop.units(&demo()).await), ((99, 0, 1), (100, 0, 0)));
    assert!(shop.reservation(&Buyer::first()).await.is_none());
    assert_eq!((calls.count("UpdateItem"), calls.count("TransactWriteItems")), (4, 1));
    shop.bring(&Buyer::first(), Stage::Held).await;
}

#[tokio::test]
async fn parts_leave_the_order_completed_until_the_last_one_and_no_minor_unit_more_goes_back() {
    let shop = Shop::with(Stage::Completed).await;
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&function.handle(part("one", 1)).await), "200");
    assert_eq!(brief(&function.handle(part("two", PRICE - 3)).await), "200");
    assert_snapshot!(state(&shop).await, @"(Completed, Completed, Confirmed), 99898 back, 1 sold");
    let refused = function.handle(part("three", 3)).await;
    assert_snapshot!(test_aws::told(&refused), @r#"
    409 Conflict: refund-too-large, The refund is too large
    The refund has another currency than the order, or exceeds what is left of its price.
    {"refundable_minor":2}
    "#);
    assert_eq!(brief(&function.handle(part("four", 2)).await), "200");
    assert_snapshot!(state(&shop).await, @"(Refunded, Refunded, Confirmed), 99900 back, 1 sold");
    assert_eq!(brief(&function.handle(part("five", 1)).await), "409 not-refundable");
    assert_eq!(given_back(&shop).await, PRICE);
}

#[tokio::test]
async fn the_rest_goes_back_without_an_amount_and_its_unit_with_it() {
    let shop = Shop::with(Stage::Completed).await;
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&function.handle(part("one", 900)).await), "200");
    let done = function.handle(with_unit("two")).await;
    assert_snapshot!(test_shop::body(&done)["refunds"], @r#"[{"amount":{"amount_minor":900,"currency":"USD"},"at":"2026-11-01T12:01:00Z","status":"refunded"},{"amount":{"amount_minor":99000,"currency":"USD"},"at":"2026-11-01T12:01:00Z","status":"refunded"}]"#);
    let events: Vec<_> = test_shop::body(&done)["history"].as_array().unwrap().iter().map(|line| line["event"].clone()).collect();
    assert_snapshot!(json!(events), @r#"["payment_started","completed","refund_requested","part_refunded","refund_requested","purchase_returned"]"#);
    assert_snapshot!(state(&shop).await, @"(Refunded, Refunded, Released), 99900 back, 0 sold");
}

#[tokio::test]
async fn the_same_key_again_refunds_nothing_more() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    let function = function(&shop, &calls);
    for request in [|| part("one", 5), || with_unit("two")] {
        let first = function.handle(request()).await;
        let after = shop.everything().await;
        calls.reset();
        let again = function.handle(request()).await;
        assert_eq!((brief(&again), test_shop::body(&again)), ("200".to_owned(), test_shop::body(&first)));
        assert_eq!((calls.count("GetItem"), calls.total(), shop.everything().await), (1, 1, after));
    }
    assert_eq!(given_back(&shop).await, PRICE);
}

#[tokio::test]
async fn shoppers_see_their_refunds_without_the_reason_of_a_refusal() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first().paying("sandbox:refund-refused"), Stage::Completed).await;
    let refused = function(&shop, &Calls::new()).handle(part("one", 5)).await;
    assert_snapshot!(test_aws::told(&refused), @"
    409 Conflict: refund-refused, The refund was refused
    The payment provider refused this refund, and its amount is free again: the payment method says so. A new refund has a new key.
    ");
    let seen = shop.ask::<get_order::GetOrder>("get-order/ok").await;
    assert_snapshot!(test_shop::body(&seen)["refunds"], @r#"[{"amount":{"amount_minor":5,"currency":"USD"},"at":"2026-11-01T12:01:00Z","status":"failed"}]"#);
}
