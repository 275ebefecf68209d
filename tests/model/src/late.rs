//! Money that comes after its attempt has ended: `functions/workers/settle-payment`. Each call of a run is a step of its own. Two
//! runs of one event may be under way at once, and either may die at any step.

use domain::{AttemptStatus, ClaimOutcome, LateMoney, OrderStatus, OrderStep, ReservationStatus, ShardNumber};

use crate::{
    Action, Answer, Bug, SmallWorld,
    world::{Attempt, Book, Launch, Ledger, Nth, Order, Reservation, Who, World},
};

/// A run of `settle-payment` for the late money of an order's first attempt, at its next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Settling {
    /// Reads order and attempt, and looks at the gateway.
    Looks(Nth),
    /// Claims a unit again, of any shard.
    Claims(Nth),
    /// Starts the second attempt, with the reservation of this unit.
    Starts(Nth, ShardNumber),
    /// It did not start: reads whether another run has written a reservation for this unit,
    Rereads(Nth, ShardNumber),
    /// and releases the unit if none has.
    Releases(Nth, ShardNumber),
    /// Writes that the money goes back.
    Decides(Nth),
    /// Asks the gateway to give it back.
    GivesBack(Nth),
}

/// An action that is about late money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfLateMoney {
    /// The gateway gets the money of a first attempt after all, that it has declined: authorised, or charged.
    Comes(Who, Nth, Answer),
    /// The gateway tells so, once or again: one of two runs of `settle-payment` begins.
    IsTold(Who, Nth, Nth),
    /// This run makes its next call. A claim tries any shard.
    Settles(Who, Nth, ShardNumber),
    /// This run dies. The event comes again.
    Dies(Who, Nth),
}

impl Settling {
    /// The order whose money came late.
    pub fn order(self) -> Nth {
        match self {
            Self::Looks(nth)
            | Self::Claims(nth)
            | Self::Starts(nth, _)
            | Self::Rereads(nth, _)
            | Self::Releases(nth, _)
            | Self::Decides(nth)
            | Self::GivesBack(nth) => nth,
        }
    }

    /// The shard of the unit that it has claimed.
    pub fn shard_mut(&mut self) -> Option<&mut ShardNumber> {
        match self {
            Self::Starts(_, shard) | Self::Rereads(_, shard) | Self::Releases(_, shard) => Some(shard),
            Self::Looks(_) | Self::Claims(_) | Self::Decides(_) | Self::GivesBack(_) => None,
        }
    }

    /// Makes the call of this step; a claim tries `shard`. `None`: the run has ended.
    pub fn turn(self, world: &mut World, who: Who, shard: ShardNumber, bug: Option<Bug>) -> Option<Self> {
        let (nth, order) = (self.order(), world.order(who, self.order())?);
        match self {
            Self::Looks(_) => match order.attempts[Nth::First].late_money {
                _ if !has_late_money(&order) => None,
                Some(LateMoney::GoesBack) => Some(Self::GivesBack(nth)),
                Some(LateMoney::PaysBy(_)) => None,
                None if may_be_paid_late(&order, bug) => Some(Self::Claims(nth)),
                None => Some(goes_back(nth, bug)),
            },
            // `UnitReservations::claim_again`
            // Assumed: between its look at the order and its claim, no run hangs for as long as a whole saga takes.
            Self::Claims(_) if world.shoppers[who].reservation.is_some() || !may_be_paid_late(&order, bug) => {
                Some(goes_back(nth, bug))
            }
            Self::Claims(_) => {
                let ledger = &mut world.shards[shard];
                if ledger.held[who] == Some(nth) && !ledger.again[who] {
                    // What the first hold has left.
                    ledger.make(who, nth, |stock, shopper, id| stock.release_ended(shopper, id, Ledger::FIRST_END));
                    return Some(self);
                }
                match ledger.claim_again(who, nth) {
                    ClaimOutcome::Claimed => Some(Self::Starts(nth, shard)),
                    ClaimOutcome::AlreadyHeld(_) | ClaimOutcome::AlreadySold(_) | ClaimOutcome::NotEnough { .. } => {
                        Some(goes_back(nth, bug))
                    }
                }
            }
            Self::Starts(..) if starts(world, who, nth, shard_of(self), bug) => None,
            Self::Starts(_, claimed) => Some(Self::Rereads(nth, claimed)),
            // `UnitReservations::release_claim`
            Self::Rereads(_, claimed) => match world.reservation(who, nth) {
                Some(found) if found.shard == claimed => after_release(&order, nth, bug),
                Some(_) | None => Some(Self::Releases(nth, claimed)),
            },
            Self::Releases(_, claimed) => {
                world.shards[claimed].make(who, nth, |stock, shopper, id| stock.release_ended(shopper, id, Ledger::SECOND_END));
                after_release(&order, nth, bug)
            }
            // `Purchases::return_late_money`. Otherwise the event comes again.
            Self::Decides(_) => {
                let attempt = world.attempt(who, nth, Nth::First)?;
                let decides = attempt.late_money.is_none();
                attempt.late_money = attempt.late_money.or(Some(LateMoney::GoesBack));
                decides.then_some(Self::GivesBack(nth))
            }
            Self::GivesBack(_) => {
                let payment = payment(world, who, nth)?;
                payment.book = payment.book.refund().0;
                None
            }
        }
    }
}

