//! Order stream: publishes an event for each change of an order, for the shop's own systems (`docs/events.md`).
//!
//! No request publishes: the stream loses no write, also when the writer dies after it. An event may come twice, and in any order.
//! Each has the revision of its order.

use kit::{PartFailure, StreamPartsFunction, workers::EventRecord};
use messages::{NotPublished, OrderChanged, OrderEvents};
use parts::{FromParts, Parts};
use store::order_image;

/// The Lambda handler and its dependencies.
pub struct PublishOrders {
    events: OrderEvents,
}

impl FromParts for PublishOrders {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { events: parts.order_events() }
    }
}

impl StreamPartsFunction for PublishOrders {
    /// Publishes the events of a batch. A record that cannot be read is left out, because otherwise it would block all later ones.
    ///
    /// # Errors
    /// When EventBridge does not take every event: the stream delivers the batch again from the first that it did not take.
    async fn handle(&self, records: Vec<EventRecord>) -> Result<(), PartFailure> {
        let changes = records.iter().enumerate().filter_map(|(place, record)| Some((place, change(record)?)));
        let (places, changes): (Vec<usize>, Vec<OrderChanged>) = changes.unzip();
        self.events.publish(&changes).await.map_err(|NotPublished { first, source }| PartFailure {
            handled: places.get(first).copied().unwrap_or_default(),
            failure: source.into(),
        })
    }
}

/// The event of a record. `None`: the record is of another item, or of an order that was deleted, or that only a version without
/// revisions has written. Such a version writes several states with the revision 0, and a consumer could not tell which is later.
fn change(record: &EventRecord) -> Option<OrderChanged> {
    if record.event_name == "REMOVE" {
        return None;
    }
    match order_image(&record.change.new_image) {
        Ok(order) => order.as_ref().filter(|order| order.revision > 0).map(OrderChanged::of),
        Err(error) => {
            kit::workers::left_out_by_key(record, &error);
            None
        }
    }
}
