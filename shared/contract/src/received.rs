//! The answer to a payment provider that delivers an event.

use serde::Serialize;
use utoipa::ToSchema;

/// An event was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Received)]
pub struct ReceivedView {
    /// `true`: the event is queued, and need not be delivered again.
    received: bool,
}

impl ReceivedView {
    /// The event is queued.
    #[must_use]
    pub fn queued() -> Self {
        Self { received: true }
    }
}
