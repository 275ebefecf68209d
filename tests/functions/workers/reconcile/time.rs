//! A run has a time limit: it stops cleanly, says what is left, and the next run begins there. A sale that
//! fails keeps no other from being looked at.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::{Clock, ProductId, SignedDuration, Timestamp};
use kit::ScheduledFunction;
use reconcile::Findings;
use test_aws::{Calls, Fault};
use test_shop::{Buyer, NOW, Stage, demo, draft};

use crate::workers::reconcile::{LATE, World};

/// A clock that advances by a second each time it is read.
struct Hurrying(Timestamp, AtomicI64);

impl Clock for Hurrying {
    fn now(&self) -> Timestamp {
        self.0 + SignedDuration::from_secs(self.1.fetch_add(1, Ordering::Relaxed))
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Sales `a`, `b`, `c`, each with a hold without a reservation.
async fn three_sales() -> World {
    let world = World { shop: test_shop::Shop::empty().await };
    for product in ["a", "b", "c"] {
        let product: ProductId = product.parse().unwrap();
        world.shop.sale(&product, draft()).await;
        world.shop.bring(&Buyer::first().of(&product), Stage::Claimed).await;
        world.shop.refresh_availability(&product).await;
    }
    world.shop.clock.set(LATE);
    world
}

/// Runs `reconcile` with a time limit of `seconds`. The time of day does not matter, because a run may start late.
async fn run_for(world: &World, seconds: i64) -> Findings {
    let start = at("2026-11-01T12:06:00Z");
    let mut reconcile = world.reconcile(&Calls::new());
    reconcile.clock = Arc::new(Hurrying(start, AtomicI64::new(0)));
    reconcile.run(start + SignedDuration::from_secs(seconds)).await.unwrap()
}

#[tokio::test]
async fn a_run_stops_when_its_time_is_over_and_the_next_run_begins_where_it_stopped() {
    let world = three_sales().await;
    let mut looked_at = Vec::new();
    for _ in 0..3 {
        // This is time enough for one sale.
        let found = run_for(&world, 11).await;
        assert_eq!((found.holds_overdue, found.failed.len()), (1, 0), "{found:?}");
        assert_eq!(found.not_reached.len(), 2, "{found:?}");
        assert!(found.metrics().contains(&("SalesNotReached", 2.0)));
        let all = ["a", "b", "c"].map(|product| product.parse::<ProductId>().unwrap());
        looked_at.extend(all.into_iter().filter(|product| !found.not_reached.contains(product)));
    }
    assert_eq!(looked_at.iter().map(ProductId::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
}

/// A sale for which a whole run is too short.
#[tokio::test]
async fn a_sale_that_takes_all_the_time_of_a_run_delays_no_other() {
    let world = three_sales().await;
    let mut first = Vec::new();
    for _ in 0..4 {
        let found = run_for(&world, 1).await;
        assert_eq!(found.not_reached.len(), 3, "{found:?}");
        first.push(found.not_reached[0].to_string());
    }
    assert_eq!(first, ["a", "b", "c", "a"]);
}

#[test]
fn every_run_says_how_many_sales_it_did_not_reach_and_no_zero_hides_a_sale_that_was_not_checked() {
    let names = |found: &Findings| found.metrics().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let always = ["OrdersStuck", "HoldsOverdue", "SalesNotReached", "RefundsPending", "OperatorRefundsPending"];
    assert_eq!(names(&Findings::default()), [&["OversoldUnits", "UndersoldUnits"][..], &always].concat());
    assert!(Findings::default().metrics().contains(&("SalesNotReached", 0.0)));
    let a = || vec!["a".parse().unwrap()];
    for unseen in [Findings { not_reached: a(), ..Findings::default() }, Findings { failed: a(), ..Findings::default() }] {
        assert_eq!(names(&unseen), always);
        assert_eq!(names(&Findings { oversold_units: 1, ..unseen }), [&["OversoldUnits"][..], &always].concat());
    }
}

#[tokio::test]
async fn a_run_without_time_notes_only_where_the_next_one_begins_and_is_no_failure() {
    let world = three_sales().await;
    let before = world.shop.everything().await;
    let reconcile = world.reconcile(&Calls::new());
    let mut found = reconcile.run(at(NOW)).await.unwrap();
    found.not_reached.sort();
    let all = ["a", "b", "c"].map(|product| product.parse().unwrap()).to_vec();
    assert_eq!(found, Findings { not_reached: all, ..Findings::default() });
    reconcile.handle(at(NOW)).await.unwrap();
    let mut after = world.shop.everything().await;
    assert!(after.remove("RECONCILE NEXT").is_some());
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_sale_that_cannot_be_read_keeps_no_other_from_being_looked_at() {
    let world = three_sales().await;
    world.shop.set_status(&"b".parse().unwrap(), "STRANGE").await;
    let reconcile = world.reconcile(&Calls::new());
    let found = reconcile.run(Timestamp::MAX).await.unwrap();
    assert_eq!(found, Findings { holds_overdue: 2, failed: vec!["b".parse().unwrap()], ..Findings::default() });
    assert!(reconcile.handle(Timestamp::MAX).await.is_err(), "but it is to be seen");
}

#[tokio::test]
async fn a_run_fails_when_the_catalogue_cannot_be_read() {
    let world = three_sales().await;
    let calls = Calls::new();
    calls.fail_always("BatchGetItem", Fault::Denied);
    assert!(world.reconcile(&calls).handle(Timestamp::MAX).await.is_err());
}

#[tokio::test]
async fn every_sale_of_a_long_catalogue_is_looked_at() {
    let (world, _) = World::at(Stage::Held).await;
    for number in 0..105 {
        world.shop.sale(&format!("sale-{number}").parse().unwrap(), domain::SaleDraft { units: 1, ..draft() }).await;
    }
    let calls = Calls::new();
    assert_eq!(world.reconcile(&calls).run(Timestamp::MAX).await.unwrap(), Findings::default());
    // Two pages of the catalogue, the index of each sale, the pending refunds of the saga and those of operators.
    assert_eq!((calls.count("Query"), calls.count("BatchGetItem")), (2 + 106 + 2, 2 + 106));
    assert_eq!(world.shop.units(&demo()).await, (99, 1, 0));
}
