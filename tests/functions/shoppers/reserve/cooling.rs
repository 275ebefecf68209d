//! A shopper whose holds of a sale end unpaid again and again waits before the next one.

use contract::Refusal;
use domain::{Reservation, ShopperId, SignedDuration, Timestamp};
use insta::assert_snapshot;
use release_stock::ReleaseStock;
use reserve::Reserve;
use serde_json::json;
use store::{EndOutcome, Ending};
use test_aws::{Calls, request};
use test_shop::{Judged, demo};

use crate::shoppers::reserve::world::{Environment, World, code, shopper};

impl World {
    /// Lets `release-stock` handle the records of removed reservations.
    async fn release_all(&self) {
        let function: ReleaseStock = self.shop.wire(&Calls::new());
        assert_eq!(test_shop::stream(&function, self.shop.dynamo.reservation_event()).await, None);
    }

    pub(crate) async fn end(&self, reservation: &Reservation, ending: Ending) {
        let ended = self.shop.uncounted().reservations().end(&reservation.shopper, &reservation.id, ending).await.unwrap();
        assert_eq!(ended, EndOutcome::Ended);
        self.release_all().await;
    }

    /// Reserves a unit and cancels the reservation.
    async fn reserve_and_cancel(&self, who: &ShopperId) {
        let (reservation, is_new) = self.environment().got(who).await;
        assert!(is_new, "{who}");
        self.end(&reservation, Ending::Cancelled).await;
    }
}

/// Until when the shopper has to wait.
async fn waits_until(environment: &Environment, who: &ShopperId) -> Timestamp {
    match environment.one(who).await {
        Err(Refusal::CoolingDown { until }) => until,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_unpaid_end_after_the_first_costs_a_longer_wait() {
    let (world, ann) = (World::with_units(10).await, shopper("ann"));
    for waits in [0, 0, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
        let environment = world.environment();
        if waits > 0 {
            assert_eq!(waits_until(&environment, &ann).await, world.now() + SignedDuration::from_secs(waits));
            world.shop.clock.advance(SignedDuration::from_millis(waits * 1_000 - 1));
            assert_eq!(environment.refused(&ann).await, "cooling-down", "a millisecond before {waits} s are over");
            world.shop.clock.advance(SignedDuration::from_millis(1));
        }
        world.reserve_and_cancel(&ann).await;
    }
    assert_eq!(world.units().await, (10, 0));
}

/// However late TTL deletes the reservation.
#[tokio::test]
async fn the_wait_counts_from_the_end_of_the_hold() {
    let (world, ann) = (World::with_units(10).await, shopper("ann"));
    world.reserve_and_cancel(&ann).await;
    let (reservation, _) = world.environment().got(&ann).await;
    world.shop.clock.set_to(reservation.expires_at + SignedDuration::from_secs(100));
    world.end(&reservation, Ending::Overdue(world.now())).await;
    let until = reservation.expires_at + SignedDuration::from_secs(120);
    assert_eq!(waits_until(&world.environment(), &ann).await, until);
    world.shop.clock.set_to(until);
    assert!(world.environment().got(&ann).await.1);
}

#[tokio::test]
async fn nobody_else_and_no_other_sale_has_to_wait() {
    let (world, ann) = (World::with_units(10).await, shopper("ann"));
    let other = "other".parse().unwrap();
    world.shop.sale(&other, test_shop::draft()).await;
    for _ in 0..2 {
        world.reserve_and_cancel(&ann).await;
    }
    let environment = world.environment();
    assert_eq!(environment.refused(&ann).await, "cooling-down");
    assert!(environment.got(&shopper("bob")).await.1);
    assert!(environment.reserve(&ann, &other, Some(domain::Quantity::ONE)).await.unwrap().is_new);
}

#[tokio::test]
async fn a_claim_reads_unpaid_ends_only_once_a_shopper_has_to_cool_down() {
    let (world, ann) = (World::with_units(10).await, shopper("ann"));
    let reads = async |name: &str| {
        let environment = world.environment();
        assert!(environment.got(&shopper(name)).await.1, "{name}");
        environment.calls.count("GetItem")
    };
    assert_eq!(reads("bob").await, 1, "the sale");
    world.reserve_and_cancel(&ann).await;
    assert_eq!(reads("cat").await, 1, "one unpaid end costs nobody anything");
    world.reserve_and_cancel(&ann).await;
    assert_eq!(reads("dan").await, 2, "the sale and dan's unpaid ends");
    let environment = world.environment();
    assert_eq!(environment.refused(&ann).await, "cooling-down");
    let before = environment.calls.total();
    assert_eq!((environment.calls.count("GetItem"), environment.calls.count("UpdateItem")), (3, 2), "ann's reservation; a token");
    assert_eq!((environment.refused(&ann).await, environment.calls.total()), ("cooling-down", before), "it remembers the answer");
}

/// The record of an earlier end may come late, when the shopper has reserved again.
#[tokio::test]
async fn a_reservation_that_stands_is_returned_to_a_shopper_who_has_to_cool_down() {
    let (world, ann) = (World::with_units(10).await, shopper("ann"));
    let ended: Vec<_> = (0..2).map(|_| world.hold().reservation).collect();
    let (reservation, _) = world.environment().got(&ann).await;
    for id in &ended {
        world.shop.uncounted().cooling_shoppers().count(&ann, id, world.now()).await.unwrap();
    }
    world.shop.uncounted().sales().note_cooling(&demo()).await.unwrap();
    assert_eq!(world.environment().got(&ann).await, (reservation.clone(), false));
    world.end(&reservation, Ending::Cancelled).await;
    assert_eq!(code(&world.environment().one(&ann).await.unwrap_err()), "cooling-down");
}

#[tokio::test]
async fn a_sold_out_sale_says_so_first_and_reads_nothing() {
    let (world, ann) = (World::with_units(1).await, shopper("ann"));
    for _ in 0..2 {
        world.reserve_and_cancel(&ann).await;
    }
    world.environment().got(&shopper("bob")).await;
    world.refresh_availability().await;
    let environment = world.environment();
    assert_eq!(environment.refused(&shopper("cat")).await, "sold-out");
    environment.calls.reset();
    assert_eq!((environment.refused(&ann).await, environment.calls.total()), ("sold-out", 0));
}

#[tokio::test]
async fn the_refusal_says_when_to_come_back() {
    let (world, ann) = (World::with_units(10).await, shopper("ann"));
    for _ in 0..2 {
        world.reserve_and_cancel(&ann).await;
    }
    world.shop.clock.advance(SignedDuration::from_millis(500));
    let function: Judged<Reserve> = world.shop.wire(&Calls::new());
    let reserve = request("POST", "/reserve-inventory").shopper("ann").json(&json!({"product_id": "demo"}));
    assert_snapshot!(test_aws::told(&function.handle(reserve.build()).await), @r#"
    429 Too Many Requests: cooling-down, Cooling down
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    retry-after: 120
    Your reservations in this sale ended unpaid or were cancelled. You can reserve again at 2026-11-01T12:03:00Z.
    "#);
}
