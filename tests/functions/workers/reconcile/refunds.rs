//! Orders whose refund is not confirmed are counted in every run until it is.

use domain::{OrderStep, Timestamp};
use kit::ScheduledFunction;
use reconcile::Findings;
use store::Advanced;
use test_aws::{Calls, Fault};
use test_shop::{Buyer, Stage, demo};

use crate::workers::reconcile::{LATE, World};

fn pending(refunds_pending: usize) -> Findings {
    Findings { refunds_pending, ..Findings::default() }
}

#[tokio::test]
async fn a_refund_is_counted_in_every_run_until_it_is_confirmed() {
    let (world, buyer) = World::at(Stage::RefundPending).await;
    for _ in 0..3 {
        assert_eq!(world.run().await, pending(1));
        world.shop.clock.advance_seconds(3_600);
        world.shop.refresh_availability(&demo()).await;
    }
    world.shop.step(&buyer, Stage::GivenBackLater).await;
    assert_eq!(world.run().await, pending(1), "the order does not show it yet");
    let order = world.shop.order(&buyer).await;
    let ended = world.shop.uncounted().purchases().end(&order, 1, OrderStep::RefundConfirmed, world.shop.now()).await.unwrap();
    assert_eq!(ended, Advanced::Done);
    world.finds_nothing().await;
    // No saga tells the shopper.
    world.shop.clock.advance_seconds(60);
    assert_eq!(world.run().await, Findings { shoppers_told: 1, ..Findings::default() });
    let told = world.shop.topic.published();
    assert!(told.len() == 1 && told.iter().all(|it| it.message.contains("order-failed")));
    world.finds_nothing().await;
}

#[test]
fn the_count_is_a_metric_of_every_run_that_could_count_zero_included() {
    let metric = |found: Findings| found.metrics().into_iter().find(|(name, _)| *name == "RefundsPending");
    assert_eq!(metric(Findings::default()), Some(("RefundsPending", 0.0)));
    assert_eq!(metric(pending(3)), Some(("RefundsPending", 3.0)));
    assert_eq!(metric(Findings { refunds_unknown: true, ..Findings::default() }), None);
    let requested = Findings { operator_refunds_pending: 2, ..Findings::default() };
    assert!(requested.metrics().contains(&("OperatorRefundsPending", 2.0)), "{requested:?}");
}

#[tokio::test]
async fn refunds_of_every_sale_are_counted_also_of_one_that_is_in_no_catalogue() {
    let world = World::open().await;
    for (number, product) in (1..=101).zip(["demo", "elsewhere"].iter().cycle()) {
        let order = Buyer::number(number).of(&product.parse().unwrap()).order(OrderStep::PaymentStarted);
        world.shop.uncounted().orders().place(&order).await.unwrap();
        let purchases = world.shop.uncounted().purchases();
        purchases.end_order(&order, 1, OrderStep::RefundFailed, world.shop.now()).await.unwrap();
    }
    assert_eq!(world.run().await, pending(101));
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_counted_and_hides_no_other() {
    let (world, _) = World::at(Stage::RefundPending).await;
    let unreadable = Buyer { made_at: world.shop.now(), ..Buyer::second() };
    let order = unreadable.order(OrderStep::PaymentStarted);
    world.shop.uncounted().orders().place(&order).await.unwrap();
    let purchases = world.shop.uncounted().purchases();
    purchases.end_order(&order, 1, OrderStep::RefundFailed, world.shop.now()).await.unwrap();
    world.shop.spoil_order(&unreadable).await;
    assert_eq!(world.run().await, pending(2));
}

#[tokio::test]
async fn when_they_cannot_be_counted_the_run_fails_after_it_has_done_everything_else() {
    let order = Buyer::first().id.to_string();
    for (operation, words) in [("Query", "refund_pending"), ("BatchGetItem", order.as_str())] {
        let (world, _) = World::at(Stage::RefundPending).await;
        world.shop.bring(&Buyer::second(), Stage::Claimed).await;
        world.shop.refresh_availability(&demo()).await;
        world.shop.clock.set(LATE);
        let calls = Calls::new();
        calls.fail_always_for(operation, words, Fault::Denied);
        let reconcile = world.reconcile(&calls);
        let found = reconcile.run(Timestamp::MAX).await.unwrap();
        assert_eq!(found, Findings { holds_overdue: 1, refunds_unknown: true, ..Findings::default() }, "{operation}");
        assert!(reconcile.handle(Timestamp::MAX).await.is_err(), "{operation}: its failure is to be seen");
        world.streams().await;
        assert_eq!(world.run().await, pending(1), "{operation}");
    }
}
