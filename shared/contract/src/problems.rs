//! The problem of each refusal. Internal causes go to the log only.

mod kinds;
mod members;

use domain::{
    Money, NotChangeable, NotReservable, Order, ProofOfWork, Provider, Quantity, Refunds, RestockKey, SaleDraft, ShardLayout,
    SolutionFault, Timestamp, seconds_until,
};
use kit::{Problem, Stopped};
use messages::SendError;
use store::StoreError;

pub use kinds::*;

use crate::{ActionView, Holds, sent_time, time};

/// A failed call of the store: the same request again may succeed.
#[must_use]
pub fn store_failed(error: &StoreError) -> Problem {
    if error.is_passing() { Problem::try_again_because(1, error) } else { Problem::internal(error) }
}

/// A message that was not acknowledged: the same request sends it again after half a minute, or `reconcile` does what it asks for.
#[must_use]
pub fn send_failed(error: &SendError) -> Problem {
    let seconds = Order::SENT_AGAIN_AFTER.as_secs();
    Problem::try_again_because(u32::try_from(seconds).unwrap_or(u32::MAX), error)
}

/// There is no sale of this product.
#[must_use]
pub fn unknown_product() -> Problem {
    Problem::of(UNKNOWN_PRODUCT).detail("There is no sale of this product.")
}

/// The sale takes no reservation at `now`, whatever its stock.
#[must_use]
pub fn not_reservable(why: NotReservable, now: Timestamp) -> Problem {
    match why {
        NotReservable::InPreparation => {
            in_preparation().detail("The sale should have started, but is still being prepared. It opens when that is done.")
        }
        NotReservable::NotStarted { starts_at } => Problem::of(SALE_NOT_STARTED)
            .detail(format!("The sale starts at {}.", sent_time(starts_at)))
            .with(members::SaleNotStarted { starts_at: sent_time(starts_at) })
            .retry_after(seconds_until(starts_at, now).max(1)),
        NotReservable::Paused => Problem::of(SALE_PAUSED).detail("The sale is paused; it may resume later."),
        NotReservable::Ended => Problem::of(SALE_ENDED).detail("The sale is over."),
        NotReservable::QuantityNotAllowed { max_per_shopper } => quantity_not_allowed(max_per_shopper),
    }
}

fn quantity_not_allowed(max_per_shopper: Quantity) -> Problem {
    let max_per_shopper = max_per_shopper.units();
    Problem::of(QUANTITY_NOT_ALLOWED)
        .detail(format!("A shopper can have at most {max_per_shopper} of this product."))
        .with(members::QuantityNotAllowed { max_per_shopper })
}

/// The sale has fewer units left than the request asks for.
#[must_use]
pub fn sold_out(holds: &Holds, now: Timestamp) -> Problem {
    Problem::of(SOLD_OUT)
        .detail(
            "Not enough units are left. Held units may become available again. If an answer of yours was lost, \
             GET /reservations?product_id= returns your reservation, if you have one.",
        )
        .with(members::SoldOut { available_quantity: holds.available, holds: &holds.view(now) })
}

/// The sale has `available` units left, which are as many as the request asks for, but no shard has more than `largest`.
#[must_use]
pub fn not_together(available: u32, largest: u32) -> Problem {
    Problem::of(NOT_TOGETHER)
        .detail(format!("{available} units are left, but at most {largest} of them together. Ask for {largest} or fewer."))
        .with(members::NotTogether { available_quantity: available, largest_quantity: largest })
}

/// The draw admits the shopper at `admitted_at`.
#[must_use]
pub fn not_yet_admitted(admitted_at: Timestamp, now: Timestamp) -> Problem {
    let turn = time(admitted_at);
    Problem::of(NOT_YET_ADMITTED)
        .detail(format!("This sale admits shoppers by draw. It is your turn at {turn}; earlier or more requests change nothing."))
        .with(members::NotYetAdmitted { admitted_at: turn })
        .retry_after(seconds_until(admitted_at, now).max(1))
}

