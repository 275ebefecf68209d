//! Overdue holds: those that a dead run left, those that nothing has ended, and those that the stream has lost.

use domain::{OrderStatus, ReleaseOutcome, ReservationId, ReservationStatus, SignedDuration};
use reconcile::Findings;
use store::{EndOutcome, Ending};
use test_shop::{Buyer, END, Stage, demo};

use crate::workers::reconcile::{LATE, World};

fn overdue(holds_overdue: usize) -> Findings {
    Findings { holds_overdue, ..Findings::default() }
}

/// A sale in which a run of `reserve` has died between its two writes.
async fn abandoned() -> (World, Buyer) {
    World::at(Stage::Claimed).await
}

#[tokio::test]
async fn a_hold_that_nobody_wrote_a_reservation_for_is_released_when_its_time_is_over() {
    let (world, _) = abandoned().await;
    world.shop.clock.set(LATE);
    world.shop.clock.advance(SignedDuration::from_millis(-1));
    world.finds_nothing().await;
    world.shop.clock.set(LATE);
    assert_eq!(world.run().await, overdue(1));
    assert_eq!(world.shop.units(&demo()).await, (100, 0, 0));
    world.streams().await;
    world.finds_nothing().await;
}

/// A hold may be shorter than the time that its run has for writing the reservation.
#[tokio::test]
async fn a_hold_that_may_still_get_its_reservation_is_left_alone_however_overdue_it_is() {
    let world = World::open().await;
    let now = world.shop.now();
    let id = ReservationId::generate(&demo(), now, &test_aws::CountingRandomness::new());
    let buyer = Buyer { id, ..Buyer::first() }.holding(now, now - SignedDuration::from_secs(60));
    world.shop.bring(&buyer, Stage::Claimed).await;
    world.shop.refresh_availability(&demo()).await;
    world.shop.clock.advance(SignedDuration::from_millis(11_999));
    world.finds_nothing().await;
    world.shop.clock.advance(SignedDuration::from_millis(1));
    assert_eq!(world.run().await, overdue(1));
}

#[tokio::test]
async fn the_second_hold_of_a_shopper_is_released_and_the_first_stays() {
    let (world, buyer) = abandoned().await;
    let first = Buyer { shopper: buyer.shopper.clone(), ..Buyer::second() };
    let first = first.holding(buyer.made_at, buyer.ends_at + SignedDuration::from_mins(10));
    world.shop.bring(&first, Stage::Held).await;
    world.shop.refresh_availability(&demo()).await;
    world.shop.clock.set(LATE);
    assert_eq!(world.run().await, overdue(1));
    assert_eq!(world.shop.units(&demo()).await, (98, 2, 0));
    assert_eq!(world.shop.reservation(&first).await, Some(first.reservation()));
}

#[tokio::test]
async fn an_overdue_reservation_is_ended_and_the_stream_does_the_rest() {
    for stage in [Stage::Held, Stage::Waiting, Stage::WaitingAgain] {
        let (world, buyer) = World::at(stage).await;
        world.shop.clock.set(LATE);
        assert_eq!(world.run().await, overdue(1), "{stage:?}");
        assert_eq!(world.shop.reservation(&buyer).await, None, "{stage:?}");
        assert_eq!(world.shop.units(&demo()).await, (99, 1, 0), "{stage:?}: the stream's to release");
        world.streams().await;
        world.finds_nothing().await;
        assert_eq!(world.shop.units(&demo()).await, (100, 0, 0), "{stage:?}");
        if stage != Stage::Held {
            assert_eq!(world.shop.order(&buyer).await.status, OrderStatus::Expired, "{stage:?}");
        }
    }
}

#[tokio::test]
async fn units_whose_stream_record_is_lost_are_released_and_their_order_expires() {
    let (world, buyer) = World::at(Stage::Waiting).await;
    let ended = world.shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
    assert_eq!(ended, EndOutcome::Ended);
    world.shop.clock.set(END);
    world.finds_nothing().await;
    world.shop.clock.set(LATE);
    assert_eq!(world.run().await, overdue(1));
    assert_eq!(world.shop.units(&demo()).await, (100, 0, 0));
    assert_eq!(world.shop.order(&buyer).await.status, OrderStatus::Expired);
}

