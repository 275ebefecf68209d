//! Authorizations: captures in whole and in part, voids, and invoice ids.

use fake_paypal::{Account, Instrument, Options};
use serde_json::{Value, json};

use crate::world::{BASE_URL, ONE, World, amount, options, order, usd};

#[test]
fn an_authorization_moves_only_as_its_status_allows() {
    // What is done first; what captures and voids then answer; the status before them.
    let table: [(&str, &str, &str, &str); 6] = [
        ("nothing", "CREATED", "201 COMPLETED", "200 VOIDED"),
        ("void", "VOIDED", "422 AUTHORIZATION_VOIDED", "422 PREVIOUSLY_VOIDED"),
        ("capture", "CAPTURED", "422 AUTHORIZATION_ALREADY_CAPTURED", "422 PREVIOUSLY_CAPTURED"),
        ("final part", "CAPTURED", "422 AUTHORIZATION_ALREADY_CAPTURED", "422 PREVIOUSLY_CAPTURED"),
        ("part", "PARTIALLY_CAPTURED", "201 COMPLETED", "200 VOIDED"),
        ("deny", "DENIED", "422 AUTHORIZATION_DENIED", "422 CANNOT_BE_VOIDED"),
    ];
    for (first, status, captures, voids) in table {
        let prepared = || {
            let mut world = World::new();
            let denied = first == "deny";
            let path = world.authorized(if denied { Instrument::AuthorizationDenied } else { Instrument::Good });
            match first {
                "void" => assert_eq!(world.post(&format!("{path}/void"), "", &Value::Null).status, 200),
                "capture" => assert_eq!(world.post(&format!("{path}/capture"), "", &Value::Null).status, 201),
                "part" => assert_eq!(world.post(&format!("{path}/capture"), "", &amount("60.00")).status, 201),
                "final part" => {
                    let body = json!({"amount": usd("60.00"), "final_capture": true});
                    assert_eq!(world.post(&format!("{path}/capture"), "", &body).status, 201);
                }
                _ => {}
            }
            assert_eq!(world.get(&path).text("/status"), status, "{first}");
            (world, path)
        };
        let (mut world, path) = prepared();
        assert_eq!(world.post(&format!("{path}/capture"), "", &amount("40.00")).outcome(), captures, "capture after {first}");
        let (mut world, path) = prepared();
        assert_eq!(world.post(&format!("{path}/void"), "", &Value::Null).outcome(), voids, "void after {first}");
    }
}

#[test]
fn a_capture_without_an_amount_takes_the_whole_authorization() {
    let mut world = World::new();
    let path = world.authorized(Instrument::Good);
    let capture = world.post(&format!("{path}/capture"), "", &Value::Null);
    assert_eq!(capture.body["amount"], usd("100.00"));
    assert_eq!(capture.text("/custom_id"), "sale.01J");
    assert_eq!(capture.link("up"), format!("{BASE_URL}{path}"));
    assert_eq!(world.get(capture.link("self")).body, capture.body);
    let order = world.get(&format!("/v2/checkout/orders/{}", capture.text("/supplementary_data/related_ids/order_id")));
    assert_eq!(order.text("/purchase_units/0/payments/authorizations/0/status"), "CAPTURED");
    assert_eq!(order.text("/purchase_units/0/payments/captures/0/id"), capture.text("/id"));
}

#[test]
fn captures_take_at_most_115_percent_and_75_dollars_more() {
    let capture = |value: &str, captured: &str| {
        let mut world = World::new();
        let made = world.post("/v2/checkout/orders", "", &order("AUTHORIZE", value));
        world.fake.approve(made.text("/id"), Instrument::Good, world.now).unwrap();
        let made = world.post(made.link("authorize"), "", &Value::Null);
        let id = made.text("/purchase_units/0/payments/authorizations/0/id").to_owned();
        world.post(&format!("/v2/payments/authorizations/{id}/capture"), "", &amount(captured)).outcome()
    };
    for (authorized, captured, outcome) in [
        ("100.00", "115.00", "201 COMPLETED"),
        ("100.00", "115.01", "422 MAX_CAPTURE_AMOUNT_EXCEEDED"),
        ("1000.00", "1075.00", "201 COMPLETED"),
        ("1000.00", "1075.01", "422 MAX_CAPTURE_AMOUNT_EXCEEDED"),
    ] {
        assert_eq!(capture(authorized, captured), outcome, "{captured} of {authorized}");
    }
}

#[test]
fn a_merchant_without_an_overage_captures_what_was_authorized_and_no_more() {
    let mut world = World::with(Options { capture_limit_percent: 100, ..options() });
    let path = world.authorized(Instrument::Good);
    let capture = format!("{path}/capture");
    assert_eq!(world.post(&capture, "", &amount("100.01")).outcome(), "422 MAX_CAPTURE_AMOUNT_EXCEEDED");
    assert_eq!(world.post(&capture, "", &amount("60.00")).outcome(), "201 COMPLETED");
    assert_eq!(world.post(&capture, "", &Value::Null).outcome(), "422 MAX_CAPTURE_AMOUNT_EXCEEDED");
    assert_eq!(world.post(&capture, "", &amount("40.00")).outcome(), "201 COMPLETED");
    assert_eq!(world.get(&path).text("/status"), "CAPTURED");
    let euros = json!({"amount": {"currency_code": "EUR", "value": "1.00"}});
    let path = world.authorized(Instrument::Good);
    assert_eq!(world.post(&format!("{path}/capture"), "", &euros).outcome(), "422 AUTH_CAPTURE_CURRENCY_MISMATCH");
}

