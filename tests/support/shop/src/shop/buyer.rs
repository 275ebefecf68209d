//! A shopper with one purchase: the reservation, the units and the payment method. Two of them are in the sample
//! events.

use domain::{
    Address, Hold, IdempotencyKey, Money, Order, OrderEvent, OrderStep, PaymentMethod, ProductId, Quantity, Refunds, Reservation,
    ReservationId, ReservationStatus, ShardNumber, ShopperId, Timestamp,
};

use super::{END, START, price};

/// One shopper's purchase of units of `demo`, in any state.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// The `sub` of the shopper who buys.
    pub shopper: ShopperId,
    /// The id of the reservation, and so of the order.
    pub id: ReservationId,
    /// The shard that the units are in.
    pub shard: ShardNumber,
    /// The number of units.
    pub quantity: Quantity,
    /// The payment method of the order.
    pub method: PaymentMethod,
    /// When the reservation and the order are made.
    pub made_at: Timestamp,
    /// The end of the hold, and so the last moment to pay the order.
    pub ends_at: Timestamp,
    /// The time beyond which no failed payment prolongs the hold. By default there is none, as in the reservations of an
    /// earlier version.
    pub latest_end: Option<Timestamp>,
}

impl Buyer {
    /// The shopper of most sample events: one unit of shard 0, paid with `sandbox:ok`.
    pub fn first() -> Self {
        Self::new("5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01", "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", 0, 1)
    }

    /// The other shopper of the sample events: two units of shard 1, paid with `sandbox:ok`.
    pub fn second() -> Self {
        Self::new("9d0f6a52-3c1b-4e8a-8f27-6b5c4d3e2f10", "demo.01JD3V3Z5T0000000000000000", 1, 2)
    }

    /// Shopper `shopper-<number>` with a reservation of that number: one unit of shard 0, paid with `sandbox:ok`.
    pub fn number(number: u32) -> Self {
        Self::new(&format!("shopper-{number}"), &format!("demo.01JD3V3Z5T8Q6W7X9Y0A{number:06}"), 0, 1)
    }

    fn new(shopper: &str, id: &str, shard: u32, quantity: u32) -> Self {
        Self {
            shopper: shopper.parse().unwrap(),
            id: id.parse().unwrap(),
            shard: ShardNumber(shard),
            quantity: Quantity::new(quantity).unwrap(),
            method: "sandbox:ok".parse().unwrap(),
            made_at: time(START),
            ends_at: time(END),
            latest_end: None,
        }
    }

    /// The same buyer with another payment method.
    #[must_use]
    pub fn paying(self, method: &str) -> Self {
        Self { method: method.parse().unwrap(), ..self }
    }

    /// The same buyer with another product.
    #[must_use]
    pub fn of(self, product: &ProductId) -> Self {
        Self { id: ReservationId::of(product, &self.id.ulid()).unwrap(), ..self }
    }

    /// The same buyer with a reservation that is made at one time, and a hold that ends at the other.
    #[must_use]
    pub fn holding(self, made_at: Timestamp, ends_at: Timestamp) -> Self {
        Self { made_at, ends_at, ..self }
    }

    /// The price of the order.
    pub fn amount(&self) -> Money {
        price().times(self.quantity.units()).unwrap()
    }

    /// The idempotency key of an attempt.
    pub fn key(&self, attempt: u32) -> IdempotencyKey {
        IdempotencyKey { order: self.id.clone(), attempt }
    }

    /// The hold on the shard.
    pub fn hold(&self) -> Hold {
        Hold { reservation: self.id.clone(), quantity: self.quantity, expires_at: self.ends_at }
    }

    /// The reservation in its first state.
    pub fn reservation(&self) -> Reservation {
        Reservation {
            id: self.id.clone(),
            shopper: self.shopper.clone(),
            shard: self.shard,
            quantity: self.quantity,
            status: ReservationStatus::Held,
            expires_at: self.ends_at,
            latest_end: self.latest_end,
            accounts: Vec::new(),
            created_at: self.made_at,
        }
    }

    /// The order as [`OrderStep::Placed`] or [`OrderStep::PaymentStarted`] makes it.
    pub fn order(&self, step: OrderStep) -> Order {
        self.order_after(step, u32::from(step == OrderStep::PaymentStarted))
    }

    /// The order after `step` and this many payment attempts, with no other step in its history.
    pub fn order_after(&self, step: OrderStep, attempt: u32) -> Order {
        let (status, payment_status, stock_status) = step.leads_to();
        Order {
            id: self.id.clone(),
            shopper: self.shopper.clone(),
            quantity: self.quantity,
            amount: self.amount(),
            status,
            payment_status,
            stock_status,
            attempt,
            payment_method: (attempt > 0).then(|| self.method.clone()),
            accounts: Vec::new(),
            shipping_address: Some(address()),
            pay_by: self.ends_at,
            transaction_id: None,
            created_at: self.made_at,
            updated_at: self.made_at,
            sent_at: None,
            untold: None,
            history: vec![OrderEvent { at: self.made_at, event: step.into(), reason: None }],
            refunds: Refunds::default(),
            revision: Order::FIRST_REVISION,
        }
    }
}

/// The address in the sample events.
pub fn address() -> Address {
    Address {
        name: None,
        address_line1: "1 Market Street".into(),
        address_line2: None,
        city: "Springfield".into(),
        state: None,
        postal_code: Some("49007".into()),
        country: "US".into(),
        phone: None,
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}
