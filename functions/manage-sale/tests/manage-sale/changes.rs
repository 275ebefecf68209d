//! A sale is changed until it starts, and its shards and what readers know of them follow.

use domain::SaleStatus;
use insta::assert_snapshot;
use scene::{Scene, brief, demo};
use serde_json::{Value, json};
use store::WriteOutcome;
use testkit::{Calls, event};

use crate::{body, drop_id, function, is_made_of, put, shop, state_of};

/// A sale with its units in so many shards.
fn in_shards(units: u32, shards: u32) -> Value {
    let mut body = body(units);
    body["shards"] = json!(shards);
    body
}

#[tokio::test]
async fn units_and_shards_follow_every_change() {
    let (scene, calls) = (Scene::empty().await, Calls::new());
    let function = function(&scene, &calls);
    let steps = [
        (body(60), 60, 3, "201"),
        (body(200), 200, 8, "200"),
        (body(61), 61, 3, "200"),
        (in_shards(61, 61), 61, 61, "200"),
        (in_shards(61, 1), 61, 1, "200"),
        (body(1), 1, 1, "200"),
        (body(60), 60, 3, "200"),
    ];
    let mut before = 0;
    for (body, units, shards, status) in steps {
        calls.reset();
        assert_eq!(brief(&function.handle(put(&body)).await), status, "{body}");
        is_made_of(&scene, units, shards, &body.to_string()).await;
        let deleted: u32 = u32::saturating_sub(before, shards);
        let (put, deleted) = (usize::try_from(shards + 4).unwrap(), usize::try_from(deleted).unwrap());
        assert_eq!((calls.count("PutItem"), calls.count("DeleteItem")), (put, deleted), "{body}");
        before = shards;
    }
}

