//! Every refusal of a checkout. A refused request changes nothing.

use checkout::Checkout;
use domain::{ReservationId, Timestamp};
use insta::assert_snapshot;
use serde_json::{Value, json};
use store::Ending;
use test_aws::{Calls, CountingRandomness, event};
use test_shop::{Body, Buyer, Shop, Stage, brief, demo, refuses_what_every_route_refuses};

use crate::shoppers::{
    NOT_OF_THE_SANDBOX, RESERVATION_EXPIRED, UNKNOWN_RESERVATION,
    checkout::{LONGEST, function, good_body, request},
};

/// A buyer whose reservation was made at the time in its id. The ids of the sample events are from 2024.
fn fresh() -> Buyer {
    let made_at: Timestamp = test_shop::START.parse().unwrap();
    Buyer { id: ReservationId::generate(&demo(), made_at, &CountingRandomness::new()), ..Buyer::first() }
}

#[tokio::test]
async fn what_every_route_refuses() {
    let good = test_aws::request("POST", "/checkout");
    refuses_what_every_route_refuses::<Checkout>(&Shop::with(Stage::Held).await, &good, Body::Required).await;
}

/// The body of a good request with one member changed, or without it.
fn changed(pointer: &str, value: Option<Value>) -> Value {
    let mut body = good_body(&Buyer::first().id.to_string());
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(member.to_owned(), value),
        None => parent.remove(member),
    };
    body
}

#[tokio::test]
async fn a_member_at_fault_is_pointed_at_and_refusing_it_costs_nothing() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    let function = function(&shop, &calls);
    let text = |length| Some(json!("x".repeat(length)));
    let cases = [
        ("/cart_id", None, "400 malformed-request"),
        ("/cart_id", Some(json!(42)), "400 malformed-request"),
        ("/cart_id", Some(json!(null)), "400 malformed-request"),
        ("/payment_method", None, "400 malformed-request"),
        ("/payment_method", Some(json!(["sandbox:ok"])), "400 malformed-request"),
        ("/payment_method", Some(json!("")), "422 invalid-request"),
        ("/payment_method", Some(json!("cash")), "422 invalid-request"),
        ("/payment_method", Some(json!("4242 4242 4242 4242")), "400 card-data"),
        ("/shipping_address/address_line2", Some(json!("Visa 4242-4242-4242-4242 12/34")), "400 card-data"),
        ("/payment_method", Some(json!(format!("another:{}", "x".repeat(248)))), "422 invalid-request"),
        ("/shipping_address", None, "400 malformed-request"),
        ("/shipping_address", Some(json!(null)), "400 malformed-request"),
        ("/shipping_address", Some(json!("1 Market Street")), "400 malformed-request"),
        ("/shipping_address/address_line1", None, "400 malformed-request"),
        ("/shipping_address/address_line1", Some(json!("  ")), "422 invalid-request"),
        ("/shipping_address/address_line1", text(201), "422 invalid-request"),
        ("/shipping_address/city", Some(json!(7)), "400 malformed-request"),
        ("/shipping_address/city", Some(json!("")), "422 invalid-request"),
        ("/shipping_address/city", text(101), "422 invalid-request"),
        ("/shipping_address/city", Some(json!("Spring\nfield")), "422 invalid-request"),
        ("/shipping_address/postal_code", text(21), "422 invalid-request"),
        ("/shipping_address/country", text(61), "422 invalid-request"),
        ("/user_id", Some(json!(1)), "400 malformed-request"),
        ("/user_id", Some(json!("")), "400 malformed-request"),
    ];
    for (pointer, value, expected) in cases {
        let body = changed(pointer, value);
        let response = function.handle(request(&Buyer::first()).json(&body).build()).await;
        assert_eq!(brief(&response), format!("{expected} {pointer}"), "{body}");
    }
    assert_eq!((calls.total(), shop.orders_sent().len()), (0, 0));
}

