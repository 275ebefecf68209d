//! Idempotency keys and faults.

use std::time::Duration;

use test_provider::Answer;

use super::{CARD, LOCAL, World, reply};
use crate::{Account, Options};

const CREATE: &str = "/v1/payment_intents";
const PAID: &str = "amount=2000&currency=usd&payment_method_types[]=card&confirm=true&payment_method=pm_card_visa";

#[test]
fn a_repetition_gets_the_first_answer_and_does_nothing() {
    let mut world = World::new();
    let first = world.keyed("key", CREATE, PAID);
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.header("original-request"), first.header("request-id"));
    world.wait(60);
    let again = world.keyed(
        "key",
        CREATE,
        "payment_method=pm_card_visa&confirm=true&payment_method_types[0]=card&currency=usd&amount=2000",
    );
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("idempotency-key"), Some("key"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(world.fake.payments().len(), 1);
}

#[test]
fn a_repetition_gets_a_decline_again_and_a_state_error_again() {
    let mut world = World::new();
    let declined = world.keyed("declined", CREATE, &format!("{CARD}&confirm=true&payment_method=pm_card_chargeDeclined"));
    let again = world.keyed("declined", CREATE, &format!("{CARD}&confirm=true&payment_method=pm_card_chargeDeclined"));
    assert_eq!((again.status, &again.body), (402, &declined.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));

    let id = world.post(CREATE, &format!("{CARD}&capture_method=manual&payment_method=pm_card_visa")).id();
    let capture = format!("{CREATE}/{id}/capture");
    let early = world.keyed("capture", &capture, "");
    assert_eq!(early.error(), "400 invalid_request_error payment_intent_unexpected_state -");
    world.post(&format!("{CREATE}/{id}/confirm"), "");
    let again = world.keyed("capture", &capture, "");
    assert_eq!((again.status, &again.body), (400, &early.body), "Stripe keeps what an endpoint answered once it ran");
    assert_eq!(world.keyed("another", &capture, "").text("/status"), "succeeded");
}

#[test]
fn what_fails_validation_is_not_kept() {
    let mut world = World::new();
    for wrong in ["amount=2000", "amount=1&currency=usd", "amount=2000&currency=usd&payment_method=pm_unknown", "a=1&a[b]=2"] {
        assert_eq!(world.keyed("key", CREATE, wrong).status, 400, "{wrong}");
    }
    assert_eq!(world.keyed("key", &format!("{CREATE}/pi_unknown/capture"), "").status, 404);
    assert_eq!(world.keyed("key", CREATE, PAID).text("/status"), "succeeded");
}

#[test]
fn another_request_with_the_key_is_an_error() {
    let mut world = World::new();
    world.keyed("key", CREATE, PAID);
    let other = world.keyed("key", CREATE, &PAID.replace("2000", "2001"));
    assert_eq!(other.error(), "400 idempotency_error - -");
    assert_eq!(
        other.text("/error/message"),
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than \
         'key' if you meant to execute a different request."
    );
    let endpoint = world.keyed("key", "/v1/refunds", "payment_intent=pi_1");
    assert!(
        endpoint
            .text("/error/message")
            .contains("for the same endpoint they were first used for ('/v1/refunds' vs '/v1/payment_intents')")
    );
    assert_eq!(world.fake.payments().len(), 1);
}

#[test]
fn a_key_is_kept_for_a_day_and_belongs_to_its_account() {
    let mut world =
        World::with(Options { accounts: vec![Account::named("local"), Account::named("other")], ..Options::default() });
    let first = world.keyed("key", CREATE, PAID).id();
    let other = world.ask("POST", CREATE, &[("authorization", "Bearer sk_test_other"), ("idempotency-key", "key")], PAID);
    assert_ne!(other.id(), first);
    world.wait(86_399);
    assert_eq!(world.keyed("key", CREATE, PAID).id(), first);
    world.wait(1);
    assert_ne!(world.keyed("key", CREATE, PAID).id(), first, "after a day, the key means a new payment");
    assert_eq!(world.fake.payments().len(), 3);
}

#[test]
fn a_key_means_nothing_to_get_and_is_at_most_255_characters() {
    let mut world = World::new();
    let id = world.keyed("key", CREATE, PAID).id();
    let seen = world.ask("GET", &format!("{CREATE}/{id}"), &[LOCAL, ("idempotency-key", "key")], "");
    assert_eq!((seen.status, seen.header("idempotent-replayed")), (200, None));
    for wrong in ["", &"k".repeat(256)] {
        assert_eq!(world.keyed(wrong, CREATE, PAID).status, 400);
    }
}

