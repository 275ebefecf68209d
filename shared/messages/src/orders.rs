//! The order message: `checkout` sends it to have an order paid. It is also the input of the payment saga.

use aws_sdk_sqs::Client;
use domain::{Order, OrderId, ShopperId};
use serde::{Deserialize, Serialize};

use crate::{SendError, send};

/// An attempt to pay an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderMessage {
    /// The order to be paid.
    pub order_id: OrderId,
    /// The shopper who placed it.
    pub shopper: ShopperId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

impl OrderMessage {
    /// The attempt with which `order` is pending.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        Self { order_id: order.id.clone(), shopper: order.shopper.clone(), attempt: order.attempt }
    }

    /// How often the saga of one attempt may be started again after one of its executions was cut off.
    pub const MAX_RESTARTS: u32 = 5;

    /// The name of the saga's execution. The same attempt has the same name, and Step Functions runs one execution per
    /// name. A name has at most 80 characters, so a long product id is cut. The ULID alone distinguishes orders.
    #[must_use]
    pub fn execution_name(&self) -> String {
        let product: String = self.order_id.product().as_str().chars().take(40).collect();
        format!("{product}.{}-{}", self.order_id.ulid(), self.attempt)
    }

    /// The names of all executions that this attempt may have, in the order of their use: the first, and
    /// [`Self::MAX_RESTARTS`] more.
    pub fn execution_names(&self) -> impl Iterator<Item = String> {
        let first = self.execution_name();
        let restarts = (1..=Self::MAX_RESTARTS).map({
            let first = first.clone();
            move |restart| format!("{first}-r{restart}")
        });
        std::iter::once(first).chain(restarts)
    }
}

/// The queue of orders to be paid.
#[derive(Debug, Clone)]
pub struct OrdersQueue {
    client: Client,
    url: String,
}

impl OrdersQueue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends an attempt to be paid. May be repeated: an attempt is paid once.
    ///
    /// # Errors
    /// When SQS does not acknowledge the message.
    pub async fn send(&self, message: &OrderMessage) -> Result<(), SendError> {
        send(&self.client, "the orders queue", &self.url, message, 0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_name_fits_and_tells_attempts_apart() {
        let order = format!("{}.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "p".repeat(64));
        let first =
            OrderMessage { order_id: order.parse().unwrap(), shopper: "ann".parse().unwrap(), attempt: Order::MAX_ATTEMPTS };
        let name = first.execution_name();
        assert!(name.len() <= 80, "{name}");
        let other = OrderMessage { attempt: 1, ..first.clone() };
        assert_ne!(name, other.execution_name());
        let names: Vec<String> = first.execution_names().chain(other.execution_names()).collect();
        assert!(names.iter().all(|name| name.len() <= 80), "{names:?}");
        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!((names.len(), different.len()), (12, 12));
        assert_eq!((names[0].as_str(), names[5].as_str()), (name.as_str(), format!("{name}-r5").as_str()));
    }
}
