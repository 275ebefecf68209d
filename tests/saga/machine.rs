//! A driver that goes through `statemachines/payment-saga.asl.json` as its states say, with the real tasks. It knows no more
//! of the language than this saga needs, and the file is asked whether each of its steps is there.

use std::{
    path::PathBuf,
    pin::pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use charge_payment::ChargePayment;
use complete_order::CompleteOrder;
use fail_order::FailOrder;
use notify_shopper::NotifyShopper;
use payments::Gateways;
use refund_payment::RefundPayment;
use sell_stock::SellStock;
use serde_json::{Value, json};
use take_back_stock::TakeBackStock;
use test_aws::{Calls, Topic};
use test_shop::{Buyer, Shop};

/// Attempts at one task, the first and its retries: as many as the state machine makes at an unknown outcome.
const TRIES: usize = 9;
/// Errors after which it makes them.
const PASSING: [&str; 4] = ["PaymentOutcomeUnknown", "RefundUnconfirmed", "StoreUnavailable", "NotificationFailed"];

/// Executions of the saga in one shop.
pub(crate) struct Machine<'s> {
    shop: &'s Shop,
    /// The calls of every task but those of the next two.
    pub(crate) calls: Calls,
    /// The calls of `charge-payment`.
    pub(crate) charge_calls: Calls,
    /// The calls of `refund-payment`.
    pub(crate) refund_calls: Calls,
    pub(crate) topic: Topic,
    twice: bool,
    /// Whether an execution ends for good with the process that runs its task.
    dies: bool,
    is_dead: AtomicBool,
    path: Mutex<Vec<&'static str>>,
}

impl<'s> Machine<'s> {
    /// Whose tasks make calls of their own.
    pub(crate) fn new(shop: &'s Shop) -> Self {
        Self { charge_calls: Calls::new(), refund_calls: Calls::new(), ..Self::with_calls(shop, &Calls::new()) }
    }

    /// Whose tasks all make these calls.
    pub(crate) fn with_calls(shop: &'s Shop, calls: &Calls) -> Self {
        let (charge_calls, refund_calls) = (calls.clone(), calls.clone());
        let (topic, path) = (Topic::new(), Mutex::default());
        let (twice, dies, is_dead) = (false, false, AtomicBool::new(false));
        Self { shop, calls: calls.clone(), charge_calls, refund_calls, topic, twice, dies, is_dead, path }
    }

    /// Every task runs twice, as if the answer of its first run had been lost.
    pub(crate) fn twice(self) -> Self {
        Self { twice: true, ..self }
    }

