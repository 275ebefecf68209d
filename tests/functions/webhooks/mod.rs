//! The functions that payment providers call. The fake providers sign the events of these tests, so that what signs and what verifies
//! share no code.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod faults;
mod paypal;
mod paypal_refusals;
mod sample_events;
mod stripe;
mod stripe_refusals;
mod world;

use domain::GatewayName;
use kit::{Request, http::GatewayEvent};
use serde_json::{Value, json};
use test_provider::Delivery;
use test_shop::Shop;

// The answers of both functions, as `test_aws::told` writes them.
const RECEIVED: &str = "200 OK\n{\"received\":true}";
const REFUSED: &str = "400 Bad Request: webhook-refused, The event was refused";
const NO_ACCOUNT: &str = "404 Not Found: unknown-provider, Unknown provider\nThe shop has no account at this payment provider.";
const DELIVER_AGAIN: &str = "503 Service Unavailable: try-again, Try again in a moment\nretry-after: 30";

/// The message about a delivery, with these members of its event.
fn message(account: &str, [event_id, kind, object_id]: [&Value; 3]) -> Value {
    json!({"event": "provider_told", "account": account, "event_id": event_id, "kind": kind, "object_id": object_id})
}

/// Lets the time pass in which keys that could not be read are not read again.
async fn a_second_later() {
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    tokio::time::resume();
}

/// The request with which a provider delivers an event, as API Gateway passes it on.
fn request(path: &str, delivery: &Delivery) -> Request {
    let text = String::from_utf8(delivery.body.clone()).unwrap();
    let builder = test_aws::request("POST", path).body(text);
    let signed = delivery.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    read(signed.into_event())
}

/// The same, with the body in the form in which API Gateway passes a body that it considers binary.
fn in_base64(path: &str, delivery: &Delivery) -> Request {
    let builder = test_aws::request("POST", path).body(aws_smithy_types::base64::encode(&delivery.body));
    let signed = delivery.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    let mut event = signed.into_event();
    event["isBase64Encoded"] = json!(true);
    read(event)
}

fn read(event: Value) -> Request {
    serde_json::from_value::<GatewayEvent>(event).unwrap().into()
}

/// The delivery with another header.
fn with_header(delivery: &Delivery, name: &str, value: &str) -> Delivery {
    let mut changed = delivery.clone();
    changed.headers.retain(|(known, _)| known != name);
    changed.headers.push((name.to_owned(), value.to_owned()));
    changed
}

/// The delivery without a header.
fn without_header(delivery: &Delivery, name: &str) -> Delivery {
    let mut changed = delivery.clone();
    changed.headers.retain(|(known, _)| known != name);
    changed
}

/// The delivery with one byte of the body changed.
fn altered(delivery: &Delivery) -> Delivery {
    let text = String::from_utf8(delivery.body.clone()).unwrap();
    Delivery { body: text.replacen("id", "iD", 1).into_bytes(), ..delivery.clone() }
}

/// Whether the event of an account is remembered.
async fn is_remembered(shop: &Shop, account: &str, event_id: &str) -> bool {
    shop.uncounted().provider_events().is_queued(&GatewayName(account.to_owned()), event_id).await.unwrap()
}

/// Asserts that nothing was queued and nothing was stored.
async fn nothing_happened(shop: &Shop, context: &str) {
    assert_eq!(shop.payment_events_sent(), [Value::Null; 0], "{context}");
    assert!(shop.everything().await.is_empty(), "{context}");
}
