//! The state of the small world: what the tables, the queues, the stream and the gateway's books hold, as small as can be,
//! and the shapes in which the domain's functions see it.

use std::{
    collections::BTreeMap,
    ops::{Index, IndexMut},
    sync::LazyLock,
};

use domain::{
    AttemptStatus, ClaimOutcome, Hold, OrderStatus, OrderStep, PaymentStatus, Quantity, ReservationId, ReservationStatus,
    ShardLayout, ShardNumber, ShopperId, Sold, StockShard, Timestamp,
};

use crate::saga::Execution;

/// A shopper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// One.
    Ann,
    /// The other.
    Bob,
}

/// Which of a shopper's reservations, and so of their orders; or which attempt to pay an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Nth {
    /// The first.
    First,
    /// The second.
    Second,
}

/// Two of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair<T>(T, T);

impl Who {
    /// Everybody.
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

impl<T> Index<Who> for Pair<T> {
    type Output = T;
    fn index(&self, who: Who) -> &T {
        match who {
            Who::Ann => &self.0,
            Who::Bob => &self.1,
        }
    }
}

impl<T> IndexMut<Who> for Pair<T> {
    fn index_mut(&mut self, who: Who) -> &mut T {
        match who {
            Who::Ann => &mut self.0,
            Who::Bob => &mut self.1,
        }
    }
}

impl<T> Index<Nth> for Pair<T> {
    type Output = T;
    fn index(&self, nth: Nth) -> &T {
        match nth {
            Nth::First => &self.0,
            Nth::Second => &self.1,
        }
    }
}

impl<T> IndexMut<Nth> for Pair<T> {
    fn index_mut(&mut self, nth: Nth) -> &mut T {
        match nth {
            Nth::First => &mut self.0,
            Nth::Second => &mut self.1,
        }
    }
}

impl<T> Index<ShardNumber> for Pair<T> {
    type Output = T;
    fn index(&self, shard: ShardNumber) -> &T {
        if shard.0 == 0 { &self.0 } else { &self.1 }
    }
}

impl<T> IndexMut<ShardNumber> for Pair<T> {
    fn index_mut(&mut self, shard: ShardNumber) -> &mut T {
        if shard.0 == 0 { &mut self.0 } else { &mut self.1 }
    }
}

impl<T> Pair<T> {
    fn swapped(self) -> Self {
        Self(self.1, self.0)
    }
}

/// Everything that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct World {
    /// The sale's shards.
    pub shards: Pair<Ledger>,
    /// The shoppers and what is theirs.
    pub shoppers: Pair<Shopper>,
    /// The one run that is late: it has read what it read and will write when nobody expects it any more.
    pub late: Option<Late>,
    /// The one process that may crash has crashed.
    pub crashed: bool,
}

/// A stock shard. One unit is what anybody asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ledger {
    capacity: u32,
    available: u32,
    /// Under which of the shopper's reservations.
    pub held: Pair<Option<Nth>>,
    /// Under which of the shopper's reservations.
    pub sold: Pair<Option<Nth>>,
}

/// What is one shopper's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shopper {
    /// Requests for a unit. A claim by the second makes the second reservation id.
    pub requests: Pair<Request>,
    /// The reservation: there is one item per shopper and sale.
    pub reservation: Option<Reservation>,
    /// The stream's records of reservations that were removed while they were held, each with the shard of its unit. A record
    /// may come again.
    pub removed: Pair<Option<ShardNumber>>,
    /// The orders: each has its reservation's id.
    pub orders: Pair<Option<Order>>,
    /// The running execution of the payment saga, the one that a message or `reconcile` has started last.
    pub saga: Option<Execution>,
}

/// A run of `reserve`, between its writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Request {
    /// Not sent, or refused, so that it may be sent again.
    #[default]
    NotSent,
    /// Has claimed a unit; the reservation is not written yet.
    Claimed(ShardNumber),
    /// Has found the shopper's other reservation; its unit is not released yet.
    GivesBack(ShardNumber),
    /// Answered, or dead.
    Over,
}

/// A reservation item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reservation {
    /// Its id.
    pub nth: Nth,
    /// Where its unit is.
    pub shard: ShardNumber,
    /// Where it stands.
    pub status: ReservationStatus,
    /// Its `expires_at` has come. One that is being paid has always reached it: nothing may depend on that.
    pub time_is_over: bool,
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order {
    /// Where it stands.
    pub status: OrderStatus,
    /// It has failed, and its payment is to be given back: a person looks at it.
    pub refund_pending: bool,
    /// The attempt that was begun last.
    pub attempt: Nth,
    /// How many payments were started, counted by the model alone.
    pub payments: u8,
    /// What is known of the attempts.
    pub attempts: Pair<Attempt>,
}

/// An attempt to pay an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attempt {
    /// The way to its saga.
    pub launch: Launch,
    /// The attempt's item.
    pub status: Option<AttemptStatus>,
    /// The same, while it is started: another run than the first may have asked the gateway.
    pub asked_again: bool,
    /// The gateway's books under the attempt's idempotency key.
    pub book: Book,
}

/// How an attempt gets to its saga: `checkout` or `pay`, the orders queue, `start-payment`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Launch {
    /// There is no such attempt yet.
    #[default]
    None,
    /// The order is pending with it; the message is about to be sent.
    Sending,
    /// The sender died first.
    Lost,
    /// On the orders queue.
    Queued,
    /// An execution was started in its name. The message may come again: the name is taken.
    Started,
}

