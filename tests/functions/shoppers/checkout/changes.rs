//! A checkout of an order that exists: it gets the address and the method that were sent, or the checkout is refused.
#![expect(clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

use checkout::Checkout;
use domain::{Address, Order, OrderStatus, OrderStep, ReservationStatus};
use insta::assert_snapshot;
use kit::Request;
use pay::Pay;
use serde_json::{Value, json};
use store::{PlaceOutcome, StartOutcome};
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Judged, Shop, Stage, address, brief};

use crate::shoppers::{
    checkout::{function, good_body, message, request},
    decline,
};

/// A checkout of the first buyer's cart with these members changed.
fn with(method: Option<&str>, city: Option<&str>) -> Request {
    let buyer = Buyer::first();
    let mut body = good_body(&buyer.id.to_string());
    if let Some(method) = method {
        body["payment_method"] = json!(method);
    }
    if let Some(city) = city {
        body["shipping_address"]["city"] = json!(city);
    }
    request(&buyer).json(&body).build()
}

fn in_city(city: &str) -> Address {
    Address { city: city.to_owned(), ..address() }
}

/// Answers of all stages to a checkout. One that is accepted leaves the order with what was sent; a refused one changes nothing.
async fn answers(method: Option<&str>, city: Option<&str>) -> String {
    test_shop::by_stage(async |shop, stage| {
        let before = shop.everything().await;
        let answer = brief(&function(&shop, &Calls::new()).handle(with(method, city)).await);
        if answer.starts_with('2') {
            let order = shop.order(&Buyer::first()).await;
            assert_eq!(order.payment_method.unwrap().as_str(), method.unwrap_or("sandbox:ok"), "{stage:?}");
            assert_eq!(order.shipping_address, Some(in_city(city.unwrap_or("Springfield"))), "{stage:?}");
            let has_started = order.status == OrderStatus::Pending;
            assert!(!has_started || shop.orders_sent().contains(&message(&Buyer::first(), order.attempt)), "{stage:?}");
        } else {
            assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]), "{stage:?}");
        }
        answer
    })
    .await
}

#[tokio::test]
async fn a_request_that_took_its_time_does_not_undo_a_later_one() {
    let shop = Shop::with(Stage::Waiting).await;
    let function = function(&shop, &Calls::new());
    let began_at = shop.now();
    shop.clock.advance_seconds(1);
    assert_eq!(brief(&function.handle(with(Some("sandbox:declined"), Some("Shelbyville"))).await), "202");
    decline(&shop, &Buyer::first(), 1).await;
    shop.clock.set_to(began_at);
    let late = function.handle(with(None, Some("Springfield"))).await;
    assert_eq!(brief(&late), "503 try-again");
    let order = shop.order(&Buyer::first()).await;
    assert_eq!((order.attempt, order.shipping_address), (1, Some(in_city("Shelbyville"))));
}

