//! `POST /webhooks/paypal`: events that are taken.

use std::time::Duration;

use serde_json::Value;

use crate::webhooks::{
    RECEIVED, REFUSED, in_base64, is_remembered, request,
    world::{PAYPAL_URL, Paypal, Receiver},
};

const PATH: &str = "/webhooks/paypal";

/// The message about a delivery of PayPal.
fn message(account: &str, body: &[u8]) -> Value {
    let event: Value = serde_json::from_slice(body).unwrap();
    super::message(account, [&event["id"], &event["event_type"], &event["resource"]["id"]])
}

#[tokio::test]
async fn an_event_is_one_message_and_is_remembered() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let delivery = paypal.delivery("WEBHOOK-ONE");
    assert_eq!(test_aws::told(&receiver.paypal().handle(request(PATH, &delivery)).await), RECEIVED);
    let sent = receiver.shop.payment_events_sent();
    assert_eq!(sent, [message("paypal", &delivery.body)]);
    assert_eq!(sent[0]["kind"], "CHECKOUT.ORDER.APPROVED");
    assert!(is_remembered(&receiver.shop, "paypal", &delivery.event_id).await);
    let calls = ["GetSecretValue", "GetItem", "SendMessage", "PutItem"].map(|operation| receiver.calls.count(operation));
    assert_eq!((calls, receiver.calls.total()), ([1; 4], 4));
}

#[tokio::test]
async fn the_certificate_is_fetched_once_for_all_accounts() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let function = receiver.paypal();
    for webhook_id in ["WEBHOOK-ONE", "WEBHOOK-TWO", "WEBHOOK-ONE"] {
        assert_eq!(test_aws::told(&function.handle(request(PATH, &paypal.delivery(webhook_id))).await), RECEIVED);
    }
    let asked = paypal.asked();
    assert!(matches!(&asked[..], [one] if one.starts_with(&format!("GET {PAYPAL_URL}/v1/notifications/certs/"))), "{asked:?}");
    assert_eq!(receiver.calls.count("GetSecretValue"), 2);
}

#[tokio::test]
async fn the_account_is_the_one_whose_webhook_was_signed() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let delivery = paypal.delivery("WEBHOOK-TWO");
    assert_eq!(test_aws::told(&receiver.paypal().handle(request(PATH, &delivery)).await), RECEIVED);
    assert_eq!(receiver.shop.payment_events_sent(), [message("paypal-eu", &delivery.body)]);
}

#[tokio::test]
async fn an_event_that_comes_again_is_acknowledged_and_not_queued_again() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let (function, delivery) = (receiver.paypal(), paypal.delivery("WEBHOOK-ONE"));
    for _ in 0..2 {
        assert_eq!(test_aws::told(&function.handle(request(PATH, &delivery)).await), RECEIVED);
    }
    // PayPal delivers for three days.
    receiver.shop.clock.advance_seconds(3 * 86_400);
    assert_eq!(test_aws::told(&function.handle(request(PATH, &delivery)).await), RECEIVED);
    assert_eq!(receiver.shop.payment_events_sent().len(), 1);
}

#[tokio::test]
async fn a_webhook_that_was_replaced_meanwhile_is_known_after_ten_seconds() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let (function, delivery) = (receiver.paypal(), paypal.delivery("WEBHOOK-NEW"));
    assert_eq!(test_aws::told(&function.handle(request(PATH, &delivery)).await), REFUSED);
    receiver.paypal_keys("paypal-eu", Some("WEBHOOK-NEW"));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    assert_eq!(test_aws::told(&function.handle(request(PATH, &delivery)).await), RECEIVED);
    assert_eq!(receiver.shop.payment_events_sent(), [message("paypal-eu", &delivery.body)]);
}

#[tokio::test]
async fn a_body_in_base64_is_the_body_that_was_signed() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let delivery = paypal.delivery("WEBHOOK-ONE");
    assert_eq!(test_aws::told(&receiver.paypal().handle(in_base64(PATH, &delivery)).await), RECEIVED);
    assert_eq!(receiver.shop.payment_events_sent(), [message("paypal", &delivery.body)]);
}