#[tokio::test]
async fn every_member_can_be_changed_and_the_answer_shows_it() {
    let scene = Scene::empty().await;
    let function = function(&scene, &Calls::new());
    function.handle(put(&body(60))).await;
    let changed = json!({
        "name": "Winter drop, again",
        "description": "Sixty of them.",
        "image_url": "https://images.example.com/winter-drop.jpg",
        "price": {"amount_minor": 5_999, "currency": "EUR"},
        "units": 61,
        "starts_at": "2026-11-01T12:12:00Z",
        "ends_at": "2026-11-01T14:00:00.5Z",
        "hold_seconds": 60,
        "max_per_shopper": 3,
    });
    let response = function.handle(put(&changed)).await;
    assert_snapshot!(testkit::response(&response), @r#"
    200 OK
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: no-store
    content-type: application/json
    x-request-id: 00000000-0000-0000-0000-000000000001

    {
      "admission": {
        "mode": "fcfs"
      },
      "as_of": "2026-11-01T12:01:00Z",
      "available_quantity": 61,
      "description": "Sixty of them.",
      "ends_at": "2026-11-01T14:00:00.500Z",
      "hold_seconds": 60,
      "holds": {
        "count": 0
      },
      "image_url": "https://images.example.com/winter-drop.jpg",
      "max_per_shopper": 3,
      "name": "Winter drop, again",
      "price": {
        "amount_minor": 5999,
        "currency": "EUR"
      },
      "product_id": "winter-drop",
      "server_time": "2026-11-01T12:01:00Z",
      "starts_at": "2026-11-01T12:12:00Z",
      "state": "scheduled",
      "units": 61
    }
    "#);
    is_made_of(&scene, 61, 3, "changed").await;
}

#[tokio::test]
async fn a_change_of_the_far_off_sale_is_200() {
    let scene = shop().await;
    let response = function(&scene, &Calls::new()).handle(event("manage-sale/change.json")).await;
    let shown = scene::body(&response);
    assert_eq!(
        (brief(&response), &shown["units"], &shown["available_quantity"]),
        ("200".to_owned(), &json!(2_000), &json!(2_000))
    );
    assert_eq!(scene.units(&"not-started".parse().unwrap()).await, (2_000, 0, 0));
}

#[tokio::test]
async fn a_sale_that_has_started_is_not_changed() {
    let (scene, calls) = (shop().await, Calls::new());
    let before = scene.everything().await;
    let response = function(&scene, &calls).handle(event("manage-sale/sale-started.json")).await;
    assert_snapshot!(testkit::response(&response), @r#"
    409 Conflict
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: no-store
    content-type: application/problem+json
    x-request-id: dcb3637a-8d88-402e-80e6-7c7f18030ad3

    {
      "code": "sale-started",
      "detail": "A sale can be changed until five seconds before it starts, and not after.",
      "instance": "dcb3637a-8d88-402e-80e6-7c7f18030ad3",
      "status": 409,
      "title": "The sale has started",
      "type": "/problems/sale-started"
    }
    "#);
    assert_eq!((scene.everything().await, calls.count("GetItem"), calls.total()), (before, 1, 1));
}

/// An environment of `reserve` may believe the old description for a second, by a clock that differs by two.
#[tokio::test]
async fn changes_end_five_seconds_before_the_start() {
    let scene = Scene::empty().await;
    let function = function(&scene, &Calls::new());
    function.handle(put(&body(60))).await;
    scene.clock.set("2026-11-01T12:10:54.999Z");
    assert_eq!(brief(&function.handle(put(&body(61))).await), "200");
    for time in ["2026-11-01T12:10:55Z", "2026-11-01T12:10:59.999Z", "2026-11-01T12:11:00Z", "2026-11-01T12:59:59Z"] {
        scene.clock.set(time);
        assert_eq!(brief(&function.handle(put(&body(62))).await), "409 sale-started", "{time}");
        assert_eq!(brief(&function.handle(put(&body(61))).await), "200", "{time}: as it is");
    }
    is_made_of(&scene, 61, 3, "the last change").await;
}

#[tokio::test]
async fn the_start_cannot_be_put_off_once_it_has_come() {
    let scene = Scene::empty().await;
    let function = function(&scene, &Calls::new());
    function.handle(put(&body(60))).await;
    scene.clock.set("2026-11-01T12:11:00Z");
    let mut later = body(60);
    later["starts_at"] = json!("2026-11-01T12:30:00Z");
    assert_eq!(brief(&function.handle(put(&later)).await), "409 sale-started");
}

#[tokio::test]
async fn a_sale_that_was_closed_stays_so() {
    let scene = Scene::open().await;
    scene.set_status(&demo(), "CLOSED").await;
    let before = scene.everything().await;
    let response = function(&scene, &Calls::new()).handle(event("manage-sale/sale-started.json")).await;
    assert_eq!((brief(&response), scene.everything().await), ("409 sale-started".to_owned(), before));
}

/// It would follow its times again.
#[tokio::test]
async fn a_sale_that_is_paused_is_not_changed_and_stays_so() {
    let scene = Scene::empty().await;
    let function = function(&scene, &Calls::new());
    function.handle(put(&body(60))).await;
    scene.set_status(&drop_id(), "PAUSED").await;
    let before = scene.everything().await;
    assert_eq!(brief(&function.handle(put(&body(61))).await), "409 sale-paused");
    assert_eq!(state_of(&function.handle(put(&body(60))).await), "paused", "the same again");
    scene.clock.set("2026-11-01T12:11:00Z");
    assert_eq!(brief(&function.handle(put(&body(61))).await), "409 sale-started");
    assert_eq!(state_of(&function.handle(put(&body(60))).await), "paused", "the same again");
    assert_eq!(scene.everything().await, before);
}

/// Its shards are not those of a description alone.
#[tokio::test]
async fn a_sale_that_was_restocked_is_not_changed_and_the_same_again_shows_all_its_units() {
    for is_finished in [false, true] {
        let scene = Scene::empty().await;
        let function = function(&scene, &Calls::new());
        function.handle(put(&body(60))).await;
        let made = scene.sales().get_for_write(&drop_id()).await.unwrap().unwrap();
        let extent = made.sale.draft.restock(30);
        let begun = scene.sales().begin_restock(&made, "one".parse().unwrap(), extent).await.unwrap();
        let WriteOutcome::Written(begun) = begun else { unreachable!() };
        if is_finished {
            scene.stock().restock(&drop_id(), 3, extent, begun.revision).await.unwrap();
            scene.sales().finish_restock(&begun).await.unwrap();
        }
        let before = scene.everything().await;
        assert_eq!(brief(&function.handle(put(&body(61))).await), "409 sale-restocked");
        let same = function.handle(put(&body(60))).await;
        assert_eq!((brief(&same), &scene::body(&same)["units"]), ("200".to_owned(), &json!(if is_finished { 90 } else { 60 })));
        assert_eq!(scene.everything().await, before);
    }
}

#[tokio::test]
async fn while_a_sale_is_changed_it_is_scheduled_whatever_the_time() {
    let scene = Scene::empty().await;
    let function = function(&scene, &Calls::new());
    let mut open = body(60);
    open["starts_at"] = json!("2026-11-01T12:00:00Z");
    assert_eq!(state_of(&function.handle(put(&open)).await), "open");
    scene.set_status(&drop_id(), "PREPARING").await;
    let sale = scene.sales().get(&drop_id()).await.unwrap().unwrap();
    assert_eq!(sale.status, SaleStatus::Preparing);
    assert_eq!(sale.state(scene.now(), 60), domain::SaleState::Scheduled);
    // The same request goes on where the run that died has left off.
    assert_eq!(state_of(&function.handle(put(&open)).await), "open");
    is_made_of(&scene, 60, 3, "again").await;
}

#[tokio::test]
async fn two_operators_at_once_make_one_sale() {
    let scene = Scene::empty().await;
    let (one, two) = (function(&scene, &Calls::new()), function(&scene, &Calls::new()));
    let (first, second) = tokio::join!(one.handle(put(&body(60))), two.handle(put(&body(200))));
    let mut answers = [brief(&first), brief(&second)];
    answers.sort();
    assert_eq!(answers, ["201", "503 try-again"]);
    let (units, shards) = if brief(&first) == "201" { (60, 3) } else { (200, 8) };
    is_made_of(&scene, units, shards, "the first one's").await;
}
