//! An order and the steps it may take. Each step has one status that it starts from, so a step that comes twice, late or
//! after another one finds its condition false.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Money, OrderId, PaymentMethod, ProductId, Quantity, ShopperId};

/// `order_status` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits for a payment until `pay_by`.
    AwaitingPayment,
    /// Being paid.
    Pending,
    /// Paid for, units sold.
    Completed,
    /// Ended without a purchase.
    Failed,
    /// Nobody paid in time.
    Expired,
    /// Charged, then given back.
    Refunded,
}

/// `payment_status` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// No payment was asked for.
    None,
    /// Under way.
    Pending,
    /// Charged.
    Completed,
    /// The last attempt failed; nothing was charged.
    Failed,
    /// Charged and given back.
    Refunded,
    /// To be given back; the gateway has not confirmed it. A person looks at it.
    RefundPending,
}

/// `inventory_status` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockStatus {
    /// The units are held until the reservation ends.
    Held,
    /// The units are kept for this order whatever the time, or sold.
    Confirmed,
    /// The units went back.
    Released,
}

/// Everything that can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStep {
    /// Placed without a payment method.
    Placed,
    /// A payment was asked for.
    PaymentStarted,
    /// The payment was declined, or no gateway was there to take it; another method may be tried.
    PaymentFailed,
    /// Charged and sold.
    Completed,
    /// Ended after the money went back.
    Refunded,
    /// Ended before any money moved.
    Failed,
    /// Ended with money that could not be given back: kept for review.
    RefundFailed,
    /// What had been kept for review is settled after all: the money is back where it was.
    RefundConfirmed,
    /// The hold ran out before a payment.
    Expired,
}

impl OrderStep {
    /// The one status that an existing order must have for this step.
    #[must_use]
    pub fn starts_from(self) -> OrderStatus {
        match self {
            Self::Placed | Self::PaymentStarted | Self::Expired => OrderStatus::AwaitingPayment,
            Self::PaymentFailed | Self::Completed | Self::Refunded | Self::Failed | Self::RefundFailed => OrderStatus::Pending,
            Self::RefundConfirmed => OrderStatus::Failed,
        }
    }

    /// The three statuses after this step. A step that is not about the payment leaves the payment status as it was; the one
    /// here is that of an order that nobody has tried to pay.
    #[must_use]
    pub fn leads_to(self) -> (OrderStatus, PaymentStatus, StockStatus) {
        match self {
            Self::Placed => (OrderStatus::AwaitingPayment, PaymentStatus::None, StockStatus::Held),
            Self::PaymentStarted => (OrderStatus::Pending, PaymentStatus::Pending, StockStatus::Confirmed),
            Self::PaymentFailed => (OrderStatus::AwaitingPayment, PaymentStatus::Failed, StockStatus::Held),
            Self::Completed => (OrderStatus::Completed, PaymentStatus::Completed, StockStatus::Confirmed),
            Self::Refunded | Self::RefundConfirmed => (OrderStatus::Refunded, PaymentStatus::Refunded, StockStatus::Released),
            Self::Failed => (OrderStatus::Failed, PaymentStatus::Failed, StockStatus::Released),
            Self::RefundFailed => (OrderStatus::Failed, PaymentStatus::RefundPending, StockStatus::Confirmed),
            Self::Expired => (OrderStatus::Expired, PaymentStatus::None, StockStatus::Released),
        }
    }

    /// Whether this step says anything about the payment. When the hold of a declined order ends, it stays declined.
    #[must_use]
    pub fn is_about_payment(self) -> bool {
        match self {
            Self::Placed
            | Self::PaymentStarted
            | Self::PaymentFailed
            | Self::Completed
            | Self::Refunded
            | Self::Failed
            | Self::RefundFailed
            | Self::RefundConfirmed => true,
            Self::Expired => false,
        }
    }
}

/// One line of an order's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// When the step was written.
    pub at: Timestamp,
    /// The step.
    pub event: OrderStep,
    /// The reason that the shopper is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} is 1 to {max} characters of text without control characters")]
pub struct AddressError {
    /// The member at fault.
    pub field: &'static str,
    /// Its greatest length in characters.
    pub max: usize,
}

/// Where to ship to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    pub address_line1: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// Country.
    pub country: String,
}

