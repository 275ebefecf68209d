//! Step Functions in this process, behind the real client.

use serde_json::{Value, json};

use crate::kept::service;

/// A started execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The ARN of the state machine that was started.
    pub state_machine_arn: String,
    /// The execution's name, unique in its state machine.
    pub name: String,
    /// The JSON that the first state gets.
    pub input: Value,
}

impl Started {
    fn execution_arn(&self) -> String {
        format!("{}:{}", self.state_machine_arn.replace(":stateMachine:", ":execution:"), self.name)
    }
}

/// An execution and its status.
#[derive(Clone)]
struct Execution {
    started: Started,
    status: String,
}

/// What Step Functions has been told.
#[derive(Clone)]
enum Told {
    Start(Execution),
    /// A task token came back.
    Success(String),
}

service! {
    /// State machines of any ARN. Records starts and task tokens, and runs nothing: an execution is running until the test ends
    /// it.
    StepFunctions(Told), aws_sdk_sfn
}

impl StepFunctions {
    /// Every execution, in the order of the starts.
    pub fn started(&self) -> Vec<Started> {
        let started = |told| if let Told::Start(execution) = told { Some(execution.started) } else { None };
        self.0.all().into_iter().filter_map(started).collect()
    }

    /// Every task token that came back, in order.
    pub fn tokens_sent(&self) -> Vec<String> {
        let sent = |told| if let Told::Success(token) = told { Some(token) } else { None };
        self.0.all().into_iter().filter_map(sent).collect()
    }

    /// Ends the execution of this name with this status (`SUCCEEDED`, `FAILED`, `ABORTED`, `TIMED_OUT`).
    pub fn end(&self, name: &str, status: &str) {
        self.0.with(|told| {
            let execution = executions(told).find(|execution| execution.started.name == name);
            status.clone_into(&mut execution.unwrap_or_else(|| panic!("{name} was never started")).status);
        });
    }
}

const BROKEN: &str = r#"{"__type":"InternalServerError","message":"broken"}"#;

fn executions(told: &mut [Told]) -> impl Iterator<Item = &mut Execution> {
    told.iter_mut().filter_map(|told| if let Told::Start(execution) = told { Some(execution) } else { None })
}

fn serve(told: &mut Vec<Told>, operation: &str, body: &[u8]) -> (u16, String) {
    let request = serde_json::from_slice(body).unwrap();
    match operation {
        "StartExecution" => start(told, &request),
        "DescribeExecution" => describe(told, &request),
        "SendTaskSuccess" => {
            told.push(Told::Success(request["taskToken"].as_str().unwrap().to_owned()));
            (200, "{}".to_owned())
        }
        other => panic!("the state machine of the testkit does not know {other}"),
    }
}

/// A name can be used once. While an execution runs, AWS answers a repeated start with the same input like the first
/// one. Once it has ended, and in the local emulator always, the answer is `ExecutionAlreadyExists`, which is the
/// harder case.
fn start(told: &mut Vec<Told>, request: &Value) -> (u16, String) {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let started = Started {
        state_machine_arn: text("stateMachineArn"),
        name: text("name"),
        input: serde_json::from_str(&text("input")).expect("an input is JSON"),
    };
    let (arn, name) = (started.execution_arn(), &started.name);
    let logged = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    assert!((1..=80).contains(&name.len()), "Step Functions refuses the name {name:?}");
    assert!(name.chars().all(logged), "CloudWatch Logs may drop the log of {name:?}");
    if executions(told).any(|known| known.started.execution_arn() == arn) {
        return (400, json!({"__type": "ExecutionAlreadyExists", "message": "Execution Already Exists"}).to_string());
    }
    told.push(Told::Start(Execution { started, status: "RUNNING".to_owned() }));
    (200, json!({"executionArn": arn, "startDate": 1_790_000_000}).to_string())
}

fn describe(told: &mut [Told], request: &Value) -> (u16, String) {
    let arn = request["executionArn"].as_str().unwrap_or_default();
    let Some(Execution { started, status }) = executions(told).find(|execution| execution.started.execution_arn() == arn) else {
        return (400, json!({"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"}).to_string());
    };
    let answer = json!({
        "executionArn": arn, "stateMachineArn": started.state_machine_arn, "name": started.name, "status": status,
        "startDate": 1_790_000_000, "input": started.input.to_string(),
    });
    (200, answer.to_string())
}
