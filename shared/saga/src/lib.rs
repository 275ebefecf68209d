//! What the tasks of the payment saga share: their input, their errors with the names that the state machine matches,
//! and the look-up of their order.

use domain::{Attempt, IdempotencyKey, Order, OrderId, OrderStatus, Reservation, ShopperId};
use kit::{chain, workers::TaskError};
use payments::Payment;
use serde::Deserialize;
use store::{Orders, Reservations, StoreError};

/// The input of every task: the attempt that the execution is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Task {
    /// The order to be paid.
    pub order_id: OrderId,
    /// The shopper who placed it.
    pub shopper: ShopperId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

impl Task {
    /// The key by which a gateway recognises a repetition.
    #[must_use]
    pub fn key(&self) -> IdempotencyKey {
        IdempotencyKey { order: self.order_id.clone(), attempt: self.attempt }
    }
}

/// Why a task failed. The state machine matches the error's name to choose the next step.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The gateway may or may not have charged. The saga asks it again.
    #[error("the outcome of the charge is unknown")]
    PaymentOutcomeUnknown,
    /// The gateway takes no more requests for now, and has certainly not charged. The saga asks it again.
    #[error("the gateway takes no more requests for now")]
    GatewayBusy,
    /// There is nothing to wait for: the shopper has acted, or the payment has ended.
    #[error("there is nothing to wait for")]
    ActionTaken,
    /// The gateway may or may not have captured. The saga asks it again.
    #[error("the outcome of the capture is unknown")]
    CaptureOutcomeUnknown,
    /// The gateway certainly has not captured, and refuses to.
    #[error("the gateway refuses the capture: {0}")]
    CaptureRefused(String),
    /// The gateway has not confirmed the refund. The saga asks it again.
    #[error("the gateway has not confirmed the refund")]
    RefundUnconfirmed,
    /// The units are not held for this order.
    #[error("the units are not held for this order")]
    HoldLost,
    /// The gateway confirmed another amount than the order's.
    #[error("the gateway confirmed another amount than the order's")]
    ChargeMismatch,
    /// The order is not pending with this attempt: it has ended, or it does not exist.
    #[error("the order is not pending with this attempt")]
    OrderNotPending,
    /// The store did not answer, or another run changed the item. The saga runs the task again.
    #[error("the store did not answer: {0}")]
    StoreUnavailable(String),
    /// The store refused the call, or an item cannot be read. Only an operator can help.
    #[error("the store failed: {0}")]
    StoreFailed(String),
}

impl TaskError for SagaError {
    fn name(&self) -> &'static str {
        match self {
            Self::PaymentOutcomeUnknown => "PaymentOutcomeUnknown",
            Self::GatewayBusy => "GatewayBusy",
            Self::ActionTaken => "ActionTaken",
            Self::CaptureOutcomeUnknown => "CaptureOutcomeUnknown",
            Self::CaptureRefused(_) => "CaptureRefused",
            Self::RefundUnconfirmed => "RefundUnconfirmed",
            Self::HoldLost => "HoldLost",
            Self::ChargeMismatch => "ChargeMismatch",
            Self::OrderNotPending => "OrderNotPending",
            Self::StoreUnavailable(_) => "StoreUnavailable",
            Self::StoreFailed(_) => "StoreFailed",
        }
    }
}

impl From<StoreError> for SagaError {
    fn from(error: StoreError) -> Self {
        let cause = chain(&error);
        if error.is_passing() { Self::StoreUnavailable(cause) } else { Self::StoreFailed(cause) }
    }
}

impl SagaError {
    /// Another run wrote the item that this task was about to write, so this task's decision may be out of date.
    #[must_use]
    pub fn changed(what: &str) -> Self {
        Self::StoreUnavailable(format!("{what} was changed at the same time"))
    }
}

/// The order of a task, in any status.
///
/// # Errors
/// [`SagaError::OrderNotPending`] when the shopper has no such order.
pub async fn order(orders: &Orders, task: &Task) -> Result<Order, SagaError> {
    let order = orders.get(&task.order_id).await?;
    order.filter(|order| order.shopper == task.shopper).ok_or(SagaError::OrderNotPending)
}

/// The order of a task that may still be paid by this attempt.
///
/// # Errors
/// [`SagaError::OrderNotPending`] when the shopper has no such order, it has ended, or it is at another attempt.
pub async fn pending_order(orders: &Orders, task: &Task) -> Result<Order, SagaError> {
    let order = order(orders, task).await?;
    let is_pending = order.status == OrderStatus::Pending && order.attempt == task.attempt;
    if is_pending { Ok(order) } else { Err(SagaError::OrderNotPending) }
}

/// The reservation of a task; `None` if it is gone or belongs to another order.
///
/// # Errors
/// When the store does not answer.
pub async fn reservation(reservations: &Reservations, task: &Task) -> Result<Option<Reservation>, SagaError> {
    let found = reservations.get(&task.shopper, task.order_id.product()).await?;
    Ok(found.filter(|found| found.id == task.order_id))
}

/// The payment of an attempt, as its gateway has to know it.
///
/// # Errors
/// [`SagaError::OrderNotPending`] when no payment was ever requested for the order.
pub fn payment(order: &Order, attempt: &Attempt) -> Result<Payment, SagaError> {
    Ok(Payment {
        key: attempt.provider_key(),
        amount: order.amount,
        method: order.payment_method.clone().ok_or(SagaError::OrderNotPending)?,
        provider_id: attempt.provider_id.clone(),
        reference: attempt.reference.clone(),
        // The last change of a pending order was the start of its attempt.
        began_at: order.updated_at,
    })
}
