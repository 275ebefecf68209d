//! Orders: what is created, who may do what in which status, and what the payer's instrument does.

use fake_paypal::Instrument;
use serde_json::{Value, json};

use crate::world::{BASE_URL, World, options, order, usd};

#[test]
fn an_order_without_a_payment_source_is_created_with_an_approve_link() {
    let mut world = World::new();
    let made = world.post("/v2/checkout/orders", "", &order("AUTHORIZE", "10.5"));
    assert_eq!((made.status, made.text("/status")), (201, "CREATED"));
    assert_eq!(made.body["purchase_units"][0]["amount"], usd("10.50"));
    assert_eq!(made.text("/purchase_units/0/reference_id"), "default");
    let id = made.text("/id").to_owned();
    assert_eq!(made.link("approve"), format!("{BASE_URL}/checkoutnow?token={id}"));
    assert_eq!(made.link("authorize"), format!("{BASE_URL}/v2/checkout/orders/{id}/authorize"));
    assert_eq!(world.get(made.link("self")).body, made.body);
}

#[test]
fn an_order_with_a_payment_source_requires_the_payer_s_action_and_a_request_id() {
    let mut world = World::new();
    let mut body = order("AUTHORIZE", "10.00");
    body["payment_source"] = json!({"paypal": {"experience_context": {"return_url": "https://shop.example/back?a=b"}}});
    assert_eq!(world.post("/v2/checkout/orders", "", &body).outcome(), "400 PAYPAL_REQUEST_ID_REQUIRED");
    let made = world.post("/v2/checkout/orders", "create-1", &body);
    assert_eq!(made.outcome(), "200 PAYER_ACTION_REQUIRED");
    let approval = made.link("payer-action").to_owned();
    let id = made.text("/id").to_owned();
    let page = world.request("GET", &approval, &Value::Null, &[]);
    let test_provider::Answer::Now(page) = world.answer(&page) else { panic!("no answer") };
    assert_eq!(page.status(), 302);
    assert_eq!(page.headers()["location"], format!("https://shop.example/back?a=b&token={id}&PayerID=FAKEPAYER0001"));
    assert_eq!(world.get(made.link("self")).text("/status"), "APPROVED");
}

#[test]
fn a_minimal_answer_has_id_status_and_links_only() {
    let mut world = World::new();
    let request = world.request("POST", "/v2/checkout/orders", &order("CAPTURE", "1.00"), &[]);
    let made = world.sent(&request);
    let names: Vec<&String> = made.body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "links", "status"]);
}

