//! Keys are fetched rarely, whatever anyone sends, and rotation needs nobody. Time is virtual, and the server counts.

use std::time::Duration;

use authorize::{Denial, Gatekeeper};
use identity::{LARGEST_KEY_SET, Refusal};
use serde_json::json;
use test_issuer::{Issuer, Mode, Signer};

use crate::gate::world::Gate;

const UNKNOWN: Denial = Denial::Refused(Refusal::UnknownKey);

async fn admitted(gatekeeper: &Gatekeeper, token: &str) -> Result<(), Denial> {
    gatekeeper.admit(&format!("Bearer {token}")).await.map(drop)
}

/// A token that names a key that nobody has.
fn naming_no_key(gate: &Gate, number: usize) -> String {
    gate.headed("kid", json!(format!("invented-{number}")))
}

/// The issuer after it has begun to sign with another key.
fn rotated() -> Issuer {
    Issuer { key_id: "the-next-key".to_owned(), ..Issuer::cognito("Shoppers", Signer::rs256(2)) }
}

#[tokio::test]
async fn good_tokens_fetch_the_keys_once_an_hour() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    for _ in 0..3_599 {
        admitted(&gatekeeper, &gate.good()).await.unwrap();
        gate.clock.advance_seconds(1);
    }
    assert_eq!(gate.server.count(&gate.customers.keys_url), 1);
    gate.clock.advance_seconds(1);
    admitted(&gatekeeper, &gate.good()).await.unwrap();
    assert_eq!(gate.server.count(&gate.customers.keys_url), 2);
    assert_eq!(gate.server.count(&gate.operators.keys_url), 0, "no operator has come");
}

#[tokio::test]
async fn unknown_keys_make_an_environment_fetch_at_most_once_a_minute() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    // A thousand tokens a minute for ten minutes, each with another key id.
    for number in 0..10_000 {
        assert_eq!(admitted(&gatekeeper, &naming_no_key(&gate, number)).await, Err(UNKNOWN));
        gate.clock.advance(jiff::SignedDuration::from_millis(60));
    }
    assert_eq!(gate.server.count(&gate.customers.keys_url), 10);
    // Good tokens among them do not wait for a fetch.
    admitted(&gatekeeper, &gate.good()).await.unwrap();
}

#[tokio::test]
async fn each_issuer_has_a_minute_of_its_own() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    for number in 0..100 {
        assert_eq!(admitted(&gatekeeper, &naming_no_key(&gate, number)).await, Err(UNKNOWN));
    }
    let operator = gate.operators.token(&gate.operators.id_claims("olga", gate.now()));
    admitted(&gatekeeper, &operator).await.unwrap();
    assert_eq!((gate.server.count(&gate.customers.keys_url), gate.server.count(&gate.operators.keys_url)), (1, 1));
}

#[tokio::test]
async fn tokens_that_name_no_issuer_of_the_shop_fetch_nothing() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    let stranger = Issuer::cognito("Evil", Signer::rs256(2));
    for token in [stranger.token(&stranger.id_claims("ann", gate.now())), "a.b.c".to_owned(), gate.headed("alg", json!("none"))] {
        assert!(admitted(&gatekeeper, &token).await.is_err());
    }
    assert_eq!(gate.server.total(), 0);
}

#[tokio::test]
async fn a_new_key_is_found_when_the_first_token_names_it() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    let (before, after) = (gate.good(), rotated().token(&gate.claims()));
    admitted(&gatekeeper, &before).await.unwrap();
    gate.clock.advance_seconds(120);
    let both = json!({"keys": [gate.customers.signer.jwk(&gate.customers.key_id), rotated().signer.jwk("the-next-key")]});
    gate.server.publish(&gate.customers.keys_url, &both);
    admitted(&gatekeeper, &after).await.unwrap();
    admitted(&gatekeeper, &before).await.unwrap();
    assert_eq!(gate.server.total(), 2);
}