/// The sale has no draw.
#[must_use]
pub fn no_draw() -> Problem {
    Problem::of(NO_DRAW).detail("This sale admits shoppers first come, first served.")
}

/// The request has no proof of work, and the sale asks for one.
#[must_use]
pub fn proof_of_work_required() -> Problem {
    Problem::of(PROOF_OF_WORK_REQUIRED).detail(
        "This sale asks for a proof of work. Solve a challenge of GET /api/flash-sales/{product_id}/challenge, and send its solution \
         in the header Proof-Of-Work.",
    )
}

/// The request's proof of work shows nothing.
#[must_use]
pub fn proof_of_work_refused(fault: SolutionFault) -> Problem {
    let invalid = |reason, detail| {
        let problem = Problem::of(PROOF_OF_WORK_INVALID).detail(detail);
        problem.with(members::ProofOfWorkInvalid { reason })
    };
    match fault {
        SolutionFault::Forged => invalid(
            "forged",
            "The header Proof-Of-Work is not a challenge of this shop with its solution, in base 64, as ALTCHA sends it.",
        ),
        SolutionFault::Foreign => invalid("foreign", "This challenge was issued to another shopper, or for another sale."),
        SolutionFault::Wrong => invalid("wrong", "This does not solve the challenge."),
        SolutionFault::Expired => Problem::of(PROOF_OF_WORK_EXPIRED).detail("This challenge is too old. Solve a new one."),
    }
}

/// The sale asks for no proof of work.
#[must_use]
pub fn no_proof_of_work() -> Problem {
    Problem::of(NO_PROOF_OF_WORK).detail("This sale asks for no proof of work.")
}

/// A challenge is issued from a minute before the start on.
#[must_use]
pub fn challenge_too_early(starts_at: Timestamp, now: Timestamp) -> Problem {
    let from = starts_at.checked_sub(ProofOfWork::ISSUED_BEFORE_START).unwrap_or(Timestamp::MIN);
    let not_started = not_reservable(NotReservable::NotStarted { starts_at }, now);
    not_started.retry_after(seconds_until(from, now).max(1))
}

/// The shopper can reserve again from `until` on.
#[must_use]
pub fn cooling_down(until: Timestamp, now: Timestamp) -> Problem {
    let again = time(until);
    Problem::of(COOLING_DOWN)
        .detail(format!("Your reservations in this sale ended unpaid or were cancelled. You can reserve again at {again}."))
        .retry_after(seconds_until(until, now).max(1))
}

/// The shopper's token bucket has a token again after so many seconds.
#[must_use]
pub fn rate_limited(after_seconds: u32) -> Problem {
    Problem::of(RATE_LIMITED)
        .detail("You send requests faster than this shop admits them from one shopper. Wait, then send one.")
        .retry_after(after_seconds)
}

/// The shopper has bought.
#[must_use]
pub fn already_purchased() -> Problem {
    Problem::of(ALREADY_PURCHASED).detail("You have bought in this sale; each shopper can buy once.")
}

/// A payment is under way.
#[must_use]
pub fn payment_in_progress() -> Problem {
    Problem::of(PAYMENT_IN_PROGRESS).detail("A payment is under way. Read the order to see its result.")
}

/// The caller has no such reservation.
#[must_use]
pub fn unknown_reservation() -> Problem {
    Problem::of(UNKNOWN_RESERVATION).detail("You have no such reservation.")
}

/// The caller's reservation is over.
#[must_use]
pub fn reservation_expired() -> Problem {
    Problem::of(RESERVATION_EXPIRED).detail("The time of this reservation is over. Reserve again.")
}

/// The caller has no such order.
#[must_use]
pub fn unknown_order() -> Problem {
    Problem::of(UNKNOWN_ORDER).detail("You have no such order.")
}

/// The order was paid before.
#[must_use]
pub fn already_paid() -> Problem {
    Problem::of(ALREADY_PAID).detail("The order has been paid; nothing was charged again.")
}

/// The order is being paid, or is paid: it keeps its address.
#[must_use]
pub fn address_fixed() -> Problem {
    Problem::of(ADDRESS_FIXED)
        .detail("The address of an order can change only while the order waits for a payment. Read the order to see its address.")
}

