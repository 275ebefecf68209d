//! What the tasks of the payment saga share: their input, their errors by the names that the state machine matches, and
//! finding the order that they work on.

use domain::{IdempotencyKey, Order, OrderId, Reservation, ShopperId};
use kit::{chain, workers::TaskError};
use serde::Deserialize;
use store::{Orders, Reservations, StoreError};

/// The input of every task: the attempt that the execution is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Task {
    /// The order.
    pub order_id: OrderId,
    /// The shopper who placed it.
    pub shopper: ShopperId,
    /// The attempt, from 1.
    pub attempt: u32,
}

impl Task {
    /// What a gateway recognises a repetition by.
    #[must_use]
    pub fn key(&self) -> IdempotencyKey {
        IdempotencyKey { order: self.order_id.clone(), attempt: self.attempt }
    }
}

/// Why a task did not do what it is for. The state machine decides what comes next by the name.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The gateway may or may not have charged; it is asked again.
    #[error("nobody knows whether the gateway has charged")]
    PaymentOutcomeUnknown,
    /// The gateway has not confirmed that the money went back; it is asked again.
    #[error("the gateway has not confirmed the refund")]
    RefundUnconfirmed,
    /// The units are not held for this order.
    #[error("the units are not held for this order")]
    HoldLost,
    /// What the gateway confirmed is not what the order costs.
    #[error("the gateway confirmed another amount than the order's")]
    ChargeMismatch,
    /// The order is not pending with this attempt: it has ended, or there is no such order.
    #[error("the order is not pending with this attempt")]
    OrderNotPending,
    /// The store did not answer, or somebody else changed the item; it is asked again.
    #[error("the store did not answer: {0}")]
    StoreUnavailable(String),
    /// The store refused, or an item cannot be read: nothing helps but a person.
    #[error("the store failed: {0}")]
    StoreFailed(String),
}

impl TaskError for SagaError {
    fn name(&self) -> &'static str {
        match self {
            Self::PaymentOutcomeUnknown => "PaymentOutcomeUnknown",
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
    /// Somebody else wrote the item that this task was about to write: what was decided may be out of date.
    #[must_use]
    pub fn changed(what: &str) -> Self {
        Self::StoreUnavailable(format!("{what} was changed at the same time"))
    }
}

/// The order of a task, whatever its status.
///
/// # Errors
/// [`SagaError::OrderNotPending`] when the shopper has no such order.
pub async fn order(orders: &Orders, task: &Task) -> Result<Order, SagaError> {
    let order = orders.get(&task.order_id).await?;
    order.filter(|order| order.shopper == task.shopper).ok_or(SagaError::OrderNotPending)
}

/// The reservation of a task, if it is still that of its order.
///
/// # Errors
/// When the store does not answer.
pub async fn reservation(reservations: &Reservations, task: &Task) -> Result<Option<Reservation>, SagaError> {
    let found = reservations.get(&task.shopper, task.order_id.product()).await?;
    Ok(found.filter(|found| found.id == task.order_id))
}
