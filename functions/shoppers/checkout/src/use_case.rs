//! The use case: one transaction makes the order and moves the reservation to `paying`; then a message starts the saga.
//!
//! If the run dies between the two, the order is pending without a saga: the same request sends the message again, and
//! `reconcile` starts the saga after a minute. The message may arrive twice; the saga pays an attempt once.

use std::sync::Arc;

use contract::CheckoutDetails;
use domain::{
    Address, Clock, MoneyError, Order, OrderEvent, OrderId, OrderStatus, OrderStep, PaymentMethod, Reservation,
    ReservationStatus, Sale, ShopperId, SignedDuration, Timestamp,
};
use messages::{OrderMessage, OrdersQueue, SendError};
use parts::{FromParts, Parts};
use store::{Orders, PlaceOutcome, Purchases, Reservations, Sales, StartOutcome, StoreError};

/// Why a checkout did not end in an order that was sent to the saga.
#[derive(Debug, thiserror::Error)]
pub enum PlacementError {
    /// The shopper has no reservation with this id.
    #[error("the shopper has no such reservation")]
    UnknownReservation,
    /// The hold ended before its payment started.
    #[error("the reservation has expired")]
    ReservationExpired,
    /// The price of all units is more than an amount can be. The limits of a sale exclude it.
    #[error("the order has no price")]
    Price(#[source] MoneyError),
    /// The store failed. The order may have been placed; the same request finds it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQS did not acknowledge the message about the order. The same request sends it again.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Makes orders of reservations.
pub struct OrderPlacement {
    clock: Arc<dyn Clock>,
    sales: Sales,
    reservations: Reservations,
    orders: Orders,
    purchases: Purchases,
    queue: OrdersQueue,
}

impl FromParts for OrderPlacement {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            sales: parts.sales(),
            reservations: parts.reservations(),
            orders: parts.orders(),
            purchases: parts.purchases(),
            queue: parts.orders_queue(),
        }
    }
}

impl OrderPlacement {
    /// Makes an order of the reservation `id` of `shopper` and starts its payment as `details` say. A repetition returns the
    /// existing order; if that was placed without a payment method, its payment starts now.
    ///
    /// # Errors
    /// Every [`PlacementError`].
    pub async fn check_out(&self, shopper: &ShopperId, id: &OrderId, details: &CheckoutDetails) -> Result<Order, PlacementError> {
        let now = self.clock.now();
        let reservation = self.reservations.get(shopper, id.product()).await?;
        let Some(reservation) = reservation.filter(|found| found.id == *id && !found.is_overdue(now)) else {
            return self.order_of_ended(shopper, id, now).await;
        };
        match reservation.status {
            ReservationStatus::Held => {}
            ReservationStatus::Paying | ReservationStatus::Purchased => return self.order_of_ended(shopper, id, now).await,
        }
        let CheckoutDetails { payment_method, shipping_address } = details.clone();
        let order = self.new_order(&reservation, Some(payment_method), shipping_address, now).await?;
        match self.purchases.start(&order, now).await? {
            StartOutcome::Started => self.send_to_saga(order).await,
            StartOutcome::OrderIs(placed) if placed.status == OrderStatus::AwaitingPayment && placed.attempt == 0 => {
                self.start_placed(placed, details, now).await
            }
            // Also an order whose first attempt failed: this request may be the one that started it. `POST /payment` pays again.
            StartOutcome::OrderIs(order) => self.send_to_saga(order).await,
            StartOutcome::ReservationEnded => Err(PlacementError::ReservationExpired),
        }
    }

