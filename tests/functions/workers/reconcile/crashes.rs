//! A run dies at any of its requests, or meets another run: the next run ends what it began, and nothing is done twice.

use domain::{OrderStatus, Timestamp};
use reconcile::Findings;
use store::Ending;
use test_aws::{every_crash, every_interleaving};
use test_shop::{Buyer, Stage, demo};

use crate::workers::reconcile::{LATE, World, message};

/// Four buyers: one's payment was never started, and one's removed reservation was lost by the stream. For the third, a run died
/// before it wrote the reservation. For the fourth, nothing ended the overdue hold. The availability item shows none of this.
struct Damage {
    unpaid: Buyer,
    lost: Buyer,
    overdue: Buyer,
}

async fn damage() -> (World, Damage) {
    let (world, unpaid, lost) = (World::open().await, Buyer::first(), Buyer::second());
    let (dead, overdue) = (Buyer::number(1), Buyer::number(2));
    world.shop.bring(&unpaid, Stage::Pending).await;
    world.shop.bring(&lost, Stage::Waiting).await;
    world.shop.uncounted().reservations().end(&lost.shopper, &lost.id, Ending::Cancelled).await.unwrap();
    world.shop.bring(&dead, Stage::Claimed).await;
    world.shop.bring(&overdue, Stage::Held).await;
    // The stream loses these records.
    world.shop.dynamo.reservation_records();
    world.shop.clock.set(LATE);
    (world, Damage { unpaid, lost, overdue })
}

impl Damage {
    /// Asserts that a run has repaired everything that it can repair.
    async fn is_repaired(&self, world: &World, how: &str) {
        world.streams().await;
        assert_eq!(world.shop.units(&demo()).await, (99, 1, 0), "{how}");
        assert_eq!(world.executions(), [message(&self.unpaid).execution_name()], "{how}");
        assert_eq!(world.shop.order(&self.unpaid).await.status, OrderStatus::Pending, "{how}: its saga's");
        let expired = world.shop.order(&self.lost).await;
        assert_eq!((expired.status, expired.history.len()), (OrderStatus::Expired, 2), "{how}");
        assert_eq!(world.shop.reservation(&self.overdue).await, None, "{how}");
        world.finds_nothing().await;
    }
}

#[tokio::test]
async fn one_run_repairs_all_of_it() {
    let (world, damage) = damage().await;
    let found = world.run().await;
    let expected = Findings { holds_overdue: 3, payments_started: 1, availabilities_mended: 1, ..Findings::default() };
    assert_eq!(found, expected);
    damage.is_repaired(&world, "after one run").await;
}

#[tokio::test]
async fn what_a_run_leaves_that_dies_the_next_one_does() {
    every_crash(async |calls| {
        let (world, damage) = damage().await;
        let died = world.reconcile(calls).run(Timestamp::MAX).await;
        calls.heal();
        world.run().await;
        damage.is_repaired(&world, &format!("after {died:?}")).await;
    })
    .await;
}

#[tokio::test]
async fn two_runs_at_once_repair_everything_once() {
    every_interleaving(async |interleaving| {
        let (world, damage) = damage().await;
        let hung = world.reconcile(&interleaving.calls);
        let (one, other) = interleaving.run(hung.run(Timestamp::MAX), world.run()).await;
        let one = one.unwrap();
        assert_eq!(one.failed.len() + other.failed.len(), 0, "{one:?}, {other:?}");
        // One run ends a reservation. The other may release its units before the stream does.
        assert!((3..=4).contains(&(one.holds_overdue + other.holds_overdue)), "{one:?}, {other:?}");
        assert_eq!(one.payments_started + other.payments_started, 1, "{one:?}, {other:?}");
        damage.is_repaired(&world, &format!("after {one:?} and {other:?}")).await;
    })
    .await;
}
