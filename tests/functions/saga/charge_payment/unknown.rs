//! While the outcome of a charge is unknown, the task looks it up at that gateway before it asks any gateway to charge.

use domain::{Attempt, AttemptStatus, GatewayName, Money};
use store::{Entry, EntryState};
use test_aws::Fault;
use test_shop::Stage;

use crate::saga::charge_payment::{Charging, charged, error, function, unavailable};

/// The index of the look-up among the requests of a run that finds the attempt started. The order and the attempt come first.
const LOOK_UP: usize = 2;

#[tokio::test]
async fn a_charge_that_was_started_is_looked_up_before_it_is_made_again() {
    for method in ["sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost"] {
        let charging = Charging::of(method).await;
        assert_eq!(charging.on("ok").await, error("PaymentOutcomeUnknown"), "{method}");
        let before = charging.shop.everything().await;
        charging.calls.crash_at(LOOK_UP, Fault::LostRequest);
        assert_eq!(charging.on("ok").await, error("PaymentOutcomeUnknown"), "{method}: the look-up is not answered");
        assert_eq!(charging.shop.everything().await, before, "{method}: so nothing is asked of the gateway");
        charging.calls.heal();
        assert_eq!(charging.on("ok").await, charged(0, "sandbox"), "{method}");
        assert_eq!(charging.charges().await, (1, 0), "{method}");
    }
}

#[tokio::test]
async fn another_gateway_is_not_asked_while_the_first_may_have_charged() {
    for method in ["sandbox:timeout-then-ok", "sandbox:charged-but-answer-lost"] {
        let charging = Charging::of(method).await;
        assert_eq!(charging.on("ok").await, error("PaymentOutcomeUnknown"), "{method}");
        charging.calls.crash_at(LOOK_UP, Fault::LostRequest);
        assert_eq!(charging.on("next-gateway").await, error("PaymentOutcomeUnknown"), "{method}: the first does not answer");
        charging.calls.heal();
        assert_eq!(charging.on("next-gateway").await, charged(0, "sandbox"), "{method}: the first charged, or does now");
        assert_eq!(charging.charges().await, (1, 0), "{method}");
    }
}

/// The call that timed out may still reach the gateway. That the next call finds it down does not prove that it never charges.
#[tokio::test]
async fn another_gateway_is_not_asked_when_only_a_later_call_found_the_first_one_down() {
    let charging = Charging::of("sandbox:down").await;
    let begun = charging.shop.attempt(&charging.buyer, 1, "sandbox", AttemptStatus::Started).await;
    for _ in 0..2 {
        assert_eq!(charging.on("ok").await, error("PaymentOutcomeUnknown"));
        let asked_again = Attempt { asked_again: true, ..begun.clone() };
        assert_eq!(charging.shop.uncounted().attempts().get(&begun.key).await.unwrap(), Some(asked_again));
    }
    assert_eq!(charging.charges().await, (0, 0));
}

#[tokio::test]
async fn a_charge_that_is_repeated_costs_one_write_more_and_no_more_than_one() {
    let charging = Charging::of("sandbox:down").await;
    charging.shop.attempt(&charging.buyer, 1, "sandbox", AttemptStatus::Started).await;
    for writes in [(1, 1), (1, 0)] {
        charging.calls.reset();
        assert_eq!(charging.on("ok").await, error("PaymentOutcomeUnknown"));
        let counted = (charging.calls.count("PutItem"), charging.calls.count("UpdateItem"));
        assert_eq!(counted, writes, "begins, and writes down that it asks again");
    }
}

