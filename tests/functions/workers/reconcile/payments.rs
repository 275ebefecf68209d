//! Payments that do not end: never started, cut off, started again and again.

use domain::{OrderStatus, OrderStep, SignedDuration};
use kit::ScheduledFunction;
use messages::OrderMessage;
use reconcile::Findings;
use serde_json::json;
use store::Advanced;
use test_aws::{Calls, Fault};
use test_shop::{Buyer, NOW, Stage, demo};

use crate::workers::reconcile::{World, message};

fn started() -> Findings {
    Findings { payments_started: 1, ..Findings::default() }
}

#[tokio::test]
async fn a_payment_that_nobody_started_is_started_after_a_minute() {
    let (world, buyer) = World::at(Stage::Pending).await;
    world.shop.clock.advance(SignedDuration::from_secs(-1));
    world.finds_nothing().await;
    world.shop.clock.set(NOW);
    assert_eq!(world.run().await, started());
    let execution = world.shop.machines.started().pop().unwrap();
    assert_eq!(
        (execution.state_machine_arn.as_str(), execution.name),
        (test_shop::STATE_MACHINE, message(&buyer).execution_name())
    );
    assert_eq!(execution.input, json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": 1}));
    world.finds_nothing().await;
    // The message was only late.
    world.start_saga(&buyer).await;
    assert_eq!(world.executions().len(), 1);
}

#[tokio::test]
async fn a_payment_whose_saga_runs_is_left_to_it() {
    let (world, buyer) = World::at(Stage::Charged).await;
    world.start_saga(&buyer).await;
    world.finds_nothing().await;
    assert_eq!(world.executions().len(), 1);
}

#[tokio::test]
async fn a_payment_whose_saga_has_ended_without_it_is_started_again_five_times_and_then_left_to_a_person() {
    let (world, buyer) = World::at(Stage::Charged).await;
    let first = world.start_saga(&buyer).await;
    let mut last = first.clone();
    let started_at = world.shop.order(&buyer).await.updated_at;
    let restarts = [("FAILED", 1), ("ABORTED", 4), ("TIMED_OUT", 15), ("SUCCEEDED", 60), ("FAILED", 240)];
    for (restart, (status, minutes)) in (1..).zip(restarts) {
        world.shop.machines.end(&last, status);
        let due = started_at + SignedDuration::from_mins(minutes);
        world.shop.clock.set_to(due - SignedDuration::from_millis(1));
        assert_eq!(world.run().await.payments_started, 0, "{minutes} minutes are not over");
        world.shop.clock.set_to(due);
        assert_eq!(world.run().await, started(), "after {status}");
        last = format!("{first}-r{restart}");
        assert_eq!(world.executions().pop(), Some(last.clone()));
        world.finds_nothing().await;
    }
    world.shop.machines.end(&last, "FAILED");
    for _ in 0..2 {
        assert_eq!(world.run().await, Findings { orders_stuck: 1, ..Findings::default() });
    }
    assert_eq!(world.executions().len(), 6);
    let inputs: Vec<_> = world.shop.machines.started().into_iter().map(|started| started.input).collect();
    assert!(inputs.iter().all(|input| *input == inputs[0]));
}

#[tokio::test]
async fn the_next_attempt_is_another_payment_with_restarts_of_its_own() {
    let (world, buyer) = World::at(Stage::PayingAgain).await;
    let first = world.start_saga(&buyer).await;
    world.shop.machines.end(&first, "SUCCEEDED");
    world.finds_nothing().await;
    world.shop.clock.advance_seconds(60);
    assert_eq!(world.run().await, started());
    assert_eq!(world.executions().pop(), Some(OrderMessage { attempt: 2, ..message(&buyer) }.execution_name()));
}

#[tokio::test]
async fn an_order_that_is_not_being_paid_is_not_looked_at() {
    for stage in Stage::ALL {
        let (world, buyer) = World::at(stage).await;
        let order = world.shop.uncounted().orders().get(&buyer.id).await.unwrap();
        let is_pending = order.is_some_and(|order| order.status == OrderStatus::Pending);
        world.shop.clock.advance_seconds(60);
        let found = world.run().await;
        assert_eq!(found.payments_started, usize::from(is_pending), "{stage:?}");
        assert_eq!(world.executions().len(), usize::from(is_pending), "{stage:?}");
    }
}

/// The order records what its executions did, and they have ended when `reconcile` reads the order for the second time.
#[tokio::test]
async fn a_payment_that_ends_while_it_is_looked_at_is_not_started_again() {
    test_aws::every_interleaving(async |interleaving| {
        let (world, buyer) = World::at(Stage::Sold).await;
        let name = world.start_saga(&buyer).await;
        let reconcile = world.reconcile(&interleaving.calls);
        let settled = async {
            let order = world.shop.order(&buyer).await;
            let outcome = world.shop.uncounted().purchases().complete(&order, 1, "sandbox_1", world.shop.now()).await.unwrap();
            assert_eq!(outcome, Advanced::Done);
            world.shop.machines.end(&name, "SUCCEEDED");
        };
        let (found, ()) = interleaving.run(reconcile.run(domain::Timestamp::MAX), settled).await;
        assert_eq!(found.unwrap(), Findings::default());
        assert_eq!(world.executions(), [name]);
        assert_eq!(world.shop.order(&buyer).await.status, OrderStatus::Completed);
    })
    .await;
}

#[tokio::test]
async fn all_unsettled_orders_are_looked_at_page_by_page() {
    let world = World::open().await;
    for number in 0..230_u32 {
        let id = format!("demo.01JD3V3Z5T8Q6W7X9Y0A{number:06}").parse().unwrap();
        let order = domain::Order { id, ..Buyer::first().order(OrderStep::PaymentStarted) };
        world.shop.uncounted().orders().place(&order).await.unwrap();
    }
    assert_eq!(world.run().await, Findings { payments_started: 230, ..Findings::default() });
    world.finds_nothing().await;
}

#[tokio::test]
async fn when_step_functions_does_not_answer_the_run_fails_after_it_has_done_everything_else() {
    let (world, _) = World::at(Stage::Pending).await;
    world.shop.bring(&Buyer::second(), Stage::Claimed).await;
    world.shop.refresh_availability(&demo()).await;
    world.shop.clock.set(crate::workers::reconcile::LATE);
    for number in 0..40_u32 {
        let id = format!("demo.01JD3V3Z5T8Q6W7X9Y0A{number:06}").parse().unwrap();
        let order = domain::Order { id, ..Buyer::first().order(OrderStep::PaymentStarted) };
        world.shop.uncounted().orders().place(&order).await.unwrap();
    }
    let calls = Calls::new();
    calls.fail_always("DescribeExecution", Fault::ServerError);
    let reconcile = world.reconcile(&calls);
    let found = reconcile.run(domain::Timestamp::MAX).await.unwrap();
    assert_eq!(found, Findings { holds_overdue: 1, failed: vec![demo()], ..Findings::default() });
    assert!(reconcile.handle(domain::Timestamp::MAX).await.is_err(), "and its failure is to be seen");
    calls.heal();
    assert_eq!(world.run().await.payments_started, 41);
}

#[tokio::test]
async fn a_throttled_run_gives_up_soon_because_it_has_other_orders_to_look_at() {
    let (world, _) = World::at(Stage::Pending).await;
    world.shop.clock.set(crate::workers::reconcile::LATE);
    let calls = Calls::new();
    calls.fail_always("StartExecution", Fault::Throttled);
    let found = world.reconcile(&calls).run(domain::Timestamp::MAX).await.unwrap();
    assert_eq!((found.payments_started, found.failed), (0, vec![demo()]));
    assert!((1..=3).contains(&calls.count("StartExecution")), "{} attempts", calls.count("StartExecution"));
}
