//! Tables of the functions that queues, streams and the schedule invoke.

pub(crate) mod expire_reservation;
pub(crate) mod reconcile;
pub(crate) mod refresh_availability;
pub(crate) mod release_stock;
pub(crate) mod schedule_expiry;
pub(crate) mod start_payment;
