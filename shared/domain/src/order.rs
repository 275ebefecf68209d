//! An order and its steps. Each step starts from exactly one status. A step that is repeated, late, or behind another
//! step finds its condition false. A line of its history is a step, or a fact that changes none of its statuses.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use crate::{Address, GatewayName, IdempotencyKey, Money, OrderId, PaymentMethod, ProductId, Quantity, Refunds, ShopperId};

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
    /// Charged, then refunded. After an operator's refund, the shopper may keep the units.
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
    /// An operator requested a refund of a completed order.
    RefundRequested,
    /// A part of a completed order's price was refunded.
    PartRefunded,
    /// The gateway refused a refund of a completed order.
    RefundRefused,
    /// All of a completed order's price was refunded; its units stay sold.
    PriceRefunded,
    /// All of a completed order's price was refunded, and its units are available again.
    PurchaseReturned,
    /// The money of an attempt came after the hold had ended. Units are held again, and this payment is to buy them.
    PaidLate,
}

impl OrderStep {
    /// Every step.
    pub const ALL: [Self; 15] = [
        Self::Placed,
        Self::PaymentStarted,
        Self::PaymentFailed,
        Self::Completed,
        Self::Refunded,
        Self::Failed,
        Self::RefundFailed,
        Self::RefundConfirmed,
        Self::Expired,
        Self::RefundRequested,
        Self::PartRefunded,
        Self::RefundRefused,
        Self::PriceRefunded,
        Self::PurchaseReturned,
        Self::PaidLate,
    ];

    /// The one status that an existing order must have for this step.
    #[must_use]
    pub fn starts_from(self) -> OrderStatus {
        match self {
            Self::Placed | Self::PaymentStarted | Self::Expired => OrderStatus::AwaitingPayment,
            Self::PaymentFailed | Self::Completed | Self::Refunded | Self::Failed | Self::RefundFailed => OrderStatus::Pending,
            Self::RefundConfirmed => OrderStatus::Failed,
            Self::PaidLate => OrderStatus::Expired,
            Self::RefundRequested | Self::PartRefunded | Self::RefundRefused | Self::PriceRefunded | Self::PurchaseReturned => {
                OrderStatus::Completed
            }
        }
    }

    /// The three statuses after this step. A step that is not about the payment does not change the payment status. The
    /// payment status here is then that of an order without any payment attempt.
    #[must_use]
    pub fn leads_to(self) -> (OrderStatus, PaymentStatus, StockStatus) {
        match self {
            Self::Placed => (OrderStatus::AwaitingPayment, PaymentStatus::None, StockStatus::Held),
            Self::PaymentStarted | Self::PaidLate => (OrderStatus::Pending, PaymentStatus::Pending, StockStatus::Confirmed),
            Self::PaymentFailed => (OrderStatus::AwaitingPayment, PaymentStatus::Failed, StockStatus::Held),
            Self::Completed | Self::RefundRequested | Self::PartRefunded | Self::RefundRefused => {
                (OrderStatus::Completed, PaymentStatus::Completed, StockStatus::Confirmed)
            }
            Self::Refunded | Self::RefundConfirmed | Self::PurchaseReturned => {
                (OrderStatus::Refunded, PaymentStatus::Refunded, StockStatus::Released)
            }
            Self::PriceRefunded => (OrderStatus::Refunded, PaymentStatus::Refunded, StockStatus::Confirmed),
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
            | Self::RefundConfirmed
            | Self::RefundRequested
            | Self::PartRefunded
            | Self::RefundRefused
            | Self::PriceRefunded
            | Self::PurchaseReturned
            | Self::PaidLate => true,
            Self::Expired => false,
        }
    }
}

/// What a shopper is told when a payment has ended, or money has gone back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// Paid and sold.
    OrderCompleted,
    /// Not paid; another method may be tried.
    PaymentFailed,
    /// Ended without a purchase; no money is kept.
    OrderFailed,
    /// Ended; the refund is not confirmed. An operator reviews it.
    RefundFailed,
    /// An operator has refunded the price or a part of it. The order's refunds say how much.
    OrderRefunded,
}

impl OrderStep {
    /// What the shopper is told after this step; `None` if the step ends no payment and gives no money back.
    #[must_use]
    pub fn notice(self) -> Option<Notice> {
        match self {
            Self::Completed => Some(Notice::OrderCompleted),
            Self::PaymentFailed => Some(Notice::PaymentFailed),
            Self::Refunded | Self::Failed | Self::RefundConfirmed => Some(Notice::OrderFailed),
            Self::RefundFailed => Some(Notice::RefundFailed),
            Self::PartRefunded | Self::PriceRefunded | Self::PurchaseReturned => Some(Notice::OrderRefunded),
            Self::Placed
            | Self::PaymentStarted
            | Self::Expired
            | Self::RefundRequested
            | Self::RefundRefused
            | Self::PaidLate => None,
        }
    }
}

