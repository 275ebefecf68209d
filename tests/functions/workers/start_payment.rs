//! `start-payment`: one execution of the saga for each attempt, also when messages are repeated, fail, or cannot be read.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use kit::workers::SqsEvent;
use serde_json::json;
use start_payment::StartPayment;
use test_aws::{Calls, Fault, Started};
use test_shop::{STATE_MACHINE, Shop};

use super::hand_messages;

async fn on(shop: &Shop, event: &str) -> Vec<String> {
    hand_messages::<StartPayment>(shop, &Calls::new(), &format!("start-payment/{event}")).await
}

/// Handles these messages. Returns the ids of the messages that the queue delivers again.
async fn handle(shop: &Shop, calls: &Calls, event: SqsEvent) -> Vec<String> {
    test_shop::queue(&shop.wire::<StartPayment>(calls), event).await
}

/// An event with these bodies and ids from 0.
fn event_with(bodies: &[serde_json::Value]) -> SqsEvent {
    let record = |(id, body): (usize, &serde_json::Value)| json!({"messageId": format!("{id}"), "body": body.to_string()});
    serde_json::from_value(json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})).unwrap()
}

fn names(shop: &Shop) -> Vec<String> {
    shop.machines.started().into_iter().map(|started| started.name).collect()
}

#[tokio::test]
async fn an_execution_is_named_after_the_attempt_and_gets_the_message() {
    let shop = Shop::empty().await;
    assert!(on(&shop, "ok").await.is_empty());
    let expected = Started {
        state_machine_arn: STATE_MACHINE.into(),
        name: "demo-01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1".into(),
        input: json!({
            "order_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
            "shopper": "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01",
            "attempt": 1,
        }),
    };
    assert_eq!(shop.machines.started(), [expected]);
}

#[tokio::test]
async fn a_message_that_comes_twice_starts_one_execution_and_is_done() {
    let shop = Shop::empty().await;
    assert!(on(&shop, "delivered-twice").await.is_empty());
    assert!(on(&shop, "ok").await.is_empty(), "in a later batch too");
    assert_eq!(shop.machines.started().len(), 1);
}

#[tokio::test]
async fn each_attempt_has_an_execution_of_its_own() {
    let shop = Shop::empty().await;
    let attempt = |attempt| json!({"order_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "shopper": "ann", "attempt": attempt});
    assert!(handle(&shop, &Calls::new(), event_with(&[attempt(1), attempt(2), attempt(20)])).await.is_empty());
    assert_eq!(names(&shop), [1, 2, 20].map(|attempt| format!("demo-01JD3V3Z5T8Q6W7X9Y0A1B2C3D-{attempt}")));
}

/// Step Functions accepts names of up to 80 characters, and logs executions whose names have no other characters than letters,
/// digits, `-` and `_`. The fake refuses all other names.
#[tokio::test]
async fn the_longest_product_ids_have_names_that_are_taken_and_differ() {
    let shop = Shop::empty().await;
    let message = |ulid: &str| json!({"order_id": format!("{}.{ulid}", "p".repeat(64)), "shopper": "ann", "attempt": 20});
    let both = [message("01JD3V3Z5T8Q6W7X9Y0A1B2C3D"), message("01JD3V3Z5T0000000000000000")];
    assert!(handle(&shop, &Calls::new(), event_with(&both)).await.is_empty());
    assert_eq!(shop.machines.started().len(), 2);
}

/// The saga finds out whether the order exists.
#[tokio::test]
async fn an_unknown_order_starts_an_execution_too() {
    let shop = Shop::empty().await;
    assert!(on(&shop, "unknown-order").await.is_empty());
    assert_eq!(names(&shop), ["demo-01JD3V3Z5T0000000000000000-1", "demo-01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1"]);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_fails_alone() {
    let shop = Shop::empty().await;
    let failed = on(&shop, "malformed-body").await;
    assert_eq!(failed, ["8ce832d0-508e-4bee-85ce-224eace2aa55", "3080346f-17cc-415a-8ea6-1a2ffccae6cd"]);
    assert_eq!(names(&shop), ["demo-01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1"], "by the other two");
}

#[tokio::test]
async fn only_messages_whose_start_failed_come_again() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let message =
        |ulid: char| json!({"order_id": format!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3{ulid}"), "shopper": "ann", "attempt": 1});
    let event = || event_with(&[message('A'), message('B'), message('C')]);
    // The refusal is final, so the SDK does not try again.
    calls.fail_next("StartExecution", Fault::Denied);
    assert_eq!(handle(&shop, &calls, event()).await, ["0"]);
    assert_eq!(shop.machines.started().len(), 2);
    assert!(handle(&shop, &calls, event()).await.is_empty(), "the others are found started");
    assert_eq!(shop.machines.started().len(), 3);
}

#[tokio::test]
async fn a_service_that_does_not_answer_starts_nothing_and_everything_comes_again() {
    let shop = Shop::empty().await;
    shop.machines.fail(true);
    assert_eq!(on(&shop, "delivered-twice").await.len(), 2);
    shop.machines.fail(false);
    assert!(on(&shop, "delivered-twice").await.is_empty());
    assert_eq!(shop.machines.started().len(), 1);
}

#[tokio::test]
async fn a_start_whose_answer_is_lost_is_one_start() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    calls.fail_next("StartExecution", Fault::LostAnswer);
    assert!(hand_messages::<StartPayment>(&shop, &calls, "start-payment/ok").await.is_empty());
    assert_eq!((calls.count("StartExecution"), shop.machines.started().len()), (2, 1));
}

#[tokio::test]
async fn a_throttled_worker_has_the_patience_of_a_queue_worker() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    calls.fail_always("StartExecution", Fault::Throttled);
    let failed = hand_messages::<StartPayment>(&shop, &calls, "start-payment/ok").await;
    assert_eq!((failed.len(), calls.count("StartExecution"), shop.machines.started().len()), (1, 10, 0));
}