    /// Starts the payment of an order that was placed without a payment method.
    async fn start_placed(&self, placed: Order, details: &CheckoutDetails, now: Timestamp) -> Result<Order, PlacementError> {
        let CheckoutDetails { payment_method, shipping_address } = details;
        let started = self.purchases.start_waiting(&placed, payment_method, shipping_address.as_ref(), now).await;
        match started? {
            StartOutcome::Started => {
                let (status, payment_status, stock_status) = OrderStep::PaymentStarted.leads_to();
                self.send_to_saga(Order { status, payment_status, stock_status, attempt: placed.attempt + 1, ..placed }).await
            }
            StartOutcome::OrderIs(order) => self.send_to_saga(order).await,
            StartOutcome::ReservationEnded => Err(PlacementError::ReservationExpired),
        }
    }

    /// Places an order of `reservation` that waits for `POST /payment`. That request carries no address, so the order must have
    /// it now. A repetition returns the existing order.
    ///
    /// # Errors
    /// When the store fails: the order may have been placed.
    pub async fn place(&self, reservation: &Reservation, shipping_address: Option<Address>) -> Result<Order, PlacementError> {
        let order = self.new_order(reservation, None, shipping_address, self.clock.now()).await?;
        match self.orders.place(&order).await? {
            PlaceOutcome::Placed => Ok(order),
            PlaceOutcome::Exists(order) => Ok(order),
        }
    }

    /// Sends a pending order to the saga, also when an earlier run may have sent it.
    async fn send_to_saga(&self, order: Order) -> Result<Order, PlacementError> {
        if order.status == OrderStatus::Pending {
            self.queue.send(&OrderMessage::of(&order)).await?;
        }
        Ok(order)
    }

    /// The order of a reservation that is being paid, is bought, or has ended.
    async fn order_of_ended(&self, shopper: &ShopperId, id: &OrderId, now: Timestamp) -> Result<Order, PlacementError> {
        match self.orders.get(id).await? {
            Some(order) if order.shopper == *shopper => self.send_to_saga(order).await,
            None if self.hold_is_over(id, now).await? => Err(PlacementError::ReservationExpired),
            Some(_) | None => Err(PlacementError::UnknownReservation),
        }
    }

    /// Whether a reservation with this id must have ended by now, whichever shopper made it.
    async fn hold_is_over(&self, id: &OrderId, now: Timestamp) -> Result<bool, PlacementError> {
        let sale = self.sales.get(id.product()).await?;
        Ok(sale.is_some_and(|sale| {
            let lasts = SignedDuration::from_secs(i64::from(sale.draft.hold_seconds));
            id.made_at().checked_add(lasts).is_ok_and(|end| end <= now)
        }))
    }

    async fn new_order(
        &self,
        reservation: &Reservation,
        payment_method: Option<PaymentMethod>,
        shipping_address: Option<Address>,
        now: Timestamp,
    ) -> Result<Order, PlacementError> {
        let sale = self.sales.get(reservation.id.product()).await?;
        let sale = sale.ok_or(PlacementError::UnknownReservation)?;
        order(&sale, reservation, payment_method, shipping_address, now)
    }
}

/// A new order: pending with its first attempt if it has a payment method, otherwise waiting for one.
fn order(
    sale: &Sale,
    reservation: &Reservation,
    payment_method: Option<PaymentMethod>,
    shipping_address: Option<Address>,
    now: Timestamp,
) -> Result<Order, PlacementError> {
    let step = if payment_method.is_some() { OrderStep::PaymentStarted } else { OrderStep::Placed };
    let (status, payment_status, stock_status) = step.leads_to();
    let amount = sale.draft.price.times(reservation.quantity.units()).map_err(PlacementError::Price)?;
    Ok(Order {
        id: reservation.id.clone(),
        shopper: reservation.shopper.clone(),
        quantity: reservation.quantity,
        amount,
        status,
        payment_status,
        stock_status,
        attempt: u32::from(payment_method.is_some()),
        payment_method,
        shipping_address,
        pay_by: reservation.expires_at,
        transaction_id: None,
        created_at: now,
        updated_at: now,
        history: vec![OrderEvent { at: now, event: step, reason: None }],
    })
}
