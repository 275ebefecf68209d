//! Executions of `statemachines/payment-saga.asl.json` with the real tasks in one shop.

use std::{
    ops::ControlFlow,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kit::Function;
use serde_json::{Value, json};
use test_asl::{Ended, Host, Invoked};
use test_aws::Calls;
use test_shop::{Buyer, NOTIFICATIONS, Shop};

/// Executions of the saga in one shop.
pub(crate) struct Machine<'s> {
    shop: &'s Shop,
    /// The calls of every task except `charge-payment` and `refund-payment`.
    pub(crate) calls: Calls,
    /// The calls of `charge-payment`.
    pub(crate) charge_calls: Calls,
    /// The calls of `refund-payment`.
    pub(crate) refund_calls: Calls,
    /// The topic of this machine's tasks. Another machine in the same shop has another topic.
    topic_arn: String,
    twice: bool,
    /// Whether the death of a task's process aborts the execution.
    dies: bool,
    path: Mutex<Vec<String>>,
    tokens: AtomicUsize,
}

impl<'s> Machine<'s> {
    /// A machine with its own calls for `charge-payment`, for `refund-payment`, and for the other tasks.
    pub(crate) fn new(shop: &'s Shop) -> Self {
        Self { charge_calls: Calls::new(), refund_calls: Calls::new(), ..Self::with_calls(shop, &Calls::new()) }
    }

    /// A machine whose tasks all share these calls.
    pub(crate) fn with_calls(shop: &'s Shop, calls: &Calls) -> Self {
        static MACHINES: AtomicUsize = AtomicUsize::new(0);
        let (charge_calls, refund_calls) = (calls.clone(), calls.clone());
        let topic_arn = format!("{NOTIFICATIONS}-{}", MACHINES.fetch_add(1, Ordering::Relaxed));
        let path = Mutex::default();
        Self {
            shop,
            calls: calls.clone(),
            charge_calls,
            refund_calls,
            topic_arn,
            twice: false,
            dies: false,
            path,
            tokens: AtomicUsize::new(0),
        }
    }

    /// Every task runs twice, as if the answer of its first run had been lost.
    pub(crate) fn twice(self) -> Self {
        Self { twice: true, ..self }
    }

    /// The state that the last execution ended in.
    pub(crate) fn ended_in(&self) -> &'static str {
        let last = self.path().pop().unwrap();
        let ends = ["OrderCompleted", "WaitingForAnotherMethod", "OrderFailed", "KeptForReview"];
        ends.into_iter().find(|end| *end == last).unwrap_or_else(|| panic!("{last} is no end"))
    }

    /// The states of the last execution.
    pub(crate) fn path(&self) -> Vec<String> {
        self.path.lock().unwrap().clone()
    }

    /// The messages to the shopper, in order. The same message twice in a row counts once.
    pub(crate) fn told(&self) -> Vec<&'static str> {
        let known = ["order-completed", "payment-failed", "order-failed", "refund-failed"];
        let message = |text: &str| -> Value { serde_json::from_str::<Value>(text).unwrap()["message"].clone() };
        let told = self.shop.topic.published().into_iter().filter(|it| it.topic_arn == self.topic_arn);
        let told = told.map(|it| message(&it.message));
        let mut told: Vec<&str> = told.map(|message| *known.iter().find(|known| message == **known).unwrap()).collect();
        told.dedup();
        told
    }

    /// Runs one execution for an attempt to pay the buyer's order.
    pub(crate) async fn run(&self, buyer: &Buyer, attempt: u32) {
        self.path.lock().unwrap().clear();
        Box::pin(test_asl::Machine::payment_saga().run(self, input(buyer, attempt))).await;
    }

    /// Runs an execution that aborts where its calls crash. Returns whether it was aborted.
    pub(crate) async fn run_until_cut_off(self, buyer: &Buyer, attempt: u32) -> bool {
        let machine = Self { dies: true, ..self };
        machine.path.lock().unwrap().clear();
        Box::pin(test_asl::Machine::payment_saga().run(&machine, input(buyer, attempt))).await == Ended::Aborted
    }

    /// Runs the first invocation of the first task, and nothing after it.
    pub(crate) async fn run_only_the_charge(&self, buyer: &Buyer) {
        let _ = self.run_task("charge-payment", input(buyer, 1)).await;
    }

    /// Runs an execution from `Refund`, as after a charge that failed for good.
    pub(crate) async fn run_only_the_undoing(&self, buyer: &Buyer) {
        self.path.lock().unwrap().clear();
        let caught = json!({"reason": "PaymentOutcomeUnknown"});
        Box::pin(test_asl::Machine::payment_saga().run_from(self, "Refund", caught, input(buyer, 1))).await;
    }

    /// Runs a function in a new environment.
    pub(crate) async fn run_task(&self, function: &str, input: Value) -> Result<Value, String> {
        let calls = match function {
            "charge-payment" => &self.charge_calls,
            "refund-payment" => &self.refund_calls,
            _ => &self.calls,
        };
        let wire = parts::find(saga_tasks::FUNCTIONS, function).unwrap_or_else(|| panic!("{function}"));
        let mut parts = self.shop.parts_with(calls, &[("NOTIFICATIONS_TOPIC_ARN", &self.topic_arn)]);
        let Ok(Function::Task(handle)) = wire(&mut parts) else { panic!("{function} is no task") };
        handle(input).await.map_err(|error| error.error_type)
    }
}

