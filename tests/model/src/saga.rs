//! The payment saga: `statemachines/payment-saga.asl.json` and its tasks. Each call of a task is a step of its own. A read and
//! the write that follows from it are one step only where the write's condition repeats what was read.

use domain::{AttemptStatus, OrderStatus, OrderStep, ReservationStatus, SellOutcome, ShardNumber, StockShard};

use crate::{
    Bug,
    gateway::{Answer, Returned},
    purchases,
    world::{Attempt, Book, Nth, Order, Who, World},
};

/// An execution of the saga, or one of its tasks, at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Execution {
    /// The order that it pays.
    pub order: Nth,
    /// The attempt to pay the order.
    pub attempt: Nth,
    /// Its next call.
    pub step: Step,
}

/// A state of the state machine, that is, one run of its function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// `Charge`.
    Charge,
    /// `SellStock`.
    Sell,
    /// `CapturePayment`.
    Capture,
    /// `CompleteOrder`.
    Complete,
    /// `PaymentFailed`.
    HandBack,
    /// `Refund`.
    Refund,
    /// `TakeBackStock`.
    TakeBack,
    /// `FailOrder`.
    Fail,
    /// `RefundFailed`.
    KeepForReview,
}

/// A call that a task makes. The steps of a task read as one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// `charge-payment` reads its order,
    ChargeReadsOrder,
    /// writes that it is about to ask, or looks up the outcome of an earlier run,
    ChargeBegins,
    /// in the second case, writes that it asks again,
    ChargeAsksAgain,
    /// asks the gateway,
    ChargeAsks(Call),
    /// and writes the gateway's answer.
    ChargeRecords(Call, Answer),
    /// `sell-stock` reads its reservation
    SellReadsReservation,
    /// and sells its unit.
    SellSells(ShardNumber),
    /// `capture-payment` reads the attempt,
    CaptureReadsAttempt,
    /// asks the gateway
    CaptureAsks,
    /// and writes that the gateway has captured.
    CaptureRecords,
    /// `complete-order` reads the attempt
    CompleteReadsAttempt,
    /// and completes the order.
    CompleteCompletes,
    /// `fail-order`, payment failed: lets the order wait again, or ends it if it has no reservation.
    HandBack,
    /// `refund-payment` decides about the attempt and writes the decision,
    RefundDecides,
    /// asks the gateway for a refund
    RefundAsks,
    /// and writes the gateway's answer.
    RefundRecords(Returned),
    /// `take-back-stock` reads its reservation,
    TakeBackReadsReservation,
    /// releases its unit if it is held
    TakeBackReleases(ShardNumber),
    /// and takes it back if it is sold.
    TakeBackTakesBack(ShardNumber),
    /// `fail-order`, refunded: ends the order and its reservation.
    Fail,
    /// `fail-order`, refund pending.
    KeepForReview,
}

/// What a run knows about other runs that ask the gateway for the same attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// No other run was asking when this run read or wrote the attempt.
    Only,
    /// Another run may be asking.
    Again,
}

/// What follows a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The task continues.
    GoesOn(Step),
    /// The task is done, and the next one begins.
    Next(Task),
    /// The saga runs the task again: `StoreUnavailable`.
    Again,
    /// The task fails with an error that `Catch` handles.
    Fails,
    /// The execution has ended.
    Ends,
}

impl Attempt {
    /// What a run that reads the attempt knows about other callers of the gateway.
    fn call(self) -> Call {
        if self.asked_again { Call::Again } else { Call::Only }
    }
}

impl Task {
    /// The first step of the task.
    pub fn begins(self) -> Step {
        match self {
            Self::Charge => Step::ChargeReadsOrder,
            Self::Sell => Step::SellReadsReservation,
            Self::Capture => Step::CaptureReadsAttempt,
            Self::Complete => Step::CompleteReadsAttempt,
            Self::HandBack => Step::HandBack,
            Self::Refund => Step::RefundDecides,
            Self::TakeBack => Step::TakeBackReadsReservation,
            Self::Fail => Step::Fail,
            Self::KeepForReview => Step::KeepForReview,
        }
    }