#[tokio::test]
async fn a_gateway_that_was_configured_away_keeps_its_attempt_unknown() {
    let charging = Charging::of("sandbox:charged-but-answer-lost").await;
    let two = function(&charging.shop, &charging.calls, "sandbox,sandbox-old");
    let on = |event: &str| test_aws::event_value(&format!("charge-payment/{event}.json"));
    assert_eq!(test_shop::task(&two, on("next-gateway")).await, error("PaymentOutcomeUnknown"));
    for (gateways, event) in [("sandbox,sandbox-new", "next-gateway"), ("sandbox", "next-gateway")] {
        let now = function(&charging.shop, &charging.calls, gateways);
        let answer = test_shop::task(&now, on(event)).await;
        assert_eq!(answer, error("PaymentOutcomeUnknown"), "{gateways:?}: it has charged, and only it can say so");
    }
    assert_eq!(charging.charges().await, (0, 0));
    assert_eq!(charging.shop.money(&charging.buyer, 1, "sandbox-new").await, (0, 0));
    let back = function(&charging.shop, &charging.calls, "sandbox,sandbox-old");
    let answer = test_shop::task(&back, on("next-gateway")).await;
    assert_eq!(answer, charged(1, "sandbox-old"));
    assert_eq!(charging.shop.money(&charging.buyer, 1, "sandbox-old").await, (1, 0));
}

/// Providers refuse a key that comes with other parameters. The task looks up what was charged under the key. `complete-order`
/// then sees that the amount differs.
#[tokio::test]
async fn a_key_that_was_used_for_another_amount_is_not_charged_again() {
    let charging = Charging::of("sandbox:charged-at-once").await;
    let (key, sandbox) = (charging.buyer.key(1), GatewayName("sandbox".into()));
    let other = Money::new(500, "USD".parse().unwrap()).unwrap();
    let entry = Entry::asked(EntryState::Charged, other, other, &charging.buyer.method);
    charging.shop.uncounted().books().settle(&sandbox, &key, &entry).await.unwrap();
    assert_eq!(charging.on("ok").await, error("PaymentOutcomeUnknown"));
    assert_eq!(charging.on("ok").await, charged(0, "sandbox"));
    assert_eq!(charging.charges().await, (1, 0), "the one for another amount");
    let attempt = charging.shop.uncounted().attempts().get(&key).await.unwrap().unwrap();
    assert_eq!(attempt.confirmed, Some(other));
}

#[tokio::test]
async fn a_gateway_that_is_not_configured_is_unavailable() {
    let charging = Charging::of("sandbox:charged-at-once").await;
    let before = charging.shop.everything().await;
    assert_eq!(charging.on("no-such-gateway").await, unavailable(None));
    assert_eq!(charging.shop.everything().await, before);
}

/// What is known of the attempt counts, whichever gateway the input names.
#[tokio::test]
async fn a_gateway_that_is_not_configured_hides_no_charge() {
    let charging = Charging::at(Stage::Charged, "sandbox:charged-at-once").await;
    assert_eq!(charging.on("no-such-gateway").await, charged(0, "sandbox"));
    let charging = Charging::of("sandbox:charged-but-answer-lost").await;
    assert_eq!(charging.on("ok").await, error("PaymentOutcomeUnknown"));
    assert_eq!(charging.on("no-such-gateway").await, charged(0, "sandbox"));
    assert_eq!(charging.charges().await, (1, 0));
}

/// A delayed run for the first gateway must not charge there after the saga has gone on. The saga may have told the shopper that
/// nothing was charged.
#[tokio::test]
async fn an_earlier_gateway_is_not_asked_again() {
    let charging = Charging::of("sandbox:charged-at-once").await;
    let started = charging.shop.attempt(&charging.buyer, 1, "sandbox-standby", AttemptStatus::Started).await;
    let unavailable_there = Attempt { status: AttemptStatus::Unavailable, ..started.clone() };
    assert!(charging.shop.uncounted().attempts().replace(&started, &unavailable_there).await.unwrap());
    assert_eq!(charging.on("ok").await, unavailable(None));
    assert_eq!(charging.on("next-gateway").await, unavailable(None));
    assert_eq!(charging.charges().await, (0, 0));
    assert_eq!(charging.shop.uncounted().attempts().get(&charging.buyer.key(1)).await.unwrap(), Some(unavailable_there));
}
