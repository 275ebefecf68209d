//! A state machine as read from its definition.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use crate::template::{Condition, Template};

const INVOKE: &str = "arn:aws:states:::lambda:invoke";
const INVOKE_AND_WAIT: &str = "arn:aws:states:::lambda:invoke.waitForTaskToken";

/// A state machine.
#[derive(Debug)]
pub struct Machine {
    longest: Duration,
    pub(crate) start_at: String,
    pub(crate) states: BTreeMap<String, State>,
    functions: BTreeMap<String, &'static str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Definition {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    query_language: String,
    timeout_seconds: u64,
    start_at: String,
    states: BTreeMap<String, State>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "Type", deny_unknown_fields, rename_all_fields = "PascalCase")]
pub(crate) enum State {
    Task(Task),
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
    Wait {
        #[serde(rename = "Comment")]
        _comment: Option<String>,
        seconds: Template,
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
pub(crate) struct Task {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    resource: String,
    pub(crate) arguments: Arguments,
    pub(crate) timeout_seconds: Template,
    pub(crate) output: Template,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    pub(crate) next: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Arguments {
    function_name: String,
    pub(crate) payload: Template,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Retrier {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(crate) error_equals: Vec<String>,
    interval_seconds: u32,
    backoff_rate: f64,
    pub(crate) max_attempts: i32,
    max_delay_seconds: u32,
    #[serde(rename = "JitterStrategy")]
    _jitter: Jitter,
}

#[derive(Debug, Deserialize)]
enum Jitter {
    #[serde(rename = "FULL")]
    Full,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Catcher {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(crate) error_equals: Vec<String>,
    pub(crate) output: Option<Template>,
    pub(crate) next: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct Rule {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(crate) condition: Condition,
    pub(crate) output: Option<Template>,
    pub(crate) next: String,
}

impl Machine {
    /// Reads a state machine whose tasks invoke some of `functions`: `${ChargePaymentFunctionArn}` is `charge-payment`.
    ///
    /// # Errors
    /// When it has states, fields, functions, error names or expressions that the interpreter does not know, or a
    /// transition to a state that does not exist.
    pub fn read(definition: &Value, functions: &[&'static str]) -> Result<Self, String> {
        let read = Definition::deserialize(definition).map_err(|error| error.to_string())?;
        if read.query_language != "JSONata" {
            return Err(format!("the query language {} is not known", read.query_language));
        }
        let mut invoked = BTreeMap::new();
        let mut targets = vec![&read.start_at];
        for (name, state) in &read.states {
            if let State::Task(task) = state {
                task.check().map_err(|error| format!("{name}: {error}"))?;
                let arn = &task.arguments.function_name;
                let function = function_of(arn, functions).ok_or_else(|| format!("{name}: the function {arn} is not known"))?;
                invoked.insert(arn.clone(), function);
            }
            targets.extend(state.targets());
        }
        if let Some(nowhere) = targets.into_iter().find(|target| !read.states.contains_key(*target)) {
            return Err(format!("there is no state {nowhere}"));
        }
        let longest = Duration::from_secs(read.timeout_seconds);
        Ok(Self { longest, start_at: read.start_at, states: read.states, functions: invoked })
    }

    /// The time after which an execution is `TIMED_OUT`.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The function that a task invokes.
    pub(crate) fn function(&self, task: &Task) -> &'static str {
        self.functions[&task.arguments.function_name]
    }
}

impl State {
    /// The states that may follow.
    fn targets(&self) -> Vec<&String> {
        match self {
            Self::Task(task) => task.catch.iter().map(|catch| &catch.next).chain([&task.next]).collect(),
            Self::Choice { choices, default, .. } => choices.iter().map(|rule| &rule.next).chain([default]).collect(),
            Self::Pass { next, .. } | Self::Wait { next, .. } => vec![next],
            Self::Succeed { .. } | Self::Fail { .. } => Vec::new(),
        }
    }
}

impl Task {
    /// Whether the task waits until its token is sent back.
    pub(crate) fn waits_for_token(&self) -> bool {
        self.resource == INVOKE_AND_WAIT
    }

    fn check(&self) -> Result<(), String> {
        if ![INVOKE, INVOKE_AND_WAIT].contains(&self.resource.as_str()) {
            return Err(format!("the resource {} is not known", self.resource));
        }
        let retry: Vec<&Vec<String>> = self.retry.iter().map(|it| &it.error_equals).collect();
        let catch: Vec<&Vec<String>> = self.catch.iter().map(|it| &it.error_equals).collect();
        for lists in [retry, catch] {
            // Step Functions accepts `States.ALL` only alone, and only in the last place.
            let last = lists.len().saturating_sub(1);
            for (place, errors) in lists.iter().enumerate() {
                let is_all = errors.iter().any(|error| error == "States.ALL");
                if errors.is_empty() || (is_all && (errors.len() > 1 || place < last)) {
                    return Err(format!("the errors {errors:?} stand where they cannot"));
                }
            }
            let known = |error: &str| !error.starts_with("States.") || ["States.ALL", "States.Timeout"].contains(&error);
            if let Some(error) = lists.into_iter().flatten().find(|error| !known(error)) {
                return Err(format!("the error {error} is not known"));
            }
        }
        Ok(())
    }
}

impl Retrier {
    /// The longest wait before retry number `retry`, counted from 0. With full jitter, Step Functions may also not wait
    /// at all.
    pub(crate) fn longest_wait(&self, retry: i32) -> Duration {
        let wait = f64::from(self.interval_seconds) * self.backoff_rate.powi(retry);
        Duration::from_secs_f64(wait.min(f64::from(self.max_delay_seconds)))
    }
}

/// The one of `functions` that `${…FunctionArn}` names.
fn function_of(arn: &str, functions: &[&'static str]) -> Option<&'static str> {
    let camel = arn.strip_prefix("${")?.strip_suffix("FunctionArn}")?;
    let mut kebab = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    functions.iter().copied().find(|function| *function == kebab)
}
