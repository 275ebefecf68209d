//! The writes of a purchase's steps, and the limits of time and attempt that they keep.

use domain::{Attempt, AttemptStatus, Order, OrderEvent, OrderStatus, OrderStep, PaymentStatus, Reservation, ReservationStatus};
use store::{Advanced, StartOutcome};

use crate::shop::{
    A_DAY, END, NOW, Shop, at, id, key, key_of, method, order_after, pending_order, product, reservation, shopper, waiting_order,
};

#[tokio::test]
async fn an_order_that_is_paid_at_checkout_is_written_as_it_was_made() {
    let shop = Shop::open().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    assert_eq!(shop.purchases.start(&order, at(NOW)).await.unwrap(), StartOutcome::Started);
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(order));
}

#[tokio::test]
async fn the_history_tells_the_whole_story() {
    let (shop, placed) = Shop::with_waiting_order().await;

    let started_at = at("12:01:00");
    let address = test_shop::address();
    let started = shop.purchases.start_waiting(&placed, &method("sandbox:declined"), Some(&address), started_at).await;
    assert_eq!(started.unwrap(), StartOutcome::Started);
    shop.attempt(&key_of(1, 1), AttemptStatus::Declined).await;
    let (failed_at, pay_by) = (at("12:01:05.5"), at("12:05:00"));
    let failed = shop.purchases.payment_failed(&placed, 1, pay_by, "The card was declined.", failed_at).await;
    assert_eq!(failed.unwrap(), Advanced::Done);
    let waits = shop.orders.get(&id(1)).await.unwrap().unwrap();
    assert_eq!((waits.attempt, waits.status, waits.payment_status), (1, OrderStatus::AwaitingPayment, PaymentStatus::Failed));

    let again_at = at("12:02:00");
    assert_eq!(shop.purchases.start_again(&waits, &method("sandbox:ok"), again_at).await.unwrap(), StartOutcome::Started);
    let charged = shop.attempt(&key_of(1, 2), AttemptStatus::Charged).await;
    let completed_at = at("12:02:03");
    assert_eq!(shop.purchases.complete(&placed, 2, "sandbox_demo-2", completed_at).await.unwrap(), Advanced::Done);

    let event =
        |at, step: OrderStep, reason: Option<&str>| OrderEvent { at, event: step.into(), reason: reason.map(str::to_owned) };
    let (status, payment_status, stock_status) = OrderStep::Completed.leads_to();
    let expected = Order {
        status,
        payment_status,
        stock_status,
        attempt: 2,
        payment_method: Some(method("sandbox:ok")),
        shipping_address: Some(address),
        pay_by,
        transaction_id: Some("sandbox_demo-2".into()),
        updated_at: completed_at,
        sent_at: Some(again_at),
        untold: Some(domain::Notice::OrderCompleted),
        history: vec![
            event(at(NOW), OrderStep::Placed, None),
            event(started_at, OrderStep::PaymentStarted, None),
            event(failed_at, OrderStep::PaymentFailed, Some("The card was declined.")),
            event(again_at, OrderStep::PaymentStarted, None),
            event(completed_at, OrderStep::Completed, None),
        ],
        revision: 5,
        ..placed
    };
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(expected));
    let bought = shop.reservations.get(&shopper(1), &product()).await.unwrap().unwrap();
    assert_eq!(bought, Reservation { status: ReservationStatus::Purchased, ..reservation(1) });
    let kept = Attempt { status: AttemptStatus::Kept, ..charged };
    assert_eq!(shop.attempts.get(&key_of(1, 2)).await.unwrap(), Some(kept), "its charge, and nothing else of it");
}

/// Two callers have read the attempt as charged. One completes the order, the other gives the money back.
#[tokio::test]
async fn what_is_charged_is_kept_or_given_back_by_who_writes_it_down_first() {
    for refund_is_first in [true, false] {
        let shop = Shop::open().await;
        shop.reservations.open(&reservation(1)).await.unwrap();
        let order = pending_order(1);
        shop.purchases.start(&order, at(NOW)).await.unwrap();
        let read = shop.attempt(&key(1), AttemptStatus::Charged).await;
        let refunding = Attempt { status: AttemptStatus::Refunding, ..read.clone() };
        let complete = || shop.purchases.complete(&order, 1, "sandbox_1", at(NOW));
        let (status, attempt) = if refund_is_first {
            assert!(shop.attempts.replace(&read, &refunding).await.unwrap());
            assert_eq!(complete().await.unwrap(), Advanced::AttemptChanged);
            (OrderStatus::Pending, AttemptStatus::Refunding)
        } else {
            assert_eq!(complete().await.unwrap(), Advanced::Done);
            assert!(!shop.attempts.replace(&read, &refunding).await.unwrap());
            (OrderStatus::Completed, AttemptStatus::Kept)
        };
        assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().status, status);
        assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(Attempt { status: attempt, ..read }));
    }
}

