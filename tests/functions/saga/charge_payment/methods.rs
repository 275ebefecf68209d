//! Each payment method of the sandbox, driven to its end and then once more.

use domain::{AttemptStatus, Money};
use test_shop::{Stage, price};

use crate::saga::charge_payment::{Answer, Charging, authorised, charged, declined, error, unavailable};

/// A payment method, every answer until its end, the charges at the first gateway and the standby, and the attempt's last status.
type Case = (&'static str, Vec<Answer>, (u32, u32), AttemptStatus);

fn cases() -> Vec<Case> {
    let ok = || charged(0, "sandbox");
    let unknown = || error("PaymentOutcomeUnknown");
    let (one, none) = ((1, 0), (0, 0));
    let (reserved, at) = (|| authorised(0, "sandbox"), AttemptStatus::Authorised);
    vec![
        ("sandbox:ok", vec![reserved()], none, at),
        ("sandbox:authorised-but-answer-lost", vec![unknown(), reserved()], none, at),
        ("sandbox:capture-refused", vec![reserved()], none, at),
        ("sandbox:captured-but-answer-lost", vec![reserved()], none, at),
        ("sandbox:charged-at-once", vec![ok()], one, AttemptStatus::Charged),
        ("sandbox:declined", vec![declined("The card was declined.")], none, AttemptStatus::Declined),
        ("sandbox:no-such-method", vec![declined("The payment method is not known.")], none, AttemptStatus::Declined),
        ("sandbox:timeout-then-ok", vec![unknown(), ok()], one, AttemptStatus::Charged),
        ("sandbox:charged-but-answer-lost", vec![unknown(), ok()], one, AttemptStatus::Charged),
        ("sandbox:down", vec![unavailable(Some(1)), unavailable(None)], none, AttemptStatus::Unavailable),
        ("sandbox:down-at-first", vec![unavailable(Some(1)), unavailable(None)], none, AttemptStatus::Unavailable),
        ("sandbox:primary-down", vec![unavailable(Some(1)), charged(1, "sandbox-standby")], (0, 1), AttemptStatus::Charged),
        ("sandbox:wrong-amount", vec![ok()], one, AttemptStatus::Charged),
        ("sandbox:refund-fails-once", vec![ok()], one, AttemptStatus::Charged),
    ]
}

#[tokio::test]
async fn each_payment_method_ends_as_it_should_and_charges_at_most_once() {
    for (method, answers, charges, status) in cases() {
        let charging = Charging::of(method).await;
        assert_eq!(charging.drive().await, answers, "{method}");
        assert_eq!(charging.charges().await, charges, "{method}");
        assert_eq!(charging.shop.attempt_status(&charging.buyer, 1).await, Some(status), "{method}");
    }
}

#[tokio::test]
async fn the_same_task_again_answers_the_same_and_charges_nothing() {
    for (method, answers, charges, _) in cases() {
        let charging = Charging::of(method).await;
        charging.drive().await;
        let last_gateway = if answers.contains(&unavailable(Some(1))) { "next-gateway" } else { "ok" };
        for _ in 0..2 {
            assert_eq!(Some(&charging.on(last_gateway).await), answers.last(), "{method}");
        }
        assert_eq!(charging.charges().await, charges, "{method}");
    }
}

#[tokio::test]
async fn what_the_gateway_confirms_is_written_down_for_who_completes_the_order() {
    let one_less = Money::new(99_899, "USD".parse().unwrap()).unwrap();
    for (method, confirmed) in
        [("sandbox:charged-at-once", price()), ("sandbox:wrong-amount", one_less), ("sandbox:refund-fails-once", one_less)]
    {
        let charging = Charging::of(method).await;
        charging.drive().await;
        let attempt = charging.shop.uncounted().attempts().get(&charging.buyer.key(1)).await.unwrap().unwrap();
        assert_eq!(attempt.confirmed, Some(confirmed), "{method}");
        assert_eq!(attempt.reference.unwrap(), format!("sandbox_{}", charging.buyer.key(1)), "{method}");
        assert_eq!(attempt.gateway.0, "sandbox", "{method}");
    }
}

#[tokio::test]
async fn an_authorisation_confirms_no_charge() {
    let charging = Charging::of("sandbox:ok").await;
    charging.drive().await;
    let attempt = charging.shop.uncounted().attempts().get(&charging.buyer.key(1)).await.unwrap().unwrap();
    assert_eq!((attempt.confirmed, attempt.reference), (None, Some(format!("sandbox_{}", charging.buyer.key(1)))));
}

#[tokio::test]
async fn the_standby_can_be_asked_first() {
    let charging = Charging::of("sandbox:charged-at-once").await;
    assert_eq!(charging.on("next-gateway").await, charged(1, "sandbox-standby"));
    assert_eq!(charging.on("next-gateway").await, charged(1, "sandbox-standby"));
    assert_eq!(charging.charges().await, (0, 1));
}

/// The second attempt has its own key, so the first attempt's decline does not apply to it.
#[tokio::test]
async fn a_second_attempt_is_charged_after_a_first_that_was_declined() {
    let charging = Charging::at(Stage::PayingAgain, "sandbox:charged-at-once").await;
    let mut input = test_aws::event_value("charge-payment/ok.json");
    input["attempt"] = 2.into();
    for _ in 0..2 {
        assert_eq!(charging.run(input.clone()).await.unwrap()["outcome"], "charged");
    }
    assert_eq!(charging.charges().await, (0, 0), "of attempt 1");
    assert_eq!(charging.shop.money(&charging.buyer, 2, "sandbox").await, (1, 0));
}