fn fault(world: &mut World, path: &str, fault: &str) {
    world.control("faults", &format!(r#"{{"path": "{path}", "method": "POST", "fault": "{fault}", "seconds": 3}}"#));
}

fn send(world: &mut World, key: &str, path: &str, form: &str) -> Answer {
    world.send("POST", path, &[LOCAL, ("idempotency-key", key)], form)
}

#[test]
fn a_lost_request_does_nothing_and_a_lost_answer_is_found_by_the_key() {
    let mut world = World::new();
    fault(&mut world, CREATE, "lost-request");
    assert!(matches!(send(&mut world, "key", CREATE, PAID), Answer::Lost));
    assert!(world.fake.payments().is_empty());
    fault(&mut world, CREATE, "lost-answer");
    assert!(matches!(send(&mut world, "key", CREATE, PAID), Answer::Lost));
    assert_eq!(world.fake.payments().len(), 1);
    let found = world.keyed("key", CREATE, PAID);
    assert_eq!((found.status, found.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(world.fake.payments().len(), 1);
}

#[test]
fn an_internal_error_is_kept_under_the_key_whether_the_payment_was_made_or_not() {
    for (name, payments) in [("error-500", 0), ("error-500-done", 1)] {
        let mut world = World::new();
        fault(&mut world, CREATE, name);
        let first = world.keyed("key", CREATE, PAID);
        assert_eq!((first.error().as_str(), first.header("stripe-should-retry")), ("500 api_error - -", Some("false")), "{name}");
        let again = world.keyed("key", CREATE, PAID);
        assert_eq!((again.status, again.header("idempotent-replayed")), (500, Some("true")), "{name}");
        assert_eq!(world.fake.payments().len(), payments, "{name}");
    }
}

#[test]
fn a_slow_request_keeps_its_key_and_its_intent_busy() {
    let mut world = World::new();
    let id = world.authorised();
    let capture = format!("{CREATE}/{id}/capture");
    fault(&mut world, "/v1/payment_intents/*/capture", "slow");
    let slow = send(&mut world, "key", &capture, "");
    assert!(matches!(slow, Answer::Late(after, _) if after == Duration::from_secs(3)));
    world.wait(2);
    let same = world.keyed("key", &capture, "");
    assert_eq!(same.error(), "409 invalid_request_error idempotency_key_in_use -");
    let other = world.keyed("other", &format!("{CREATE}/{id}/cancel"), "");
    assert_eq!(
        (other.error().as_str(), other.header("stripe-should-retry")),
        ("429 invalid_request_error lock_timeout -", Some("true"))
    );
    world.wait(1);
    let done = world.keyed("key", &capture, "");
    assert_eq!((done.text("/status").as_str(), done.header("idempotent-replayed")), ("succeeded", Some("true")));
    let other = world.keyed("other", &format!("{CREATE}/{id}/cancel"), "");
    assert_eq!(other.error(), "400 invalid_request_error payment_intent_unexpected_state -", "a lock time-out is not kept");
}

#[test]
fn a_rate_limit_refuses_before_anything_is_kept() {
    let mut world = World::new();
    fault(&mut world, CREATE, "rate-limited");
    let refused = world.keyed("key", CREATE, PAID);
    assert_eq!(refused.error(), "429 invalid_request_error rate_limit -");
    assert_eq!(refused.header("stripe-rate-limited-reason"), Some("global-rate"));
    assert_eq!(refused.header("stripe-should-retry"), Some("false"));
    assert_eq!(world.keyed("key", CREATE, PAID).header("idempotent-replayed"), None);
}

#[test]
fn more_requests_than_the_limit_in_one_second_are_refused() {
    let mut world = World::with(Options { requests_per_second: Some(2), ..Options::default() });
    let mut statuses = || world.get("/v1/payment_intents").status;
    assert_eq!([statuses(), statuses(), statuses()], [200, 200, 429]);
    world.wait(1);
    assert_eq!(world.get("/v1/payment_intents").status, 200);
}

#[test]
fn the_same_history_gives_the_same_answers() {
    let history = || {
        let mut world = World::new();
        let paid = reply(send(&mut world, "key", CREATE, PAID));
        let refund = world.post("/v1/refunds", &format!("payment_intent={}", paid.id()));
        format!("{:?} {:?} {:?}", paid, refund, world.get("/v1/events"))
    };
    assert_eq!(history(), history());
}