/// A payment is under way, and its shopper has to act.
#[must_use]
pub fn requires_action(action: ActionView) -> Problem {
    Problem::of(REQUIRES_ACTION)
        .detail("A payment is under way, and the shopper has to confirm it. Follow `action`, then send the same request again.")
        .with(members::RequiresAction { action })
}

/// No account takes the payment method now. The tokens of these providers can be used.
#[must_use]
pub fn payment_method_unavailable(methods: &[Provider]) -> Problem {
    let methods: Vec<_> = methods.iter().map(|provider| provider.as_str()).collect();
    let detail = if methods.is_empty() {
        "No payment provider can be asked right now. Try again in a moment; your reservation lasts.".to_owned()
    } else {
        format!("This payment method cannot be used now. Choose one of {}.", methods.join(", "))
    };
    Problem::of(PAYMENT_METHOD_UNAVAILABLE).detail(detail).with(members::MethodUnavailable { methods })
}

/// The client sent another amount than `amount`, the price of the order.
#[must_use]
pub fn amount_mismatch(amount: Money) -> Problem {
    Problem::of(AMOUNT_MISMATCH).detail(format!("The order costs {amount}.")).with(members::AmountMismatch { amount })
}

/// The order had [`Order::MAX_ATTEMPTS`] attempts to pay it. It expires at `pay_by`, and no request can pay it before or
/// after: there is no `Retry-After`.
#[must_use]
pub fn too_many_attempts(pay_by: Timestamp) -> Problem {
    let (most, pay_by) = (Order::MAX_ATTEMPTS, time(pay_by));
    Problem::of(TOO_MANY_ATTEMPTS)
        .detail(format!("An order can be paid in at most {most} attempts. This one expires at {pay_by}; then reserve again."))
}

/// The sale cannot be changed.
#[must_use]
pub fn not_changeable(why: NotChangeable) -> Problem {
    match why {
        NotChangeable::InPreparation => {
            in_preparation().detail("An operator is creating or changing the sale. If the PUT was interrupted, repeat it.")
        }
        NotChangeable::Ended => Problem::of(SALE_OVER).detail("The sale is over for good."),
    }
}

/// A preparation usually takes seconds.
fn in_preparation() -> Problem {
    Problem::of(SALE_IN_PREPARATION).retry_after(10)
}

/// The holds of a sale that is not over stay.
#[must_use]
pub fn sale_not_over() -> Problem {
    Problem::of(SALE_NOT_OVER).detail("The sale is not over. Close it before you end its holds.")
}

/// Units of the sale are held or sold, or an order is not settled.
#[must_use]
pub fn sale_in_use() -> Problem {
    Problem::of(SALE_IN_USE).detail(
        "Units of the sale are held or sold, or the end of a payment is still being worked on. Only a sale without holds, \
         purchases and open payments can be deleted.",
    )
}

/// 503: the sale is closed, but shoppers who began before that may still reserve.
#[must_use]
pub fn still_reservable(after_seconds: u32) -> Problem {
    Problem::try_again(after_seconds)
        .detail("The sale was closed a moment ago, and reservations may be under way. Send the same request again.")
}

/// A change of a sale stopped before all shards were made or deleted. The same request continues.
#[must_use]
pub fn stopped(why: &Stopped<StoreError>) -> Problem {
    match why {
        Stopped::OutOfTime { done, all } => {
            Problem::try_again(1).detail(format!("{done} of {all} shards are ready. The same request continues there."))
        }
        Stopped::Overtaken => Problem::try_again(1),
        Stopped::Failed(error) => store_failed(error),
    }
}

/// The sale has started, or starts within ten seconds.
#[must_use]
pub fn sale_started() -> Problem {
    Problem::of(SALE_STARTED)
        .detail("A sale can be changed until ten seconds before it starts. After that, only its end can come earlier.")
}

/// The description of a paused sale cannot be changed.
#[must_use]
pub fn paused_not_changed() -> Problem {
    Problem::of(SALE_PAUSED).detail("The sale is paused. Resume it before you change it.")
}