/// What a line of an order's history says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderLine {
    /// The order took a step.
    Step(OrderStep),
    /// The money of an attempt came after the attempt had ended, and goes back. The order stays as it is, in any status.
    LateMoneyReturned,
}

impl From<OrderStep> for OrderLine {
    fn from(step: OrderStep) -> Self {
        Self::Step(step)
    }
}

impl PartialEq<OrderStep> for OrderLine {
    fn eq(&self, step: &OrderStep) -> bool {
        *self == Self::Step(*step)
    }
}

impl Serialize for OrderLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Step(step) => step.serialize(serializer),
            Self::LateMoneyReturned => serializer.serialize_str("late_money_returned"),
        }
    }
}

/// One line of an order's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEvent {
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub event: OrderLine,
    /// The reason that the shopper sees.
    pub reason: Option<String>,
}

/// An order of one reservation, with its payment.
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
    /// The accounts at payment providers that were chosen for its reservation.
    pub accounts: Vec<GatewayName>,
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
    /// When the last message about the current attempt was sent, or was about to be. `None`: the attempt was started by an
    /// earlier version, or there is none.
    pub sent_at: Option<Timestamp>,
    /// What the shopper has still to be told of the end of the current attempt, or of operators' refunds.
    pub untold: Option<Notice>,
    /// Its history, oldest first.
    pub history: Vec<OrderEvent>,
    /// What operators have refunded of it since it was completed.
    pub refunds: Refunds,
    /// The number of writes that made the order as it is. Each write adds one. 0: only an earlier version has written it.
    pub revision: u64,
}

impl Order {
    /// The identity of its last attempt to pay.
    #[must_use]
    pub fn key(&self) -> IdempotencyKey {
        IdempotencyKey { order: self.id.clone(), attempt: self.attempt }
    }

    /// The revision of a new order.
    pub const FIRST_REVISION: u64 = 1;

    /// An order may have this many payment attempts at most, because every attempt leaves an item and a line of
    /// history.
    pub const MAX_ATTEMPTS: u32 = 20;

    /// The time after which a repeated request sends a pending order to its payment again, in case its message was lost.
    /// `reconcile` starts the payment after a minute.
    pub const SENT_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

    /// Whether a repeated request should send the order to its payment again.
    #[must_use]
    pub fn is_to_be_sent_again(&self, now: Timestamp) -> bool {
        // The last change of a pending order was the start of its attempt.
        let due = self.sent_at.unwrap_or(self.updated_at).checked_add(Self::SENT_AGAIN_AFTER).unwrap_or(Timestamp::MAX);
        self.status == OrderStatus::Pending && due <= now
    }

    /// Whether late money may still buy units for this order: its hold has ended without a purchase. An order that has failed
    /// does not come back. A saga has undone its last attempt, and a late run of that saga could take units back that are held
    /// again under the same id.
    #[must_use]
    pub fn may_be_paid_late(&self) -> bool {
        self.status == OrderStatus::Expired && self.attempt < Self::MAX_ATTEMPTS
    }

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
    fn an_ended_order_takes_no_step_but_for_late_money_or_a_refund() {
        for step in OrderStep::ALL {
            let from = step.starts_from();
            let is_open = matches!(from, OrderStatus::AwaitingPayment | OrderStatus::Pending);
            // A purchase is over, and its money may still go back.
            let gives_back = from == OrderStatus::Completed;
            let is_late = matches!(step, OrderStep::RefundConfirmed | OrderStep::PaidLate);
            assert!(is_open || gives_back || is_late, "{step:?} starts from {from:?}");
        }
    }

    #[test]
    fn a_pending_order_is_sent_again_half_a_minute_after_its_last_message() {
        let at = |second: i64| Timestamp::from_second(1_793_534_400 + second).unwrap();
        let pending = Order {
            id: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap(),
            shopper: "ann".parse().unwrap(),
            quantity: Quantity::ONE,
            amount: Money::new(99_900, "USD".parse().unwrap()).unwrap(),
            status: OrderStatus::Pending,
            payment_status: PaymentStatus::Pending,
            stock_status: StockStatus::Confirmed,
            attempt: 1,
            payment_method: None,
            accounts: Vec::new(),
            shipping_address: None,
            pay_by: at(300),
            transaction_id: None,
            created_at: at(0),
            updated_at: at(10),
            sent_at: None,
            untold: None,
            history: Vec::new(),
            refunds: Refunds::default(),
            revision: 1,
        };
        for (sent_at, now, expected) in [
            (None, at(39), false),
            (None, at(40), true),
            (Some(at(70)), at(99), false),
            (Some(at(70)), at(100), true),
            // A clock that is behind.
            (Some(at(70)), at(0), false),
        ] {
            assert_eq!(Order { sent_at, ..pending.clone() }.is_to_be_sent_again(now), expected, "{sent_at:?} {now}");
        }
        for step in OrderStep::ALL {
            let (status, ..) = step.leads_to();
            let order = Order { status, ..pending.clone() };
            assert_eq!(order.is_to_be_sent_again(at(1_000)), status == OrderStatus::Pending, "{step:?}");
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