    /// The task that `Catch` leads to. `None`: the execution ends as kept for review, and only another execution can
    /// continue.
    pub fn caught(self) -> Option<Self> {
        match self {
            Self::Charge | Self::Sell | Self::Capture | Self::Complete => Some(Self::Refund),
            Self::Refund => Some(Self::KeepForReview),
            Self::HandBack | Self::TakeBack | Self::Fail | Self::KeepForReview => None,
        }
    }

    /// Whether the saga has another path when all retries of the task are used up. Without one, the execution would end
    /// like an aborted one.
    pub fn may_give_up(self) -> bool {
        self.caught().is_some()
    }
}

impl Step {
    /// The task to which the step belongs.
    pub fn task(self) -> Task {
        match self {
            Self::ChargeReadsOrder
            | Self::ChargeBegins
            | Self::ChargeAsksAgain
            | Self::ChargeAsks(_)
            | Self::ChargeRecords(..) => Task::Charge,
            Self::SellReadsReservation | Self::SellSells(_) => Task::Sell,
            Self::CaptureReadsAttempt | Self::CaptureAsks | Self::CaptureRecords => Task::Capture,
            Self::CompleteReadsAttempt | Self::CompleteCompletes => Task::Complete,
            Self::HandBack => Task::HandBack,
            Self::RefundDecides | Self::RefundAsks | Self::RefundRecords(_) => Task::Refund,
            Self::TakeBackReadsReservation | Self::TakeBackReleases(_) | Self::TakeBackTakesBack(_) => Task::TakeBack,
            Self::Fail => Task::Fail,
            Self::KeepForReview => Task::KeepForReview,
        }
    }

    /// The shard that an earlier step has read, if this step needs it.
    pub fn shard_mut(&mut self) -> Option<&mut ShardNumber> {
        match self {
            Self::SellSells(shard) | Self::TakeBackReleases(shard) | Self::TakeBackTakesBack(shard) => Some(shard),
            Self::ChargeReadsOrder
            | Self::ChargeBegins
            | Self::ChargeAsksAgain
            | Self::ChargeAsks(_)
            | Self::ChargeRecords(..)
            | Self::SellReadsReservation
            | Self::CaptureReadsAttempt
            | Self::CaptureAsks
            | Self::CaptureRecords
            | Self::CompleteReadsAttempt
            | Self::CompleteCompletes
            | Self::HandBack
            | Self::RefundDecides
            | Self::RefundAsks
            | Self::RefundRecords(_)
            | Self::TakeBackReadsReservation
            | Self::Fail
            | Self::KeepForReview => None,
        }
    }
}

impl Execution {
    /// A new execution of an attempt's saga.
    pub fn begins(order: Nth, attempt: Nth) -> Self {
        Self { order, attempt, step: Task::Charge.begins() }
    }

    /// The execution after its step had this result. `None`: it has ended.
    pub fn after(self, then: Then) -> Option<Self> {
        let step = match then {
            Then::GoesOn(step) => step,
            Then::Next(task) => task.begins(),
            Then::Again => self.step.task().begins(),
            Then::Fails => self.step.task().caught()?.begins(),
            Then::Ends => return None,
        };
        Some(Self { step, ..self })
    }

