//! Tables and queues fail, and processes die or overlap: no event is lost. Both functions queue by the same code; Stripe's has the
//! cheaper signature.

use std::time::Duration;

use receive_paypal::ReceivePaypal;
use receive_stripe::ReceiveStripe;
use serde_json::Value;
use test_aws::{Calls, Fault, every_crash, every_interleaving, passing_faults};
use test_provider::Delivery;
use test_shop::{Judged, brief};

use crate::webhooks::{
    DELIVER_AGAIN, RECEIVED, a_second_later, is_remembered, nothing_happened, request,
    world::{PAYPAL_URL, Paypal, Receiver, stripe_delivery},
};

const STRIPE: &str = "/webhooks/stripe";

fn delivery(receiver: &Receiver) -> Delivery {
    stripe_delivery("whsec_one", receiver.now())
}

/// Asserts that the event was queued at least once, as one message however often, and is remembered.
async fn is_taken(receiver: &Receiver, account: &str, delivery: &Delivery, context: &str) {
    let sent = receiver.shop.payment_events_sent();
    let is_it = |message: &Value| message["event_id"] == delivery.event_id && message["account"] == account;
    assert!((1..=2).contains(&sent.len()) && sent.iter().all(is_it), "{context}: {sent:?}");
    assert!(is_remembered(&receiver.shop, account, &delivery.event_id).await, "{context}");
}

#[tokio::test]
async fn a_queue_that_is_away_is_503_and_nothing_is_remembered() {
    let receiver = Receiver::of_stripe().await;
    let (function, delivery) = (receiver.stripe(), delivery(&receiver));
    receiver.shop.queue.fail(true);
    for _ in 0..2 {
        assert_eq!(test_aws::told(&function.handle(request(STRIPE, &delivery)).await), DELIVER_AGAIN);
        nothing_happened(&receiver.shop, "no queue").await;
    }
    receiver.shop.queue.fail(false);
    assert_eq!(test_aws::told(&function.handle(request(STRIPE, &delivery)).await), RECEIVED);
    is_taken(&receiver, "stripe", &delivery, "the queue is back").await;
    assert_eq!(receiver.shop.payment_events_sent().len(), 1);
}

#[tokio::test]
async fn every_failure_is_503_and_the_next_delivery_is_taken() {
    for operation in ["GetSecretValue", "GetItem", "SendMessage", "PutItem"] {
        for fault in Fault::ALL {
            let receiver = Receiver::of_stripe().await;
            let (function, delivery, context) = (receiver.stripe(), delivery(&receiver), format!("{operation} {fault:?}"));
            receiver.calls.fail_always(operation, fault);
            assert_eq!(test_aws::told(&function.handle(request(STRIPE, &delivery)).await), DELIVER_AGAIN, "{context}");
            receiver.calls.heal();
            a_second_later().await;
            assert_eq!(test_aws::told(&function.handle(request(STRIPE, &delivery)).await), RECEIVED, "{context}");
            // SQS took a message each time that its answer was lost.
            let sent = receiver.shop.payment_events_sent();
            assert!(!sent.is_empty() && sent.iter().all(|message| *message == sent[0]), "{context}: {sent:?}");
            assert!(is_remembered(&receiver.shop, "stripe", &delivery.event_id).await, "{context}");
        }
    }
}

#[tokio::test]
async fn one_fault_is_overcome() {
    for (operation, fault) in passing_faults(&["GetSecretValue", "GetItem", "SendMessage", "PutItem"]) {
        let receiver = Receiver::of_stripe().await;
        let (delivery, context) = (delivery(&receiver), format!("{operation} {fault:?}"));
        receiver.calls.fail_next(operation, fault);
        assert_eq!(test_aws::told(&receiver.stripe().handle(request(STRIPE, &delivery)).await), RECEIVED, "{context}");
        is_taken(&receiver, "stripe", &delivery, &context).await;
    }
}

