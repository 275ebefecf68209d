//! DynamoDB: every key, item and expression of the product, and nothing else.
//!
//! One file per aggregate, its stored form beside it. A failed condition is a value that says what the item contains
//! instead. [`StoreError`] is only for failures that no caller expects. `docs/ACCESS_PATTERNS.md` lists each access
//! with its caller, its condition and its cost.

mod attempts;
mod availability;
mod batch;
mod books;
mod buckets;
mod cooling;
mod edge;
mod error;
mod gateways;
mod item;
mod keys;
mod orders;
mod provider_events;
mod purchases;
mod reservations;
mod rounds;
mod sales;
mod single;
mod stock;
mod streams;
mod word;

pub use attempts::Attempts;
pub use availability::{Availabilities, AvailabilityUpdate};
pub use aws_sdk_dynamodb::Client;
pub use books::{Entry, EntryState, SandboxBooks};
pub use buckets::{ShopperBuckets, TakeOutcome};
pub use cooling::CoolingShoppers;
pub use edge::{EdgeRecord, EdgeRecords};
pub use error::StoreError;
pub use gateways::GatewayStates;
pub use orders::{AddressOutcome, OrderPage, Orders, PlaceOutcome, PlacedOrder, PlacedPage, UnsettledOrder, UnsettledPage};
pub use provider_events::ProviderEvents;
pub use purchases::{Advanced, Purchases, StartOutcome};
pub use reservations::{EndOutcome, Ending, OpenOutcome, Reservations};
pub use rounds::Rounds;
pub use sales::{Catalogue, Restock, Sales, SalesPage, StoredSale, WriteOutcome};
pub use stock::{Stock, Survey};
pub use streams::{order_image, reservation_image, sale_key, shard_image};

/// Reads a key that no item has, to check that `table` answers.
///
/// # Errors
/// When `table` does not answer.
pub async fn touch(client: &Client, table: &str) -> Result<(), StoreError> {
    let key = keys::health();
    let get = client.get_item().table_name(table).set_key(Some(key));
    get.send().await.map(|_| ()).map_err(|source| StoreError::call("GetItem", source))
}