impl Address {
    /// The longest street and number, in characters.
    pub const MAX_ADDRESS_LINE1: usize = 200;
    /// The longest city, in characters.
    pub const MAX_CITY: usize = 100;
    /// The longest postal code, in characters.
    pub const MAX_POSTAL_CODE: usize = 20;
    /// The longest country, in characters.
    pub const MAX_COUNTRY: usize = 60;

    /// Checks the limits of every field.
    ///
    /// # Errors
    /// Names the first field that is empty, too long, or has control characters.
    pub fn check(&self) -> Result<(), AddressError> {
        let fields = [
            ("address_line1", &self.address_line1, Self::MAX_ADDRESS_LINE1),
            ("city", &self.city, Self::MAX_CITY),
            ("postal_code", &self.postal_code, Self::MAX_POSTAL_CODE),
            ("country", &self.country, Self::MAX_COUNTRY),
        ];
        for (field, text, max) in fields {
            if text.trim().is_empty() || text.chars().count() > max || text.chars().any(char::is_control) {
                return Err(AddressError { field, max });
            }
        }
        Ok(())
    }
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The id of the reservation that it was made from.
    pub id: OrderId,
    /// The shopper who placed it.
    pub shopper: ShopperId,
    /// Units, 1–10.
    pub quantity: Quantity,
    /// The price of all its units together.
    pub amount: Money,
    /// Where the order stands.
    pub status: OrderStatus,
    /// Where its payment stands.
    pub payment_status: PaymentStatus,
    /// Where its units are.
    pub stock_status: StockStatus,
    /// Attempts to pay so far; 0 before the first.
    pub attempt: u32,
    /// How the last attempt was to be paid.
    pub payment_method: Option<PaymentMethod>,
    /// Where to ship to.
    pub shipping_address: Option<Address>,
    /// Until when an order that waits can be paid: the end of its reservation.
    pub pay_by: Timestamp,
    /// The gateway's reference, once completed.
    pub transaction_id: Option<String>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Everything that happened to it, oldest first.
    pub history: Vec<OrderEvent>,
}

impl Order {
    /// An order may be paid this many times at most; every attempt leaves an item and a line of history.
    pub const MAX_ATTEMPTS: u32 = 20;

    /// The product bought.
    #[must_use]
    pub fn product(&self) -> &ProductId {
        self.id.product()
    }

    /// The time to pay is over, whether or not a worker has written that down yet.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status == OrderStatus::AwaitingPayment && self.pay_by <= now
    }

    /// The three statuses as a shopper should see them at `now`.
    #[must_use]
    pub fn statuses(&self, now: Timestamp) -> (OrderStatus, PaymentStatus, StockStatus) {
        if self.is_overdue(now) {
            return (OrderStatus::Expired, self.payment_status, StockStatus::Released);
        }
        (self.status, self.payment_status, self.stock_status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [OrderStep; 9] = [
        OrderStep::Placed,
        OrderStep::PaymentStarted,
        OrderStep::PaymentFailed,
        OrderStep::Completed,
        OrderStep::Refunded,
        OrderStep::Failed,
        OrderStep::RefundFailed,
        OrderStep::RefundConfirmed,
        OrderStep::Expired,
    ];

    #[test]
    fn an_ended_order_takes_no_step() {
        for step in STEPS {
            let from = step.starts_from();
            let is_open = matches!(from, OrderStatus::AwaitingPayment | OrderStatus::Pending);
            assert!(is_open || step == OrderStep::RefundConfirmed, "{step:?} starts from {from:?}");
        }
    }

    #[test]
    fn units_go_back_only_when_no_money_is_kept() {
        for step in STEPS {
            let (_, payment, stock) = step.leads_to();
            if stock == StockStatus::Released {
                assert!(!matches!(payment, PaymentStatus::Completed | PaymentStatus::RefundPending), "{step:?}");
            }
        }
    }

    #[test]
    fn an_address_has_limits() {
        let good = Address {
            address_line1: "1 Infinite Loop".into(),
            city: "Cupertino".into(),
            postal_code: "95014".into(),
            country: "US".into(),
        };
        assert_eq!(good.check(), Ok(()));
        for (address, field) in [
            (Address { address_line1: " ".into(), ..good.clone() }, "address_line1"),
            (Address { city: "x".repeat(101), ..good.clone() }, "city"),
            (Address { postal_code: "9\n5".into(), ..good.clone() }, "postal_code"),
            (Address { country: String::new(), ..good.clone() }, "country"),
        ] {
            assert_eq!(address.check().map_err(|e| e.field), Err(field));
        }
    }
}
