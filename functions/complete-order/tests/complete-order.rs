//! `complete-order` on a real DynamoDB engine: an order is completed when exactly its amount is charged, once, and with its
//! reservation.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use std::sync::Arc;

use complete_order::CompleteOrder;
use domain::{Attempt, AttemptStatus, Money, OrderStatus, OrderStep, PaymentStatus, ReservationStatus, StockStatus};
use scene::{Buyer, Scene, Stage};
use serde_json::{Value, json};
use testkit::{Calls, Fault, every_crash, every_interleaving};

/// What the task answers: its output, or the name of its error.
type Answer = Result<Value, String>;

async fn at(stage: Stage) -> (Scene, Buyer) {
    let (scene, buyer) = (Scene::open().await, Buyer::first());
    scene.bring(&buyer, stage).await;
    (scene, buyer)
}

async fn run(scene: &Scene, calls: &Calls, input: Value) -> Answer {
    let client = scene.dynamo.client_with(calls);
    let function = CompleteOrder {
        clock: Arc::new(scene.clock.clone()),
        orders: scene.orders_on(client.clone()),
        attempts: scene.attempts_on(client.clone()),
        purchases: scene.purchases_on(client),
    };
    scene::task(input, |task| function.handle(task)).await
}

async fn on(scene: &Scene, event: &str) -> Answer {
    run(scene, &Calls::new(), testkit::event_value(&format!("complete-order/{event}.json"))).await
}

fn completed() -> Answer {
    Ok(json!({"transaction_id": format!("sandbox_{}", Buyer::first().key(1))}))
}

fn error(name: &str) -> Answer {
    Err(name.to_owned())
}

#[tokio::test]
async fn a_charged_and_sold_order_is_completed_with_its_reservation_once() {
    let (scene, buyer) = at(Stage::Sold).await;
    scene.clock.advance_seconds(3);
    for _ in 0..3 {
        assert_eq!(on(&scene, "ok").await, completed());
        scene.clock.advance_seconds(3);
    }
    let order = scene.order(&buyer).await;
    let statuses = (order.status, order.payment_status, order.stock_status);
    assert_eq!(statuses, (OrderStatus::Completed, PaymentStatus::Completed, StockStatus::Confirmed));
    assert_eq!(order.transaction_id, Some(format!("sandbox_{}", buyer.key(1))));
    assert_eq!(order.updated_at, "2026-11-01T12:01:03Z".parse().unwrap(), "by the first run");
    let steps: Vec<OrderStep> = order.history.iter().map(|event| event.event).collect();
    assert_eq!(steps, [OrderStep::PaymentStarted, OrderStep::Completed]);
    assert_eq!(scene.reservation(&buyer).await.unwrap().status, ReservationStatus::Purchased);
    assert_eq!(scene.ttl(&buyer).await, None, "what is bought is not deleted by time");
    assert_eq!(scene.attempt_status(&buyer, 1).await, Some(AttemptStatus::Kept));
}

#[tokio::test]
async fn a_late_hold_is_completed_after_its_end() {
    let (scene, buyer) = at(Stage::Sold).await;
    scene.clock.set("2026-11-01T13:00:00Z");
    assert_eq!(scene.dynamo.sweep_ttl(), 0, "a reservation that is being paid has no end");
    assert_eq!(on(&scene, "ok").await, completed());
    assert_eq!(scene.reservation(&buyer).await.unwrap().status, ReservationStatus::Purchased);
}

#[tokio::test]
async fn another_amount_than_the_orders_is_a_mismatch() {
    let usd = |amount| Some(Money::new(amount, "USD".parse().unwrap()).unwrap());
    let euros = Some(Money::new(99_900, "EUR".parse().unwrap()).unwrap());
    for confirmed in [usd(99_899), usd(99_901), usd(1), euros, None] {
        let (scene, buyer) = at(Stage::Sold).await;
        let attempt = scene.attempts().get(&buyer.key(1)).await.unwrap().unwrap();
        assert!(scene.attempts().replace(&attempt, &Attempt { confirmed, ..attempt.clone() }).await.unwrap());
        let before = scene.everything().await;
        for _ in 0..2 {
            assert_eq!(on(&scene, "ok").await, error("ChargeMismatch"), "{confirmed:?}");
        }
        assert_eq!(scene.everything().await, before, "{confirmed:?}");
    }
}

#[tokio::test]
async fn an_order_that_is_not_charged_is_not_completed() {
    for status in [
        None,
        Some(AttemptStatus::Started),
        Some(AttemptStatus::Refunding),
        Some(AttemptStatus::Declined),
        Some(AttemptStatus::Unavailable),
        Some(AttemptStatus::Refunded),
        Some(AttemptStatus::Voided),
    ] {
        let (scene, buyer) = at(Stage::Pending).await;
        if let Some(status) = status {
            scene.attempt(&buyer, 1, "sandbox", status).await;
        }
        let before = scene.everything().await;
        assert_eq!(on(&scene, "ok").await, error("OrderNotPending"), "{status:?}");
        assert_eq!(scene.everything().await, before, "{status:?}");
    }
}

