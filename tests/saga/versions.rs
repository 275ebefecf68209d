//! After a roll-back, functions receive what a later version sent: messages that wait in a queue, and the tasks of an execution.
//! An execution keeps the definition that it was started with.

use std::fmt::Debug;

use charge_payment::ChargeTask;
use fail_order::FailTask;
use messages::{ExpiryMessage, OrderMessage};
use notify_shopper::Notification;
use saga::Task;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Checks that a member of a later version does not change how a `T` is read.
fn lets_pass<T: DeserializeOwned + Debug>(members: Value) {
    let known = serde_json::from_value::<T>(members.clone()).unwrap();
    let mut later = members;
    later["later"] = json!({ "of": ["a later version"] });
    let read = serde_json::from_value::<T>(later).unwrap();
    assert_eq!(format!("{read:?}"), format!("{known:?}"));
}

fn with(mut members: Value, name: &str, value: &str) -> Value {
    members[name] = json!(value);
    members
}

#[test]
fn a_message_and_a_task_may_have_a_member_that_only_a_later_version_knows() {
    let attempt = || json!({ "order_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "shopper": "ann", "attempt": 1 });
    lets_pass::<OrderMessage>(attempt());
    lets_pass::<Task>(attempt());
    lets_pass::<ChargeTask>(attempt());
    lets_pass::<FailTask>(with(with(attempt(), "ending", "payment_failed"), "reason", "The card was declined."));
    lets_pass::<Notification>(with(attempt(), "message", "payment-failed"));
    lets_pass::<ExpiryMessage>(json!({
        "reservation_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "shopper": "ann", "expires_at": "2026-11-20T12:05:00Z",
    }));
}

/// The order stays pending, and `reconcile` starts its saga again.
#[tokio::test]
async fn a_task_with_a_word_that_only_a_later_version_knows_fails_by_a_name_that_is_not_retried() {
    let attempt = json!({ "order_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D", "shopper": "ann", "attempt": 1 });
    let input = with(attempt, "ending", "captured_later");
    let read = kit::workers::task(input, async |_: FailTask| Ok::<(), saga::SagaError>(())).await.unwrap_err();
    assert_eq!(read.error_type, kit::workers::MALFORMED_TASK);
    assert!(read.error_message.contains("/ending") && read.error_message.contains("captured_later"), "{}", read.error_message);
}