    /// Makes the call of this step. `answer` is the gateway's, if the call asks it to charge.
    pub fn turn(self, world: &mut World, who: Who, answer: Answer, bug: Option<Bug>) -> Then {
        let Self { order: nth, attempt: number, step } = self;
        let (Some(order), reservation) = (world.order(who, nth), world.reservation(who, nth)) else { return Then::Fails };
        let is_this_attempt = order.attempt == number;
        let is_announced = bug != Some(Bug::RefundIsNotWrittenDownFirst);
        match step {
            // functions/saga/charge-payment, with one gateway
            Step::ChargeReadsOrder if order.status == OrderStatus::Pending && is_this_attempt => Then::GoesOn(Step::ChargeBegins),
            Step::ChargeReadsOrder => Then::Fails,
            Step::ChargeBegins => change(world, who, self, |attempt| charge_begins(attempt, bug)),
            Step::ChargeAsksAgain => change(world, who, self, charge_asks_again),
            Step::ChargeAsks(call) => change(world, who, self, |attempt| {
                attempt.book = attempt.book.charge(answer);
                // A run that is not the only one asks again: the outcome is unknown.
                let is_certain = answer != Answer::Unavailable || call == Call::Only || bug == Some(Bug::AnybodySaysUnavailable);
                if is_certain { Then::GoesOn(Step::ChargeRecords(call, answer)) } else { Then::Again }
            }),
            Step::ChargeRecords(call, answer) => change(world, who, self, |attempt| charge_records(attempt, call, answer, bug)),

            // functions/saga/sell-stock
            Step::SellReadsReservation => match reservation.map(|found| (found.status, found.shard)) {
                Some((ReservationStatus::Paying | ReservationStatus::Purchased, shard)) => Then::GoesOn(Step::SellSells(shard)),
                Some((ReservationStatus::Held, _)) | None => Then::Fails,
            },
            Step::SellSells(shard) => match world.shards[shard].make(who, nth, StockShard::sell) {
                SellOutcome::Sold if matches!(bug, Some(Bug::CapturesBeforeTheSale | Bug::CompletesWhatIsAuthorised)) => {
                    Then::Next(Task::Complete)
                }
                SellOutcome::Sold => Then::Next(Task::Capture),
                SellOutcome::HoldLost => Then::Fails,
            },

            // functions/saga/capture-payment
            Step::CaptureReadsAttempt => match order.attempts[number].status {
                Some(AttemptStatus::Authorised) => Then::GoesOn(Step::CaptureAsks),
                Some(status) if status.is_charged() => Then::Next(after_capture(bug)),
                Some(_) | None => Then::Fails,
            },
            Step::CaptureAsks => change(world, who, self, |attempt| {
                let (book, is_captured) = attempt.book.capture(answer);
                attempt.book = book;
                if is_captured { Then::GoesOn(Step::CaptureRecords) } else { Then::Fails }
            }),
            Step::CaptureRecords => change(world, who, self, |attempt| capture_records(attempt, bug)),

            // functions/saga/complete-order. Another amount than the order's is modelled as a task that gives up.
            Step::CompleteReadsAttempt => match order.attempts[number].status {
                Some(AttemptStatus::Authorised) if bug == Some(Bug::CompletesWhatIsAuthorised) => {
                    Then::GoesOn(Step::CompleteCompletes)
                }
                Some(status) if status.is_charged() => Then::GoesOn(Step::CompleteCompletes),
                Some(_) | None => Then::Fails,
            },
            Step::CompleteCompletes => {
                let by_an_earlier_run = order.status == OrderStatus::Completed && is_this_attempt;
                let is_done = purchases::complete(world, who, nth, number, bug) || by_an_earlier_run;
                if is_done { Then::Ends } else { Then::Fails }
            }

            // functions/saga/fail-order, `payment_failed`
            Step::HandBack => {
                purchases::hand_back(world, who, nth, number, bug);
                Then::Ends
            }

            // functions/saga/refund-payment
            Step::RefundDecides if order.status == OrderStatus::Completed => Then::Fails,
            Step::RefundDecides => change(world, who, self, |attempt| refund_decides(attempt, bug)),
            Step::RefundAsks => change(world, who, self, |attempt| refund_asks(attempt, bug)),
            Step::RefundRecords(returned) => change(world, who, self, |attempt| refund_records(attempt, returned, is_announced)),

            // functions/saga/take-back-stock
            Step::TakeBackReadsReservation => match reservation.map(|found| (found.status, found.shard)) {
                None => Then::Next(Task::Fail),
                Some((ReservationStatus::Paying, shard)) => Then::GoesOn(Step::TakeBackReleases(shard)),
                Some((ReservationStatus::Purchased | ReservationStatus::Held, _)) => Then::Fails,
            },
            Step::TakeBackReleases(shard) => {
                world.release(shard, who, nth, bug);
                Then::GoesOn(Step::TakeBackTakesBack(shard))
            }
            Step::TakeBackTakesBack(shard) => {
                world.shards[shard].make(who, nth, StockShard::take_back);
                Then::Next(Task::Fail)
            }

            // functions/saga/fail-order, `refunded`
            Step::Fail => match step_after_refund(&order, number, bug) {
                Some(step) => {
                    purchases::end(world, who, nth, number, step);
                    Then::Ends
                }
                None => Then::Fails,
            },

            // functions/saga/fail-order, `refund_pending`
            Step::KeepForReview => {
                if let Some(order) = &mut world.shoppers[who].orders[nth] {
                    purchases::end_order(order, number, OrderStep::RefundFailed);
                }
                Then::Ends
            }
        }
    }
}

