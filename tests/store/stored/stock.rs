//! Items of the stock table.

use domain::{Availability, Extent, Sale, SaleDraft, SaleStatus, ShardLayout, Sold, StockShard};
use serde_json::{Value, json};
use store::{Catalogue, Restock, Rounds, StoredSale, WriteOutcome};

use super::{assert_stored, item, on_the_day, put, seconds, with};
use crate::shop::{END, NOW, SHARD, Shop, at, hold, id, product, sale, shopper, units};

/// A sale in preparation.
fn prepared_sale() -> Value {
    json!({
        "pk": {"S": "SALE#demo"},
        "sk": {"S": "META"},
        "product": {"S": "demo"},
        "name": {"S": "Phone"},
        "amount_minor": {"N": "99900"},
        "currency": {"S": "USD"},
        "units": {"N": "100"},
        "shards": {"N": "4"},
        "shards_made": {"N": "4"},
        "starts_at": {"S": on_the_day("12:00:00")},
        "ends_at": {"S": on_the_day("13:00:00.5")},
        "hold_seconds": {"N": "300"},
        "max_hold_seconds": {"N": "600"},
        "max_per_shopper": {"N": "1"},
        "admission": {"M": {"mode": {"S": "fcfs"}}},
        "status": {"S": "PREPARING"},
        "revision": {"N": "1"},
    })
}

/// An active sale with one finished restock and one that is not finished. An operator chose its number of shards.
fn restocked_sale() -> Value {
    with(
        &prepared_sale(),
        &json!({
            "description": {"S": "A phone."},
            "image_url": {"S": "https://example.com/phone.png"},
            "shards": {"N": "2"},
            "shards_made": {"N": "3"},
            "shards_chosen": {"BOOL": true},
            "status": {"S": "ACTIVE"},
            "revision": {"N": "5"},
            "restocks": {"L": [{"M": {
                "key": {"S": "first"}, "units": {"N": "25"}, "shards": {"N": "1"}, "revision": {"N": "3"},
            }}]},
            "unfinished_restock": {"M": {
                "key": {"S": "second"}, "units": {"N": "30"}, "shards": {"N": "2"}, "revision": {"N": "5"},
            }},
        }),
    )
}

fn plain_sale() -> Sale {
    let of = sale(&product(), 100);
    Sale { draft: SaleDraft { description: None, image_url: None, ..of.draft }, ..of }
}

fn written(outcome: WriteOutcome) -> StoredSale {
    match outcome {
        WriteOutcome::Written(stored) => stored,
        WriteOutcome::Changed => panic!("another run has written it"),
    }
}

#[tokio::test]
async fn a_sale() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    put(&read, read.dynamo.stock_table(), &prepared_sale()).await;
    let stored = read.sales.get_for_write(&product()).await.unwrap().unwrap();
    assert_eq!((stored.sale, stored.shards_made, stored.revision), (plain_sale(), 4, 1));
    assert_eq!((stored.restocks, stored.unfinished, stored.shards_ready), (vec![], None, 0));

    written(wrote.sales.prepare(&plain_sale(), None).await.unwrap());
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "META"), &prepared_sale()).await;
    for (word, status) in [
        ("PREPARING", SaleStatus::Preparing),
        ("ACTIVE", SaleStatus::Active),
        ("PAUSED", SaleStatus::Paused),
        ("CLOSED", SaleStatus::Closed),
    ] {
        put(&read, read.dynamo.stock_table(), &with(&prepared_sale(), &json!({"status": {"S": word}}))).await;
        assert_eq!(read.sales.get(&product()).await.unwrap().unwrap().status, status, "{word}");
    }
}

#[tokio::test]
async fn a_sale_with_restocks() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let chosen = SaleDraft { shards: Some(2), ..sale(&product(), 100).draft };
    let made = Sale { layout: chosen.layout(), draft: chosen, ..sale(&product(), 100) };
    let (first, second) = (Extent { units: 25, shards: 1 }, Extent { units: 30, shards: 2 });
    let prepared = written(wrote.sales.prepare(&made, None).await.unwrap());
    let mut expected = written(wrote.sales.activate(&prepared).await.unwrap());
    expected = written(wrote.sales.begin_restock(&expected, "first".parse().unwrap(), first).await.unwrap());
    expected = written(wrote.sales.finish_restock(&expected).await.unwrap());
    written(wrote.sales.begin_restock(&expected, "second".parse().unwrap(), second).await.unwrap());
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "META"), &restocked_sale()).await;

    put(&read, read.dynamo.stock_table(), &restocked_sale()).await;
    let stored = read.sales.get_for_write(&product()).await.unwrap().unwrap();
    let layout = made.layout.restocked(first);
    assert_eq!(stored.sale, Sale { status: SaleStatus::Active, layout, ..made });
    assert_eq!((stored.shards_made, stored.revision), (3, 5));
    let restock = |key: &str, extent, revision| Restock { key: key.parse().unwrap(), extent, revision, shards_ready: 0 };
    assert_eq!((stored.restocks, stored.unfinished), (vec![restock("first", first, 3)], Some(restock("second", second, 5))));
}

