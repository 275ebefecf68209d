//! How the saga ends with each payment method: alone, with every task run twice, and on the second attempt.

use domain::{OrderLine, OrderStatus, OrderStep};
use test_shop::{Buyer, Shop, Stage};

use crate::{COMPLETED, REFUNDED, WAITS, end_of, machine::Machine, methods, pending};

#[tokio::test]
async fn every_payment_method_has_its_end() {
    for (method, expected) in methods() {
        let (shop, buyer) = pending(method).await;
        let machine = Machine::new(&shop);
        machine.run(&buyer, 1).await;
        assert_eq!(end_of(&shop, &buyer, 1, &machine).await, expected, "{method}: {:?}", machine.path());
        assert_eq!(shop.topic.published().len(), 1, "{method}");
    }
}

#[tokio::test]
async fn every_task_run_twice_comes_to_the_same_end() {
    for (method, expected) in methods() {
        let (shop, buyer) = pending(method).await;
        let machine = Machine::new(&shop).twice();
        machine.run(&buyer, 1).await;
        assert_eq!(end_of(&shop, &buyer, 1, &machine).await, expected, "{method}: {:?}", machine.path());
        assert_eq!(shop.order(&buyer).await.history.len(), 2, "{method}");
    }
}

#[tokio::test]
async fn the_steps_are_those_of_the_state_machine() {
    let sold = ["Charge", "WhatCameOfTheCharge", "SellStock", "CapturePayment"];
    let completed = [&sold[..], &["CompleteOrder", "NotifyCompleted", "OrderCompleted"]].concat();
    let undone = ["Refund", "TakeBackStock", "FailOrder", "NotifyFailed", "OrderFailed"];
    let waits = ["PaymentFailed", "NotifyPaymentFailed", "WaitingForAnotherMethod"];
    let charge = ["Charge", "WhatCameOfTheCharge"];
    for (method, path) in [
        ("sandbox:ok", completed.clone()),
        ("sandbox:charged-at-once", completed.clone()),
        ("sandbox:capture-refused", [&sold[..], &undone].concat()),
        ("sandbox:primary-down", [&charge[..], &completed].concat()),
        ("sandbox:declined", [&charge[..], &waits].concat()),
        ("sandbox:down", [&charge[..], &charge, &waits].concat()),
        ("sandbox:wrong-amount", [&sold[..], &["CompleteOrder"], &undone].concat()),
    ] {
        let (shop, buyer) = pending(method).await;
        let machine = Machine::new(&shop);
        machine.run(&buyer, 1).await;
        assert_eq!(machine.path(), path, "{method}");
    }
}

#[tokio::test]
async fn the_shopper_reads_in_the_order_why_a_payment_failed() {
    let nobody_up = "No payment gateway is available right now.";
    for (method, reason) in [("sandbox:declined", "The card was declined."), ("sandbox:down", nobody_up)] {
        let (shop, buyer) = pending(method).await;
        Machine::new(&shop).run(&buyer, 1).await;
        assert_eq!(shop.order(&buyer).await.history.last().unwrap().reason.as_deref(), Some(reason), "{method}");
    }
}

/// Each attempt has its own key, attempt item and books.
#[tokio::test]
async fn after_a_decline_another_method_pays() {
    for (method, expected) in methods() {
        let shop = Shop::open().await;
        let buyer = Buyer::first().paying("sandbox:declined");
        shop.bring(&buyer, Stage::Pending).await;
        let machine = Machine::new(&shop);
        machine.run(&buyer, 1).await;
        assert_eq!(end_of(&shop, &buyer, 1, &machine).await, WAITS);
        let waiting = shop.order(&buyer).await;
        shop.uncounted().purchases().start_again(&waiting, &method.parse().unwrap(), shop.now()).await.unwrap();
        machine.run(&buyer, 2).await;
        assert_eq!(end_of(&shop, &buyer, 2, &machine).await, expected, "{method}");
        assert_eq!(shop.money(&buyer, 1, "sandbox").await, (0, 0), "{method}");
    }
}

/// Nobody is told to try another method when there is no time left for it.
#[tokio::test]
async fn a_payment_that_fails_after_the_latest_end_of_its_hold_ends_the_order() {
    let latest_end = "2026-11-01T12:05:00Z";
    for (now, status, message) in [
        ("2026-11-01T12:04:59Z", OrderStatus::AwaitingPayment, "payment-failed"),
        (latest_end, OrderStatus::Expired, "order-failed"),
    ] {
        let shop = Shop::open().await;
        let buyer = Buyer { latest_end: latest_end.parse().ok(), ..Buyer::first().paying("sandbox:declined") };
        shop.bring(&buyer, Stage::Pending).await;
        shop.clock.set(now);
        Machine::new(&shop).run(&buyer, 1).await;
        assert_eq!(shop.order(&buyer).await.statuses(shop.now()).0, status, "{now}");
        let published = shop.topic.published();
        assert!(published.len() == 1 && published[0].message.contains(message), "{now}: {published:?}");
    }
}

#[tokio::test]
async fn all_units_of_an_order_are_sold_or_come_back() {
    let shop = Shop::open().await;
    let (two, other) = (Buyer::second(), Buyer::first().paying("sandbox:wrong-amount"));
    shop.bring(&two, Stage::Pending).await;
    shop.bring(&other, Stage::Pending).await;
    let (machine, undone) = (Machine::new(&shop), Machine::new(&shop));
    tokio::join!(machine.run(&two, 1), undone.run(&other, 1));
    let (sold, back) = (end_of(&shop, &two, 1, &machine).await, end_of(&shop, &other, 1, &undone).await);
    assert_eq!((sold.state, sold.units), (COMPLETED.state, (98, 0, 2)));
    assert_eq!((back.state, back.units), (REFUNDED.state, (98, 0, 2)));
    let steps = |order: domain::Order| order.history.into_iter().map(|event| event.event).collect::<Vec<_>>();
    assert_eq!(steps(shop.order(&two).await), [OrderStep::PaymentStarted, OrderStep::Completed].map(OrderLine::Step));
    assert_eq!(steps(shop.order(&other).await), [OrderStep::PaymentStarted, OrderStep::Refunded].map(OrderLine::Step));
}