#[tokio::test]
async fn a_new_key_waits_at_most_a_minute_behind_invented_ones() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    admitted(&gatekeeper, &gate.good()).await.unwrap();
    gate.clock.advance_seconds(60);
    assert_eq!(admitted(&gatekeeper, &naming_no_key(&gate, 1)).await, Err(UNKNOWN));
    gate.server.publish(&gate.customers.keys_url, &rotated().key_set());
    let after = rotated().token(&gate.claims());
    gate.clock.advance_seconds(59);
    assert_eq!(admitted(&gatekeeper, &after).await, Err(UNKNOWN));
    gate.clock.advance_seconds(1);
    admitted(&gatekeeper, &after).await.unwrap();
}

#[tokio::test]
async fn a_withdrawn_key_is_forgotten_within_an_hour() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    admitted(&gatekeeper, &gate.good()).await.unwrap();
    gate.server.publish(&gate.customers.keys_url, &rotated().key_set());
    gate.clock.advance_seconds(3_600);
    assert_eq!(admitted(&gatekeeper, &gate.good()).await, Err(UNKNOWN));
}

/// Every way in which a server of keys fails, and documents that are no key sets.
fn failures(gate: &Gate) -> Vec<Mode> {
    let good = gate.customers.key_set().to_string();
    let document = |text: &str| Mode::Document(text.to_owned());
    let key = gate.customers.signer.jwk("k");
    vec![
        Mode::Down,
        Mode::Status(500, good.clone()),
        Mode::Status(404, good.clone()),
        Mode::Status(302, good.clone()),
        Mode::Status(204, String::new()),
        Mode::Slow(Duration::from_secs(3), good.clone()),
        Mode::Slow(Duration::from_hours(1), good.clone()),
        document(""),
        document("<html>Sign in to the network first</html>"),
        document("[]"),
        document("{}"),
        document(r#"{"keys":{}}"#),
        document(r#"{"keys":[]}"#),
        document(&good[..good.len() - 2]),
        document(&format!("{}{}", &good[..good.len() - 1], " ".repeat(LARGEST_KEY_SET))),
        document(&format!("{good}{}", " ".repeat(LARGEST_KEY_SET))),
        document(&format!(r#"{{"keys":[],{}"#, &good[1..])),
        document(&json!({"keys": vec![key.clone(); 65]}).to_string()),
        document(&json!({"keys": [key.clone(), key]}).to_string()),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_fails_leaves_the_keys_that_were_there() {
    for number in 0..failures(&Gate::open()).len() {
        let gate = Gate::open();
        let gatekeeper = gate.gatekeeper();
        admitted(&gatekeeper, &gate.good()).await.unwrap();
        let mode = failures(&gate).remove(number);
        gate.server.set(&gate.customers.keys_url, mode.clone());
        // Old enough to be fetched again, and asked for a key that is not there.
        for (seconds, fetches) in [(3_600, 2), (59, 2), (1, 3), (60, 4)] {
            gate.clock.advance_seconds(seconds);
            admitted(&gatekeeper, &gate.good()).await.unwrap_or_else(|denial| panic!("{mode:?}: {denial}"));
            assert_eq!(admitted(&gatekeeper, &naming_no_key(&gate, 1)).await, Err(Denial::KeysUnavailable), "{mode:?}");
            assert_eq!(gate.server.count(&gate.customers.keys_url), fetches, "{mode:?}");
        }
        gate.server.publish(&gate.customers.keys_url, &gate.customers.key_set());
        gate.clock.advance_seconds(60);
        assert_eq!(admitted(&gatekeeper, &naming_no_key(&gate, 2)).await, Err(UNKNOWN), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_keys_grants_nothing_and_asks_every_five_seconds() {
    for number in 0..failures(&Gate::open()).len() {
        let gate = Gate::open();
        let gatekeeper = gate.gatekeeper();
        let mode = failures(&gate).remove(number);
        gate.server.set(&gate.customers.keys_url, mode.clone());
        for _ in 0..30 {
            assert_eq!(admitted(&gatekeeper, &gate.good()).await, Err(Denial::KeysUnavailable), "{mode:?}");
            gate.clock.advance_seconds(1);
        }
        assert_eq!(gate.server.total(), 6, "{mode:?}");
        gate.server.publish(&gate.customers.keys_url, &gate.customers.key_set());
        admitted(&gatekeeper, &gate.good()).await.unwrap_or_else(|denial| panic!("{mode:?}: {denial}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_costs_two_seconds_once_a_minute() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    admitted(&gatekeeper, &gate.good()).await.unwrap();
    gate.clock.advance_seconds(3_600);
    gate.server.set(&gate.customers.keys_url, Mode::Slow(Duration::from_hours(1), String::new()));
    let begun = tokio::time::Instant::now();
    for _ in 0..50 {
        admitted(&gatekeeper, &gate.good()).await.unwrap();
    }
    assert_eq!(begun.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_that_arrive_late_but_in_time_are_taken() {
    let gate = Gate::open();
    let keys = gate.customers.key_set().to_string();
    gate.server.set(&gate.customers.keys_url, Mode::Slow(Duration::from_millis(1_900), keys));
    admitted(&gate.gatekeeper(), &gate.good()).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_put_back_does_not_stop_the_fetches() {
    let gate = Gate::open();
    let gatekeeper = gate.gatekeeper();
    admitted(&gatekeeper, &gate.good()).await.unwrap();
    gate.clock.advance_seconds(-86_400);
    gate.server.publish(&gate.customers.keys_url, &rotated().key_set());
    admitted(&gatekeeper, &rotated().token(&gate.claims())).await.unwrap();
}

#[tokio::test]
async fn keys_for_other_purposes_and_unusable_keys_are_left_out() {
    let gate = Gate::open();
    let good = gate.customers.signer.jwk("good");
    let with = |name: &str, value: serde_json::Value| {
        let mut key = gate.customers.signer.jwk(&gate.customers.key_id);
        key[name] = value;
        key
    };
    let elliptic = |name: &str, value: &str| {
        let mut key = Signer::es256(1).jwk(&gate.customers.key_id);
        key[name] = json!(value);
        key
    };
    let bad = [
        with("use", json!("enc")),
        with("use", json!(null)),
        with("key_ops", json!(["encrypt"])),
        with("alg", json!("RS512")),
        with("alg", json!("ES256")),
        with("alg", json!(null)),
        with("kty", json!("oct")),
        with("kid", json!("")),
        with("kid", json!(7)),
        with("e", json!("Aw")),
        with("e", json!("AQAA")),
        with("e", json!("")),
        with("n", json!("AQAB")),
        with("n", json!(test_issuer::encoded(vec![0xff; 128]))),
        with("n", json!(test_issuer::encoded([&[0x7f], [0xff; 255].as_slice()].concat()))),
        with("n", json!("")),
        with("n", json!("not base64!")),
        with("n", json!(test_issuer::encoded(vec![0xff; 1_025]))),
        elliptic("crv", "P-384"),
        elliptic("x", "AAAA"),
        elliptic("y", &test_issuer::encoded([7; 32])),
        elliptic("y", ""),
    ];
    for key in bad {
        gate.server.publish(&gate.customers.keys_url, &json!({"keys": [good, key]}));
        assert_eq!(admitted(&gate.gatekeeper(), &gate.good()).await, Err(UNKNOWN), "{key}");
        let known = gate.headed("kid", json!("good"));
        admitted(&gate.gatekeeper(), &known).await.unwrap_or_else(|denial| panic!("{key}: {denial}"));
    }
    for plain in ["use", "alg"] {
        let mut key = gate.customers.signer.jwk(&gate.customers.key_id);
        key.as_object_mut().unwrap().remove(plain);
        gate.server.publish(&gate.customers.keys_url, &json!({"keys": [key]}));
        admitted(&gate.gatekeeper(), &gate.good()).await.unwrap_or_else(|denial| panic!("without {plain}: {denial}"));
    }
}