#[test]
fn what_is_wrong_with_an_order_is_named() {
    let with = |pointer: &str, value: Value| {
        let mut body = order("AUTHORIZE", "10.00");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let unit = |member: &str, value: Value| {
        let mut body = order("AUTHORIZE", "10.00");
        body["purchase_units"][0][member] = value;
        body
    };
    let table = [
        (json!([]), "400 MALFORMED_REQUEST_JSON"),
        (json!({}), "400 MISSING_REQUIRED_PARAMETER"),
        (with("/intent", json!("SELL")), "400 INVALID_PARAMETER_VALUE"),
        (with("/purchase_units", json!([])), "400 MISSING_REQUIRED_PARAMETER"),
        (with("/purchase_units", json!([{}, {}])), "422 UNSUPPORTED_INTENT"),
        (with("/purchase_units/0/amount", Value::Null), "400 MISSING_REQUIRED_PARAMETER"),
        (with("/purchase_units/0/amount/value", json!(10.0)), "400 INVALID_PARAMETER_SYNTAX"),
        (with("/purchase_units/0/amount/value", json!("ten")), "400 INVALID_PARAMETER_SYNTAX"),
        (with("/purchase_units/0/amount/value", json!("10.001")), "422 DECIMAL_PRECISION"),
        (with("/purchase_units/0/amount/value", json!("0.00")), "422 CANNOT_BE_ZERO_OR_NEGATIVE"),
        (with("/purchase_units/0/amount/currency_code", json!("KWD")), "422 INVALID_CURRENCY_CODE"),
        (with("/purchase_units/0/amount/currency_code", json!("JPY")), "422 DECIMALS_NOT_SUPPORTED"),
        (with("/purchase_units/0/amount/currency_code", json!("DOLLAR")), "400 INVALID_STRING_LENGTH"),
        (unit("custom_id", json!("x".repeat(128))), "400 INVALID_STRING_LENGTH"),
        (unit("invoice_id", json!("")), "400 INVALID_STRING_LENGTH"),
        (unit("soft_descriptor", json!("x".repeat(23))), "400 INVALID_STRING_LENGTH"),
        (unit("items", json!([{}])), "501 NOT_IN_THE_FAKE"),
    ];
    for (body, expected) in table {
        assert_eq!(World::new().post("/v2/checkout/orders", "", &body).outcome(), expected, "{body}");
    }
}

#[test]
fn an_order_moves_only_as_its_status_and_intent_allow() {
    // Before approval, after approval, and after it was authorized or captured.
    let table = [
        ("AUTHORIZE", "authorize", ["422 ORDER_NOT_APPROVED", "201 COMPLETED", "422 ORDER_ALREADY_AUTHORIZED"]),
        ("CAPTURE", "capture", ["422 ORDER_NOT_APPROVED", "201 COMPLETED", "422 ORDER_ALREADY_CAPTURED"]),
        ("AUTHORIZE", "capture", ["422 ACTION_DOES_NOT_MATCH_INTENT"; 3]),
        ("CAPTURE", "authorize", ["422 ACTION_DOES_NOT_MATCH_INTENT"; 3]),
    ];
    for (intent, action, expected) in table {
        let mut world = World::new();
        let made = world.post("/v2/checkout/orders", "", &order(intent, "1.00"));
        let path = format!("{}/{action}", made.link("self"));
        let before = world.post(&path, "", &Value::Null).outcome();
        world.fake.approve(made.text("/id"), Instrument::Good, world.now).unwrap();
        assert_eq!(world.get(made.link("self")).text("/status"), "APPROVED");
        let (first, second) = (world.post(&path, "", &Value::Null).outcome(), world.post(&path, "", &json!({})).outcome());
        assert_eq!([before, first, second], expected, "{intent} {action}");
    }
}

#[test]
fn the_instrument_decides_what_an_authorization_and_a_capture_become() {
    use Instrument::{AuthorizationDenied, AuthorizationPending, CaptureDeclined, CapturePending, Good};
    let first = |intent: &str, action: &str, instrument| {
        let mut world = World::new();
        let order = world.approved(intent, instrument);
        let made = world.post(&format!("{order}/{action}"), "", &Value::Null);
        let payment = made.body.pointer("/purchase_units/0/payments").unwrap();
        let list = payment.get("authorizations").or_else(|| payment.get("captures")).unwrap();
        (made.outcome(), list[0]["status"].as_str().unwrap().to_owned())
    };
    for (instrument, status) in [(Good, "CREATED"), (AuthorizationPending, "PENDING"), (AuthorizationDenied, "DENIED")] {
        assert_eq!(first("AUTHORIZE", "authorize", instrument), ("201 COMPLETED".to_owned(), status.to_owned()));
    }
    for (instrument, status) in [(Good, "COMPLETED"), (CapturePending, "PENDING"), (CaptureDeclined, "DECLINED")] {
        assert_eq!(first("CAPTURE", "capture", instrument), ("201 COMPLETED".to_owned(), status.to_owned()));
    }
}

#[test]
fn a_payer_who_is_refused_approves_again_and_pays_with_another_instrument() {
    for (instrument, outcome, relation) in [
        (Instrument::Declines, "422 INSTRUMENT_DECLINED", "redirect"),
        (Instrument::ActionRequired, "422 PAYER_ACTION_REQUIRED", "payer-action"),
    ] {
        for (intent, action) in [("AUTHORIZE", "authorize"), ("CAPTURE", "capture")] {
            let mut world = World::new();
            let order = world.approved(intent, instrument);
            let refused = world.post(&format!("{order}/{action}"), "", &Value::Null);
            assert_eq!(refused.outcome(), outcome);
            assert_eq!(refused.text("/name"), "UNPROCESSABLE_ENTITY");
            let id = order.rsplit('/').next().unwrap();
            assert_eq!(refused.link(relation), format!("{BASE_URL}/checkoutnow?token={id}"));
            assert_eq!(world.post(&format!("{order}/{action}"), "", &Value::Null).outcome(), outcome);
            world.fake.approve(id, Instrument::Good, world.now).unwrap();
            assert_eq!(world.post(&format!("{order}/{action}"), "", &Value::Null).outcome(), "201 COMPLETED");
        }
    }
}

#[test]
fn an_order_that_is_declined_too_often_takes_no_payment_any_more() {
    let mut world = World::with(fake_paypal::Options { most_declines: 2, ..options() });
    let order = world.approved("CAPTURE", Instrument::Declines);
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(world.post(&format!("{order}/capture"), "", &Value::Null).outcome());
    }
    assert_eq!(outcomes, ["422 INSTRUMENT_DECLINED", "422 INSTRUMENT_DECLINED", "422 MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED"]);
}

#[test]
fn a_payer_who_leaves_can_come_back() {
    let mut world = World::new();
    let mut body = order("CAPTURE", "1.00");
    body["application_context"] = json!({"cancel_url": "https://shop.example/left"});
    let made = world.post("/v2/checkout/orders", "", &body);
    let id = made.text("/id").to_owned();
    let left = world.fake.abandon(&id, world.now).unwrap();
    assert_eq!(left, Some(format!("https://shop.example/left?token={id}")));
    assert_eq!(world.get(made.link("self")).text("/status"), "CREATED");
    assert_eq!(world.fake.approve(&id, Instrument::Good, world.now), Ok(None));
    assert_eq!(world.get(made.link("self")).text("/status"), "APPROVED");
}

#[test]
fn tests_order_what_the_payer_does_over_http() {
    let mut world = World::new();
    let made = world.post("/v2/checkout/orders", "", &order("AUTHORIZE", "1.00"));
    let path = format!("/_fake/orders/{}/approve", made.text("/id"));
    assert_eq!(world.post(&path, "", &json!({"instrument": "cash"})).status, 409);
    assert_eq!(world.post(&path, "", &json!({"instrument": "authorization_pending"})).status, 200);
    let authorized = world.post(made.link("authorize"), "", &Value::Null);
    let id = authorized.text("/purchase_units/0/payments/authorizations/0/id").to_owned();
    let read = format!("/v2/payments/authorizations/{id}");
    assert_eq!(world.get(&read).text("/status"), "PENDING");
    assert_eq!(world.post(&format!("{read}/capture"), "", &Value::Null).outcome(), "422 TRANSACTION_REFUSED");
    assert_eq!(world.post(&format!("/_fake/authorizations/{id}/accept"), "", &Value::Null).status, 200);
    assert_eq!(world.get(&read).text("/status"), "CREATED");
    assert_eq!(world.get("/_fake/payments").text("/payments/0/authorization/id"), id);
    assert_eq!(world.post(&format!("/_fake/authorizations/{id}/accept"), "", &Value::Null).status, 409);
    assert_eq!(world.post("/_fake/orders/none/approve", "", &Value::Null).status, 409);
    assert_eq!(world.post("/_fake/else", "", &Value::Null).status, 400);
}
