//! The steps that change a reservation and its order together: the transactions of `shared/store/src/purchases.rs`,
//! each all or nothing, with the same conditions.

use domain::{AttemptStatus, OrderStep, ReservationStatus};

use crate::{
    Bug,
    world::{Launch, Nth, Order, Reservation, Who, World},
};

/// Whether an order may take `step`: the condition of `store::orders::OrderChange`. With `attempt`: only in this attempt.
fn may(order: &Order, step: OrderStep, attempt: Option<Nth>) -> bool {
    order.status == step.starts_from() && attempt.is_none_or(|attempt| order.attempt == attempt)
}

/// `Purchases::start`: starts the payment of a held reservation and its new order.
pub(crate) fn start(world: &mut World, who: Who, nth: Nth) {
    if world.order(who, nth).is_none() && pays(world, who, nth) {
        world.shoppers[who].orders[nth] = Some(Order::started());
    }
}

/// `Purchases::start_again`: starts the payment of a held reservation and its waiting order again, after the first attempt.
/// Returns whether it did.
pub(crate) fn start_again(world: &mut World, who: Who, nth: Nth, bug: Option<Bug>) -> bool {
    let attempt = (bug != Some(Bug::PaymentStartsWithoutItsNumber)).then_some(Nth::First);
    let Some(order) = world.order(who, nth) else { return false };
    if !may(&order, OrderStep::PaymentStarted, attempt) || !pays(world, who, nth) {
        return false;
    }
    let mut order = Order { attempt: Nth::Second, payments: order.payments + 1, ..order };
    order.take(OrderStep::PaymentStarted);
    order.attempts[Nth::Second].launch = Launch::Sending;
    world.shoppers[who].orders[nth] = Some(order);
    true
}

/// The reservation's part in the start of a payment. Returns whether the reservation was held and in time.
fn pays(world: &mut World, who: Who, nth: Nth) -> bool {
    match &mut world.shoppers[who].reservation {
        Some(found) if found.nth == nth && found.status == ReservationStatus::Held && !found.is_overdue() => {
            found.status = ReservationStatus::Paying;
            found.time_is_over = true;
            true
        }
        Some(_) | None => false,
    }
}

/// `FailOrder::hand_back`: the order waits again, its reservation is held again and its attempt is given up
/// (`Purchases::payment_failed`). Without a reservation the order has nothing to wait for, and ends
/// (`Purchases::end_order`).
pub(crate) fn hand_back(world: &mut World, who: Who, nth: Nth, attempt: Nth, bug: Option<Bug>) {
    let shopper = &mut world.shoppers[who];
    let Some(order) = &mut shopper.orders[nth] else { return };
    let Some(reservation) = shopper.reservation.as_mut().filter(|found| found.nth == nth) else {
        return end_order(order, attempt, OrderStep::Failed);
    };
    let has_failed = matches!(order.attempts[attempt].status, Some(AttemptStatus::Declined | AttemptStatus::Unavailable));
    let is_looked_at = bug != Some(Bug::PaymentFailsWithoutItsAttempt);
    if reservation.status == ReservationStatus::Paying
        && may(order, OrderStep::PaymentFailed, Some(attempt))
        && (has_failed || !is_looked_at)
    {
        order.take(OrderStep::PaymentFailed);
        if has_failed {
            order.attempts[attempt].status = Some(AttemptStatus::GivenUp);
        }
        reservation.time_is_over = reservation.time_is_over_after_failed_payment();
        reservation.status = ReservationStatus::Held;
    }
}

/// `Purchases::complete`: completes the order, purchases its reservation and keeps its charge. Returns whether it did.
pub(crate) fn complete(world: &mut World, who: Who, nth: Nth, attempt: Nth, bug: Option<Bug>) -> bool {
    let shopper = &mut world.shoppers[who];
    let (Some(order), Some(reservation)) = (&mut shopper.orders[nth], &mut shopper.reservation) else { return false };
    let is_paying = reservation.nth == nth && reservation.status == ReservationStatus::Paying;
    let status = order.attempts[attempt].status;
    let is_charged = status == Some(AttemptStatus::Charged)
        || (bug == Some(Bug::CompletesWhatIsAuthorised) && status == Some(AttemptStatus::Authorised));
    let is_looked_at = bug != Some(Bug::CompletionForgetsTheCharge);
    if !is_paying || !may(order, OrderStep::Completed, Some(attempt)) || (is_looked_at && !is_charged) {
        return false;
    }
    order.take(OrderStep::Completed);
    reservation.status = ReservationStatus::Purchased;
    if is_charged {
        order.attempts[attempt].status = Some(AttemptStatus::Kept);
    }
    true
}

/// `Purchases::end`: ends the order together with the reservation that was being paid for it; without such a reservation, the
/// order alone.
pub(crate) fn end(world: &mut World, who: Who, nth: Nth, attempt: Nth, step: OrderStep) {
    let shopper = &mut world.shoppers[who];
    let Some(order) = &mut shopper.orders[nth] else { return };
    if may(order, step, Some(attempt)) {
        order.take(step);
        let is_its_own = |found: &Reservation| found.nth == nth && found.status == ReservationStatus::Paying;
        shopper.reservation = shopper.reservation.filter(|found| !is_its_own(found));
    }
}

/// `Purchases::end_order`: ends the order alone.
pub(crate) fn end_order(order: &mut Order, attempt: Nth, step: OrderStep) {
    if may(order, step, Some(attempt)) {
        order.take(step);
    }
}

/// `Orders::expire`: expires a waiting order whose hold has ended.
pub(crate) fn expire(world: &mut World, who: Who, nth: Nth) {
    if let Some(order) = &mut world.shoppers[who].orders[nth]
        && may(order, OrderStep::Expired, None)
    {
        order.take(OrderStep::Expired);
    }
}
