//! The interpreter runs the payment saga, and small state machines, as Step Functions does, and it refuses what it does
//! not know.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use std::{ops::ControlFlow, sync::Mutex, time::Duration};

use serde_json::{Value, json};
use test_asl::{Ended, Host, Invoked, Machine, TASKS, payment_saga};

/// Answers invocations from a script and records them.
#[derive(Default)]
struct Script {
    /// Answers of functions by name, in order; the last one is repeated. A function without answers returns `{}`.
    answers: Vec<(&'static str, Vec<Invoked>)>,
    /// Aborts the execution when it enters this state.
    aborted_at: Option<&'static str>,
    /// The number of retries, regardless of the state machine.
    most_retries: Option<usize>,
    /// No task token comes back.
    nobody_calls_back: bool,
    tokens: Mutex<u32>,
    path: Mutex<Vec<String>>,
    payloads: Mutex<Vec<(&'static str, Value)>>,
    waits: Mutex<Vec<Duration>>,
}

impl Script {
    fn of(function: &'static str, answers: impl Into<Vec<Invoked>>) -> Self {
        Self::default().and(function, answers)
    }

    fn and(mut self, function: &'static str, answers: impl Into<Vec<Invoked>>) -> Self {
        self.answers.push((function, answers.into()));
        self
    }

    async fn run(&self, definition: &Value) -> Ended {
        Machine::read(definition, &TASKS).unwrap().run(self, json!({"order_id": "o", "attempt": 1})).await
    }

    fn path(&self) -> Vec<String> {
        self.path.lock().unwrap().clone()
    }

    /// The input of a function's last invocation.
    fn payload(&self, function: &str) -> Value {
        self.payloads.lock().unwrap().iter().rfind(|(name, _)| *name == function).unwrap().1.clone()
    }

    fn waits(&self) -> Vec<u64> {
        self.waits.lock().unwrap().iter().map(Duration::as_secs).collect()
    }
}

impl Host for Script {
    async fn moves(&self, from: Option<&str>, to: &str) -> ControlFlow<()> {
        let mut path = self.path.lock().unwrap();
        assert_eq!(path.last().map(String::as_str), from);
        path.push(to.to_owned());
        if self.aborted_at == Some(to) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    async fn invoke(&self, function: &'static str, payload: Value, longest: Duration) -> Invoked {
        assert!(longest >= Duration::from_secs(20), "{function}: as its state says");
        let mut payloads = self.payloads.lock().unwrap();
        let nth = payloads.iter().filter(|(name, _)| *name == function).count();
        payloads.push((function, payload));
        let answers = self.answers.iter().find(|(name, _)| *name == function).map(|(_, answers)| answers);
        answers.map_or_else(|| Invoked::Answered(json!({})), |answers| answers[nth.min(answers.len() - 1)].clone())
    }

    async fn retries(&self, _function: &'static str, _error: &str, longest: Duration) -> bool {
        let mut waits = self.waits.lock().unwrap();
        if self.most_retries.is_some_and(|most| waits.len() >= most) {
            return false;
        }
        waits.push(longest);
        true
    }

    fn token(&self) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        *tokens += 1;
        format!("token-{tokens}")
    }

    /// Answers with the token, or not at all.
    async fn called_back(&self, token: &str, longest: Duration) -> Invoked {
        self.waits.lock().unwrap().push(longest);
        if self.nobody_calls_back { error("States.Timeout") } else { answer(json!({"token": token})) }
    }

    async fn waits(&self, time: Duration) {
        self.waits.lock().unwrap().push(time);
    }
}

fn answer(value: Value) -> Invoked {
    Invoked::Answered(value)
}

fn error(name: &str) -> Invoked {
    Invoked::Failed(name.to_owned())
}

const CHARGED: [&str; 3] = ["Charge", "WhatCameOfTheCharge", "SellStock"];

#[tokio::test]
async fn the_saga_completes_an_order_that_is_authorised_or_charged() {
    for outcome in ["authorised", "charged"] {
        let script = Script::of("charge-payment", [answer(json!({"outcome": outcome}))]);
        assert_eq!(script.run(&payment_saga()).await, Ended::Succeeded(json!({"ending": "completed"})), "{outcome}");
        assert_eq!(script.path()[..3], CHARGED, "{outcome}");
        assert_eq!(script.path()[3..], ["CapturePayment", "CompleteOrder", "NotifyCompleted", "OrderCompleted"], "{outcome}");
        let attempt = json!({"order_id": "o", "attempt": 1});
        assert_eq!((script.payload("sell-stock"), script.payload("capture-payment")), (attempt.clone(), attempt), "{outcome}");
        assert_eq!(script.payload("notify-shopper"), json!({"order_id": "o", "attempt": 1, "message": "order-completed"}));
    }
}

#[tokio::test]
async fn the_saga_asks_the_next_gateway_and_then_gives_the_hold_back() {
    let down = [answer(json!({"outcome": "unavailable", "next_gateway": 1})), answer(json!({"outcome": "unavailable"}))];
    let script = Script::of("charge-payment", down);
    assert_eq!(script.run(&payment_saga()).await, Ended::Succeeded(json!({"ending": "payment_failed"})));
    assert_eq!(script.path()[..5], ["Charge", "WhatCameOfTheCharge", "Charge", "WhatCameOfTheCharge", "PaymentFailed"]);
    assert_eq!(script.payload("charge-payment"), json!({"order_id": "o", "attempt": 1, "gateway": 1}));
    let reason = "No payment gateway is available right now.";
    let expected = json!({"order_id": "o", "attempt": 1, "ending": "payment_failed", "reason": reason});
    assert_eq!(script.payload("fail-order"), expected);
}

#[tokio::test]
async fn the_saga_undoes_what_it_cannot_sell_and_says_why() {
    let script = Script::of("charge-payment", [answer(json!({"outcome": "charged"}))]).and("sell-stock", [error("HoldLost")]);
    assert_eq!(script.run(&payment_saga()).await, Ended::Succeeded(json!({"ending": "refunded"})));
    assert_eq!(script.path()[3..], ["Refund", "TakeBackStock", "FailOrder", "NotifyFailed", "OrderFailed"]);
    let expected = json!({"order_id": "o", "attempt": 1, "ending": "refunded", "reason": "HoldLost"});
    assert_eq!(script.payload("fail-order"), expected);
    assert_eq!(script.waits(), [0_u64; 0], "no retry was made");
}

#[tokio::test]
async fn an_answer_that_no_rule_knows_takes_the_default() {
    let script = Script::of("charge-payment", [answer(json!({"outcome": "unheard-of"}))]);
    script.run(&payment_saga()).await;
    assert_eq!(script.path()[..3], ["Charge", "WhatCameOfTheCharge", "Refund"]);
    assert_eq!(script.payload("fail-order").get("reason"), None, "nobody knows a reason");
}

#[tokio::test]
async fn an_error_is_retried_as_often_as_its_retrier_says_with_waits_that_grow_up_to_a_bound() {
    let script = Script::of("refund-payment", [error("RefundUnconfirmed")]).and("charge-payment", [error("HoldLost")]);
    assert_eq!(script.run(&payment_saga()).await, Ended::Failed("KeptForReview".into()));
    assert_eq!(script.waits(), [&[1, 2, 4, 8, 16][..], &[30; 11]].concat());
    assert_eq!(script.path()[1..], ["Refund", "RefundFailed", "NotifyRefundFailed", "KeptForReview"]);
    assert_eq!(script.payload("fail-order")["reason"], "RefundUnconfirmed");
}

#[tokio::test]
async fn each_retrier_counts_its_own_retries() {
    let errors = ["RefundUnconfirmed", "Lambda.Unknown", "RefundUnconfirmed", "States.Timeout"].map(error);
    let errors: Vec<Invoked> = errors.into_iter().chain([answer(json!({}))]).collect();
    let script = Script::of("refund-payment", errors).and("charge-payment", [error("HoldLost")]);
    assert_eq!(script.run(&payment_saga()).await, Ended::Succeeded(json!({"ending": "refunded"})));
    assert_eq!(script.waits(), [1, 1, 2, 2]);
}

#[tokio::test]
async fn a_host_may_make_fewer_retries_and_the_error_is_caught_then() {
    let script = Script { most_retries: Some(2), ..Script::of("refund-payment", [error("RefundUnconfirmed")]) };
    let script = script.and("charge-payment", [error("HoldLost")]);
    assert_eq!(script.run(&payment_saga()).await, Ended::Failed("KeptForReview".into()));
    assert_eq!((script.waits(), script.path()[2].as_str()), (vec![1, 2], "RefundFailed"));
}

#[tokio::test]
async fn an_execution_is_aborted_by_its_host_anywhere() {
    let script =
        Script { aborted_at: Some("SellStock"), ..Script::of("charge-payment", [answer(json!({"outcome": "charged"}))]) };
    assert_eq!((script.run(&payment_saga()).await, script.path().len()), (Ended::Aborted, 3));
    let script = Script::of("charge-payment", [Invoked::Aborted]);
    assert_eq!((script.run(&payment_saga()).await, script.path().len()), (Ended::Aborted, 1));
}

#[tokio::test]
async fn an_execution_may_begin_half_way() {
    let (script, machine) = (Script::default(), Machine::payment_saga());
    let ended = machine.run_from(&script, "FailOrder", json!({"reason": "r"}), json!({"order_id": "o"})).await;
    assert_eq!(ended, Ended::Succeeded(json!({"ending": "refunded"})));
    assert_eq!(script.path(), ["FailOrder", "NotifyFailed", "OrderFailed"]);
    assert_eq!(script.payload("fail-order"), json!({"order_id": "o", "ending": "refunded", "reason": "r"}));
}

/// A task without a `Catch`, and the state after it.
fn small(task: &Value, after: &Value) -> Value {
    let mut state = json!({
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 30,
        "Arguments": {"FunctionName": "${SellStockFunctionArn}", "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}", "Retry": [], "Catch": [], "Next": "After",
    });
    state.as_object_mut().unwrap().extend(task.as_object().unwrap().clone());
    json!({
        "QueryLanguage": "JSONata", "TimeoutSeconds": 60, "StartAt": "Task",
        "States": {"Task": state, "After": after, "End": {"Type": "Succeed", "Output": "{% $states.input %}"}},
    })
}

#[tokio::test]
async fn a_state_without_an_output_passes_its_input_on() {
    for (after, expected) in [
        (json!({"Type": "Pass", "Next": "End"}), json!({"a": 1})),
        (json!({"Type": "Pass", "Output": {"b": "{% $states.input.a %}"}, "Next": "End"}), json!({"b": 1})),
        (json!({"Type": "Choice", "Choices": [], "Default": "End"}), json!({"a": 1})),
    ] {
        let script = Script::of("sell-stock", [answer(json!({"a": 1}))]);
        assert_eq!(script.run(&small(&json!({}), &after)).await, Ended::Succeeded(expected));
    }
}

#[tokio::test]
async fn what_is_not_caught_fails_the_execution_and_what_is_caught_without_an_output_is_the_next_input() {
    let after = json!({"Type": "Pass", "Next": "End"});
    let script = Script::of("sell-stock", [error("HoldLost")]);
    assert_eq!(script.run(&small(&json!({}), &after)).await, Ended::Failed("HoldLost".into()));
    for (caught, expected) in [
        ("HoldLost", Ended::Succeeded(json!({"Error": "HoldLost", "Cause": ""}))),
        ("States.ALL", Ended::Succeeded(json!({"Error": "HoldLost", "Cause": ""}))),
        ("OrderNotPending", Ended::Failed("HoldLost".into())),
    ] {
        let task = json!({"Catch": [{"ErrorEquals": [caught], "Next": "After"}]});
        let script = Script::of("sell-stock", [error("HoldLost")]);
        assert_eq!(script.run(&small(&task, &after)).await, expected, "{caught}");
    }
}

#[tokio::test]
async fn an_expression_without_a_value_is_an_error_that_a_task_can_catch() {
    let evaluation = "States.QueryEvaluationError";
    let (pass, nothing) = (json!({"Type": "Pass", "Next": "End"}), "{% $states.input.nothing %}");
    let missing = json!({"FunctionName": "${SellStockFunctionArn}", "Payload": nothing});
    let catch = json!([{"ErrorEquals": ["States.ALL"], "Output": {"why": "{% $states.errorOutput.Error %}"}, "Next": "After"}]);
    for task in [json!({"Arguments": missing}), json!({"Output": nothing}), json!({"Output": "{% $merge($states.input) %}"})] {
        assert_eq!(Script::default().run(&small(&task, &pass)).await, Ended::Failed(evaluation.into()), "{task}");
        let mut task = task;
        task["Catch"] = catch.clone();
        assert_eq!(Script::default().run(&small(&task, &pass)).await, Ended::Succeeded(json!({"why": evaluation})), "{task}");
    }
    for after in [
        json!({"Type": "Pass", "Output": nothing, "Next": "End"}),
        json!({"Type": "Succeed", "Output": nothing}),
        json!({"Type": "Choice", "Choices": [{"Condition": "{% $exists($merge($states.input)) %}", "Next": "End"}], "Default": "End"}),
    ] {
        assert_eq!(Script::default().run(&small(&json!({}), &after)).await, Ended::Failed(evaluation.into()), "{after}");
    }
}

#[tokio::test]
async fn a_payment_waits_for_its_turn_and_then_for_its_shopper() {
    let wait = json!({"outcome": "wait", "seconds": 7, "gateway": 0});
    let act = json!({"outcome": "requires_action", "seconds": 90, "gateway": 0});
    let done = json!({"outcome": "authorised", "gateway": 0});
    for nobody_calls_back in [false, true] {
        let script = Script::of("charge-payment", [wait.clone(), act.clone(), done.clone()].map(answer));
        let script = Script { nobody_calls_back, ..script };
        assert_eq!(script.run(&payment_saga()).await, Ended::Succeeded(json!({"ending": "completed"})));
        assert_eq!(
            script.path()[..6],
            ["Charge", "WhatCameOfTheCharge", "WaitForTurn", "Charge", "WhatCameOfTheCharge", "AwaitAction"]
        );
        assert_eq!(script.waits(), [7, 90], "units whose time is over go back at once");
        let input = json!({"order_id": "o", "attempt": 1, "gateway": 0, "has_waited": true});
        assert_eq!(script.payload("charge-payment"), input);
        let token = script.payload("await-action")["task_token"].clone();
        assert!(token.as_str().unwrap().starts_with("token-"), "{token}");
    }
}

/// The function finds that there is nothing to wait for.
#[tokio::test]
async fn a_payment_whose_shopper_has_acted_already_goes_on_after_a_pause() {
    let act = json!({"outcome": "requires_action", "seconds": 90, "gateway": 0});
    let done = json!({"outcome": "authorised", "gateway": 0});
    let script = Script::of("charge-payment", [act, done].map(answer)).and("await-action", [error("ActionTaken")]);
    assert_eq!(script.run(&payment_saga()).await, Ended::Succeeded(json!({"ending": "completed"})));
    assert_eq!(script.waits(), [5]);
}

#[test]
fn the_payment_saga_is_known_whole() {
    assert_eq!(Machine::payment_saga().longest(), Duration::from_hours(7));
}

#[test]
fn what_is_not_known_of_a_state_machine_is_refused() {
    let refused = |part: &str, alter: fn(&mut Value)| {
        let mut definition = payment_saga();
        alter(&mut definition);
        let refusal = Machine::read(&definition, &TASKS).unwrap_err();
        assert!(refusal.contains(part), "{refusal}");
    };
    refused("Timestamp", |it| it["States"]["WaitForTurn"]["Timestamp"] = json!("2026-11-20T12:00:00Z"));
    refused("Parallel", |it| it["States"]["Refund"] = json!({"Type": "Parallel", "Branches": [], "Next": "TakeBackStock"}));
    refused("HeartbeatSeconds", |it| it["States"]["Charge"]["HeartbeatSeconds"] = json!(5));
    refused("Assign", |it| it["States"]["Charge"]["Assign"] = json!({"a": 1}));
    refused("End", |it| it["States"]["Charge"]["End"] = json!(true));
    refused("Nowhere", |it| it["States"]["Charge"]["Next"] = json!("Nowhere"));
    refused("Nowhere", |it| it["States"]["Charge"]["Catch"][0]["Next"] = json!("Nowhere"));
    refused("Nowhere", |it| it["States"]["WhatCameOfTheCharge"]["Choices"][0]["Next"] = json!("Nowhere"));
    refused("sendMessage", |it| it["States"]["Charge"]["Resource"] = json!("arn:aws:states:::sqs:sendMessage"));
    refused("OtherFunctionArn", |it| it["States"]["Charge"]["Arguments"]["FunctionName"] = json!("${OtherFunctionArn}"));
    refused("Qualifier", |it| it["States"]["Charge"]["Arguments"]["Qualifier"] = json!("live"));
    refused("States.TaskFailed", |it| it["States"]["Charge"]["Retry"][0]["ErrorEquals"] = json!(["States.TaskFailed"]));
    refused("stand where they cannot", |it| it["States"]["Charge"]["Retry"][0]["ErrorEquals"] = json!(["States.ALL"]));
    refused("stand where they cannot", |it| it["States"]["Charge"]["Catch"][0]["ErrorEquals"] = json!(["a", "States.ALL"]));
    refused("stand where they cannot", |it| it["States"]["Charge"]["Catch"][0]["ErrorEquals"] = json!([]));
    refused("NONE", |it| it["States"]["Charge"]["Retry"][0]["JitterStrategy"] = json!("NONE"));
    refused("$uuid", |it| it["States"]["Charge"]["Output"] = json!("{% $uuid() %}"));
    refused("neither a text nor", |it| it["States"]["Charge"]["Output"] = json!("so {% $states.input %}"));
    refused("neither a text nor", |it| it["States"]["Charge"]["Output"] = json!("${SellStockFunctionArn}"));
    refused("lists", |it| it["States"]["Charge"]["Output"] = json!(["{% $states.input %}"]));
    refused("neither true nor false", |it| {
        it["States"]["WhatCameOfTheCharge"]["Choices"][0]["Condition"] = json!("{% $states.input.outcome %}");
    });
    refused("neither true nor false", |it| it["States"]["WhatCameOfTheCharge"]["Choices"][0]["Condition"] = json!(true));
    refused("JSONPath", |it| it["QueryLanguage"] = json!("JSONPath"));
    refused("Version", |it| it["Version"] = json!("1.0"));
}
