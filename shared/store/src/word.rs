//! The words that items contain for the values of the domain's enumerations.
//!
//! The words belong to the store: renaming a value in the domain or in the HTTP contract changes no item. A later
//! version may have written a word that this version does not know. Reading such an item is an error that names the
//! word: a decision that took it for another value could sell or refund twice. The item stays unchanged, because every
//! write is conditional on a word that is known.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    AttemptStatus, Notice, OrderStatus, OrderStep, PaymentStatus, RefundStatus, ReservationStatus, SaleStatus, StockStatus,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{EntryState, keys::string, sales::AdmissionMode};

/// An enumeration that has a word for each value.
pub(crate) trait Words: Copy {
    /// What the enumeration describes, for errors.
    const ABOUT: &'static str;

    /// The word for this value.
    fn word(self) -> &'static str;

    /// The value of `word`; `None` if this version does not know it.
    fn of(word: &str) -> Option<Self>;
}

/// A value that its item contains as a word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<T>(pub(crate) T);

/// A value's word as an attribute.
pub(crate) fn word(of: impl Words) -> AttributeValue {
    string(of.word())
}

impl<T: Words> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        T::of(&word).map(Self).ok_or_else(|| D::Error::custom(format!("this version knows no {} {word:?}", T::ABOUT)))
    }
}

/// Gives each value of an enumeration its word, in both directions. A value without a word does not compile.
macro_rules! words {
    ($about:literal: $type:ty { $($value:ident = $word:literal),+ $(,)? }) => {
        impl Words for $type {
            const ABOUT: &'static str = $about;

            fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word),+
                }
            }

            fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    };
}

words!("status of a sale": SaleStatus {
    Preparing = "PREPARING",
    Active = "ACTIVE",
    Paused = "PAUSED",
    Closed = "CLOSED",
});

words!("mode of admission": AdmissionMode {
    Fcfs = "fcfs",
    Draw = "draw",
});

words!("status of a reservation": ReservationStatus {
    Held = "HELD",
    Paying = "PAYING",
    Purchased = "PURCHASED",
});

words!("status of an order": OrderStatus {
    AwaitingPayment = "awaiting_payment",
    Pending = "pending",
    Completed = "completed",
    Failed = "failed",
    Expired = "expired",
    Refunded = "refunded",
});

words!("payment status": PaymentStatus {
    None = "none",
    Pending = "pending",
    Completed = "completed",
    Failed = "failed",
    Refunded = "refunded",
    RefundPending = "refund_pending",
});

words!("inventory status": StockStatus {
    Held = "held",
    Confirmed = "confirmed",
    Released = "released",
});

words!("step of an order": OrderStep {
    Placed = "placed",
    PaymentStarted = "payment_started",
    PaymentFailed = "payment_failed",
    Completed = "completed",
    Refunded = "refunded",
    Failed = "failed",
    RefundFailed = "refund_failed",
    RefundConfirmed = "refund_confirmed",
    Expired = "expired",
    RefundRequested = "refund_requested",
    PartRefunded = "part_refunded",
    RefundRefused = "refund_refused",
    PriceRefunded = "price_refunded",
    PurchaseReturned = "purchase_returned",
    PaidLate = "paid_late",
});

words!("status of a refund": RefundStatus {
    Pending = "pending",
    Refunded = "refunded",
    Failed = "failed",
});

words!("notice to a shopper": Notice {
    OrderCompleted = "order-completed",
    PaymentFailed = "payment-failed",
    OrderFailed = "order-failed",
    RefundFailed = "refund-failed",
    OrderRefunded = "order-refunded",
});

words!("status of a payment attempt": AttemptStatus {
    Started = "started",
    Authorised = "authorised",
    Charged = "charged",
    Kept = "kept",
    Refunding = "refunding",
    Declined = "declined",
    Unavailable = "unavailable",
    GivenUp = "given_up",
    Refunded = "refunded",
    Voided = "voided",
});

words!("state in the sandbox's books": EntryState {
    Called = "called",
    Authorised = "authorised",
    Charged = "charged",
    Declined = "declined",
    Refunded = "refunded",
    Voided = "voided",
});
