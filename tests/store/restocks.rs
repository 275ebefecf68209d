//! Restocks: the shards that are added to a sale, and the writes that take them into the sale.

use domain::{ClaimOutcome, Extent, SaleStatus, ShardLayout, ShardNumber, StockShard};
use store::{StoreError, StoredSale, WriteOutcome};
use test_aws::Fault;

use crate::{
    cost::{cost, writes},
    shop::{NOW, Shop, at, hold, product, sale, shopper},
};

const ADDED: Extent = Extent { units: 51, shards: 2 };

fn written(outcome: WriteOutcome) -> StoredSale {
    match outcome {
        WriteOutcome::Written(stored) => stored,
        WriteOutcome::Changed => panic!("somebody else wrote it"),
    }
}

fn changed(outcome: &WriteOutcome) -> bool {
    matches!(outcome, WriteOutcome::Changed)
}

/// A sale of 50 units in two shards, open.
async fn open_sale(shop: &Shop) -> StoredSale {
    let sale = sale(&product(), 50);
    let prepared = written(shop.sales.prepare(&sale, None).await.unwrap());
    shop.stock.create(&product(), &sale.layout, .., prepared.revision).await.unwrap();
    written(shop.sales.activate(&prepared).await.unwrap())
}

async fn read(shop: &Shop) -> StoredSale {
    shop.sales.get_for_write(&product()).await.unwrap().unwrap()
}

async fn restock(shop: &Shop, before: &StoredSale, key: &str, extent: Extent) -> StoredSale {
    let begun = written(shop.sales.begin_restock(before, key.parse().unwrap(), extent).await.unwrap());
    written(shop.sales.finish_restock(&begun).await.unwrap())
}

#[tokio::test]
async fn a_restock_is_in_the_layout_once_it_is_finished() {
    let shop = Shop::open().await;
    let active = open_sale(&shop).await;
    let begun = written(shop.sales.begin_restock(&active, "one".parse().unwrap(), ADDED).await.unwrap());
    let found = read(&shop).await;
    let unfinished = found.unfinished.clone().unwrap();
    assert_eq!((unfinished.key.to_string().as_str(), unfinished.extent, unfinished.revision), ("one", ADDED, begun.revision));
    assert_eq!((&found.sale.layout, found.restocks.len()), (&active.sale.layout, 0));

    let finished = written(shop.sales.finish_restock(&found).await.unwrap());
    let found = read(&shop).await;
    assert_eq!(found.sale, finished.sale);
    assert_eq!(found.sale.layout, ShardLayout::new(50, 2).restocked(ADDED));
    assert_eq!((found.unfinished, found.restocks, found.shards_made), (None, vec![unfinished], 4));
    assert_eq!(found.sale.draft, active.sale.draft, "the description stays");
}

