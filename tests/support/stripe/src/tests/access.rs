//! Who may ask, and for what.

use super::{CARD, LOCAL, World};
use crate::{Account, Options};

#[test]
fn without_a_known_key_nothing_is_answered() {
    let mut world = World::new();
    for (headers, message) in [
        (vec![], "You did not provide an API key."),
        (vec![("authorization", "Bearer ")], "You did not provide an API key."),
        (vec![("authorization", "Bearer sk_test_wrong")], "Invalid API Key provided: sk_test_*****rong"),
    ] {
        let reply = world.ask("POST", "/v1/payment_intents", &headers, CARD);
        assert_eq!(reply.error(), "401 invalid_request_error - -");
        assert!(reply.text("/error/message").starts_with(message), "{reply:?}");
    }
    assert!(world.fake.payments().is_empty());
}

#[test]
fn an_account_does_not_see_the_objects_of_another() {
    let mut world =
        World::with(Options { accounts: vec![Account::named("local"), Account::named("other")], ..Options::default() });
    let id = world.pay("pm_card_visa", "").id();
    let other = ("authorization", "Bearer sk_test_other");
    assert_eq!(
        world.ask("GET", &format!("/v1/payment_intents/{id}"), &[other], "").error(),
        "404 invalid_request_error resource_missing intent"
    );
    assert_eq!(world.ask("POST", "/v1/refunds", &[other], &format!("payment_intent={id}")).status, 400);
    assert_eq!(world.ask("GET", "/v1/payment_intents", &[other], "").body["data"], serde_json::json!([]));
    assert_eq!(world.fake.payments()[0].account, "sk_test_local");
}

#[test]
fn unknown_objects_and_paths_are_not_found() {
    let mut world = World::new();
    let paid = world.pay("pm_card_visa", "");
    for (method, path, error) in [
        ("GET", "/v1/payment_intents/pi_unknown".to_owned(), "404 invalid_request_error resource_missing intent"),
        ("POST", "/v1/payment_intents/pi_unknown/confirm".to_owned(), "404 invalid_request_error resource_missing intent"),
        ("GET", "/v1/charges/ch_unknown".to_owned(), "404 invalid_request_error resource_missing id"),
        ("GET", format!("/v1/charges/{}", paid.id()), "404 invalid_request_error resource_missing id"),
        ("GET", "/v1/customers".to_owned(), "404 invalid_request_error - -"),
        ("DELETE", format!("/v1/payment_intents/{}", paid.id()), "404 invalid_request_error - -"),
        ("GET", format!("/v1/payment_intents/{}/confirm", paid.id()), "404 invalid_request_error - -"),
    ] {
        assert_eq!(world.ask(method, &path, &[LOCAL], "").error(), error, "{method} {path}");
    }
}

#[test]
fn the_version_that_the_client_pins_is_echoed() {
    let mut world = World::new();
    let pinned = world.ask("GET", "/v1/payment_intents", &[LOCAL, ("stripe-version", "2024-06-20")], "");
    assert_eq!(pinned.header("stripe-version"), Some("2024-06-20"));
    assert!(world.get("/v1/payment_intents").header("stripe-version").is_some());
}

#[test]
fn an_error_links_its_documentation_and_the_request() {
    let mut world = World::new();
    let reply = world.post("/v1/payment_intents", "currency=usd");
    assert_eq!(reply.text("/error/doc_url"), "https://stripe.com/docs/error-codes/parameter-missing");
    let request = reply.header("request-id").unwrap();
    assert!(reply.text("/error/request_log_url").ends_with(request));
}
