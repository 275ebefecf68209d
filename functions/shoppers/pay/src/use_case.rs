//! The use case: start another attempt to pay an order, send the order to the saga, and wait for the result if asked to.
//!
//! If the run dies after the attempt has started, the order is pending without a saga: a repetition finds the payment in
//! progress and sends the message again after half a minute, and `reconcile` starts the saga after a minute.

use std::{sync::Arc, time::Duration};

use checkout::OrderDispatch;
use contract::DecimalAmount;
use domain::{Clock, Money, Order, OrderId, OrderStatus, PaymentMethod, ShopperId, Timestamp};
use messages::{OrderMessage, SendError};
use parts::{FromParts, Parts};
use store::{Orders, Purchases, StartOutcome, StoreError};

/// How often a waiting request reads its order.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Why a request did not start a payment and send it to the saga.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PaymentError {
    /// The shopper has no order with this id.
    #[error("the shopper has no such order")]
    UnknownOrder,
    /// The order is paid.
    #[error("the order is paid")]
    AlreadyPaid,
    /// An attempt is under way, or started while this request ran.
    #[error("a payment is under way")]
    InProgress,
    /// The hold has ended, and the order with it.
    #[error("the reservation has expired")]
    ReservationExpired,
    /// The order had [`Order::MAX_ATTEMPTS`] attempts. It expires at `pay_by`.
    #[error("too many attempts")]
    TooManyAttempts {
        /// The end of the hold.
        pay_by: Timestamp,
    },
    /// The client agreed to another amount than the order costs.
    #[error("another amount than the order costs")]
    OtherAmount {
        /// What the order costs.
        costs: Money,
    },
    /// The store failed. The attempt may have started; the same request finds it in progress.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQS did not acknowledge the message about the order. The same request sends it again after half a minute.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Starts payments of orders that wait for one.
pub(crate) struct OrderPayments {
    clock: Arc<dyn Clock>,
    orders: Orders,
    purchases: Purchases,
    dispatch: OrderDispatch,
}

impl FromParts for OrderPayments {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            orders: parts.orders(),
            purchases: parts.purchases(),
            dispatch: OrderDispatch::from_parts(parts),
        }
    }
}

impl OrderPayments {
    /// Starts another attempt to pay the order `id` of `shopper` by `method`.
    ///
    /// # Errors
    /// Every [`PaymentError`].
    pub(crate) async fn start(
        &self,
        shopper: &ShopperId,
        id: &OrderId,
        method: &PaymentMethod,
        amount: &DecimalAmount,
    ) -> Result<(), PaymentError> {
        let order = self.orders.get(id).await?.filter(|order| order.shopper == *shopper).ok_or(PaymentError::UnknownOrder)?;
        let now = self.clock.now();
        self.can_be_paid(&order, now).await?;
        if !amount.is(order.amount) {
            return Err(PaymentError::OtherAmount { costs: order.amount });
        }
        match self.purchases.start_again(&order, method, now).await? {
            StartOutcome::Started => {}
            StartOutcome::OrderIs(changed) => {
                self.can_be_paid(&changed, now).await?;
                return Err(PaymentError::InProgress);
            }
            StartOutcome::ReservationEnded => return Err(PaymentError::ReservationExpired),
        }
        let message = OrderMessage { attempt: order.attempt + 1, ..OrderMessage::of(&order) };
        Ok(self.dispatch.send(&message).await?)
    }

    /// Whether an attempt may start. Sends a pending order to the saga again if its message may have been lost.
    async fn can_be_paid(&self, order: &Order, now: Timestamp) -> Result<(), PaymentError> {
        match order.statuses(now).0 {
            OrderStatus::AwaitingPayment if order.attempt >= Order::MAX_ATTEMPTS => {
                Err(PaymentError::TooManyAttempts { pay_by: order.pay_by })
            }
            OrderStatus::AwaitingPayment => Ok(()),
            OrderStatus::Completed => Err(PaymentError::AlreadyPaid),
            OrderStatus::Pending => {
                self.dispatch.send_again::<PaymentError>(order, now).await?;
                Err(PaymentError::InProgress)
            }
            OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => Err(PaymentError::ReservationExpired),
        }
    }

    /// The order once its payment has ended, if that happens within `seconds`.
    pub(crate) async fn wait_for(&self, id: &OrderId, seconds: u32) -> Result<Option<Order>, StoreError> {
        let ended = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let order = self.orders.get(id).await?;
                if let Some(order) = order.filter(|order| order.status != OrderStatus::Pending) {
                    return Ok(Some(order));
                }
            }
        };
        let wait = Duration::from_secs(u64::from(seconds));
        tokio::time::timeout(wait, ended).await.unwrap_or(Ok(None))
    }
}
