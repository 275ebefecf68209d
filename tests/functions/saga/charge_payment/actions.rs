//! A shopper who has to act: there is time until the hold ends, and then only the gateway says whether the shopper was faster.
//! And a payment that waits for its turn.

use domain::{Action, AttemptStatus, SignedDuration, Timestamp};
use serde_json::json;
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, END, Stage};

use crate::saga::charge_payment::{Answer, Charging, FromParts, authorised, declined, error, function};

fn to_act(seconds: u32) -> Answer {
    Ok(json!({"outcome": "requires_action", "seconds": seconds, "gateway": 0}))
}

fn cancelled() -> Answer {
    declined("The payment was cancelled.")
}

#[tokio::test]
async fn the_shopper_has_until_the_end_of_the_hold_and_then_the_payment_is_ended_at_the_gateway() {
    let charging = Charging::of("sandbox:action-abandoned").await;
    for (later, left) in [(0, 240), (100, 140), (139, 1)] {
        charging.shop.clock.advance_seconds(later);
        assert_eq!(charging.on("ok").await, to_act(left));
    }
    let attempt = charging.shop.uncounted().attempts().get(&charging.buyer.key(1)).await.unwrap().unwrap();
    let waiting = attempt.waiting.unwrap();
    assert!(matches!(waiting.action, Action::Redirect { .. }));
    assert_eq!((attempt.status, waiting.until), (AttemptStatus::Started, END.parse().unwrap()));
    charging.shop.clock.advance_seconds(1);
    for _ in 0..3 {
        assert_eq!(charging.on("ok").await, cancelled());
    }
    assert_eq!((charging.charges().await, charging.status().await), ((0, 0), Some(AttemptStatus::Declined)));
}

#[tokio::test]
async fn a_shopper_who_acted_in_time_has_paid() {
    let charging = Charging::of("sandbox:action-passed").await;
    assert_eq!(charging.on("ok").await, to_act(240));
    assert_eq!(charging.on("ok").await, authorised(0, "sandbox"));
    let attempt = charging.shop.uncounted().attempts().get(&charging.buyer.key(1)).await.unwrap().unwrap();
    assert_eq!((attempt.waiting, charging.charges().await), (None, (0, 0)));
}

/// At the end of the time the saga asks what became of the payment before it ends anything.
#[tokio::test]
async fn a_shopper_who_acted_just_before_the_end_has_paid() {
    let charging = Charging::of("sandbox:action-passed").await;
    assert_eq!(charging.on("ok").await, to_act(240));
    charging.shop.clock.advance_seconds(600);
    assert_eq!(charging.on("ok").await, authorised(0, "sandbox"));
}

#[tokio::test]
async fn shortly_before_the_end_of_the_hold_there_are_two_minutes_but_none_beyond_its_latest_end() {
    let (now, seconds) = ("2026-11-01T12:01:00Z".parse::<Timestamp>().unwrap(), SignedDuration::from_secs);
    for (latest, left) in [(None, 120), (Some(600), 120), (Some(30), 30)] {
        let shop = test_shop::Shop::open().await;
        let mut buyer = Buyer::first().paying("sandbox:action-abandoned").holding(now - seconds(60), now + seconds(10));
        buyer.latest_end = latest.map(|latest| now + seconds(latest));
        shop.bring(&buyer, Stage::Pending).await;
        let function = function(&shop, &Calls::new(), "sandbox");
        let answer = test_shop::task(&function, test_aws::event_value("charge-payment/ok.json")).await;
        assert_eq!(answer, to_act(left), "{latest:?}");
    }
}

#[tokio::test]
async fn without_a_hold_there_is_nothing_to_wait_for() {
    let charging = Charging::of("sandbox:action-abandoned").await;
    charging.shop.remove_reservation(&charging.buyer).await;
    assert_eq!((charging.on("ok").await, charging.charges().await), (cancelled(), (0, 0)));
}

#[tokio::test]
async fn a_run_that_was_cut_off_while_it_asked_or_ended_the_payment_is_made_up_for() {
    every_crash(async |calls| {
        let charging = Charging::with_calls(Stage::Pending, "sandbox:action-abandoned", calls).await;
        let died = charging.on("ok").await;
        calls.heal();
        let left = charging.on("ok").await;
        assert!([to_act(240), error("PaymentOutcomeUnknown")].contains(&left), "{died:?}, then {left:?}");
        charging.shop.clock.advance_seconds(240);
        assert_eq!(charging.on("ok").await, cancelled(), "after {died:?}");
    })
    .await;
    every_crash(async |calls| {
        let charging = Charging::of("sandbox:action-abandoned").await;
        assert_eq!(charging.on("ok").await, to_act(240));
        charging.shop.clock.advance_seconds(240);
        let dying = function(&charging.shop, calls, "sandbox,sandbox-standby");
        let died = test_shop::task(&dying, test_aws::event_value("charge-payment/ok.json")).await;
        assert_eq!((charging.on("ok").await, charging.charges().await), (cancelled(), (0, 0)), "after {died:?}");
    })
    .await;
}

/// Two runs at the end of the time, one of which hangs at each of its requests.
#[tokio::test]
async fn two_runs_at_the_end_of_the_time_agree() {
    every_interleaving(async |interleaving| {
        let charging = Charging::of("sandbox:action-abandoned").await;
        assert_eq!(charging.on("ok").await, to_act(240));
        charging.shop.clock.advance_seconds(240);
        let hanging = function(&charging.shop, &interleaving.calls, "sandbox,sandbox-standby");
        let input = || test_aws::event_value("charge-payment/ok.json");
        let answers = interleaving.run(test_shop::task(&hanging, input()), charging.run(input())).await;
        for answer in [answers.0, answers.1, charging.on("ok").await] {
            assert!([cancelled(), error("StoreUnavailable")].contains(&answer), "{answer:?}");
        }
        assert_eq!(charging.charges().await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_payment_waits_for_its_turn_before_anything_is_asked() {
    let charging = Charging::of("sandbox:ok").await;
    let limited = |calls: &Calls| {
        charge_payment::ChargePayment::wire(&mut charging.shop.parts_with(calls, &[("PAYMENTS_PER_SECOND", "1")])).unwrap()
    };
    let (first, second) = (limited(&Calls::new()), limited(&Calls::new()));
    let ok = || test_aws::event_value("charge-payment/ok.json");
    assert_eq!(test_shop::task(&first, ok()).await, authorised(0, "sandbox"));
    let other = Buyer::second().paying("sandbox:ok");
    charging.shop.bring(&other, Stage::Pending).await;
    let input = json!({"order_id": other.id, "shopper": other.shopper, "attempt": 1});
    assert_eq!(test_shop::task(&second, input.clone()).await, Ok(json!({"outcome": "wait", "seconds": 1, "gateway": 0})));
    assert_eq!(charging.shop.attempt_status(&other, 1).await, None, "nothing was asked");
    let mut waited = input;
    waited["has_waited"] = json!(true);
    let reference = format!("sandbox_{}", other.key(1));
    let expected = json!({"outcome": "authorised", "gateway": 0, "provider_reference": reference});
    assert_eq!(test_shop::task(&second, waited).await, Ok(expected));
}

#[tokio::test]
async fn a_token_that_no_account_takes_any_more_ends_the_attempt_without_a_charge() {
    let charging = Charging::of("stripe:pm_1").await;
    assert_eq!(charging.on("ok").await, Ok(json!({"outcome": "unavailable"})));
    assert_eq!(charging.shop.attempt_status(&charging.buyer, 1).await, None);
}
