//! The use case: one transaction makes the order and moves the reservation to `paying`; then a message starts the saga.
//!
//! If the run dies between the two, the order is pending without a saga: the same request sends the message again after half a
//! minute, and `reconcile` starts the saga after a minute. The message may arrive twice; the saga pays an attempt once.

use std::sync::Arc;

use contract::CheckoutDetails;
use domain::{
    Address, Clock, MoneyError, Order, OrderEvent, OrderId, OrderStatus, OrderStep, PaymentMethod, Refunds, Reservation,
    ReservationStatus, Sale, ShopperId, SignedDuration, Timestamp,
};
use messages::{OrderMessage, SendError};
use parts::{FromParts, Parts};
use store::{AddressOutcome, Orders, PlaceOutcome, Purchases, Reservations, Sales, StartOutcome, StoreError};

use crate::{MethodUnavailable, OrderDispatch, PaymentMethods, ShopperReturns};

/// How often a request decides again because the order has changed meanwhile. Each change is an attempt to pay that another
/// request started, or the end of one.
const MOST_DECISIONS: usize = 4;

/// Why a checkout did not end in an order that was sent to the saga.
#[derive(Debug, thiserror::Error)]
pub enum PlacementError {
    /// The shopper has no reservation with this id.
    #[error("the shopper has no such reservation")]
    UnknownReservation,
    /// The hold ended before its payment started.
    #[error("the reservation has expired")]
    ReservationExpired,
    /// The order is being paid or is paid, and has another address.
    #[error("the address can no longer change")]
    AddressFixed,
    /// The order is being paid by another method.
    #[error("a payment is under way")]
    PaymentInProgress,
    /// The order was paid by another method.
    #[error("the order is paid")]
    AlreadyPaid,
    /// The order had [`Order::MAX_ATTEMPTS`] attempts. It expires at `pay_by`.
    #[error("too many attempts")]
    TooManyAttempts {
        /// The end of the hold.
        pay_by: Timestamp,
    },
    /// No account takes the payment method now.
    #[error(transparent)]
    MethodUnavailable(#[from] MethodUnavailable),
    /// The order changed before each of this request's writes.
    #[error("the order changes too often")]
    Contended,
    /// The price of all units is more than an amount can be. The limits of a sale exclude it.
    #[error("the order has no price")]
    Price(#[source] MoneyError),
    /// The store failed. The order may have been placed; the same request finds it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQS did not acknowledge the message about the order. The same request sends it again after half a minute.
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
    dispatch: OrderDispatch,
    methods: PaymentMethods,
    returns: ShopperReturns,
}

impl FromParts for OrderPlacement {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            sales: parts.sales(),
            reservations: parts.reservations(),
            orders: parts.orders(),
            purchases: parts.purchases(),
            dispatch: OrderDispatch::from_parts(parts),
            methods: PaymentMethods::from_parts(parts),
            returns: ShopperReturns::from_parts(parts),
        }
    }
}

impl OrderPlacement {
    /// The ways to pay.
    #[must_use]
    pub fn methods(&self) -> &PaymentMethods {
        &self.methods
    }

    /// Makes an order of the reservation `id` of `shopper` and starts its payment as `details` say. If there is an order already,
    /// a repetition returns it; while it waits for a payment, another address or method starts the next attempt.
    ///
    /// # Errors
    /// Every [`PlacementError`].
    pub async fn check_out(&self, shopper: &ShopperId, id: &OrderId, details: &CheckoutDetails) -> Result<Order, PlacementError> {
        let now = self.clock.now();
        let wish = Wish { method: Some(&details.payment_method), address: details.shipping_address.as_ref() };
        let reservation = self.reservations.get(shopper, id.product()).await?;
        let Some(reservation) = reservation.filter(|found| found.id == *id && !found.is_overdue(now)) else {
            return self.order_of_ended(shopper, id, wish, now).await;
        };
        match reservation.status {
            ReservationStatus::Held => {}
            ReservationStatus::Paying | ReservationStatus::Purchased => return self.order_of_ended(shopper, id, wish, now).await,
        }
        let CheckoutDetails { payment_method, shipping_address } = details.clone();
        self.methods.check(&payment_method, id, &reservation.accounts).await?;
        let order = self.new_order(&reservation, Some(payment_method), shipping_address, now).await?;
        match self.purchases.start(&order, now).await? {
            StartOutcome::Started => self.send_started(order).await,
            StartOutcome::OrderIs(order) => self.fulfil(wish, order, now).await,
            StartOutcome::ReservationEnded => Err(PlacementError::ReservationExpired),
        }
    }

    /// Places an order of `reservation` that waits for `POST /payment`. If there is an order already, it gets the address, if one
    /// was sent.
    ///
    /// # Errors
    /// Every [`PlacementError`] of an order that has this address already or cannot get it; and when the store fails: the order
    /// may have been placed.
    pub async fn place(&self, reservation: &Reservation, shipping_address: Option<Address>) -> Result<Order, PlacementError> {
        let now = self.clock.now();
        let order = self.new_order(reservation, None, shipping_address.clone(), now).await?;
        match self.orders.place(&order).await? {
            PlaceOutcome::Placed => Ok(order),
            PlaceOutcome::Exists(order) => {
                self.fulfil(Wish { method: None, address: shipping_address.as_ref() }, order, now).await
            }
        }
    }