fn shard_of(mut settling: Settling) -> ShardNumber {
    settling.shard_mut().map_or(ShardNumber(0), |shard| *shard)
}

/// How a run begins to give the money back.
fn goes_back(nth: Nth, bug: Option<Bug>) -> Settling {
    if bug == Some(Bug::LateMoneyGoesBackUndecided) { Settling::GivesBack(nth) } else { Settling::Decides(nth) }
}

fn after_release(order: &Order, nth: Nth, bug: Option<Bug>) -> Option<Settling> {
    match order.attempts[Nth::First].late_money {
        Some(LateMoney::PaysBy(_)) => None,
        Some(LateMoney::GoesBack) | None => Some(goes_back(nth, bug)),
    }
}

/// The attempt under whose key the provider keeps the books of the first attempt's payment: the second one after a late start.
fn payment(world: &mut World, who: Who, nth: Nth) -> Option<&mut Attempt> {
    let first = world.order(who, nth)?.attempts[Nth::First];
    let number = if matches!(first.late_money, Some(LateMoney::PaysBy(_))) { Nth::Second } else { Nth::First };
    world.attempt(who, nth, number)
}

/// Whether the provider may still find money for the first attempt, of which it has said that it is declined, and the attempt
/// has ended so.
fn may_get_late_money(order: &Order) -> bool {
    let first = order.attempts[Nth::First];
    first.book == Book::Declined && has_ended(first.status)
}

/// Whether a run that looks has something to do.
fn has_late_money(order: &Order) -> bool {
    let first = order.attempts[Nth::First];
    let has_money = match first.book {
        Book::Authorised | Book::Captured | Book::Charged => true,
        Book::Untouched | Book::Declined | Book::Refunded | Book::Voided => false,
    };
    has_money && has_ended(first.status)
}

fn has_ended(status: Option<AttemptStatus>) -> bool {
    match status {
        Some(AttemptStatus::Declined | AttemptStatus::Unavailable | AttemptStatus::GivenUp | AttemptStatus::Voided) => true,
        Some(
            AttemptStatus::Started
            | AttemptStatus::Authorised
            | AttemptStatus::Charged
            | AttemptStatus::Kept
            | AttemptStatus::Refunding
            | AttemptStatus::Refunded,
        )
        | None => false,
    }
}

/// `Order::may_be_paid_late`, in an order that may have two attempts.
fn may_be_paid_late(order: &Order, bug: Option<Bug>) -> bool {
    let has_failed =
        bug == Some(Bug::LateMoneyPaysForFailedOrders) && order.status == OrderStatus::Failed && !order.refund_pending;
    (order.status == OrderStep::PaidLate.starts_from() || has_failed) && order.attempt == Nth::First
}