#[tokio::test]
async fn a_method_that_the_sandbox_does_not_know_is_refused_before_anything_is_read_or_written() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    let function = function(&shop, &calls);
    for method in NOT_OF_THE_SANDBOX {
        let body = changed("/payment_method", Some(json!(method)));
        let response = function.handle(request(&Buyer::first()).json(&body).build()).await;
        assert_eq!(brief(&response), "422 invalid-request /payment_method", "{method}");
    }
    let body = changed("/payment_method", Some(json!("sandbox:nonsense")));
    let response = function.handle(request(&Buyer::first()).json(&body).build()).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    422 Unprocessable Entity: invalid-request, A value is not allowed
    the sandbox knows only sandbox:ok, sandbox:charged-at-once, sandbox:authorised-but-answer-lost, sandbox:capture-refused, sandbox:captured-but-answer-lost, sandbox:declined, sandbox:timeout-then-ok, sandbox:down, sandbox:primary-down, sandbox:down-at-first, sandbox:charged-but-answer-lost, sandbox:wrong-amount, sandbox:refund-fails-once, sandbox:action-passed, sandbox:action-abandoned, sandbox:refunded-but-answer-lost, sandbox:refund-refused
    {"pointer":"/payment_method"}
    "#);
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn members_that_the_function_does_not_know_are_ignored() {
    for pointer in ["/planet", "/shipping_address/planet"] {
        let shop = Shop::with(Stage::Held).await;
        let body = changed(pointer, Some(json!("Earth")));
        let response = function(&shop, &Calls::new()).handle(request(&Buyer::first()).json(&body).build()).await;
        assert_eq!(brief(&response), "202", "{pointer}");
    }
}

#[tokio::test]
async fn the_longest_that_is_allowed_is_taken() {
    let shop = Shop::with(Stage::Held).await;
    let mut body = good_body(&Buyer::first().id.to_string());
    body["payment_method"] = json!("sandbox:ok");
    for (member, length) in LONGEST {
        body["shipping_address"][member] = json!("\u{e9}".repeat(length));
    }
    let response = function(&shop, &Calls::new()).handle(request(&Buyer::first()).json(&body).build()).await;
    assert_eq!(brief(&response), "202");
}

#[tokio::test]
async fn a_fault_is_told_in_words_that_help() {
    let shop = Shop::with(Stage::Held).await;
    let function = function(&shop, &Calls::new());
    assert_snapshot!(test_aws::told(&function.handle(event("checkout/empty-city.json")).await), @r#"
    422 Unprocessable Entity: invalid-request, A value is not allowed
    city is a line of 1 to 100 characters, one of them visible, without control characters, overrides of the text direction, and characters that Unicode has not assigned
    {"pointer":"/shipping_address/city"}
    "#);
    assert_snapshot!(test_aws::told(&function.handle(event("checkout/unknown-payment-method.json")).await), @r#"
    422 Unprocessable Entity: invalid-request, A value is not allowed
    a payment method is a token '<provider>:<token>' of at most 255 printable characters; never send card data
    {"pointer":"/payment_method"}
    "#);
}

#[tokio::test]
async fn a_body_cannot_make_the_caller_somebody_else() {
    let shop = Shop::with(Stage::Held).await;
    let before = shop.everything().await;
    assert_snapshot!(shop.told::<Checkout>("checkout/other-user-id").await, @r"
    403 Forbidden: forbidden, Not allowed
    user_id must be the caller's id
    ");
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn what_can_be_no_cart_is_404_without_asking() {
    let (shop, calls) = (Shop::with(Stage::Held).await, Calls::new());
    let function = function(&shop, &calls);
    for cart in ["", "demo", "demo.1", "DEMO.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "demo.01jd3v3z5t8q6w7x9y0a1b2c3d"] {
        let response = function.handle(request(&Buyer::first()).json(&good_body(cart)).build()).await;
        assert_eq!(brief(&response), "404 unknown-reservation", "{cart}");
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn somebody_elses_cart_is_404_whether_it_is_held_ordered_or_bought() {
    for stage in [Stage::Held, Stage::Waiting, Stage::Pending, Stage::Completed, Stage::WaitingAgain] {
        let (shop, owner) = (Shop::open().await, fresh());
        shop.bring(&owner, stage).await;
        let before = shop.everything().await;
        let thief = Buyer { shopper: Buyer::second().shopper, ..owner };
        let response = function(&shop, &Calls::new()).handle(request(&thief).build()).await;
        assert_eq!(brief(&response), "404 unknown-reservation", "{stage:?}");
        assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]), "{stage:?}");
    }
}

#[tokio::test]
async fn somebody_elses_order_is_404_also_to_one_who_holds_units_too() {
    let (shop, owner) = (Shop::open().await, fresh());
    shop.bring(&owner, Stage::Pending).await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    let thief = Buyer { shopper: Buyer::second().shopper, ..owner };
    let response = function(&shop, &Calls::new()).handle(request(&thief).build()).await;
    assert_eq!((brief(&response), shop.orders_sent()), ("404 unknown-reservation".to_owned(), vec![]));
}

#[tokio::test]
async fn a_cart_that_was_never_there_is_404() {
    let shop = Shop::open().await;
    let response = function(&shop, &Calls::new()).handle(request(&fresh()).build()).await;
    assert_eq!(test_aws::told(&response), UNKNOWN_RESERVATION);
    let of_no_sale = Buyer { id: format!("other.{}", fresh().id.ulid()).parse().unwrap(), ..fresh() };
    let response = function(&shop, &Calls::new()).handle(request(&of_no_sale).build()).await;
    assert_eq!(brief(&response), "404 unknown-reservation");
}

#[tokio::test]
async fn a_hold_is_over_at_its_end_to_the_second() {
    let (shop, calls, buyer) = (Shop::open().await, Calls::new(), fresh());
    shop.bring(&buyer, Stage::Held).await;
    let before = shop.everything().await;
    shop.clock.set(test_shop::END);
    let response = function(&shop, &calls).handle(request(&buyer).build()).await;
    assert_eq!(test_aws::told(&response), RESERVATION_EXPIRED);
    assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]));
    assert_eq!(calls.count("TransactWriteItems"), 0);
    shop.clock.set("2026-11-01T12:04:59.999Z");
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(request(&buyer).build()).await), "202");
}

