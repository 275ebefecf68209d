//! What the functions have written into their logs, in all tests before: nothing of a person, and no secret.
//!
//! Ignored unless named, because it is worth most after all others: `cargo xtask test` runs it last.

use std::collections::BTreeSet;

use domain::has_card_number;
use serde_json::{Value, json};

use crate::stack::{PASSWORD, Stack, checkout};

/// Events that the service returns at once.
const MOST_EVENTS: usize = 10_000;

impl Stack {
    async fn logs(&self, operation: &str, input: Value) -> Value {
        let (status, body) = self.aws("logs", &format!("Logs_20140328.{operation}"), &input).await;
        assert!(status.is_success(), "{operation}: {status} {body}");
        body
    }

    /// The lines in a log group, in the order of their times. Each is visited once.
    async fn visit_log(&self, group: &str, mut visit: impl FnMut(&str)) {
        let (mut seen, mut since) = (BTreeSet::new(), 0);
        loop {
            let answer =
                self.logs("FilterLogEvents", json!({"logGroupName": group, "startTime": since, "limit": MOST_EVENTS})).await;
            let events = answer["events"].as_array().cloned().unwrap_or_default();
            let before = seen.len();
            for event in &events {
                // Pages overlap in a millisecond.
                let line = (event["timestamp"].as_i64().unwrap(), event["message"].as_str().unwrap().to_owned());
                since = line.0;
                if !seen.contains(&line) {
                    visit(&line.1);
                    seen.insert(line);
                }
            }
            if events.len() < MOST_EVENTS {
                return;
            }
            assert!(seen.len() > before, "{group} has more lines in one millisecond than a page");
        }
    }
}

/// Why a line must not be in a log; `None` if nothing speaks against it.
fn fault(line: &str) -> Option<&'static str> {
    let body = checkout("", "");
    let address = body["shipping_address"].as_object().unwrap().values().filter_map(Value::as_str).filter(|text| text.len() > 2);
    let of_an_address: Vec<&str> = address.collect();
    [
        ("a token", &["eyJ", "Bearer "][..]),
        ("a password", &[PASSWORD]),
        ("a secret", &["sk_test_", "whsec_", "_secret_", "client_secret", "webhook_secrets"]),
        ("an e-mail address", &["@example.com", "%40example.com"]),
        ("a postal address", &of_an_address),
        ("a payment method", &["stripe:", "paypal:", "sandbox:", "pm_card"]),
    ]
    .into_iter()
    .find_map(|(what, texts)| texts.iter().any(|text| line.contains(text)).then_some(what))
    .or_else(|| has_card_number(&without_trace(line)).then_some("a card number"))
}

/// The line without the id of its X-Ray trace: 16 hexadecimal digits may be 14 decimal ones, and by chance those of a card.
fn without_trace(line: &str) -> String {
    let Some((before, id)) = line.split_once("xrayTraceId=\"") else { return line.to_owned() };
    format!("{before}{}", id.split_once('"').map_or("", |(_, after)| after))
}

#[test]
fn lines_that_must_not_be_logged_are_recognised() {
    for line in [
        r#"{"headers": {"Authorization": "Bearer x"}}"#,
        "eyJhbGciOiJSUzI1NiJ9.e30.x",
        r#"{"city":"Cupertino"}"#,
        "shopper-1@example.com",
        "method=sandbox:ok",
        "stripe:pm_card_visa",
        "4242 4242 4242 4242",
        PASSWORD,
    ] {
        assert!(fault(line).is_some(), "{line}");
    }
    let traced = |rest: &str| format!(r#"invoke{{xrayTraceId="Root=1-6b0b4fb2-05d105e1;Parent=47061121514142cf"}}: {rest}"#);
    assert_eq!(fault(&traced("a shopper is notified")), None);
    assert_eq!(fault(&traced("4242 4242 4242 4242")), Some("a card number"));
    assert_eq!(fault(r#"{"level":"INFO","gateway":"stripe","key":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D#1"}"#), None);
}

#[tokio::test]
#[ignore = "reads what all other tests have made the functions log"]
async fn no_log_line_of_the_whole_run_has_anything_of_a_person() {
    let stack = Stack::running();
    let groups = stack.logs("DescribeLogGroups", json!({"logGroupNamePrefix": "/flash-sale-local/", "limit": 50})).await;
    let groups: Vec<&str> = groups["logGroups"].as_array().unwrap().iter().filter_map(|it| it["logGroupName"].as_str()).collect();
    assert!((10..50).contains(&groups.len()), "{groups:?}");
    let (mut faults, mut lines, mut speaking) = (Vec::new(), 0, 0);
    for group in groups {
        let before = lines;
        let visit = |line: &str| {
            lines += 1;
            if let Some(what) = fault(line) {
                faults.push(format!("{group} has {what}: {line}"));
            }
        };
        stack.visit_log(group, visit).await;
        speaking += usize::from(lines > before);
    }
    assert!(lines > 1_000 && speaking > 20, "only {lines} lines of {speaking} functions: the tests before have not run");
    let shown: Vec<&String> = faults.iter().take(20).collect();
    assert!(faults.is_empty(), "{} of {lines} lines: {shown:#?}", faults.len());
}