#[tokio::test]
async fn of_two_that_write_a_sale_the_second_finds_that_it_has_changed() {
    let shop = Shop::open().await;
    let active = open_sale(&shop).await;
    let begun = written(shop.sales.begin_restock(&active, "one".parse().unwrap(), ADDED).await.unwrap());
    assert!(changed(&shop.sales.begin_restock(&active, "two".parse().unwrap(), ADDED).await.unwrap()));
    assert!(changed(&shop.sales.change_status(&active, SaleStatus::Paused, at(NOW)).await.unwrap()));
    let closed = written(shop.sales.change_status(&begun, SaleStatus::Closed, at(NOW)).await.unwrap());
    assert_eq!((closed.sale.status, closed.unfinished.is_some()), (SaleStatus::Closed, true));
    assert!(changed(&shop.sales.finish_restock(&begun).await.unwrap()), "it was closed");
    assert_eq!(read(&shop).await.sale, closed.sale);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_not_taken_for_somebody_else() {
    let shop = Shop::open().await;
    let active = open_sale(&shop).await;
    let losing = || shop.calls.fail_next("PutItem", Fault::LostAnswer);
    losing();
    let paused = written(shop.sales.change_status(&active, SaleStatus::Paused, at(NOW)).await.unwrap());
    losing();
    let begun = written(shop.sales.begin_restock(&paused, "one".parse().unwrap(), ADDED).await.unwrap());
    losing();
    shop.stock.restock(&product(), 2, ADDED, .., begun.revision).await.unwrap();
    losing();
    let finished = written(shop.sales.finish_restock(&begun).await.unwrap());
    assert_eq!((finished.sale.status, finished.sale.layout.units()), (SaleStatus::Paused, 101));
    assert_eq!(shop.stock.read_all(&product(), &finished.sale.layout).await.unwrap().len(), 4);
}

#[tokio::test]
async fn shards_of_a_restock_are_made_once_whatever_becomes_of_them() {
    let shop = Shop::open().await;
    let active = open_sale(&shop).await;
    let revision = active.revision + 1;
    shop.stock.restock(&product(), 2, Extent { shards: 1, units: 26 }, .., revision).await.unwrap();
    assert_eq!(shop.stock.claim(ShardNumber(2), &shopper(1), &hold(1, 1)).await.unwrap(), ClaimOutcome::Claimed);
    let layout = active.sale.layout.restocked(ADDED);
    for _ in 0..2 {
        shop.stock.restock(&product(), 2, ADDED, .., revision).await.unwrap();
        let shards = shop.stock.read_all(&product(), &layout).await.unwrap();
        let units: Vec<(u32, u32)> = shards.iter().map(|(_, shard)| (shard.capacity(), shard.available())).collect();
        assert_eq!(units, [(25, 25), (25, 25), (26, 25), (25, 25)]);
    }
}

/// A slow request that described the sale before it opened may still write shards that nothing reads any more.
#[tokio::test]
async fn what_an_earlier_description_has_left_over_does_not_count() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &ShardLayout::new(40, 4), .., 1).await.unwrap();
    shop.stock.restock(&product(), 2, ADDED, .., 3).await.unwrap();
    let capacities = async || {
        let shards = shop.stock.read_all(&product(), &ShardLayout::new(0, 4)).await.unwrap();
        shards.iter().map(|(_, shard)| shard.capacity()).collect::<Vec<_>>()
    };
    assert_eq!(capacities().await, [10, 10, 26, 25]);
    assert!(!shop.stock.create(&product(), &ShardLayout::new(40, 4), .., 1).await.unwrap(), "it finds that it is late");
    assert_eq!(capacities().await, [10, 10, 26, 25]);
}

#[tokio::test]
async fn a_shard_that_is_in_use_or_of_a_later_restock_is_not_taken_for_this_one() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &ShardLayout::new(20, 2), .., 1).await.unwrap();
    shop.stock.claim(ShardNumber(0), &shopper(1), &hold(1, 1)).await.unwrap();
    shop.stock.restock(&product(), 1, Extent { units: 5, shards: 1 }, .., 9).await.unwrap();
    for from in [0, 1] {
        let refused = shop.stock.restock(&product(), from, Extent { units: 5, shards: 1 }, .., 3).await;
        assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{from}: {refused:?}");
    }
    let shards = shop.stock.read_all(&product(), &ShardLayout::new(0, 2)).await.unwrap();
    assert_eq!(shards.iter().map(|(_, shard)| shard.capacity()).collect::<Vec<_>>(), [10, 5]);
}

#[tokio::test]
async fn a_restock_is_a_write_for_each_shard_and_two_of_the_sale() {
    let shop = Shop::open().await;
    let active = open_sale(&shop).await;
    assert_eq!(cost(&shop, shop.sales.change_status(&active, SaleStatus::Paused, at(NOW))).await, writes(1, 1.0));
    let paused = read(&shop).await;
    assert_eq!(cost(&shop, shop.sales.begin_restock(&paused, "one".parse().unwrap(), ADDED)).await, writes(1, 1.0));
    let begun = read(&shop).await;
    assert_eq!(cost(&shop, shop.stock.restock(&product(), 2, ADDED, .., begun.revision)).await, writes(2, 2.0));
    assert_eq!(cost(&shop, shop.sales.finish_restock(&begun)).await, writes(1, 1.0));
}

/// Each key is a UUID. The description of this sale is short.
#[tokio::test]
async fn fifty_restocks_make_a_sale_an_item_of_four_kilobytes() {
    let shop = Shop::open().await;
    let mut stored = open_sale(&shop).await;
    for number in 0..50 {
        stored = restock(&shop, &stored, &format!("8e03978e-40d5-43dd-bc93-{number:012}"), ADDED).await;
    }
    assert_eq!(cost(&shop, shop.sales.change_status(&stored, SaleStatus::Paused, at(NOW))).await, writes(1, 4.0));
    assert_eq!(read(&shop).await.restocks, stored.restocks);
}

#[tokio::test]
async fn shards_that_are_not_there_are_left_out_of_a_read_of_some() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &ShardLayout::new(10, 2), .., 1).await.unwrap();
    let found = shop.stock.read(&product(), &[ShardNumber(7), ShardNumber(1)]).await.unwrap();
    assert_eq!(found, [(ShardNumber(1), StockShard::new(5))]);
}
