//! `refresh-availability` on a real DynamoDB engine: the availability item agrees with the shards after any records of the Stock
//! stream, in any batches, however often the stream delivers them.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod batches;
mod moves;
mod sales;

use domain::{Availability, ProductId};
use kit::workers::StreamEvent;
use refresh_availability::RefreshAvailability;
use test_aws::Calls;
use test_shop::{Shop, demo};

/// Handles a batch. Returns the sequence number from which the stream continues.
async fn handle(shop: &Shop, calls: &Calls, event: StreamEvent) -> Option<String> {
    test_shop::stream_batch(&shop.wire::<RefreshAvailability>(calls), event).await
}

async fn on(shop: &Shop, event: &str) -> Option<String> {
    handle(shop, &Calls::new(), event_of(event)).await
}

fn event_of(event: &str) -> StreamEvent {
    test_aws::event_as(&format!("refresh-availability/{event}.json"))
}

/// Hands over all records of the shards since the last call. The function must handle them.
async fn catch_up(shop: &Shop) {
    assert_eq!(handle(shop, &Calls::new(), shop.dynamo.stock_event()).await, None);
}

/// The available, held and sold units of the demo sale in the availability item.
async fn known(shop: &Shop) -> (u32, u32, u32) {
    let it = shop.availability(&demo()).await;
    (it.available(), it.held_units(), it.sold_units())
}

/// The available and the held units of each shard, as an availability item would have them if it were made now.
async fn as_the_shards_are(shop: &Shop, product: &ProductId) -> (Vec<u8>, Vec<u8>) {
    let byte = |units: u32| u8::try_from(units).unwrap();
    let shards = shop.shards(product).await;
    shards.iter().map(|shard| (byte(shard.available()), byte(shard.held_units()))).unzip()
}

/// The item without the members that every write changes.
fn unstamped(availability: Availability) -> Availability {
    Availability { version: 0, as_of: test_shop::NOW.parse().unwrap(), ..availability }
}
