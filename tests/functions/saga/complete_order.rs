//! `complete-order` on a real DynamoDB engine: an order is completed when exactly its amount is charged, once, and with its
//! reservation.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use complete_order::CompleteOrder;
use domain::{Attempt, AttemptStatus, Money, OrderStatus, OrderStep, PaymentStatus, ReservationStatus, StockStatus};
use serde_json::json;
use test_aws::{Calls, Fault, every_crash, every_interleaving};
use test_shop::{Buyer, Shop, Stage};

use super::{Answer, at, error, run};

async fn on(shop: &Shop, event: &str) -> Answer {
    run::<CompleteOrder>(shop, &Calls::new(), test_aws::event_value(&format!("complete-order/{event}.json"))).await
}

fn completed() -> Answer {
    Ok(json!({"transaction_id": format!("sandbox_{}", Buyer::first().key(1))}))
}

#[tokio::test]
async fn a_charged_and_sold_order_is_completed_with_its_reservation_once() {
    let (shop, buyer) = at(Stage::Sold).await;
    shop.clock.advance_seconds(3);
    for _ in 0..3 {
        assert_eq!(on(&shop, "ok").await, completed());
        shop.clock.advance_seconds(3);
    }
    let order = shop.order(&buyer).await;
    let statuses = (order.status, order.payment_status, order.stock_status);
    assert_eq!(statuses, (OrderStatus::Completed, PaymentStatus::Completed, StockStatus::Confirmed));
    assert_eq!(order.transaction_id, Some(format!("sandbox_{}", buyer.key(1))));
    assert_eq!(order.updated_at, "2026-11-01T12:01:03Z".parse().unwrap(), "by the first run");
    let steps: Vec<OrderStep> = order.history.iter().map(|event| event.event).collect();
    assert_eq!(steps, [OrderStep::PaymentStarted, OrderStep::Completed]);
    assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Purchased);
    assert_eq!(shop.ttl(&buyer).await, None, "what is bought is not deleted by time");
    assert_eq!(shop.attempt_status(&buyer, 1).await, Some(AttemptStatus::Kept));
}

#[tokio::test]
async fn a_late_hold_is_completed_after_its_end() {
    let (shop, buyer) = at(Stage::Sold).await;
    shop.clock.set("2026-11-01T13:00:00Z");
    assert_eq!(shop.dynamo.sweep_ttl(), 0, "a reservation that is being paid has no end");
    assert_eq!(on(&shop, "ok").await, completed());
    assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Purchased);
}

#[tokio::test]
async fn another_amount_than_the_orders_is_a_mismatch() {
    let usd = |amount| Some(Money::new(amount, "USD".parse().unwrap()).unwrap());
    let euros = Some(Money::new(99_900, "EUR".parse().unwrap()).unwrap());
    for confirmed in [usd(99_899), usd(99_901), usd(1), euros, None] {
        let (shop, buyer) = at(Stage::Sold).await;
        let attempt = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap().unwrap();
        assert!(shop.uncounted().attempts().replace(&attempt, &Attempt { confirmed, ..attempt.clone() }).await.unwrap());
        let before = shop.everything().await;
        for _ in 0..2 {
            assert_eq!(on(&shop, "ok").await, error("ChargeMismatch"), "{confirmed:?}");
        }
        assert_eq!(shop.everything().await, before, "{confirmed:?}");
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
        let (shop, buyer) = at(Stage::Pending).await;
        if let Some(status) = status {
            shop.attempt(&buyer, 1, "sandbox", status).await;
        }
        let before = shop.everything().await;
        assert_eq!(on(&shop, "ok").await, error("OrderNotPending"), "{status:?}");
        assert_eq!(shop.everything().await, before, "{status:?}");
    }
}

/// Somebody decides to give the money back while this run hangs, also after it has read the attempt as charged.
#[tokio::test]
async fn money_that_is_on_its_way_back_completes_nothing() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = at(Stage::Sold).await;
        let decide = async {
            let read = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap().unwrap();
            let refunding = Attempt { status: AttemptStatus::Refunding, ..read.clone() };
            read.status == AttemptStatus::Charged && shop.uncounted().attempts().replace(&read, &refunding).await.unwrap()
        };
        let complete = run::<CompleteOrder>(&shop, &interleaving.calls, test_aws::event_value("complete-order/ok.json"));
        let (answer, is_going_back) = interleaving.run(complete, decide).await;
        let order = shop.order(&buyer).await;
        if is_going_back {
            assert_eq!((answer, order.status), (error("OrderNotPending"), OrderStatus::Pending));
            assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Paying);
        } else {
            assert_eq!((answer, order.status), (completed(), OrderStatus::Completed));
        }
        let status = if is_going_back { AttemptStatus::Refunding } else { AttemptStatus::Kept };
        assert_eq!(shop.attempt_status(&buyer, 1).await, Some(status));
    })
    .await;
}

