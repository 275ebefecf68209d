//! Which texts are times (RFC 3339) and currencies (ISO 4217), and what the answer says of the others.

use domain::Currency;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Shop, brief};

use crate::operators::manage_sale::{body, function, put};

/// The answer to a sale of which one member is altered: status and code, and the explanation.
async fn answer(pointer: &str, value: &Value) -> (String, String) {
    let shop = Shop::empty().await;
    let mut body = body(10);
    *body.pointer_mut(pointer).unwrap() = value.clone();
    let response = function(&shop, &Calls::new()).handle(put(&body)).await;
    let said = test_shop::body(&response)["detail"].as_str().unwrap_or_default().to_owned();
    (brief(&response), said)
}

#[tokio::test]
async fn every_form_of_a_time_is_taken() {
    for time in [
        "2026-11-01T12:30:00Z",
        "2026-11-01t12:30:00z",
        "2026-11-01T12:30:00+00:00",
        "2026-11-01T12:30:00-00:00",
        "2026-11-01T18:00:00+05:30",
        "2026-11-01T01:30:00-11:00",
        "2026-11-02T12:29:00+23:59",
        "2026-11-01T12:30:00.1Z",
        "2026-11-01T12:30:00.000000001Z",
        "2026-11-01T09:30:00.123456789-03:00",
        "2024-02-29T00:00:00Z",
        "2000-02-29T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
    ] {
        assert_eq!(answer("/starts_at", &json!(time)).await.0, "201", "{time}");
    }
}

#[tokio::test]
async fn what_is_no_time_is_refused_with_the_form_that_is() {
    let form = "a time is RFC 3339 with seconds and an offset, such as 2026-11-01T12:00:00Z";
    let date = "a time is a date that exists, before 9999-12-30, with at most nine decimals";
    for (time, says) in [
        ("", form),
        ("now", form),
        ("1793534400", form),
        ("2026-11-01", form),
        ("12:30:00Z", form),
        ("2026-11-01T12:30Z", form),
        ("2026-11-01T12:30:00", form),
        ("2026-11-01 12:30:00Z", form),
        ("2026-11-01_12:30:00Z", form),
        (" 2026-11-01T12:30:00Z", form),
        ("2026-11-01T12:30:00Z ", form),
        ("2026-11-01T12:30:00Z\n", form),
        ("2026-11-01T12:30:00 Z", form),
        ("2026-11-01T12:30:00UTC", form),
        ("2026-11-01T12:30:00Z[UTC]", form),
        ("2026-11-01T12:30:00+00:00[Europe/London]", form),
        ("2026-11-01T12:30:00+0000", form),
        ("2026-11-01T12:30:00+00", form),
        ("2026-11-01T12:30:00+0:00", form),
        ("2026-11-01T12:30:00+00:00:00", form),
        ("2026-11-01T12:30:00+24:00", form),
        ("2026-11-01T12:30:00\u{2212}05:00", form),
        ("2026-11-01T12:30:00.Z", form),
        ("2026-11-01T12:30:00,5Z", form),
        ("2026-11-01T12:30:60Z", form),
        ("2026-12-31T23:59:60Z", form),
        ("20261101T123000Z", form),
        ("2026-305T12:30:00Z", form),
        ("2026-W44-7T12:30:00Z", form),
        ("2026-11-1T12:30:00Z", form),
        ("26-11-01T12:30:00Z", form),
        ("+002026-11-01T12:30:00Z", form),
        ("-2026-11-01T12:30:00Z", form),
        ("\u{662}026-11-01T12:30:00Z", form),
        ("2026-11-01T12:30:00+05:60", date),
        ("2026-11-01T24:00:00Z", date),
        ("2026-11-01T12:60:00Z", date),
        ("2026-11-01T12:30:61Z", date),
        ("2026-02-29T12:30:00Z", date),
        ("1900-02-29T12:30:00Z", date),
        ("2026-11-31T12:30:00Z", date),
        ("2026-13-01T12:30:00Z", date),
        ("2026-00-01T12:30:00Z", date),
        ("2026-11-00T12:30:00Z", date),
        ("2026-11-01T12:30:00.1234567890Z", date),
        ("9999-12-31T23:59:59Z", date),
    ] {
        let (line, said) = answer("/starts_at", &json!(time)).await;
        assert_eq!((line.as_str(), said.as_str()), ("400 malformed-request /starts_at", says), "{time:?}");
    }
    for (value, says) in [
        (json!(1_793_534_400), "expected a string, found a number"),
        (json!(null), "expected a string, found null"),
        (json!({"seconds": 1}), "expected a string, found an object"),
    ] {
        assert_eq!(answer("/starts_at", &value).await.1, says);
    }
}

#[tokio::test]
async fn a_currency_in_use_is_taken_and_no_other() {
    let says = "a currency is an ISO 4217 code of three capital letters that is in use, such as \"USD\"";
    for currency in ["EUR", "JPY", "KWD", "XOF", "XCG"] {
        assert_eq!(answer("/price/currency", &json!(currency)).await.0, "201", "{currency}");
    }
    for currency in
        ["usd", "US", "USDT", "", " USD", "$", "AAA", "DEM", "HRK", "BGN", "XAU", "XDR", "XTS", "XXX", "CLF", "CHE", "840"]
    {
        let (line, said) = answer("/price/currency", &json!(currency)).await;
        assert_eq!((line.as_str(), said.as_str()), ("400 malformed-request /price/currency", says), "{currency}");
    }
    assert!(Currency::all_in_use().count() > 140);
}
