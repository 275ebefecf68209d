//! Step Functions: the payment saga's own file, state by state, with retries, catches and time-outs. What the file says and this
//! does not know is refused when the file is read.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    checks::mutations::Mutation,
    faults::Fault,
    services::{
        environments::{self, Cut},
        jsonata::Expression,
    },
    world::World,
};

/// A state machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Machine {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    query_language: String,
    timeout_seconds: u64,
    start_at: String,
    states: BTreeMap<String, State>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "Type", deny_unknown_fields, rename_all_fields = "PascalCase")]
enum State {
    Task {
        #[serde(rename = "Comment")]
        _comment: Option<String>,
        resource: String,
        arguments: Arguments,
        timeout_seconds: u64,
        output: Template,
        retry: Vec<Retrier>,
        catch: Vec<Catcher>,
        next: String,
    },
    Choice {
        #[serde(rename = "Comment")]
        _comment: Option<String>,
        choices: Vec<Rule>,
        default: String,
    },
    Pass {
        #[serde(rename = "Comment")]
        _comment: Option<String>,
        output: Option<Template>,
        next: String,
    },
    Succeed {
        #[serde(rename = "Comment")]
        _comment: Option<String>,
        output: Template,
    },
    Fail {
        #[serde(rename = "Comment")]
        _comment: Option<String>,
        error: String,
        #[serde(rename = "Cause")]
        _cause: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Arguments {
    function_name: String,
    payload: Template,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Retrier {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    error_equals: Vec<String>,
    interval_seconds: u32,
    backoff_rate: f64,
    max_attempts: i32,
    max_delay_seconds: u32,
    jitter_strategy: Jitter,
}

#[derive(Debug, Deserialize)]
enum Jitter {
    #[serde(rename = "FULL")]
    Full,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Catcher {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    error_equals: Vec<String>,
    output: Option<Template>,
    next: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Rule {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    condition: Template,
    output: Option<Template>,
    next: String,
}

/// JSON with expressions in it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
enum Template {
    Plain(Value),
    Computed(Expression),
    Object(Vec<(String, Template)>),
}

impl TryFrom<Value> for Template {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => match text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}")) {
                Some(expression) => Expression::parse(expression).map(Self::Computed),
                None => Ok(Self::Plain(Value::String(text))),
            },
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| Ok((name, Self::try_from(value)?)));
                members.collect::<Result<_, String>>().map(Self::Object)
            }
            Value::Array(_) => Err("lists are not known in the state machine".to_owned()),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Ok(Self::Plain(plain)),
        }
    }
}

impl Template {
    /// The value; an expression without one is the error that Step Functions makes of it.
    fn value(&self, states: &Value) -> Result<Value, Ended> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Computed(expression) => expression.value(states).ok_or(Ended::Failed("States.QueryEvaluationError".into())),
            Self::Object(members) => members
                .iter()
                .map(|(name, value)| Ok((name.clone(), value.value(states)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
        }
    }
}

/// How an execution stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Succeeded,
    Failed(String),
    Aborted,
    TimedOut,
}

impl Machine {
    /// Reads a state machine.
    ///
    /// # Errors
    /// When it has states, fields, functions or expressions that the simulation does not know, or leads nowhere.
    pub fn read(definition: &Value) -> Result<Self, String> {
        let machine: Self = Self::deserialize(definition).map_err(|error| error.to_string())?;
        if machine.query_language != "JSONata" {
            return Err(format!("the query language {} is not known", machine.query_language));
        }
        let mut targets = vec![&machine.start_at];
        for (name, state) in &machine.states {
            match state {
                State::Task { resource, arguments, retry, catch, next, .. } => {
                    if resource != "arn:aws:states:::lambda:invoke" {
                        return Err(format!("{name}: the resource {resource} is not known"));
                    }
                    function_of(&arguments.function_name)?;
                    targets.extend(catch.iter().map(|catch| &catch.next).chain([next]));
                    let errors = retry.iter().map(|it| &it.error_equals).chain(catch.iter().map(|it| &it.error_equals));
                    let strange = |error: &&String| {
                        error.starts_with("States.") && !["States.ALL", "States.Timeout"].contains(&error.as_str())
                    };
                    if let Some(error) = errors.flatten().find(strange) {
                        return Err(format!("{name}: the error {error} is not known"));
                    }
                }
                State::Choice { choices, default, .. } => targets.extend(choices.iter().map(|rule| &rule.next).chain([default])),
                State::Pass { next, .. } => targets.push(next),
                State::Succeed { .. } | State::Fail { .. } => {}
            }
        }
        match targets.into_iter().find(|target| !machine.states.contains_key(*target)) {
            Some(nowhere) => Err(format!("there is no state {nowhere}")),
            None => Ok(machine),
        }
    }

