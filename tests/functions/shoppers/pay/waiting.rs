//! `Prefer: wait=N`: the answer waits for the saga's end, at most N seconds.

use std::time::Duration;

use domain::{Attempt, AttemptStatus, SellOutcome};
use insta::assert_snapshot;
use kit::Response;
use serde_json::json;
use store::Advanced;
use test_aws::{Calls, event};
use test_shop::{Buyer, Shop, Stage, brief};

use crate::shoppers::pay::{function, request};

/// How long the test waits for a payment's message.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a payment's message, as the saga does.
async fn message_comes(shop: &Shop) {
    let begun = tokio::time::Instant::now();
    while shop.orders_sent().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no message was sent");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn completes(shop: &Shop) {
    message_comes(shop).await;
    let (buyer, order) = (Buyer::first(), shop.order(&Buyer::first()).await);
    shop.attempt(&buyer, order.attempt, "sandbox", AttemptStatus::Charged).await;
    let sold = shop.uncounted().stock().sell(buyer.shard, &buyer.shopper, &buyer.id, buyer.quantity).await.unwrap();
    assert_eq!(sold, SellOutcome::Sold);
    let completed = shop.uncounted().purchases().complete(&order, order.attempt, "sandbox_1", shop.now()).await.unwrap();
    assert_eq!(completed, Advanced::Done);
}

async fn declines(shop: &Shop) {
    message_comes(shop).await;
    let order = shop.order(&Buyer::first()).await;
    let reason = "The card was declined.";
    shop.attempt(&Buyer::first(), order.attempt, "sandbox", AttemptStatus::Declined).await;
    let failed =
        shop.uncounted().purchases().payment_failed(&order, order.attempt, order.pay_by, reason, shop.now()).await.unwrap();
    assert_eq!(failed, Advanced::Done);
}

/// The answer to a payment with this `Prefer`, while the saga completes the order.
async fn answer_while_it_completes(prefer: &str) -> Response {
    let shop = Shop::with(Stage::Waiting).await;
    let function = function(&shop, &Calls::new());
    tokio::join!(function.handle(request().header("prefer", prefer).build()), completes(&shop)).0
}

