//! The state of the small world, as small as possible: tables, queues, the stream and the gateway's books. Converts it to the
//! types on which the domain's functions work.

use std::{
    collections::BTreeMap,
    ops::{Index, IndexMut},
    sync::LazyLock,
};

use domain::{
    AttemptStatus, ClaimOutcome, Hold, LateMoney, OrderStatus, OrderStep, PaymentStatus, Quantity, ReservationId,
    ReservationStatus, ShardLayout, ShardNumber, ShopperId, Sold, StockShard, Timestamp,
};

use crate::{
    late::Settling,
    refunds::{RefundRun, RefundStep},
    saga::Execution,
};

/// A shopper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// The first shopper.
    Ann,
    /// The second shopper.
    Bob,
}

/// The number of a shopper's reservation, and so of its order; or of an attempt to pay an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Nth {
    /// The first one.
    First,
    /// The second one.
    Second,
}

/// Two values of a kind, one per shopper, per reservation or attempt, or per shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair<T>(T, T);

impl Who {
    /// Both shoppers.
    pub const ALL: [Self; 2] = [Self::Ann, Self::Bob];

    fn other(self) -> Self {
        match self {
            Self::Ann => Self::Bob,
            Self::Bob => Self::Ann,
        }
    }

    fn id(self) -> &'static ShopperId {
        &SHOPPERS[self]
    }
}

impl Nth {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];
}

/// Lets a pair be indexed by types with two values, of which `$first` is the first.
macro_rules! index_pairs_by {
    ($($type:ty: $first:pat),+) => {$(
        impl<T> Index<$type> for Pair<T> {
            type Output = T;
            fn index(&self, of: $type) -> &T {
                if matches!(of, $first) { &self.0 } else { &self.1 }
            }
        }
        impl<T> IndexMut<$type> for Pair<T> {
            fn index_mut(&mut self, of: $type) -> &mut T {
                if matches!(of, $first) { &mut self.0 } else { &mut self.1 }
            }
        }
    )+};
}
index_pairs_by!(Who: Who::Ann, Nth: Nth::First, ShardNumber: ShardNumber(0));

impl<T> Pair<T> {
    fn swapped(self) -> Self {
        Self(self.1, self.0)
    }
}

/// The whole state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct World {
    /// The sale's shards.
    pub shards: Pair<Ledger>,
    /// The shoppers and their items.
    pub shoppers: Pair<Shopper>,
    /// The one late run: it has read its items and writes when no other run expects it any more.
    pub late: Option<Late>,
    /// Whether the one process that may crash has crashed.
    pub crashed: bool,
}

/// A stock shard. Every shopper asks for one unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ledger {
    capacity: u32,
    available: u32,
    /// The reservation under which each shopper holds a unit.
    pub held: Pair<Option<Nth>>,
    /// Whether the unit that each shopper holds was claimed again, for an order that is paid late.
    pub again: Pair<bool>,
    /// The reservation under which each shopper has bought a unit.
    pub sold: Pair<Option<Nth>>,
}

/// One shopper's items and requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shopper {
    /// Requests for a unit. The claim of the second request makes the second reservation id.
    pub requests: Pair<Request>,
    /// The reservation item; there is one per shopper and sale.
    pub reservation: Option<Reservation>,
    /// The stream's records of reservations that were removed while held, each with the shard of its unit. A record may come
    /// again.
    pub removed: Pair<Option<ShardNumber>>,
    /// The orders. Each has its reservation's id.
    pub orders: Pair<Option<Order>>,
    /// The running execution of the payment saga: the one that a message or `reconcile` started last.
    pub saga: Option<Execution>,
    /// Two runs of `settle-payment`, for late money.
    pub settling: Pair<Option<Settling>>,
    /// The run that finishes an operator's refund.
    pub refund: Option<RefundRun>,
}

/// A run of `reserve`, between two of its writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Request {
    /// Not sent, or refused, so that it may be sent again.
    #[default]
    NotSent,
    /// Has claimed a unit, but not written the reservation yet.
    Claimed(ShardNumber),
    /// Has found the shopper's other reservation, but not released its own unit yet.
    GivesBack(ShardNumber),
    /// Answered, or dead.
    Over,
}

