//! The actions of the model: the calls of the functions, one at a time in every order, and the faults between them.

use domain::{ClaimOutcome, OrderStatus, ReservationStatus, ShardNumber, StockShard, Timestamp};
use stateright::{Model, Property};

use crate::{
    Bug, SmallWorld,
    gateway::Answer,
    late::OfLateMoney,
    properties, purchases, refunds,
    saga::{Execution, Step, Task, Then},
    world::{Attempt, Book, Late, Launch, Ledger, Nth, Request, Reservation, Who, World},
};

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `reserve` claims a unit. It may try any shard, because that depends on what its environment remembers.
    Claim(Who, Nth, ShardNumber),
    /// `reserve` writes the reservation.
    Open(Who, Nth),
    /// `reserve` has found another reservation of the shopper and releases its own claim.
    GiveBack(Who, Nth),
    /// `checkout` starts the payment of the reservation.
    CheckOut(Who),
    /// `pay` starts the payment of the waiting order again.
    Pay(Who),
    /// Another run of `pay` has read that order, and is late.
    PayIsLate(Who),
    /// `checkout` or `pay` sends the attempt to the orders queue.
    Send(Who, Nth, Nth),
    /// The shopper asks again, and the message of a pending order is sent again.
    AskAgain(Who),
    /// `cancel-reservation`.
    Cancel(Who),
    /// The orders queue delivers a message; `start-payment` starts the saga.
    StartSaga(Who, Nth, Nth),
    /// The saga makes its next call. The answer is the gateway's, if the call asks it to charge.
    Saga(Who, Answer),
    /// The late run makes its next call.
    Late(Answer),
    /// The reservation's time is over.
    TimePasses(Who),
    /// The conditional delete of an overdue reservation: by a message of this reservation, which may be late or
    /// repeated, by TTL, by the shopper's next request, or by `reconcile`.
    EndOverdue(Who, Nth),
    /// `release-stock` gets the record of a removed reservation, perhaps again: it expires the waiting order, or else releases
    /// the unit.
    ReleaseRemoved(Who, Nth),
    /// `reconcile` does the same with a hold without a reservation.
    ReleaseAbandoned(Who, ShardNumber),
    /// `reconcile` starts the saga of a pending order that has none running.
    StartSagaAgain(Who),
    /// A person starts the saga of an order whose refund is pending again.
    SettleRefund(Who),
    /// An operator refunds a completed order with its unit.
    Refund(Who),
    /// The run for the refund makes its next call.
    RefundGoesOn(Who),
    /// The request is repeated, or `reconcile` finds the pending refund without a run.
    RefundAgain(Who),
    /// A second run begins for the refund, while the first one is late.
    RefundRunsTwice(Who),
    /// A person starts the saga of an attempt again, in any state of the attempt.
    StartByHand(Who, Nth, Nth),
    /// A task's answer is lost: the saga runs the task again, while the first run is late or dead.
    TaskRunsTwice(Who),
    /// A task has used up all its retries: `Catch`.
    TaskGivesUp(Who),
    /// The late run dies.
    LateDies,
    /// Something about late money.
    LateMoney(OfLateMoney),
    /// The one crash: of `reserve`, between two writes.
    ReserveCrashes(Who, Nth),
    /// The one crash: of `checkout` or `pay`, before the message is sent.
    SenderCrashes(Who, Nth, Nth),
    /// The one crash: the saga's execution is aborted, or times out.
    SagaCrashes(Who),
    /// The one crash: of the run for an operator's refund.
    RefundCrashes(Who),
}

impl Model for SmallWorld {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.layout)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.wishes_and_faults(world, actions);
        self.work(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        self.happen(&mut next, action);
        (next != *world).then(|| if self.anonymous { next.representative() } else { next })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}

impl SmallWorld {
    /// Whether nothing happens any more unless a shopper makes a new request: the time of every hold is over, every
    /// message has come, and `reconcile` finds nothing to do.
    pub fn is_quiet(&self, world: &World) -> bool {
        let mut actions = Vec::new();
        self.work(world, &mut actions);
        actions.into_iter().all(|action| self.next_state(world, action).is_none())
    }

    /// Whether the world gets quiet within a hundred moves when it is left alone.
    pub fn comes_to_rest(&self, world: &World) -> bool {
        let mut world = *world;
        let mut actions = Vec::new();
        for _ in 0..100 {
            self.work(&world, &mut actions);
            match actions.drain(..).find_map(|action| self.next_state(&world, action)) {
                Some(next) => world = next,
                None => return true,
            }
        }
        false
    }

