//! `GET /inventory/{product_id}` on recorded events. How sales are known and remembered is get-sale's, and tested there.

use domain::SignedDuration;
use get_inventory::GetInventory;
use get_sale::KnownSales;
use insta::assert_snapshot;
use scene::{Buyer, Scene, Stage, brief, demo};
use testkit::{Calls, Fault, event};

fn function(scene: &Scene, calls: &Calls) -> GetInventory {
    let client = scene.dynamo.client_with(calls);
    let sales = KnownSales::new(scene.sales_on(client.clone()), scene.availabilities_on(client));
    GetInventory::new(scene.shared_clock(), sales)
}

#[tokio::test]
async fn every_recorded_event_is_answered() {
    let answers = scene::answers("get-inventory", async |request| {
        let scene = Scene::open().await;
        function(&scene, &Calls::new()).handle(request).await
    });
    assert_snapshot!(answers.await, @r#"
    impossible-product-id: 404 unknown-product
    ok: 200
    unknown-product: 404 unknown-product
    "#);
}

#[tokio::test]
async fn stock_is_shown_with_the_time_that_it_was_true_at() {
    let scene = Scene::open().await;
    scene.bring(&Buyer::second(), Stage::Held).await;
    scene.refresh_availability(&demo()).await;
    scene.clock.advance_seconds(20);
    let response = function(&scene, &Calls::new()).handle(event("get-inventory/ok.json")).await;
    assert_snapshot!(testkit::response(&response), @r#"
    200 OK
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: public, max-age=1
    content-type: application/json
    x-request-id: 485a6133-b8a7-4aaa-8fc0-886b06752680

    {
      "as_of": "2026-11-01T12:01:00Z",
      "available_quantity": 98,
      "product_id": "demo"
    }
    "#);
}

#[tokio::test]
async fn an_unknown_product_is_404() {
    let scene = Scene::open().await;
    let response = function(&scene, &Calls::new()).handle(event("get-inventory/unknown-product.json")).await;
    assert_snapshot!(testkit::response(&response), @r#"
    404 Not Found
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: no-store
    content-type: application/problem+json
    x-request-id: a8aa8423-0897-4dbd-a255-51ea34b84336

    {
      "code": "unknown-product",
      "detail": "There is no sale of this product.",
      "instance": "a8aa8423-0897-4dbd-a255-51ea34b84336",
      "status": 404,
      "title": "Unknown product",
      "type": "/problems/unknown-product"
    }
    "#);
}

#[tokio::test]
async fn less_than_a_second_is_answered_from_memory() {
    let (scene, calls) = (Scene::open().await, Calls::new());
    let function = function(&scene, &calls);
    let first = testkit::response(&function.handle(event("get-inventory/ok.json")).await);
    assert_eq!(calls.total(), 2);
    scene.bring(&Buyer::first(), Stage::Held).await;
    scene.refresh_availability(&demo()).await;
    scene.clock.advance(SignedDuration::from_millis(999));
    assert_eq!(testkit::response(&function.handle(event("get-inventory/ok.json")).await), first);
    assert_eq!(calls.total(), 2);
    scene.clock.advance(SignedDuration::from_millis(1));
    let later = function.handle(event("get-inventory/ok.json")).await;
    assert_eq!(scene::body(&later)["available_quantity"], 99);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (scene, calls) = (Scene::open().await, Calls::new());
    for (fault, expected) in [(Fault::ServerError, "503 try-again"), (Fault::Denied, "500 internal-error")] {
        calls.fail_always("GetItem", fault);
        assert_eq!(brief(&function(&scene, &calls).handle(event("get-inventory/ok.json")).await), expected, "{fault:?}");
    }
}