#[tokio::test]
async fn an_order_is_completed_by_the_charge_of_its_own_attempt() {
    let (shop, second) = Shop::with_second_attempt().await;
    let late = shop.attempt(&key(1), AttemptStatus::Charged).await;
    assert_eq!(shop.purchases.complete(&second, 2, "sandbox_1", at(NOW)).await.unwrap(), Advanced::AttemptChanged);
    shop.attempt(&key_of(1, 2), AttemptStatus::Charged).await;
    assert_eq!(shop.purchases.complete(&second, 2, "sandbox_1", at(NOW)).await.unwrap(), Advanced::Done);
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(late), "the other attempt can still be given back");
}

#[tokio::test]
async fn a_payment_starts_before_the_end_of_the_hold_only() {
    let shop = Shop::open().await;
    for (number, now, outcome) in [
        (1, "12:04:59.999", StartOutcome::Started),
        (2, END, StartOutcome::ReservationEnded),
        (3, "12:05:00.001", StartOutcome::ReservationEnded),
    ] {
        shop.reservations.open(&reservation(number)).await.unwrap();
        assert_eq!(shop.purchases.start(&pending_order(number), at(now)).await.unwrap(), outcome, "at {now}");

        let (waiting, again) = (waiting_order(number + 10), number + 10);
        shop.reservations.open(&reservation(again)).await.unwrap();
        shop.orders.place(&waiting).await.unwrap();
        assert_eq!(
            shop.purchases.start_again(&waiting, &method("sandbox:ok"), at(now)).await.unwrap(),
            outcome,
            "again, at {now}"
        );
    }
}

#[tokio::test]
async fn a_payment_that_has_started_ends_whatever_the_time() {
    let shop = Shop::open().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    shop.purchases.start(&order, at(NOW)).await.unwrap();
    shop.attempt(&key(1), AttemptStatus::Charged).await;
    let next_day = at("12:00:00") + A_DAY;
    assert_eq!(shop.purchases.complete(&order, 1, "sandbox_1", next_day).await.unwrap(), Advanced::Done);
}

#[tokio::test]
async fn a_step_of_an_attempt_that_is_over_changes_nothing() {
    let (shop, second) = Shop::with_second_attempt().await;
    for attempt in [1, 3] {
        shop.attempt(&key_of(1, attempt), AttemptStatus::Charged).await;
    }
    let before = shop.everything().await;
    let pending = Advanced::OrderIs(second.clone());
    for attempt in [1, 3] {
        assert_eq!(shop.purchases.complete(&second, attempt, "sandbox_1", at(NOW)).await.unwrap(), pending);
        assert_eq!(shop.purchases.payment_failed(&second, attempt, at(END), "late", at(NOW)).await.unwrap(), pending);
        assert_eq!(shop.purchases.end(&second, attempt, OrderStep::Refunded, at(NOW)).await.unwrap(), pending);
        assert_eq!(shop.purchases.end_order(&second, attempt, OrderStep::RefundFailed, at(NOW)).await.unwrap(), pending);
    }
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_payment_starts_from_the_order_as_it_was_read() {
    let shop = Shop::open().await;
    let failed_twice = order_after(1, OrderStep::PaymentFailed, 2);
    shop.reservations.open(&reservation(1)).await.unwrap();
    shop.orders.place(&failed_twice).await.unwrap();
    let before = shop.everything().await;
    let read_earlier = Order { attempt: 1, ..failed_twice.clone() };
    let outcome = shop.purchases.start_again(&read_earlier, &method("sandbox:ok"), at(NOW)).await.unwrap();
    assert_eq!(outcome, StartOutcome::OrderIs(failed_twice));
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_purchase_touches_nobody_elses() {
    let shop = Shop::open().await;
    for number in [1, 2] {
        shop.reservations.open(&reservation(number)).await.unwrap();
        shop.orders.place(&waiting_order(number)).await.unwrap();
    }
    let before = shop.everything().await;
    let mine = waiting_order(1);
    shop.purchases.start_again(&mine, &method("sandbox:ok"), at(NOW)).await.unwrap();
    shop.purchases.end(&mine, 1, OrderStep::Failed, at(NOW)).await.unwrap();
    let after = shop.everything().await;
    assert_eq!((before.len(), after.len()), (4, 3), "my reservation is gone");
    let of_2 = |key: &&String| key.contains("shopper-2") || key.contains(&id(2).to_string());
    assert_eq!(before.keys().filter(of_2).count(), 2);
    for key in before.keys().filter(of_2) {
        assert_eq!(after.get(key), before.get(key), "{key}");
    }
}