#[tokio::test]
async fn a_payment_that_is_completed_meanwhile_is_200_with_its_transaction() {
    let response = answer_while_it_completes("wait=10").await;
    assert_snapshot!(test_aws::told(&response), @r#"
    200 OK
    {"order_status":"completed","payment_status":"completed","success":true,"transaction_id":"sandbox_1"}
    "#);
}

#[tokio::test]
async fn a_payment_that_is_declined_meanwhile_says_so_and_until_when_another_can_be_tried() {
    let shop = Shop::with(Stage::Waiting).await;
    let function = function(&shop, &Calls::new());
    let (response, ()) = tokio::join!(function.handle(request().header("prefer", "wait=10").build()), declines(&shop));
    assert_snapshot!(test_aws::told(&response), @r#"
    200 OK
    {"order_status":"awaiting_payment","pay_by":"2026-11-01T12:05:00Z","payment_status":"failed","success":false}
    "#);
}

#[tokio::test]
async fn a_payment_that_takes_longer_is_202_after_the_time_and_some_looks() {
    let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
    let begun = tokio::time::Instant::now();
    let response = function(&shop, &calls).handle(event("pay/prefer-wait.json")).await;
    assert_eq!(brief(&response), "202");
    assert_eq!(test_shop::body(&response)["payment_status"], "pending");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let looks = calls.count("GetItem") - 1;
    assert!((2..=8).contains(&looks), "{looks} reads of the order and its attempt in a second");
    assert_eq!(calls.total(), 1 + 2 + looks, "the order, the transaction, the message");
}

#[tokio::test]
async fn the_preference_is_found_among_others() {
    for prefer in ["wait=10", "respond-async, wait=10", "wait=10; why=not", " wait=10 ", "wait=4000000000"] {
        assert_eq!(brief(&answer_while_it_completes(prefer).await), "200", "{prefer}");
    }
}

#[tokio::test]
async fn what_is_no_time_is_not_waited_for() {
    for prefer in ["wait=0", "wait=-1", "wait=soon", "wait", "wait=", "await=10", "respond-async", "respond-async; wait=10"] {
        let (shop, calls) = (Shop::with(Stage::Waiting).await, Calls::new());
        let response = function(&shop, &calls).handle(request().header("prefer", prefer).build()).await;
        assert_eq!((brief(&response), calls.count("GetItem")), ("202".to_owned(), 1), "{prefer}");
    }
}

#[tokio::test]
async fn a_refusal_is_not_waited_for() {
    for stage in [Stage::Pending, Stage::Completed, Stage::Expired] {
        let (shop, calls) = (Shop::with(stage).await, Calls::new());
        let response = function(&shop, &calls).handle(event("pay/prefer-wait.json")).await;
        assert!(response.status().is_client_error(), "{stage:?}");
        let attempt = usize::from(stage == Stage::Pending);
        assert_eq!(calls.count("GetItem"), 1 + attempt, "{stage:?}");
    }
}

/// An order whose payment waits for its shopper, and a request with the same method.
async fn acting() -> (Shop, test_aws::RequestBuilder) {
    let shop = Shop::with(Stage::Pending).await;
    shop.waits_for_shopper(&Buyer::first()).await;
    let method = shop.order(&Buyer::first()).await.payment_method.unwrap();
    let body = json!({"order_id": Buyer::first().id, "payment_method": method.as_str(), "amount": "999.00"});
    (shop, request().json(&body))
}

/// The saga goes on once the shopper's return is known.
async fn goes_on(shop: &Shop) {
    let begun = tokio::time::Instant::now();
    while shop.payment_events_sent().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "nobody is told of the return");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (buyer, order) = (Buyer::first(), shop.order(&Buyer::first()).await);
    let attempts = shop.uncounted().attempts();
    let before = attempts.get(&order.key()).await.unwrap().unwrap();
    let charged = Attempt { status: AttemptStatus::Charged, waiting: None, ..before.clone() };
    assert!(attempts.replace(&before, &charged).await.unwrap());
    let sold = shop.uncounted().stock().sell(buyer.shard, &buyer.shopper, &buyer.id, buyer.quantity).await.unwrap();
    assert_eq!(sold, SellOutcome::Sold);
    let completed = shop.uncounted().purchases().complete(&order, order.attempt, "pi_1", shop.now()).await.unwrap();
    assert_eq!(completed, Advanced::Done);
}

#[tokio::test]
async fn a_shopper_who_comes_back_from_acting_is_told_how_the_payment_ended() {
    let (shop, request) = acting().await;
    let function = function(&shop, &Calls::new());
    let (response, ()) = tokio::join!(function.handle(request.header("prefer", "wait=10").build()), goes_on(&shop));
    assert_eq!(brief(&response), "200");
    assert_eq!(test_shop::body(&response)["payment_status"], "completed");
}

#[tokio::test]
async fn who_has_not_acted_is_told_so_after_the_time_and_at_once_without_a_preference() {
    for (prefer, least) in [("wait=1", Duration::from_secs(1)), ("wait=0", Duration::ZERO)] {
        let (shop, request) = acting().await;
        let begun = tokio::time::Instant::now();
        let response = function(&shop, &Calls::new()).handle(request.header("prefer", prefer).build()).await;
        assert_eq!(brief(&response), "409 requires-action");
        assert!(begun.elapsed() >= least, "{prefer}");
    }
}

#[tokio::test]
async fn another_method_has_to_wait_until_the_payment_has_ended() {
    let (shop, _) = acting().await;
    let body = json!({"order_id": Buyer::first().id, "payment_method": "sandbox:declined", "amount": "999.00"});
    let response = function(&shop, &Calls::new()).handle(request().json(&body).header("prefer", "wait=10").build()).await;
    assert_eq!(brief(&response), "409 payment-in-progress");
}
