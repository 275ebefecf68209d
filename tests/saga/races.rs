//! Two executions for one attempt: a run hangs before any of its requests while another one runs to its end. In every
//! interleaving, a bought unit is paid for, and refunded money has bought nothing.

use domain::{OrderStatus, PaymentStatus, ReservationStatus};
use serde_json::json;
use test_aws::every_interleaving;
use test_shop::{Buyer, Shop, Stage, demo};

use crate::{end_after_trouble, machine::Machine, methods, pending};

/// Checks that money, units and reservation agree with the order's current status.
async fn check(shop: &Shop, buyer: &Buyer, case: &str) {
    let order = shop.order(buyer).await;
    let (first, standby) = (shop.money(buyer, 1, "sandbox").await, shop.money(buyer, 1, "sandbox-standby").await);
    let (charges, refunds) = (first.0 + standby.0, first.1 + standby.1);
    assert!(charges <= 1 && refunds <= charges, "{case}: {first:?} {standby:?}");
    let reservation = shop.reservation(buyer).await.map(|reservation| reservation.status);
    let case = format!("{case}: an order {:?} {:?}, charged {charges}, refunded {refunds}", order.status, order.payment_status);
    match order.status {
        OrderStatus::Completed => {
            assert_eq!(charges - refunds, 1, "{case}");
            assert_eq!((reservation, shop.units(&demo()).await), (Some(ReservationStatus::Purchased), (99, 0, 1)), "{case}");
        }
        OrderStatus::Failed if order.payment_status == PaymentStatus::RefundPending => {}
        OrderStatus::Refunded | OrderStatus::Failed => {
            assert_eq!((charges, reservation, shop.units(&demo()).await), (refunds, None, (100, 0, 0)), "{case}");
        }
        OrderStatus::AwaitingPayment => {
            assert_eq!(charges, refunds, "{case}");
            assert_eq!((reservation, shop.units(&demo()).await), (Some(ReservationStatus::Held), (99, 1, 0)), "{case}");
        }
        OrderStatus::Expired => assert_eq!(charges, refunds, "{case}"),
        // The payment is under way: no task has recorded yet whether the order is paid.
        OrderStatus::Pending => {}
    }
}

/// Runs two tasks, `hung` and `other`, for the attempt of a purchase at `stage`, in every interleaving. Then a person starts one
/// more execution.
async fn meet(stage: Stage, method: &str, hung: &str, other: &str) {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = (Shop::open().await, Buyer::first().paying(method));
        shop.bring(&buyer, stage).await;
        let (hangs, runs) = (Machine::with_calls(&shop, &interleaving.calls), Machine::new(&shop));
        let input = || json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": 1});
        let answers = interleaving.run(Box::pin(hangs.run_task(hung, input())), Box::pin(runs.run_task(other, input()))).await;
        let case = format!("{method}: {hung} hangs, {other} runs: {answers:?}");
        check(&shop, &buyer, &case).await;
        runs.run(&buyer, 1).await;
        check(&shop, &buyer, &format!("{case}, then {:?}", runs.path())).await;
        assert_ne!(shop.order(&buyer).await.status, OrderStatus::Pending, "{case}, then {:?}", runs.path());
    })
    .await;
}

#[tokio::test]
async fn money_that_went_back_completes_no_order() {
    meet(Stage::Sold, "sandbox:ok", "complete-order", "refund-payment").await;
}

#[tokio::test]
async fn a_completed_order_keeps_its_money() {
    meet(Stage::Sold, "sandbox:ok", "refund-payment", "complete-order").await;
}

#[tokio::test]
async fn a_charge_and_a_refund_that_meet_keep_nothing() {
    for method in [
        "sandbox:ok",
        "sandbox:timeout-then-ok",
        "sandbox:charged-but-answer-lost",
        "sandbox:primary-down",
        "sandbox:down-at-first",
    ] {
        meet(Stage::Pending, method, "charge-payment", "refund-payment").await;
        meet(Stage::Pending, method, "refund-payment", "charge-payment").await;
    }
}

#[tokio::test]
async fn two_executions_that_meet_end_as_one() {
    for (method, expected) in methods() {
        every_interleaving(async |interleaving| {
            let (shop, buyer) = pending(method).await;
            let (hangs, runs) = (Machine::with_calls(&shop, &interleaving.calls), Machine::new(&shop));
            interleaving.run(hangs.run(&buyer, 1), runs.run(&buyer, 1)).await;
            let case = format!("{method}: {:?} hangs, {:?} runs", hangs.path(), runs.path());
            check(&shop, &buyer, &case).await;
            let (order, expected) = (shop.order(&buyer).await, end_after_trouble(&shop, &buyer, method, expected.clone()).await);
            assert_eq!((order.status, order.payment_status, order.stock_status), expected.order, "{case}");
        })
        .await;
    }
}

/// A person undoes the attempt while its saga hangs, or the saga runs while the undoing hangs.
#[tokio::test]
async fn an_execution_and_its_undoing_that_meet_end_as_one_of_them() {
    for method in [
        "sandbox:ok",
        "sandbox:declined",
        "sandbox:down",
        "sandbox:down-at-first",
        "sandbox:charged-but-answer-lost",
        "sandbox:wrong-amount",
    ] {
        for saga_hangs in [true, false] {
            every_interleaving(async |interleaving| {
                let (shop, buyer) = pending(method).await;
                let (hangs, runs) = (Machine::with_calls(&shop, &interleaving.calls), Machine::new(&shop));
                if saga_hangs {
                    interleaving.run(hangs.run(&buyer, 1), runs.run_only_the_undoing(&buyer)).await;
                } else {
                    interleaving.run(hangs.run_only_the_undoing(&buyer), runs.run(&buyer, 1)).await;
                }
                let case = format!("{method}: {:?} hangs, {:?} runs", hangs.path(), runs.path());
                check(&shop, &buyer, &case).await;
                assert_ne!(shop.order(&buyer).await.status, OrderStatus::Pending, "{case}");
            })
            .await;
        }
    }
}

/// A person restarts or undoes the first attempt while the second attempt hangs before any of its requests.
#[tokio::test]
async fn the_first_attempt_takes_nothing_from_the_second() {
    for undoes in [true, false] {
        every_interleaving(async |interleaving| {
            let (shop, buyer) = (Shop::open().await, Buyer::first());
            shop.bring(&buyer, Stage::PayingAgain).await;
            let (hangs, runs) = (Machine::with_calls(&shop, &interleaving.calls), Machine::new(&shop));
            if undoes {
                interleaving.run(hangs.run(&buyer, 2), runs.run_only_the_undoing(&buyer)).await;
            } else {
                interleaving.run(hangs.run(&buyer, 2), runs.run(&buyer, 1)).await;
            }
            let case = format!("{:?} hangs, {:?} runs", hangs.path(), runs.path());
            let (order, reservation) = (shop.order(&buyer).await, shop.reservation(&buyer).await.unwrap());
            assert_eq!((order.status, order.attempt), (OrderStatus::Completed, 2), "{case}");
            assert_eq!(shop.money(&buyer, 2, "sandbox").await, (1, 0), "{case}");
            assert_eq!(reservation.status, ReservationStatus::Purchased, "{case}");
            assert_eq!(shop.units(&demo()).await, (99, 0, 1), "{case}");
            assert_eq!(runs.told(), Vec::<&str>::new(), "{case}: the shopper is not told of a failure");
        })
        .await;
    }
}
