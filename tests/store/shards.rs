//! Shards are made and deleted only before a sale starts. Both can be repeated.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ClaimOutcome, ProductId, ShardLayout, ShardNumber, StockShard};
use store::StoreError;

use crate::shop::{SHARD, Shop, hold, id, product, shopper, units};

fn layout(units: u32, shards: u32) -> ShardLayout {
    ShardLayout::new(units, shards)
}

async fn capacities(shop: &Shop, product: &ProductId, layout: &ShardLayout) -> Vec<u32> {
    let shards = shop.stock.read_all(product, layout).await.unwrap();
    assert!(shards.iter().zip(layout.numbers()).all(|((number, _), expected)| *number == expected), "in order");
    assert!(shards.iter().all(|(_, shard)| shard.available() == shard.capacity()), "untouched");
    shards.iter().map(|(_, shard)| shard.capacity()).collect()
}

#[tokio::test]
async fn the_units_are_spread_evenly() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &layout(103, 5), .., 1).await.unwrap();
    assert_eq!(capacities(&shop, &product(), &layout(103, 5)).await, [21, 21, 21, 20, 20]);
}

#[tokio::test]
async fn a_run_may_make_some_of_the_shards_and_a_later_one_the_rest() {
    let shop = Shop::open().await;
    for (some, requests) in [(0..2, 2), (2..4, 2), (4..9, 1), (9..12, 0)] {
        shop.calls.reset();
        shop.stock.create(&product(), &layout(103, 5), some, 1).await.unwrap();
        assert_eq!(shop.calls.total(), requests);
    }
    assert_eq!(capacities(&shop, &product(), &layout(103, 5)).await, [21, 21, 21, 20, 20]);
}

#[tokio::test]
async fn making_the_shards_can_be_repeated_and_finishes_what_was_begun() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &layout(30, 2), .., 1).await.unwrap();
    shop.stock.create(&product(), &layout(103, 5), .., 1).await.unwrap();
    shop.stock.create(&product(), &layout(103, 5), .., 1).await.unwrap();
    assert_eq!(capacities(&shop, &product(), &layout(103, 5)).await, [21, 21, 21, 20, 20]);
}

#[tokio::test]
async fn a_shard_in_use_is_neither_made_anew_nor_deleted() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &layout(20, 2), .., 1).await.unwrap();
    shop.stock.claim(SHARD, &shopper(1), &hold(1, 2)).await.unwrap();
    for state in ["held", "sold"] {
        let before = shop.shard().await;
        // Another run of the same revision has opened the sale.
        assert!(!shop.stock.create(&product(), &layout(20, 2), .., 1).await.unwrap(), "{state}");
        assert!(!shop.stock.delete(&product(), 0, 1, 1).await.unwrap(), "{state}");
        for refused in [shop.stock.create(&product(), &layout(40, 2), .., 2).await, shop.stock.delete(&product(), 0, 1, 2).await]
        {
            assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{state}: {refused:?}");
        }
        assert_eq!(shop.shard().await, before, "{state}");
        shop.stock.sell(SHARD, &shopper(1), &id(1), units(2)).await.unwrap();
    }
    shop.stock.take_back(SHARD, &shopper(1), &id(1)).await.unwrap();
    shop.stock.create(&product(), &layout(40, 2), .., 1).await.unwrap();
    assert_eq!(capacities(&shop, &product(), &layout(40, 2)).await, [20, 20], "nobody has anything in it any more");
}

/// The run that makes an earlier revision's shards may still be active after the sale was made anew and has opened.
#[tokio::test]
async fn shards_of_a_later_revision_stay_as_they_are() {
    let shop = Shop::open().await;
    assert!(shop.stock.create(&product(), &layout(20, 2), .., 1).await.unwrap());
    assert!(shop.stock.create(&product(), &layout(30, 2), .., 3).await.unwrap());
    for is_used in [false, true] {
        assert!(!shop.stock.create(&product(), &layout(20, 2), .., 2).await.unwrap(), "{is_used}");
        assert!(!shop.stock.delete(&product(), 0, 2, 2).await.unwrap(), "{is_used}");
        let found = shop.stock.read_all(&product(), &layout(30, 2)).await.unwrap();
        assert!(found.iter().all(|(_, shard)| shard.is_balanced() && shard.capacity() == 15), "{is_used}: {found:?}");
        assert!(found.iter().all(|(_, shard)| shard.held().is_empty() != is_used), "{is_used}: {found:?}");
        shop.stock.claim(SHARD, &shopper(1), &hold(1, 2)).await.unwrap();
        shop.stock.claim(ShardNumber(1), &shopper(1), &hold(1, 2)).await.unwrap();
    }
}