/// The progress of a preparation and of a restock.
#[tokio::test]
async fn a_sale_whose_shards_are_being_made() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let preparing = with(&prepared_sale(), &json!({"shards_ready": {"N": "3"}, "revision": {"N": "2"}}));
    let prepared = written(wrote.sales.prepare(&plain_sale(), None).await.unwrap());
    let noted = written(wrote.sales.note_prepared(&prepared, 3).await.unwrap());
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "META"), &preparing).await;
    put(&read, read.dynamo.stock_table(), &preparing).await;
    assert_eq!(read.sales.get_for_write(&product()).await.unwrap().unwrap().shards_ready, 3);

    let active = written(wrote.sales.activate(&noted).await.unwrap());
    let begun = wrote.sales.begin_restock(&active, "one".parse().unwrap(), Extent { units: 30, shards: 2 }).await.unwrap();
    written(wrote.sales.note_restocked(&written(begun), 1).await.unwrap());
    let restocking = with(
        &prepared_sale(),
        &json!({"status": {"S": "ACTIVE"}, "revision": {"N": "5"}, "unfinished_restock": {"M": {
            "key": {"S": "one"}, "units": {"N": "30"}, "shards": {"N": "2"}, "revision": {"N": "4"}, "shards_ready": {"N": "1"},
        }}}),
    );
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "META"), &restocking).await;
    put(&read, read.dynamo.stock_table(), &restocking).await;
    let stored = read.sales.get_for_write(&product()).await.unwrap().unwrap();
    assert_eq!((stored.shards_ready, stored.unfinished.unwrap().shards_ready), (0, 1));
}

#[tokio::test]
async fn a_sale_that_was_closed_in_preparation() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let closed = with(
        &prepared_sale(),
        &json!({
            "status": {"S": "CLOSED"}, "revision": {"N": "2"}, "closed_at": {"S": on_the_day("12:00:00.25")},
            "unfinished": {"BOOL": true},
        }),
    );
    let prepared = written(wrote.sales.prepare(&plain_sale(), None).await.unwrap());
    let sale = written(wrote.sales.change_status(&prepared, SaleStatus::Closed, at(NOW)).await.unwrap()).sale;
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "META"), &closed).await;
    put(&read, read.dynamo.stock_table(), &closed).await;
    assert_eq!(read.sales.get(&product()).await.unwrap().as_ref(), Some(&sale));
    assert_eq!((sale.closed_at, sale.is_prepared()), (Some(at(NOW)), false));
}

#[tokio::test]
async fn a_sale_with_cooling_shoppers() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let cooling = with(&prepared_sale(), &json!({"cooling": {"BOOL": true}}));
    put(&read, read.dynamo.stock_table(), &cooling).await;
    let sale = read.sales.get(&product()).await.unwrap().unwrap();
    assert_eq!(sale, Sale { has_cooling_shoppers: true, ..plain_sale() });
    written(wrote.sales.prepare(&plain_sale(), None).await.unwrap());
    wrote.sales.note_cooling(&product()).await.unwrap();
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "META"), &cooling).await;
}

/// An earlier version stored no `max_hold_seconds`: the default holds.
#[tokio::test]
async fn a_sale_without_a_longest_hold() {
    let shop = Shop::open().await;
    for (hold_seconds, max_hold_seconds) in [(300, 600), (60, 180)] {
        let mut earlier = with(&prepared_sale(), &json!({"hold_seconds": {"N": hold_seconds.to_string()}}));
        earlier.as_object_mut().unwrap().remove("max_hold_seconds");
        put(&shop, shop.dynamo.stock_table(), &earlier).await;
        let draft = shop.sales.get(&product()).await.unwrap().unwrap().draft;
        assert_eq!((draft.hold_seconds, draft.max_hold_seconds), (hold_seconds, max_hold_seconds));
    }
}