#[test]
fn a_void_answers_nothing_or_the_authorization_and_voids_the_order() {
    let mut world = World::new();
    let path = world.authorized(Instrument::Good);
    let mut request = world.request("POST", &format!("{path}/void"), &Value::Null, &[]);
    request.headers_mut().remove("content-type");
    assert_eq!(world.sent(&request).status, 204);
    let authorization = world.get(&path);
    assert_eq!(authorization.text("/status"), "VOIDED");
    let order = format!("/v2/checkout/orders/{}", authorization.text("/supplementary_data/related_ids/order_id"));
    assert_eq!(world.get(&order).text("/status"), "VOIDED");
    assert_eq!(world.post(&format!("{order}/authorize"), "", &Value::Null).outcome(), "422 ORDER_ALREADY_AUTHORIZED");
}

#[test]
fn a_pending_capture_is_completed_or_denied_by_paypal() {
    for (completed, status, of_authorization) in [(true, "COMPLETED", "CAPTURED"), (false, "DECLINED", "CREATED")] {
        let mut world = World::new();
        let authorization = world.authorized(Instrument::CapturePending);
        let capture = world.post(&format!("{authorization}/capture"), "", &json!({"final_capture": true}));
        assert_eq!((capture.text("/status"), world.get(&authorization).text("/status")), ("PENDING", "CAPTURED"));
        assert_eq!(world.post(capture.link("refund"), "", &Value::Null).outcome(), "422 PENDING_CAPTURE");
        world.fake.decide_capture(capture.text("/id"), completed, world.now).unwrap();
        assert_eq!(world.get(capture.link("self")).text("/status"), status);
        assert_eq!(world.get(&authorization).text("/status"), of_authorization);
    }
}

fn invoiced(world: &mut World, invoice_id: &str) -> String {
    let mut body = order("AUTHORIZE", "100.00");
    body["purchase_units"][0]["invoice_id"] = json!(invoice_id);
    let made = world.post("/v2/checkout/orders", "", &body);
    world.fake.approve(made.text("/id"), Instrument::Good, world.now).unwrap();
    made.link("authorize").to_owned()
}

#[test]
fn an_invoice_id_is_for_one_payment_of_an_account() {
    let mut world = World::new();
    let (first, second) = (invoiced(&mut world, "I-1"), invoiced(&mut world, "I-1"));
    let authorized = world.post(&first, "", &Value::Null);
    assert_eq!(authorized.outcome(), "201 COMPLETED");
    assert_eq!(world.post(&second, "", &Value::Null).outcome(), "422 DUPLICATE_INVOICE_ID");
    // A void does not give the invoice id back.
    let id = authorized.text("/purchase_units/0/payments/authorizations/0/id").to_owned();
    assert_eq!(world.post(&format!("/v2/payments/authorizations/{id}/void"), "", &Value::Null).status, 200);
    assert_eq!(world.post(&second, "", &Value::Null).outcome(), "422 DUPLICATE_INVOICE_ID");
    world.as_other();
    let other = invoiced(&mut world, "I-1");
    assert_eq!(world.post(&other, "", &Value::Null).outcome(), "201 COMPLETED");
}

#[test]
fn two_captures_cannot_name_the_same_invoice_id() {
    let mut world = World::new();
    let path = world.authorized(Instrument::Good);
    let part = |invoice_id: &str| json!({"amount": usd("10.00"), "invoice_id": invoice_id});
    assert_eq!(world.post(&format!("{path}/capture"), "", &part("I-1")).outcome(), "201 COMPLETED");
    assert_eq!(world.post(&format!("{path}/capture"), "", &part("I-1")).outcome(), "422 DUPLICATE_INVOICE_ID");
    assert_eq!(world.post(&format!("{path}/capture"), "", &part("I-2")).outcome(), "201 COMPLETED");
}

#[test]
fn an_account_can_admit_the_same_invoice_id_twice() {
    let account = Account { unique_invoice_ids: false, ..Account::new(ONE, "secret_one_local") };
    let mut world = World::with(Options { accounts: vec![account], ..options() });
    let (first, second) = (invoiced(&mut world, "I-1"), invoiced(&mut world, "I-1"));
    assert_eq!(world.post(&first, "", &Value::Null).outcome(), "201 COMPLETED");
    assert_eq!(world.post(&second, "", &Value::Null).outcome(), "201 COMPLETED");
}

#[test]
fn the_books_say_what_is_held_captured_and_refunded() {
    let mut world = World::new();
    let mut seen = Vec::new();
    let mut note = |world: &World| {
        let payment = &world.fake.payments()[0];
        seen.push((payment.order_status, payment.held_minor, payment.captured_minor, payment.refunded_minor));
    };
    let order = world.post("/v2/checkout/orders", "", &order("AUTHORIZE", "100.00"));
    note(&world);
    world.fake.approve(order.text("/id"), Instrument::Good, world.now).unwrap();
    note(&world);
    let authorized = world.post(order.link("authorize"), "", &Value::Null);
    note(&world);
    let id = authorized.text("/purchase_units/0/payments/authorizations/0/id").to_owned();
    let capture = world.post(&format!("/v2/payments/authorizations/{id}/capture"), "", &amount("60.00"));
    note(&world);
    world.post(capture.link("refund"), "", &amount("25.00"));
    note(&world);
    world.post(&format!("/v2/payments/authorizations/{id}/void"), "", &Value::Null);
    note(&world);
    let expected = [
        ("CREATED", 0, 0, 0),
        ("APPROVED", 0, 0, 0),
        ("COMPLETED", 10_000, 0, 0),
        ("COMPLETED", 4_000, 6_000, 0),
        ("COMPLETED", 4_000, 6_000, 2_500),
        ("COMPLETED", 0, 6_000, 2_500),
    ];
    assert_eq!(seen, expected);
    assert_eq!(world.fake.payments()[0].authorization, Some((id, "VOIDED")));
}
