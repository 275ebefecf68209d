//! The process dies at any of its requests, or two processes run at once: the money moves once.

use std::sync::Mutex;

use test_aws::{Calls, every_crash};
use test_shop::Stage;

use crate::saga::charge_payment::{Answer, Charging, authorised, charged, declined, error, unavailable};

/// Lets the first run die at each of its requests, drives the saga to the end, and checks how it ends.
async fn survives(method: &str, expected: Answer, charges: (u32, u32)) {
    every_crash(async |calls| {
        let charging = Charging::with_calls(Stage::Pending, method, calls).await;
        let died = charging.on("ok").await;
        if calls.has_crashed() {
            let passing = [error("PaymentOutcomeUnknown"), error("StoreUnavailable")];
            // A crash after the last request is a complete run whose answer never reaches the state machine.
            assert!(passing.contains(&died) || died.is_ok(), "{method}: {died:?}");
        }
        calls.heal();
        assert_eq!(charging.drive().await.pop(), Some(expected.clone()), "{method} after {died:?}");
        assert_eq!(charging.charges().await, charges, "{method} after {died:?}");
    })
    .await;
}

#[tokio::test]
async fn an_authorisation_that_was_cut_off_is_found_and_charges_nothing() {
    survives("sandbox:ok", authorised(0, "sandbox"), (0, 0)).await;
    survives("sandbox:authorised-but-answer-lost", authorised(0, "sandbox"), (0, 0)).await;
}

#[tokio::test]
async fn a_charge_that_was_cut_off_is_made_once() {
    survives("sandbox:charged-at-once", charged(0, "sandbox"), (1, 0)).await;
}

#[tokio::test]
async fn a_charge_that_timed_out_and_was_cut_off_is_made_once() {
    survives("sandbox:timeout-then-ok", charged(0, "sandbox"), (1, 0)).await;
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_found_and_not_repeated() {
    survives("sandbox:charged-but-answer-lost", charged(0, "sandbox"), (1, 0)).await;
}

#[tokio::test]
async fn a_decline_that_was_cut_off_stays_one() {
    survives("sandbox:declined", declined("The card was declined."), (0, 0)).await;
}

/// Lets the first run die at each of its requests while a gateway is down. If the run may have been asking when it died, the
/// outcome is unknown: the task asks no other gateway, and the saga undoes the attempt.
async fn goes_on_if_nobody_may_be_asking(method: &str, expected: Answer, charges: (u32, u32)) {
    let seen = Mutex::new(Vec::new());
    every_crash(async |calls| {
        let charging = Charging::with_calls(Stage::Pending, method, calls).await;
        let died = charging.on("ok").await;
        calls.heal();
        let last = charging.drive().await.pop().unwrap();
        let asked_again = charging.shop.uncounted().attempts().get(&charging.buyer.key(1)).await.unwrap().unwrap().asked_again;
        let ended = if asked_again { (error("PaymentOutcomeUnknown"), (0, 0)) } else { (expected.clone(), charges) };
        assert_eq!((last, charging.charges().await), ended, "{method} after {died:?}");
        seen.lock().unwrap().push(asked_again);
    })
    .await;
    let seen = seen.into_inner().unwrap();
    assert!(seen.contains(&true) && seen.contains(&false), "{method}: {seen:?}");
}

#[tokio::test]
async fn gateways_that_are_down_charge_nothing_wherever_the_run_is_cut_off() {
    goes_on_if_nobody_may_be_asking("sandbox:down", unavailable(None), (0, 0)).await;
}

#[tokio::test]
async fn the_standby_is_asked_if_the_run_was_not_cut_off_when_it_may_have_been_asking() {
    goes_on_if_nobody_may_be_asking("sandbox:primary-down", charged(1, "sandbox-standby"), (0, 1)).await;
}

/// The run on the standby dies. No gateway has charged before that run, and only the standby charges after it.
#[tokio::test]
async fn a_failover_that_was_cut_off_charges_the_standby_once() {
    every_crash(async |calls| {
        let charging = Charging::with_calls(Stage::Pending, "sandbox:primary-down", &Calls::new()).await;
        assert_eq!(charging.on("ok").await, unavailable(Some(1)));
        let dying = crate::saga::charge_payment::function(&charging.shop, calls, "sandbox,sandbox-standby");
        let event = test_aws::event_value("charge-payment/next-gateway.json");
        let died = test_shop::task(&dying, event).await;
        calls.heal();
        let mut last = charging.on("next-gateway").await;
        if last == error("PaymentOutcomeUnknown") {
            last = charging.on("next-gateway").await;
        }
        assert_eq!(last, charged(1, "sandbox-standby"), "after {died:?}");
        assert_eq!(charging.charges().await, (0, 1), "after {died:?}");
    })
    .await;
}

/// Two runs side by side: one that the state machine gave up, and its retry.
#[tokio::test]
async fn two_runs_at_once_charge_once() {
    let seen = Mutex::new(Vec::new());
    for method in
        ["sandbox:charged-at-once", "sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost", "sandbox:primary-down"]
    {
        let charging = Charging::of(method).await;
        let (one, other) = tokio::join!(charging.on("ok"), charging.on("ok"));
        seen.lock().unwrap().push((one, other));
        let last = charging.drive().await.pop().unwrap();
        assert_eq!(last.unwrap()["outcome"], "charged", "{method}");
        let (first, standby) = charging.charges().await;
        assert_eq!(first + standby, 1, "{method}: {seen:?}");
    }
}
