//! Events of every change, and their delivery.

use serde_json::{Value, json};
use test_provider::Provider as _;

use super::{CARD, LOCAL, World};
use crate::signature;

/// A name, what happens, and its events.
type Case = (&'static str, fn(&mut World), Vec<&'static str>);

#[test]
fn every_change_is_an_event() {
    let created = "payment_intent.created";
    let mut cases: Vec<Case> = Vec::new();
    cases.push((
        "paid",
        |world| drop(world.pay("pm_card_visa", "")),
        vec![created, "charge.succeeded", "payment_intent.succeeded"],
    ));
    cases.push((
        "declined",
        |world| drop(world.pay("pm_card_chargeDeclined", "")),
        vec![created, "charge.failed", "payment_intent.payment_failed"],
    ));
    cases.push((
        "captured",
        |world| {
            let id = world.authorised();
            world.post(&format!("/v1/payment_intents/{id}/capture"), "");
        },
        vec![
            created,
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded",
        ],
    ));
    cases.push((
        "cancelled",
        |world| {
            let id = world.authorised();
            world.post(&format!("/v1/payment_intents/{id}/cancel"), "");
        },
        vec![
            created,
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.refunded",
            "payment_intent.canceled",
        ],
    ));
    cases.push((
        "not authenticated",
        |world| {
            let id = world.pay("pm_card_authenticationRequired", "").id();
            world.fake.authenticate(&id, false, world.now);
        },
        vec![created, "payment_intent.requires_action", "payment_intent.payment_failed"],
    ));
    cases.push((
        "refunded, pending first",
        |world| {
            let id = world.pay("pm_card_pendingRefund", "").id();
            world.post("/v1/refunds", &format!("payment_intent={id}"));
            world.wait(5);
        },
        vec![
            created,
            "charge.succeeded",
            "payment_intent.succeeded",
            "refund.created",
            "charge.refunded",
            "refund.updated",
            "charge.refund.updated",
        ],
    ));
    cases.push((
        "processed",
        |world| {
            let bank = "payment_method_types[]=us_bank_account&confirm=true&payment_method=pm_usBankAccount_success";
            world.post("/v1/payment_intents", &format!("amount=2000&currency=usd&{bank}"));
            world.wait(5);
        },
        vec![created, "charge.pending", "payment_intent.processing", "charge.succeeded", "payment_intent.succeeded"],
    ));
    for (name, act, events) in cases {
        let mut world = World::new();
        act(&mut world);
        assert_eq!(world.events(), events, "{name}");
    }
}

#[test]
fn an_event_shows_the_object_as_it_was_and_the_request_that_caused_it() {
    let mut world = World::new();
    let reply = world.keyed("key", "/v1/payment_intents", &format!("{CARD}&confirm=true&payment_method=pm_card_visa"));
    let events = world.get("/v1/events?type=payment_intent.created").body;
    let event = &events["data"][0];
    assert_eq!(event["data"]["object"]["status"], "requires_confirmation");
    assert_eq!(event["request"], json!({ "id": reply.header("request-id"), "idempotency_key": "key" }));
    assert_eq!(world.get(&format!("/v1/events/{}", event["id"].as_str().unwrap())).body, *event);
    assert_eq!(world.get("/v1/events/evt_unknown").error(), "404 invalid_request_error resource_missing id");
}

#[test]
fn an_event_that_nobody_asked_for_names_no_request() {
    let mut world = World::new();
    world.authorised();
    world.wait(7 * 86_400);
    let event = &world.get("/v1/events?type=payment_intent.canceled").body["data"][0];
    assert_eq!(event["request"], json!({ "id": null, "idempotency_key": null }));
    assert_eq!(event["created"], world.now.as_second());
}

#[test]
fn deliveries_are_signed_at_the_time_of_each_attempt() {
    let mut world = World::new();
    world.control("webhooks", r#"{"url": "http://127.0.0.1:9/hook", "secret": "whsec_test"}"#);
    world.post("/v1/payment_intents", CARD);
    let first = world.fake.due(world.now).remove(0);
    assert_eq!(first.url, "http://127.0.0.1:9/hook");
    world.fake.delivered(&first, false, world.now);
    assert!(world.fake.due(world.now).is_empty());
    world.wait(1);
    let second = world.fake.due(world.now).remove(0);
    assert_eq!((&second.event_id, &second.body), (&first.event_id, &first.body));
    let signed = ("stripe-signature".to_owned(), signature("whsec_test", &second.body, world.now));
    assert!(second.headers.contains(&signed) && !first.headers.contains(&signed));
    let event: Value = serde_json::from_slice(&second.body).unwrap();
    assert_eq!((&event["type"], &event["id"]), (&"payment_intent.created".into(), &second.event_id.as_str().into()));
    world.fake.delivered(&second, true, world.now);
    world.wait(86_400);
    assert!(world.fake.due(world.now).is_empty());
}

#[test]
fn what_happens_by_itself_is_delivered_without_a_request() {
    let mut world = World::new();
    world.authorised();
    world.control("webhooks", r#"{"url": "http://127.0.0.1:9/", "secret": "s"}"#);
    assert!(world.fake.due(world.now).is_empty(), "earlier events had no receiver");
    world.wait(7 * 86_400);
    assert_eq!(world.fake.due(world.now).len(), 2);
}

#[test]
fn each_account_has_its_own_receiver() {
    let accounts = vec![crate::Account::named("local"), crate::Account::named("other")];
    let mut world = World::with(crate::Options { accounts, ..crate::Options::default() });
    world.control("webhooks", r#"{"url": "http://127.0.0.1:9/", "secret": "s", "account": "sk_test_other"}"#);
    world.post("/v1/payment_intents", CARD);
    assert!(world.fake.due(world.now).is_empty());
    world.ask("POST", "/v1/payment_intents", &[("authorization", "Bearer sk_test_other")], CARD);
    assert_eq!(world.fake.due(world.now).len(), 1);
    let unknown = world.ask("POST", "/_fake/webhooks", &[LOCAL], r#"{"url": "", "secret": "", "account": "sk_test_nobody"}"#);
    assert_eq!(unknown.status, 400);
}

#[test]
fn the_state_shows_payments_and_deliveries() {
    let mut world = World::new();
    world.control("webhooks", r#"{"url": "http://127.0.0.1:9/", "secret": "s"}"#);
    let id = world.post("/v1/payment_intents", &format!("{CARD}&metadata[order]=o-1")).id();
    let payments = world.ask("GET", "/_fake/payments", &[], "").body;
    assert_eq!((&payments["payments"][0]["id"], &payments["payments"][0]["metadata"]["order"]), (&id.into(), &"o-1".into()));
    assert_eq!(payments["payments"][0]["status"], "requires_payment_method");
    assert_eq!(world.ask("GET", "/_fake/webhooks", &[], "").body["waiting"][0]["attempts"], 0);
    assert_eq!(world.ask("POST", "/_fake/other", &[], "").status, 400);
}
