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

    /// The name of the saga's execution, `<product>-<ULID>-<attempt>`. The same attempt has the same name, and Step
    /// Functions runs one execution per name.
    ///
    /// Step Functions allows 80 characters, and logs an execution reliably only if its name has no other characters than
    /// letters, digits, `-` and `_`. So a long product id is cut: the ULID alone distinguishes orders. The rest of the 80
    /// is for the suffix of a restart and for that of a person (`docs/runbook.md`).
    #[must_use]
    pub fn execution_name(&self) -> String {
        let product: String = self.order_id.product().as_str().chars().take(32).collect();
        format!("{product}-{}-{}", self.order_id.ulid(), self.attempt)
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
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn message(product: &str, ulid: &str, attempt: u32) -> OrderMessage {
        OrderMessage { order_id: format!("{product}.{ulid}").parse().unwrap(), shopper: "ann".parse().unwrap(), attempt }
    }

    #[test]
    fn an_attempt_has_six_names() {
        let message = message("phone-1", "01JD3V3Z5T8Q6W7X9Y0A1B2C3D", 2);
        let names: Vec<String> = message.execution_names().collect();
        assert_eq!(names.len(), 6);
        assert_eq!(
            (names[0].as_str(), names[5].as_str()),
            ("phone-1-01JD3V3Z5T8Q6W7X9Y0A1B2C3D-2", "phone-1-01JD3V3Z5T8Q6W7X9Y0A1B2C3D-2-r5")
        );
    }

    proptest! {
        /// No two attempts share a name, though product ids may look like parts of a name.
        #[test]
        fn execution_names_are_logged_by_step_functions_and_tell_attempts_apart(
            products in prop::array::uniform2("[a-z0-9_-]{1,64}|[a-z0-9]{1,4}-[0-7][0-9]{25}(-[1-9]){0,2}(-r[1-5])?"),
            ulids in prop::array::uniform2("[0-7][0-9A-HJKMNP-TV-Z]{25}|0000000000000000000000000[12]"),
            attempts in prop::array::uniform2(1..=Order::MAX_ATTEMPTS),
            one_sale in any::<bool>(),
        ) {
            let [product, other_product] = &products;
            let one = message(product, &ulids[0], attempts[0]);
            let other = message(if one_sale { product } else { other_product }, &ulids[1], attempts[1]);
            let [of_one, of_other] = [&one, &other].map(|message| message.execution_names().collect::<BTreeSet<_>>());
            prop_assert_eq!(of_one.len(), 6);
            prop_assert!(of_one.is_disjoint(&of_other) || one.order_id == other.order_id && one.attempt == other.attempt);
            for name in of_one {
                let logged = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                prop_assert!(name.chars().all(logged), "{}", name);
                let by_hand = format!("{name}-by-hand-99");
                prop_assert!(by_hand.len() <= 80, "{} has {} characters", by_hand, by_hand.len());
            }
        }
    }
}