/// An earlier version allowed a million units.
#[tokio::test]
async fn a_sale_that_is_larger_than_a_new_one_may_be() {
    let shop = Shop::open().await;
    let large = json!({"units": {"N": "1000000"}, "shards": {"N": "40000"}, "shards_made": {"N": "40000"}});
    put(&shop, shop.dynamo.stock_table(), &with(&prepared_sale(), &large)).await;
    let sale = shop.sales.get(&product()).await.unwrap().unwrap();
    assert_eq!((sale.draft.units, sale.layout), (1_000_000, ShardLayout::new(1_000_000, 40_000)));
}

#[tokio::test]
async fn an_entry_of_the_catalogue() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let entry = json!({"pk": {"S": "SALES"}, "sk": {"S": "SALE#demo"}, "product": {"S": "demo"}});
    put(&read, read.dynamo.stock_table(), &entry).await;
    put(&read, read.dynamo.stock_table(), &prepared_sale()).await;
    let page = read.sales.page(Catalogue::Live, None).await.unwrap();
    let found: Vec<_> = page.sales.into_iter().map(|(product, sale)| (product, sale.unwrap())).collect();
    assert_eq!(found, [(product(), plain_sale())]);

    wrote.sales.list(&product()).await.unwrap();
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALES", "SALE#demo"), &entry).await;
}

#[tokio::test]
async fn an_entry_of_the_ended_catalogue() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let entry = json!({"pk": {"S": "ENDED"}, "sk": {"S": "SALE#demo"}, "product": {"S": "demo"}});
    put(&read, read.dynamo.stock_table(), &entry).await;
    put(&read, read.dynamo.stock_table(), &prepared_sale()).await;
    assert_eq!(read.sales.page(Catalogue::Ended, None).await.unwrap().sales.len(), 1);

    let prepared = written(wrote.sales.prepare(&plain_sale(), None).await.unwrap());
    assert!(wrote.sales.retire(&prepared).await.unwrap());
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("ENDED", "SALE#demo"), &entry).await;
}

#[tokio::test]
async fn a_hidden_sale() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let hidden = with(&prepared_sale(), &json!({"visible_from": {"S": on_the_day("11:00:00")}}));
    let draft = SaleDraft { visible_from: Some(at("11:00:00")), ..plain_sale().draft };
    let sale = Sale { draft, ..plain_sale() };
    written(wrote.sales.prepare(&sale, None).await.unwrap());
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "META"), &hidden).await;
    put(&read, read.dynamo.stock_table(), &hidden).await;
    assert_eq!(read.sales.get(&product()).await.unwrap(), Some(sale));
}

#[tokio::test]
async fn the_last_revision_of_a_deleted_sale() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let deleted = json!({"pk": {"S": "SALE#demo"}, "sk": {"S": "DELETED"}, "revision": {"N": "7"}});
    put(&read, read.dynamo.stock_table(), &deleted).await;
    assert_eq!(written(read.sales.prepare(&plain_sale(), None).await.unwrap()).revision, 8);

    let prepared = written(wrote.sales.prepare(&plain_sale(), None).await.unwrap());
    assert!(wrote.sales.delete(&prepared).await.unwrap());
    let item = wrote.raw(wrote.dynamo.stock_table(), "SALE#demo", "DELETED").await.unwrap();
    assert_eq!(item, super::item(&with(&deleted, &json!({"revision": {"N": "1"}}))));
}

#[tokio::test]
async fn the_availability_of_a_deleted_sale() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let deleted = json!({
        "pk": {"S": "SALE#demo"},
        "sk": {"S": "AVAILABILITY"},
        "available": {"N": "0"},
        "held": {"N": "0"},
        "sold": {"N": "0"},
        "units": {"N": "0"},
        "as_of": {"S": plain_sale().draft.ends_at.to_string()},
        "version": {"N": "1"},
        "free": {"B": []},
        "held_by_shard": {"B": []},
        "deleted": {"BOOL": true},
    });
    put(&read, read.dynamo.stock_table(), &deleted).await;
    assert_eq!(read.availabilities.get(&product(), true).await.unwrap(), None);

    let prepared = written(wrote.sales.prepare(&plain_sale(), None).await.unwrap());
    assert!(wrote.sales.delete(&prepared).await.unwrap());
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "AVAILABILITY"), &deleted).await;
}