    /// The payment saga, with the mistake of a mutation in it if that is one of the state machine.
    pub(crate) fn of_the_product(mutation: Option<&Mutation>) -> Self {
        let mut definition = definition();
        if let Some(mutation) = mutation {
            mutation.alter_machine(&mut definition);
        }
        Self::read(&definition).unwrap_or_else(|error| panic!("the payment saga: {error}"))
    }
}

/// The payment saga as it is in its file.
pub fn definition() -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../statemachines/payment-saga.asl.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// `${ChargePaymentFunctionArn}` is `charge-payment`.
fn function_of(name: &str) -> Result<&'static str, String> {
    let camel = name.strip_prefix("${").and_then(|name| name.strip_suffix("FunctionArn}"));
    let mut kebab = String::new();
    for c in camel.unwrap_or_default().chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    let known = crate::services::functions::FUNCTIONS.into_iter().find(|function| *function == kebab);
    known.ok_or_else(|| format!("the function {name} is not known"))
}

/// The ARN of an execution, but for its name.
const EXECUTION: &str = "arn:aws:states:us-east-1:1:execution:payment-saga:";

/// All executions, by name. A name is good once.
#[derive(Default)]
pub(crate) struct Executions(Mutex<BTreeMap<String, Option<Ended>>>);

impl Executions {
    /// Answers a request.
    pub(crate) fn serve(&self, world: &Arc<World>, operation: &str, request: &Value) -> (u16, String) {
        match operation {
            "StartExecution" => self.serve_start(world, request),
            "DescribeExecution" => self.serve_describe(request),
            other => panic!("the simulation does not know {other} of Step Functions"),
        }
    }

    fn serve_start(&self, world: &Arc<World>, request: &Value) -> (u16, String) {
        let name = request["name"].as_str().unwrap();
        let input = serde_json::from_str(request["input"].as_str().unwrap()).unwrap();
        if self.start(world, name, input) {
            (200, json!({"executionArn": format!("{EXECUTION}{name}"), "startDate": 1_790_000_000}).to_string())
        } else {
            (400, json!({"__type": "ExecutionAlreadyExists", "message": "Execution Already Exists"}).to_string())
        }
    }

    fn serve_describe(&self, request: &Value) -> (u16, String) {
        let arn = request["executionArn"].as_str().unwrap();
        let name = arn.strip_prefix(EXECUTION).unwrap_or_else(|| panic!("{arn} is no execution's"));
        let status = match self.0.lock().unwrap().get(name) {
            None => return (400, json!({"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"}).to_string()),
            Some(None) => "RUNNING",
            Some(Some(Ended::Succeeded)) => "SUCCEEDED",
            Some(Some(Ended::Failed(_))) => "FAILED",
            Some(Some(Ended::Aborted)) => "ABORTED",
            Some(Some(Ended::TimedOut)) => "TIMED_OUT",
        };
        let machine = EXECUTION.replace(":execution:", ":stateMachine:");
        let machine = machine.trim_end_matches(':');
        let description = json!({"executionArn": arn, "stateMachineArn": machine, "startDate": 1_790_000_000, "status": status});
        (200, description.to_string())
    }

    /// Starts an execution. False: there was one of this name.
    pub(crate) fn start(&self, world: &Arc<World>, name: &str, input: Value) -> bool {
        if self.0.lock().unwrap().contains_key(name) {
            return false;
        }
        let never_starts = world.strikes(Fault::SagaNeverStarted);
        self.0.lock().unwrap().insert(name.to_owned(), never_starts.then_some(Ended::Aborted));
        world.note(|| format!("execution {name} {}", if never_starts { "never starts" } else { "starts" }));
        if !never_starts {
            world.spawn(execute(Arc::clone(world), name.to_owned(), input));
        }
        true
    }

    /// Whether an execution of this name is over.
    pub(crate) fn has_ended(&self, name: &str) -> bool {
        matches!(self.0.lock().unwrap().get(name), Some(Some(_)))
    }

    /// Whether there was ever one of this name.
    pub(crate) fn has_been(&self, name: &str) -> bool {
        self.0.lock().unwrap().contains_key(name)
    }
}

async fn execute(world: Arc<World>, name: String, input: Value) {
    let longest = Duration::from_secs(world.machine.timeout_seconds);
    let ended = tokio::time::timeout(longest, walk(&world, &name, input)).await.unwrap_or(Ended::TimedOut);
    world.note(|| format!("execution {name} has ended: {ended:?}"));
    world.executions.0.lock().unwrap().insert(name, Some(ended));
}

