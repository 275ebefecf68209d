//! Tables of the functions that queues, streams and the schedule invoke.

pub(crate) mod expire_reservation;
pub(crate) mod feed_edge;
pub(crate) mod publish_orders;
pub(crate) mod reconcile;
pub(crate) mod refresh_availability;
pub(crate) mod release_stock;
pub(crate) mod schedule_expiry;
pub(crate) mod settle_payment;
pub(crate) mod start_payment;

use crate::prelude::*;

/// The first shopper's hold in the Reservation table.
fn hold() -> Value {
    json!({
        "pk": format!("SHOPPER#{}", FIRST.id),
        "sk": format!("SALE#{DEMO}"),
        "reservation_id": RESERVATION,
        "shard": 0,
        "quantity": 1,
        "status": "HELD",
        "expires_at": END_SECONDS,
        "created_at": START_MILLISECONDS,
        "ttl": END_SECONDS,
    })
}
