//! Compares what a function leaves in the tables with what its case expects.

use test_cases::{Expected, Units};
use test_shop::{Buyer, Shop};

/// The differences between the first buyer's shard and reservation and the expected ones.
pub(crate) async fn faults(shop: &Shop, expected: &Expected) -> Vec<String> {
    let buyer = Buyer::first();
    let mut faults = Vec::new();
    if let Some(units) = expected.units {
        let shard = shop.shard(&buyer).await;
        let found = Units { available: shard.available(), held: shard.held_units(), sold: shard.sold_units() };
        if found != units {
            faults.push(format!("the shard has {found:?} instead of {units:?}"));
        }
    }
    if let Some(expected) = expected.reservation {
        let found = shop.reservation(&buyer).await.map(|found| found.status);
        if found != expected {
            faults.push(format!("the reservation is {found:?} instead of {expected:?}"));
        }
    }
    faults
}
