//! `POST /admin/flash-sales/{product_id}/restock` on sample events.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod faults;
mod refusals;
mod shoppers;

use domain::{Extent, SaleDraft, ShardLayout};
use insta::assert_snapshot;
use kit::Request;
use restock_sale::RestockSale;
use serde_json::json;
use test_aws::{Calls, RequestBuilder};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft, sold_out};

fn function(shop: &Shop, calls: &Calls) -> Judged<RestockSale> {
    shop.wire(calls)
}

/// An operator's request about the demo sale, without an idempotency key and a body.
fn of_operator() -> RequestBuilder {
    let path = "/admin/flash-sales/demo/restock";
    test_aws::request("POST", path).path_parameter("product_id", "demo").shopper("operator-1").group("ops")
}

fn restock(key: &str, units: u32) -> Request {
    of_operator().header("idempotency-key", key).json(&json!({"units": units})).build()
}

/// The demo sale, one that is over, and one whose only unit is held.
pub(super) async fn shop() -> Shop {
    let shop = Shop::open().await;
    let ends_at = shop.now();
    shop.sale(&"ended".parse().unwrap(), SaleDraft { ends_at, ..draft() }).await;
    shop.sold_out(draft(), &Buyer::first()).await;
    let version = shop.availability(&sold_out()).await.version;
    assert!(shop.uncounted().availabilities().mark_sold_out(&sold_out(), version, shop.now()).await.unwrap());
    shop
}

/// Asserts that the demo sale has its hundred units and these restocks, in its shards and in its availability item.
async fn has(shop: &Shop, restocks: &[u32], context: &str) {
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    let made = ShardLayout::new(100, 4);
    let expected = restocks.iter().fold(made, |layout, units| layout.restocked(stored.sale.restock(*units).unwrap()));
    assert_eq!((&stored.sale.layout, stored.unfinished), (&expected, None), "{context}");
    let (available, held, sold) = shop.units(&demo()).await;
    assert_eq!(available + held + sold, expected.units(), "{context}");
    let shards = shop.shards(&demo()).await;
    assert!(shards.iter().map(domain::StockShard::capacity).eq(expected.capacities()), "{context}");
    let known = shop.availability(&demo()).await;
    assert_eq!((known.units, known.free.len(), known.sold_out_at), (expected.units(), shards.len(), None), "{context}");
    assert_eq!(known.held.len(), shards.len(), "{context}");
}

#[tokio::test]
async fn a_restock_is_a_write_for_each_shard_and_three_more() {
    let (shop, calls) = (shop().await, Calls::new());
    shop.bring(&Buyer::second(), Stage::Completed).await;
    shop.refresh_availability(&demo()).await;
    assert_snapshot!(shop.told_with::<RestockSale>(&calls, "restock-sale/ok").await, @r#"
    200 OK
    {"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":148,
     "ends_at":"2026-11-02T12:00:00Z","hold_seconds":300,"holds":{"count":0},"max_hold_seconds":600,
     "max_per_shopper":2,"name":"Phone","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo",
     "server_time":"2026-11-01T12:01:00Z","starts_at":"2026-11-01T12:00:00Z","state":"open","units":150}
    "#);
    assert_eq!((calls.count("PutItem"), calls.count("GetItem"), calls.total()), (2 + 3, 2, 7));
    has(&shop, &[50], "restocked").await;
}

#[tokio::test]
async fn units_for_a_sold_out_sale_end_the_mark() {
    let shop = shop().await;
    let response = shop.ask::<RestockSale>("restock-sale/sold-out").await;
    let shown = test_shop::body(&response);
    assert_snapshot!(shown["state"], @r#""open""#);
    assert_snapshot!(shown["available_quantity"], @"50");
    let known = shop.availability(&"sold-out".parse().unwrap()).await;
    assert_eq!((known.sold_out_at, known.free.as_slice()), (None, [0, 25, 25].as_slice()));
}

#[tokio::test]
async fn the_same_key_again_adds_nothing_and_another_one_does() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let first = function.handle(restock("one", 30)).await;
    let after = shop.everything().await;
    calls.reset();
    let again = function.handle(restock("one", 30)).await;
    assert_eq!((brief(&again), test_shop::body(&again)), ("200".to_owned(), test_shop::body(&first)));
    assert_eq!((calls.count("GetItem"), calls.total(), shop.everything().await), (2, 2, after));
    assert_eq!(brief(&function.handle(restock("two", 30)).await), "200");
    has(&shop, &[30, 30], "two keys").await;
    assert_eq!(brief(&function.handle(restock("one", 30)).await), "200", "the first one is still known");
    has(&shop, &[30, 30], "two keys").await;
}

#[tokio::test]
async fn shards_that_are_there_stay_as_they_are() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.bring(&Buyer::second(), Stage::Completed).await;
    let before = shop.shards(&demo()).await;
    function(&shop, &Calls::new()).handle(restock("one", 1_000)).await;
    let after = shop.shards(&demo()).await;
    assert_eq!((&after[..4], after.len()), (before.as_slice(), 44));
}

#[tokio::test]
async fn a_restock_is_as_dense_as_the_sale_was_made() {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: 200, shards: Some(100), ..draft() }).await;
    function(&shop, &Calls::new()).handle(restock("one", 6)).await;
    let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
    assert_eq!(sale.layout.extents().last(), Some(Extent { units: 6, shards: 3 }));
}

#[tokio::test]
async fn a_sale_that_is_paused_or_has_not_started_can_be_restocked_and_stays_so() {
    let shop = Shop::open().await;
    shop.clock.set("2026-11-01T11:00:00Z");
    let response = function(&shop, &Calls::new()).handle(restock("one", 1)).await;
    assert_snapshot!(test_shop::body(&response)["state"], @r#""scheduled""#);
    shop.clock.set(test_shop::NOW);
    shop.set_status(&demo(), "PAUSED").await;
    let response = function(&shop, &Calls::new()).handle(restock("two", 1)).await;
    assert_snapshot!(test_shop::body(&response)["state"], @r#""paused""#);
    has(&shop, &[1, 1], "paused").await;
}
