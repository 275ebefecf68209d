//! The kinds of refusal of the API. The route table says which route refuses with which.

use kit::ProblemKind;

use super::members::{
    AmountMismatch, MethodUnavailable, NotTogether, NotYetAdmitted, Pointer, ProofOfWorkInvalid, QuantityNotAllowed,
    RefundTooLarge, RequiresAction, SaleNotStarted, SoldOut, Unhealthy,
};
use crate::description::TypeSchema;

macro_rules! kinds {
    ($($(#[doc = $says:literal])+ $name:ident = $status:literal $code:literal $title:literal;)+) => {
        $($(#[doc = $says])+ pub const $name: ProblemKind = ProblemKind::new($status, $code, $title);)+

        /// The descriptions for clients.
        const SAYS: &[(ProblemKind, &str)] = &[$(($name, concat!($($says),+))),+];
    };
}

kinds! {
    /// There is no sale of this product.
    UNKNOWN_PRODUCT = 404 "unknown-product" "Unknown product";
    /// The sale opens later: `starts_at` and `Retry-After` say when.
    SALE_NOT_STARTED = 409 "sale-not-started" "The sale has not started";
    /// The sale is stopped for now.
    SALE_PAUSED = 409 "sale-paused" "The sale is paused";
    /// The sale is over, and takes no more reservations.
    SALE_ENDED = 410 "sale-ended" "The sale has ended";
    /// More units than one shopper may have.
    QUANTITY_NOT_ALLOWED = 422 "quantity-not-allowed" "Quantity not allowed";
    /// Fewer units are available than the request asks for. Held units may become available again.
    SOLD_OUT = 409 "sold-out" "Sold out";
    /// As many units are available, but not together: a request for at most `largest_quantity` may succeed.
    NOT_TOGETHER = 409 "not-together" "Not together";
    /// The sale admits shoppers by draw, and it is not the shopper's turn yet: `admitted_at` and `Retry-After` say when.
    NOT_YET_ADMITTED = 409 "not-yet-admitted" "Not admitted yet";
    /// The sale admits shoppers first come, first served.
    NO_DRAW = 404 "no-draw" "No draw";
    /// The sale asks for a proof of work: send the solution of a challenge in the header `Proof-Of-Work`.
    PROOF_OF_WORK_REQUIRED = 428 "proof-of-work-required" "Proof of work required";
    /// The proof of work is not valid: `reason` says why. Ask for a new challenge.
    PROOF_OF_WORK_INVALID = 422 "proof-of-work-invalid" "Proof of work invalid";
    /// The challenge of the proof of work is too old. Ask for a new one.
    PROOF_OF_WORK_EXPIRED = 428 "proof-of-work-expired" "Proof of work expired";
    /// The sale asks for no proof of work.
    NO_PROOF_OF_WORK = 404 "no-proof-of-work" "No proof of work";
    /// Two or more of the shopper's reservations in this sale ended unpaid or were cancelled: wait for `Retry-After`.
    COOLING_DOWN = 429 "cooling-down" "Cooling down";
    /// The shopper has bought in this sale.
    ALREADY_PURCHASED = 409 "already-purchased" "Already purchased";
    /// A payment of the order is under way.
    PAYMENT_IN_PROGRESS = 409 "payment-in-progress" "Payment in progress";
    /// The caller has no such reservation.
    UNKNOWN_RESERVATION = 404 "unknown-reservation" "Unknown reservation";
    /// The time of the reservation is over.
    RESERVATION_EXPIRED = 410 "reservation-expired" "Reservation expired";
    /// The caller has no such order.
    UNKNOWN_ORDER = 404 "unknown-order" "Unknown order";
    /// The order has been paid; nothing was charged again.
    ALREADY_PAID = 409 "already-paid" "Already paid";
    /// The order is being paid or is paid. Its address can no longer change.
    ADDRESS_FIXED = 409 "address-fixed" "The address can no longer change";
    /// A payment of the order is under way, and its shopper has to act: `action` says how.
    REQUIRES_ACTION = 409 "requires-action" "The shopper has to act";
    /// No account of the shop takes this payment method now: `methods` names the providers whose tokens can be used.
    PAYMENT_METHOD_UNAVAILABLE = 409 "payment-method-unavailable" "Payment method unavailable";
    /// The amount is not what the order costs: `amount` is.
    AMOUNT_MISMATCH = 422 "amount-mismatch" "Amount mismatch";
    /// Too many requests, of this shopper or of all: wait for `Retry-After`.
    RATE_LIMITED = 429 "rate-limited" "Too many requests";
    /// The order had the largest possible number of attempts to pay it: no request can pay it any more.
    TOO_MANY_ATTEMPTS = 429 "too-many-attempts" "Too many attempts";
    /// The sale has started, or starts within ten seconds, and cannot be changed.
    SALE_STARTED = 409 "sale-started" "The sale has started";
    /// The sale was restocked. Only another restock can change it.
    SALE_RESTOCKED = 409 "sale-restocked" "The sale was restocked";
    /// An operator is creating or changing the sale: no units can be reserved yet.
    SALE_IN_PREPARATION = 409 "sale-in-preparation" "The sale is being prepared";
    /// The sale is not over: close it first.
    SALE_NOT_OVER = 409 "sale-not-over" "The sale is not over";
    /// Units of the sale are held or sold.
    SALE_IN_USE = 409 "sale-in-use" "The sale is in use";
    /// The sale is over for good.
    SALE_OVER = 409 "sale-ended" "The sale has ended";
    /// The sale has the largest possible number of restocks.
    TOO_MANY_RESTOCKS = 409 "too-many-restocks" "The sale was restocked too often";
    /// An earlier request has this key and another body.
    IDEMPOTENCY_KEY_REUSED = 422 "idempotency-key-reused" "The key belongs to another request";
    /// The order is not completed: there is nothing to refund, or all of it was refunded.
    NOT_REFUNDABLE = 409 "not-refundable" "Not refundable";
    /// The refund exceeds what is left of the price: `refundable_minor` says how much that is.
    REFUND_TOO_LARGE = 409 "refund-too-large" "The refund is too large";
    /// The payment provider refused this refund. Another one may be made under another key.
    REFUND_REFUSED = 409 "refund-refused" "The refund was refused";
    /// The order has the largest possible number of refunds.
    TOO_MANY_REFUNDS = 409 "too-many-refunds" "The order was refunded too often";
    /// The signature of the event does not fit, or is not of this time, or the event cannot be read. The log says which.
    WEBHOOK_REFUSED = 400 "webhook-refused" "The event was refused";
    /// The shop has no account at this payment provider.
    UNKNOWN_PROVIDER = 404 "unknown-provider" "Unknown provider";
    /// A dependency of the service does not answer.
    UNHEALTHY = 503 "unhealthy" "A dependency does not answer";
}

/// The description of a kind of refusal.
#[derive(Debug, Clone)]
pub struct DescribedKind {
    /// The description for clients.
    pub says: &'static str,
    /// Its members, besides those of every problem.
    pub members: Option<TypeSchema>,
    /// The answer always has `Retry-After`.
    pub has_retry_after: bool,
}

/// The description of a kind.
#[must_use]
pub fn described(kind: ProblemKind) -> DescribedKind {
    let members = match kind {
        ProblemKind::MALFORMED_REQUEST | ProblemKind::CARD_DATA | ProblemKind::INVALID_REQUEST => {
            Some(TypeSchema::of::<Pointer>())
        }
        SALE_NOT_STARTED => Some(TypeSchema::of::<SaleNotStarted>()),
        QUANTITY_NOT_ALLOWED => Some(TypeSchema::of::<QuantityNotAllowed>()),
        SOLD_OUT => Some(TypeSchema::of::<SoldOut>()),
        NOT_TOGETHER => Some(TypeSchema::of::<NotTogether>()),
        NOT_YET_ADMITTED => Some(TypeSchema::of::<NotYetAdmitted>()),
        PROOF_OF_WORK_INVALID => Some(TypeSchema::of::<ProofOfWorkInvalid>()),
        AMOUNT_MISMATCH => Some(TypeSchema::of::<AmountMismatch>()),
        PAYMENT_METHOD_UNAVAILABLE => Some(TypeSchema::of::<MethodUnavailable>()),
        REQUIRES_ACTION => Some(TypeSchema::of::<RequiresAction>()),
        REFUND_TOO_LARGE => Some(TypeSchema::of::<RefundTooLarge>()),
        UNHEALTHY => Some(TypeSchema::of::<Unhealthy>()),
        _ => None,
    };
    let has_retry_after =
        [ProblemKind::TRY_AGAIN, SALE_NOT_STARTED, SALE_IN_PREPARATION, NOT_YET_ADMITTED, COOLING_DOWN, RATE_LIMITED]
            .contains(&kind);
    DescribedKind { says: says(kind), members, has_retry_after }
}

fn says(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::MALFORMED_REQUEST => "The request cannot be read. `pointer` leads to the fault in the body.",
        ProblemKind::CARD_DATA => {
            "The request contains digits that look like a card number, outside `phone`. `pointer` leads to them in the body. Send a \
             payment provider's token instead."
        }
        ProblemKind::UNAUTHENTICATED => "The caller has not signed in.",
        ProblemKind::FORBIDDEN => "The caller may not do this.",
        ProblemKind::BODY_TOO_LARGE => "The body has more than 16 KiB; from a payment provider, more than 256 KiB.",
        ProblemKind::UNSUPPORTED_MEDIA_TYPE => "The body is not declared as `application/json`.",
        ProblemKind::INVALID_REQUEST => "A value is not allowed. `pointer` leads to it in the body.",
        ProblemKind::INTERNAL_ERROR => "A failure that is not the client's.",
        ProblemKind::TRY_AGAIN => "This attempt failed, another may succeed: the same request again, after `Retry-After`.",
        other => SAYS.iter().find(|(kind, _)| *kind == other).map_or(other.title, |(_, says)| says.trim()),
    }
}
