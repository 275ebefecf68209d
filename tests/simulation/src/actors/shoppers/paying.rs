//! How shoppers pay: with methods of the sandbox, of Stripe and of PayPal, and what they do at a provider.

use std::time::Duration;

use domain::{Clock, Timestamp};
use fake_paypal::Instrument;
use serde_json::{Value, json};
use test_aws::request;

use super::Shopper;
use crate::{checks, faults::Fault};

/// Payment methods that need no action and can be authorised.
const READY: [&str; 4] = ["sandbox:ok", "sandbox:ok", "stripe:pm_card_visa", "stripe:pm_card_visa"];
/// Payment methods for which the shopper has to act.
const TO_ACT: [&str; 5] = [
    "sandbox:action-passed",
    "stripe:pm_card_threeDSecure2Required",
    "stripe:pm_card_threeDSecure2Required",
    "paypal:checkout",
    "paypal:checkout",
];

impl Shopper {
    /// Pays the order again.
    pub(super) async fn pay(&self, id: &str, price: &Value) {
        let minor = price["amount_minor"].as_u64().unwrap();
        let amount = format!("{}.{:02}", minor / 100, minor % 100);
        let body = json!({"order_id": id, "payment_method": self.method(), "amount": amount});
        self.caller.ask("pay", request("POST", "/payment").json(&body)).await;
    }

    /// The payment method of this try.
    pub(super) fn method(&self) -> &'static str {
        let chance = &self.world.chance;
        let ways: [(Fault, &[&str]); 9] = [
            (
                Fault::Declined,
                &["sandbox:declined", "stripe:pm_card_chargeDeclined", "stripe:pm_card_threeDSecureRequiredChargeDeclined"],
            ),
            (Fault::GatewayDown, &["sandbox:down", "sandbox:primary-down", "sandbox:down-at-first"]),
            (Fault::GatewaySlow, &["sandbox:timeout-then-ok"]),
            (
                Fault::GatewayAnswerLost,
                &["sandbox:charged-but-answer-lost", "sandbox:authorised-but-answer-lost", "sandbox:captured-but-answer-lost"],
            ),
            (Fault::CaptureRefused, &["sandbox:capture-refused", "stripe:pm_fake_captureDeclined"]),
            (Fault::WrongAmount, &["sandbox:wrong-amount", "sandbox:refund-fails-once"]),
            (Fault::ActionAbandoned, &["sandbox:action-abandoned"]),
            (Fault::RefundRefused, &["sandbox:refund-refused"]),
            (Fault::RefundAnswerLost, &["sandbox:refunded-but-answer-lost"]),
        ];
        let struck = ways.into_iter().find(|(fault, _)| self.world.strikes(*fault));
        match struck {
            Some((_, methods)) => chance.pick::<&str>(methods),
            None if chance.happens(0.1) => "sandbox:charged-at-once",
            None => self.good_method(),
        }
    }

    /// A method by which every shopper can pay who acts if it is necessary.
    pub(super) fn good_method(&self) -> &'static str {
        let chance = &self.world.chance;
        if chance.happens(0.5) { chance.pick::<&str>(&READY) } else { chance.pick::<&str>(&TO_ACT) }
    }

    /// Does what the payment of an order asks for: after a while, when the time for it ends, in vain, or never. Then some come
    /// back to the shop, and some close the window.
    pub(super) async fn act(&self, id: &str, order: &Value) {
        let world = &self.world;
        let name = &self.caller.name;
        if world.strikes(Fault::ActionAbandoned) {
            world.note(|| format!("{name} does not act for {id}"));
            return;
        }
        if world.strikes(Fault::ActionLate) {
            // Only the choice of the moment knows the item.
            let until = world.tables.look(|items| checks::acts_until(items, id)).unwrap_or(0);
            let until = Timestamp::from_second(until).unwrap().duration_since(world.time.now());
            world.sleep(Duration::try_from(until).unwrap_or_default().saturating_sub(Duration::from_secs(2))).await;
            world.pause(0, 5_000).await;
        } else {
            world.pause(300, 15_000).await;
        }
        let passes = !world.strikes(Fault::ActionFailed);
        let instrument = match () {
            () if world.strikes(Fault::Declined) => Instrument::Declines,
            () if world.strikes(Fault::CaptureRefused) => Instrument::CaptureDeclined,
            () => Instrument::Good,
        };
        let has_acted = world.providers.act(&order["action"], passes, instrument);
        world.note(|| format!("{name} acts for {id}: passes {passes}, {instrument:?}, in time {has_acted}"));
        if !passes && world.chance.happens(0.5) {
            world.pause(100, 8_000).await;
            let pays = world.providers.pay_by_another_card(&order["action"]);
            world.note(|| format!("{name} enters another card for {id}, which pays: {pays:?}"));
        }
        if world.chance.happens(0.5) {
            world.pause(100, 3_000).await;
            self.pay(id, &order["price"]).await;
        }
    }
}