#[tokio::test]
async fn a_hold_that_got_more_time_after_a_failed_payment_is_kept_until_that_is_over() {
    let (world, buyer) = (World::open().await, Buyer::first());
    world.shop.bring(&buyer, Stage::Pending).await;
    world.shop.clock.set("2026-11-01T12:04:50Z");
    world.shop.step(&buyer, Stage::Declined).await;
    world.shop.step(&buyer, Stage::WaitingAgain).await;
    world.shop.refresh_availability(&demo()).await;
    for time in [LATE, "2026-11-01T12:06:59.999Z"] {
        world.shop.clock.set(time);
        world.finds_nothing().await;
    }
    world.shop.clock.set("2026-11-01T12:07:00Z");
    assert_eq!(world.run().await, overdue(1));
}

#[tokio::test]
async fn a_hold_that_is_being_paid_is_kept_whatever_the_time() {
    let (world, buyer) = World::at(Stage::Pending).await;
    world.start_saga(&buyer).await;
    world.shop.clock.set("2026-11-02T11:59:59Z");
    world.finds_nothing().await;
    assert_eq!(world.shop.reservation(&buyer).await.unwrap().status, ReservationStatus::Paying);
    assert_eq!(world.shop.units(&demo()).await, (99, 1, 0));
}

/// A person has to decide about the money: `reconcile` moves neither its order nor its units.
#[tokio::test]
async fn what_is_kept_for_review_stays_as_it_is() {
    let (world, _) = World::at(Stage::RefundPending).await;
    let before = world.shop.everything().await;
    world.shop.clock.set("2026-11-02T11:59:59Z");
    assert_eq!(world.run().await, Findings { refunds_pending: 1, ..Findings::default() });
    assert_eq!(world.shop.everything().await, before);
}

#[tokio::test]
async fn many_overdue_holds_are_ended_in_one_run_and_one_that_fails_keeps_none_of_the_others() {
    let world = World::open().await;
    let buyer = |number| Buyer { shard: domain::ShardNumber(number % 4), ..Buyer::number(number) };
    let buyers: Vec<Buyer> = (0..40).map(buyer).collect();
    for buyer in &buyers {
        world.shop.bring(buyer, Stage::Claimed).await;
    }
    world.shop.refresh_availability(&demo()).await;
    world.shop.spoil_reservation(&buyers[0]).await;
    world.shop.clock.set(LATE);
    assert_eq!(world.run().await, Findings { failed: vec![demo()], ..overdue(39) });
    assert_eq!(world.shop.units(&demo()).await, (99, 1, 0));
    let released = world.shop.uncounted().stock().release(buyers[0].shard, &buyers[0].shopper, &buyers[0].id).await.unwrap();
    assert_eq!(released, ReleaseOutcome::Released, "a person mends this one");
}

/// The first try of a claim took effect late: the second had been answered, and the next shard had been claimed.
#[tokio::test]
async fn a_second_hold_under_the_same_reservation_in_another_shard_is_released_and_the_purchase_stays() {
    for stage in [Stage::Pending, Stage::Completed] {
        let (world, buyer) = World::at(stage).await;
        let other = domain::ShardNumber(u32::from(buyer.shard.0 == 0));
        world.shop.bring(&Buyer { shard: other, ..buyer.clone() }, Stage::Claimed).await;
        world.shop.refresh_availability(&demo()).await;
        let before = (world.shop.uncounted().orders().get(&buyer.id).await.unwrap(), world.shop.shard(&buyer).await);
        world.shop.clock.set(LATE);
        world.run().await;
        let after = (world.shop.uncounted().orders().get(&buyer.id).await.unwrap(), world.shop.shard(&buyer).await);
        assert_eq!(after, before, "{stage:?}");
        let shards = world.shop.shards(&demo()).await;
        assert!(!shards[other.0 as usize].held().contains_key(&buyer.shopper), "{stage:?}");
    }
}
