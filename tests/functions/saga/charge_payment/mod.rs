//! `charge-payment` on a real DynamoDB engine and the sandbox gateways: what it answers to the state machine, and how often it
//! charges, whatever is repeated, late or cut off.
#![expect(
    clippy::indexing_slicing,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    reason = "the helpers of tests say what they expect"
)]

mod crashes;
mod lateness;
mod methods;
mod overlaps;
mod unknown;

use charge_payment::ChargePayment;
use payments::Gateways;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

/// What the task answers: its output, or the name of its error.
type Answer = Result<Value, String>;

/// A shop with one purchase, and the function in it.
struct Charging {
    shop: Shop,
    buyer: Buyer,
    calls: Calls,
    function: ChargePayment,
}

impl Charging {
    /// The first attempt to pay with `method` is under way; no gateway has been asked.
    async fn of(method: &str) -> Self {
        Self::at(Stage::Pending, method).await
    }

    async fn at(stage: Stage, method: &str) -> Self {
        Self::with_calls(stage, method, &Calls::new()).await
    }

    async fn with_calls(stage: Stage, method: &str, calls: &Calls) -> Self {
        let (shop, buyer) = (Shop::open().await, Buyer::first().paying(method));
        shop.bring(&buyer, stage).await;
        let function = function(&shop, calls, &["sandbox", "sandbox-standby"]);
        Self { shop, buyer, calls: calls.clone(), function }
    }

    /// Runs the task on a recorded event.
    async fn on(&self, event: &str) -> Answer {
        self.run(test_aws::event_value(&format!("charge-payment/{event}.json"))).await
    }

    async fn run(&self, input: Value) -> Answer {
        test_shop::task(input, |task| self.function.handle(task)).await
    }

    /// Runs the task as the state machine does: errors that pass are tried again, eight times, and another gateway is asked when
    /// the task says so. Gives every answer; the last one is what the saga goes on with.
    async fn drive(&self) -> Vec<Answer> {
        let mut input = test_aws::event_value("charge-payment/ok.json");
        let mut answers = Vec::new();
        let mut tries = 9;
        while tries > 0 {
            let answer = self.run(input.clone()).await;
            answers.push(answer.clone());
            match answer {
                Err(error) if ["PaymentOutcomeUnknown", "StoreUnavailable"].contains(&error.as_str()) => tries -= 1,
                Ok(output) if output["next_gateway"].is_u64() => {
                    (tries, input["gateway"]) = (9, output["next_gateway"].clone());
                }
                Ok(_) | Err(_) => break,
            }
        }
        answers
    }

    /// How often the first gateway and the standby have charged attempt 1. Nothing is refunded here.
    async fn charges(&self) -> (u32, u32) {
        let (first, standby) =
            (self.shop.money(&self.buyer, 1, "sandbox").await, self.shop.money(&self.buyer, 1, "sandbox-standby").await);
        assert_eq!((first.1, standby.1), (0, 0));
        (first.0, standby.0)
    }
}

fn function(shop: &Shop, calls: &Calls, gateways: &[&str]) -> ChargePayment {
    let client = shop.dynamo.client_with(calls);
    let names: Vec<String> = gateways.iter().map(|name| (*name).to_owned()).collect();
    let gateways = Gateways::configured(&names, true, &shop.books_on(client.clone())).unwrap();
    ChargePayment::new(gateways, shop.orders_on(client.clone()), shop.attempts_on(client))
}

fn charged(gateway: usize, name: &str) -> Answer {
    let reference = format!("{name}_{}", Buyer::first().key(1));
    Ok(json!({"outcome": "charged", "gateway": gateway, "provider_reference": reference}))
}

fn declined(reason: &str) -> Answer {
    Ok(json!({"outcome": "declined", "reason": reason}))
}

fn unavailable(next: Option<usize>) -> Answer {
    Ok(match next {
        Some(next) => json!({"outcome": "unavailable", "next_gateway": next}),
        None => json!({"outcome": "unavailable"}),
    })
}

fn error(name: &str) -> Answer {
    Err(name.to_owned())
}
