//! `notify-shopper`: what the topic receives for each message, and the error that the state machine gets when the topic fails.

use domain::{Order, Timestamp};
use notify_shopper::NotifyShopper;
use serde_json::{Value, json};
use test_aws::{Calls, Fault};
use test_shop::{Buyer, NOTIFICATIONS, Shop, Stage, demo};

async fn on(shop: &Shop, calls: &Calls, event: &str) -> Result<Value, String> {
    let input = test_aws::event_value(&format!("notify-shopper/{event}.json"));
    test_shop::task(&shop.wire::<NotifyShopper>(calls), input).await
}

#[tokio::test]
async fn the_topic_gets_each_message_with_its_order_and_shopper() {
    let shop = Shop::empty().await;
    let events = ["ok", "payment-failed", "order-failed", "refund-failed", "order-refunded"];
    for (number, event) in (1..).zip(events) {
        let message_id = format!("{number}");
        assert_eq!(on(&shop, &Calls::new(), event).await, Ok(json!({"message_id": message_id})), "{event}");
    }
    let published = shop.topic.published();
    let messages: Vec<Value> = published.iter().map(|it| serde_json::from_str(&it.message).unwrap()).collect();
    let expected = |message| {
        json!({
            "order_id": "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
            "shopper": "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01",
            "message": message,
        })
    };
    assert_eq!(messages, ["order-completed", "payment-failed", "order-failed", "refund-failed", "order-refunded"].map(expected));
    assert!(published.iter().all(|it| it.topic_arn == NOTIFICATIONS));
}

/// The function publishes the order, the shopper and the message, but no other input such as the saga's attempt.
#[tokio::test]
async fn only_what_a_shopper_may_know_is_published() {
    let shop = Shop::empty().await;
    let function: NotifyShopper = shop.wire(&Calls::new());
    let mut input = test_aws::event_value("notify-shopper/ok.json");
    input["reason"] = "HoldLost".into();
    test_shop::task(&function, input).await.unwrap();
    assert!(!shop.topic.published().first().unwrap().message.contains("HoldLost"));
}

/// Telling twice is the price of telling at least once.
#[tokio::test]
async fn a_notification_whose_answer_is_lost_is_sent_again() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    calls.fail_next("Publish", Fault::LostAnswer);
    assert!(on(&shop, &calls, "ok").await.is_ok());
    assert_eq!((calls.count("Publish"), shop.topic.published().len()), (2, 2));
}

#[tokio::test]
async fn a_topic_that_does_not_take_it_is_an_error_with_a_name() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    shop.topic.fail(true);
    assert_eq!(on(&shop, &calls, "ok").await, Err("NotificationFailed".to_owned()));
    shop.topic.fail(false);
    assert!(on(&shop, &calls, "ok").await.is_ok());
    for fault in [Fault::LostRequest, Fault::Throttled, Fault::Denied] {
        calls.fail_always("Publish", fault);
        assert_eq!(on(&shop, &calls, "ok").await, Err("NotificationFailed".to_owned()), "{fault:?}");
        calls.heal();
    }
    assert_eq!(shop.topic.published().len(), 1);
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_malformed_and_tells_nobody() {
    let shop = Shop::empty().await;
    for event in ["malformed", "missing-shopper"] {
        assert_eq!(on(&shop, &Calls::new(), event).await, Err("MalformedTask".to_owned()), "{event}");
    }
    assert!(shop.topic.published().is_empty());
}

/// The message to the shopper at the end of a payment.
fn event_of(stage: Stage) -> &'static str {
    let others = [(Stage::Completed, "ok"), (Stage::WaitingAgain, "payment-failed"), (Stage::RefundPending, "refund-failed")];
    others.into_iter().find(|(of, _)| *of == stage).map_or("order-failed", |(_, event)| event)
}

#[tokio::test]
async fn the_order_is_settled_once_its_shopper_is_told() {
    for stage in Stage::ALL.into_iter().filter(|stage| stage.ends_payment()) {
        let shop = Shop::untold(stage).await;
        let owed = shop.order(&Buyer::first()).await;
        assert!(owed.untold.is_some(), "{stage:?}");
        let unsettled = async || shop.uncounted().orders().unsettled(&demo(), Timestamp::MAX, None).await.unwrap().orders.len();
        assert_eq!(unsettled().await, usize::from(stage != Stage::RefundPending), "{stage:?}");
        for _ in 0..2 {
            assert!(on(&shop, &Calls::new(), event_of(stage)).await.is_ok(), "{stage:?}");
            assert_eq!(
                shop.order(&Buyer::first()).await,
                Order { untold: None, revision: owed.revision + 1, ..owed.clone() },
                "{stage:?}"
            );
            assert_eq!(unsettled().await, 0, "{stage:?}");
        }
        let pending = shop.uncounted().orders().refunds_pending(Timestamp::MIN, None).await.unwrap().orders.len();
        assert_eq!(pending, usize::from(stage == Stage::RefundPending), "{stage:?}: an operator still finds it");
    }
}

#[tokio::test]
async fn what_the_topic_did_not_take_is_still_owed_and_a_record_that_fails_is_no_error() {
    let shop = Shop::untold(Stage::Completed).await;
    shop.topic.fail(true);
    assert!(on(&shop, &Calls::new(), "ok").await.is_err());
    assert!(shop.order(&Buyer::first()).await.untold.is_some());
    shop.topic.fail(false);
    for fault in Fault::ALL {
        let shop = Shop::untold(Stage::Completed).await;
        let calls = Calls::new();
        calls.fail_always("UpdateItem", fault);
        assert!(on(&shop, &calls, "ok").await.is_ok(), "{fault:?}");
        assert_eq!(shop.topic.published().len(), 1, "{fault:?}");
    }
}