#[tokio::test]
async fn a_process_may_die_at_any_request_and_the_next_delivery_is_taken() {
    every_crash(async |calls| {
        let receiver = Receiver::of_stripe().await.counted_by(calls);
        let delivery = delivery(&receiver);
        let first = brief(&receiver.stripe().handle(request(STRIPE, &delivery)).await);
        assert!(matches!(first.as_str(), "200" | "503 try-again"), "{first}");
        let is_queued = !receiver.shop.payment_events_sent().is_empty();
        assert!(is_queued || !is_remembered(&receiver.shop, "stripe", &delivery.event_id).await, "an event would be lost");
        assert!(first != "200" || is_queued);
        calls.heal();
        assert_eq!(brief(&receiver.stripe().handle(request(STRIPE, &delivery)).await), "200", "{first}");
        is_taken(&receiver, "stripe", &delivery, &first).await;
    })
    .await;
}

#[tokio::test]
async fn a_process_that_receives_from_paypal_may_die_at_any_request_too() {
    every_crash(async |calls| {
        let paypal = Paypal::open();
        let receiver = Receiver::of_paypal(&paypal).await.counted_by(calls);
        let delivery = paypal.delivery("WEBHOOK-ONE");
        let first = brief(&receiver.paypal().handle(request("/webhooks/paypal", &delivery)).await);
        assert!(matches!(first.as_str(), "200" | "503 try-again"), "{first}");
        calls.heal();
        assert_eq!(brief(&receiver.paypal().handle(request("/webhooks/paypal", &delivery)).await), "200", "{first}");
        is_taken(&receiver, "paypal", &delivery, &first).await;
    })
    .await;
}

#[tokio::test]
async fn two_deliveries_of_paypal_at_once_are_both_acknowledged() {
    every_interleaving(async |interleaving| {
        let paypal = Paypal::open();
        let receiver = Receiver::of_paypal(&paypal).await.counted_by(&interleaving.calls);
        let delivery = paypal.delivery("WEBHOOK-ONE");
        let (hanging, other) =
            (receiver.paypal(), receiver.counted::<Judged<ReceivePaypal>>(&Calls::new(), &[("PAYPAL_URL", PAYPAL_URL)]));
        let ask = || request("/webhooks/paypal", &delivery);
        let (one, two) = interleaving.run(hanging.handle(ask()), other.handle(ask())).await;
        assert_eq!([brief(&one), brief(&two)], ["200", "200"]);
        is_taken(&receiver, "paypal", &delivery, "both").await;
    })
    .await;
}

/// A provider that gets no answer for a while delivers again. A new environment reads the account's keys, and PayPal's certificate.
#[tokio::test]
async fn an_event_is_acknowledged_within_a_second_also_by_a_new_environment() {
    let paypal = Paypal::open();
    let (stripe, of_paypal) = (Receiver::of_stripe().await, Receiver::of_paypal(&paypal).await);
    let from_stripe = delivery(&stripe);
    let from_paypal = paypal.delivery("WEBHOOK-ONE");
    let within = Duration::from_secs(1);
    let (to_stripe, to_paypal) = (stripe.stripe(), of_paypal.paypal());
    let answer = tokio::time::timeout(within, to_stripe.handle(request(STRIPE, &from_stripe))).await;
    assert_eq!(brief(&answer.expect("Stripe waits no longer")), "200");
    let answer = tokio::time::timeout(within, to_paypal.handle(request("/webhooks/paypal", &from_paypal))).await;
    assert_eq!(brief(&answer.expect("PayPal waits no longer")), "200");
}

/// Stripe may deliver an event twice at once.
#[tokio::test]
async fn two_deliveries_at_once_are_both_acknowledged() {
    every_interleaving(async |interleaving| {
        let receiver = Receiver::of_stripe().await.counted_by(&interleaving.calls);
        let delivery = delivery(&receiver);
        let (hanging, other) = (receiver.stripe(), receiver.counted::<Judged<ReceiveStripe>>(&Calls::new(), &[]));
        let (one, two) =
            interleaving.run(hanging.handle(request(STRIPE, &delivery)), other.handle(request(STRIPE, &delivery))).await;
        assert_eq!([brief(&one), brief(&two)], ["200", "200"]);
        is_taken(&receiver, "stripe", &delivery, "both").await;
    })
    .await;
}
