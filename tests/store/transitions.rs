//! Every step that a reservation and its order take together, from every state that both can be in. An allowed step changes
//! both, a refused one changes neither. Two steps also decide about the payment attempt, in every state that one can be in.

use domain::{AttemptStatus, Order, OrderStatus, OrderStep, Reservation, ReservationStatus, Timestamp};
use store::{Advanced, StartOutcome, StoreError};

use crate::shop::{END, NOW, RawItem, Shop, at, id, key, method, order_after, pending_order, reservation, text};

/// The reservation that a step meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// Another reservation of the same shopper in the same sale, held.
    AnotherHeld,
    /// Another reservation of the same shopper in the same sale, being paid.
    AnotherPaying,
    Held,
    /// Held, and its end has come.
    Overdue,
    Paying,
    Purchased,
}

const RESERVATIONS: [Found; 7] =
    [Found::Nothing, Found::AnotherHeld, Found::AnotherPaying, Found::Held, Found::Overdue, Found::Paying, Found::Purchased];

/// Every last step of an order, or every status of a payment attempt, and `None`.
fn or_none<T, const N: usize>(each: [T; N]) -> Vec<Option<T>> {
    [None].into_iter().chain(each.map(Some)).collect()
}

/// The step that a case tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    Start,
    StartAgain,
    PaymentFailed,
    Complete,
    End(OrderStep),
    EndOrder(OrderStep),
}

const TRIES: [Try; 8] = [
    Try::Start,
    Try::StartAgain,
    Try::PaymentFailed,
    Try::Complete,
    Try::End(OrderStep::Failed),
    Try::End(OrderStep::Refunded),
    Try::End(OrderStep::RefundConfirmed),
    Try::EndOrder(OrderStep::RefundFailed),
];

#[derive(Debug, PartialEq, Eq)]
enum Came {
    Done,
    OrderIs(Box<Order>),
    ReservationLost,
    AttemptChanged,
    NoSuchOrder,
}

impl Try {
    fn step(self) -> OrderStep {
        match self {
            Self::Start | Self::StartAgain => OrderStep::PaymentStarted,
            Self::PaymentFailed => OrderStep::PaymentFailed,
            Self::Complete => OrderStep::Completed,
            Self::End(step) | Self::EndOrder(step) => step,
        }
    }

    async fn make(self, shop: &Shop, order: &Order) -> Came {
        let (purchases, now) = (&shop.purchases, at(NOW));
        let advanced = match self {
            Self::Start => return started(purchases.start(order, now).await),
            Self::StartAgain => return started(purchases.start_again(order, &method("sandbox:other"), now).await),
            Self::PaymentFailed => purchases.payment_failed(order, 1, later(), "declined", now).await,
            Self::Complete => purchases.complete(order, 1, "sandbox_1", now).await,
            Self::End(step) => purchases.end(order, 1, step, now).await,
            Self::EndOrder(step) => purchases.end_order(order, 1, step, now).await,
        };
        match advanced {
            Ok(Advanced::Done) => Came::Done,
            Ok(Advanced::OrderIs(order)) => Came::OrderIs(Box::new(order)),
            Ok(Advanced::ReservationLost) => Came::ReservationLost,
            Ok(Advanced::AttemptChanged) => Came::AttemptChanged,
            Err(error) => no_such_order(&error),
        }
    }

    /// Whether the step may start from this order.
    fn suits_order(self, order: Option<&Order>) -> bool {
        match self {
            Self::Start => order.is_none(),
            Self::StartAgain => order.is_some_and(|order| order.status == OrderStatus::AwaitingPayment),
            Self::PaymentFailed | Self::Complete | Self::End(_) | Self::EndOrder(_) => {
                order.is_some_and(|order| order.status == self.step().starts_from())
            }
        }
    }

    /// Whether the step may start from this reservation.
    fn suits_reservation(self, found: Found) -> bool {
        match self {
            Self::Start | Self::StartAgain => found == Found::Held,
            Self::PaymentFailed | Self::Complete | Self::End(_) => found == Found::Paying,
            Self::EndOrder(_) => true,
        }
    }

    /// The attempts that a case of this step meets. Only two steps look at the attempt. Where neither reservation nor order suits
    /// these steps, two attempts represent all.
    fn attempts(self, found: Found, placed: Option<OrderStep>) -> Vec<Option<AttemptStatus>> {
        match self {
            Self::Complete | Self::PaymentFailed if found == Found::Paying || placed == Some(OrderStep::PaymentStarted) => {
                or_none(AttemptStatus::ALL)
            }
            Self::Complete => vec![Some(AttemptStatus::Charged), Some(AttemptStatus::Kept)],
            Self::PaymentFailed => vec![Some(AttemptStatus::Declined), Some(AttemptStatus::GivenUp)],
            Self::Start | Self::StartAgain | Self::End(_) | Self::EndOrder(_) => vec![Some(AttemptStatus::Charged)],
        }
    }

    /// Whether the step may start from this attempt.
    fn suits_attempt(self, attempt: Option<AttemptStatus>) -> bool {
        match self {
            Self::Complete => attempt == Some(AttemptStatus::Charged),
            Self::PaymentFailed => matches!(attempt, Some(AttemptStatus::Declined | AttemptStatus::Unavailable)),
            Self::Start | Self::StartAgain | Self::End(_) | Self::EndOrder(_) => true,
        }
    }