/// A reservation item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reservation {
    /// Whether it is the first or the second reservation of its shopper.
    pub nth: Nth,
    /// The shard of its unit.
    pub shard: ShardNumber,
    /// As `store` writes it.
    pub status: ReservationStatus,
    /// Whether its `expires_at` has come. For a reservation that is being paid it always has, because nothing may depend on it.
    pub time_is_over: bool,
}

/// An order item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order {
    /// As `store` writes it.
    pub status: OrderStatus,
    /// The order has failed, and its refund is not confirmed: it waits for a person.
    pub refund_pending: bool,
    /// An operator's refund is pending.
    pub returning: bool,
    /// The attempt that began last.
    pub attempt: Nth,
    /// The number of started payments, which only the model counts.
    pub payments: u8,
    /// The first and the second attempt to pay.
    pub attempts: Pair<Attempt>,
}

/// An attempt to pay an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt {
    /// How far it has come on its way to the saga.
    pub launch: Launch,
    /// The status in the attempt's item, if there is an item.
    pub status: Option<AttemptStatus>,
    /// The flag of the attempt's item while it is started: another run than the first may have asked the gateway.
    pub asked_again: bool,
    /// The gateway's books under the attempt's idempotency key. The payment of an attempt that is paid late is that of the first.
    pub book: Book,
    /// What was decided about its late money.
    pub late_money: Option<LateMoney>,
}

/// The way of an attempt to its saga: `checkout` or `pay`, the orders queue, `start-payment`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Launch {
    /// There is no such attempt yet.
    #[default]
    None,
    /// The order is pending with this attempt; its message is about to be sent.
    Sending,
    /// The sender died before it sent the message.
    Lost,
    /// On the orders queue.
    Queued,
    /// An execution was started under the attempt's name. The message may come again, and finds the name taken.
    Started,
}

/// The entry of a key in the gateway's books; see `store::EntryState`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Book {
    /// Nothing: the gateway was not asked, or was down.
    #[default]
    Untouched,
    /// The money is reserved.
    Authorised,
    /// Authorised, then captured.
    Captured,
    /// Charged at once.
    Charged,
    /// Declined: no money moved.
    Declined,
    /// Charged and refunded.
    Refunded,
    /// Never charged, and never will be.
    Voided,
}

/// A run that was considered dead, or whose message came twice, and that continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Late {
    /// One task of a saga, beside its own retry.
    Task(Who, Execution),
    /// Another execution of a saga, of this attempt or of an earlier one.
    Saga(Who, Execution),
    /// `pay`, after it has read that the order waits with its first attempt behind it.
    Pay(Who, Nth),
    /// Another run for an operator's refund.
    Refund(Who, RefundRun),
}

/// A time before the end of every hold, and the end of every hold.
const BEFORE: Timestamp = Timestamp::UNIX_EPOCH;
const END: Timestamp = Ledger::FIRST_END;

