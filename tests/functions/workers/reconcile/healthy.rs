//! A run leaves alone what is healthy, young, or another component's to end. Looking at it costs little.

use domain::{OrderStatus, SaleDraft, SaleStatus, SignedDuration, Timestamp};
use reconcile::Findings;
use test_aws::Calls;
use test_shop::{Buyer, NOW, Stage, demo, draft};

use crate::workers::reconcile::{LATE, World};

/// Runs the function. Returns its findings, its requests without those for the catalogue and the refunds, and its read and
/// write units.
async fn cost(world: &World) -> (Findings, usize, f64, f64) {
    let calls = Calls::new();
    let found = world.reconcile(&calls).run(Timestamp::MAX).await.unwrap();
    // Where to begin, the catalogue, the sales in it, the pending refunds of the saga and those of operators.
    (found, calls.total() - 5, calls.read_units(), calls.write_units())
}

#[tokio::test]
async fn a_healthy_sale_costs_one_batch_and_one_query_and_nothing_is_written() {
    let (world, _) = World::at(Stage::Held).await;
    world.shop.bring(&Buyer::second(), Stage::Completed).await;
    world.shop.refresh_availability(&demo()).await;
    let before = world.shop.everything().await;
    // Half a unit for each: where to begin, catalogue, sale, three parts of the index, four shards, availability.
    assert_eq!(cost(&world).await, (Findings::default(), 2, 5.5, 0.0));
    assert_eq!(world.shop.everything().await, before);
}

#[tokio::test]
async fn more_than_a_hundred_items_of_a_sale_are_one_batch_for_each_hundred() {
    for (shards, batches) in [(99, 1), (100, 2), (199, 2), (200, 3)] {
        let world = World { shop: test_shop::Shop::empty().await };
        world.shop.sale(&demo(), SaleDraft { units: shards * 10, shards: Some(shards), ..draft() }).await;
        let (found, requests, ..) = cost(&world).await;
        assert_eq!((found, requests), (Findings::default(), batches + 1), "{shards} shards");
    }
}

#[tokio::test]
async fn a_sale_that_has_not_started_costs_nothing_and_one_in_preparation_one_query() {
    let (world, _) = World::at(Stage::Completed).await;
    world.shop.clock.set("2026-11-01T11:59:59Z");
    assert_eq!(cost(&world).await.1, 0);
    world.shop.clock.set(NOW);
    world.shop.set_status(&demo(), "PREPARING").await;
    assert_eq!(cost(&world).await.1, 1, "its maker is at work; a payment may be under way all the same");
    for status in ["PAUSED", "CLOSED"] {
        world.shop.set_status(&demo(), status).await;
        assert_eq!(cost(&world).await.1, 2, "what is held in it ends all the same");
    }
}

/// Its preparation was not finished, so some of its shards do not exist. No shopper misses their units.
#[tokio::test]
async fn a_sale_that_was_closed_in_preparation_lacks_no_units() {
    let shop = test_shop::Shop::open().await;
    shop.set_status(&demo(), "PREPARING").await;
    shop.uncounted().stock().delete(&demo(), 2, 3, 2).await.unwrap();
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    shop.uncounted().sales().change_status(&stored, SaleStatus::Closed, shop.now()).await.unwrap();
    World { shop }.finds_nothing().await;
}

#[tokio::test]
async fn a_sale_that_is_long_over_is_looked_at_while_a_payment_in_it_is_unsettled() {
    let (world, buyer) = World::at(Stage::Pending).await;
    world.start_saga(&buyer).await;
    world.shop.clock.set("2026-11-03T12:00:00Z");
    let (found, requests, ..) = cost(&world).await;
    // The index, the order, its attempt, the last execution that it may have and the one that it has. Then the shards, and
    // the reservation that keeps the hold.
    assert_eq!((found, requests), (Findings::default(), 7));
}

#[tokio::test]
async fn nothing_is_touched_a_moment_before_it_counts_as_damage() {
    for stage in Stage::ALL {
        let (world, buyer) = World::at(stage).await;
        let is_pending =
            world.shop.uncounted().orders().get(&buyer.id).await.unwrap().is_some_and(|it| it.status == OrderStatus::Pending);
        if is_pending && stage != Stage::Pending {
            world.start_saga(&buyer).await;
        }
        let refunds_pending = usize::from(matches!(stage, Stage::RefundPending | Stage::GivenBackLater));
        let healthy = Findings { refunds_pending, ..Findings::default() };
        let before = world.shop.everything().await;
        world.shop.clock.set(NOW);
        world.shop.clock.advance(SignedDuration::from_millis(-1));
        assert_eq!(world.run().await, healthy, "{stage:?}");
        // An order that has been in payment this long is not young any more.
        if !is_pending {
            world.shop.clock.set(LATE);
            world.shop.clock.advance(SignedDuration::from_millis(-1));
            assert_eq!(world.run().await, healthy, "{stage:?}");
        }
        assert_eq!(world.shop.everything().await, before, "{stage:?}");
    }
}
