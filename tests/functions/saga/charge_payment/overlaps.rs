//! A gateway is down for one run of an attempt, and works again for another run that was delayed. The run that was told "down"
//! may go on to the next gateway, or give the attempt up, only if no other run can still be charged at this one.

use domain::AttemptStatus;
use test_aws::{Calls, every_interleaving};
use test_shop::Stage;

use crate::saga::charge_payment::{Answer, Charging, charged, error, function, unavailable};

/// The answers that a run of the first task may get.
fn known() -> [Answer; 4] {
    [unavailable(Some(1)), charged(0, "sandbox"), error("PaymentOutcomeUnknown"), error("StoreUnavailable")]
}

impl Charging {
    /// Runs the same task in another process.
    async fn elsewhere(&self, calls: &Calls) -> Answer {
        let function = function(&self.shop, calls, "sandbox,sandbox-standby");
        test_shop::task(&function, test_aws::event_value("charge-payment/ok.json")).await
    }

    /// Asserts that a charge is recorded or will be found. No run got "unavailable" if the gateway has charged.
    async fn loses_nothing(&self, answers: &[Answer]) {
        assert!(answers.iter().all(|answer| known().contains(answer)), "{answers:?}");
        let attempt = self.shop.uncounted().attempts().get(&self.buyer.key(1)).await.unwrap().unwrap();
        let may_be_charged = matches!(attempt.status, AttemptStatus::Started | AttemptStatus::Charged);
        let (first, standby) = self.charges().await;
        assert_eq!(standby, 0, "{answers:?}");
        assert!(first == 0 || may_be_charged, "{answers:?}: charged, and the attempt is {:?}", attempt.status);
        assert!(first == 0 || !answers.contains(&unavailable(Some(1))), "{answers:?}: charged, and said not to be");
    }

    /// Asserts that the saga ends in agreement with the books, whatever answers the first runs got.
    async fn ends_well(&self, answers: &[Answer]) {
        let last = self.drive().await.pop();
        let charges = self.charges().await;
        let is_charged = last == Some(charged(0, "sandbox"));
        assert!(is_charged || last == Some(unavailable(None)), "{answers:?}, then {last:?}");
        assert_eq!(charges, (u32::from(is_charged), 0), "{answers:?}, then {last:?}");
    }
}

#[tokio::test]
async fn a_run_that_hangs_while_another_finds_the_gateway_down_loses_no_charge() {
    every_interleaving(async |interleaving| {
        let charging = Charging::with_calls(Stage::Pending, "sandbox:down-at-first", &interleaving.calls).await;
        let (hung, other) = interleaving.run(charging.on("ok"), charging.elsewhere(&Calls::new())).await;
        charging.loses_nothing(&[hung.clone(), other.clone()]).await;
        charging.ends_well(&[hung, other]).await;
    })
    .await;
}

#[tokio::test]
async fn two_runs_that_hang_while_a_third_finds_the_gateway_down_lose_no_charge() {
    every_interleaving(async |outer| {
        every_interleaving(async |inner| {
            let charging = Charging::with_calls(Stage::Pending, "sandbox:down-at-first", &outer.calls).await;
            let calls = Calls::new();
            let (second, third) = (charging.elsewhere(&inner.calls), charging.elsewhere(&calls));
            let others = Box::pin(inner.run(Box::pin(second), Box::pin(third)));
            let (first, (second, third)) = outer.run(Box::pin(charging.on("ok")), others).await;
            charging.loses_nothing(&[first.clone(), second.clone(), third.clone()]).await;
            Box::pin(charging.ends_well(&[first, second, third])).await;
        })
        .await;
    })
    .await;
}
