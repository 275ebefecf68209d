//! `PUT /admin/flash-sales/{product_id}` on sample events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

mod changes;
mod deletion;
mod faults;
mod forms;
mod large;
mod races;
mod refusals;

use domain::{ProductId, SaleDraft, SaleStatus};
use insta::assert_snapshot;
use kit::{Request, Response};
use manage_sale::ManageSale;
use serde_json::{Value, json};
use store::Catalogue;
use test_aws::{Calls, RequestBuilder};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft};

fn function(shop: &Shop, calls: &Calls) -> Judged<ManageSale> {
    shop.wire(calls)
}

fn drop_id() -> ProductId {
    "winter-drop".parse().unwrap()
}

/// A sale of `units` units that starts in ten minutes.
fn body(units: u32) -> Value {
    json!({
        "name": "Winter drop",
        "price": {"amount_minor": 4_999, "currency": "USD"},
        "units": units,
        "starts_at": "2026-11-01T12:11:00Z",
        "ends_at": "2026-11-01T13:00:00Z",
    })
}

/// The beginning of an operator's request.
fn of_operator(product: &str) -> RequestBuilder {
    let path = format!("/admin/flash-sales/{product}");
    test_aws::request("PUT", &path).path_parameter("product_id", product).shopper("operator-1").group("ops")
}

fn put(body: &Value) -> Request {
    of_operator("winter-drop").json(body).build()
}

/// The number and the available units of every shard in the table, including shards that belong to no sale.
async fn shards(shop: &Shop, product: &ProductId) -> Vec<(u32, u32)> {
    let prefix = format!("SHARD#{product}#");
    let everything = shop.everything().await;
    let found = everything.iter().filter_map(|(key, item)| {
        let number = key.strip_prefix(&prefix)?.strip_suffix(" STOCK")?;
        Some((number.parse().unwrap(), item["available"].as_n().unwrap().parse().unwrap()))
    });
    let mut found: Vec<(u32, u32)> = found.collect();
    found.sort_unstable();
    found
}

/// Asserts that the sale has exactly these units, in its shards and in its availability item, and is in the catalogue.
async fn is_made_of(shop: &Shop, units: u32, shard_count: u32, context: &str) {
    let (sale, availability) =
        (shop.uncounted().sales().get(&drop_id()).await.unwrap().unwrap(), shop.availability(&drop_id()).await);
    assert_eq!((sale.status, sale.layout.units(), sale.layout.shards()), (SaleStatus::Active, units, shard_count), "{context}");
    let found = shards(shop, &drop_id()).await;
    assert!(found.iter().map(|(number, _)| *number).eq(0..shard_count), "{context}: {found:?}");
    assert_eq!(shop.units(&drop_id()).await, (units, 0, 0), "{context}");
    let by_shard: Vec<u32> = availability.free.iter().map(|free| u32::from(*free)).collect();
    assert!(by_shard.iter().eq(found.iter().map(|(_, available)| available)), "{context}: {by_shard:?}");
    assert_eq!((availability.units, availability.held_units(), availability.sold_out_at), (units, 0, None), "{context}");
    let listed = shop.uncounted().sales().page(Catalogue::Live, None).await.unwrap().sales;
    assert!(listed.iter().any(|(product, _)| *product == drop_id()), "{context}");
}

/// The demo sale, which has started, and one that starts far in the future.
pub(super) async fn shop() -> Shop {
    let shop = Shop::open().await;
    let (starts_at, ends_at) = ("2099-12-01T12:00:00Z".parse().unwrap(), "2099-12-01T13:00:00Z".parse().unwrap());
    shop.sale(&"not-started".parse().unwrap(), SaleDraft { starts_at, ends_at, ..draft() }).await;
    shop
}

#[tokio::test]
async fn a_sale_is_made_with_a_write_for_each_shard_and_four_more() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    assert_snapshot!(shop.told_with::<ManageSale>(&calls, "manage-sale/ok").await, @r#"
    201 Created
    {"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":1000,
     "description":"A thousand of them, once.","ends_at":"2099-12-01T13:00:00Z","hold_seconds":300,
     "holds":{"count":0},"image_url":"https://images.example.com/winter-drop.jpg","max_hold_seconds":600,
     "max_per_shopper":2,"name":"Winter drop","price":{"amount_minor":4999,"currency":"USD"},
     "product_id":"winter-drop","server_time":"2026-11-01T12:01:00Z","starts_at":"2099-12-01T12:00:00Z",
     "state":"scheduled","units":1000}
    "#);
    assert_eq!((calls.count("PutItem"), calls.count("GetItem"), calls.total()), (40 + 4, 4, 48));
    is_made_of(&shop, 1_000, 40, "new").await;
}

