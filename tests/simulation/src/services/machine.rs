//! Step Functions: executions of the payment saga's real definition on virtual time, with the faults of Step Functions.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kit::workers::Diagnostic;
use serde_json::{Value, json};
use test_asl::{Ended, Host, Invoked, Machine, TASKS};
use tokio::sync::oneshot;

use crate::{
    checks::mutations::Mutation,
    faults::Fault,
    services::environments::{self, Cut},
    world::World,
};

/// The payment saga, altered by a mutation that concerns the state machine.
pub(crate) fn payment_saga(mutation: Option<&Mutation>) -> Machine {
    let mut definition = test_asl::payment_saga();
    if let Some(mutation) = mutation {
        mutation.alter_machine(&mut definition);
    }
    Machine::read(&definition, &TASKS).unwrap_or_else(|error| panic!("the payment saga: {error}"))
}

/// The ARN of an execution, without its name.
const EXECUTION: &str = "arn:aws:states:us-east-1:1:execution:payment-saga:";

/// The status of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Running,
    Succeeded,
    Failed,
    Aborted,
    TimedOut,
}

/// All executions, by name. A name can be used once.
#[derive(Default)]
pub(crate) struct Executions {
    statuses: Mutex<BTreeMap<String, Status>>,
    /// The tokens of waiting tasks.
    waiting: Mutex<BTreeMap<String, oneshot::Sender<()>>>,
    tokens: AtomicUsize,
}

impl Executions {
    /// Answers a request.
    pub(crate) fn serve(&self, world: &Arc<World>, operation: &str, request: &Value) -> (u16, String) {
        match operation {
            "StartExecution" => self.serve_start(world, request),
            "DescribeExecution" => self.serve_describe(request),
            "SendTaskSuccess" => self.serve_token(world, request["taskToken"].as_str().unwrap()),
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
        let status = match self.statuses.lock().unwrap().get(name) {
            None => return (400, json!({"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"}).to_string()),
            Some(Status::Running) => "RUNNING",
            Some(Status::Succeeded) => "SUCCEEDED",
            Some(Status::Failed) => "FAILED",
            Some(Status::Aborted) => "ABORTED",
            Some(Status::TimedOut) => "TIMED_OUT",
        };
        let machine = EXECUTION.replace(":execution:", ":stateMachine:");
        let machine = machine.trim_end_matches(':');
        let description = json!({"executionArn": arn, "stateMachineArn": machine, "startDate": 1_790_000_000, "status": status});
        (200, description.to_string())
    }

    /// Ends the wait for this token. Step Functions refuses a token whose task has ended.
    fn serve_token(&self, world: &Arc<World>, token: &str) -> (u16, String) {
        world.note(|| format!("{token} comes back"));
        let waiting = self.waiting.lock().unwrap().remove(token);
        if waiting.is_some_and(|waiting| waiting.send(()).is_ok()) {
            (200, "{}".to_owned())
        } else {
            (400, json!({"__type": "TaskTimedOut", "message": "the task has ended"}).to_string())
        }
    }

    /// Starts an execution. False: an execution has had this name.
    pub(crate) fn start(&self, world: &Arc<World>, name: &str, input: Value) -> bool {
        assert!((1..=80).contains(&name.len()), "Step Functions refuses the name {name:?}");
        if self.statuses.lock().unwrap().contains_key(name) {
            return false;
        }
        let never_starts = world.strikes(Fault::SagaNeverStarted);
        let status = if never_starts { Status::Aborted } else { Status::Running };
        self.statuses.lock().unwrap().insert(name.to_owned(), status);
        world.note(|| format!("execution {name} {}", if never_starts { "never starts" } else { "starts" }));
        if !never_starts {
            world.spawn(execute(Arc::clone(world), name.to_owned(), input));
        }
        true
    }

    /// Whether an execution of this name has ended.
    pub(crate) fn has_ended(&self, name: &str) -> bool {
        self.statuses.lock().unwrap().get(name).is_some_and(|status| *status != Status::Running)
    }

    /// Whether an execution ever had this name.
    pub(crate) fn has_been(&self, name: &str) -> bool {
        self.statuses.lock().unwrap().contains_key(name)
    }
}

async fn execute(world: Arc<World>, name: String, input: Value) {
    let execution = Execution { world: &world, name: &name };
    let ended = tokio::time::timeout(world.machine.longest(), world.machine.run(&execution, input)).await;
    let status = match &ended {
        Ok(Ended::Succeeded(_)) => Status::Succeeded,
        Ok(Ended::Failed(_)) => Status::Failed,
        Ok(Ended::Aborted) => Status::Aborted,
        Err(_) => Status::TimedOut,
    };
    world.note(|| match &ended {
        Ok(Ended::Failed(error)) => format!("execution {name} has ended: Failed({error:?})"),
        Ok(Ended::Succeeded(_) | Ended::Aborted) | Err(_) => format!("execution {name} has ended: {status:?}"),
    });
    world.executions.statuses.lock().unwrap().insert(name, status);
}

/// One execution in its world.
struct Execution<'w> {
    world: &'w Arc<World>,
    name: &'w str,
}

