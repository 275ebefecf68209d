//! A sale so small that every history of it can be looked at: two shoppers, one or two units, one crash, and messages that
//! come late, twice, or in another order. `stateright` walks through all of them; docs/model.md says what that proves.
//!
//! What decides is the domain: its stock shard, its order steps, its statuses. What the functions and the store add, the order
//! of their calls and the conditions of their writes, is stated here once, beside the name of the place that it mirrors.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "this is test code: what goes wrong here fails the test, loudly"
)]

mod moves;
pub mod properties;
mod purchases;
mod saga;
mod world;

use domain::ShardLayout;

pub use moves::Action;
pub use saga::{Answer, Call, Execution, Returned, Step, Task};
pub use world::{Attempt, Book, Late, Launch, Ledger, Nth, Order, Pair, Request, Reservation, Shopper, Who, World};

/// The model: a sale, and what may happen in it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct SmallWorld {
    /// How the units are spread.
    pub layout: ShardLayout,
    /// Worlds that differ in names only are one: two shoppers, and two shards, may change names from state to state.
    pub anonymous: bool,
    /// A rule that does not hold, to see that somebody notices.
    pub bug: Option<Bug>,
    /// Shoppers, one or two.
    pub shoppers: u8,
    /// Reservations that one shopper may ask for, one after the other or at the same time.
    pub reservations: u8,
    /// Times that an order may be paid.
    pub attempts: u8,
    /// Whether runs may be late: one at a time, as often as it happens.
    pub lateness: bool,
    /// Whether a person takes part: a refund may stay unconfirmed, and the saga of any attempt may be started again at any time,
    /// one at a time and in the place of a late run.
    pub by_hand: bool,
    /// Whether a process may crash: one, once.
    pub crashes: bool,
}

impl SmallWorld {
    /// One unit and one shopper, who reserves once and pays once; nobody is late, nothing crashes.
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
        }
    }
}

/// A rule that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A release releases whatever its shopper holds in the shard.
    ReleaseForgetsTheReservation,
    /// A hold's end does not spare a reservation that is being paid.
    EndOfHoldIgnoresPaying,
    /// An attempt is unavailable when any run has heard so of the gateway, whoever else may be asking it.
    AnybodySaysUnavailable,
    /// A gateway is asked again before that is written down.
    AskingAgainIsNotWrittenDown,
    /// An order is completed whatever has become of its charge.
    CompletionForgetsTheCharge,
    /// The gateway is asked for a refund before that is written down.
    RefundIsNotWrittenDownFirst,
    /// A saga that goes back leaves a declined attempt as it is, and a later run of it lets the order wait for another.
    RefundLeavesDeclinedAsItIs,
    /// A waiting order goes to payment whatever its attempt is by now.
    PaymentStartsWithoutItsNumber,
    /// A pending order waits again whatever has become of its attempt.
    PaymentFailsWithoutItsAttempt,
    /// A refund undoes an attempt that was given up.
    RefundUndoesWhatWasGivenUp,
    /// A hold without a reservation is released while the run that claimed it may still write one.
    ClaimsDoNotSettle,
    /// A refund that is confirmed late leaves its order as it is.
    RefundStaysPending,
    /// A hold without a reservation has its units released, and its waiting order is left alone.
    OrderDoesNotExpire,
    /// There is no `reconcile`.
    NobodyReconciles,
}