    /// The states of the last execution.
    pub(crate) fn path(&self) -> Vec<&'static str> {
        self.path.lock().unwrap().clone()
    }

    /// What the shopper was told, in order; the same thing twice in a row counts once.
    pub(crate) fn told(&self) -> Vec<&'static str> {
        let known = ["order-completed", "payment-failed", "order-failed", "refund-failed"];
        let message = |text: &str| -> Value { serde_json::from_str::<Value>(text).unwrap()["message"].clone() };
        let told = self.topic.published().into_iter().map(|it| message(&it.message));
        let mut told: Vec<&str> = told.map(|message| *known.iter().find(|known| message == **known).unwrap()).collect();
        told.dedup();
        told
    }

    /// One execution, for an attempt to pay the buyer's order.
    pub(crate) async fn run(&self, buyer: &Buyer, attempt: u32) {
        self.path.lock().unwrap().clear();
        let input = json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": attempt});
        Box::pin(self.charge(&input)).await;
        let path = self.path();
        for step in path.windows(2) {
            assert!(leads_to(step[0], step[1]), "the state machine has no way from {} to {}", step[0], step[1]);
        }
        assert!(["Succeed", "Fail"].contains(&definition()["States"][path[path.len() - 1]]["Type"].as_str().unwrap()));
    }

    /// An execution that is cut off, once and for all, where its calls crash. Whether it was.
    pub(crate) async fn run_until_cut_off(self, buyer: &Buyer, attempt: u32) -> bool {
        let machine = Self { dies: true, ..self };
        let mut run = pin!(machine.run(buyer, attempt));
        std::future::poll_fn(|context| match run.as_mut().poll(context) {
            Poll::Pending if machine.is_dead.load(Ordering::Relaxed) => Poll::Ready(true),
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(false),
        })
        .await
    }

    /// The first invocation of the first task, and nothing after it.
    pub(crate) async fn run_only_the_charge(&self, buyer: &Buyer) {
        let input = json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": 1});
        let _ = self.invoke("charge-payment", input).await;
    }

    /// An execution whose charge has failed for good.
    pub(crate) async fn run_only_the_undoing(&self, buyer: &Buyer) {
        self.path.lock().unwrap().clear();
        let input = json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": 1});
        Box::pin(self.refund(&input, "PaymentOutcomeUnknown")).await;
    }

    fn enter(&self, state: &'static str) {
        self.path.lock().unwrap().push(state);
    }

    async fn charge(&self, input: &Value) {
        let mut charge = input.clone();
        loop {
            self.enter("Charge");
            let outcome = match self.task("charge-payment", charge.clone()).await {
                Ok(outcome) => outcome,
                Err(error) => return self.refund(input, &error).await,
            };
            self.enter("WhatCameOfTheCharge");
            match (outcome["outcome"].as_str().unwrap(), outcome["next_gateway"].as_u64()) {
                ("charged", _) => return self.sell_and_complete(input).await,
                ("declined", _) => return self.payment_failed(input, outcome["reason"].as_str().unwrap()).await,
                ("unavailable", Some(next)) => charge["gateway"] = next.into(),
                ("unavailable", None) => return self.payment_failed(input, &no_gateway_up()).await,
                (other, _) => panic!("{other}"),
            }
        }
    }

    async fn sell_and_complete(&self, input: &Value) {
        for (state, function) in [("SellStock", "sell-stock"), ("CompleteOrder", "complete-order")] {
            self.enter(state);
            if let Err(error) = self.task(function, input.clone()).await {
                return self.refund(input, &error).await;
            }
        }
        self.notify("NotifyCompleted", input, "order-completed", "OrderCompleted").await;
    }

    async fn payment_failed(&self, input: &Value, reason: &str) {
        self.enter("PaymentFailed");
        match self.task("fail-order", merge(input, &json!({"ending": "payment_failed", "reason": reason}))).await {
            Ok(_) => self.notify("NotifyPaymentFailed", input, "payment-failed", "WaitingForAnotherMethod").await,
            Err(_) => self.enter("KeptForReview"),
        }
    }

    async fn refund(&self, input: &Value, reason: &str) {
        self.enter("Refund");
        if let Err(error) = self.task("refund-payment", input.clone()).await {
            return self.refund_failed(input, &error).await;
        }
        self.enter("TakeBackStock");
        if self.task("take-back-stock", input.clone()).await.is_err() {
            return self.enter("KeptForReview");
        }
        self.enter("FailOrder");
        match self.task("fail-order", merge(input, &json!({"ending": "refunded", "reason": reason}))).await {
            Ok(_) => self.notify("NotifyFailed", input, "order-failed", "OrderFailed").await,
            Err(_) => self.enter("KeptForReview"),
        }
    }

    async fn refund_failed(&self, input: &Value, reason: &str) {
        self.enter("RefundFailed");
        match self.task("fail-order", merge(input, &json!({"ending": "refund_pending", "reason": reason}))).await {
            Ok(_) => self.notify("NotifyRefundFailed", input, "refund-failed", "KeptForReview").await,
            Err(_) => self.enter("KeptForReview"),
        }
    }

    async fn notify(&self, state: &'static str, input: &Value, message: &str, then: &'static str) {
        self.enter(state);
        // A message that cannot be sent fails no order.
        let _ = self.task("notify-shopper", merge(input, &json!({"message": message}))).await;
        self.enter(then);
    }

    /// A task with its retries. A process that died is another one at the next try.
    async fn task(&self, function: &str, input: Value) -> Result<Value, String> {
        let mut answer = Err("never run".to_owned());
        for _ in 0..TRIES {
            answer = Box::pin(self.invoke(function, input.clone())).await;
            if self.twice {
                let again = Box::pin(self.invoke(function, input.clone())).await;
                // Of a message, SNS has another id; of units that came back, the first run has moved them.
                let may_differ = ["notify-shopper", "take-back-stock"].contains(&function);
                assert!(answer.is_err() || may_differ || answer == again, "{function}: {answer:?}, then {again:?}");
                answer = again;
            }
            if self.dies && self.calls.has_crashed() {
                self.is_dead.store(true, Ordering::Relaxed);
                std::future::pending::<()>().await;
            }
            for calls in [&self.calls, &self.charge_calls, &self.refund_calls] {
                if calls.has_crashed() {
                    calls.heal();
                }
            }
            match &answer {
                Err(error) if PASSING.contains(&error.as_str()) => {}
                Ok(_) | Err(_) => break,
            }
        }
        answer
    }

    /// A function, as it starts in a new environment.
    pub(crate) async fn invoke(&self, function: &str, input: Value) -> Result<Value, String> {
        let shop = self.shop;
        let client = shop.dynamo.client_with(&self.calls);
        match function {
            "charge-payment" => {
                let client = shop.dynamo.client_with(&self.charge_calls);
                let gateways = gateways(shop, &self.charge_calls);
                let it = ChargePayment::new(gateways, shop.orders_on(client.clone()), shop.attempts_on(client));
                test_shop::task(input, |task| it.handle(task)).await
            }
            "refund-payment" => {
                let client = shop.dynamo.client_with(&self.refund_calls);
                let gateways = gateways(shop, &self.refund_calls);
                let it = RefundPayment::new(gateways, shop.orders_on(client.clone()), shop.attempts_on(client));
                test_shop::task(input, |task| it.handle(task)).await
            }
            "sell-stock" => {
                let it = SellStock::new(shop.reservations_on(client.clone()), shop.stock_on(client));
                test_shop::task(input, |task| it.handle(task)).await
            }
            "take-back-stock" => {
                let it = TakeBackStock::new(shop.reservations_on(client.clone()), shop.stock_on(client));
                test_shop::task(input, |task| it.handle(task)).await
            }
            "complete-order" => {
                let it = CompleteOrder {
                    clock: shop.shared_clock(),
                    orders: shop.orders_on(client.clone()),
                    attempts: shop.attempts_on(client.clone()),
                    purchases: shop.purchases_on(client),
                };
                test_shop::task(input, |task| it.handle(task)).await
            }
            "fail-order" => {
                let it = FailOrder {
                    clock: shop.shared_clock(),
                    orders: shop.orders_on(client.clone()),
                    attempts: shop.attempts_on(client.clone()),
                    reservations: shop.reservations_on(client.clone()),
                    purchases: shop.purchases_on(client),
                    expiry: shop.expiry_queue(&self.calls),
                };
                test_shop::task(input, |task| it.handle(task)).await
            }
            "notify-shopper" => {
                let it = NotifyShopper::new(self.topic.client_with(&self.calls), "arn:aws:sns:us-east-1:1:notifications");
                test_shop::task(input, |task| it.handle(task)).await
            }
            other => panic!("{other}"),
        }
    }
}

