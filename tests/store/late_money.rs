//! Late money takes one of two decisions, once: it pays for units that were claimed again, or it goes back. Each is one transaction.

use domain::{
    Attempt, AttemptStatus, LateMoney, Notice, Order, OrderEvent, OrderLine, OrderStatus, OrderStep, PaymentStatus,
    ReleaseOutcome, Reservation, ReservationStatus, SignedDuration, StockStatus,
};
use store::Advanced;

use crate::{
    cost::{cost, writes},
    shop::{END, SHARD, Shop, at, hold, id, key, key_of, order_after, product, reservation, shopper},
};

/// The reservation of units that were claimed again.
fn again() -> Reservation {
    Reservation { status: ReservationStatus::Paying, created_at: at("12:06:00"), expires_at: at("12:11:00"), ..reservation(1) }
}

/// An order after this step, whose first attempt was given up. Its shopper has no reservation.
async fn ended(step: OrderStep) -> (Shop, Order, Attempt) {
    let shop = Shop::open().await;
    let order = Order { untold: Some(Notice::PaymentFailed), ..order_after(1, step, 1) };
    shop.orders.place(&order).await.unwrap();
    let attempt = shop.attempt(&key(1), AttemptStatus::GivenUp).await;
    (shop, order, attempt)
}

#[tokio::test]
async fn late_money_starts_the_next_attempt_of_an_expired_order_and_of_no_other() {
    for step in OrderStep::ALL {
        let (shop, order, attempt) = ended(step).await;
        let started = shop.purchases.start_late(&order, &again(), &attempt, at("12:06:00")).await.unwrap();
        assert_eq!(started, order.status == OrderStatus::Expired, "{step:?}");
        let (after, first) =
            (shop.orders.get(&id(1)).await.unwrap().unwrap(), shop.attempts.get(&key(1)).await.unwrap().unwrap());
        let (second, held) =
            (shop.attempts.get(&key_of(1, 2)).await.unwrap(), shop.reservations.get(&shopper(1), &product()).await.unwrap());
        if !started {
            assert_eq!((after, first, second, held), (order, attempt, None, None), "{step:?}");
            continue;
        }
        let mut expected = Order {
            status: OrderStatus::Pending,
            payment_status: PaymentStatus::Pending,
            stock_status: StockStatus::Confirmed,
            attempt: 2,
            pay_by: again().expires_at,
            updated_at: at("12:06:00"),
            sent_at: Some(at("12:06:00")),
            untold: None,
            revision: order.revision + 1,
            ..order
        };
        expected.history.push(OrderEvent { at: at("12:06:00"), event: OrderStep::PaidLate.into(), reason: None });
        assert_eq!((after, held), (expected, Some(again())));
        assert_eq!(first, Attempt { late_money: Some(LateMoney::PaysBy(2)), ..attempt.clone() });
        assert_eq!(second, Some(attempt.paid_late_by(2)));
        let unsettled = shop.orders.unsettled(&product(), at("12:06:00"), None).await.unwrap().orders;
        assert_eq!(unsettled.first().map(|order| order.since), Some(at("12:06:00")), "`reconcile` finds it");
    }
}

/// The removal of the first hold may be told late, or again.
#[tokio::test]
async fn the_end_of_the_first_hold_does_not_expire_an_order_that_waits_with_its_second() {
    let (shop, order, attempt) = ended(OrderStep::Expired).await;
    assert!(shop.purchases.start_late(&order, &again(), &attempt, at("12:06:00")).await.unwrap());
    shop.attempt(&key_of(1, 2), AttemptStatus::Declined).await;
    let (pending, second_end) = (shop.orders.get(&id(1)).await.unwrap().unwrap(), again().expires_at);
    let failed = shop.purchases.payment_failed(&pending, 2, second_end, "The payment was cancelled.", at("12:07:00")).await;
    assert_eq!(failed.unwrap(), Advanced::Done);
    let waiting = shop.orders.get(&id(1)).await.unwrap().unwrap();
    assert!(!shop.orders.expire(&id(1), Some(order.pay_by), at("12:07:01")).await.unwrap());
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(waiting));
    assert!(shop.orders.expire(&id(1), Some(second_end), at("12:11:01")).await.unwrap(), "its own end expires it");
}