#[tokio::test]
async fn what_is_left_out_has_its_default() {
    let shop = Shop::empty().await;
    assert_snapshot!(shop.told::<ManageSale>("manage-sale/least").await, @r#"
    201 Created
    {"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":1000,
     "ends_at":"2099-12-01T13:00:00Z","hold_seconds":300,"holds":{"count":0},"max_hold_seconds":600,
     "max_per_shopper":1,"name":"Winter drop","price":{"amount_minor":4999,"currency":"USD"},
     "product_id":"winter-drop","server_time":"2026-11-01T12:01:00Z","starts_at":"2099-12-01T12:00:00Z",
     "state":"scheduled","units":1000}
    "#);
    is_made_of(&shop, 1_000, 40, "least").await;
}

#[tokio::test]
async fn the_same_again_is_200_for_two_reads_and_writes_nothing() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    let first = function.handle(put(&body(60))).await;
    let after = shop.everything().await;
    calls.reset();
    let again = function.handle(put(&body(60))).await;
    assert_eq!((brief(&first), brief(&again)), ("201".to_owned(), "200".to_owned()));
    assert_eq!(test_shop::body(&again), test_shop::body(&first));
    assert_eq!((calls.count("GetItem"), calls.total(), shop.everything().await), (2, 2, after));
}

#[tokio::test]
async fn a_default_that_is_spelt_out_is_the_same_sale() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    function.handle(put(&body(60))).await;
    let mut spelt_out = body(60);
    spelt_out["hold_seconds"] = json!(300);
    spelt_out["max_per_shopper"] = json!(1);
    spelt_out["admission"] = json!({"mode": "fcfs"});
    spelt_out["starts_at"] = json!("2026-11-01T13:11:00+01:00");
    calls.reset();
    assert_eq!((brief(&function.handle(put(&spelt_out)).await), calls.total()), ("200".to_owned(), 2));
}

#[tokio::test]
async fn a_start_in_the_past_opens_the_sale_at_once() {
    let shop = Shop::empty().await;
    let mut body = body(10);
    body["starts_at"] = json!("2020-01-01T00:00:00Z");
    let response = function(&shop, &Calls::new()).handle(put(&body)).await;
    assert_eq!((brief(&response), test_shop::body(&response)["state"].clone()), ("201".to_owned(), json!("open")));
}

#[tokio::test]
async fn the_same_again_while_it_sells_tells_what_is_left_and_changes_nothing() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    let body = json!({
        "name": "Phone",
        "price": {"amount_minor": 99_900, "currency": "USD"},
        "units": 100,
        "starts_at": test_shop::START,
        "ends_at": "2026-11-02T12:00:00Z",
        "max_per_shopper": 2,
    });
    let request = || of_operator("demo").json(&body).build();
    assert_eq!(brief(&function.handle(request()).await), "201");
    shop.bring(&Buyer::first(), Stage::Completed).await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    let before = shop.everything().await;
    let response = function.handle(request()).await;
    let shown = test_shop::body(&response);
    assert_eq!(
        (brief(&response), &shown["available_quantity"], &shown["holds"]["count"]),
        ("200".to_owned(), &json!(97), &json!(2))
    );
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn ten_thousand_units_are_four_hundred_shards() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let response = function(&shop, &calls).handle(put(&body(10_000))).await;
    assert_eq!((brief(&response), calls.count("PutItem")), ("201".to_owned(), 404));
    is_made_of(&shop, 10_000, 400, "ten thousand").await;
}

#[tokio::test]
async fn the_operator_may_choose_the_shards() {
    for (units, shards) in [(10, 10), (10, 3), (100, 1), (7, 7)] {
        let shop = Shop::empty().await;
        let mut body = body(units);
        body["shards"] = json!(shards);
        assert_eq!(brief(&function(&shop, &Calls::new()).handle(put(&body)).await), "201", "{units} in {shards}");
        is_made_of(&shop, units, shards, &format!("{units} in {shards}")).await;
    }
}

/// The state of the sale in the answer to the operator.
fn state_of(response: &Response) -> String {
    test_shop::body(response)["state"].as_str().unwrap_or("?").to_owned()
}