    /// Gives an existing order what the request wishes, or refuses it: nothing that a request sends is dropped.
    async fn fulfil(&self, wish: Wish<'_>, mut order: Order, now: Timestamp) -> Result<Order, PlacementError> {
        for _ in 0..MOST_DECISIONS {
            order = match wish.of(&order, now)? {
                // This request took its time, and a later one has changed the order: it does not undo what came after it.
                Decision::Attempt(_) | Decision::Address(_) if order.updated_at > now => return Err(PlacementError::Contended),
                Decision::Stays => {
                    self.dispatch.send_again::<PlacementError>(&order, now).await?;
                    self.returns.note::<PlacementError>(&order).await?;
                    return Ok(order);
                }
                Decision::Attempt(method) => {
                    self.methods.check(method, &order.id, &order.accounts).await?;
                    match self.purchases.start_waiting(&order, method, wish.address, now).await? {
                        StartOutcome::Started => {
                            let (status, payment_status, stock_status) = OrderStep::PaymentStarted.leads_to();
                            let attempt = order.attempt + 1;
                            return self.send_started(Order { status, payment_status, stock_status, attempt, ..order }).await;
                        }
                        StartOutcome::OrderIs(changed) => changed,
                        StartOutcome::ReservationEnded => return Err(PlacementError::ReservationExpired),
                    }
                }
                Decision::Address(address) => match self.orders.replace_address(&order, address, now).await? {
                    AddressOutcome::Replaced => return Ok(order),
                    AddressOutcome::OrderIs(changed) => changed,
                },
            };
        }
        Err(PlacementError::Contended)
    }

    /// Sends an order whose attempt has just started.
    async fn send_started(&self, order: Order) -> Result<Order, PlacementError> {
        self.dispatch.send(&OrderMessage::of(&order)).await?;
        Ok(order)
    }

    /// The order of a reservation that is being paid, is bought, or has ended.
    async fn order_of_ended(
        &self,
        shopper: &ShopperId,
        id: &OrderId,
        wish: Wish<'_>,
        now: Timestamp,
    ) -> Result<Order, PlacementError> {
        match self.orders.get(id).await? {
            Some(order) if order.shopper == *shopper => self.fulfil(wish, order, now).await,
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
        let order = order(&sale, reservation, payment_method, shipping_address, now)?;
        // A reservation of an earlier version has no accounts yet. From now on the order keeps to its own.
        let accounts = if order.accounts.is_empty() { self.methods.accounts().choose(&order.id) } else { order.accounts.clone() };
        Ok(Order { accounts, ..order })
    }
}

/// What a request asks of an order that exists. A missing part leaves the order's as it is.
#[derive(Debug, Clone, Copy)]
struct Wish<'w> {
    method: Option<&'w PaymentMethod>,
    address: Option<&'w Address>,
}

/// What a wish does to an order.
enum Decision<'w> {
    /// The order is as wished, and this payment method was tried: the request is a repetition. A declined method is not
    /// charged again because an answer was lost.
    Stays,
    /// The next attempt starts, with this method.
    Attempt(&'w PaymentMethod),
    /// Only the address is replaced.
    Address(&'w Address),
}

impl<'w> Wish<'w> {
    fn of(self, order: &Order, now: Timestamp) -> Result<Decision<'w>, PlacementError> {
        let address = self.address.filter(|address| order.shipping_address.as_ref() != Some(*address));
        // An order without an attempt has no method.
        let method = self.method.filter(|method| order.payment_method.as_ref() != Some(*method));
        if address.is_none() && method.is_none() {
            return Ok(Decision::Stays);
        }
        match (order.statuses(now).0, self.method, address) {
            (OrderStatus::AwaitingPayment, Some(_), _) if order.attempt >= Order::MAX_ATTEMPTS => {
                Err(PlacementError::TooManyAttempts { pay_by: order.pay_by })
            }
            (OrderStatus::AwaitingPayment, Some(method), _) => Ok(Decision::Attempt(method)),
            (OrderStatus::AwaitingPayment, None, Some(address)) => Ok(Decision::Address(address)),
            (OrderStatus::AwaitingPayment, None, None) => Ok(Decision::Stays),
            (OrderStatus::Pending | OrderStatus::Completed, _, Some(_)) => Err(PlacementError::AddressFixed),
            (OrderStatus::Pending, _, None) => Err(PlacementError::PaymentInProgress),
            (OrderStatus::Completed, _, None) => Err(PlacementError::AlreadyPaid),
            (OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded, _, _) => Err(PlacementError::ReservationExpired),
        }
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
    let sent_at = payment_method.as_ref().map(|_| now);
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
        accounts: reservation.accounts.clone(),
        shipping_address,
        pay_by: reservation.expires_at,
        transaction_id: None,
        created_at: now,
        updated_at: now,
        sent_at,
        untold: None,
        history: vec![OrderEvent { at: now, event: step.into(), reason: None }],
        refunds: Refunds::default(),
        revision: Order::FIRST_REVISION,
    })
}
