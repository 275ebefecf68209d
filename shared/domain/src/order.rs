//! An order and its steps. Each step starts from exactly one status. A step that is repeated, late, or behind another
//! step finds its condition false.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Address, Money, OrderId, PaymentMethod, ProductId, Quantity, ShopperId};

/// `order_status` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Waits for a payment until `pay_by`.
    AwaitingPayment,
    /// A payment is in progress.
    Pending,
    /// Paid, and the units are sold.
    Completed,
    /// Ended without a purchase.
    Failed,
    /// The hold ended before a payment.
    Expired,
    /// Charged, then refunded.
    Refunded,
}

/// `payment_status` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// No payment was requested.
    None,
    /// A payment is in progress.
    Pending,
    /// Charged.
    Completed,
    /// The last attempt failed; nothing was charged.
    Failed,
    /// Charged and refunded.
    Refunded,
    /// A refund is due, but the gateway has not confirmed it. An operator reviews it.
    RefundPending,
}

/// `inventory_status` in the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockStatus {
    /// The units are held until the reservation ends.
    Held,
    /// The units are sold, or kept for this order regardless of the end of its hold.
    Confirmed,
    /// The units are available again.
    Released,
}

/// The steps of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStep {
    /// The shopper placed the order without a payment method.
    Placed,
    /// The shopper requested a payment.
    PaymentStarted,
    /// The payment was declined, or no gateway was available. The shopper may try another method.
    PaymentFailed,
    /// The payment was charged and the units were sold.
    Completed,
    /// The order ended after a refund.
    Refunded,
    /// The order ended before any money moved.
    Failed,
    /// The order ended with a charge that could not be refunded: it is kept for review.
    RefundFailed,
    /// An order that was kept for review is settled: the gateway has confirmed the refund.
    RefundConfirmed,
    /// The hold ended before a payment.
    Expired,
}

impl OrderStep {
    /// Every step.
    pub const ALL: [Self; 9] = [
        Self::Placed,
        Self::PaymentStarted,
        Self::PaymentFailed,
        Self::Completed,
        Self::Refunded,
        Self::Failed,
        Self::RefundFailed,
        Self::RefundConfirmed,
        Self::Expired,
    ];

    /// The one status that an existing order must have for this step.
    #[must_use]
    pub fn starts_from(self) -> OrderStatus {
        match self {
            Self::Placed | Self::PaymentStarted | Self::Expired => OrderStatus::AwaitingPayment,
            Self::PaymentFailed | Self::Completed | Self::Refunded | Self::Failed | Self::RefundFailed => OrderStatus::Pending,
            Self::RefundConfirmed => OrderStatus::Failed,
        }
    }

    /// The three statuses after this step. A step that is not about the payment does not change the payment status. The
    /// payment status here is then that of an order without any payment attempt.
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

    /// Whether this step changes the payment status. When the hold of a declined order ends, its payment status stays
    /// declined.
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
    /// The reason that the shopper sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
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
    /// The state of the order.
    pub status: OrderStatus,
    /// The state of its payment.
    pub payment_status: PaymentStatus,
    /// The state of its units.
    pub stock_status: StockStatus,
    /// Attempts to pay so far; 0 before the first.
    pub attempt: u32,
    /// The payment method of the last attempt.
    pub payment_method: Option<PaymentMethod>,
    /// The shipping address; `None` until a shopper gives one.
    pub shipping_address: Option<Address>,
    /// The last moment to pay a waiting order: the end of its reservation.
    pub pay_by: Timestamp,
    /// The gateway's reference, once completed.
    pub transaction_id: Option<String>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its steps, oldest first.
    pub history: Vec<OrderEvent>,
}

impl Order {
    /// An order may have this many payment attempts at most, because every attempt leaves an item and a line of
    /// history.
    pub const MAX_ATTEMPTS: u32 = 20;

    /// The product bought.
    #[must_use]
    pub fn product(&self) -> &ProductId {
        self.id.product()
    }

    /// The time to pay is over, whether or not a worker has recorded it yet.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status == OrderStatus::AwaitingPayment && self.pay_by <= now
    }

    /// The three statuses that a shopper should see at `now`.
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

    #[test]
    fn an_ended_order_takes_no_step() {
        for step in OrderStep::ALL {
            let from = step.starts_from();
            let is_open = matches!(from, OrderStatus::AwaitingPayment | OrderStatus::Pending);
            assert!(is_open || step == OrderStep::RefundConfirmed, "{step:?} starts from {from:?}");
        }
    }

    #[test]
    fn units_go_back_only_when_no_money_is_kept() {
        for step in OrderStep::ALL {
            let (_, payment, stock) = step.leads_to();
            if stock == StockStatus::Released {
                assert!(!matches!(payment, PaymentStatus::Completed | PaymentStatus::RefundPending), "{step:?}");
            }
        }
    }
}
