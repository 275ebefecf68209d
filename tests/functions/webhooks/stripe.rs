//! `POST /webhooks/stripe`: events that are taken.

use std::time::Duration;

use domain::SignedDuration;
use serde_json::Value;
use test_shop::{Buyer, Stage, demo, draft};

use crate::webhooks::{
    RECEIVED, REFUSED, in_base64, is_remembered, request,
    world::{Receiver, signed_by_stripe, stripe_deliveries, stripe_delivery},
};

const PATH: &str = "/webhooks/stripe";

/// The message about a delivery of Stripe.
fn message(account: &str, body: &[u8]) -> Value {
    let event: Value = serde_json::from_slice(body).unwrap();
    super::message(account, [&event["id"], &event["type"], &event["data"]["object"]["id"]])
}

#[tokio::test]
async fn an_event_is_one_message_and_is_remembered() {
    let receiver = Receiver::of_stripe().await;
    let delivery = stripe_delivery("whsec_one", receiver.now());
    assert_eq!(test_aws::told(&receiver.stripe().handle(request(PATH, &delivery)).await), RECEIVED);
    let sent = receiver.shop.payment_events_sent();
    assert_eq!(sent, [message("stripe", &delivery.body)]);
    assert_eq!(sent[0]["kind"], "payment_intent.succeeded");
    assert!(sent[0]["object_id"].as_str().unwrap().starts_with("pi_"), "{sent:?}");
    assert!(is_remembered(&receiver.shop, "stripe", &delivery.event_id).await);
    let calls = ["GetSecretValue", "GetItem", "SendMessage", "PutItem"].map(|operation| receiver.calls.count(operation));
    assert_eq!((calls, receiver.calls.total()), ([1; 4], 4), "the other account's secret is not read");
}

#[tokio::test]
async fn every_event_of_a_payment_is_queued_whatever_it_is_about() {
    let receiver = Receiver::of_stripe().await;
    let function = receiver.stripe();
    let deliveries = stripe_deliveries("whsec_one", receiver.now());
    for delivery in &deliveries {
        assert_eq!(test_aws::told(&function.handle(request(PATH, delivery)).await), RECEIVED);
    }
    let expected: Vec<Value> = deliveries.iter().map(|delivery| message("stripe", &delivery.body)).collect();
    assert_eq!((receiver.shop.payment_events_sent(), expected.len()), (expected, 3));
}

#[tokio::test]
async fn an_event_that_comes_again_is_acknowledged_and_not_queued_again() {
    let receiver = Receiver::of_stripe().await;
    let function = receiver.stripe();
    let first = stripe_delivery("whsec_one", receiver.now());
    function.handle(request(PATH, &first)).await;
    let after = receiver.shop.everything().await;
    // Stripe signs each delivery anew.
    receiver.shop.clock.advance_seconds(3_600);
    let again = signed_by_stripe("whsec_one", &first.body, receiver.now());
    receiver.calls.reset();
    assert_eq!(test_aws::told(&function.handle(request(PATH, &again)).await), RECEIVED);
    assert_eq!((receiver.calls.count("GetItem"), receiver.calls.total()), (1, 1));
    assert_eq!((receiver.shop.payment_events_sent().len(), receiver.shop.everything().await), (1, after));
}

#[tokio::test]
async fn an_event_is_remembered_for_thirty_days_and_orders_with_their_payments_for_ever() {
    let receiver = Receiver::of_stripe().await;
    receiver.shop.sale(&demo(), draft()).await;
    for (buyer, stage) in [(Buyer::first(), Stage::Completed), (Buyer::second(), Stage::Charged)] {
        receiver.shop.bring(&buyer, stage).await;
    }
    let before = receiver.shop.everything().await;
    let delivery = stripe_delivery("whsec_one", receiver.now());
    receiver.stripe().handle(request(PATH, &delivery)).await;
    receiver.shop.clock.advance(SignedDuration::from_hours(30 * 24) - SignedDuration::from_secs(1));
    assert_eq!(receiver.shop.dynamo.sweep_ttl(), 0);
    receiver.shop.clock.advance_seconds(2);
    assert_eq!(receiver.shop.dynamo.sweep_ttl(), 1);
    assert!(!is_remembered(&receiver.shop, "stripe", &delivery.event_id).await);
    receiver.shop.clock.advance(SignedDuration::from_hours(10 * 365 * 24));
    assert_eq!((receiver.shop.dynamo.sweep_ttl(), receiver.shop.everything().await), (0, before));
}