/// `Purchases::start_late`. Returns whether it did.
fn starts(world: &mut World, who: Who, nth: Nth, shard: ShardNumber, bug: Option<Bug>) -> bool {
    let shopper = &mut world.shoppers[who];
    let Some(order) = &mut shopper.orders[nth] else { return false };
    let is_undecided = order.attempts[Nth::First].late_money.is_none();
    if shopper.reservation.is_some() || !may_be_paid_late(order, bug) || !is_undecided {
        return false;
    }
    order.take(OrderStep::PaidLate);
    (order.attempt, order.payments) = (Nth::Second, order.payments + 1);
    // A run that asks by the first key finds the same payment, and can charge nothing more.
    let book = std::mem::replace(&mut order.attempts[Nth::First].book, Book::Voided);
    order.attempts[Nth::First].late_money = Some(LateMoney::PaysBy(2));
    order.attempts[Nth::Second] =
        Attempt { launch: Launch::Sending, status: Some(AttemptStatus::Started), asked_again: true, book, late_money: None };
    if bug != Some(Bug::LateMoneyStartsWithoutItsReservation) {
        shopper.reservation = Some(Reservation { nth, shard, status: ReservationStatus::Paying, time_is_over: true });
    }
    true
}

impl SmallWorld {
    /// What may go wrong at the gateway, and with runs of `settle-payment`.
    pub(crate) fn money_comes_late(&self, world: &World, who: Who, actions: &mut Vec<Action>) {
        if !self.late_money {
            return;
        }
        let orders = &world.shoppers[who].orders;
        for nth in Nth::ALL.into_iter().filter(|nth| orders[*nth].is_some_and(|order| may_get_late_money(&order))) {
            actions.extend(
                [Answer::Authorised, Answer::Charged].map(|answer| Action::LateMoney(OfLateMoney::Comes(who, nth, answer))),
            );
        }
        actions.extend(Nth::ALL.map(|run| Action::LateMoney(OfLateMoney::Dies(who, run))));
    }

    /// The runs of `settle-payment`. The second one, a repetition of the first, begins only in worlds with late runs.
    pub(crate) fn settlings(&self, world: &World, who: Who, actions: &mut Vec<Action>) {
        if !self.late_money || self.bug == Some(Bug::NobodyLooksForLateMoney) {
            return;
        }
        let shopper = &world.shoppers[who];
        for run in Nth::ALL {
            match shopper.settling[run] {
                Some(Settling::Claims(_)) => {
                    actions.extend(self.layout.numbers().map(|shard| Action::LateMoney(OfLateMoney::Settles(who, run, shard))));
                }
                Some(_) => actions.push(Action::LateMoney(OfLateMoney::Settles(who, run, ShardNumber(0)))),
                None if run == Nth::First || self.lateness => {
                    let told = |nth: &Nth| shopper.orders[*nth].is_some_and(|order| has_late_money(&order));
                    actions.extend(
                        Nth::ALL.into_iter().filter(told).map(|nth| Action::LateMoney(OfLateMoney::IsTold(who, run, nth))),
                    );
                }
                None => {}
            }
        }
    }
}

impl OfLateMoney {
    /// Applies the action.
    pub(crate) fn happen(self, world: &mut World, bug: Option<Bug>) {
        match self {
            Self::Comes(who, nth, answer) => {
                if let Some(attempt) = world.attempt(who, nth, Nth::First) {
                    attempt.book = Book::Untouched.charge(answer);
                }
            }
            Self::IsTold(who, run, nth) => world.shoppers[who].settling[run] = Some(Settling::Looks(nth)),
            Self::Settles(who, run, shard) => {
                if let Some(settling) = world.shoppers[who].settling[run] {
                    let after = settling.turn(world, who, shard, bug);
                    world.shoppers[who].settling[run] = after;
                }
            }
            Self::Dies(who, run) => world.shoppers[who].settling[run] = None,
        }
    }
}