    /// The attempt's status after the step, if the step decides about it.
    fn decides(self) -> Option<&'static str> {
        match self {
            Self::Complete => Some("kept"),
            Self::PaymentFailed => Some("given_up"),
            Self::Start | Self::StartAgain | Self::End(_) | Self::EndOrder(_) => None,
        }
    }

    /// The reservation after the step.
    fn leaves(self, before: Option<Reservation>) -> Option<Reservation> {
        match self {
            Self::Start | Self::StartAgain => before.map(|before| Reservation { status: ReservationStatus::Paying, ..before }),
            Self::PaymentFailed => {
                before.map(|before| Reservation { status: ReservationStatus::Held, expires_at: later(), ..before })
            }
            Self::Complete => before.map(|before| Reservation { status: ReservationStatus::Purchased, ..before }),
            Self::End(_) => None,
            Self::EndOrder(_) => before,
        }
    }
}

fn started(outcome: Result<StartOutcome, StoreError>) -> Came {
    match outcome {
        Ok(StartOutcome::Started) => Came::Done,
        Ok(StartOutcome::OrderIs(order)) => Came::OrderIs(Box::new(order)),
        Ok(StartOutcome::ReservationEnded) => Came::ReservationLost,
        Err(error) => no_such_order(&error),
    }
}

fn no_such_order(error: &StoreError) -> Came {
    assert!(matches!(error, StoreError::Corrupt { why, .. } if why == "there is no such order"), "{error:?}");
    Came::NoSuchOrder
}

/// Until when an order waits after a failed payment.
fn later() -> Timestamp {
    at("12:07:00")
}

fn reservation_found(number: u32, found: Found) -> Option<Reservation> {
    let (held, another) = (reservation(number), id(900_000 + number));
    match found {
        Found::Nothing => None,
        Found::AnotherHeld => Some(Reservation { id: another, ..held }),
        Found::AnotherPaying => Some(Reservation { id: another, status: ReservationStatus::Paying, ..held }),
        Found::Held => Some(held),
        Found::Overdue => Some(Reservation { expires_at: at("12:00:00"), ..held }),
        Found::Paying => Some(Reservation { status: ReservationStatus::Paying, ..held }),
        Found::Purchased => Some(Reservation { status: ReservationStatus::Purchased, ..held }),
    }
}

fn order_found(number: u32, step: OrderStep) -> Order {
    order_after(number, step, u32::from(!matches!(step, OrderStep::Placed | OrderStep::Expired)))
}

async fn all(shop: &Shop, number: u32, order: &Order) -> [Option<RawItem>; 3] {
    let reservation = shop.raw_reservation(&order.shopper, order.product()).await;
    let order = shop.raw(shop.dynamo.order_table(), &format!("ORDER#{}", order.id), "ORDER").await;
    [reservation, order, shop.raw_attempt(&key(number)).await]
}

async fn check(shop: &Shop, number: u32, what: Try, found: Found, placed: Option<OrderStep>, attempt: Option<AttemptStatus>) {
    let case = format!("{what:?} on a reservation {found:?}, an order {placed:?} and an attempt {attempt:?}");
    if let Some(status) = attempt {
        shop.attempt(&key(number), status).await;
    }
    let reservation = reservation_found(number, found);
    if let Some(reservation) = &reservation {
        shop.reservations.open(reservation).await.unwrap();
    }
    let existing = placed.map(|step| order_found(number, step));
    if let Some(order) = &existing {
        shop.orders.place(order).await.unwrap();
    }
    let order = existing.clone().unwrap_or_else(|| pending_order(number));
    let before = all(shop, number, &order).await;

    let outcome = what.make(shop, &order).await;
    let (order_suits, reservation_suits) = (what.suits_order(existing.as_ref()), what.suits_reservation(found));
    let order_ends_alone = matches!(what, Try::End(_)) && !reservation_suits;
    if !order_suits || (!reservation_suits && !order_ends_alone) || !what.suits_attempt(attempt) {
        let expected = match existing {
            Some(order) if !order_suits => Came::OrderIs(Box::new(order)),
            None if !order_suits => Came::NoSuchOrder,
            Some(_) | None if !reservation_suits => Came::ReservationLost,
            Some(_) | None => Came::AttemptChanged,
        };
        assert_eq!(outcome, expected, "{case}");
        assert_eq!(all(shop, number, &order).await, before, "{case} changes nothing");
        return;
    }
    assert_eq!(outcome, Came::Done, "{case}");
    let after = shop.orders.get(&order.id).await.unwrap().unwrap();
    assert_eq!((after.status, after.payment_status, after.stock_status), what.step().leads_to(), "{case}");
    assert_eq!(after.updated_at, at(NOW), "{case}");
    assert_eq!(after.history.last().map(|event| event.event), Some(what.step().into()), "{case}");
    let lines_before = existing.map_or(0, |order| order.history.len());
    assert_eq!(after.history.len(), lines_before + 1, "{case}");
    let left = shop.reservations.get(&order.shopper, order.product()).await.unwrap();
    let expected = if order_ends_alone { reservation } else { what.leaves(reservation) };
    assert_eq!(left, expected, "{case}");
    let attempt = before[2].clone().map(|mut attempt| {
        if let Some(status) = what.decides() {
            attempt.insert("status".to_owned(), text(status));
        }
        attempt
    });

    let done = all(shop, number, &order).await;
    assert_eq!(done[2], attempt, "{case}");
    assert_eq!(what.make(shop, &order).await, Came::OrderIs(Box::new(after)), "{case}, again");
    assert_eq!(all(shop, number, &order).await, done, "{case}, again, changes nothing");
}

#[tokio::test]
async fn a_step_changes_reservation_and_order_together_or_not_at_all_and_once() {
    assert!(at(END) > at(NOW));
    let shop = Shop::open().await;
    let mut number = 0;
    for what in TRIES {
        for found in RESERVATIONS {
            for placed in or_none(OrderStep::ALL) {
                for attempt in what.attempts(found, placed) {
                    number += 1;
                    check(&shop, number, what, found, placed, attempt).await;
                }
            }
        }
    }
}
