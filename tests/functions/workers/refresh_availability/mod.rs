//! `refresh-availability` on a real DynamoDB engine: after any records of the Stock stream, in any batches, as often as they
//! are delivered, readers know what the shards are.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod batches;
mod moves;
mod sales;

use domain::{Availability, ProductId};
use kit::workers::StreamEvent;
use refresh_availability::RefreshAvailability;
use test_aws::Calls;
use test_shop::{Shop, demo};

/// Handles a batch, and gives the sequence number that the stream goes on from.
async fn handle(shop: &Shop, calls: &Calls, event: StreamEvent) -> Option<String> {
    test_shop::stream_batch(&shop.wire::<RefreshAvailability>(calls), event).await
}

async fn on(shop: &Shop, event: &str) -> Option<String> {
    handle(shop, &Calls::new(), event_of(event)).await
}

fn event_of(event: &str) -> StreamEvent {
    test_aws::event_as(&format!("refresh-availability/{event}.json"))
}

/// Everything that happened to the shards since the last look. It must succeed.
async fn catch_up(shop: &Shop) {
    assert_eq!(handle(shop, &Calls::new(), shop.dynamo.stock_event()).await, None);
}

/// Available, held and sold units of the demo sale as readers know them.
async fn known(shop: &Shop) -> (u32, u32, u32) {
    let it = shop.availability(&demo()).await;
    (it.available(), it.held_units(), it.sold_units())
}

/// What the availability item would be if it were made from the shards as they are: available and held units of each.
async fn as_the_shards_are(shop: &Shop, product: &ProductId) -> (Vec<u8>, Vec<u8>) {
    let byte = |units: u32| u8::try_from(units).unwrap();
    let shards = shop.shards(product).await;
    shards.iter().map(|shard| (byte(shard.available()), byte(shard.held_units()))).unzip()
}

/// An item without what every write changes.
fn unstamped(availability: Availability) -> Availability {
    Availability { version: 0, as_of: test_shop::NOW.parse().unwrap(), ..availability }
}