    /// What shoppers may do, and what may go wrong.
    fn wishes_and_faults(&self, world: &World, actions: &mut Vec<Action>) {
        for who in Who::ALL.into_iter().take(usize::from(self.shoppers)) {
            let shopper = &world.shoppers[who];
            for nth in Nth::ALL.into_iter().take(usize::from(self.reservations)) {
                // The second reservation is the one that is claimed second.
                let is_next = nth == Nth::First || shopper.requests[Nth::First] != Request::NotSent;
                if shopper.requests[nth] == Request::NotSent && is_next {
                    actions.extend(self.layout.numbers().map(|shard| Action::Claim(who, nth, shard)));
                }
                actions.push(Action::ReserveCrashes(who, nth));
                actions.extend(Nth::ALL.map(|attempt| Action::SenderCrashes(who, nth, attempt)));
            }
            if shopper.reservation.is_some() {
                actions.extend([Action::CheckOut(who), Action::Pay(who), Action::Cancel(who), Action::AskAgain(who)]);
                actions.push(Action::PayIsLate(who));
            }
            if self.by_hand && world.late.is_none() {
                let orders = Nth::ALL.into_iter().filter_map(|nth| shopper.orders[nth].map(|order| (nth, order.attempt)));
                let attempts = orders.flat_map(|(nth, last)| Nth::ALL.map(|attempt| (nth, attempt, attempt <= last)));
                actions.extend(attempts.filter(|(.., is_there)| *is_there).map(|(nth, n, _)| Action::StartByHand(who, nth, n)));
            }
            self.money_comes_late(world, who, actions);
            if self.refunds {
                actions.extend([Action::Refund(who), Action::RefundRunsTwice(who), Action::RefundCrashes(who)]);
            }
            if shopper.saga.is_some() {
                actions.extend([Action::TaskRunsTwice(who), Action::TaskGivesUp(who)]);
                actions.push(Action::SagaCrashes(who));
            }
        }
        actions.push(Action::LateDies);
    }

    /// What happens without a shopper or a fault.
    fn work(&self, world: &World, actions: &mut Vec<Action>) {
        match world.late {
            Some(Late::Task(who, execution) | Late::Saga(who, execution)) => {
                actions.extend(answers(world, who, execution).iter().map(|answer| Action::Late(*answer)));
            }
            Some(Late::Pay(..) | Late::Refund(..)) => actions.extend([Action::Late(Answer::Charged), Action::LateDies]),
            None => {}
        }
        for who in Who::ALL {
            let shopper = &world.shoppers[who];
            if let Some(execution) = shopper.saga {
                actions.extend(answers(world, who, execution).iter().map(|answer| Action::Saga(who, *answer)));
            }
            for nth in Nth::ALL.into_iter().filter(|nth| shopper.requests[*nth] != Request::NotSent) {
                actions.extend([Action::Open(who, nth), Action::GiveBack(who, nth), Action::EndOverdue(who, nth)]);
                if shopper.orders[nth].is_some() {
                    actions.extend(Nth::ALL.map(|attempt| Action::Send(who, nth, attempt)));
                    actions.extend(Nth::ALL.map(|attempt| Action::StartSaga(who, nth, attempt)));
                }
                if shopper.removed[nth].is_some() {
                    actions.push(Action::ReleaseRemoved(who, nth));
                }
            }
            self.settlings(world, who, actions);
            actions.push(Action::TimePasses(who));
            if self.bug != Some(Bug::NobodyReconciles) {
                actions.extend(self.layout.numbers().map(|shard| Action::ReleaseAbandoned(who, shard)));
                actions.push(Action::StartSagaAgain(who));
            }
            actions.push(Action::SettleRefund(who));
            if self.refunds {
                actions.extend([Action::RefundGoesOn(who), Action::RefundAgain(who)]);
            }
        }
    }

