//! `POST /admin/flash-sales/{product_id}/restock` on recorded events.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod faults;
mod refusals;
mod shoppers;

use domain::{Extent, ProductId, SaleDraft, ShardLayout};
use insta::assert_snapshot;
use kit::{Request, http::Identity};
use restock_sale::{RestockSale, Restocking};
use scene::{Buyer, Scene, Stage, brief, demo, draft};
use serde_json::json;
use testkit::{Calls, RequestBuilder, event};

fn function(scene: &Scene, calls: &Calls) -> RestockSale {
    let client = scene.dynamo.client_with(calls);
    let restocking = Restocking {
        clock: scene.shared_clock(),
        sales: scene.sales_on(client.clone()),
        stock: scene.stock_on(client.clone()),
        availabilities: scene.availabilities_on(client),
    };
    RestockSale::new(Identity::claims_only(), scene.shared_clock(), restocking)
}

/// An operator's request about the demo sale, without a key and a body.
fn of_operator() -> RequestBuilder {
    let path = "/admin/flash-sales/demo/restock";
    testkit::request("POST", path).path_parameter("product_id", "demo").shopper("operator-1").group("ops")
}

fn restock(key: &str, units: u32) -> Request {
    of_operator().header("idempotency-key", key).json(&json!({"units": units})).build()
}

/// The demo sale, one that is over, and one whose only unit is held.
async fn shop() -> Scene {
    let scene = Scene::open().await;
    let ends_at = scene.now();
    scene.sale(&"ended".parse().unwrap(), SaleDraft { ends_at, ..draft() }).await;
    let sold_out: ProductId = "sold-out".parse().unwrap();
    scene.sale(&sold_out, SaleDraft { units: 1, ..draft() }).await;
    let id = domain::ReservationId::of(&sold_out, "01JD3V3Z5T0000000000000000").unwrap();
    scene.bring(&Buyer { id, ..Buyer::first() }, Stage::Held).await;
    scene.refresh_availability(&sold_out).await;
    let version = scene.availability(&sold_out).await.version;
    assert!(scene.availabilities().mark_sold_out(&sold_out, version, scene.now()).await.unwrap());
    scene
}

/// The demo sale has its hundred units and these restocks, in its shards and for its readers.
async fn has(scene: &Scene, restocks: &[u32], context: &str) {
    let stored = scene.sales().get_for_write(&demo()).await.unwrap().unwrap();
    let made = ShardLayout::new(100, 4);
    let expected = restocks.iter().fold(made, |layout, units| layout.restocked(draft().restock(*units)));
    assert_eq!((&stored.sale.layout, stored.unfinished), (&expected, None), "{context}");
    let (available, held, sold) = scene.units(&demo()).await;
    assert_eq!(available + held + sold, expected.units(), "{context}");
    let shards = scene.shards(&demo()).await;
    assert!(shards.iter().map(domain::StockShard::capacity).eq(expected.capacities()), "{context}");
    let known = scene.availability(&demo()).await;
    assert_eq!((known.units, known.free.len(), known.sold_out_at), (expected.units(), shards.len(), None), "{context}");
    assert_eq!(known.held.len(), shards.len(), "{context}");
}

