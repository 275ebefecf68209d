//! Orders queue → Step Functions: starts one execution of the payment saga per attempt to pay an order.
//!
//! The execution is named after the attempt. A message that comes twice finds the name taken, and is done.

use aws_sdk_sfn::{Client, operation::start_execution::StartExecutionError};
use kit::{ConfigurationError, Environment, Failure};
use messages::OrderMessage;

/// The function, with what it stands on.
pub struct StartPayment {
    client: Client,
    state_machine_arn: String,
}

impl StartPayment {
    /// The function on what it is given.
    #[must_use]
    pub fn new(client: Client, state_machine_arn: impl Into<String>) -> Self {
        Self { client, state_machine_arn: state_machine_arn.into() }
    }

    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let state_machine_arn = env.text("STATE_MACHINE_ARN");
        env.finish()?;
        Ok(Self::new(kit::sfn(&kit::aws().await), state_machine_arn))
    }

    /// Starts the saga of one attempt.
    ///
    /// # Errors
    /// When Step Functions does not answer: the message comes again.
    pub async fn handle(&self, message: OrderMessage) -> Result<(), Failure> {
        self.start(&message, message.execution_name()).await.map(|_| ())
    }

    /// Starts the saga of one attempt as an execution of this name. False: there is one of this name already.
    ///
    /// # Errors
    /// When Step Functions does not answer.
    pub async fn start(&self, message: &OrderMessage, name: String) -> Result<bool, Failure> {
        let input = serde_json::to_string(message)?;
        let start = self.client.start_execution().state_machine_arn(&self.state_machine_arn).name(name).input(input);
        match start.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(StartExecutionError::is_execution_already_exists) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