/// Changes the attempt of an execution. `asked_again` does not matter once the attempt is not started any more.
fn change(world: &mut World, who: Who, at: Execution, change: impl FnOnce(&mut Attempt) -> Then) -> Then {
    let Some(order) = &mut world.shoppers[who].orders[at.order] else { return Then::Fails };
    let attempt = &mut order.attempts[at.attempt];
    let then = change(attempt);
    attempt.asked_again &= attempt.status == Some(AttemptStatus::Started);
    then
}

/// `store::Attempts::begin`, and how `charge-payment` continues with the stored attempt.
fn charge_begins(attempt: &mut Attempt, bug: Option<Bug>) -> Then {
    match attempt.status {
        None => {
            attempt.status = Some(AttemptStatus::Started);
            Then::GoesOn(Step::ChargeAsks(Call::Only))
        }
        Some(AttemptStatus::Started) => Then::GoesOn(match (attempt.book.look_up(), attempt.call()) {
            (Some(answer), call) => Step::ChargeRecords(call, answer),
            (None, Call::Only) if bug == Some(Bug::AskingAgainIsNotWrittenDown) => Step::ChargeAsks(Call::Only),
            (None, Call::Only) => Step::ChargeAsksAgain,
            (None, Call::Again) => Step::ChargeAsks(Call::Again),
        }),
        Some(AttemptStatus::Authorised) => after_charge(Answer::Authorised, bug),
        Some(AttemptStatus::Charged | AttemptStatus::Kept) => after_charge(Answer::Charged, bug),
        Some(AttemptStatus::Declined | AttemptStatus::GivenUp) => after_charge(Answer::Declined, bug),
        Some(AttemptStatus::Unavailable) => after_charge(Answer::Unavailable, bug),
        Some(AttemptStatus::Refunding | AttemptStatus::Refunded | AttemptStatus::Voided) => Then::Fails,
    }
}

/// `ChargePayment::charge_again`: replaces the attempt only if it is unchanged since it was read.
fn charge_asks_again(attempt: &mut Attempt) -> Then {
    if (attempt.status, attempt.call()) != (Some(AttemptStatus::Started), Call::Only) {
        return Then::Again;
    }
    attempt.asked_again = true;
    Then::GoesOn(Step::ChargeAsks(Call::Again))
}

/// `ChargePayment::record`: replaces the attempt only if it is unchanged since the gateway was asked.
fn charge_records(attempt: &mut Attempt, call: Call, answer: Answer, bug: Option<Bug>) -> Then {
    let is_believed = attempt.call() == call || bug == Some(Bug::AnybodySaysUnavailable);
    if attempt.status != Some(AttemptStatus::Started) || !is_believed {
        return Then::Again;
    }
    attempt.status = Some(match answer {
        Answer::Authorised => AttemptStatus::Authorised,
        Answer::Charged => AttemptStatus::Charged,
        Answer::Declined => AttemptStatus::Declined,
        Answer::Unavailable => AttemptStatus::Unavailable,
    });
    after_charge(answer, bug)
}

/// `CapturePayment::capture`: replaces the attempt only if it is unchanged since it was read.
fn capture_records(attempt: &mut Attempt, bug: Option<Bug>) -> Then {
    if attempt.status != Some(AttemptStatus::Authorised) {
        return Then::Again;
    }
    attempt.status = Some(AttemptStatus::Charged);
    Then::Next(after_capture(bug))
}

fn after_capture(bug: Option<Bug>) -> Task {
    if bug == Some(Bug::CapturesBeforeTheSale) { Task::Sell } else { Task::Complete }
}