/// Two runs of the task: to the one that hangs the attempt is charged, or kept, by an order that it has read as pending.
#[tokio::test]
async fn two_runs_that_meet_complete_the_order_once() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = at(Stage::Sold).await;
        let input = || test_aws::event_value("complete-order/ok.json");
        let calls = Calls::new();
        let answers = interleaving
            .run(run::<CompleteOrder>(&shop, &interleaving.calls, input()), run::<CompleteOrder>(&shop, &calls, input()))
            .await;
        assert_eq!(answers, (completed(), completed()));
        assert_eq!(shop.order(&buyer).await.history.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_task_that_comes_late_completes_nothing() {
    for stage in [
        Stage::Held,
        Stage::Waiting,
        Stage::WaitingAgain,
        Stage::PayingAgain,
        Stage::Failed,
        Stage::Refunded,
        Stage::RefundPending,
        Stage::Expired,
    ] {
        let (shop, _) = at(stage).await;
        let before = shop.everything().await;
        assert_eq!(on(&shop, "ok").await, error("OrderNotPending"), "{stage:?}");
        assert_eq!(shop.everything().await, before, "{stage:?}");
    }
}

/// Attempt 1 of an order that is pending with attempt 2 was charged after all: it is not what the order is waiting for.
#[tokio::test]
async fn an_earlier_attempt_does_not_complete_the_order() {
    let (shop, buyer) = at(Stage::PayingAgain).await;
    let declined = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap().unwrap();
    let charged = Attempt {
        status: AttemptStatus::Charged,
        reference: Some("late".into()),
        confirmed: Some(buyer.amount()),
        ..declined.clone()
    };
    assert!(shop.uncounted().attempts().replace(&declined, &charged).await.unwrap());
    let before = shop.everything().await;
    assert_eq!(on(&shop, "ok").await, error("OrderNotPending"));
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn an_order_whose_reservation_is_gone_is_not_completed() {
    let (shop, buyer) = at(Stage::Sold).await;
    let key = [("pk", format!("SHOPPER#{}", buyer.shopper)), ("sk", "SALE#demo".to_owned())];
    let key = key.map(|(name, text)| (name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(text)));
    let delete = shop.dynamo.client().delete_item().table_name(shop.dynamo.reservation_table());
    delete.set_key(Some(key.into())).send().await.unwrap();
    assert_eq!(on(&shop, "ok").await, error("OrderNotPending"));
    assert_eq!(shop.order(&buyer).await.status, OrderStatus::Pending);
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_is_not_completed() {
    let (shop, _) = at(Stage::Sold).await;
    let before = shop.everything().await;
    assert_eq!(on(&shop, "unknown-order").await, error("OrderNotPending"));
    let mut input = test_aws::event_value("complete-order/ok.json");
    input["shopper"] = Buyer::second().shopper.as_str().into();
    assert_eq!(run::<CompleteOrder>(&shop, &Calls::new(), input).await, error("OrderNotPending"));
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    let (shop, _) = at(Stage::Sold).await;
    for event in ["malformed", "missing-shopper", "wrong-type"] {
        assert_eq!(on(&shop, event).await, error("MalformedTask"), "{event}");
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
        let (shop, _) = at(Stage::Sold).await;
        let calls = Calls::new();
        calls.fail_always(operation, fault);
        let input = || test_aws::event_value("complete-order/ok.json");
        assert_eq!(run::<CompleteOrder>(&shop, &calls, input()).await, error(expected), "{operation} {fault:?}");
        calls.heal();
        assert_eq!(run::<CompleteOrder>(&shop, &calls, input()).await, completed(), "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn a_completion_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (shop, buyer) = at(Stage::Sold).await;
        let input = || test_aws::event_value("complete-order/ok.json");
        let died = run::<CompleteOrder>(&shop, calls, input()).await;
        calls.heal();
        assert_eq!(run::<CompleteOrder>(&shop, calls, input()).await, completed(), "after {died:?}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::Completed, 2), "after {died:?}");
    })
    .await;
}