#[tokio::test]
async fn late_money_is_decided_about_once() {
    for goes_back_first in [true, false] {
        let (shop, order, attempt) = ended(OrderStep::Expired).await;
        let back = async || shop.purchases.return_late_money(&order, &attempt, at("12:06:00")).await.unwrap();
        let start = async || shop.purchases.start_late(&order, &again(), &attempt, at("12:06:00")).await.unwrap();
        if goes_back_first {
            assert_eq!((back().await, back().await, start().await), (true, false, false));
            let mut told = order.clone();
            told.history.push(OrderEvent { at: at("12:06:00"), event: OrderLine::LateMoneyReturned, reason: None });
            told.revision += 1;
            assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(told), "told once, and nothing else changes");
        } else {
            assert_eq!((start().await, start().await, back().await), (true, false, false));
            assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().history.len(), 2);
        }
    }
}

#[tokio::test]
async fn nothing_is_decided_about_an_attempt_that_has_changed_or_for_a_shopper_with_another_reservation() {
    let (shop, order, attempt) = ended(OrderStep::Expired).await;
    let read = Attempt { status: AttemptStatus::Declined, ..attempt.clone() };
    assert!(!shop.purchases.return_late_money(&order, &read, at("12:06:00")).await.unwrap());
    assert!(!shop.purchases.start_late(&order, &again(), &read, at("12:06:00")).await.unwrap());
    shop.reservations.open(&Reservation { id: id(2), ..reservation(1) }).await.unwrap();
    assert!(!shop.purchases.start_late(&order, &again(), &attempt, at("12:06:00")).await.unwrap());
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(order));
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(attempt));
}

#[tokio::test]
async fn each_decision_is_one_transaction() {
    let (shop, order, attempt) = ended(OrderStep::Expired).await;
    assert_eq!(cost(&shop, shop.purchases.return_late_money(&order, &attempt, at("12:06:00"))).await, writes(1, 5.0));
    let (shop, order, attempt) = ended(OrderStep::Expired).await;
    let start = cost(&shop, shop.purchases.start_late(&order, &again(), &attempt, at("12:06:00"))).await;
    assert_eq!(start, writes(1, 11.0), "three indexes contain the order");
}

/// The first hold ends at [`END`]. Units that are claimed again under its reservation are held until later.
#[tokio::test]
async fn the_release_of_a_hold_that_has_ended_leaves_a_later_claim_alone() {
    let shop = Shop::with_units(3).await;
    for (seconds, released) in [(-1, ReleaseOutcome::Released), (0, ReleaseOutcome::Released), (1, ReleaseOutcome::NotHeld)] {
        let hold = domain::Hold { expires_at: at(END) + SignedDuration::from_secs(seconds), ..hold(1, 2) };
        assert_eq!(shop.stock.claim(SHARD, &shopper(1), &hold).await.unwrap(), domain::ClaimOutcome::Claimed);
        let mut shard = shop.shard().await;
        assert_eq!(shop.stock.release_ended(SHARD, &shopper(1), &id(1), at(END)).await.unwrap(), released, "{seconds}");
        assert_eq!(shard.release_ended(&shopper(1), &id(1), at(END)), released, "{seconds}");
        assert_eq!(shop.shard().await, shard, "{seconds}");
    }
    let another = shop.stock.release_ended(SHARD, &shopper(1), &id(2), at("12:59:00")).await.unwrap();
    assert_eq!(another, ReleaseOutcome::NotHeld);
    assert_eq!(cost(&shop, shop.stock.release_ended(SHARD, &shopper(1), &id(1), at("12:59:00"))).await, writes(1, 1.0));
}
