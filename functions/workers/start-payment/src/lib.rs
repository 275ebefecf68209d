//! Orders queue → Step Functions: starts one execution of the payment saga per attempt to pay an order.
//!
//! The execution is named after the attempt. If the message arrives twice, the name is taken, and the function has
//! nothing to do.

use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use kit::{Failure, QueueFunction};
use messages::OrderMessage;
use parts::{FromParts, Parts, StateMachine};

/// The Lambda handler and its dependencies.
pub struct StartPayment {
    saga: StateMachine,
}

impl FromParts for StartPayment {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { saga: parts.patient_payment_saga() }
    }
}

impl QueueFunction for StartPayment {
    type Message = OrderMessage;

    /// Starts the saga of one attempt.
    ///
    /// # Errors
    /// When Step Functions does not answer: SQS delivers the message again.
    async fn handle(&self, message: OrderMessage) -> Result<(), Failure> {
        self.start(&message, message.execution_name()).await.map(|_| ())
    }
}

impl StartPayment {
    /// With the caller's client.
    #[must_use]
    pub fn of(saga: StateMachine) -> Self {
        Self { saga }
    }

    /// Starts the saga of one attempt as an execution of this name. False: there is one of this name already.
    ///
    /// # Errors
    /// When Step Functions does not answer.
    pub async fn start(&self, message: &OrderMessage, name: String) -> Result<bool, Failure> {
        let input = serde_json::to_string(message)?;
        let start = self.saga.client.start_execution().state_machine_arn(&self.saga.arn).name(name).input(input);
        match start.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