/// The state `WhatCameOfTheCharge`.
fn after_charge(answer: Answer, bug: Option<Bug>) -> Then {
    match answer {
        Answer::Authorised if bug == Some(Bug::CapturesBeforeTheSale) => Then::Next(Task::Capture),
        Answer::Authorised | Answer::Charged => Then::Next(Task::Sell),
        Answer::Declined | Answer::Unavailable => Then::Next(Task::HandBack),
    }
}

/// `RefundPayment::handle`: replaces an attempt only if it is unchanged since it was read.
fn refund_decides(attempt: &mut Attempt, bug: Option<Bug>) -> Then {
    match attempt.status {
        Some(AttemptStatus::GivenUp) if bug == Some(Bug::RefundUndoesWhatWasGivenUp) => Then::Next(Task::TakeBack),
        // No run has begun it, or nothing was charged: it is ruled out, so that no later run charges or gives it up.
        Some(AttemptStatus::Declined) if bug == Some(Bug::RefundLeavesDeclinedAsItIs) => Then::Next(Task::TakeBack),
        None | Some(AttemptStatus::Unavailable | AttemptStatus::Declined) => {
            attempt.status = Some(AttemptStatus::Voided);
            Then::Next(Task::TakeBack)
        }
        Some(AttemptStatus::Started | AttemptStatus::Authorised | AttemptStatus::Charged) => {
            if bug != Some(Bug::RefundIsNotWrittenDownFirst) {
                attempt.status = Some(AttemptStatus::Refunding);
            }
            Then::GoesOn(Step::RefundAsks)
        }
        Some(AttemptStatus::Refunding) => Then::GoesOn(Step::RefundAsks),
        Some(AttemptStatus::Refunded | AttemptStatus::Voided) => Then::Next(Task::TakeBack),
        Some(AttemptStatus::Kept | AttemptStatus::GivenUp) => Then::Fails,
    }
}

/// The gateway reads what it has to undo. With the bug, it voids what another run has captured, which changes nothing.
fn refund_asks(attempt: &mut Attempt, bug: Option<Bug>) -> Then {
    let (book, returned) = if attempt.book == Book::Captured && bug == Some(Bug::VoidsBeforeItReads) {
        (Book::Captured, Returned::Voided)
    } else {
        attempt.book.refund()
    };
    attempt.book = book;
    Then::GoesOn(Step::RefundRecords(returned))
}

/// `FailOrder::step_after_refund`.
fn step_after_refund(order: &Order, attempt: Nth, bug: Option<Bug>) -> Option<OrderStep> {
    let was_pending = order.refund_pending && bug != Some(Bug::RefundStaysPending);
    match order.attempts[attempt].status {
        Some(AttemptStatus::Refunded | AttemptStatus::Voided) if was_pending => Some(OrderStep::RefundConfirmed),
        Some(AttemptStatus::Refunded) => Some(OrderStep::Refunded),
        Some(AttemptStatus::Declined | AttemptStatus::Unavailable | AttemptStatus::Voided) | None => Some(OrderStep::Failed),
        Some(
            AttemptStatus::Started
            | AttemptStatus::Authorised
            | AttemptStatus::Charged
            | AttemptStatus::Refunding
            | AttemptStatus::Kept
            | AttemptStatus::GivenUp,
        ) => None,
    }
}

/// `RefundPayment::refund`: replaces the attempt only if it is unchanged since it was read.
fn refund_records(attempt: &mut Attempt, returned: Returned, is_announced: bool) -> Then {
    let is_as_it_was = match attempt.status {
        Some(AttemptStatus::Refunding) => true,
        Some(AttemptStatus::Started | AttemptStatus::Authorised | AttemptStatus::Charged) => !is_announced,
        Some(
            AttemptStatus::Kept
            | AttemptStatus::Declined
            | AttemptStatus::Unavailable
            | AttemptStatus::GivenUp
            | AttemptStatus::Refunded
            | AttemptStatus::Voided,
        )
        | None => false,
    };
    if !is_as_it_was {
        return Then::Again;
    }
    attempt.status = Some(match returned {
        Returned::Refunded => AttemptStatus::Refunded,
        Returned::Voided => AttemptStatus::Voided,
    });
    Then::Next(Task::TakeBack)
}
