//! Shoppers whom no saga has told how their payment ended: its last step was written, and then it died.

use domain::{SignedDuration, Timestamp};
use kit::TaskFunction;
use notify_shopper::NotifyShopper;
use reconcile::Findings;
use serde_json::{Value, json};
use store::StartOutcome;
use test_aws::{every_crash, every_interleaving};
use test_shop::{Buyer, Shop, Stage, demo};

use crate::workers::reconcile::World;

/// The ends of a payment, each with the notice that it owes.
const ENDS: [(Stage, &str); 5] = [
    (Stage::Completed, "order-completed"),
    (Stage::WaitingAgain, "payment-failed"),
    (Stage::Failed, "order-failed"),
    (Stage::Refunded, "order-failed"),
    (Stage::RefundPending, "refund-failed"),
];

/// A purchase at this end, of which nobody was told.
async fn untold(stage: Stage) -> World {
    let shop = Shop::untold(stage).await;
    shop.refresh_availability(&demo()).await;
    World { shop }
}

/// The same a minute later, when a run tells.
async fn untold_for_a_minute(stage: Stage) -> World {
    let world = untold(stage).await;
    world.shop.clock.advance_seconds(60);
    world
}

/// Beside what a run finds at this end anyway.
fn told(stage: Stage, shoppers_told: usize) -> Findings {
    Findings { shoppers_told, refunds_pending: usize::from(stage == Stage::RefundPending), ..Findings::default() }
}

/// The notices that the topic took.
fn published(world: &World) -> Vec<Value> {
    world.shop.topic.published().iter().map(|it| serde_json::from_str(&it.message).unwrap()).collect()
}

fn notice(message: &str) -> Value {
    json!({"order_id": Buyer::first().id, "shopper": Buyer::first().shopper, "message": message})
}

#[tokio::test]
async fn trouble_with_notifications_keeps_no_payment_from_being_finished() {
    let world = untold(Stage::Completed).await;
    let second = Buyer::second();
    world.shop.bring(&second, Stage::Pending).await;
    world.shop.clock.advance(SignedDuration::from_mins(2));
    world.shop.topic.fail(true);
    let found = world.run().await;
    assert_eq!((found.payments_started, found.shoppers_told, found.failed), (1, 0, vec![demo()]));
    world.shop.topic.fail(false);
    let found = world.run().await;
    assert_eq!((found.shoppers_told, found.failed), (1, vec![]));
}

#[tokio::test]
async fn a_shopper_is_told_a_minute_after_the_end_and_once() {
    for (stage, message) in ENDS {
        let world = untold(stage).await;
        world.shop.clock.advance(SignedDuration::from_millis(59_999));
        assert_eq!(world.run().await, told(stage, 0), "{stage:?}");
        let before = world.shop.order(&Buyer::first()).await;
        world.shop.clock.advance(SignedDuration::from_millis(1));
        assert_eq!(world.run().await, told(stage, 1), "{stage:?}");
        assert_eq!(published(&world), [notice(message)], "{stage:?}");
        let after = domain::Order { untold: None, revision: before.revision + 1, ..before };
        for _ in 0..2 {
            assert_eq!(world.shop.order(&Buyer::first()).await, after, "{stage:?}");
            assert_eq!(world.run().await, told(stage, 0), "{stage:?}");
        }
        assert_eq!(published(&world).len(), 1, "{stage:?}");
    }
}

#[tokio::test]
async fn one_who_was_told_is_not_told_again() {
    for (stage, _) in ENDS {
        let (world, _) = World::at(stage).await;
        world.shop.clock.advance_seconds(60);
        assert_eq!(world.run().await, told(stage, 0), "{stage:?}");
        assert!(published(&world).is_empty(), "{stage:?}");
    }
}

#[tokio::test]
async fn when_the_topic_is_away_the_run_fails_and_the_next_one_tells() {
    for (stage, message) in ENDS {
        let world = untold_for_a_minute(stage).await;
        world.shop.topic.fail(true);
        let found = world.run().await;
        assert_eq!((found.shoppers_told, found.failed), (0, vec![demo()]), "{stage:?}");
        world.shop.topic.fail(false);
        assert_eq!(world.run().await, told(stage, 1), "{stage:?}");
        assert_eq!(published(&world), [notice(message)], "{stage:?}");
    }
}

#[tokio::test]
async fn a_run_may_die_at_any_request_and_the_next_one_tells() {
    for (stage, message) in ENDS {
        every_crash(async |calls| {
            let world = untold_for_a_minute(stage).await;
            _ = world.reconcile(calls).run(Timestamp::MAX).await;
            calls.heal();
            world.run().await;
            let published = published(&world);
            assert!((1..=2).contains(&published.len()) && published.iter().all(|it| *it == notice(message)), "{published:?}");
            assert_eq!(world.run().await, told(stage, 0), "{stage:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn beside_a_saga_that_is_only_slow_the_shopper_is_told_at_least_once_and_the_order_settles() {
    for (stage, message) in ENDS {
        every_interleaving(async |interleaving| {
            let world = untold_for_a_minute(stage).await;
            let task = serde_json::from_value(json!({
                "order_id": Buyer::first().id, "shopper": Buyer::first().shopper, "attempt": 1, "message": message,
            }));
            let slow: NotifyShopper = world.shop.wire(&interleaving.calls);
            let (saga, found) = interleaving.run(slow.handle(task.unwrap()), world.run()).await;
            saga.unwrap();
            assert!(found.failed.is_empty());
            assert!((1..=2).contains(&published(&world).len()), "{stage:?}");
            assert_eq!(world.run().await, told(stage, 0), "{stage:?}");
        })
        .await;
    }
}

/// The shopper pays again before anybody has told of the first payment. The second has its own notice.
#[tokio::test]
async fn what_another_attempt_has_overtaken_is_not_told() {
    let (world, buyer) = (untold(Stage::WaitingAgain).await, Buyer::first());
    let waiting = world.shop.order(&buyer).await;
    let started = world.shop.uncounted().purchases().start_again(&waiting, &buyer.method, world.shop.now()).await.unwrap();
    assert_eq!(started, StartOutcome::Started);
    world.start_saga(&buyer).await;
    world.shop.clock.advance_seconds(60);
    assert_eq!(world.run().await.shoppers_told, 0);
    assert!(published(&world).is_empty());
}

#[tokio::test]
async fn when_the_time_to_pay_is_over_the_order_has_failed() {
    let (world, buyer) = (untold(Stage::WaitingAgain).await, Buyer::first());
    world.shop.clock.set(test_shop::END);
    assert_eq!(world.run().await.shoppers_told, 1);
    assert_eq!(published(&world), [notice("order-failed")]);
    assert_eq!(world.shop.order(&buyer).await.untold, None);
}
