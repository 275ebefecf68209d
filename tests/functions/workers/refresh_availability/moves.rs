//! Any moves, in any batches, delivered again as Lambda may do: the item is the sum over the shards.

use domain::{Hold, Quantity, ReservationId, SaleDraft, ShardNumber, ShopperId, Timestamp};
use kit::workers::{EventRecord, StreamEvent};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use test_aws::Calls;
use test_shop::{NOW, Shop, demo, draft};

use crate::workers::refresh_availability::{as_the_shards_are, handle};

#[derive(Debug, Clone)]
enum Move {
    Claim { quantity: u32, lasts_seconds: i64 },
    Release,
    Sell,
    TakeBack,
}

/// A move of a shopper's reservation in a shard.
type Step = (u8, u32, Move);

fn moves() -> impl Strategy<Value = Vec<Step>> {
    let a_move = prop_oneof![
        3 => (1u32..=3, 5i64..300).prop_map(|(quantity, lasts_seconds)| Move::Claim { quantity, lasts_seconds }),
        1 => Just(Move::Release),
        1 => Just(Move::Sell),
        1 => Just(Move::TakeBack),
    ];
    vec((0u8..4, 0u32..3, a_move), 1..40)
}

/// Sizes of the batches, and how often each is delivered.
fn batches() -> impl Strategy<Value = Vec<(usize, usize)>> {
    vec((1usize..8, 1usize..3), 1..6)
}

async fn apply(shop: &Shop, (who, shard, a_move): Step) {
    let (stock, shard) = (shop.uncounted().stock(), ShardNumber(shard));
    let shopper: ShopperId = format!("shopper-{who}").parse().unwrap();
    let reservation: ReservationId = format!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2{who}00").parse().unwrap();
    match a_move {
        Move::Claim { quantity, lasts_seconds } => {
            let now: Timestamp = NOW.parse().unwrap();
            let expires_at = Timestamp::from_second(now.as_second() + lasts_seconds).unwrap();
            let hold = Hold { reservation, quantity: Quantity::new(quantity).unwrap(), expires_at };
            stock.claim(shard, &shopper, &hold).await.map(drop).unwrap();
        }
        Move::Release => stock.release(shard, &shopper, &reservation).await.map(drop).unwrap(),
        Move::TakeBack => stock.take_back(shard, &shopper, &reservation).await.map(drop).unwrap(),
        Move::Sell => {
            let shards = shop.shards(&demo()).await;
            let ledger = shards.get(usize::try_from(shard.0).unwrap()).unwrap();
            let held = ledger.held().get(&shopper).map(|hold| hold.quantity);
            let quantity = held.unwrap_or(Quantity::ONE);
            stock.sell(shard, &shopper, &reservation, quantity).await.map(drop).unwrap();
        }
    }
}

async fn ends_as_the_shards_are(steps: Vec<Step>, batches: Vec<(usize, usize)>) {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: 16, shards: Some(3), ..draft() }).await;
    for step in steps {
        apply(&shop, step).await;
    }
    let mut records: &[EventRecord] = &shop.dynamo.stock_records();
    let mut batches = batches.into_iter().cycle();
    while let (Some((size, times)), false) = (batches.next(), records.is_empty()) {
        let (batch, rest) = records.split_at(size.min(records.len()));
        for _ in 0..times {
            let mut event = StreamEvent::default();
            event.records = batch.to_vec();
            assert_eq!(handle(&shop, &Calls::new(), event).await, None);
        }
        records = rest;
    }
    let item = shop.availability(&demo()).await;
    assert_eq!((item.free.clone(), item.held.clone()), as_the_shards_are(&shop, &demo()).await);
    assert_eq!((item.available(), item.held_units(), item.sold_units()), shop.units(&demo()).await);
    let shards = shop.shards(&demo()).await;
    let first_end = shards.iter().filter_map(domain::StockShard::next_hold_ends_at).min();
    assert!(first_end.is_none() || item.next_hold_ends_at <= first_end, "{item:?}");
    assert_eq!(item.next_hold_ends_at.is_some(), first_end.is_some(), "{item:?}");
}

proptest! {
    #![proptest_config(Config { cases: 32, failure_persistence: None, ..Config::default() })]

    #[test]
    fn after_any_moves_in_any_batches_readers_know_what_the_shards_are(steps in moves(), batches in batches()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Box::pin(ends_as_the_shards_are(steps, batches)));
    }
}
