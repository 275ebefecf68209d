//! Tables of the functions that queues, streams and the schedule invoke.

mod expire_reservation;
mod reconcile;
mod refresh_availability;
mod release_stock;
mod start_payment;

use crate::Table;

pub(crate) const TABLES: [Table; 5] = [
    ("expire-reservation", expire_reservation::cases),
    ("reconcile", reconcile::cases),
    ("refresh-availability", refresh_availability::cases),
    ("release-stock", release_stock::cases),
    ("start-payment", start_payment::cases),
];