#[tokio::test]
async fn a_hold_that_was_cleared_away_is_410_and_one_that_was_given_up_is_404_until_its_time_is_over() {
    let (shop, buyer) = (Shop::open().await, fresh());
    shop.bring(&buyer, Stage::Held).await;
    shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&function.handle(request(&buyer).build()).await), "404 unknown-reservation");
    shop.clock.set(test_shop::END);
    assert_eq!(brief(&function.handle(request(&buyer).build()).await), "410 reservation-expired");
}

/// The reservation ends between the read and the transaction, so the transaction's condition is false.
#[tokio::test]
async fn a_hold_that_ends_meanwhile_is_410_and_makes_no_order() {
    let (shop, calls, buyer) = (Shop::open().await, Calls::new(), fresh());
    shop.bring(&buyer, Stage::Held).await;
    let function = function(&shop, &calls);
    let ends_it = async {
        // The first read is under way. It may still see the reservation that this deletes.
        while calls.total() < 2 {
            tokio::task::yield_now().await;
        }
        shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
    };
    let (response, ()) = tokio::join!(function.handle(request(&buyer).build()), ends_it);
    // Either the order came first and kept its hold, or the hold ended first and there is no order.
    let order = shop.uncounted().orders().get(&buyer.id).await.unwrap();
    let expected = if order.is_some() { "202" } else { "410 reservation-expired" };
    assert_eq!((brief(&response).as_str(), shop.reservation(&buyer).await.is_some()), (expected, order.is_some()));
}

#[tokio::test]
async fn a_newer_reservation_is_not_bought_by_an_old_cart() {
    let (shop, old) = (Shop::open().await, fresh());
    let newer = Buyer { shopper: old.shopper.clone(), ..Buyer::second() };
    shop.bring(&newer, Stage::Held).await;
    let before = shop.everything().await;
    let response = function(&shop, &Calls::new()).handle(request(&old).build()).await;
    assert_eq!((brief(&response), shop.everything().await), ("404 unknown-reservation".to_owned(), before));
}