#[tokio::test]
async fn every_recorded_event_is_answered() {
    let answers = scene::answers("restock-sale", async |request| function(&shop().await, &Calls::new()).handle(request).await);
    assert_snapshot!(answers.await, @r#"
    broken-json: 400 malformed-request
    impossible-product-id: 404 unknown-product
    no-identity: 401 unauthenticated
    no-key: 400 malformed-request
    no-units: 422 invalid-request /units
    not-an-operator: 403 forbidden
    ok: 200
    over: 409 sale-ended
    sold-out: 200
    too-many-units: 422 invalid-request /units
    unknown-product: 404 unknown-product
    "#);
}

#[tokio::test]
async fn a_restock_is_a_write_for_each_shard_and_three_more() {
    let (scene, calls) = (shop().await, Calls::new());
    scene.bring(&Buyer::second(), Stage::Completed).await;
    scene.refresh_availability(&demo()).await;
    let response = function(&scene, &calls).handle(event("restock-sale/ok.json")).await;
    assert_snapshot!(testkit::response(&response), @r#"
    200 OK
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: no-store
    content-type: application/json
    x-request-id: c032b366-1105-5ebe-2625-9ffcb90c19fe

    {
      "admission": {
        "mode": "fcfs"
      },
      "as_of": "2026-11-01T12:01:00Z",
      "available_quantity": 148,
      "ends_at": "2026-11-02T12:00:00Z",
      "hold_seconds": 300,
      "holds": {
        "count": 0
      },
      "max_per_shopper": 2,
      "name": "Phone",
      "price": {
        "amount_minor": 99900,
        "currency": "USD"
      },
      "product_id": "demo",
      "server_time": "2026-11-01T12:01:00Z",
      "starts_at": "2026-11-01T12:00:00Z",
      "state": "open",
      "units": 150
    }
    "#);
    assert_eq!((calls.count("PutItem"), calls.count("GetItem"), calls.total()), (2 + 3, 2, 7));
    has(&scene, &[50], "restocked").await;
}

#[tokio::test]
async fn units_for_a_sold_out_sale_end_the_mark() {
    let scene = shop().await;
    let response = function(&scene, &Calls::new()).handle(event("restock-sale/sold-out.json")).await;
    let shown = scene::body(&response);
    assert_snapshot!(shown["state"], @r#""open""#);
    assert_snapshot!(shown["available_quantity"], @"50");
    let known = scene.availability(&"sold-out".parse().unwrap()).await;
    assert_eq!((known.sold_out_at, known.free.as_slice()), (None, [0, 25, 25].as_slice()));
}

#[tokio::test]
async fn the_same_key_again_adds_nothing_and_another_one_does() {
    let (scene, calls) = (Scene::open().await, Calls::new());
    let function = function(&scene, &calls);
    let first = function.handle(restock("one", 30)).await;
    let after = scene.everything().await;
    calls.reset();
    let again = function.handle(restock("one", 30)).await;
    assert_eq!((brief(&again), scene::body(&again)), ("200".to_owned(), scene::body(&first)));
    assert_eq!((calls.count("GetItem"), calls.total(), scene.everything().await), (2, 2, after));
    assert_eq!(brief(&function.handle(restock("two", 30)).await), "200");
    has(&scene, &[30, 30], "two keys").await;
    assert_eq!(brief(&function.handle(restock("one", 30)).await), "200", "the first one is still known");
    has(&scene, &[30, 30], "two keys").await;
}

#[tokio::test]
async fn shards_that_are_there_stay_as_they_are() {
    let scene = Scene::open().await;
    scene.bring(&Buyer::first(), Stage::Held).await;
    scene.bring(&Buyer::second(), Stage::Completed).await;
    let before = scene.shards(&demo()).await;
    function(&scene, &Calls::new()).handle(restock("one", 1_000)).await;
    let after = scene.shards(&demo()).await;
    assert_eq!((&after[..4], after.len()), (before.as_slice(), 44));
}

#[tokio::test]
async fn a_restock_is_as_dense_as_the_sale_was_made() {
    let scene = Scene::empty().await;
    scene.sale(&demo(), SaleDraft { units: 200, shards: Some(100), ..draft() }).await;
    function(&scene, &Calls::new()).handle(restock("one", 6)).await;
    let sale = scene.sales().get(&demo()).await.unwrap().unwrap();
    assert_eq!(sale.layout.extents().last(), Some(Extent { units: 6, shards: 3 }));
}

#[tokio::test]
async fn a_sale_that_is_paused_or_has_not_started_can_be_restocked_and_stays_so() {
    let scene = Scene::open().await;
    scene.clock.set("2026-11-01T11:00:00Z");
    let response = function(&scene, &Calls::new()).handle(restock("one", 1)).await;
    assert_snapshot!(scene::body(&response)["state"], @r#""scheduled""#);
    scene.clock.set(scene::NOW);
    scene.set_status(&demo(), "PAUSED").await;
    let response = function(&scene, &Calls::new()).handle(restock("two", 1)).await;
    assert_snapshot!(scene::body(&response)["state"], @r#""paused""#);
    has(&scene, &[1, 1], "paused").await;
}