impl Host for Execution<'_> {
    async fn moves(&self, from: Option<&str>, to: &str) -> ControlFlow<()> {
        let (world, name) = (self.world, self.name);
        if from.is_some() {
            if world.strikes(Fault::SagaAborted) {
                return ControlFlow::Break(());
            }
            world.pause(1, 60).await;
        }
        world.step();
        world.note(|| format!("execution {name} enters {to}"));
        ControlFlow::Continue(())
    }

    async fn invoke(&self, function: &'static str, payload: Value, longest: Duration) -> Invoked {
        let (world, name) = (self.world, self.name);
        // When an execution is aborted here, the function that it invoked continues.
        let is_aborted = world.strikes(Fault::SagaAborted);
        let invoked = {
            let again = Arc::clone(world);
            world.spawn(async move { environments::task(&again, function, payload).await })
        };
        if is_aborted {
            return Invoked::Aborted;
        }
        let answer = async {
            if world.strikes_request_of(function, Fault::AnswerLost) {
                // The connection to the function breaks, but the function continues.
                world.pause(1, 600).await;
                let error_type = "Lambda.Unknown".to_owned();
                return Ok(Ok(Err(Diagnostic { error_type, error_message: String::new() })));
            }
            invoked.await
        };
        let error = match tokio::time::timeout(longest, answer).await {
            Err(_) => "States.Timeout".to_owned(),
            Ok(Err(_)) => std::future::pending().await,
            Ok(Ok(Err(Cut::Died))) => "Runtime.ExitError".to_owned(),
            Ok(Ok(Err(Cut::TimedOut))) => "Sandbox.Timedout".to_owned(),
            Ok(Ok(Ok(Err(error)))) => error.error_type,
            Ok(Ok(Ok(Ok(result)))) => return Invoked::Answered(result),
        };
        world.note(|| format!("execution {name}: {function} fails with {error}"));
        Invoked::Failed(error)
    }

    async fn retries(&self, _function: &'static str, _error: &str, longest: Duration) -> bool {
        if self.world.strikes(Fault::RetriesUsedUp) {
            return false;
        }
        self.world.pause(0, u64::try_from(longest.as_millis()).unwrap()).await;
        true
    }

    fn token(&self) -> String {
        format!("token-{}", self.world.executions.tokens.fetch_add(1, Ordering::Relaxed))
    }

    async fn called_back(&self, token: &str, longest: Duration) -> Invoked {
        let (sender, receiver) = oneshot::channel();
        self.world.executions.waiting.lock().unwrap().insert(token.to_owned(), sender);
        match tokio::time::timeout(longest, receiver).await {
            Ok(_) => Invoked::Answered(json!({})),
            Err(_) => Invoked::Failed("States.Timeout".to_owned()),
        }
    }

    async fn waits(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.world.pause(millis, millis).await;
    }
}
