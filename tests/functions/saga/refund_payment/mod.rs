//! `refund-payment` on a real DynamoDB engine and the sandbox gateways: charged money goes back once, and money that was not
//! charged never is.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unnecessary_wraps,
    reason = "the helpers of tests say what they expect"
)]

mod charged;
mod crashes;
mod uncharged;

use charge_payment::ChargePayment;
use refund_payment::RefundPayment;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

use super::{Answer, error};

/// A shop with one purchase, `refund-payment` and `charge-payment`.
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
        let (function, charge) = (shop.wire(calls), shop.wire(&Calls::new()));
        Self { shop, buyer, calls: calls.clone(), function, charge }
    }

    /// Runs the task on a sample event.
    async fn on(&self, event: &str) -> Answer {
        self.run(test_aws::event_value(&format!("refund-payment/{event}.json"))).await
    }

    async fn run(&self, input: Value) -> Answer {
        test_shop::task(&self.function, input).await
    }

    /// Runs the task as the state machine does, which repeats it after passing errors. Returns every answer.
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

    /// Runs the charge of attempt 1 on a gateway, once.
    async fn charge(&self, gateway: usize) -> Answer {
        let mut input = test_aws::event_value("charge-payment/ok.json");
        input["gateway"] = gateway.into();
        test_shop::task(&self.charge, input).await
    }

    /// How often attempt 1 was charged and refunded at the first gateway, and at the standby.
    async fn money(&self) -> [(u32, u32); 2] {
        let of = |gateway| self.shop.money(&self.buyer, 1, gateway);
        [of("sandbox").await, of("sandbox-standby").await]
    }
}

fn refunded(yes: bool) -> Answer {
    Ok(json!({"refunded": yes}))
}
