//! Every function in this process, on sample events and a real DynamoDB engine: its answers, its writes, its costs, and what it
//! leaves when it dies half-way. One binary, so that the SDK is linked once.

mod gate;
mod operators;
mod saga;
mod shoppers;
mod webhooks;
mod workers;

use schedule_expiry::ScheduleExpiry;
use test_aws::{Calls, Sent};
use test_shop::Shop;

/// Hands the records that the Reservation stream has since its last reading to `schedule-expiry`, which must handle all of them.
/// Returns the messages that it sends.
async fn scheduled(shop: &Shop) -> Vec<Sent> {
    let before = shop.queue.sent().len();
    let function: ScheduleExpiry = shop.wire(&Calls::new());
    assert_eq!(test_shop::stream_batch(&function, shop.dynamo.reservation_event()).await, None);
    shop.queue.sent().split_off(before)
}