/// What the gateway's books say of a key; as `store::EntryState`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Book {
    /// Nothing: it was not asked, or it was down.
    #[default]
    Untouched,
    /// Charged.
    Charged,
    /// Declined.
    Declined,
    /// Charged and given back.
    Refunded,
    /// Never charged, and never will be.
    Voided,
}

/// A run that has been given up for dead, or whose message came twice, and that still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Late {
    /// One task of a saga, beside its own retry.
    Task(Who, Execution),
    /// Another execution of a saga, of this attempt or of an earlier one.
    Saga(Who, Execution),
    /// `pay`, which has read that the order waits with its first attempt behind it.
    Pay(Who, Nth),
}

/// A moment before every end of a hold, and such an end.
const BEFORE: Timestamp = Timestamp::UNIX_EPOCH;
const END: Timestamp = Timestamp::MAX;

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

    /// An attempt's place, if there is such an order.
    pub fn attempt(&mut self, who: Who, nth: Nth, attempt: Nth) -> Option<&mut Attempt> {
        self.shoppers[who].orders[nth].as_mut().map(|order| &mut order.attempts[attempt])
    }

    /// The same world with the shoppers' names exchanged.
    fn with_shoppers_swapped(mut self) -> Self {
        self.shoppers = self.shoppers.swapped();
        for shard in [ShardNumber(0), ShardNumber(1)] {
            let ledger = &mut self.shards[shard];
            (ledger.held, ledger.sold) = (ledger.held.swapped(), ledger.sold.swapped());
        }
        self.late = self.late.map(|late| match late {
            Late::Task(who, execution) => Late::Task(who.other(), execution),
            Late::Saga(who, execution) => Late::Saga(who.other(), execution),
            Late::Pay(who, nth) => Late::Pay(who.other(), nth),
        });
        self
    }

    /// The same world with the shards' numbers exchanged.
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
            if let Some(shard) = shopper.saga.as_mut().and_then(|execution| execution.step.shard_mut()) {
                swap(shard);
            }
        }
        match &mut self.late {
            Some(Late::Task(_, execution) | Late::Saga(_, execution)) => {
                if let Some(shard) = execution.step.shard_mut() {
                    swap(shard);
                }
            }
            Some(Late::Pay(..)) | None => {}
        }
        self
    }

    /// The one of all worlds that differ from this one in names only. Shards differ in more than their numbers unless they
    /// have the same capacity.
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
    /// The shard as the domain knows it.
    pub fn as_stock(&self) -> StockShard {
        let id = |who: Who, nth: Nth| IDS[who][nth].clone();
        let held = |who: Who| self.held[who].map(|nth| (who.id().clone(), hold(&id(who, nth))));
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
        Self {
            capacity: stock.capacity(),
            available: stock.available(),
            held: Pair(held(Who::Ann), held(Who::Bob)),
            sold: Pair(sold(Who::Ann), sold(Who::Bob)),
        }
    }

    /// The domain's claim.
    pub fn claim(&mut self, who: Who, nth: Nth) -> ClaimOutcome {
        self.make(who, nth, |stock, shopper, id| stock.claim(shopper, hold(id)))
    }

    /// Makes one of the domain's four moves, with the names that it is to be made for.
    pub fn make<T>(&mut self, who: Who, nth: Nth, a_move: impl FnOnce(&mut StockShard, &ShopperId, &ReservationId) -> T) -> T {
        let mut stock = self.as_stock();
        let outcome = a_move(&mut stock, who.id(), &IDS[who][nth]);
        *self = Self::of(&stock);
        outcome
    }

    /// What `who` has here of its reservation `nth`, held or sold.
    pub fn has(&self, who: Who, nth: Nth) -> bool {
        self.held[who] == Some(nth) || self.sold[who] == Some(nth)
    }
}

fn hold(reservation: &ReservationId) -> Hold {
    Hold { reservation: reservation.clone(), quantity: Quantity::ONE, expires_at: END }
}

impl Reservation {
    /// A new one.
    pub fn held(nth: Nth, shard: ShardNumber) -> Self {
        Self { nth, shard, status: ReservationStatus::Held, time_is_over: false }
    }

    /// The reservation as the domain knows it, and the time.
    fn as_domain(self) -> (domain::Reservation, Timestamp) {
        let (who, nth) = (Who::Ann, self.nth);
        let reservation = domain::Reservation {
            id: IDS[who][nth].clone(),
            shopper: who.id().clone(),
            shard: self.shard,
            quantity: Quantity::ONE,
            status: self.status,
            expires_at: if self.time_is_over { BEFORE } else { END },
            created_at: BEFORE,
        };
        (reservation, BEFORE)
    }

    /// As the domain says.
    pub fn is_overdue(self) -> bool {
        let (reservation, now) = self.as_domain();
        reservation.is_overdue(now)
    }

    /// Whether its time is over after a failed payment, as the domain moves its end.
    pub fn time_is_over_after_failed_payment(self) -> bool {
        let (reservation, now) = self.as_domain();
        reservation.end_after_failed_payment(now) <= now
    }
}

impl Order {
    /// A new order that is being paid.
    pub fn started() -> Self {
        let (status, ..) = OrderStep::PaymentStarted.leads_to();
        let mut order = Self { status, refund_pending: false, attempt: Nth::First, payments: 1, attempts: Pair::default() };
        order.attempts[Nth::First].launch = Launch::Sending;
        order
    }

    /// Takes a step that it may take.
    pub fn take(&mut self, step: OrderStep) {
        let (status, payment, _) = step.leads_to();
        self.status = status;
        self.refund_pending = payment == PaymentStatus::RefundPending;
    }
}
