//! `POST /webhooks/stripe`: what is refused.

use test_provider::Delivery;

use crate::webhooks::{
    DELIVER_AGAIN, NO_ACCOUNT, RECEIVED, REFUSED, a_second_later, altered, nothing_happened, request, with_header,
    without_header,
    world::{Receiver, signed_by_stripe, stripe_delivery},
};

const PATH: &str = "/webhooks/stripe";
/// The largest body that is read.
const LARGEST_BYTES: usize = 256 * 1024;

/// The answer in a shop with accounts, which must do nothing, and how often it asked AWS.
async fn refused(receiver: &Receiver, delivery: &Delivery, context: &str) -> (String, usize) {
    receiver.calls.reset();
    let told = test_aws::told(&receiver.stripe().handle(request(PATH, delivery)).await);
    nothing_happened(&receiver.shop, context).await;
    (told, receiver.calls.total())
}

#[tokio::test]
async fn what_no_account_has_signed_is_refused_without_a_reason() {
    let receiver = Receiver::of_stripe().await;
    let good = stripe_delivery("whsec_one", receiver.now());
    let of_another = stripe_delivery("whsec_of_another_shop", receiver.now());
    let signature = good.headers.iter().find(|(name, _)| name == "stripe-signature").unwrap().1.clone();
    let of_a_test = signature.replace("v1=", "v0=") + ",v1=" + &"0".repeat(64);
    for (why, delivery) in [
        ("another shop's secret", of_another),
        ("an altered body", altered(&good)),
        ("no body", Delivery { body: Vec::new(), ..good.clone() }),
        ("another scheme", with_header(&good, "stripe-signature", &of_a_test)),
        ("another time", with_header(&good, "stripe-signature", &signature.replacen("t=1", "t=01", 1))),
    ] {
        // Both accounts' keys are read; they are not read again at once.
        assert_eq!(refused(&receiver, &delivery, why).await, (REFUSED.to_owned(), 2), "{why}");
    }
}

#[tokio::test]
async fn what_no_secret_could_make_good_costs_no_call() {
    let receiver = Receiver::of_stripe().await;
    let good = stripe_delivery("whsec_one", receiver.now());
    for (why, delivery) in [
        ("no header", without_header(&good, "stripe-signature")),
        ("an empty header", with_header(&good, "stripe-signature", "")),
        ("no signature in it", with_header(&good, "stripe-signature", "t=1")),
        ("no time in it", with_header(&good, "stripe-signature", "v1=00")),
    ] {
        assert_eq!(refused(&receiver, &delivery, why).await, (REFUSED.to_owned(), 0), "{why}");
    }
    for (seconds, expected) in [(301, REFUSED), (-602, REFUSED), (1, RECEIVED)] {
        receiver.shop.clock.advance_seconds(seconds);
        receiver.calls.reset();
        let told = test_aws::told(&receiver.stripe().handle(request(PATH, &good)).await);
        assert_eq!((told.as_str(), receiver.calls.total() > 0), (expected, expected == RECEIVED), "{seconds} s later");
    }
}

#[tokio::test]
async fn an_event_has_256_kib_at_most() {
    let receiver = Receiver::of_stripe().await;
    let padded = |bytes: usize| {
        let event = r#"{"id":"evt_1","type":"a.b","created":0,"data":{"object":{"id":"x_1"}},"padding":""}"#;
        event.replace(r#""padding":""#, &format!(r#""padding":"{}"#, "x".repeat(bytes - event.len())))
    };
    let too_large = signed_by_stripe("whsec_one", padded(LARGEST_BYTES + 1).as_bytes(), receiver.now());
    let (told, calls) = refused(&receiver, &too_large, "a byte more").await;
    let expected = "413 Payload Too Large: body-too-large, The body is too large\na body may have up to 256 KiB";
    assert_eq!((told.as_str(), calls), (expected, 0));
    let largest = signed_by_stripe("whsec_one", padded(LARGEST_BYTES).as_bytes(), receiver.now());
    assert_eq!(largest.body.len(), LARGEST_BYTES);
    assert_eq!(test_aws::told(&receiver.stripe().handle(request(PATH, &largest)).await), RECEIVED);
    assert_eq!(receiver.shop.payment_events_sent().len(), 1);
}

#[tokio::test]
async fn what_is_signed_and_is_no_event_is_refused() {
    let receiver = Receiver::of_stripe().await;
    for body in [
        "",
        "{}",
        "[]",
        r#"{"id":"evt_1","type":"a.b","created":0}"#,
        r#"{"id":"","type":"a.b","created":0,"data":{"object":{"id":"x"}}}"#,
        r#"{"id":"evt 1","type":"a.b","created":0,"data":{"object":{"id":"x"}}}"#,
        r#"{"id":"evt_1","type":"\u0000","created":0,"data":{"object":{"id":"x"}}}"#,
        &format!(r#"{{"id":"evt_1","type":"a.b","created":0,"data":{{"object":{{"id":"{}"}}}}}}"#, "x".repeat(256)),
    ] {
        let delivery = signed_by_stripe("whsec_one", body.as_bytes(), receiver.now());
        assert_eq!(refused(&receiver, &delivery, body).await.0, REFUSED, "{body}");
    }
}

#[tokio::test]
async fn a_shop_without_an_account_at_stripe_takes_no_event() {
    let receiver = Receiver::of_nobody().await;
    let delivery = stripe_delivery("whsec_one", receiver.now());
    assert_eq!(refused(&receiver, &delivery, "no account").await, (NO_ACCOUNT.to_owned(), 0));
}

/// An account without a secret for webhooks has keys that fit nothing, an empty secret among them.
#[tokio::test]
async fn an_account_without_a_webhook_secret_signs_nothing() {
    let receiver = Receiver::of_stripe().await;
    receiver.stripe_keys("stripe", &[]);
    receiver.stripe_keys("stripe-eu", &[""]);
    for secret in ["", "whsec_one"] {
        let delivery = stripe_delivery(secret, receiver.now());
        assert_eq!(refused(&receiver, &delivery, secret).await.0, REFUSED, "{secret:?}");
    }
}

#[tokio::test]
async fn while_keys_cannot_be_read_their_account_may_have_signed() {
    let receiver = Receiver::of_stripe().await;
    let function = receiver.stripe();
    let (one, two) = (stripe_delivery("whsec_one", receiver.now()), stripe_delivery("whsec_two", receiver.now()));
    receiver.shop.vault.fail(true);
    assert_eq!(test_aws::told(&function.handle(request(PATH, &one)).await), DELIVER_AGAIN);
    nothing_happened(&receiver.shop, "no keys").await;
    receiver.shop.vault.fail(false);
    assert_eq!(test_aws::told(&function.handle(request(PATH, &one)).await), DELIVER_AGAIN, "not a read for each request");
    a_second_later().await;
    assert_eq!(test_aws::told(&function.handle(request(PATH, &one)).await), RECEIVED, "it has remembered no refusal");
    receiver.shop.vault.fail(true);
    assert_eq!(test_aws::told(&function.handle(request(PATH, &two)).await), DELIVER_AGAIN);
    let form = stripe_delivery("whsec_one", receiver.now());
    assert_eq!(test_aws::told(&function.handle(request(PATH, &form)).await), RECEIVED, "its keys are known");
    receiver.shop.vault.fail(false);
    a_second_later().await;
    assert_eq!(test_aws::told(&function.handle(request(PATH, &two)).await), RECEIVED);
}
