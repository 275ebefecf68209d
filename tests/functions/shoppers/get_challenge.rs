//! `GET /api/flash-sales/{product_id}/challenge`: a challenge for one shopper and one sale, signed and not stored.

use domain::{ProofOfWork, SaleDraft, SignedDuration};
use get_challenge::GetChallenge;
use insta::assert_snapshot;
use serde_json::Value;
use test_aws::{Calls, event, request, told};
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
    {"parameters":{"algorithm":"PBKDF2/SHA-256","cost":2,"data":{"binding":"71b6ff3552f89011f4e9865921146fb6f076f06e4c06c99a20e9a226ab2e98cb"},"expiresAt":1793534470,"keyLength":32,"keyPrefix":"7b586d5b19af312c5a01f7887d76ecf1","keySignature":"2854307eae847e84e102ab1660ea37676c4c528847f42184241077dd5d99e3b5","nonce":"01010101010101010101010101010101","salt":"01010101010101010101010101010101"},
     "signature":"3a6d6d14b78b2fb1024b332cca4489fcbd5126242169c91ebb47d13bf16a57a2"}
    "#);
}

#[tokio::test]
async fn no_two_challenges_are_alike() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    let function = shop.wire(&calls);
    let (first, second) = (issued(&function).await, issued(&function).await);
    assert_ne!(first["parameters"]["nonce"], second["parameters"]["nonce"]);
    assert_eq!(first["parameters"]["data"], second["parameters"]["data"]);
}

#[tokio::test]
async fn a_crowd_costs_an_environment_one_reading_of_the_sale_and_one_of_the_keys() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    let function = shop.wire(&calls);
    issued(&function).await;
    calls.reset();
    let mut costs = Vec::new();
    for _ in 0..250 {
        costs.push(issued(&function).await["parameters"]["cost"].as_u64().unwrap());
    }
    assert_eq!(calls.total(), 0);
    assert_eq!((costs[0], costs[97], costs[98], costs[249]), (2, 2, 4, 6), "a hundred a second cost as much again");
    shop.clock.advance_seconds(2);
    assert_eq!(issued(&function).await["parameters"]["cost"], 2);
    assert_eq!((calls.count("GetItem"), calls.count("GetSecretValue")), (2, 0), "sale and availability");
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
    shop.vault.put(CHALLENGE_SECRET, "not JSON");
    shop.clock.advance_seconds(1);
    assert!(issued(&function).await["signature"].is_string(), "the keys of before");
    assert_eq!(calls.count("GetSecretValue"), 2);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (shop, calls) = (with_guarded().await, Calls::new());
    let function = || -> Judged<GetChallenge> { shop.wire(&calls) };
    let ask = async || function().handle(event("get-challenge/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem"], ask).await;
}

/// What the widget does until a solution is found has an upper bound, and so has what the environment does.
#[tokio::test]
async fn the_dearest_challenge_is_four_times_that_of_the_dearest_sale() {
    let shop = Shop::empty().await;
    let proof_of_work = Some(ProofOfWork { cost: *ProofOfWork::COST.end(), window_seconds: 10 });
    shop.sale(&"guarded".parse().unwrap(), SaleDraft { proof_of_work, ..guarded() }).await;
    let ask = request("GET", "/api/flash-sales/{product_id}/challenge").path_parameter("product_id", "guarded").shopper("ann");
    let function: Judged<GetChallenge> = shop.wire(&Calls::new());
    assert_eq!(body(&function.handle(ask.build()).await)["parameters"]["cost"], 50_000);
}
