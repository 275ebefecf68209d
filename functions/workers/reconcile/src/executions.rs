//! The payment saga's executions: looks them up and starts them.

use aws_sdk_sfn::{Client, operation::describe_execution::DescribeExecutionError, types::ExecutionStatus};
use kit::Failure;
use messages::OrderMessage;
use parts::{FromParts, Parts};
use start_payment::StartPayment;

/// The executions of one state machine.
pub struct Executions {
    client: Client,
    /// The ARN of an execution, without `:` and its name.
    prefix: String,
    starts: StartPayment,
}

/// The state of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Execution {
    /// No execution ever had this name.
    Unknown,
    /// The execution is running.
    Running,
    /// The execution has ended with this status.
    Ended(ExecutionStatus),
}

impl FromParts for Executions {
    /// Uses the client that gives up soon: a run that waits for one order has no time for the others.
    fn from_parts(parts: &mut Parts) -> Self {
        let saga = parts.payment_saga();
        let prefix = saga.arn.replacen(":stateMachine:", ":execution:", 1);
        Self { client: saga.client.clone(), prefix, starts: StartPayment::of(saga) }
    }
}

impl Executions {
    /// Looks up the execution of this name.
    pub(crate) async fn find(&self, name: &str) -> Result<Execution, Failure> {
        let describe = self.client.describe_execution().execution_arn(format!("{}:{name}", self.prefix));
        match describe.send().await {
            Ok(found) if matches!(found.status, ExecutionStatus::Running | ExecutionStatus::PendingRedrive) => {
                Ok(Execution::Running)
            }
            Ok(found) => Ok(Execution::Ended(found.status)),
            Err(error) if error.as_service_error().is_some_and(DescribeExecutionError::is_execution_does_not_exist) => {
                Ok(Execution::Unknown)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Starts the saga of an attempt as an execution of this name. False: there is one of this name already.
    pub(crate) async fn start(&self, message: &OrderMessage, name: String) -> Result<bool, Failure> {
        self.starts.start(message, name).await
    }
}
