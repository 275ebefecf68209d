//! An execution is cut off at any request of the saga: by hand, by its timeout, or by a fault that the saga cannot catch.
//! `reconcile` starts the payment again. The payment reaches the same end with the same charges and refunds.

use domain::{OrderStatus, Timestamp};
use kit::QueueFunction;
use messages::OrderMessage;
use reconcile::Reconcile;
use start_payment::StartPayment;
use test_aws::{Calls, every_crash};
use test_shop::Buyer;

use crate::{end_after_trouble, end_of, machine::Machine, methods, pending};

async fn is_taken_up(method: &str) {
    let (_, expected) = methods().into_iter().find(|(known, _)| *known == method).unwrap();
    every_crash(async |calls| {
        let (shop, buyer) = pending(method).await;
        let first = message(&buyer);
        shop.wire::<StartPayment>(&Calls::new()).handle(first.clone()).await.unwrap();
        let cut_off = Machine::with_calls(&shop, calls).run_until_cut_off(&buyer, 1).await;
        shop.machines.end(&first.execution_name(), if cut_off { "ABORTED" } else { "SUCCEEDED" });
        calls.heal();

        let is_unsettled = shop.order(&buyer).await.status == OrderStatus::Pending;
        let found = shop.wire::<Reconcile>(&Calls::new()).run(Timestamp::MAX).await.unwrap();
        assert_eq!((found.payments_started, found.failed.len()), (usize::from(is_unsettled), 0), "{method}");
        let machine = Machine::new(&shop);
        let restarted = shop.machines.started().get(1).cloned();
        if let Some(restarted) = &restarted {
            assert_eq!(restarted.input, serde_json::to_value(&first).unwrap());
            machine.run(&buyer, 1).await;
        }
        let expected = end_after_trouble(&shop, &buyer, method, expected.clone()).await;
        if restarted.is_some() {
            let end = end_of(&shop, &buyer, 1, &machine).await;
            assert_eq!(end, expected, "{method}: {:?}", machine.path());
        } else {
            // When the execution was cut off, only the message to the shopper was missing.
            let order = shop.order(&buyer).await;
            assert_eq!((order.status, order.payment_status, order.stock_status), expected.order, "{method}");
        }
        assert_eq!(shop.order(&buyer).await.history.len(), 2, "{method}");
        assert_eq!(shop.units(&test_shop::demo()).await, expected.units, "{method}");
    })
    .await;
}

fn message(buyer: &Buyer) -> OrderMessage {
    OrderMessage { order_id: buyer.id.clone(), shopper: buyer.shopper.clone(), attempt: 1 }
}

#[tokio::test]
async fn a_payment_that_completes_is_taken_up_wherever_it_was_cut_off() {
    is_taken_up("sandbox:ok").await;
}

#[tokio::test]
async fn a_payment_whose_answer_is_lost_is_taken_up_wherever_it_was_cut_off() {
    is_taken_up("sandbox:charged-but-answer-lost").await;
}

#[tokio::test]
async fn a_payment_on_the_standby_is_taken_up_wherever_it_was_cut_off() {
    is_taken_up("sandbox:primary-down").await;
}

#[tokio::test]
async fn a_payment_that_is_declined_is_taken_up_wherever_it_was_cut_off() {
    is_taken_up("sandbox:declined").await;
}

#[tokio::test]
async fn a_payment_that_is_undone_is_taken_up_wherever_it_was_cut_off() {
    is_taken_up("sandbox:wrong-amount").await;
}