/// The description of a restocked sale cannot be changed.
#[must_use]
pub fn sale_restocked() -> Problem {
    Problem::of(SALE_RESTOCKED).detail("Only another restock can change a sale that was restocked.")
}

/// The sale had [`RestockKey::MOST`] restocks.
#[must_use]
pub fn too_many_restocks() -> Problem {
    Problem::of(TOO_MANY_RESTOCKS).detail(format!("A sale can be restocked {} times.", RestockKey::MOST))
}

/// 422: a restock has no unit, or more than a sale can have.
#[must_use]
pub fn units_out_of_range() -> Problem {
    units_not_allowed(&format!("units is a whole number from 1 to {}", SaleDraft::MOST_UNITS))
}

/// 422: the sale would have more units than a sale can have.
#[must_use]
pub fn too_many_units() -> Problem {
    units_not_allowed(&format!("a sale has at most {} units, with those of its restocks", SaleDraft::MOST_UNITS))
}

/// 422: the sale would have more shards than a sale can have, even if the new ones had as many units as possible.
#[must_use]
pub fn too_many_shards() -> Problem {
    units_not_allowed(&format!(
        "a sale has at most {} shards of at most {} units, and this sale has too few left for this restock",
        SaleDraft::MOST_SHARDS,
        ShardLayout::MAX_UNITS_PER_SHARD
    ))
}

fn units_not_allowed(why: &str) -> Problem {
    Problem::invalid_request(why, "/units")
}

/// The shop has no such order, of any shopper.
#[must_use]
pub fn no_such_order() -> Problem {
    Problem::of(UNKNOWN_ORDER).detail("There is no such order.")
}

/// The order is not completed.
#[must_use]
pub fn not_refundable() -> Problem {
    Problem::of(NOT_REFUNDABLE).detail("Only a completed order can be refunded. Read the order to see its state.")
}

/// The refund exceeds `refundable_minor`, which is what is left of the price.
#[must_use]
pub fn refund_too_large(refundable_minor: i64) -> Problem {
    Problem::of(REFUND_TOO_LARGE)
        .detail("The refund has another currency than the order, or exceeds what is left of its price.")
        .with(members::RefundTooLarge { refundable_minor })
}

/// The payment provider refused the refund, for this reason.
#[must_use]
pub fn refund_refused(reason: Option<&str>) -> Problem {
    let reason = reason.unwrap_or("it gave no reason");
    Problem::of(REFUND_REFUSED).detail(format!(
        "The payment provider refused this refund, and its amount is free again: {reason}. A new refund has a new key."
    ))
}

/// The order had [`Refunds::MOST`] refunds.
#[must_use]
pub fn too_many_refunds() -> Problem {
    Problem::of(TOO_MANY_REFUNDS).detail(format!("An order can be refunded {} times.", Refunds::MOST))
}

/// An earlier refund has the same key and another body.
#[must_use]
pub fn refund_key_reused() -> Problem {
    Problem::of(IDEMPOTENCY_KEY_REUSED)
        .detail("This Idempotency-Key was sent with another body before. A new refund has a new key.")
}

/// An earlier restock has the same key and other units.
#[must_use]
pub fn idempotency_key_reused() -> Problem {
    Problem::of(IDEMPOTENCY_KEY_REUSED)
        .detail("This Idempotency-Key was sent with other units before. A new restock has a new key.")
}

/// A payment provider's event is not certainly from the provider, or cannot be read. Only the log says why.
#[must_use]
pub fn webhook_refused() -> Problem {
    Problem::of(WEBHOOK_REFUSED)
}

/// The shop has no account at the payment provider.
#[must_use]
pub fn unknown_provider() -> Problem {
    Problem::of(UNKNOWN_PROVIDER).detail("The shop has no account at this payment provider.")
}

/// Dependencies of the service do not answer: `failed` names them.
#[must_use]
pub fn unhealthy(failed: Vec<&'static str>) -> Problem {
    Problem::of(UNHEALTHY).with(members::Unhealthy { failed })
}
