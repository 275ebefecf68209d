//! `POST /webhooks/paypal`: what is refused.

use receive_paypal::ReceivePaypal;
use test_provider::Delivery;
use test_shop::{Judged, nobody};

use crate::webhooks::{
    DELIVER_AGAIN, NO_ACCOUNT, RECEIVED, REFUSED, altered, nothing_happened, request, with_header, without_header,
    world::{PAYPAL_URL, Paypal, Receiver},
};

const PATH: &str = "/webhooks/paypal";

/// The answer in a new environment, which must do nothing, and how often it asked AWS and PayPal.
async fn refused(receiver: &Receiver, paypal: &Paypal, delivery: &Delivery, context: &str) -> (String, usize, usize) {
    receiver.calls.reset();
    let before = paypal.asked().len();
    let told = test_aws::told(&receiver.paypal().handle(request(PATH, delivery)).await);
    nothing_happened(&receiver.shop, context).await;
    (told, receiver.calls.total(), paypal.asked().len() - before)
}

#[tokio::test]
async fn what_paypal_has_not_signed_for_one_of_the_accounts_is_refused_without_a_reason() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let good = paypal.delivery("WEBHOOK-ONE");
    for (why, delivery) in [
        ("another shop's webhook", paypal.delivery("WEBHOOK-OF-ANOTHER-SHOP")),
        ("an altered body", altered(&good)),
        ("no body", Delivery { body: Vec::new(), ..good.clone() }),
        ("another id", with_header(&good, "paypal-transmission-id", "1")),
        ("another time", with_header(&good, "paypal-transmission-time", "2026-11-01T12:01:01Z")),
        ("another signature", with_header(&good, "paypal-transmission-sig", "c2lnbmVkIGJ5IG5vYm9keQ==")),
    ] {
        assert_eq!(refused(&receiver, &paypal, &delivery, why).await, (REFUSED.to_owned(), 2, 1), "{why}");
    }
}

#[tokio::test]
async fn what_paypal_would_never_send_costs_no_call() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let good = paypal.delivery("WEBHOOK-ONE");
    let headers =
        ["paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig", "paypal-cert-url", "paypal-auth-algo"];
    for header in headers {
        let refusal = refused(&receiver, &paypal, &without_header(&good, header), header).await;
        assert_eq!(refusal, (REFUSED.to_owned(), 0, 0), "without {header}");
    }
    for (header, value) in [
        ("paypal-auth-algo", "SHA1withRSA"),
        ("paypal-transmission-sig", "!"),
        ("paypal-cert-url", "https://api.paypal.com/v1/notifications/certs/CERT-1"),
        ("paypal-cert-url", "http://169.254.169.254/latest/meta-data/"),
        ("paypal-cert-url", "http://127.0.0.1:12112/v1/oauth2/token"),
        ("paypal-cert-url", "http://127.0.0.1:12112@example.com/v1/notifications/certs/CERT-1"),
        ("paypal-cert-url", "http://127.0.0.1:12112/v1/notifications/certs/../../../x"),
    ] {
        let refusal = refused(&receiver, &paypal, &with_header(&good, header, value), value).await;
        assert_eq!(refusal, (REFUSED.to_owned(), 0, 0), "{header}: {value}");
    }
}

#[tokio::test]
async fn a_certificate_that_paypal_does_not_have_is_refused() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let unknown = format!("{PAYPAL_URL}/v1/notifications/certs/CERT-2");
    let delivery = with_header(&paypal.delivery("WEBHOOK-ONE"), "paypal-cert-url", &unknown);
    assert_eq!(refused(&receiver, &paypal, &delivery, "unknown").await, (REFUSED.to_owned(), 0, 1));
}

#[tokio::test]
async fn while_the_certificate_cannot_be_fetched_paypal_delivers_again() {
    let paypal = Paypal::open();
    let mut receiver = Receiver::of_paypal(&paypal).await;
    let delivery = paypal.delivery("WEBHOOK-ONE");
    let providers = std::mem::replace(&mut receiver.shop.providers, nobody());
    assert_eq!(refused(&receiver, &paypal, &delivery, "nobody").await, (DELIVER_AGAIN.to_owned(), 0, 0));
    receiver.shop.providers = providers;
    assert_eq!(test_aws::told(&receiver.paypal().handle(request(PATH, &delivery)).await), RECEIVED);
}

/// The certificate of the fake leads to no root. It is believed because it comes from this machine, and only on the local stack.
#[tokio::test]
async fn outside_the_local_stack_the_fake_is_not_believed() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let good = paypal.delivery("WEBHOOK-ONE");
    for (stage, url, host) in [
        ("staging", "https://api-m.sandbox.paypal.com", "https://api.sandbox.paypal.com"),
        ("staging", "https://api-m.paypal.com", "https://api.paypal.com"),
        ("local", "https://api-m.paypal.com", "https://api.paypal.com"),
    ] {
        let function: Judged<ReceivePaypal> = receiver.function(&[("ENVIRONMENT", stage), ("PAYPAL_URL", url)]);
        assert_eq!(test_aws::told(&function.handle(request(PATH, &good)).await), REFUSED, "{stage}: from this machine");
        // The fake answers in the place of PayPal's host: its certificate is not PayPal's.
        let path = "/v1/notifications/certs/CERT-00000000-00000000-00000001";
        let delivery = with_header(&good, "paypal-cert-url", &format!("{host}{path}"));
        let before = paypal.asked().len();
        assert_eq!(test_aws::told(&function.handle(request(PATH, &delivery)).await), REFUSED, "{stage}: as {host}");
        assert_eq!(paypal.asked()[before..], [format!("GET {host}{path}")]);
        nothing_happened(&receiver.shop, stage).await;
    }
}

#[tokio::test]
async fn a_shop_without_an_account_at_paypal_takes_no_event() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_nobody().await;
    let delivery = paypal.delivery("WEBHOOK-ONE");
    assert_eq!(refused(&receiver, &paypal, &delivery, "no account").await, (NO_ACCOUNT.to_owned(), 0, 0));
}

#[tokio::test]
async fn an_account_without_a_webhook_is_signed_for_nothing() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    receiver.paypal_keys("paypal", None);
    receiver.paypal_keys("paypal-eu", Some(""));
    for webhook_id in ["", "null"] {
        let delivery = paypal.delivery(webhook_id);
        assert_eq!(refused(&receiver, &paypal, &delivery, webhook_id).await.0, REFUSED, "{webhook_id:?}");
    }
}

#[tokio::test]
async fn while_keys_cannot_be_read_their_account_may_have_been_meant() {
    let paypal = Paypal::open();
    let receiver = Receiver::of_paypal(&paypal).await;
    let delivery = paypal.delivery("WEBHOOK-TWO");
    receiver.shop.vault.fail(true);
    assert_eq!(refused(&receiver, &paypal, &delivery, "no keys").await.0, DELIVER_AGAIN);
    receiver.shop.vault.fail(false);
    assert_eq!(test_aws::told(&receiver.paypal().handle(request(PATH, &delivery)).await), RECEIVED);
}
