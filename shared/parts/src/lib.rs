//! The composition root: what a function is made of.
//!
//! Each part knows which variables, client and store it needs. [`FromParts::wire`] asks for the parts of a function; the
//! bootstrap, the simulation and the tests all call it, so there is no second list of what a function needs.
//!
//! Architecture invariant: only this crate reads the variables of the template.

mod aws;
mod registry;
mod wired;

use std::{cell::OnceCell, collections::BTreeSet, sync::Arc};

pub use aws::Aws;
use domain::{Clock, Randomness};
use kit::{Configuration, ConfigurationError, Identity, OsRandomness, SystemClock};
use messages::{ExpiryQueue, OrdersQueue};
use payments::Gateways;
pub use registry::{Registry, Wire, find, serve};
use store::{Attempts, Availabilities, Orders, Purchases, Reservations, Sales, SandboxBooks, Stock};
pub use wired::FromParts;

/// The parts of a function. A variable that is missing or wrong is recorded; [`Parts::finish`] names them all.
#[must_use = "ask `finish` whether anything was missing"]
pub struct Parts {
    configuration: Configuration,
    aws: Box<dyn Aws>,
    dynamodb: OnceCell<aws_sdk_dynamodb::Client>,
    sqs: OnceCell<aws_sdk_sqs::Client>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// A state machine and the client that reaches it.
#[derive(Debug, Clone)]
pub struct StateMachine {
    /// Reaches it.
    pub client: aws_sdk_sfn::Client,
    /// Which one.
    pub arn: String,
}

/// A topic and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Reaches it.
    pub client: aws_sdk_sns::Client,
    /// Which one.
    pub arn: String,
}

impl Parts {
    /// The parts of a deployed function: the process's variables, AWS, the machine's clock and randomness.
    pub async fn deployed() -> Self {
        // First: it starts the log.
        let configuration = Configuration::read();
        Self::new(configuration, kit::aws().await, Arc::new(SystemClock), Arc::new(OsRandomness))
    }

    /// The parts on these variables, clients, clock and randomness.
    pub fn new(
        configuration: Configuration,
        aws: impl Aws + 'static,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        let (dynamodb, sqs) = (OnceCell::new(), OnceCell::new());
        Self { configuration, aws: Box::new(aws), dynamodb, sqs, clock, randomness }
    }

    /// `value`, if every variable that its parts asked for was there and right.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub fn finish<T>(&mut self, value: T) -> Result<T, ConfigurationError> {
        self.configuration.finish().map(|()| value)
    }

    /// The variables that parts have asked for so far, whether they were there or not.
    #[must_use]
    pub fn variables(&self) -> &BTreeSet<String> {
        self.configuration.asked()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The source of random bytes.
    #[must_use]
    pub fn randomness(&self) -> Arc<dyn Randomness> {
        Arc::clone(&self.randomness)
    }

    /// Which identity sources the function accepts. `TRUST_USER_ID_HEADER` may be true only where `ENVIRONMENT` is `local`.
    pub fn identity(&mut self) -> Identity {
        let trusts_header = self.configuration.parsed_or("TRUST_USER_ID_HEADER", false);
        let stage: Option<String> = self.configuration.optional("ENVIRONMENT");
        if !trusts_header {
            return Identity::claims_only();
        }
        if stage.as_deref() != Some("local") {
            self.configuration.fault("TRUST_USER_ID_HEADER may be true only where ENVIRONMENT is local");
        }
        Identity::trusting_header()
    }

    /// Descriptions of sales.
    pub fn sales(&mut self) -> Sales {
        Sales::new(self.dynamodb(), self.stock_table())
    }

    /// Stock shards.
    pub fn stock(&mut self) -> Stock {
        Stock::new(self.dynamodb(), self.stock_table())
    }

    /// Availability items.
    pub fn availabilities(&mut self) -> Availabilities {
        Availabilities::new(self.dynamodb(), self.stock_table())
    }

    /// Reservations.
    pub fn reservations(&mut self) -> Reservations {
        Reservations::new(self.dynamodb(), self.reservation_table())
    }

    /// Orders.
    pub fn orders(&mut self) -> Orders {
        Orders::new(self.dynamodb(), self.order_table())
    }

    /// Reservations and orders, changed together.
    pub fn purchases(&mut self) -> Purchases {
        Purchases::new(self.dynamodb(), self.reservation_table(), self.order_table())
    }

    /// Payment attempts.
    pub fn attempts(&mut self) -> Attempts {
        Attempts::new(self.dynamodb(), self.order_table())
    }

    /// The sandbox gateways' books.
    pub fn books(&mut self) -> SandboxBooks {
        SandboxBooks::new(self.dynamodb(), self.order_table())
    }

    /// The payment gateways that `PAYMENT_GATEWAYS` lists, the preferred one first. `prod` has no sandbox.
    pub fn gateways(&mut self) -> Gateways {
        let names = self.configuration.list("PAYMENT_GATEWAYS");
        let with_sandbox = self.configuration.text("ENVIRONMENT") != "prod";
        Gateways::configured(&names, with_sandbox, &self.books()).unwrap_or_else(|error| {
            self.configuration.fault(format!("PAYMENT_GATEWAYS: {error}"));
            Gateways::default()
        })
    }

    /// The queue of orders to be paid.
    pub fn orders_queue(&mut self) -> OrdersQueue {
        OrdersQueue::new(self.sqs(), self.orders_queue_url())
    }

    /// The queue of holds that end.
    pub fn expiry_queue(&mut self) -> ExpiryQueue {
        ExpiryQueue::new(self.sqs(), self.configuration.text("EXPIRY_QUEUE_URL"))
    }

    /// The payment saga, for a run that has other things to do when it is told to slow down.
    pub fn payment_saga(&mut self) -> StateMachine {
        StateMachine { client: self.aws.sfn(), arn: self.state_machine_arn() }
    }

    /// The payment saga, for a queue worker: it waits when it is told to slow down.
    pub fn patient_payment_saga(&mut self) -> StateMachine {
        StateMachine { client: self.aws.patient_sfn(), arn: self.state_machine_arn() }
    }

    /// The topic of notifications to shoppers.
    pub fn notifications(&mut self) -> Topic {
        Topic { client: self.aws.sns(), arn: self.configuration.text("NOTIFICATIONS_TOPIC_ARN") }
    }

    /// The client of all tables. A cold start pays for it once, and only if some part asks for it.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| self.aws.dynamodb()).clone()
    }

    /// The client of all queues, likewise.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| self.aws.sqs()).clone()
    }

    /// The name of the table with sales and their stock.
    pub fn stock_table(&mut self) -> String {
        self.configuration.text("STOCK_TABLE")
    }

    /// The name of the table with reservations.
    pub fn reservation_table(&mut self) -> String {
        self.configuration.text("RESERVATION_TABLE")
    }

    /// The name of the table with orders, payment attempts and the sandbox's books.
    pub fn order_table(&mut self) -> String {
        self.configuration.text("ORDER_TABLE")
    }

    /// The URL of the queue of orders to be paid.
    pub fn orders_queue_url(&mut self) -> String {
        self.configuration.text("ORDERS_QUEUE_URL")
    }

    fn state_machine_arn(&mut self) -> String {
        self.configuration.text("STATE_MACHINE_ARN")
    }
}

#[cfg(test)]
mod tests;