#[tokio::test]
async fn the_account_is_the_one_whose_secret_signed() {
    let receiver = Receiver::of_stripe().await;
    let delivery = stripe_delivery("whsec_two", receiver.now());
    assert_eq!(test_aws::told(&receiver.stripe().handle(request(PATH, &delivery)).await), RECEIVED);
    assert_eq!(receiver.shop.payment_events_sent(), [message("stripe-eu", &delivery.body)]);
    assert!(is_remembered(&receiver.shop, "stripe-eu", &delivery.event_id).await);
    assert!(!is_remembered(&receiver.shop, "stripe", &delivery.event_id).await, "accounts' events are apart");
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_fit_and_afterwards_the_new_one() {
    let receiver = Receiver::of_stripe().await;
    let function = receiver.stripe();
    let ask = async |secret: &str| {
        let delivery = stripe_delivery(secret, receiver.now());
        test_aws::told(&function.handle(request(PATH, &delivery)).await)
    };
    assert_eq!(ask("whsec_one").await, RECEIVED);
    assert_eq!(ask("whsec_new").await, REFUSED);
    receiver.stripe_keys("stripe", &["whsec_new", "whsec_one"]);
    // Refused keys are read again ten seconds after they were read.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    receiver.calls.reset();
    for secret in ["whsec_new", "whsec_one", "whsec_new"] {
        assert_eq!(ask(secret).await, RECEIVED, "{secret}");
    }
    assert_eq!(receiver.calls.count("GetSecretValue"), 1);
    assert_eq!(ask("whsec_other").await, REFUSED);
}

#[tokio::test]
async fn a_body_in_base64_is_the_body_that_was_signed() {
    let receiver = Receiver::of_stripe().await;
    let delivery = stripe_delivery("whsec_one", receiver.now());
    assert_eq!(test_aws::told(&receiver.stripe().handle(in_base64(PATH, &delivery)).await), RECEIVED);
    assert_eq!(receiver.shop.payment_events_sent(), [message("stripe", &delivery.body)]);
}

/// Unknown kinds, objects without an id, members that nobody knows, digits that look like a card number, other types and encodings.
#[tokio::test]
async fn what_is_signed_is_queued_and_the_reader_decides() {
    let receiver = Receiver::of_stripe().await;
    let function = receiver.stripe();
    let bodies = [
        r#"{"id":"evt_1","type":"balance.available","created":0,"data":{"object":{"object":"balance"}}}"#,
        r#"{"id":"evt_2","type":"unheard.of","created":1795176000,"data":{"object":{"id":"x_1","é":"😀"}},"more":[1]}"#,
        "  {\n\"id\":\"evt_3\",\r\n\"type\":\"charge.updated\",\"created\":0,\"data\":{\"object\":{\"id\":\"4242424242424242\"}}}\n",
    ];
    for body in bodies {
        for content_type in ["application/json; charset=utf-8", "text/plain", ""] {
            let mut delivery = signed_by_stripe("whsec_one", body.as_bytes(), receiver.now());
            delivery.headers.push(("content-type".to_owned(), content_type.to_owned()));
            assert_eq!(test_aws::told(&function.handle(request(PATH, &delivery)).await), RECEIVED, "{body}");
        }
    }
    assert_eq!(receiver.shop.payment_events_sent(), bodies.map(|body| message("stripe", body.as_bytes())));
}
