//! The use case: start another attempt to pay an order, send the order to the saga, and wait for the result if asked to.
//!
//! If the run dies after the attempt has started, the order is pending without a saga: a repetition finds the payment in
//! progress and sends the message again after half a minute, and `reconcile` starts the saga after a minute.

use std::{sync::Arc, time::Duration};

use checkout::{MethodUnavailable, OrderDispatch, PaymentMethods, ShopperReturns};
use contract::{ActionView, DecimalAmount};
use domain::{Attempt, Clock, IdempotencyKey, Money, Order, OrderId, OrderStatus, PaymentMethod, ShopperId, Timestamp};
use messages::{OrderMessage, SendError};
use parts::{FromParts, Parts};
use store::{Attempts, Orders, Purchases, StartOutcome, StoreError};

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
    /// An attempt by the same method is under way, and the shopper has to act, or has just come back from it.
    #[error("the shopper has to act")]
    RequiresAction {
        /// What the shopper has to do, unless it is done.
        action: ActionView,
        /// The attempt.
        key: IdempotencyKey,
    },
    /// The hold has ended, and the order with it.
    #[error("the reservation has expired")]
    ReservationExpired,
    /// The order had [`Order::MAX_ATTEMPTS`] attempts. It expires at `pay_by`.
    #[error("too many attempts")]
    TooManyAttempts {
        /// The end of the hold.
        pay_by: Timestamp,
    },
    /// No account takes the payment method now.
    #[error(transparent)]
    MethodUnavailable(#[from] MethodUnavailable),
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

/// What has come of a payment.
pub(crate) enum WaitOutcome {
    /// It is under way.
    Nothing,
    /// The shopper has to act.
    ToAct(Box<Attempt>),
    /// The order has ended, or waits for another payment.
    Ended(Box<Order>),
}

/// How long a request waits, unless its time ends before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until the order has ended. The shopper has come back from acting, and the action is still noted.
    End,
    /// Until the order has ended, or its shopper has to act.
    EndOrAction,
}

/// Starts payments of orders that wait for one.
pub(crate) struct OrderPayments {
    clock: Arc<dyn Clock>,
    orders: Orders,
    purchases: Purchases,
    dispatch: OrderDispatch,
    methods: PaymentMethods,
    attempts: Attempts,
    returns: ShopperReturns,
}

impl FromParts for OrderPayments {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            orders: parts.orders(),
            purchases: parts.purchases(),
            dispatch: OrderDispatch::from_parts(parts),
            methods: PaymentMethods::from_parts(parts),
            attempts: parts.attempts(),
            returns: ShopperReturns::from_parts(parts),
        }
    }
}

impl OrderPayments {
    /// Starts another attempt to pay the order `id` of `shopper` by `method`, and returns its key.
    ///
    /// # Errors
    /// Every [`PaymentError`].
    pub(crate) async fn start(
        &self,
        shopper: &ShopperId,
        id: &OrderId,
        method: &PaymentMethod,
        amount: &DecimalAmount,
    ) -> Result<IdempotencyKey, PaymentError> {
        let order = self.orders.get(id).await?.filter(|order| order.shopper == *shopper).ok_or(PaymentError::UnknownOrder)?;
        let now = self.clock.now();
        self.can_be_paid(&order, method, now).await?;
        if !amount.is(order.amount) {
            return Err(PaymentError::OtherAmount { costs: order.amount });
        }
        self.methods.check(method, id, &order.accounts).await?;
        match self.purchases.start_again(&order, method, now).await? {
            StartOutcome::Started => {}
            StartOutcome::OrderIs(changed) => {
                self.can_be_paid(&changed, method, now).await?;
                return Err(PaymentError::InProgress);
            }
            StartOutcome::ReservationEnded => return Err(PaymentError::ReservationExpired),
        }
        let message = OrderMessage { attempt: order.attempt + 1, ..OrderMessage::of(&order) };
        self.dispatch.send(&message).await?;
        Ok(IdempotencyKey { order: order.id, attempt: message.attempt })
    }

    /// Whether an attempt by `method` may start. Sends a pending order to the saga again if its message may have been lost.
    async fn can_be_paid(&self, order: &Order, method: &PaymentMethod, now: Timestamp) -> Result<(), PaymentError> {
        match order.statuses(now).0 {
            OrderStatus::AwaitingPayment if order.attempt >= Order::MAX_ATTEMPTS => {
                Err(PaymentError::TooManyAttempts { pay_by: order.pay_by })
            }
            OrderStatus::AwaitingPayment => Ok(()),
            OrderStatus::Completed => Err(PaymentError::AlreadyPaid),
            OrderStatus::Pending => {
                self.dispatch.send_again::<PaymentError>(order, now).await?;
                let attempt = self.returns.note::<PaymentError>(order).await?;
                // Another method could charge twice: it has to wait until this attempt has ended.
                let same = attempt.as_ref().filter(|_| order.payment_method.as_ref() == Some(method));
                let action = same.and_then(contract::action);
                Err(action.map_or(PaymentError::InProgress, |action| PaymentError::RequiresAction { action, key: order.key() }))
            }
            OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => Err(PaymentError::ReservationExpired),
        }
    }

    /// What has come of the payment of `key` when the wait ends, after `seconds` at the latest.
    pub(crate) async fn wait(&self, key: &IdempotencyKey, seconds: u32, until: Until) -> Result<WaitOutcome, StoreError> {
        let come = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let order = self.orders.get(&key.order).await?;
                if let Some(order) = order.filter(|order| order.status != OrderStatus::Pending) {
                    return Ok(WaitOutcome::Ended(Box::new(order)));
                }
                if until == Until::End {
                    continue;
                }
                let attempt = self.attempts.get(key).await?;
                if let Some(attempt) = attempt.filter(|attempt| contract::action(attempt).is_some()) {
                    return Ok(WaitOutcome::ToAct(Box::new(attempt)));
                }
            }
        };
        let wait = Duration::from_secs(u64::from(seconds));
        tokio::time::timeout(wait, come).await.unwrap_or(Ok(WaitOutcome::Nothing))
    }
}
