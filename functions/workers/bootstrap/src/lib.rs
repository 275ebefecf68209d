//! The registry of the functions that queues, streams and a schedule invoke.

use expire_reservation::ExpireReservation;
use feed_edge::FeedEdge;
use kit::Function;
use parts::{FromParts, Registry};
use publish_orders::PublishOrders;
use reconcile::Reconcile;
use refresh_availability::RefreshAvailability;
use release_stock::ReleaseStock;
use schedule_expiry::ScheduleExpiry;
use settle_payment::SettlePayment;
use start_payment::StartPayment;

/// Each function by its name, with its trigger.
pub const FUNCTIONS: Registry = &[
    ("expire-reservation", |parts| ExpireReservation::wire(parts).map(Function::queue)),
    ("feed-edge", |parts| FeedEdge::wire(parts).map(Function::stream_batch)),
    ("publish-orders", |parts| PublishOrders::wire(parts).map(Function::stream_parts)),
    ("reconcile", |parts| Reconcile::wire(parts).map(Function::schedule)),
    ("refresh-availability", |parts| RefreshAvailability::wire(parts).map(Function::stream_batch)),
    ("release-stock", |parts| ReleaseStock::wire(parts).map(Function::stream)),
    ("schedule-expiry", |parts| ScheduleExpiry::wire(parts).map(Function::stream_batch)),
    ("settle-payment", |parts| SettlePayment::wire(parts).map(Function::queue)),
    ("start-payment", |parts| StartPayment::wire(parts).map(Function::queue)),
];