fn gateways(shop: &Shop, calls: &Calls) -> Gateways {
    let names = ["sandbox".to_owned(), "sandbox-standby".to_owned()];
    Gateways::configured(&names, true, &shop.books_on(shop.dynamo.client_with(calls))).unwrap()
}

fn merge(input: &Value, with: &Value) -> Value {
    let mut merged = input.as_object().unwrap().clone();
    merged.extend(with.as_object().unwrap().clone());
    Value::Object(merged)
}

fn definition() -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../statemachines/payment-saga.asl.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// What the state machine says to the shopper when no gateway is up: the only reason that it gives itself.
fn no_gateway_up() -> String {
    let choices = definition()["States"]["WhatCameOfTheCharge"]["Choices"].as_array().unwrap().clone();
    let mut reasons = choices.iter().filter_map(|choice| choice["Output"]["reason"].as_str());
    let reason = reasons.next().unwrap().to_owned();
    assert_eq!(reasons.next(), None);
    reason
}

/// Whether the state machine may go from one state to the other.
fn leads_to(from: &str, to: &str) -> bool {
    let state = &definition()["States"][from];
    let rules = ["Catch", "Choices"].into_iter().flat_map(|list| state[list].as_array().cloned().unwrap_or_default());
    rules.map(|rule| rule["Next"].clone()).chain([state["Next"].clone(), state["Default"].clone()]).any(|next| next == to)
}
