//! Somebody who buys: who, which reservation, which units, paying how. Two of them are in the sample events.

use domain::{
    Address, Hold, IdempotencyKey, Money, Order, OrderEvent, OrderStep, PaymentMethod, ProductId, Quantity, Reservation,
    ReservationId, ReservationStatus, ShardNumber, ShopperId, Timestamp,
};

use super::{END, START, price};

/// One shopper's purchase of units of `demo`, whatever has become of it.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// Who.
    pub shopper: ShopperId,
    /// The reservation, and so the order.
    pub id: ReservationId,
    /// Where the units are.
    pub shard: ShardNumber,
    /// How many.
    pub quantity: Quantity,
    /// How the order is paid.
    pub method: PaymentMethod,
    /// When the reservation, and the order, is made.
    pub made_at: Timestamp,
    /// When the hold ends, and by when the order must be paid.
    pub ends_at: Timestamp,
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
        }
    }

    /// Paying with this method instead.
    #[must_use]
    pub fn paying(self, method: &str) -> Self {
        Self { method: method.parse().unwrap(), ..self }
    }

    /// Buying something else instead.
    #[must_use]
    pub fn of(self, product: &ProductId) -> Self {
        Self { id: ReservationId::of(product, &self.id.ulid()).unwrap(), ..self }
    }

    /// With a reservation made at this time, whose hold ends at that one.
    #[must_use]
    pub fn holding(self, made_at: Timestamp, ends_at: Timestamp) -> Self {
        Self { made_at, ends_at, ..self }
    }

    /// What the order costs.
    pub fn amount(&self) -> Money {
        price().times(self.quantity.units()).unwrap()
    }

    /// What a gateway recognises an attempt by.
    pub fn key(&self, attempt: u32) -> IdempotencyKey {
        IdempotencyKey { order: self.id.clone(), attempt }
    }

    /// The hold on the shard.
    pub fn hold(&self) -> Hold {
        Hold { reservation: self.id.clone(), quantity: self.quantity, expires_at: self.ends_at }
    }

    /// The reservation as it is made.
    pub fn reservation(&self) -> Reservation {
        Reservation {
            id: self.id.clone(),
            shopper: self.shopper.clone(),
            shard: self.shard,
            quantity: self.quantity,
            status: ReservationStatus::Held,
            expires_at: self.ends_at,
            created_at: self.made_at,
        }
    }

    /// The order as [`OrderStep::Placed`] or [`OrderStep::PaymentStarted`] makes it.
    pub fn order(&self, step: OrderStep) -> Order {
        self.order_after(step, u32::from(step == OrderStep::PaymentStarted))
    }

    /// The order as `step` leaves it after so many attempts to pay it, with no other step in its history.
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
            shipping_address: Some(Address {
                address_line1: "1 Infinite Loop".into(),
                city: "Cupertino".into(),
                postal_code: "95014".into(),
                country: "US".into(),
            }),
            pay_by: self.ends_at,
            transaction_id: None,
            created_at: self.made_at,
            updated_at: self.made_at,
            history: vec![OrderEvent { at: self.made_at, event: step, reason: None }],
        }
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}
