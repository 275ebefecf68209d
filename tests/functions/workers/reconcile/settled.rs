//! A sale that is over and settled leaves the live catalogue: no later run reads it. It stays readable.

use domain::{Availability, ProductId, SaleDraft, SaleStatus, ShardNumber, TakeBackOutcome, Timestamp};
use reconcile::Findings;
use store::{Catalogue, WriteOutcome};
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Shop, Stage, demo, draft};

use crate::workers::reconcile::World;

/// Ten minutes after the end of the demo sale.
const SETTLED: &str = "2026-11-02T12:10:00Z";

/// The products of the live catalogue, and of the ended one.
async fn catalogues(shop: &Shop) -> (Vec<String>, Vec<String>) {
    let products = async |catalogue| {
        let page = shop.uncounted().sales().page(catalogue, None).await.unwrap();
        page.sales.into_iter().map(|(product, _)| product.to_string()).collect()
    };
    (products(Catalogue::Live).await, products(Catalogue::Ended).await)
}

async fn is_live(shop: &Shop) -> bool {
    let (live, ended) = catalogues(shop).await;
    assert_eq!(live.len() + ended.len(), 1, "it is in one of them: {live:?}, {ended:?}");
    live.len() == 1
}

/// A purchase at `stage`, which readers know. At the given time, runs until nothing changes any more.
async fn at_rest(stage: Stage, time: &str) -> World {
    let (world, _) = World::at(stage).await;
    world.shop.clock.set(time);
    world
}

/// Closes a sale now.
async fn close(shop: &Shop, product: &ProductId) {
    let stored = shop.uncounted().sales().get_for_write(product).await.unwrap().unwrap();
    let closed = shop.uncounted().sales().change_status(&stored, SaleStatus::Closed, shop.now()).await.unwrap();
    assert!(matches!(closed, WriteOutcome::Written(_)));
}

#[tokio::test]
async fn a_settled_sale_leaves_the_live_catalogue_ten_minutes_after_its_end_and_costs_nothing_any_more() {
    let world = at_rest(Stage::Completed, "2026-11-02T12:09:59.999Z").await;
    world.finds_nothing().await;
    assert!(is_live(&world.shop).await, "a late claim may still come");
    world.shop.clock.set(SETTLED);
    world.finds_nothing().await;
    assert!(!is_live(&world.shop).await);
    let calls = Calls::new();
    world.reconcile(&calls).run(Timestamp::MAX).await.unwrap();
    assert_eq!(
        (calls.count("GetItem"), calls.count("Query"), calls.total()),
        (1, 3, 4),
        "where to begin, an empty catalogue, and the pending refunds of the saga and of operators"
    );
    assert_eq!(world.shop.units(&demo()).await, (99, 0, 1), "it can be read by its id");
}

#[tokio::test]
async fn a_closed_sale_is_settled_from_its_close_on() {
    let world = at_rest(Stage::Completed, "2026-11-01T12:20:00Z").await;
    close(&world.shop, &demo()).await;
    world.shop.clock.set("2026-11-01T12:29:59.999Z");
    world.finds_nothing().await;
    assert!(is_live(&world.shop).await);
    world.shop.clock.set("2026-11-01T12:30:00Z");
    world.finds_nothing().await;
    assert!(!is_live(&world.shop).await, "its old end is a day later");
}

#[tokio::test]
async fn a_sale_that_was_closed_before_its_start_is_settled_from_its_close_on() {
    let world = at_rest(Stage::Completed, "2026-11-01T12:20:00Z").await;
    let later: ProductId = "later".parse().unwrap();
    let (starts_at, ends_at) = ("2027-02-01T12:00:00Z".parse().unwrap(), "2027-02-02T12:00:00Z".parse().unwrap());
    world.shop.sale(&later, SaleDraft { starts_at, ends_at, ..draft() }).await;
    for (time, is_closed, live) in [
        ("2026-11-01T12:40:00Z", false, vec!["demo", "later"]),
        ("2026-11-01T12:49:59.999Z", true, vec!["demo", "later"]),
        ("2026-11-01T12:50:00Z", true, vec!["demo"]),
    ] {
        world.shop.clock.set(time);
        world.finds_nothing().await;
        assert_eq!(catalogues(&world.shop).await.0, live, "{time}");
        if !is_closed {
            close(&world.shop, &later).await;
        }
    }
}

#[tokio::test]
async fn a_sale_that_an_earlier_version_closed_is_settled_from_its_end_on() {
    let world = at_rest(Stage::Completed, "2026-11-02T12:09:00Z").await;
    world.shop.set_status(&demo(), "CLOSED").await;
    world.finds_nothing().await;
    assert!(is_live(&world.shop).await, "nothing says when it was closed");
    world.shop.clock.set(SETTLED);
    world.finds_nothing().await;
    assert!(!is_live(&world.shop).await);
}

#[tokio::test]
async fn a_sale_that_was_closed_in_preparation_leaves_although_shards_are_missing() {
    let world = World::open().await;
    world.shop.set_status(&demo(), "PREPARING").await;
    world.shop.uncounted().stock().delete(&demo(), 2, 3, 2).await.unwrap();
    close(&world.shop, &demo()).await;
    world.shop.clock.advance_seconds(600);
    world.finds_nothing().await;
    assert!(!is_live(&world.shop).await);
}

