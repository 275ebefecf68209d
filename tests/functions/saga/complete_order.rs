//! `complete-order` on a real DynamoDB engine: it completes an order when exactly the order's amount is charged, once, and with
//! the order's reservation.
#![expect(clippy::unnecessary_wraps, reason = "the helpers of tests say what they expect")]

use complete_order::CompleteOrder;
use domain::{Attempt, AttemptStatus, Money, OrderLine, OrderStatus, OrderStep, PaymentStatus, ReservationStatus, StockStatus};
use serde_json::json;
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Stage};

use super::{
    Answer, at, cannot_read, changes_nothing, cut_off_and_again, error, input, input_of, on, run, tells_how_the_store_fails,
};

fn completed() -> Answer {
    Ok(json!({"transaction_id": format!("sandbox_{}", Buyer::first().key(1))}))
}

#[tokio::test]
async fn a_charged_and_sold_order_is_completed_with_its_reservation_once() {
    let (shop, buyer) = at(Stage::Sold).await;
    shop.clock.advance_seconds(3);
    for _ in 0..3 {
        assert_eq!(on::<CompleteOrder>(&shop, "complete-order/ok").await, completed());
        shop.clock.advance_seconds(3);
    }
    let order = shop.order(&buyer).await;
    let statuses = (order.status, order.payment_status, order.stock_status);
    assert_eq!(statuses, (OrderStatus::Completed, PaymentStatus::Completed, StockStatus::Confirmed));
    assert_eq!(order.transaction_id, Some(format!("sandbox_{}", buyer.key(1))));
    assert_eq!(order.updated_at, "2026-11-01T12:01:03Z".parse().unwrap(), "by the first run");
    let steps: Vec<OrderLine> = order.history.iter().map(|event| event.event).collect();
    assert_eq!(steps, [OrderStep::PaymentStarted, OrderStep::Completed].map(OrderLine::Step));
    assert_eq!(shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Purchased);
    assert_eq!(shop.ttl(&buyer).await, None, "what is bought is not deleted by time");
    assert_eq!(shop.attempt_status(&buyer, 1).await, Some(AttemptStatus::Kept));
}

#[tokio::test]
async fn a_late_hold_is_completed_after_its_end() {
    let (shop, buyer) = at(Stage::Sold).await;
    shop.clock.set("2026-11-01T13:00:00Z");
    assert_eq!(shop.dynamo.sweep_ttl(), 0, "a reservation that is being paid has no end");
    assert_eq!(on::<CompleteOrder>(&shop, "complete-order/ok").await, completed());
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
        changes_nothing::<CompleteOrder>(&shop, input("complete-order/ok"), error("ChargeMismatch"), confirmed).await;
    }
}

#[tokio::test]
async fn an_order_that_is_not_charged_is_not_completed() {
    let is_charged = |status: &AttemptStatus| matches!(status, AttemptStatus::Charged | AttemptStatus::Kept);
    let others = AttemptStatus::ALL.into_iter().filter(|status| !is_charged(status)).map(Some);
    for status in others.chain([None]) {
        let (shop, buyer) = at(Stage::Pending).await;
        if let Some(status) = status {
            shop.attempt(&buyer, 1, "sandbox", status).await;
        }
        changes_nothing::<CompleteOrder>(&shop, input("complete-order/ok"), error("OrderNotPending"), status).await;
    }
}

/// Another task decides to give the money back while this run hangs, also after this run has read the attempt as charged.
#[tokio::test]
async fn money_that_is_on_its_way_back_completes_nothing() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = at(Stage::Sold).await;
        let decide = async {
            let read = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap().unwrap();
            let refunding = Attempt { status: AttemptStatus::Refunding, ..read.clone() };
            read.status == AttemptStatus::Charged && shop.uncounted().attempts().replace(&read, &refunding).await.unwrap()
        };
        let complete = run::<CompleteOrder>(&shop, &interleaving.calls, input("complete-order/ok"));
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

/// Two runs of the task. The one that hangs has read the order as pending, and finds the attempt charged, or kept by the order.
#[tokio::test]
async fn two_runs_that_meet_complete_the_order_once() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = at(Stage::Sold).await;
        let calls = Calls::new();
        let answers = interleaving
            .run(
                run::<CompleteOrder>(&shop, &interleaving.calls, input("complete-order/ok")),
                run::<CompleteOrder>(&shop, &calls, input("complete-order/ok")),
            )
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
        changes_nothing::<CompleteOrder>(&shop, input("complete-order/ok"), error("OrderNotPending"), stage).await;
    }
}

/// Attempt 1 was charged after all, while the order is pending with attempt 2. The order does not wait for this charge.
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
    changes_nothing::<CompleteOrder>(&shop, input("complete-order/ok"), error("OrderNotPending"), "charged after all").await;
}

#[tokio::test]
async fn an_order_whose_reservation_is_gone_is_not_completed() {
    let (shop, buyer) = at(Stage::Sold).await;
    shop.remove_reservation(&buyer).await;
    assert_eq!(on::<CompleteOrder>(&shop, "complete-order/ok").await, error("OrderNotPending"));
    assert_eq!(shop.order(&buyer).await.status, OrderStatus::Pending);
}

#[tokio::test]
async fn an_order_of_nobody_or_of_somebody_else_is_not_completed() {
    let (shop, _) = at(Stage::Sold).await;
    for input in [input("complete-order/unknown-order"), input_of(Buyer::second().shopper.as_str(), "complete-order/ok")] {
        changes_nothing::<CompleteOrder>(&shop, input.clone(), error("OrderNotPending"), input).await;
    }
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed() {
    let events = ["complete-order/malformed", "complete-order/missing-shopper", "complete-order/wrong-type"];
    cannot_read::<CompleteOrder>(&at(Stage::Sold).await.0, &events).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_tried_again_and_one_that_refuses_is_not() {
    let operations = ["GetItem", "TransactWriteItems"];
    tells_how_the_store_fails::<CompleteOrder>((Stage::Sold, "complete-order/ok"), &operations, completed()).await;
}

#[tokio::test]
async fn a_completion_that_was_cut_off_is_made_once() {
    every_crash(async |calls| {
        let (shop, buyer) = at(Stage::Sold).await;
        let (died, again) = cut_off_and_again::<CompleteOrder>(&shop, calls, "complete-order/ok").await;
        assert_eq!(again, completed(), "after {died:?}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::Completed, 2), "after {died:?}");
    })
    .await;
}