#[tokio::test]
async fn only_the_named_shards_of_the_named_sale_are_deleted_and_again() {
    let shop = Shop::open().await;
    let other: ProductId = "demo-2".parse().unwrap();
    shop.stock.create(&product(), &layout(50, 5), .., 1).await.unwrap();
    shop.stock.create(&other, &layout(50, 5), .., 1).await.unwrap();
    for _ in 0..2 {
        shop.stock.delete(&product(), 2, 5, 1).await.unwrap();
        assert_eq!(capacities(&shop, &product(), &layout(20, 2)).await, [10, 10]);
    }
    assert_eq!(capacities(&shop, &other, &layout(50, 5)).await, [10; 5]);
    let missing = shop.stock.read_all(&product(), &layout(50, 5)).await;
    assert!(matches!(missing, Err(StoreError::Corrupt { .. })), "a sale whose shards are not all there is not read");
}

#[tokio::test]
async fn more_shards_than_one_batch_takes_are_read() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &layout(201, 201), .., 1).await.unwrap();
    shop.calls.reset();
    assert_eq!(capacities(&shop, &product(), &layout(201, 201)).await, [1; 201]);
    assert_eq!(shop.calls.count("BatchGetItem"), 3);
}

#[tokio::test]
async fn a_hold_lies_in_its_shard_as_the_architecture_says() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &layout(10, 1), .., 1).await.unwrap();
    shop.stock.claim(SHARD, &shopper(1), &hold(1, 2)).await.unwrap();
    shop.stock.claim(SHARD, &shopper(2), &hold(2, 1)).await.unwrap();
    shop.stock.sell(SHARD, &shopper(2), &id(2), units(1)).await.unwrap();
    let item = shop.raw(shop.dynamo.stock_table(), "SHARD#demo#0", "STOCK").await.unwrap();
    let number = |number: i64| AttributeValue::N(number.to_string());
    assert_eq!(item["available"], number(7));
    let held = item["held"].as_m().unwrap()["shopper-1"].as_m().unwrap();
    assert_eq!(held["r"], AttributeValue::S(id(1).ulid()));
    assert_eq!((&held["q"], &held["x"]), (&number(2), &number(hold(1, 2).expires_at.as_second())));
    let sold = item["sold"].as_m().unwrap()["shopper-2"].as_m().unwrap();
    assert_eq!((&sold["r"], &sold["q"]), (&AttributeValue::S(id(2).ulid()), &number(1)));
}

#[tokio::test]
async fn shards_do_not_know_of_each_other() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &layout(4, 2), .., 1).await.unwrap();
    for shard in [ShardNumber(0), ShardNumber(1)] {
        assert_eq!(shop.stock.claim(shard, &shopper(1), &hold(1, 2)).await.unwrap(), ClaimOutcome::Claimed);
    }
    let shards = shop.stock.read_all(&product(), &layout(4, 2)).await.unwrap();
    assert!(shards.iter().all(|(_, shard)| *shard != StockShard::new(2) && shard.available() == 0));
}

#[tokio::test]
async fn a_survey_has_what_is_there_page_by_page() {
    let (shop, layout) = (Shop::open().await, ShardLayout::new(1_500, 150));
    shop.stock.create(&product(), &ShardLayout::new(1_490, 149), .., 1).await.unwrap();
    shop.stock.delete(&product(), 7, 8, 1).await.unwrap();
    let known = domain::Availability::untouched(&layout, crate::shop::at(crate::shop::NOW));
    for consistent in [false, true] {
        let empty = shop.stock.survey(&"another".parse().unwrap(), &layout, 0, consistent).await.unwrap();
        assert_eq!((empty.availability, empty.shards.len(), empty.more), (None, 0, true));
    }
    shop.availabilities.put(&product(), &known, 0).await.unwrap();
    let first = shop.stock.survey(&product(), &layout, 0, true).await.unwrap();
    let second = shop.stock.survey(&product(), &layout, 1, true).await.unwrap();
    assert_eq!((first.availability, first.more), (Some(known), true));
    assert_eq!((second.availability, second.more), (None, false));
    let numbers: Vec<u32> = first.shards.iter().chain(&second.shards).map(|(number, _)| number.0).collect();
    assert_eq!(numbers, (0..149).filter(|number| *number != 7).collect::<Vec<_>>());
}