#[tokio::test]
async fn the_place_where_the_next_run_begins() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let next = json!({"pk": {"S": "RECONCILE"}, "sk": {"S": "NEXT"}, "product": {"S": "demo"}});
    put(&read, read.dynamo.stock_table(), &next).await;
    let rounds = |shop: &Shop| Rounds::new(shop.client.clone(), shop.dynamo.stock_table());
    assert_eq!(rounds(&read).start().await.unwrap(), Some(product()));
    rounds(&wrote).begin_next_at(&product()).await.unwrap();
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("RECONCILE", "NEXT"), &next).await;
}

#[tokio::test]
async fn a_shard() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let shard = json!({
        "pk": {"S": "SHARD#demo#0"},
        "sk": {"S": "STOCK"},
        "rev": {"N": "7"},
        "capacity": {"N": "10"},
        "available": {"N": "7"},
        "held": {"M": {"shopper-1": {"M": {
            "r": {"S": "01JD3V3Z5T8Q6W7X9Y0A000001"}, "q": {"N": "2"}, "x": {"N": seconds(at(END))},
        }}}},
        "sold": {"M": {"shopper-2": {"M": {"r": {"S": "01JD3V3Z5T8Q6W7X9Y0A000002"}, "q": {"N": "1"}}}}},
    });
    wrote.stock.create(&product(), &ShardLayout::new(10, 1), .., 7).await.unwrap();
    wrote.stock.claim(SHARD, &shopper(1), &hold(1, 2)).await.unwrap();
    wrote.stock.claim(SHARD, &shopper(2), &hold(2, 1)).await.unwrap();
    wrote.stock.sell(SHARD, &shopper(2), &id(2), units(1)).await.unwrap();
    assert_stored(&wrote, wrote.dynamo.stock_table(), ("SHARD#demo#0", "STOCK"), &shard).await;

    put(&read, read.dynamo.stock_table(), &shard).await;
    let sold = Sold { reservation: id(2), quantity: units(1) };
    let expected = StockShard::from_parts(10, 7, [(shopper(1), hold(1, 2))].into(), [(shopper(2), sold)].into());
    assert_eq!(read.shard().await, expected);
    assert_eq!(store::shard_image(&item(&shard).into()).unwrap(), Some((product(), SHARD, expected)));
    let made_later = read.stock.create(&product(), &ShardLayout::new(10, 1), .., 6).await.unwrap();
    assert!(!made_later, "the shard's revision is read");
}

#[tokio::test]
async fn an_availability_item() {
    let derived = Availability {
        as_of: at(NOW),
        version: 3,
        free: vec![20, 0, 7],
        held: vec![0, 3, 1],
        half_ends: vec![None; 3],
        units: 60,
        next_hold_ends_at: None,
        sold_out_at: None,
    };
    let plain = json!({
        "pk": {"S": "SALE#demo"},
        "sk": {"S": "AVAILABILITY"},
        "available": {"N": "27"},
        "held": {"N": "4"},
        "sold": {"N": "29"},
        "units": {"N": "60"},
        "as_of": {"S": on_the_day("12:00:00.25")},
        "version": {"N": "3"},
        "free": {"B": [20, 0, 7]},
        "held_by_shard": {"B": [0, 3, 1]},
    });
    let (next_hold_ends_at, sold_out_at) = (Some(at(END)), Some(at("12:01:00")));
    let half_ends = vec![None, Some(at(END)), Some(at("12:05:02"))];
    let marked = Availability { free: vec![0, 0, 0], half_ends, next_hold_ends_at, sold_out_at, ..derived.clone() };
    let marked_item = with(
        &plain,
        &json!({
            "available": {"N": "0"},
            "sold": {"N": "56"},
            "free": {"B": [0, 0, 0]},
            "half_ends": {"B": [2, 0, 150, 151]},
            "next_hold_ends_at": {"S": on_the_day("12:05:00")},
            "sold_out_at": {"S": on_the_day("12:01:00")},
        }),
    );
    for (availability, stored) in [(derived, plain), (marked, marked_item)] {
        let (read, wrote) = (Shop::open().await, Shop::open().await);
        put(&read, read.dynamo.stock_table(), &stored).await;
        assert_eq!(read.availabilities.get(&product(), true).await.unwrap().as_ref(), Some(&availability));
        wrote.availabilities.put(&product(), &availability, 0).await.unwrap();
        assert_stored(&wrote, wrote.dynamo.stock_table(), ("SALE#demo", "AVAILABILITY"), &stored).await;
    }
}
