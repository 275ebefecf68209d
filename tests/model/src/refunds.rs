//! An operator's refund of a completed order with its unit: the order of the calls of `functions/operators/refund-order`, and the
//! conditions of their writes. The amount is always the whole price.

use domain::{OrderStatus, OrderStep, ReservationStatus, ShardNumber, StockShard};

use crate::{
    Bug,
    saga::Execution,
    world::{Nth, Who, World},
};

/// A run of `refund-order`, or of `reconcile` for the same refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RefundRun {
    /// The order that is refunded.
    pub order: Nth,
    /// The next call.
    pub step: RefundStep,
}

/// A call of such a run. The steps read as one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefundStep {
    /// The run asks the gateway,
    Asks,
    /// reads the reservation,
    ReadsReservation,
    /// takes its unit back
    TakesBack(ShardNumber),
    /// and ends the refund, and with it the order and its reservation.
    Ends,
    /// Without a reservation, it ends the refund and the order.
    EndsAlone,
}

impl RefundRun {
    fn of(order: Nth) -> Self {
        Self { order, step: RefundStep::Asks }
    }

    /// The run after its next call. `None`: it is over. `Orders::end_refund` and `Purchases::return_purchase` apply only while the
    /// refund is pending.
    pub(crate) fn turn(self, world: &mut World, who: Who, bug: Option<Bug>) -> Option<Self> {
        let Self { order: nth, step } = self;
        let goes_on = |step| Some(Self { order: nth, step });
        let order = world.order(who, nth)?;
        match step {
            RefundStep::Asks => {
                let attempt = world.attempt(who, nth, order.attempt)?;
                if bug != Some(Bug::UnitGoesBackFirst) {
                    attempt.book = attempt.book.refund().0;
                }
                goes_on(RefundStep::ReadsReservation)
            }
            RefundStep::ReadsReservation => match world.reservation(who, nth) {
                Some(found) => goes_on(RefundStep::TakesBack(found.shard)),
                None => goes_on(RefundStep::EndsAlone),
            },
            RefundStep::TakesBack(shard) => {
                world.shards[shard].make(who, nth, StockShard::take_back);
                goes_on(RefundStep::Ends)
            }
            RefundStep::Ends => {
                let is_bought = |found: &crate::Reservation| found.nth == nth && found.status == ReservationStatus::Purchased;
                if order.returning && world.shoppers[who].reservation.as_ref().is_some_and(is_bought) {
                    world.end_refund(who, nth, OrderStep::PurchaseReturned);
                    if bug != Some(Bug::ReturnedPurchaseKeepsItsReservation) {
                        world.shoppers[who].reservation = None;
                    }
                }
                None
            }
            RefundStep::EndsAlone => {
                if order.returning {
                    world.end_refund(who, nth, OrderStep::PriceRefunded);
                }
                None
            }
        }
    }
}

impl World {
    /// `Orders::begin_refund`: the order reserves its price for the refund, and a run begins.
    pub(crate) fn begin_refund(&mut self, who: Who) {
        let is_completed =
            |nth: &Nth| self.order(who, *nth).is_some_and(|it| it.status == OrderStatus::Completed && !it.returning);
        let Some(nth) = Nth::ALL.into_iter().find(is_completed).filter(|_| self.shoppers[who].refund.is_none()) else { return };
        if let Some(order) = &mut self.shoppers[who].orders[nth] {
            order.returning = true;
        }
        self.shoppers[who].refund = Some(RefundRun::of(nth));
    }

    /// The run for a refund makes its next call.
    pub(crate) fn refund_goes_on(&mut self, who: Who, bug: Option<Bug>) {
        if let Some(run) = self.shoppers[who].refund {
            self.shoppers[who].refund = run.turn(self, who, bug);
        }
    }

    /// The same request again, or `reconcile`: a pending refund without a run.
    pub(crate) fn refund_again(&mut self, who: Who) {
        let is_pending = |nth: &Nth| self.order(who, *nth).is_some_and(|order| order.returning);
        if let (None, Some(nth)) = (self.shoppers[who].refund, Nth::ALL.into_iter().find(is_pending)) {
            self.shoppers[who].refund = Some(RefundRun::of(nth));
        }
    }

    fn end_refund(&mut self, who: Who, nth: Nth, step: OrderStep) {
        if let Some(order) = self.shoppers[who].orders[nth].as_mut().filter(|order| order.status == step.starts_from()) {
            order.take(step);
            order.returning = false;
        }
    }
}

/// docs/runbook.md: a person starts the saga of an order whose refund is pending again.
pub(crate) fn settle(world: &mut World, who: Who) {
    let refund_pending = |nth: &Nth| world.order(who, *nth).is_some_and(|order| order.refund_pending);
    let found = Nth::ALL.into_iter().find(refund_pending).and_then(|nth| Some((nth, world.order(who, nth)?.attempt)));
    if let (None, Some((nth, attempt))) = (world.shoppers[who].saga, found) {
        world.shoppers[who].saga = Some(Execution::begins(nth, attempt));
    }
}
