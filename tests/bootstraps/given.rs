//! What a case finds in the tables, and what it should leave there.

use domain::ReservationStatus;
use serde_json::{Value, json};
use test_shop::{Buyer, Given, Shop};

/// A shop of the case's own, in the state called `state`.
pub(crate) async fn shop(endpoint: &str, state: &str) -> Shop {
    let given = Given::named(state).unwrap_or_else(|| panic!("nobody knows the state {state:?}"));
    let shop = Shop::at(endpoint).await;
    shop.give(given).await;
    shop
}

/// What is not as expected afterwards: the shard of the purchase, the reservation.
pub(crate) async fn faults(shop: &Shop, expected: &Value) -> Vec<String> {
    let buyer = Buyer::first();
    let mut faults = Vec::new();
    if let Some(units) = expected.get("units") {
        let shard = shop.shard(&buyer).await;
        let found = json!({"available": shard.available(), "held": shard.held_units(), "sold": shard.sold_units()});
        if found != *units {
            faults.push(format!("the shard has {found} instead of {units}"));
        }
    }
    if let Some(expected) = expected.get("reservation") {
        let found = match shop.reservation(&buyer).await.map(|found| found.status) {
            None => "gone",
            Some(ReservationStatus::Held) => "held",
            Some(ReservationStatus::Paying) => "paying",
            Some(ReservationStatus::Purchased) => "purchased",
        };
        if expected != found {
            faults.push(format!("the reservation is {found} instead of {expected}"));
        }
    }
    faults
}
