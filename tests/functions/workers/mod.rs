//! What queues, streams and schedules call.

mod expire_reservation;
mod reconcile;
mod refresh_availability;
mod release_stock;
mod start_payment;
