//! Which requests the gate judges, and its limits.

use contract::GateValue;
use domain::{ProductId, Sale, SaleStatus, Timestamp};
use serde_json::json;
use system_tests::repository::root;
use test_shop::draft;

use crate::node::{Asked, judge};

/// CloudFront takes no larger function
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>).
const LARGEST_FUNCTION_BYTES: u64 = 10 * 1024;

fn now() -> Timestamp {
    "2026-11-01T12:01:00Z".parse().unwrap()
}

fn closed() -> String {
    let sale = Sale { status: SaleStatus::Closed, ..Sale::of("demo".parse().unwrap(), draft()) };
    GateValue::new(&sale, None).text()
}

#[test]
fn the_gate_judges_reservations_by_path_or_parameter_and_nothing_else() {
    let post = |path: &str| Asked::post(path, now());
    let repeated = json!({"product_id": {"value": "demo", "multiValue": [{"value": "other"}, {"value": "demo"}]}});
    let cases = [
        (post("/reserve-inventory").of("demo"), false),
        (post("/reserve-inventory/").of("demo"), false),
        (post("/add-to-cart").of("demo"), false),
        (post("/api/flash-sales/demo/order"), false),
        (post("/api/flash-sales/demo/order/"), false),
        (post("/reserve-inventory"), true),
        (post("/reserve-inventory").of("other"), true),
        (post("/reserve-inventory").of("Demo"), true),
        (post("/reserve-inventory").of("%64emo"), true),
        (post("/reserve-inventory").of(""), true),
        (Asked { query: repeated, ..post("/reserve-inventory") }, true),
        (post("/reserve-inventoryx").of("demo"), true),
        (post("/v1/reserve-inventory").of("demo"), true),
        (post("/api/flash-sales/other/order"), true),
        (post("/api/flash-sales/demo/order/more"), true),
        (post("/api/flash-sales/demo/standby"), true),
        (post("/checkout").of("demo"), true),
        (post("/payment").of("demo"), true),
        (post("/admin/flash-sales/demo/close"), true),
        (post("/webhooks/stripe").of("demo"), true),
        (Asked { method: "OPTIONS", ..post("/reserve-inventory").of("demo") }, true),
        (Asked { method: "GET", ..post("/api/flash-sales/demo/order") }, true),
        (Asked { method: "DELETE", ..post("/reserve-inventory").of("demo") }, true),
    ];
    let asked: Vec<Asked> = cases.iter().map(|(asked, _)| asked.clone().told("demo", Some(closed()))).collect();
    for (judged, (asked, passes)) in judge(&asked).iter().zip(&cases) {
        assert_eq!(judged.passed, *passes, "{asked:?}");
    }
}

#[test]
fn a_value_that_the_gate_cannot_read_lets_every_request_through() {
    let values = ["", "{", "null", "[]", "7", "{}", r#"{"v":2,"status":"closed"}"#, r#"{"v":1}"#, r#"{"v":1,"status":"timed"}"#];
    let asked: Vec<Asked> = values
        .iter()
        .map(|value| Asked::post("/api/flash-sales/demo/order", now()).told("demo", Some((*value).to_owned())))
        .collect();
    for (judged, value) in judge(&asked).iter().zip(values) {
        assert!(judged.passed, "{value}");
    }
}

#[test]
fn the_gate_and_its_largest_value_are_as_small_as_cloudfront_asks() {
    let bytes = std::fs::metadata(root().join("infra/edge/gate/gate.js")).unwrap().len();
    assert!(bytes <= LARGEST_FUNCTION_BYTES, "{bytes} bytes");
    let time: Timestamp = "9999-12-30T22:00:00.123456789Z".parse().unwrap();
    let product: ProductId = "x".repeat(ProductId::MAX_LENGTH).parse().unwrap();
    let draft = domain::SaleDraft { starts_at: time, ends_at: time, visible_from: Some(time), ..draft() };
    let stock = domain::Exhausted { until: time, held: u32::MAX, next_ends_at: Some(time), half_end_at: Some(time) };
    let value = GateValue::new(&Sale::of(product, draft), Some(&stock)).text();
    assert!(value.len() <= GateValue::MOST_BYTES, "{} bytes: {value}", value.len());
}