impl Host for Machine<'_> {
    async fn moves(&self, _from: Option<&str>, to: &str) -> ControlFlow<()> {
        self.path.lock().unwrap().push(to.to_owned());
        ControlFlow::Continue(())
    }

    /// After a crash, the next try runs in a new process.
    async fn invoke(&self, function: &'static str, payload: Value, _longest: Duration) -> Invoked {
        let all_calls = [&self.calls, &self.charge_calls, &self.refund_calls];
        let has_crashed = || all_calls.iter().any(|calls| calls.has_crashed());
        let had_crashed = has_crashed();
        let mut answer = Box::pin(self.run_task(function, payload.clone())).await;
        if self.twice {
            let again = Box::pin(self.run_task(function, payload)).await;
            // `notify-shopper` gets another message id from SNS. `take-back-stock` finds the units moved by its first run.
            let may_differ = ["notify-shopper", "take-back-stock"].contains(&function);
            assert!(answer.is_err() || may_differ || answer == again, "{function}: {answer:?}, then {again:?}");
            answer = again;
        }
        if has_crashed() && !had_crashed {
            if self.dies {
                return Invoked::Aborted;
            }
            for calls in all_calls {
                calls.heal();
            }
            // A dead process returns no answer.
            return Invoked::Failed("Runtime.ExitError".to_owned());
        }
        answer.map_or_else(Invoked::Failed, Invoked::Answered)
    }

    /// Retries at once, because the shop's clock stands still.
    async fn retries(&self, _function: &'static str, _error: &str, _longest: Duration) -> bool {
        true
    }

    fn token(&self) -> String {
        format!("token-{}", self.tokens.fetch_add(1, Ordering::Relaxed))
    }

    /// If nobody has sent the token back, the shop's clock goes on by as much.
    async fn called_back(&self, token: &str, longest: Duration) -> Invoked {
        if self.shop.machines.tokens_sent().iter().any(|sent| sent == token) {
            return Invoked::Answered(json!({}));
        }
        self.waits(longest).await;
        Invoked::Failed("States.Timeout".to_owned())
    }

    /// The shop's clock goes on by as much.
    async fn waits(&self, time: Duration) {
        self.shop.clock.advance(time.try_into().unwrap());
    }
}

/// The input of an execution.
fn input(buyer: &Buyer, attempt: u32) -> Value {
    json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": attempt})
}