/// Somebody decides to give the money back while this run hangs, also after it has read the attempt as charged.
#[tokio::test]
async fn money_that_is_on_its_way_back_completes_nothing() {
    every_interleaving(async |interleaving| {
        let (scene, buyer) = at(Stage::Sold).await;
        let decide = async {
            let read = scene.attempts().get(&buyer.key(1)).await.unwrap().unwrap();
            let refunding = Attempt { status: AttemptStatus::Refunding, ..read.clone() };
            read.status == AttemptStatus::Charged && scene.attempts().replace(&read, &refunding).await.unwrap()
        };
        let complete = run(&scene, &interleaving.calls, testkit::event_value("complete-order/ok.json"));
        let (answer, is_going_back) = interleaving.run(complete, decide).await;
        let order = scene.order(&buyer).await;
        if is_going_back {
            assert_eq!((answer, order.status), (error("OrderNotPending"), OrderStatus::Pending));
            assert_eq!(scene.reservation(&buyer).await.unwrap().status, ReservationStatus::Paying);
        } else {
            assert_eq!((answer, order.status), (completed(), OrderStatus::Completed));
        }
        let status = if is_going_back { AttemptStatus::Refunding } else { AttemptStatus::Kept };
        assert_eq!(scene.attempt_status(&buyer, 1).await, Some(status));
    })
    .await;
}

/// Two runs of the task: to the one that hangs the attempt is charged, or kept, by an order that it has read as pending.
#[tokio::test]
async fn two_runs_that_meet_complete_the_order_once() {
    every_interleaving(async |interleaving| {
        let (scene, buyer) = at(Stage::Sold).await;
        let input = || testkit::event_value("complete-order/ok.json");
        let calls = Calls::new();
        let answers = interleaving.run(run(&scene, &interleaving.calls, input()), run(&scene, &calls, input())).await;
        assert_eq!(answers, (completed(), completed()));
        assert_eq!(scene.order(&buyer).await.history.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_task_that_comes_late_completes_nothing() {
    for stage in [
        Stage::Held,
        Stage::Waiting,
        Stage::Declined,
        Stage::PayingAgain,
        Stage::Failed,
        Stage::Refunded,
        Stage::RefundPending,
        Stage::Expired,
    ] {
        let (scene, _) = at(stage).await;
        let before = scene.everything().await;
        assert_eq!(on(&scene, "ok").await, error("OrderNotPending"), "{stage:?}");
        assert_eq!(scene.everything().await, before, "{stage:?}");
    }
}

/// Attempt 1 of an order that is pending with attempt 2 was charged after all: it is not what the order is waiting for.
#[tokio::test]
async fn an_earlier_attempt_does_not_complete_the_order() {
    let (scene, buyer) = at(Stage::PayingAgain).await;
    let declined = scene.attempts().get(&buyer.key(1)).await.unwrap().unwrap();
    let charged = Attempt {
        status: AttemptStatus::Charged,
        reference: Some("late".into()),
        confirmed: Some(buyer.amount()),
        ..declined.clone()
    };
    assert!(scene.attempts().replace(&declined, &charged).await.unwrap());
    let before = scene.everything().await;
    assert_eq!(on(&scene, "ok").await, error("OrderNotPending"));
    assert_eq!(scene.everything().await, before);
}

#[tokio::test]
async fn an_order_whose_reservation_is_gone_is_not_completed() {
    let (scene, buyer) = at(Stage::Sold).await;
    let key = [("pk", format!("SHOPPER#{}", buyer.shopper)), ("sk", "SALE#demo".to_owned())];
    let key = key.map(|(name, text)| (name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(text)));
    let delete = scene.dynamo.client().delete_item().table_name(scene.dynamo.reservation_table());
    delete.set_key(Some(key.into())).send().await.unwrap();
    assert_eq!(on(&scene, "ok").await, error("OrderNotPending"));
    assert_eq!(scene.order(&buyer).await.status, OrderStatus::Pending);
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_is_not_completed() {
    let (scene, _) = at(Stage::Sold).await;
    let before = scene.everything().await;
    assert_eq!(on(&scene, "unknown-order").await, error("OrderNotPending"));
    let mut input = testkit::event_value("complete-order/ok.json");
    input["shopper"] = Buyer::second().shopper.as_str().into();
    assert_eq!(run(&scene, &Calls::new(), input).await, error("OrderNotPending"));
    assert_eq!(scene.everything().await, before);
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    let (scene, _) = at(Stage::Sold).await;
    for event in ["malformed", "missing-shopper", "wrong-type"] {
        assert_eq!(on(&scene, event).await, error("MalformedTask"), "{event}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    for (operation, fault, expected) in [
        ("GetItem", Fault::LostRequest, "StoreUnavailable"),
        ("GetItem", Fault::Denied, "StoreFailed"),
        ("TransactWriteItems", Fault::ServerError, "StoreUnavailable"),
        ("TransactWriteItems", Fault::LostAnswer, "StoreUnavailable"),
        ("TransactWriteItems", Fault::Denied, "StoreFailed"),
    ] {
        let (scene, _) = at(Stage::Sold).await;
        let calls = Calls::new();
        calls.fail_always(operation, fault);
        let input = || testkit::event_value("complete-order/ok.json");
        assert_eq!(run(&scene, &calls, input()).await, error(expected), "{operation} {fault:?}");
        calls.heal();
        assert_eq!(run(&scene, &calls, input()).await, completed(), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn a_completion_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (scene, buyer) = at(Stage::Sold).await;
        let input = || testkit::event_value("complete-order/ok.json");
        let died = run(&scene, calls, input()).await;
        calls.heal();
        assert_eq!(run(&scene, calls, input()).await, completed(), "after {died:?}");
        let order = scene.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::Completed, 2), "after {died:?}");
    })
    .await;
}
