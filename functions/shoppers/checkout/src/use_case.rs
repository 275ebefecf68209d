//! The use case: one transaction makes the order and takes the reservation to payment; a message then starts the saga.
//!
//! If the run dies in between, the order is pending without a saga: the same request sends the message again, and
//! `reconcile` starts the saga after a minute. The message may come twice: an attempt is paid once.

use std::sync::Arc;

use contract::{CheckoutDetails, reservation_expired, send_problem, store_problem, unknown_reservation};
use domain::{
    Address, Clock, Order, OrderEvent, OrderId, OrderStatus, OrderStep, PaymentMethod, Reservation, ReservationStatus, Sale,
    ShopperId, SignedDuration, Timestamp,
};
use kit::Problem;
use messages::{OrderMessage, OrdersQueue};
use parts::{FromParts, Parts};
use store::{Orders, PlaceOutcome, Purchases, Reservations, Sales, StartOutcome};

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
    /// Orders what `shopper` has reserved as `id`, to be paid as `details` say. A repetition gives the order that is there; one
    /// that was placed without a payment method is paid now.
    ///
    /// # Errors
    /// 404 when the shopper has no such reservation, 410 when its time is over, 503 when the order was not made for sure.
    pub async fn check_out(&self, shopper: &ShopperId, id: &OrderId, details: &CheckoutDetails) -> Result<Order, Problem> {
        let now = self.clock.now();
        let reservation = self.reservations.get(shopper, id.product()).await.map_err(|error| store_problem(&error))?;
        let Some(reservation) = reservation.filter(|found| found.id == *id && !found.is_overdue(now)) else {
            return self.order_of_ended(shopper, id, now).await;
        };
        match reservation.status {
            ReservationStatus::Held => {}
            ReservationStatus::Paying | ReservationStatus::Purchased => return self.order_of_ended(shopper, id, now).await,
        }
        let CheckoutDetails { payment_method, shipping_address } = details.clone();
        let order = self.new_order(&reservation, Some(payment_method), shipping_address, now).await?;
        match self.purchases.start(&order, now).await.map_err(|error| store_problem(&error))? {
            StartOutcome::Started => self.have_paid(order).await,
            StartOutcome::OrderIs(placed) if placed.status == OrderStatus::AwaitingPayment && placed.attempt == 0 => {
                self.start_placed(placed, details, now).await
            }
            // Also one whose first attempt failed: this may be the request that made it. `POST /payment` pays it anew.
            StartOutcome::OrderIs(order) => self.have_paid(order).await,
            StartOutcome::ReservationEnded => Err(reservation_expired()),
        }
    }

    /// Takes an order to payment that was placed without a payment method.
    async fn start_placed(&self, placed: Order, details: &CheckoutDetails, now: Timestamp) -> Result<Order, Problem> {
        let CheckoutDetails { payment_method, shipping_address } = details;
        let started = self.purchases.start_waiting(&placed, payment_method, shipping_address.as_ref(), now).await;
        match started.map_err(|error| store_problem(&error))? {
            StartOutcome::Started => {
                let (status, payment_status, stock_status) = OrderStep::PaymentStarted.leads_to();
                self.have_paid(Order { status, payment_status, stock_status, attempt: placed.attempt + 1, ..placed }).await
            }
            StartOutcome::OrderIs(order) => self.have_paid(order).await,
            StartOutcome::ReservationEnded => Err(reservation_expired()),
        }
    }

    /// Places an order on `reservation` that waits for `POST /payment`, which says nothing of where it goes: an address must
    /// come with the order. A repetition gives the order that is there.
    ///
    /// # Errors
    /// 503 when it was not placed for sure.
    pub async fn place(&self, reservation: &Reservation, shipping_address: Option<Address>) -> Result<Order, Problem> {
        let order = self.new_order(reservation, None, shipping_address, self.clock.now()).await?;
        match self.orders.place(&order).await.map_err(|error| store_problem(&error))? {
            PlaceOutcome::Placed => Ok(order),
            PlaceOutcome::Exists(order) => Ok(order),
        }
    }

    /// Makes sure that a pending order is on its way to the saga.
    async fn have_paid(&self, order: Order) -> Result<Order, Problem> {
        if order.status == OrderStatus::Pending {
            self.queue.send(&OrderMessage::of(&order)).await.map_err(|error| send_problem(&error))?;
        }
        Ok(order)
    }

    /// The order of a reservation that is being paid, is paid, or has ended.
    async fn order_of_ended(&self, shopper: &ShopperId, id: &OrderId, now: Timestamp) -> Result<Order, Problem> {
        match self.orders.get(id).await.map_err(|error| store_problem(&error))? {
            Some(order) if order.shopper == *shopper => self.have_paid(order).await,
            None if self.hold_is_over(id, now).await? => Err(reservation_expired()),
            Some(_) | None => Err(unknown_reservation()),
        }
    }

    /// Whether a reservation with this id, whoever's it was, must have ended by now.
    async fn hold_is_over(&self, id: &OrderId, now: Timestamp) -> Result<bool, Problem> {
        let sale = self.sales.get(id.product()).await.map_err(|error| store_problem(&error))?;
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
    ) -> Result<Order, Problem> {
        let sale = self.sales.get(reservation.id.product()).await.map_err(|error| store_problem(&error))?;
        let sale = sale.ok_or_else(unknown_reservation)?;
        order(&sale, reservation, payment_method, shipping_address, now)
    }
}

/// A new order: pending with its first attempt if it says how it is paid, waiting otherwise.
fn order(
    sale: &Sale,
    reservation: &Reservation,
    payment_method: Option<PaymentMethod>,
    shipping_address: Option<Address>,
    now: Timestamp,
) -> Result<Order, Problem> {
    let step = if payment_method.is_some() { OrderStep::PaymentStarted } else { OrderStep::Placed };
    let (status, payment_status, stock_status) = step.leads_to();
    let amount = sale.draft.price.times(reservation.quantity.units()).map_err(|error| Problem::internal(&error))?;
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
