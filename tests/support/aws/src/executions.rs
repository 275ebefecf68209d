//! Step Functions in the process, behind the real client.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    calls::Calls,
    wire::{NOWHERE, Service, Wire, client},
};

/// An execution as it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The state machine.
    pub state_machine_arn: String,
    /// The execution's name, once per state machine.
    pub name: String,
    /// The input.
    pub input: Value,
}

impl Started {
    fn execution_arn(&self) -> String {
        format!("{}:{}", self.state_machine_arn.replace(":stateMachine:", ":execution:"), self.name)
    }
}

/// State machines of any ARN. Keeps what was started and runs nothing: an execution goes on until it is told to have ended.
#[derive(Clone)]
pub struct StepFunctions {
    started: Arc<Mutex<Vec<Started>>>,
    /// Statuses by name, of executions that have ended.
    ended: Arc<Mutex<HashMap<String, String>>>,
    broken: Arc<AtomicBool>,
    service: Service,
}

impl Default for StepFunctions {
    fn default() -> Self {
        Self::new()
    }
}

impl StepFunctions {
    /// Nothing started.
    pub fn new() -> Self {
        let (started, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(HashMap::new())));
        let broken = Arc::new(AtomicBool::new(false));
        let service: Service = {
            let (started, ended, broken) = (Arc::clone(&started), Arc::clone(&ended), Arc::clone(&broken));
            Arc::new(move |operation, body| {
                if broken.load(Ordering::Relaxed) {
                    return (500, json!({"__type": "InternalServerError", "message": "broken"}).to_string());
                }
                let request = serde_json::from_slice(body).unwrap();
                match operation {
                    "StartExecution" => start(&started, &request),
                    "DescribeExecution" => describe(&started, &ended, &request),
                    other => panic!("the state machine of the testkit does not know {other}"),
                }
            })
        };
        Self { started, ended, broken, service }
    }

    /// A client whose calls nobody counts.
    pub fn client(&self) -> aws_sdk_sfn::Client {
        self.client_with(&Calls::new())
    }

    /// A client that counts its calls there.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_sfn::Client {
        client!(aws_sdk_sfn, Wire::in_process(&self.service, calls), calls, NOWHERE)
    }

    /// Every execution, in the order of their starts.
    pub fn started(&self) -> Vec<Started> {
        self.started.lock().unwrap().clone()
    }

    /// Has the execution of this name end with this status (`SUCCEEDED`, `FAILED`, `ABORTED`, `TIMED_OUT`).
    pub fn end(&self, name: &str, status: &str) {
        self.ended.lock().unwrap().insert(name.to_owned(), status.to_owned());
    }

    /// Whether every request fails from now on.
    pub fn fail(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }
}

/// A name is good once. AWS answers the same start with the same input as if it were the first while the execution runs;
/// once it has ended, and in the local emulator always, the answer is `ExecutionAlreadyExists`: the harder case.
fn start(started: &Mutex<Vec<Started>>, request: &Value) -> (u16, String) {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let execution = Started {
        state_machine_arn: text("stateMachineArn"),
        name: text("name"),
        input: serde_json::from_str(&text("input")).expect("an input is JSON"),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    assert!(
        (1..=80).contains(&execution.name.len()) && execution.name.chars().all(allowed),
        "Step Functions refuses the name {:?}",
        execution.name
    );
    let mut started = started.lock().unwrap();
    let known = started.iter().any(|one| one.name == execution.name && one.state_machine_arn == execution.state_machine_arn);
    if known {
        return (400, json!({"__type": "ExecutionAlreadyExists", "message": "Execution Already Exists"}).to_string());
    }
    let arn = execution.execution_arn();
    started.push(execution);
    (200, json!({"executionArn": arn, "startDate": 1_790_000_000}).to_string())
}

fn describe(started: &Mutex<Vec<Started>>, ended: &Mutex<HashMap<String, String>>, request: &Value) -> (u16, String) {
    let arn = request["executionArn"].as_str().unwrap_or_default();
    let started = started.lock().unwrap();
    let Some(execution) = started.iter().find(|execution| execution.execution_arn() == arn) else {
        return (400, json!({"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"}).to_string());
    };
    let status = ended.lock().unwrap().get(&execution.name).cloned().unwrap_or_else(|| "RUNNING".to_owned());
    let answer = json!({
        "executionArn": arn, "stateMachineArn": execution.state_machine_arn, "name": execution.name, "status": status,
        "startDate": 1_790_000_000, "input": execution.input.to_string(),
    });
    (200, answer.to_string())
}
