//! `refund-payment` on a real DynamoDB engine and the sandbox gateways: money that was charged goes back once, and money that
//! was not charged never is.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    reason = "the helpers of tests say what they expect"
)]

mod charged;
mod crashes;
mod uncharged;

use charge_payment::ChargePayment;
use payments::Gateways;
use refund_payment::RefundPayment;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

/// What the task answers: its output, or the name of its error.
type Answer = Result<Value, String>;

/// A shop with one purchase, the function in it, and the one that charges.
struct Refunding {
    shop: Shop,
    buyer: Buyer,
    calls: Calls,
    function: RefundPayment,
    charge: ChargePayment,
}

impl Refunding {
    async fn at(stage: Stage, method: &str) -> Self {
        Self::with_calls(stage, method, &Calls::new()).await
    }

    async fn with_calls(stage: Stage, method: &str, calls: &Calls) -> Self {
        let (shop, buyer) = (Shop::open().await, Buyer::first().paying(method));
        shop.bring(&buyer, stage).await;
        let client = shop.dynamo.client_with(calls);
        let gateways = gateways(&shop, calls, &["sandbox", "sandbox-standby"]);
        let function = RefundPayment::new(gateways, shop.orders_on(client.clone()), shop.attempts_on(client));
        let uncounted = gateways_of(&shop);
        let charge = ChargePayment::new(uncounted, shop.orders(), shop.attempts());
        Self { shop, buyer, calls: calls.clone(), function, charge }
    }

    /// Runs the task on a recorded event.
    async fn on(&self, event: &str) -> Answer {
        self.run(test_aws::event_value(&format!("refund-payment/{event}.json"))).await
    }

    async fn run(&self, input: Value) -> Answer {
        test_shop::task(input, |task| self.function.handle(task)).await
    }

    /// Runs the task as the state machine does: errors that pass are tried again. Gives every answer.
    async fn drive(&self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for _ in 0..8 {
            let answer = self.on("ok").await;
            answers.push(answer.clone());
            match answer {
                Err(error) if ["RefundUnconfirmed", "StoreUnavailable"].contains(&error.as_str()) => {}
                Ok(_) | Err(_) => return answers,
            }
        }
        panic!("it does not come to an end: {answers:?}")
    }

    /// The charge of attempt 1 on a gateway, run once.
    async fn charge(&self, gateway: usize) -> Answer {
        let mut input = test_aws::event_value("charge-payment/ok.json");
        input["gateway"] = gateway.into();
        test_shop::task(input, |task| self.charge.handle(task)).await
    }

    /// How often attempt 1 was charged and refunded at the first gateway, and at the standby.
    async fn money(&self) -> [(u32, u32); 2] {
        let of = |gateway| self.shop.money(&self.buyer, 1, gateway);
        [of("sandbox").await, of("sandbox-standby").await]
    }
}

fn gateways(shop: &Shop, calls: &Calls, names: &[&str]) -> Gateways {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Gateways::configured(&names, true, &shop.books_on(shop.dynamo.client_with(calls))).unwrap()
}

fn gateways_of(shop: &Shop) -> Gateways {
    gateways(shop, &Calls::new(), &["sandbox", "sandbox-standby"])
}

fn refunded(yes: bool) -> Answer {
    Ok(json!({"refunded": yes}))
}

fn error(name: &str) -> Answer {
    Err(name.to_owned())
}
