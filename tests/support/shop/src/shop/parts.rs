//! The parts of functions in a shop: every function is wired as in its deployment.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_sfn::config::{
    BehaviorVersion,
    retry::{RetryConfig, RetryPartition},
};
use kit::{Configuration, aws_config::SdkConfig};
use parts::{Aws, FromParts, Parts};
use payments::Http;
use serde_json::Value;
use test_aws::{Bus, Calls, EdgeStore, Queue, StepFunctions, Topic, Vault};

use super::Shop;

const ORDERS: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/orders";
const EXPIRY: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/expiry";
const PAYMENT_EVENTS: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/payment-events";

/// The secret with the keys of challenges.
pub const CHALLENGE_SECRET: &str = "shop/challenges";
/// The bus of order events.
pub const ORDER_EVENTS: &str = "shop-orders";
/// The payment saga.
pub const STATE_MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:PaymentSaga";
/// The topic of notifications to shoppers.
pub const NOTIFICATIONS: &str = "arn:aws:sns:us-east-1:123456789012:notifications";

impl Shop {
    /// A function, or a use case, in a new execution environment whose calls are counted by `calls`.
    pub fn wire<T: FromParts>(&self, calls: &Calls) -> T {
        T::wire(&mut self.parts(calls)).unwrap()
    }

    /// The parts of a function whose calls are counted by `calls`.
    pub fn parts(&self, calls: &Calls) -> Parts {
        self.parts_with(calls, &[])
    }

    /// The same, with some variables changed.
    pub fn parts_with(&self, calls: &Calls, variables: &[(&'static str, &str)]) -> Parts {
        self.parts_on(self.dynamo.client_with(calls), calls, variables)
    }

    /// Parts that do not count their calls, for the test's own actions and reads.
    pub fn uncounted(&self) -> Parts {
        self.parts_on(self.client.clone(), &Calls::new(), &[])
    }

    fn parts_on(&self, dynamodb: store::Client, calls: &Calls, variables: &[(&'static str, &str)]) -> Parts {
        let mut all = BTreeMap::from([
            ("ENVIRONMENT", "local"),
            ("STOCK_TABLE", self.dynamo.stock_table()),
            ("RESERVATION_TABLE", self.dynamo.reservation_table()),
            ("ORDER_TABLE", self.dynamo.order_table()),
            ("ORDERS_QUEUE_URL", ORDERS),
            ("EXPIRY_QUEUE_URL", EXPIRY),
            ("PAYMENT_EVENTS_QUEUE_URL", PAYMENT_EVENTS),
            ("STATE_MACHINE_ARN", STATE_MACHINE),
            ("NOTIFICATIONS_TOPIC_ARN", NOTIFICATIONS),
            ("ORDER_EVENTS_BUS", ORDER_EVENTS),
            ("PAYMENT_GATEWAYS", "sandbox,sandbox-standby"),
            ("PAYMENT_SECRETS", "shop/payments/"),
            ("CHALLENGE_SECRET", CHALLENGE_SECRET),
            ("PAYMENT_RETURN_URL", "https://shop.example.com/order"),
        ]);
        all.extend(variables.iter().copied());
        let (queue, machines, topic, bus) = (self.queue.clone(), self.machines.clone(), self.topic.clone(), self.bus.clone());
        let (vault, edge, providers) = (self.vault.clone(), self.edge.clone(), self.providers.clone());
        let aws = Services { dynamodb, queue, machines, topic, bus, vault, edge, providers, calls: calls.clone() };
        Parts::new(Configuration::of(all), aws, Arc::new(self.clock.clone()), Arc::new(self.randomness.clone()))
    }

    /// The messages of the orders queue.
    pub fn orders_sent(&self) -> Vec<Value> {
        self.sent_to(ORDERS)
    }

    /// The messages of the expiry queue.
    pub fn expiries_sent(&self) -> Vec<Value> {
        self.sent_to(EXPIRY)
    }

    /// The messages of the queue of payment events.
    pub fn payment_events_sent(&self) -> Vec<Value> {
        self.sent_to(PAYMENT_EVENTS)
    }

    fn sent_to(&self, url: &str) -> Vec<Value> {
        self.queue.sent().into_iter().filter(|sent| sent.queue_url == url).map(|sent| sent.body).collect()
    }
}

/// Clients for the shop's services.
struct Services {
    dynamodb: store::Client,
    queue: Queue,
    machines: StepFunctions,
    topic: Topic,
    bus: Bus,
    vault: Vault,
    edge: EdgeStore,
    providers: Http,
    calls: Calls,
}

impl Aws for Services {
    fn dynamodb(&self) -> store::Client {
        self.dynamodb.clone()
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        self.queue.client_with(&self.calls)
    }

    fn sfn(&self) -> aws_sdk_sfn::Client {
        self.machines.client_with(&self.calls)
    }

    /// As in production, this client makes more attempts than the other one. It has a retry budget of its own: tests of
    /// the same process do not use it up.
    fn patient_sfn(&self) -> aws_sdk_sfn::Client {
        let config = self.sfn().config().to_builder();
        let real = kit::patient_sfn(&SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12()).build());
        let attempts = real.config().retry_config().map(RetryConfig::max_attempts).unwrap();
        let retries = self.sfn().config().retry_config().cloned().unwrap().with_max_attempts(attempts);
        let budget = RetryPartition::custom("patient").build();
        aws_sdk_sfn::Client::from_conf(config.retry_config(retries).retry_partition(budget).build())
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        self.topic.client_with(&self.calls)
    }

    fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        self.bus.client_with(&self.calls)
    }

    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        self.vault.client_with(&self.calls)
    }

    fn edge_store(&self) -> aws_sdk_cloudfrontkeyvaluestore::Client {
        self.edge.client_with(&self.calls)
    }

    fn providers(&self) -> Http {
        self.providers.clone()
    }
}