/// Asserts that another address, sent with this method, is kept while the order waits. Afterwards it is refused, whatever the
/// method is.
async fn is_refused_for_the_address_afterwards(method: Option<&str>) {
    let answers = answers(method, Some("Shelbyville")).await;
    insta::allow_duplicates! {
        assert_snapshot!(answers, @r"
        202: Held, Waiting, WaitingAgain
        409 address-fixed: Pending, Unavailable, Declined, Authorised, Uncaptured, Charged, Sold, Mischarged, Completed, PayingAgain, GivenBack, Refunding
        410 reservation-expired: Claimed, Failed, Refunded, RefundPending, GivenBackLater, Expired
        ");
    }
}

#[tokio::test]
async fn another_address_is_kept_while_the_order_waits_and_refused_afterwards() {
    is_refused_for_the_address_afterwards(None).await;
}

#[tokio::test]
async fn another_method_is_tried_while_the_order_waits_and_refused_afterwards() {
    assert_snapshot!(answers(Some("sandbox:timeout-then-ok"), None).await, @r"
    202: Held, Waiting, WaitingAgain
    409 already-paid: Completed
    409 payment-in-progress: Pending, Unavailable, Declined, Authorised, Uncaptured, Charged, Sold, Mischarged, PayingAgain, GivenBack, Refunding
    410 reservation-expired: Claimed, Failed, Refunded, RefundPending, GivenBackLater, Expired
    ");
}

#[tokio::test]
async fn another_address_and_another_method_are_refused_for_the_address() {
    is_refused_for_the_address_afterwards(Some("sandbox:timeout-then-ok")).await;
}

#[tokio::test]
async fn the_refusal_says_what_to_do() {
    let shop = Shop::with(Stage::Pending).await;
    let response = function(&shop, &Calls::new()).handle(with(None, Some("Shelbyville"))).await;
    assert_snapshot!(test_aws::told(&response), @r"
    409 Conflict: address-fixed, The address can no longer change
    The address of an order can change only while the order waits for a payment. Read the order to see its address.
    ");
}

/// An order without an address whose first payment was declined.
async fn declined_without_address(shop: &Shop, buyer: &Buyer) {
    shop.bring(buyer, Stage::Held).await;
    let order = Order { shipping_address: None, ..buyer.order(OrderStep::Placed) };
    assert_eq!(shop.uncounted().orders().place(&order).await.unwrap(), PlaceOutcome::Placed);
    let started = shop.uncounted().purchases().start_again(&order, &buyer.method, shop.now()).await.unwrap();
    assert_eq!(started, StartOutcome::Started);
    shop.step(buyer, Stage::Declined).await;
    shop.step(buyer, Stage::WaitingAgain).await;
}

#[tokio::test]
async fn an_address_that_comes_after_a_declined_payment_is_the_address_of_the_purchase() {
    let (shop, buyer) = (Shop::open().await, Buyer::first());
    declined_without_address(&shop, &buyer).await;
    assert_eq!(shop.order(&buyer).await.shipping_address, None);
    let response = function(&shop, &Calls::new()).handle(with(None, None)).await;
    assert_eq!((brief(&response).as_str(), &test_shop::body(&response)["order_status"]), ("202", &json!("pending")));
    let order = shop.order(&buyer).await;
    assert_eq!((order.attempt, order.shipping_address, order.history.len()), (2, Some(address()), 4));
    assert_eq!(shop.orders_sent(), [message(&buyer, 2)]);
}

/// The shopper's first checkout was answered with nothing, and then declined.
#[tokio::test]
async fn a_repetition_after_a_decline_charges_nothing_and_a_corrected_address_does() {
    let (shop, buyer) = (Shop::with(Stage::WaitingAgain).await, Buyer::first());
    let before = shop.everything().await;
    let function = function(&shop, &Calls::new());
    for _ in 0..3 {
        let response = function.handle(with(None, None)).await;
        assert_eq!((brief(&response).as_str(), &test_shop::body(&response)["order_status"]), ("202", &json!("awaiting_payment")));
    }
    assert_eq!((shop.everything().await, shop.orders_sent()), (before, vec![]));
    assert_eq!(brief(&function.handle(with(None, Some("Shelbyville"))).await), "202");
    let order = shop.order(&buyer).await;
    assert_eq!((order.status, order.attempt, order.shipping_address), (OrderStatus::Pending, 2, Some(in_city("Shelbyville"))));
    assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Paying);
}

#[tokio::test]
async fn an_order_has_twenty_attempts_however_they_start() {
    let (shop, buyer) = (Shop::with(Stage::WaitingAgain).await, Buyer::first());
    let function = function(&shop, &Calls::new());
    for attempt in 2..=Order::MAX_ATTEMPTS {
        assert_eq!(brief(&function.handle(with(None, Some(&format!("City {attempt}")))).await), "202");
        decline(&shop, &buyer, attempt).await;
    }
    let before = shop.everything().await;
    let response = function.handle(with(None, Some("Shelbyville"))).await;
    assert_eq!(brief(&response), "429 too-many-attempts");
    assert_eq!(brief(&function.handle(with(None, Some("City 20"))).await), "202", "a repetition");
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_process_may_die_at_any_request_and_the_same_again_starts_one_attempt() {
    every_crash(async |calls| {
        let (shop, buyer) = (Shop::with(Stage::WaitingAgain).await, Buyer::first());
        let died = brief(&function(&shop, calls).handle(with(None, Some("Shelbyville"))).await);
        calls.heal();
        shop.clock.advance_seconds(30);
        let again = function(&shop, calls).handle(with(None, Some("Shelbyville"))).await;
        assert_eq!(brief(&again), "202", "after {died}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.attempt, order.history.len(), order.shipping_address), (2, 3, Some(in_city("Shelbyville"))), "{died}");
        let sent = shop.orders_sent();
        assert!(!sent.is_empty() && sent.iter().all(|sent| *sent == message(&buyer, 2)), "{died}: {sent:?}");
    })
    .await;
}

#[tokio::test]
async fn of_two_addresses_at_once_the_one_that_is_kept_is_the_one_that_is_accepted() {
    for stage in [Stage::Held, Stage::Waiting, Stage::WaitingAgain] {
        every_interleaving(async |interleaving| {
            let shop = Shop::with(stage).await;
            let (here, there) = (function(&shop, &interleaving.calls), function(&shop, &Calls::new()));
            let first = here.handle(with(None, Some("Shelbyville")));
            let (first, second) = interleaving.run(first, there.handle(with(None, Some("Ogdenville")))).await;
            let kept = shop.order(&Buyer::first()).await.shipping_address.unwrap().city;
            let expected = if kept == "Shelbyville" { ["202", "409 address-fixed"] } else { ["409 address-fixed", "202"] };
            assert_eq!([brief(&first), brief(&second)], expected, "{stage:?}: {kept}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_request_decides_on_the_state_that_its_write_finds() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = (Shop::with(Stage::Declined).await, Buyer::first());
        let hung = function(&shop, &interleaving.calls);
        let fails = shop.step(&buyer, Stage::WaitingAgain);
        let (response, ()) = interleaving.run(hung.handle(with(None, Some("Shelbyville"))), fails).await;
        let order = shop.order(&buyer).await;
        let (status, answer) =
            if order.attempt == 2 { (OrderStatus::Pending, "202") } else { (OrderStatus::AwaitingPayment, "409 address-fixed") };
        assert_eq!((order.status, brief(&response).as_str()), (status, answer));
        assert_eq!(order.shipping_address == Some(in_city("Shelbyville")), order.attempt == 2);
    })
    .await;
}

#[tokio::test]
async fn a_payment_at_the_same_time_pays_to_the_address_that_was_accepted() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = (Shop::with(Stage::WaitingAgain).await, Buyer::first());
        let (here, there) = (function(&shop, &interleaving.calls), shop.wire::<Judged<Pay>>(&Calls::new()));
        let body: Value = json!({"order_id": buyer.id, "payment_method": "sandbox:ok", "amount": "999.00"});
        let pay = test_aws::request("POST", "/payment").shopper(buyer.shopper.as_str()).json(&body).build();
        let (checkout, paid) = interleaving.run(here.handle(with(None, Some("Shelbyville"))), there.handle(pay)).await;
        let order = shop.order(&buyer).await;
        assert_eq!((order.status, order.attempt), (OrderStatus::Pending, 2));
        let is_kept = order.shipping_address == Some(in_city("Shelbyville"));
        let expected = if is_kept { ["202", "409 payment-in-progress"] } else { ["409 address-fixed", "202"] };
        assert_eq!([brief(&checkout), brief(&paid)], expected);
    })
    .await;
}

/// The stream has not reached the order yet.
#[tokio::test]
async fn an_order_whose_hold_was_given_up_gets_no_address() {
    let (shop, buyer) = (Shop::with(Stage::WaitingAgain).await, Buyer::first());
    shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, store::Ending::Cancelled).await.unwrap();
    let before = shop.everything().await;
    let response = shop.wire::<Judged<Checkout>>(&Calls::new()).handle(with(None, Some("Shelbyville"))).await;
    assert_eq!((brief(&response), shop.everything().await), ("410 reservation-expired".to_owned(), before));
}
