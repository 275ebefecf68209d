//! `GET /api/flash-sales/{product_id}/challenge`: a challenge for one shopper and one sale, signed and not stored.

use std::time::Duration;

use domain::{Availability, ProofOfWork, SaleDraft, SignedDuration};
use get_challenge::GetChallenge;
use insta::assert_snapshot;
use serde_json::Value;
use test_aws::{Calls, Fault, event, request, told};
use test_shop::{CHALLENGE_SECRET, Judged, Shop, body, brief, guarded, tells_that_a_table_fails};

const OK: &str = "get-challenge/ok";

/// A shop with the demo sale, and one that asks for a proof of work.
pub(super) async fn with_guarded() -> Shop {
    let shop = Shop::open().await;
    shop.sale(&"guarded".parse().unwrap(), guarded()).await;
    shop
}

/// The challenge that a function issues.
async fn issued(function: &Judged<GetChallenge>) -> Value {
    body(&function.handle(event("get-challenge/ok.json")).await)
}

#[tokio::test]
async fn a_challenge_is_for_its_caller_only() {
    assert_snapshot!(with_guarded().await.told::<GetChallenge>(OK).await, @r#"
    200 OK
    {"parameters":{"algorithm":"PBKDF2/SHA-256","cost":2,"data":{"binding":"73a032129673d36243f64e7ef743bcd88ec2ab0262d6dc6d8065e07aaf4c8e76"},"expiresAt":1793534470,"keyLength":32,"keyPrefix":"7b586d5b19af312c5a01f7887d76ecf1","keySignature":"2854307eae847e84e102ab1660ea37676c4c528847f42184241077dd5d99e3b5","nonce":"01010101010101010101010101010101","salt":"01010101010101010101010101010101"},
     "signature":"d1cd9f2f3c8ed8b21a415e7de19b106c15503fadb9ff8e6eaebb141096f94828"}
    "#);
}

#[tokio::test]
async fn who_asks_again_within_a_second_gets_the_same_challenge_and_then_another_one() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    let function = shop.wire(&calls);
    let first = issued(&function).await;
    shop.clock.advance(SignedDuration::from_millis(999));
    assert_eq!(issued(&function).await, first);
    shop.clock.advance(SignedDuration::from_millis(1));
    let second = issued(&function).await;
    assert_ne!(first["parameters"]["nonce"], second["parameters"]["nonce"]);
    assert_eq!(first["parameters"]["data"], second["parameters"]["data"]);
}

/// A sale whose challenges cost the most, so that few of them are a crowd.
async fn dear() -> Shop {
    let shop = Shop::empty().await;
    let proof_of_work = Some(ProofOfWork { cost: *ProofOfWork::COST.end(), window_seconds: 60 });
    shop.sale(&"guarded".parse().unwrap(), SaleDraft { proof_of_work, ..guarded() }).await;
    shop
}

/// What a challenge for this shopper costs.
async fn cost(function: &Judged<GetChallenge>, shopper: &str) -> u64 {
    let ask = request("GET", "/api/flash-sales/{product_id}/challenge").path_parameter("product_id", "guarded").shopper(shopper);
    body(&function.handle(ask.build()).await).pointer("/parameters/cost").and_then(Value::as_u64).unwrap()
}

#[tokio::test]
async fn a_crowd_costs_an_environment_one_reading_of_the_sale_and_one_of_the_keys_and_raises_the_cost() {
    let (shop, calls) = (dear().await, Calls::new());
    let function = shop.wire(&calls);
    assert_eq!(cost(&function, "ann").await, 50_000);
    calls.reset();
    let mut costs = Vec::new();
    for n in 0..12 {
        costs.push(cost(&function, &format!("shopper-{n}")).await);
    }
    assert_eq!(calls.total(), 0);
    assert_eq!((costs[3], costs[4], costs[7], costs[11]), (50_000, 100_000, 150_000, 200_000), "each 250,000 rounds of a second");
    shop.clock.advance_seconds(2);
    assert_eq!(cost(&function, "bob").await, 50_000);
    assert_eq!((calls.count("GetItem"), calls.count("GetSecretValue")), (2, 0), "sale and availability");
}

#[tokio::test]
async fn one_shopper_who_asks_all_the_time_raises_the_cost_for_nobody() {
    let shop = dear().await;
    let function = shop.wire(&Calls::new());
    for _ in 0..100 {
        assert_eq!(cost(&function, "ann").await, 50_000);
    }
    assert_eq!(cost(&function, "bob").await, 50_000);
}

