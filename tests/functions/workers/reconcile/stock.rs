//! Shards that do not add up, and availability items that do not agree with the shards.

use domain::{Availability, ShardLayout, ShardNumber, SignedDuration};
use reconcile::Findings;
use test_aws::{Calls, Fault};
use test_shop::{Buyer, NOW, Stage, demo};

use crate::workers::reconcile::World;

fn mended() -> Findings {
    Findings { availabilities_mended: 1, ..Findings::default() }
}

/// A sale whose availability item is ten seconds old: the stream has not delivered the later changes.
async fn unknown() -> (World, Buyer) {
    let (world, buyer) = (World::open().await, Buyer::first());
    world.shop.bring(&buyer, Stage::Held).await;
    world.shop.clock.advance_seconds(10);
    (world, buyer)
}

#[tokio::test]
async fn what_readers_know_is_mended_when_the_stream_has_not_brought_a_change_in_ten_seconds() {
    let (world, _) = unknown().await;
    let before = world.shop.availability(&demo()).await;
    assert_eq!((before.available(), before.held_units()), (100, 0));
    world.shop.clock.advance(SignedDuration::from_millis(-1));
    world.finds_nothing().await;
    world.shop.clock.advance(SignedDuration::from_millis(1));
    assert_eq!(world.run().await, mended());
    let after = world.shop.availability(&demo()).await;
    assert_eq!((after.available(), after.held_units(), after.version), (99, 1, before.version + 1));
    assert_eq!(after.next_hold_ends_at, Some(Buyer::first().hold().expires_at));
    world.finds_nothing().await;
}

#[tokio::test]
async fn an_item_that_is_not_there_or_knows_of_other_shards_is_written_anew() {
    let world = World::open().await;
    let known = world.shop.availability(&demo()).await;
    for (number, shards) in (1..).zip([3, 5]) {
        let wrong = Availability::untouched(&ShardLayout::new(100, shards), world.shop.now());
        let wrong = Availability { version: known.version + 2 * number - 1, ..wrong };
        assert!(world.shop.uncounted().availabilities().put(&demo(), &wrong, known.version + 2 * number - 2).await.unwrap());
        world.shop.clock.advance_seconds(10);
        assert_eq!(world.run().await, mended(), "{shards} shards");
        assert!(world.shop.availability(&demo()).await.agrees_with(&known));
    }
    world.shop.remove_availability(&demo()).await;
    assert_eq!(world.run().await, mended());
    assert!(world.shop.availability(&demo()).await.agrees_with(&known));
}

#[tokio::test]
async fn a_sold_out_mark_that_hides_units_is_ended_and_one_that_is_right_stays() {
    let world = World::open().await;
    let version = world.shop.availability(&demo()).await.version;
    assert!(world.shop.uncounted().availabilities().mark_sold_out(&demo(), version, world.shop.now()).await.unwrap());
    world.finds_nothing().await;
    world.shop.clock.advance_seconds(10);
    assert_eq!(world.run().await, mended());
    assert_eq!(world.shop.availability(&demo()).await.available(), 100);

    let layout = ShardLayout::new(2, 1);
    let product = "two".parse().unwrap();
    world.shop.sale(&product, domain::SaleDraft { units: 2, ..test_shop::draft() }).await;
    let buyer = Buyer { shard: ShardNumber(0), ..Buyer::second().of(&product) };
    world.shop.bring(&buyer, Stage::Claimed).await;
    let known = Availability { version: 2, free: vec![0], held: vec![2], ..Availability::untouched(&layout, world.shop.now()) };
    assert!(world.shop.uncounted().availabilities().put(&product, &known, 1).await.unwrap());
    assert!(world.shop.uncounted().availabilities().mark_sold_out(&product, 2, world.shop.now()).await.unwrap());
    world.shop.clock.advance_seconds(60);
    world.finds_nothing().await;
}

#[tokio::test]
async fn somebody_who_writes_the_item_first_is_not_overwritten() {
    test_aws::every_interleaving(async |interleaving| {
        let (world, _) = unknown().await;
        let reconcile = world.reconcile(&interleaving.calls);
        let refreshed = async { world.shop.refresh_availability(&demo()).await };
        let (found, ()) = interleaving.run(reconcile.run(domain::Timestamp::MAX), refreshed).await;
        assert!(found.unwrap().failed.is_empty());
        let after = world.shop.availability(&demo()).await;
        assert_eq!((after.available(), after.held_units()), (99, 1));
        world.finds_nothing().await;
    })
    .await;
}

#[tokio::test]
async fn units_that_are_in_no_shard_and_units_from_nowhere_are_counted_until_a_person_has_come() {
    let world = World::open().await;
    world.shop.add_units(&demo(), ShardNumber(1), 2).await;
    for _ in 0..2 {
        assert_eq!(world.run().await, Findings { oversold_units: 2, ..Findings::default() });
    }
    world.shop.remove_shard(&demo(), ShardNumber(3)).await;
    assert_eq!(world.run().await, Findings { undersold_units: 23, ..Findings::default() });
    world.shop.clock.set(NOW);
    world.shop.clock.advance_seconds(10);
    let found = world.run().await;
    assert_eq!(found, Findings { undersold_units: 23, ..mended() }, "and nobody is sent to the shard that is not there");
    assert_eq!(world.shop.availability(&demo()).await.free, [25, 27, 25, 0]);
}

/// Eventually consistent reads may be of two times. Before it calls a person, `reconcile` reads consistently.
#[tokio::test]
async fn shards_that_do_not_add_up_are_read_again_before_a_person_is_called() {
    let world = World::open().await;
    world.shop.remove_shard(&demo(), ShardNumber(3)).await;
    let calls = Calls::new();
    calls.fail_always_for("GetItem", "SALE#demo", Fault::Denied);
    let found = world.reconcile(&calls).run(domain::Timestamp::MAX).await.unwrap();
    assert_eq!(found, Findings { failed: vec![demo()], ..Findings::default() }, "the sale was to be read again");
}
