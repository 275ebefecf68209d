//! The answers to the sample events, without and with accounts at the providers. A signature is good for minutes, or for one webhook,
//! so none of these events is taken.

use insta::assert_snapshot;
use kit::HttpFunction;
use parts::FromParts;
use receive_paypal::ReceivePaypal;
use receive_stripe::ReceiveStripe;
use test_aws::Calls;
use test_cases::{Answer, Event};
use test_shop::{Judged, Shop, brief};

use crate::webhooks::read;

/// Each case with its answers, one per line. No answer may cost a call.
async fn answers<F: HttpFunction + FromParts>(name: &str) -> String {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let mut lines = Vec::new();
    for case in test_cases::cases().into_iter().filter(|case| case.function == name) {
        assert!(matches!(case.event, Event::Http(_)));
        let mut line = format!("{}:", case.name);
        for expected in &case.expected {
            let gateways = if expected.has_accounts { "stripe=pk_test_1,paypal=client" } else { "sandbox" };
            let variables = [("PAYMENT_GATEWAYS", gateways), ("PAYPAL_URL", "https://api-m.paypal.com")];
            let function: Judged<F> = FromParts::wire(&mut shop.parts_with(&calls, &variables)).unwrap();
            let response = function.handle(read(case.json())).await;
            assert!(matches!(&expected.answer, Answer::Http { status, .. } if *status == response.status().as_u16()), "{line}");
            line = format!("{line} {},", brief(&response));
        }
        lines.push(line.trim_end_matches(',').to_owned());
    }
    assert_eq!(calls.total(), 0);
    lines.join("\n")
}

#[tokio::test]
async fn receive_stripe_answers_its_sample_events() {
    assert_snapshot!(answers::<ReceiveStripe>("receive-stripe").await, @r"
    ok: 404 unknown-provider, 400 webhook-refused
    base64: 404 unknown-provider, 400 webhook-refused
    no-signature: 404 unknown-provider, 400 webhook-refused
    no-body: 404 unknown-provider, 400 webhook-refused
    ");
}

#[tokio::test]
async fn receive_paypal_answers_its_sample_events() {
    assert_snapshot!(answers::<ReceivePaypal>("receive-paypal").await, @r"
    ok: 404 unknown-provider, 400 webhook-refused
    base64: 404 unknown-provider, 400 webhook-refused
    no-signature: 404 unknown-provider, 400 webhook-refused
    no-body: 404 unknown-provider, 400 webhook-refused
    weak-algorithm: 404 unknown-provider, 400 webhook-refused
    ");
}
