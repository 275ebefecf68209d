//! A run dies, or loses an answer, between any two of its calls: nothing is lost, and nothing is held twice.

use test_aws::{Fault, every_crash};

use crate::{
    scheduled,
    shoppers::reserve::world::{World, shopper},
};

#[tokio::test]
async fn a_run_may_die_at_any_of_its_requests_and_the_same_again_ends_with_one_reservation_for_one_unit() {
    every_crash(async |calls| {
        let world = World::with_units(2).await;
        let died = world.environment_with(calls).one(&shopper("ann")).await;
        calls.heal();
        // After 12 s the run is surely dead.
        world.shop.clock.advance_seconds(12);
        let (reservation, _) = world.environment().got(&shopper("ann")).await;
        assert_eq!(world.units().await, (1, 1), "after {died:?}");
        let found = world.shop.uncounted().reservations().get(&shopper("ann"), reservation.id.product()).await.unwrap();
        assert_eq!(found, Some(reservation.clone()), "after {died:?}");
        let asks = |sent: &test_aws::Sent| sent.body["reservation_id"] == reservation.id.to_string();
        assert!(world.shop.queue.sent().is_empty(), "after {died:?}: no run sends a message");
        assert!(scheduled(&world.shop).await.iter().any(asks), "after {died:?}: the stream schedules its end");
    })
    .await;
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_made_once() {
    let world = World::with_units(5).await;
    let environment = world.environment();
    environment.calls.fail_next("UpdateItem", Fault::LostAnswer);
    assert!(environment.got(&shopper("ann")).await.1);
    assert_eq!(world.units().await, (4, 1));
}

#[tokio::test]
async fn a_reservation_whose_answer_is_lost_is_written_once() {
    let world = World::with_units(5).await;
    let environment = world.environment();
    environment.calls.fail_next("PutItem", Fault::LostAnswer);
    let (reservation, is_new) = environment.got(&shopper("ann")).await;
    assert!(is_new);
    assert_eq!(environment.got(&shopper("ann")).await, (reservation, false));
    assert_eq!(world.units().await, (4, 1));
}

#[tokio::test]
async fn a_run_that_dies_after_its_claim_keeps_the_unit_until_it_is_surely_dead() {
    let world = World::with_units(1).await;
    let dying = world.environment();
    dying.calls.fail_always("PutItem", Fault::LostRequest);
    assert_eq!(dying.refused(&shopper("ann")).await, "try-again");
    assert_eq!(world.units().await, (0, 1), "claimed, without a reservation");

    let environment = world.environment();
    assert_eq!(environment.refused(&shopper("ann")).await, "try-again", "the other run may still write its reservation");
    world.shop.clock.advance_seconds(12);
    let (reservation, is_new) = environment.got(&shopper("ann")).await;
    assert!(is_new);
    assert_eq!(world.units().await, (0, 1));
    assert_eq!(
        world.shop.uncounted().reservations().get(&shopper("ann"), reservation.id.product()).await.unwrap(),
        Some(reservation)
    );
}

#[tokio::test]
async fn a_run_that_dies_after_its_reservation_is_found_by_the_next() {
    let world = World::with_units(1).await;
    let dying = world.environment();
    // The write takes effect; none of its answers arrives.
    dying.calls.fail_always("PutItem", Fault::LostAnswer);
    assert_eq!(dying.refused(&shopper("ann")).await, "try-again");
    let (reservation, is_new) = world.environment().got(&shopper("ann")).await;
    assert!(!is_new, "the reservation of the run that died stands");
    assert_eq!(
        world.shop.uncounted().reservations().get(&shopper("ann"), reservation.id.product()).await.unwrap(),
        Some(reservation)
    );
    assert_eq!(world.units().await, (0, 1));
}

#[tokio::test]
async fn a_store_that_throttles_is_asked_again_and_one_that_refuses_is_not() {
    let world = World::with_units(1).await;
    let environment = world.environment();
    environment.calls.fail_next("UpdateItem", Fault::Throttled);
    assert!(environment.got(&shopper("ann")).await.1, "the SDK's own retry");

    let denied = world.environment();
    denied.calls.fail_always_for("UpdateItem", "STOCK", Fault::Denied);
    assert_eq!(denied.refused(&shopper("bob")).await, "internal-error");
    assert_eq!(denied.calls.count("UpdateItem"), 2, "a token, and a claim");
}
