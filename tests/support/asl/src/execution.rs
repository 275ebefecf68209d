//! An execution: state by state, with retries and catches, under the control of its host.

use std::{future::Future, ops::ControlFlow, time::Duration};

use serde_json::{Value, json};

use crate::{
    Machine,
    definition::{Rule, State, Task},
    template::{EVALUATION_ERROR, Template},
};

/// The environment of an execution: it invokes functions, lets time pass, and observes each transition.
pub trait Host: Sync {
    /// The execution enters the state `to` from `from`; `None`: it starts. `Break` aborts it there.
    fn moves(&self, from: Option<&str>, to: &str) -> impl Future<Output = ControlFlow<()>> + Send;

    /// Invokes a function. If it takes longer than `longest`, it fails with `States.Timeout`.
    fn invoke(&self, function: &'static str, payload: Value, longest: Duration) -> impl Future<Output = Invoked> + Send;

    /// A function failed with this error and is to be invoked again. Waits up to `longest`, or not at all, as full
    /// jitter does. False: no retry, as if all retries were used up.
    fn retries(&self, function: &'static str, error: &str, longest: Duration) -> impl Future<Output = bool> + Send;

    /// A new task token.
    fn token(&self) -> String;

    /// Waits until this token is sent back, with the output or the error of the task. After `longest`, the task fails with
    /// `States.Timeout`.
    fn called_back(&self, token: &str, longest: Duration) -> impl Future<Output = Invoked> + Send;

    /// A `Wait` state: lets this time pass.
    fn waits(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// The result of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Invoked {
    /// The function answered with this output.
    Answered(Value),
    /// The function failed with this error name.
    Failed(String),
    /// The execution was aborted during the invocation.
    Aborted,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// In a `Succeed` state, with this output.
    Succeeded(Value),
    /// In a `Fail` state, or by an error that no `Catch` handles.
    Failed(String),
    /// Its host aborted it.
    Aborted,
}

/// The input of the next state, and the state's name.
type Step<'m> = Result<(Value, &'m str), Ended>;

impl Machine {
    /// Runs an execution from its start to its end.
    pub async fn run(&self, host: &impl Host, input: Value) -> Ended {
        let states = json!({"context": {"Execution": {"Input": input}}, "input": input});
        self.walk(host, &self.start_at, states).await
    }

    /// Runs the rest of an execution with the input `execution_input`, from `state` with the input `state_input`.
    pub async fn run_from(&self, host: &impl Host, state: &str, state_input: Value, execution_input: Value) -> Ended {
        let (start, _) = self.states.get_key_value(state).unwrap_or_else(|| panic!("there is no state {state}"));
        let states = json!({"context": {"Execution": {"Input": execution_input}}, "input": state_input});
        self.walk(host, start, states).await
    }

    async fn walk<'m>(&'m self, host: &impl Host, start: &'m str, mut states: Value) -> Ended {
        let (mut from, mut at) = (None, start);
        loop {
            if host.moves(from, at).await.is_break() {
                return Ended::Aborted;
            }
            let step = match &self.states[at] {
                State::Task(task) => self.perform(host, task, &states).await,
                State::Choice { choices, default, .. } => choose(choices, default, &states),
                State::Pass { output, next, .. } => {
                    let input = output.as_ref().map_or_else(|| Ok(states["input"].clone()), |output| output.value(&states));
                    input.map(|input| (input, next.as_str())).map_err(Ended::Failed)
                }
                State::Wait { seconds, output, next, .. } => match whole_seconds(seconds, &states) {
                    Ok(time) => {
                        host.waits(time).await;
                        let input = output.as_ref().map_or_else(|| Ok(states["input"].clone()), |output| output.value(&states));
                        input.map(|input| (input, next.as_str())).map_err(Ended::Failed)
                    }
                    Err(error) => Err(Ended::Failed(error)),
                },
                State::Succeed { output, .. } => Err(output.value(&states).map_or_else(Ended::Failed, Ended::Succeeded)),
                State::Fail { error, .. } => Err(Ended::Failed(error.clone())),
            };
            match step {
                Ok((input, next)) => {
                    states["input"] = input;
                    (from, at) = (Some(at), next);
                }
                Err(ended) => return ended,
            }
        }
    }

    /// Invokes a task's function once, and waits for its token to come back if the task does. Each time it has a new token.
    async fn invoke(&self, host: &impl Host, task: &Task, states: &Value) -> Invoked {
        let (mut states, token) = (states.clone(), host.token());
        states["context"]["Task"] = json!({"Token": token});
        let (payload, longest) = match (task.arguments.payload.value(&states), whole_seconds(&task.timeout_seconds, &states)) {
            (Ok(payload), Ok(longest)) => (payload, longest),
            (Err(error), _) | (_, Err(error)) => return Invoked::Failed(error),
        };
        match host.invoke(self.function(task), payload, longest).await {
            Invoked::Answered(_) if task.waits_for_token() => host.called_back(&token, longest).await,
            Invoked::Answered(answer) => Invoked::Answered(json!({"Payload": answer})),
            ended @ (Invoked::Failed(_) | Invoked::Aborted) => ended,
        }
    }

    /// Runs a task with its retries and catches. Step Functions treats a failing expression like a failing function.
    async fn perform<'m>(&'m self, host: &impl Host, task: &'m Task, states: &Value) -> Step<'m> {
        let function = self.function(task);
        let mut retries = vec![0; task.retry.len()];
        loop {
            let error = match self.invoke(host, task, states).await {
                Invoked::Aborted => return Err(Ended::Aborted),
                Invoked::Failed(error) => error,
                Invoked::Answered(result) => {
                    let mut states = states.clone();
                    states["result"] = result;
                    match task.output.value(&states) {
                        Ok(output) => return Ok((output, &task.next)),
                        Err(error) => error,
                    }
                }
            };
            let is = |errors: &[String]| errors.iter().any(|one| *one == error || one == "States.ALL");
            if let Some(which) = task.retry.iter().position(|retrier| is(&retrier.error_equals)) {
                let (retrier, made) = (&task.retry[which], &mut retries[which]);
                if *made < retrier.max_attempts && host.retries(function, &error, retrier.longest_wait(*made)).await {
                    *made += 1;
                    continue;
                }
            }
            let Some(catcher) = task.catch.iter().find(|catcher| is(&catcher.error_equals)) else {
                return Err(Ended::Failed(error));
            };
            let mut states = states.clone();
            states["errorOutput"] = json!({"Error": error, "Cause": ""});
            let input = match &catcher.output {
                Some(output) => output.value(&states).map_err(Ended::Failed)?,
                None => states["errorOutput"].take(),
            };
            return Ok((input, &catcher.next));
        }
    }
}

/// A time: whole seconds, up to 99,999,999.
fn whole_seconds(seconds: &Template, states: &Value) -> Result<Duration, String> {
    let seconds = seconds.value(states)?.as_u64().filter(|seconds| *seconds <= 99_999_999);
    seconds.map(Duration::from_secs).ok_or_else(|| EVALUATION_ERROR.to_owned())
}

fn choose<'m>(choices: &'m [Rule], default: &'m str, states: &Value) -> Step<'m> {
    for rule in choices {
        if rule.condition.holds(states).map_err(Ended::Failed)? {
            let output = rule.output.as_ref().map_or_else(|| Ok(states["input"].clone()), |output| output.value(states));
            return Ok((output.map_err(Ended::Failed)?, &rule.next));
        }
    }
    Ok((states["input"].clone(), default))
}