    /// Applies `action`. Changes nothing if the action is impossible now.
    fn happen(&self, world: &mut World, action: Action) {
        match action {
            Action::Claim(who, nth, shard) => claim(world, who, nth, shard),
            Action::Open(who, nth) => open(world, who, nth),
            Action::GiveBack(who, nth) => self.give_back(world, who, nth),
            Action::CheckOut(who) => {
                if let Some(reservation) = world.shoppers[who].reservation {
                    purchases::start(world, who, reservation.nth);
                }
            }
            Action::Pay(who) => {
                if let Some(nth) = self.waits(world, who) {
                    purchases::start_again(world, who, nth, self.bug);
                }
            }
            Action::PayIsLate(who) => {
                if let (true, None, Some(nth)) = (self.lateness, world.late, self.waits(world, who)) {
                    world.late = Some(Late::Pay(who, nth));
                }
            }
            Action::Send(who, nth, attempt) => launch(world, who, nth, attempt, Launch::Sending, Launch::Queued),
            Action::AskAgain(who) => {
                let reservation = world.shoppers[who].reservation;
                if let Some((nth, attempt)) = reservation.and_then(|found| pending(world, who, found.nth)) {
                    launch(world, who, nth, attempt, Launch::Lost, Launch::Queued);
                }
            }
            Action::Cancel(who) => end(world, who, |found| found.status == ReservationStatus::Held),
            Action::StartSaga(who, nth, attempt) => start_saga(world, who, nth, attempt),
            Action::Saga(who, answer) => {
                if let Some(execution) = world.shoppers[who].saga {
                    let then = execution.turn(world, who, answer, self.bug);
                    world.shoppers[who].saga = execution.after(then);
                }
            }
            Action::Late(answer) => self.late(world, answer),
            Action::TimePasses(who) => {
                if let Some(reservation) = &mut world.shoppers[who].reservation {
                    reservation.time_is_over = true;
                }
            }
            Action::EndOverdue(who, nth) => {
                let spares_paying = self.bug != Some(Bug::EndOfHoldIgnoresPaying);
                end(world, who, |found| {
                    let is_overdue = if spares_paying { found.is_overdue() } else { found.time_is_over };
                    found.nth == nth && is_overdue
                });
            }
            Action::ReleaseRemoved(who, nth) => self.release_removed(world, who, nth),
            Action::ReleaseAbandoned(who, shard) => self.release_abandoned(world, who, shard),
            Action::StartSagaAgain(who) => start_saga_again(world, who),
            Action::SettleRefund(who) => refunds::settle(world, who),
            Action::Refund(who) => world.begin_refund(who),
            Action::RefundGoesOn(who) => world.refund_goes_on(who, self.bug),
            Action::RefundAgain(who) => world.refund_again(who),
            Action::RefundRunsTwice(who) => {
                if let (true, None, Some(run)) = (self.lateness, world.late, world.shoppers[who].refund.take()) {
                    world.late = Some(Late::Refund(who, run));
                    world.refund_again(who);
                }
            }
            Action::StartByHand(who, nth, attempt) => world.late = Some(Late::Saga(who, Execution::begins(nth, attempt))),
            Action::TaskRunsTwice(who) => {
                if let (true, None, Some(execution)) = (self.lateness, world.late, &mut world.shoppers[who].saga) {
                    world.late = Some(Late::Task(who, *execution));
                    execution.step = execution.step.task().begins();
                }
            }
            Action::TaskGivesUp(who) => {
                let may_give_up = |task: Task| task.may_give_up() && (self.by_hand || task != Task::Refund);
                if let Some(execution) = world.shoppers[who].saga.filter(|execution| may_give_up(execution.step.task())) {
                    world.shoppers[who].saga = execution.after(Then::Fails);
                }
            }
            Action::LateDies => world.late = None,
            Action::LateMoney(action) => action.happen(world, self.bug),
            Action::ReserveCrashes(who, nth) => match world.shoppers[who].requests[nth] {
                Request::Claimed(_) | Request::GivesBack(_) if self.may_crash(world) => {
                    world.crashed = true;
                    world.shoppers[who].requests[nth] = Request::Over;
                }
                Request::Claimed(_) | Request::GivesBack(_) | Request::NotSent | Request::Over => {}
            },
            Action::SenderCrashes(who, nth, attempt) => {
                if self.may_crash(world) {
                    let before = *world;
                    launch(world, who, nth, attempt, Launch::Sending, Launch::Lost);
                    world.crashed = *world != before;
                }
            }
            Action::SagaCrashes(who) => {
                if self.may_crash(world) && world.shoppers[who].saga.take().is_some() {
                    world.crashed = true;
                }
            }
            Action::RefundCrashes(who) => {
                if self.may_crash(world) && world.shoppers[who].refund.take().is_some() {
                    world.crashed = true;
                }
            }
        }
    }

    fn may_crash(&self, world: &World) -> bool {
        self.crashes && !world.crashed
    }

