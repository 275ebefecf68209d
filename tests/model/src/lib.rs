//! A sale so small that a program can visit every history of it: two shoppers, one or two units, one crash, and messages that
//! come late, twice, or in another order. `stateright` visits them all; docs/model.md says what that proves.
//!
//! The decisions are the domain's own code: its stock shard, its order steps, its statuses. The model repeats only what functions
//! and store add, the order of their calls and the conditions of their writes. Each repetition names the place that it mirrors.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "this is test code: what goes wrong here fails the test, loudly"
)]

mod gateway;
mod late;
mod moves;
pub mod properties;
mod purchases;
mod refunds;
mod saga;
mod world;

use domain::ShardLayout;

pub use gateway::{Answer, Returned};
pub use late::{OfLateMoney, Settling};
pub use moves::Action;
pub use refunds::{RefundRun, RefundStep};
pub use saga::{Call, Execution, Step, Task};
pub use world::{Attempt, Book, Late, Launch, Ledger, Nth, Order, Pair, Request, Reservation, Shopper, Who, World};

/// The model: a sale, and what may happen in it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct SmallWorld {
    /// How the units are spread over shards.
    pub layout: ShardLayout,
    /// Whether worlds that differ only in names count as one: the two shoppers, and the two shards, may swap names from
    /// state to state.
    pub anonymous: bool,
    /// A broken rule, to show that a property notices it.
    pub bug: Option<Bug>,
    /// Number of shoppers, one or two.
    pub shoppers: u8,
    /// Number of reservations for which one shopper may ask, one after the other or at the same time.
    pub reservations: u8,
    /// Number of times that a shopper may pay for an order.
    pub attempts: u8,
    /// Whether runs may be late: one at a time, any number in sequence.
    pub lateness: bool,
    /// Whether a person takes part: a refund may stay unconfirmed, and the person may start the saga of any attempt again at any
    /// time. The model runs one such saga at a time, in the place of a late run.
    pub by_hand: bool,
    /// Whether one process may crash, once.
    pub crashes: bool,
    /// Whether the gateway may get the money of an attempt after it has said that the attempt is declined.
    pub late_money: bool,
    /// Whether an operator refunds completed orders and takes their units back.
    pub refunds: bool,
}

impl SmallWorld {
    /// One unit and one shopper, who reserves once and pays once. No run is late, and nothing crashes.
    pub fn smallest() -> Self {
        Self {
            layout: ShardLayout::new(1, 1),
            anonymous: false,
            bug: None,
            shoppers: 1,
            reservations: 1,
            attempts: 1,
            lateness: false,
            by_hand: false,
            crashes: false,
            late_money: false,
            refunds: false,
        }
    }
}

/// A broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A release releases any hold of its shopper in the shard, under any reservation.
    ReleaseForgetsTheReservation,
    /// The end of a hold also ends a reservation that is being paid.
    EndOfHoldIgnoresPaying,
    /// A run that finds the gateway down writes "unavailable", also when another run may be asking the gateway.
    AnybodySaysUnavailable,
    /// A run asks the gateway again before it writes so.
    AskingAgainIsNotWrittenDown,
    /// The saga captures before it sells the unit.
    CapturesBeforeTheSale,
    /// An order is completed while its money is only authorised.
    CompletesWhatIsAuthorised,
    /// An undoing run voids what was authorised and does not read whether another run has captured it.
    VoidsBeforeItReads,
    /// An order is completed in any state of its charge.
    CompletionForgetsTheCharge,
    /// A run asks the gateway for a refund before it writes so.
    RefundIsNotWrittenDownFirst,
    /// A saga that compensates leaves a declined attempt as it is, and its later run lets the order wait for another attempt.
    RefundLeavesDeclinedAsItIs,
    /// The payment of a waiting order starts from any attempt.
    PaymentStartsWithoutItsNumber,
    /// A pending order waits again in any state of its attempt.
    PaymentFailsWithoutItsAttempt,
    /// A refund undoes an attempt that was given up.
    RefundUndoesWhatWasGivenUp,
    /// A hold without a reservation is released while the run that claimed it may still write one.
    ClaimsDoNotSettle,
    /// A refund that is confirmed late does not end its order.
    RefundStaysPending,
    /// The units of a hold without a reservation are released, but its waiting order does not expire.
    OrderDoesNotExpire,
    /// `reconcile` does not exist.
    NobodyReconciles,
    /// Late money starts a payment without its reservation.
    LateMoneyStartsWithoutItsReservation,
    /// A run asks the gateway to give late money back before it writes so.
    LateMoneyGoesBackUndecided,
    /// Late money pays for an order that has failed.
    LateMoneyPaysForFailedOrders,
    /// A release of the first hold also releases what was claimed again under its reservation.
    ReleaseForgetsTheClaim,
    /// Nobody looks at late money.
    NobodyLooksForLateMoney,
    /// An operator's refund takes the unit back before the gateway has refunded.
    UnitGoesBackFirst,
    /// The reservation of a returned purchase stays.
    ReturnedPurchaseKeepsItsReservation,
}
