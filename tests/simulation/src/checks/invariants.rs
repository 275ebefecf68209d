//! The names of all invariants. A violation carries one of them, and docs/simulation.md lists them.

use crate::Violation;

pub(crate) const LEDGER: &str = "every shard adds up";
pub(crate) const ONE_PURCHASE: &str = "one purchase per shopper and sale";
pub(crate) const UNITS_BEHIND: &str = "a reservation has its units";
pub(crate) const YES_STAYS: &str = "a yes stays true";
pub(crate) const LAST_ADDRESS: &str = "a completed order has the last address that was accepted";
pub(crate) const LISTED: &str = "exactly the pending refunds are listed";
pub(crate) const CHARGED_ONCE: &str = "a completed order is charged exactly once";
pub(crate) const SOLD: &str = "a completed order has its units";
pub(crate) const MONEY_BACK: &str = "every other charge is refunded exactly once";
pub(crate) const CAPTURED_OR_VOID: &str = "every authorisation is captured once or voided";
pub(crate) const CAPTURED_IS_SOLD: &str = "money is captured only for units that are sold";
pub(crate) const REFUND_WITHIN_PRICE: &str = "an order's refunds never exceed its price";
pub(crate) const REFUND_BOOKS: &str = "what went back is what the order says was refunded";
pub(crate) const REFUND_AS_ASKED: &str = "a refund is what an operator asked for";
pub(crate) const REFUND_ANSWERS: &str = "a refund ends as its operator was told";
pub(crate) const REFUND_ENDS: &str = "every refund ends";
pub(crate) const UNITS_RETURN: &str = "an order ends, and its units return, only with its whole price";
pub(crate) const OWN_ACCOUNT: &str = "no token goes to another account than the order's";
pub(crate) const ONE_PAYMENT: &str = "an attempt opens one payment at its provider";
pub(crate) const NONE_OPEN: &str = "no payment of an ended order waits for its shopper";
pub(crate) const LATE_MONEY: &str = "late money buys units or goes back, and the order says which";
pub(crate) const CHECKOUT_ENDS: &str = "every accepted checkout ends";
pub(crate) const TOLD: &str = "every shopper is told how the payment ended, and of every refund";
pub(crate) const NO_HOLD_LEFT: &str = "no hold is left over";
pub(crate) const ALL_SOLD: &str = "everything is sold while there is demand";
pub(crate) const EVENTS: &str = "the events of an order rebuild it";
pub(crate) const NOTHING_LEFT: &str = "nothing is left to finish";
pub(crate) const NO_FALSE_ALARM: &str = "no alarm is false";
pub(crate) const NO_LONGER_THAN_A_RUN: &str = "no hold outlives its end by more than a run of reconcile";
/// How soon an unpaid hold returns.
pub const RETURNS_SOON: &str = "without other faults than declined payments, an unpaid hold returns within 5 s of its end";
pub(crate) const COUNTED_ONCE: &str = "an unpaid end counts once";
pub(crate) const LATEST_END: &str = "no failed payment prolongs a hold beyond its latest end";
pub(crate) const SHUT: &str = "no yes while the sale is paused or over";
pub(crate) const NOT_OVER: &str = "no sale is called over that is not";
pub(crate) const DELETED: &str = "a deleted sale is gone, and an unused one can be deleted";
pub(crate) const REPORT: &str = "the report says what there is";
pub(crate) const NO_PANIC: &str = "nothing panics";
pub(crate) const AS_DESCRIBED: &str = "every answer is as docs/openapi.json describes it";
pub(crate) const NO_SURPRISE: &str = "no answer says that something is broken";

/// The result of a check: nothing, or a violation.
pub(super) type Outcome = Result<(), Violation>;

/// Reports that this invariant does not hold.
pub(super) fn fail(invariant: &'static str, detail: String) -> Outcome {
    Err(Violation { invariant, detail })
}