    fn give_back(&self, world: &mut World, who: Who, nth: Nth) {
        if let Request::GivesBack(shard) = world.shoppers[who].requests[nth] {
            world.release(shard, who, nth, self.bug);
            world.shoppers[who].requests[nth] = Request::Over;
        }
    }

    /// `functions/workers/release-stock`.
    fn release_removed(&self, world: &mut World, who: Who, nth: Nth) {
        if let Some(shard) = world.shoppers[who].removed[nth] {
            // The record of the first reservation, which may come again.
            self.release(world, (shard, Ledger::FIRST_END), who, nth);
        }
    }

    /// `ReleaseStock::release`: expires the waiting order, then releases the unit if it was claimed until `end`. Each is a step of
    /// its own. An order without a reservation never waits again, so a run that finds it expired may release the unit.
    fn release(&self, world: &mut World, (shard, end): (ShardNumber, Timestamp), who: Who, nth: Nth) {
        let waits = world.order(who, nth).is_some_and(|order| order.status == OrderStatus::AwaitingPayment);
        if waits && self.bug != Some(Bug::OrderDoesNotExpire) {
            purchases::expire(world, who, nth);
        } else if self.bug == Some(Bug::ReleaseForgetsTheReservation) {
            world.release(shard, who, nth, self.bug);
        } else {
            let end = if self.bug == Some(Bug::ReleaseForgetsTheClaim) { Ledger::SECOND_END } else { end };
            world.shards[shard].make(who, nth, |stock, shopper, id| stock.release_ended(shopper, id, end));
        }
    }

    /// Releases a hold without a reservation, once the run that claimed it is certainly dead.
    fn release_abandoned(&self, world: &mut World, who: Who, shard: ShardNumber) {
        let Some(nth) = world.shards[shard].held[who] else { return };
        let is_settled = world.shoppers[who].requests[nth] == Request::Over || self.bug == Some(Bug::ClaimsDoNotSettle);
        // The hold of a run of `settle-payment` outlasts the run.
        let is_again = world.shards[shard].again[who];
        let is_dead = !is_again || Nth::ALL.into_iter().all(|run| world.shoppers[who].settling[run].is_none());
        let end = if is_again { Ledger::SECOND_END } else { Ledger::FIRST_END };
        match world.reservation(who, nth) {
            Some(found) if found.shard == shard => {}
            // A second claim under the same id: the reservation is for units of another shard, and its order stays.
            Some(_) if is_settled && is_dead => {
                world.shards[shard].make(who, nth, |stock, shopper, id| stock.release_ended(shopper, id, end));
            }
            None if is_settled && is_dead => self.release(world, (shard, end), who, nth),
            Some(_) | None => {}
        }
    }

    /// The order that `pay` finds waiting, if the shopper may pay it once more.
    fn waits(&self, world: &World, who: Who) -> Option<Nth> {
        let nth = world.shoppers[who].reservation?.nth;
        let order = world.order(who, nth)?;
        (order.status == OrderStatus::AwaitingPayment && order.attempt == Nth::First && self.attempts > 1).then_some(nth)
    }

    fn late(&self, world: &mut World, answer: Answer) {
        match world.late {
            Some(Late::Task(who, execution)) => {
                let then = execution.turn(world, who, answer, self.bug);
                let same_task = |after: &Execution| {
                    after.step.task() == execution.step.task() && after.step != execution.step.task().begins()
                };
                world.late = execution.after(then).filter(same_task).map(|after| Late::Task(who, after));
            }
            Some(Late::Saga(who, execution)) => {
                let then = execution.turn(world, who, answer, self.bug);
                world.late = execution.after(then).map(|after| Late::Saga(who, after));
            }
            Some(Late::Refund(who, run)) => {
                world.late = run.turn(world, who, self.bug).map(|after| Late::Refund(who, after));
            }
            Some(Late::Pay(who, nth)) => {
                purchases::start_again(world, who, nth, self.bug);
                world.late = None;
            }
            None => {}
        }
    }
}

impl World {
    /// Makes the domain's release.
    pub fn release(&mut self, shard: ShardNumber, who: Who, nth: Nth, bug: Option<Bug>) {
        let ledger = &mut self.shards[shard];
        let nth = match ledger.held[who] {
            Some(held) if bug == Some(Bug::ReleaseForgetsTheReservation) => held,
            Some(_) | None => nth,
        };
        ledger.make(who, nth, StockShard::release);
    }
}

