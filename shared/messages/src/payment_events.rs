//! Payment events: hints that a payment may have changed. `settle-payment` reads one and asks the provider what is true now.

use aws_sdk_sqs::Client;
use domain::{GatewayName, OrderId, ShopperId};
use serde::{Deserialize, Serialize};

use crate::{SendError, send};

/// The body of a message of the queue. Every message may come twice, late, or after a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PaymentEvent {
    /// A payment provider delivered an event to the shop's webhook, and its signature fits.
    ProviderTold {
        /// The account at the provider.
        account: GatewayName,
        /// The event's id: the same in every delivery of this event.
        event_id: String,
        /// The provider's word for what happened, such as `payment_intent.succeeded`. It may be one that no version knows.
        kind: String,
        /// The provider's id of the object that changed, which may be something else than a payment. Some events have none.
        object_id: Option<String>,
    },
    /// A shopper has come back from the provider's page.
    ShopperReturned {
        /// The order that the shopper was paying.
        order_id: OrderId,
        /// The shopper who placed it.
        shopper: ShopperId,
        /// The number of the attempt, from 1.
        attempt: u32,
    },
}

/// The queue of payment events.
#[derive(Debug, Clone)]
pub struct PaymentEventsQueue {
    client: Client,
    url: String,
}

impl PaymentEventsQueue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends an event. May be repeated: an event says only where to look.
    ///
    /// # Errors
    /// When SQS does not acknowledge the message.
    pub async fn send(&self, event: &PaymentEvent) -> Result<(), SendError> {
        send(&self.client, "the payment events queue", &self.url, event, 0).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A message that was sent before an update is read after it: the form is fixed.
    #[test]
    fn the_form_of_a_message_is_fixed() {
        let told = |object_id: Option<&str>| PaymentEvent::ProviderTold {
            account: GatewayName("stripe-eu".to_owned()),
            event_id: "evt_1".to_owned(),
            kind: "payment_intent.succeeded".to_owned(),
            object_id: object_id.map(str::to_owned),
        };
        let told_form = |object_id: Value| {
            json!({
                "event": "provider_told",
                "account": "stripe-eu",
                "event_id": "evt_1",
                "kind": "payment_intent.succeeded",
                "object_id": object_id,
            })
        };
        let returned = PaymentEvent::ShopperReturned {
            order_id: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap(),
            shopper: "ann".parse().unwrap(),
            attempt: 2,
        };
        let returned_form = json!({
            "event": "shopper_returned",
            "order_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
            "shopper": "ann",
            "attempt": 2,
        });
        for (event, form) in
            [(told(Some("pi_1")), told_form(json!("pi_1"))), (told(None), told_form(Value::Null)), (returned, returned_form)]
        {
            assert_eq!(serde_json::to_value(&event).unwrap(), form);
            assert_eq!(serde_json::from_value::<PaymentEvent>(form).unwrap(), event);
        }
    }
}
