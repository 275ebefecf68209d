//! `charge-payment` on a real DynamoDB engine and the sandbox gateways: its answers to the state machine, and how often it
//! charges when tasks are repeated, late or cut off.
#![expect(clippy::panic, clippy::unnecessary_wraps, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod actions;
mod breaker;
mod crashes;
mod lateness;
mod methods;
mod overlaps;
mod unknown;

use std::{ops::ControlFlow, sync::Mutex, time::Duration};

use charge_payment::ChargePayment;
use parts::FromParts;
use serde_json::{Value, json};
use test_asl::{Ended, Host, Invoked};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

use super::{Answer, error};

/// A shop with one purchase, and the function in it.
struct Charging {
    shop: Shop,
    buyer: Buyer,
    calls: Calls,
    function: ChargePayment,
}

impl Charging {
    /// The first attempt to pay with `method` is under way. The task has asked no gateway yet.
    async fn of(method: &str) -> Self {
        Self::at(Stage::Pending, method).await
    }

    async fn at(stage: Stage, method: &str) -> Self {
        Self::with_calls(stage, method, &Calls::new()).await
    }

    async fn with_calls(stage: Stage, method: &str, calls: &Calls) -> Self {
        let (shop, buyer) = (Shop::open().await, Buyer::first().paying(method));
        shop.bring(&buyer, stage).await;
        let function = function(&shop, calls, "sandbox,sandbox-standby");
        Self { shop, buyer, calls: calls.clone(), function }
    }

    /// Runs the task on a sample event.
    async fn on(&self, event: &str) -> Answer {
        self.run(test_aws::event_value(&format!("charge-payment/{event}.json"))).await
    }

    async fn run(&self, input: Value) -> Answer {
        test_shop::task(&self.function, input).await
    }

    /// Runs the task as the state machine does, until the saga goes on to another task. Returns every answer.
    /// The saga goes on with the last one.
    async fn drive(&self) -> Vec<Answer> {
        let saga = OnlyTheCharge { charging: self, answers: Mutex::default() };
        let input = test_aws::event_value("charge-payment/ok.json");
        assert_eq!(test_asl::Machine::payment_saga().run(&saga, input).await, Ended::Aborted, "it does not end with the charge");
        saga.answers.into_inner().unwrap()
    }

    async fn status(&self) -> Option<domain::AttemptStatus> {
        self.shop.attempt_status(&self.buyer, 1).await
    }

    /// How often the first gateway and the standby have charged attempt 1. Asserts that neither has refunded.
    async fn charges(&self) -> (u32, u32) {
        let (first, standby) =
            (self.shop.money(&self.buyer, 1, "sandbox").await, self.shop.money(&self.buyer, 1, "sandbox-standby").await);
        assert_eq!((first.1, standby.1), (0, 0));
        (first.0, standby.0)
    }
}

/// An execution of the saga that is aborted after the charge.
struct OnlyTheCharge<'c> {
    charging: &'c Charging,
    answers: Mutex<Vec<Answer>>,
}

impl Host for OnlyTheCharge<'_> {
    async fn moves(&self, _from: Option<&str>, to: &str) -> ControlFlow<()> {
        if ["Charge", "WhatCameOfTheCharge"].contains(&to) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    async fn invoke(&self, function: &'static str, payload: Value, _longest: Duration) -> Invoked {
        assert_eq!(function, "charge-payment");
        let answer = self.charging.run(payload).await;
        self.answers.lock().unwrap().push(answer.clone());
        answer.map_or_else(Invoked::Failed, Invoked::Answered)
    }

    async fn retries(&self, _function: &'static str, _error: &str, _longest: Duration) -> bool {
        true
    }

    fn token(&self) -> String {
        String::new()
    }

    async fn called_back(&self, token: &str, _longest: Duration) -> Invoked {
        panic!("the charge waits for {token}");
    }

    async fn waits(&self, time: Duration) {
        panic!("the charge waits {time:?}");
    }
}

fn function(shop: &Shop, calls: &Calls, gateways: &str) -> ChargePayment {
    ChargePayment::wire(&mut shop.parts_with(calls, &[("PAYMENT_GATEWAYS", gateways)])).unwrap()
}

fn authorised(gateway: usize, name: &str) -> Answer {
    let reference = format!("{name}_{}", Buyer::first().key(1));
    Ok(json!({"outcome": "authorised", "gateway": gateway, "provider_reference": reference}))
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