/// The possible answers of the gateway if `execution` asks it to charge now.
fn answers(world: &World, who: Who, execution: Execution) -> &'static [Answer] {
    let book = world.order(who, execution.order).map_or(Book::Untouched, |order| order.attempts[execution.attempt].book);
    if matches!(execution.step, Step::ChargeAsks(_)) {
        book.answers()
    } else if execution.step == Step::CaptureAsks && book == Book::Authorised {
        &Answer::OF_A_CAPTURE
    } else {
        &[Answer::Charged]
    }
}

/// `UnitReservations::claim`. A refused request leaves nothing behind, and may be sent again.
fn claim(world: &mut World, who: Who, nth: Nth, shard: ShardNumber) {
    if world.shoppers[who].requests[nth] == Request::NotSent {
        match world.shards[shard].claim(who, nth) {
            ClaimOutcome::Claimed => world.shoppers[who].requests[nth] = Request::Claimed(shard),
            ClaimOutcome::AlreadyHeld(_) | ClaimOutcome::AlreadySold(_) | ClaimOutcome::NotEnough { .. } => {}
        }
    }
}

/// `UnitReservations::open`: one reservation per shopper and sale; the first stays.
fn open(world: &mut World, who: Who, nth: Nth) {
    let shopper = &mut world.shoppers[who];
    if let Request::Claimed(shard) = shopper.requests[nth] {
        shopper.requests[nth] = match shopper.reservation {
            None => {
                shopper.reservation = Some(Reservation::held(nth, shard));
                Request::Over
            }
            Some(_) => Request::GivesBack(shard),
        };
    }
}

/// `Reservations::end`. Only the removal of a held reservation leaves a stream record here, because `release-stock` ignores all
/// others.
fn end(world: &mut World, who: Who, condition: impl FnOnce(Reservation) -> bool) {
    let shopper = &mut world.shoppers[who];
    if let Some(Reservation { nth, shard, status, .. }) = shopper.reservation.filter(|found| condition(*found)) {
        shopper.reservation = None;
        if status == ReservationStatus::Held {
            shopper.removed[nth] = Some(shard);
        }
    }
}

/// The attempt with which an order is pending.
fn pending(world: &World, who: Who, nth: Nth) -> Option<(Nth, Nth)> {
    world.order(who, nth).filter(|order| order.status == OrderStatus::Pending).map(|order| (nth, order.attempt))
}

fn launch(world: &mut World, who: Who, nth: Nth, attempt: Nth, from: Launch, to: Launch) {
    if let Some(Attempt { launch, .. }) = world.attempt(who, nth, attempt).filter(|attempt| attempt.launch == from) {
        *launch = to;
    }
}

/// `functions/workers/start-payment`. One execution per name, so the message may come again. An execution of the
/// previous attempt that has not ended yet continues beside this one.
fn start_saga(world: &mut World, who: Who, nth: Nth, attempt: Nth) {
    let is_queued = world.order(who, nth).is_some_and(|order| order.attempts[attempt].launch == Launch::Queued);
    let (running, execution) = (world.shoppers[who].saga, Execution::begins(nth, attempt));
    match (running, world.late) {
        (None, _) => {}
        (Some(running), None) if is_queued => world.late = Some(Late::Saga(who, running)),
        (Some(_), Some(_) | None) => return,
    }
    if is_queued {
        world.shoppers[who].saga = Some(execution);
        launch(world, who, nth, attempt, Launch::Queued, Launch::Started);
    }
}

/// Starts the saga of a pending order that has no running execution. It uses the attempt's own name if no run has used
/// it yet, so that a message in transit finds the name taken; else its next name. Late tasks of the ended execution may
/// still run.
fn start_saga_again(world: &mut World, who: Who) {
    let found = Nth::ALL.into_iter().find_map(|nth| pending(world, who, nth));
    let (None, Some((nth, attempt))) = (world.shoppers[who].saga, found) else { return };
    match world.order(who, nth).map(|order| order.attempts[attempt].launch) {
        Some(Launch::Lost | Launch::Queued | Launch::Started) => {}
        // The sender of its message is alive, so the order is too young for `reconcile`.
        Some(Launch::Sending | Launch::None) | None => return,
    }
    world.shoppers[who].saga = Some(Execution::begins(nth, attempt));
    for from in [Launch::Queued, Launch::Lost] {
        launch(world, who, nth, attempt, from, Launch::Started);
    }
}