async fn walk(world: &Arc<World>, name: &str, execution_input: Value) -> Ended {
    let machine = &world.machine;
    let mut states = json!({"context": {"Execution": {"Input": execution_input}}, "input": execution_input});
    let mut at = machine.start_at.as_str();
    loop {
        world.step();
        world.note(|| format!("execution {name} enters {at}"));
        let step = match &machine.states[at] {
            State::Task { .. } => task(world, name, &machine.states[at], &states).await,
            State::Choice { choices, default, .. } => choose(choices, default, &states),
            State::Pass { output, next, .. } => {
                output.as_ref().map_or(Ok(states["input"].clone()), |it| it.value(&states)).map(|input| (input, next.as_str()))
            }
            State::Succeed { output, .. } => Err(output.value(&states).map_or_else(|error| error, |_| Ended::Succeeded)),
            State::Fail { error, .. } => Err(Ended::Failed(error.clone())),
        };
        match step {
            Ok((input, next)) => {
                states["input"] = input;
                at = next;
            }
            Err(ended) => return ended,
        }
        if world.strikes(Fault::SagaAborted) {
            return Ended::Aborted;
        }
        world.pause(1, 60).await;
    }
}

fn choose<'m>(choices: &'m [Rule], default: &'m str, states: &Value) -> Result<(Value, &'m str), Ended> {
    for rule in choices {
        if rule.condition.value(states)? == Value::Bool(true) {
            let output = rule.output.as_ref().map_or(Ok(states["input"].clone()), |output| output.value(states))?;
            return Ok((output, &rule.next));
        }
    }
    Ok((states["input"].clone(), default))
}

/// A task with its retries and catches.
async fn task<'m>(world: &Arc<World>, name: &str, state: &'m State, states: &Value) -> Result<(Value, &'m str), Ended> {
    let State::Task { arguments, timeout_seconds, output, retry, catch, next, .. } = state else { unreachable!("a task") };
    let function = function_of(&arguments.function_name).expect("checked when it was read");
    let payload = arguments.payload.value(states)?;
    let mut retries = vec![0; retry.len()];
    loop {
        // An execution that is aborted here leaves what it has invoked running.
        if world.strikes(Fault::SagaAborted) {
            let (again, payload) = (Arc::clone(world), payload.clone());
            world.spawn(async move { _ = environments::task(&again, function, payload).await });
            return Err(Ended::Aborted);
        }
        let invoked = {
            let (again, payload) = (Arc::clone(world), payload.clone());
            world.spawn(async move { environments::task(&again, function, payload).await })
        };
        let invoked = async {
            if world.strikes_request_of(function, Fault::AnswerLost) {
                // The connection to the function breaks, and the function goes on.
                world.pause(1, 600).await;
                return Ok(Ok(Err("Lambda.Unknown".to_owned())));
            }
            invoked.await
        };
        let error = match tokio::time::timeout(Duration::from_secs(*timeout_seconds), invoked).await {
            Err(_) => "States.Timeout".to_owned(),
            Ok(Err(_)) => std::future::pending().await,
            Ok(Ok(Err(Cut::Died))) => "Runtime.ExitError".to_owned(),
            Ok(Ok(Err(Cut::TimedOut))) => "Sandbox.Timedout".to_owned(),
            Ok(Ok(Ok(Err(error)))) => error,
            Ok(Ok(Ok(Ok(result)))) => {
                let mut states = states.clone();
                states["result"] = json!({"Payload": result});
                return Ok((output.value(&states)?, next.as_str()));
            }
        };
        world.note(|| format!("execution {name}: {function} fails with {error}"));
        let is = |errors: &[String]| errors.iter().any(|one| *one == error || one == "States.ALL");
        if let Some(which) = retry.iter().position(|retrier| is(&retrier.error_equals)) {
            let retrier = &retry[which];
            if retries[which] < retrier.max_attempts && !world.strikes(Fault::RetriesUsedUp) {
                let Jitter::Full = retrier.jitter_strategy;
                let wait = f64::from(retrier.interval_seconds) * retrier.backoff_rate.powi(retries[which]);
                let wait = Duration::from_secs_f64(wait.min(f64::from(retrier.max_delay_seconds)));
                retries[which] += 1;
                world.pause(0, u64::try_from(wait.as_millis()).unwrap()).await;
                continue;
            }
        }
        let Some(catcher) = catch.iter().find(|catcher| is(&catcher.error_equals)) else { return Err(Ended::Failed(error)) };
        let mut states = states.clone();
        states["errorOutput"] = json!({"Error": error, "Cause": ""});
        let input = catcher.output.as_ref().map_or(Ok(states["errorOutput"].clone()), |output| output.value(&states))?;
        return Ok((input, &catcher.next));
    }
}