#[tokio::test]
async fn a_sale_stays_while_anything_in_it_is_open() {
    for stage in Stage::ALL {
        let (world, buyer) = World::at(stage).await;
        let order = world.shop.uncounted().orders().get(&buyer.id).await.unwrap();
        let is_pending = order.is_some_and(|order| order.status == domain::OrderStatus::Pending);
        if is_pending {
            world.start_saga(&buyer).await;
        }
        // The first run ends what is overdue, the next ones see it.
        world.shop.clock.set(SETTLED);
        world.run().await;
        let is_held = world.shop.units(&demo()).await.1 > 0;
        assert!(is_live(&world.shop).await || !(is_held || is_pending), "{stage:?}");
        if is_pending {
            continue;
        }
        world.streams().await;
        world.shop.clock.advance_seconds(600);
        world.run().await;
        let refunds_pending = usize::from(matches!(stage, Stage::RefundPending | Stage::GivenBackLater));
        assert_eq!(world.run().await, Findings { refunds_pending, ..Findings::default() }, "{stage:?}");
        let is_held = world.shop.units(&demo()).await.1 > 0;
        assert_eq!(is_live(&world.shop).await, is_held, "{stage:?}");
    }
}

#[tokio::test]
async fn a_sale_stays_until_readers_have_known_its_stock_for_ten_minutes() {
    let world = at_rest(Stage::Completed, SETTLED).await;
    let known = world.shop.availability(&demo()).await;
    let wrong = Availability { version: known.version + 1, free: vec![25; 4], ..known.clone() };
    assert!(world.shop.uncounted().availabilities().put(&demo(), &wrong, known.version).await.unwrap());
    assert_eq!(world.run().await, Findings { availabilities_mended: 1, ..Findings::default() });
    world.shop.clock.set("2026-11-02T12:19:59.999Z");
    world.finds_nothing().await;
    assert!(is_live(&world.shop).await, "its stock changed a moment ago");
    world.shop.clock.set("2026-11-02T12:20:00Z");
    world.finds_nothing().await;
    assert!(!is_live(&world.shop).await);
}

#[tokio::test]
async fn a_sale_whose_shards_do_not_add_up_stays_until_a_person_has_come() {
    let world = at_rest(Stage::Completed, SETTLED).await;
    world.shop.add_units(&demo(), ShardNumber(1), 2).await;
    world.run().await;
    world.shop.clock.advance_seconds(6_000);
    for _ in 0..2 {
        assert_eq!(world.run().await, Findings { oversold_units: 2, ..Findings::default() });
        assert!(is_live(&world.shop).await);
    }
}

#[tokio::test]
async fn a_run_that_dies_while_it_moves_a_sale_is_continued_by_the_next() {
    every_crash(async |calls| {
        let world = at_rest(Stage::Completed, SETTLED).await;
        _ = world.reconcile(calls).run(Timestamp::MAX).await;
        calls.heal();
        is_live(&world.shop).await;
        world.run().await;
        assert!(!is_live(&world.shop).await);
    })
    .await;
}

#[tokio::test]
async fn two_runs_at_once_move_a_sale_once_and_another_write_of_the_sale_stops_them() {
    every_interleaving(async |interleaving| {
        let world = at_rest(Stage::Completed, SETTLED).await;
        let hung = world.reconcile(&interleaving.calls);
        let (one, other) = interleaving.run(hung.run(Timestamp::MAX), world.run()).await;
        assert_eq!((one.unwrap(), other), (Findings::default(), Findings::default()));
        assert!(!is_live(&world.shop).await);
    })
    .await;
    every_interleaving(async |interleaving| {
        let world = at_rest(Stage::Completed, SETTLED).await;
        let hung = world.reconcile(&interleaving.calls);
        let (found, ()) = interleaving.run(hung.run(Timestamp::MAX), close(&world.shop, &demo())).await;
        assert_eq!(found.unwrap(), Findings::default());
        world.run().await;
        assert!(!is_live(&world.shop).await, "the next run moves what was closed");
    })
    .await;
}

/// A refund that comes after the move: the stream updates availability as before.
#[tokio::test]
async fn units_that_a_late_refund_returns_are_known_to_readers() {
    let (world, buyer) = World::at(Stage::Completed).await;
    world.shop.clock.set(SETTLED);
    world.run().await;
    assert!(!is_live(&world.shop).await);
    let taken = world.shop.uncounted().stock().take_back(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
    assert_eq!(taken, TakeBackOutcome::TakenBack);
    world.streams().await;
    assert_eq!(world.shop.availability(&demo()).await.available(), 100);
}

#[tokio::test]
async fn an_ended_sale_delays_and_hides_no_other() {
    let world = at_rest(Stage::Completed, SETTLED).await;
    let (starts_at, ends_at) = (SETTLED.parse().unwrap(), "2026-11-03T12:00:00Z".parse().unwrap());
    world.shop.sale(&"next".parse().unwrap(), SaleDraft { starts_at, ends_at, ..draft() }).await;
    world.finds_nothing().await;
    assert_eq!(catalogues(&world.shop).await, (vec!["next".to_owned()], vec!["demo".to_owned()]));
    let buyer = Buyer::second().of(&"next".parse().unwrap());
    assert_eq!(world.shop.units(buyer.id.product()).await, (100, 0, 0));
}
