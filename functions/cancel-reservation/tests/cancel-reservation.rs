//! `DELETE /reservations/{reservation_id}` on recorded events. Releasing the units is release-stock's.

use cancel_reservation::CancelReservation;
use insta::assert_snapshot;
use kit::http::Identity;
use scene::{Buyer, Scene, Stage, brief, demo};
use testkit::{Calls, Fault, event};

fn function(scene: &Scene, calls: &Calls) -> CancelReservation {
    CancelReservation::new(Identity::claims_only(), scene.reservations_on(scene.dynamo.client_with(calls)))
}

async fn scene_at(stage: Stage) -> Scene {
    let scene = Scene::open().await;
    scene.bring(&Buyer::first(), stage).await;
    scene
}

#[tokio::test]
async fn every_recorded_event_is_answered() {
    let answers = scene::answers("cancel-reservation", async |request| {
        function(&scene_at(Stage::Held).await, &Calls::new()).handle(request).await
    });
    assert_snapshot!(answers.await, @r#"
    impossible-reservation-id: 404 unknown-reservation
    no-identity: 401 unauthenticated
    ok: 204
    somebody-elses: 204
    unknown-reservation: 204
    "#);
}

#[tokio::test]
async fn a_hold_is_given_up_for_one_write_and_its_units_are_the_streams_to_release() {
    let (scene, calls) = (scene_at(Stage::Held).await, Calls::new());
    let response = function(&scene, &calls).handle(event("cancel-reservation/ok.json")).await;
    assert_snapshot!(testkit::response(&response), @r#"
    204 No Content
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: no-store
    x-request-id: 9bc15764-477a-4ea0-9049-d029550a61ee
    "#);
    assert_eq!((calls.count("DeleteItem"), calls.total()), (1, 1));
    assert_eq!(scene.reservation(&Buyer::first()).await, None);
    assert_eq!(scene.units(&demo()).await, (99, 1, 0), "the shard is not this function's");
    let removed = scene.dynamo.reservation_records().into_iter().filter(|record| record.event_name == "REMOVE");
    assert_eq!(removed.count(), 1, "what release-stock goes by");
}

#[tokio::test]
async fn the_same_again_is_answered_the_same_and_changes_nothing() {
    let (scene, calls) = (scene_at(Stage::Held).await, Calls::new());
    let function = function(&scene, &calls);
    let first = testkit::response(&function.handle(event("cancel-reservation/ok.json")).await);
    let after = scene.everything().await;
    for _ in 0..2 {
        calls.reset();
        assert_eq!(testkit::response(&function.handle(event("cancel-reservation/ok.json")).await), first);
        assert_eq!((calls.total(), calls.failed("ConditionalCheckFailedException")), (1, 1));
    }
    assert_eq!(scene.everything().await, after);
}

#[tokio::test]
async fn a_payment_that_is_under_way_is_not_cancelled() {
    for stage in [Stage::Pending, Stage::Charged, Stage::Sold, Stage::PayingAgain] {
        let scene = scene_at(stage).await;
        let before = scene.everything().await;
        let response = function(&scene, &Calls::new()).handle(event("cancel-reservation/ok.json")).await;
        assert_eq!((brief(&response), scene.everything().await), ("409 payment-in-progress".to_owned(), before), "{stage:?}");
    }
    let scene = scene_at(Stage::Pending).await;
    let response = function(&scene, &Calls::new()).handle(event("cancel-reservation/ok.json")).await;
    assert_snapshot!(testkit::response(&response), @r#"
    409 Conflict
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: no-store
    content-type: application/problem+json
    x-request-id: 9bc15764-477a-4ea0-9049-d029550a61ee

    {
      "code": "payment-in-progress",
      "detail": "A payment is under way. Look at the order to see what becomes of it.",
      "instance": "9bc15764-477a-4ea0-9049-d029550a61ee",
      "status": 409,
      "title": "Payment in progress",
      "type": "/problems/payment-in-progress"
    }
    "#);
}

#[tokio::test]
async fn what_is_bought_is_not_cancelled() {
    let scene = scene_at(Stage::Completed).await;
    let before = scene.everything().await;
    let response = function(&scene, &Calls::new()).handle(event("cancel-reservation/ok.json")).await;
    assert_snapshot!(testkit::response(&response), @r#"
    409 Conflict
    access-control-allow-origin: *
    access-control-expose-headers: Location, Retry-After, X-Request-Id
    cache-control: no-store
    content-type: application/problem+json
    x-request-id: 9bc15764-477a-4ea0-9049-d029550a61ee

    {
      "code": "already-purchased",
      "detail": "You have bought in this sale; each shopper can buy once.",
      "instance": "9bc15764-477a-4ea0-9049-d029550a61ee",
      "status": 409,
      "title": "Already purchased",
      "type": "/problems/already-purchased"
    }
    "#);
    assert_eq!(scene.everything().await, before);
}

#[tokio::test]
async fn a_hold_whose_order_waits_for_a_payment_is_given_up() {
    for stage in [Stage::Waiting, Stage::Declined] {
        let scene = scene_at(stage).await;
        let response = function(&scene, &Calls::new()).handle(event("cancel-reservation/ok.json")).await;
        assert_eq!((brief(&response), scene.reservation(&Buyer::first()).await), ("204".to_owned(), None), "{stage:?}");
    }
}

#[tokio::test]
async fn a_hold_that_is_overdue_is_given_up_too() {
    let scene = scene_at(Stage::Held).await;
    scene.clock.set("2026-11-01T13:00:00Z");
    let response = function(&scene, &Calls::new()).handle(event("cancel-reservation/ok.json")).await;
    assert_eq!((brief(&response), scene.reservation(&Buyer::first()).await), ("204".to_owned(), None));
}

/// Nothing tells a reservation that is gone from one that was never there, or was never the caller's: all are 204.
#[tokio::test]
async fn nothing_but_the_callers_own_reservation_by_its_own_id_is_touched() {
    let scene = scene_at(Stage::Held).await;
    scene.bring(&Buyer::second(), Stage::Held).await;
    let before = scene.everything().await;
    let function = function(&scene, &Calls::new());
    for case in ["somebody-elses", "unknown-reservation", "impossible-reservation-id", "no-identity"] {
        function.handle(event(&format!("cancel-reservation/{case}.json"))).await;
        assert_eq!(scene.everything().await, before, "{case}");
    }
}

#[tokio::test]
async fn a_reservation_that_was_made_since_is_not_cancelled_by_an_old_id() {
    let scene = Scene::open().await;
    let newer = Buyer { shopper: Buyer::first().shopper, ..Buyer::second() };
    scene.bring(&newer, Stage::Held).await;
    let response = function(&scene, &Calls::new()).handle(event("cancel-reservation/ok.json")).await;
    assert_eq!(brief(&response), "204", "the old one is gone");
    assert!(scene.reservation(&newer).await.is_some());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_a_table_that_stays_away_is_503() {
    for fault in [Fault::LostRequest, Fault::LostAnswer, Fault::Throttled, Fault::ServerError] {
        let (scene, calls) = (scene_at(Stage::Held).await, Calls::new());
        let function = function(&scene, &calls);
        calls.fail_always("DeleteItem", fault);
        let response = function.handle(event("cancel-reservation/ok.json")).await;
        assert_eq!(brief(&response), "503 try-again", "{fault:?}");
        calls.heal();
        calls.fail_next("DeleteItem", fault);
        let response = function.handle(event("cancel-reservation/ok.json")).await;
        assert_eq!((brief(&response), scene.reservation(&Buyer::first()).await), ("204".to_owned(), None), "{fault:?} once");
    }
    let (scene, calls) = (scene_at(Stage::Held).await, Calls::new());
    calls.fail_always("DeleteItem", Fault::Denied);
    let response = function(&scene, &calls).handle(event("cancel-reservation/ok.json")).await;
    assert_eq!(brief(&response), "500 internal-error");
}