static SHOPPERS: LazyLock<Pair<ShopperId>> = LazyLock::new(|| Pair(parsed("ann"), parsed("bob")));
static IDS: LazyLock<Pair<Pair<ReservationId>>> = LazyLock::new(|| {
    let id = |n: u8| parsed(&format!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3{n}"));
    Pair(Pair(id(1), id(2)), Pair(id(3), id(4)))
});

fn parsed<T: std::str::FromStr<Err = domain::IdError>>(text: &str) -> T {
    text.parse().expect("an id")
}

impl World {
    /// A sale that has just started.
    pub fn new(layout: &ShardLayout) -> Self {
        let mut shards = Pair::default();
        for (shard, capacity) in layout.numbers().zip(layout.capacities()) {
            shards[shard] = Ledger::of(&StockShard::new(capacity));
        }
        Self { shards, shoppers: Pair::default(), late: None, crashed: false }
    }

    /// The reservation of `who` if it has this id; compare `saga::reservation`.
    pub fn reservation(&self, who: Who, nth: Nth) -> Option<Reservation> {
        self.shoppers[who].reservation.filter(|found| found.nth == nth)
    }

    /// The order of `who` with this id.
    pub fn order(&self, who: Who, nth: Nth) -> Option<Order> {
        self.shoppers[who].orders[nth]
    }

    /// The attempt of an order, if the order exists.
    pub fn attempt(&mut self, who: Who, nth: Nth, attempt: Nth) -> Option<&mut Attempt> {
        self.shoppers[who].orders[nth].as_mut().map(|order| &mut order.attempts[attempt])
    }

    /// The same world with the shoppers' names swapped.
    fn with_shoppers_swapped(mut self) -> Self {
        self.shoppers = self.shoppers.swapped();
        for shard in [ShardNumber(0), ShardNumber(1)] {
            let ledger = &mut self.shards[shard];
            (ledger.held, ledger.sold) = (ledger.held.swapped(), ledger.sold.swapped());
            ledger.again = ledger.again.swapped();
        }
        self.late = self.late.map(|late| match late {
            Late::Task(who, execution) => Late::Task(who.other(), execution),
            Late::Saga(who, execution) => Late::Saga(who.other(), execution),
            Late::Pay(who, nth) => Late::Pay(who.other(), nth),
            Late::Refund(who, run) => Late::Refund(who.other(), run),
        });
        self
    }

    /// The same world with the shards' numbers swapped.
    fn with_shards_swapped(mut self) -> Self {
        fn swap(shard: &mut ShardNumber) {
            shard.0 = 1 - shard.0;
        }
        self.shards = self.shards.swapped();
        for who in Who::ALL {
            let shopper = &mut self.shoppers[who];
            for nth in Nth::ALL {
                match &mut shopper.requests[nth] {
                    Request::Claimed(shard) | Request::GivesBack(shard) => swap(shard),
                    Request::NotSent | Request::Over => {}
                }
                if let Some(removed) = &mut shopper.removed[nth] {
                    swap(removed);
                }
            }
            if let Some(reservation) = &mut shopper.reservation {
                swap(&mut reservation.shard);
            }
            if let Some(RefundRun { step: RefundStep::TakesBack(shard), .. }) = &mut shopper.refund {
                swap(shard);
            }
            if let Some(shard) = shopper.saga.as_mut().and_then(|execution| execution.step.shard_mut()) {
                swap(shard);
            }
            for run in Nth::ALL {
                if let Some(shard) = shopper.settling[run].as_mut().and_then(Settling::shard_mut) {
                    swap(shard);
                }
            }
        }
        match &mut self.late {
            Some(Late::Task(_, execution) | Late::Saga(_, execution)) => {
                if let Some(shard) = execution.step.shard_mut() {
                    swap(shard);
                }
            }
            Some(Late::Refund(_, RefundRun { step: RefundStep::TakesBack(shard), .. })) => swap(shard),
            Some(Late::Pay(..) | Late::Refund(..)) | None => {}
        }
        self
    }

    /// The representative of all worlds that differ only in names. Shards differ only in their numbers if they have the same
    /// capacity.
    #[must_use]
    pub fn representative(&self) -> Self {
        let by_shopper = (*self).min(self.with_shoppers_swapped());
        if self.shards[ShardNumber(0)].capacity != self.shards[ShardNumber(1)].capacity {
            return by_shopper;
        }
        let other = self.with_shards_swapped();
        by_shopper.min(other).min(other.with_shoppers_swapped())
    }
}

impl Ledger {
    /// The end of a first hold.
    pub const FIRST_END: Timestamp = Timestamp::constant(1_000, 0);
    /// The end of a hold that was claimed again: later.
    pub const SECOND_END: Timestamp = Timestamp::constant(2_000, 0);

    /// The shard as the domain knows it.
    pub fn as_stock(&self) -> StockShard {
        let id = |who: Who, nth: Nth| IDS[who][nth].clone();
        let held = |who: Who| self.held[who].map(|nth| (who.id().clone(), hold(&id(who, nth), self.again[who])));
        let sold = |who: Who| {
            let sold = |nth| Sold { reservation: id(who, nth), quantity: Quantity::ONE };
            self.sold[who].map(|nth| (who.id().clone(), sold(nth)))
        };
        let (held, sold) = (Who::ALL.into_iter().filter_map(held).collect(), Who::ALL.into_iter().filter_map(sold).collect());
        StockShard::from_parts(self.capacity, self.available, held, sold)
    }

    fn of(stock: &StockShard) -> Self {
        fn nth_of<T>(entries: &BTreeMap<ShopperId, T>, who: Who, id: impl Fn(&T) -> &ReservationId) -> Option<Nth> {
            let entry = entries.get(who.id())?;
            Nth::ALL.into_iter().find(|nth| IDS[who][*nth] == *id(entry))
        }
        let held = |who| nth_of(stock.held(), who, |hold| &hold.reservation);
        let sold = |who| nth_of(stock.sold(), who, |sold| &sold.reservation);
        let again = |who: Who| stock.held().get(who.id()).is_some_and(|hold| hold.expires_at == Self::SECOND_END);
        Self {
            capacity: stock.capacity(),
            available: stock.available(),
            held: Pair(held(Who::Ann), held(Who::Bob)),
            sold: Pair(sold(Who::Ann), sold(Who::Bob)),
            again: Pair(again(Who::Ann), again(Who::Bob)),
        }
    }

    /// Makes the domain's claim.
    pub fn claim(&mut self, who: Who, nth: Nth) -> ClaimOutcome {
        self.make(who, nth, |stock, shopper, id| stock.claim(shopper, hold(id, false)))
    }

    /// Makes the domain's claim for an order that is paid late.
    pub fn claim_again(&mut self, who: Who, nth: Nth) -> ClaimOutcome {
        self.make(who, nth, |stock, shopper, id| stock.claim(shopper, hold(id, true)))
    }

    /// Makes one of the domain's four moves for this shopper and reservation.
    pub fn make<T>(&mut self, who: Who, nth: Nth, a_move: impl FnOnce(&mut StockShard, &ShopperId, &ReservationId) -> T) -> T {
        let mut stock = self.as_stock();
        let outcome = a_move(&mut stock, who.id(), &IDS[who][nth]);
        *self = Self::of(&stock);
        outcome
    }

    /// Whether `who` has a unit here under its reservation `nth`, held or sold.
    pub fn has(&self, who: Who, nth: Nth) -> bool {
        self.held[who] == Some(nth) || self.sold[who] == Some(nth)
    }
}

fn hold(reservation: &ReservationId, again: bool) -> Hold {
    let expires_at = if again { Ledger::SECOND_END } else { Ledger::FIRST_END };
    Hold { reservation: reservation.clone(), quantity: Quantity::ONE, expires_at }
}

impl Reservation {
    /// A new reservation.
    pub fn held(nth: Nth, shard: ShardNumber) -> Self {
        Self { nth, shard, status: ReservationStatus::Held, time_is_over: false }
    }

    /// The reservation as the domain knows it, and the present time.
    fn as_domain(self) -> (domain::Reservation, Timestamp) {
        let (who, nth) = (Who::Ann, self.nth);
        let reservation = domain::Reservation {
            id: IDS[who][nth].clone(),
            shopper: who.id().clone(),
            shard: self.shard,
            quantity: Quantity::ONE,
            status: self.status,
            expires_at: if self.time_is_over { BEFORE } else { END },
            // Its time may be over at any moment, so a latest end adds no history.
            latest_end: None,
            accounts: Vec::new(),
            created_at: BEFORE,
        };
        (reservation, BEFORE)
    }

    /// Whether the reservation is overdue, by the domain's rule.
    pub fn is_overdue(self) -> bool {
        let (reservation, now) = self.as_domain();
        reservation.is_overdue(now)
    }

    /// Whether its time is over after a failed payment, by the domain's rule.
    pub fn time_is_over_after_failed_payment(self) -> bool {
        let (reservation, now) = self.as_domain();
        reservation.end_after_failed_payment(now) <= now
    }
}

impl Order {
    /// A new order that is being paid.
    pub fn started() -> Self {
        let (status, ..) = OrderStep::PaymentStarted.leads_to();
        let mut order =
            Self { status, refund_pending: false, returning: false, attempt: Nth::First, payments: 1, attempts: Pair::default() };
        order.attempts[Nth::First].launch = Launch::Sending;
        order
    }

    /// Takes a step that the order may take.
    pub fn take(&mut self, step: OrderStep) {
        let (status, payment, _) = step.leads_to();
        self.status = status;
        self.refund_pending = payment == PaymentStatus::RefundPending;
    }
}