#[tokio::test]
async fn a_sale_without_units_and_holds_issues_none() {
    let shop = with_guarded().await;
    let product = "guarded".parse().unwrap();
    let empty = |held: u8| Availability { free: vec![0; 4], held: vec![held; 4], version: 2, ..untouched(&shop) };
    let tell = async |availability: Availability, version| {
        assert!(shop.uncounted().availabilities().put(&product, &availability, version).await.unwrap());
        brief(&shop.ask::<GetChallenge>(OK).await)
    };
    assert_eq!(tell(empty(1), 1).await, "200", "a held unit may come back");
    assert_eq!(tell(Availability { version: 3, ..empty(0) }, 2).await, "409 sold-out");
}

fn untouched(shop: &Shop) -> Availability {
    Availability::untouched(&guarded().layout(), shop.now())
}

#[tokio::test]
async fn a_challenge_is_issued_from_a_minute_before_the_start_on() {
    let shop = with_guarded().await;
    shop.clock.set("2026-11-01T11:58:59.999Z");
    assert_snapshot!(shop.told::<GetChallenge>(OK).await, @r#"
    409 Conflict: sale-not-started, The sale has not started
    retry-after: 1
    The sale starts at 2026-11-01T12:00:00Z.
    {"starts_at":"2026-11-01T12:00:00Z"}
    "#);
    shop.clock.set("2026-11-01T11:59:00Z");
    let early = issued(&shop.wire(&Calls::new())).await;
    let start: domain::Timestamp = test_shop::START.parse().unwrap();
    assert_eq!(early["parameters"]["expiresAt"], (start + SignedDuration::from_secs(10)).as_second());
}

#[tokio::test]
async fn a_sale_in_which_nothing_can_be_reserved_issues_none() {
    let shop = with_guarded().await;
    let product = "guarded".parse().unwrap();
    shop.set_status(&product, "PAUSED").await;
    assert_eq!(brief(&shop.ask::<GetChallenge>(OK).await), "409 sale-paused");
    shop.set_status(&product, "ACTIVE").await;
    shop.clock.set("2026-11-02T12:00:00Z");
    assert_eq!(brief(&shop.ask::<GetChallenge>(OK).await), "410 sale-ended");
}

#[tokio::test]
async fn without_its_keys_it_asks_to_try_again_and_does_so_at_most_once_a_second() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    shop.vault.put(CHALLENGE_SECRET, r#"{"key": "too short"}"#);
    let function: Judged<GetChallenge> = shop.wire(&calls);
    for _ in 0..5 {
        assert_eq!(told(&function.handle(event("get-challenge/ok.json")).await), super::TRY_AGAIN);
    }
    assert_eq!(calls.count("GetSecretValue"), 1);
    shop.vault.put(CHALLENGE_SECRET, r#"{"key": "a key that was repaired 0123456789"}"#);
    shop.clock.advance_seconds(1);
    assert!(issued(&function).await["signature"].is_string());
}

#[tokio::test]
async fn keys_are_read_again_after_five_minutes_and_kept_if_they_cannot_be() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    let function = shop.wire(&calls);
    issued(&function).await;
    shop.clock.advance(SignedDuration::from_millis(299_999));
    issued(&function).await;
    assert_eq!(calls.count("GetSecretValue"), 1);
    for broken in ["not JSON", r#"{"key": "a key of tests, long enough 0123456789", "acepted": []}"#] {
        shop.vault.put(CHALLENGE_SECRET, broken);
        shop.clock.advance_seconds(20);
        assert!(issued(&function).await["signature"].is_string(), "the keys of before");
    }
    assert_eq!(calls.count("GetSecretValue"), 3);
}

/// A request has units to claim after it has waited.
#[tokio::test(start_paused = true)]
async fn a_secret_that_does_not_answer_holds_nobody_up() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    let function = shop.wire(&calls);
    issued(&function).await;
    shop.clock.advance_seconds(300);
    calls.fail_always("GetSecretValue", Fault::LostAnswer);
    calls.slow_down(&shop.clock, SignedDuration::from_secs(4));
    let begun = tokio::time::Instant::now();
    for _ in 0..3 {
        assert!(issued(&function).await["signature"].is_string(), "the keys of before");
    }
    assert!(begun.elapsed() <= Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    let function = || -> Judged<GetChallenge> { shop.wire(&calls) };
    let ask = async || function().handle(event("get-challenge/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem"], ask).await;
}
