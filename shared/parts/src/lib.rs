//! The composition root: the parts of which each function is made.
//!
//! Each part knows which variables, client and store it needs. [`FromParts::wire`] asks for the parts of a function.
//! The bootstrap, the simulation and the tests all call it, so a function's needs are listed only once.
//!
//! Architecture invariant: only this crate reads the variables of the template.

mod aws;
mod challenge_keys;
mod issuers;
mod registry;
mod secrets;
mod wired;

use std::{cell::OnceCell, collections::BTreeSet, sync::Arc};

pub use aws::Aws;
pub use challenge_keys::ChallengeSecret;
use domain::{Account, Accounts, Clock, PaymentRate, Provider, Randomness, ShopperRate};
pub use issuers::TrustedIssuer;
use kit::{Configuration, ConfigurationError, EdgeSecrets, Https, Identity, Origins, OsRandomness, Secrets, SystemClock};
use messages::{ExpiryQueue, OrderEvents, OrdersQueue, PaymentEventsQueue};
use payments::{Gateways, Keys, Providers, SecretStore, paypal};
pub use registry::{Registry, Wire, find, serve, serve_from_anywhere};
use secrets::PaymentSecrets;
use serde::de::DeserializeOwned;
use store::{
    Attempts, Availabilities, CoolingShoppers, EdgeRecords, GatewayStates, Orders, ProviderEvents, Purchases, Reservations,
    Rounds, Sales, SandboxBooks, ShopperBuckets, Stock,
};
pub use wired::FromParts;

/// Where PayPal is.
const PAYPAL: &str = "https://api-m.paypal.com";
/// Where PayPal's sandbox is.
const PAYPAL_SANDBOX: &str = "https://api-m.sandbox.paypal.com";

/// The parts of a function. A variable that is missing or wrong is recorded; [`Parts::finish`] names them all.
#[must_use = "ask `finish` whether anything was missing"]
pub struct Parts {
    configuration: Configuration,
    origins: Origins,
    aws: Box<dyn Aws>,
    dynamodb: OnceCell<aws_sdk_dynamodb::Client>,
    sqs: OnceCell<aws_sdk_sqs::Client>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// A state machine with a client for it.
#[derive(Debug, Clone)]
pub struct StateMachine {
    /// A Step Functions client.
    pub client: aws_sdk_sfn::Client,
    /// The state machine's ARN.
    pub arn: String,
}

/// A topic with a client for it.
#[derive(Debug, Clone)]
pub struct Topic {
    /// An SNS client.
    pub client: aws_sdk_sns::Client,
    /// The topic's ARN.
    pub arn: String,
}

/// The KeyValueStore of the gate at the edge, with a client for it.
#[derive(Debug, Clone)]
pub struct EdgeStore {
    /// A client of the store's API.
    pub client: aws_sdk_cloudfrontkeyvaluestore::Client,
    /// The store's ARN.
    pub arn: String,
}

impl Parts {
    /// The parts of a deployed function: the process's variables, AWS, the system's clock and randomness.
    pub async fn deployed() -> Self {
        // The configuration comes first, because reading it starts the log.
        let configuration = Configuration::read();
        Self::new(configuration, kit::aws().await, Arc::new(SystemClock), Arc::new(OsRandomness))
    }

    /// Parts from these variables, clients, clock and randomness.
    pub fn new(
        mut configuration: Configuration,
        aws: impl Aws + 'static,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        let (dynamodb, sqs) = (OnceCell::new(), OnceCell::new());
        // Every function of the API needs it, whatever its parts are.
        let origins = configuration.parsed_or("ALLOWED_ORIGINS", Origins::Any);
        Self { configuration, origins, aws: Box::new(aws), dynamodb, sqs, clock, randomness }
    }

    /// Returns `value` if every variable that its parts asked for was present and valid.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    pub fn finish<T>(&mut self, value: T) -> Result<T, ConfigurationError> {
        self.configuration.finish().map(|()| value)
    }

    /// The variables that parts have asked for so far, found or not.
    #[must_use]
    pub fn variables(&self) -> &BTreeSet<String> {
        self.configuration.asked()
    }

    /// The source of the current time.
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
            return Identity::granted_only(self.clock());
        }
        if stage.as_deref() != Some("local") {
            self.configuration.fault("TRUST_USER_ID_HEADER may be true only where ENVIRONMENT is local");
        }
        Identity::trusting_header(self.clock())
    }

    /// Documents from the network.
    #[must_use]
    pub fn https(&self) -> Https {
        self.aws.https()
    }

    /// The secrets of the stack at the edge: with `ORIGIN_SECRETS`, the function takes requests through the edge only.
    pub fn edge_secrets(&mut self) -> EdgeSecrets {
        let text: String = self.configuration.optional("ORIGIN_SECRETS").unwrap_or_default();
        let hashes = text.split(',').filter(|hash| !hash.is_empty()).map(str::to_owned).collect();
        EdgeSecrets::with_hashes(hashes).unwrap_or_else(|| {
            self.configuration.fault("ORIGIN_SECRETS is not one or two SHA-256 in lower-case hex");
            EdgeSecrets::none()
        })
    }

    /// The descriptions of sales.
    pub fn sales(&mut self) -> Sales {
        Sales::new(self.dynamodb(), self.stock_table())
    }

    /// The sale with which the next run of `reconcile` begins.
    pub fn rounds(&mut self) -> Rounds {
        Rounds::new(self.dynamodb(), self.stock_table())
    }

    /// The stock shards.
    pub fn stock(&mut self) -> Stock {
        Stock::new(self.dynamodb(), self.stock_table())
    }

    /// The availability items.
    pub fn availabilities(&mut self) -> Availabilities {
        Availabilities::new(self.dynamodb(), self.stock_table())
    }

    /// The reservations.
    pub fn reservations(&mut self) -> Reservations {
        Reservations::new(self.dynamodb(), self.reservation_table())
    }

    /// The token buckets of shoppers.
    pub fn shopper_buckets(&mut self) -> ShopperBuckets {
        ShopperBuckets::new(self.dynamodb(), self.reservation_table())
    }

    /// The rate of these buckets: `SHOPPER_RATE`, in requests per second.
    pub fn shopper_rate(&mut self) -> ShopperRate {
        let per_second = self.configuration.parsed_or("SHOPPER_RATE", ShopperRate::DEFAULT.per_second());
        ShopperRate::new(per_second).unwrap_or_else(|| {
            self.configuration.fault(format!("SHOPPER_RATE is from 1 to {}", ShopperRate::MAX));
            ShopperRate::DEFAULT
        })
    }

    /// The unpaid ends of shoppers' holds.
    pub fn cooling_shoppers(&mut self) -> CoolingShoppers {
        CoolingShoppers::new(self.dynamodb(), self.reservation_table())
    }

    /// The orders.
    pub fn orders(&mut self) -> Orders {
        Orders::new(self.dynamodb(), self.order_table())
    }

    /// Reservations and orders, changed together.
    pub fn purchases(&mut self) -> Purchases {
        Purchases::new(self.dynamodb(), self.reservation_table(), self.order_table())
    }

    /// The payment attempts.
    pub fn attempts(&mut self) -> Attempts {
        Attempts::new(self.dynamodb(), self.order_table())
    }

    /// The sandbox gateways' books.
    pub fn books(&mut self) -> SandboxBooks {
        SandboxBooks::new(self.dynamodb(), self.order_table())
    }

    /// The accounts at payment providers that `PAYMENT_GATEWAYS` lists, the preferred one first. The stage `prod` has no sandbox.
    pub fn accounts(&mut self) -> Accounts {
        let entries = self.configuration.list("PAYMENT_GATEWAYS");
        let is_prod = self.configuration.text("ENVIRONMENT") == "prod";
        let accounts = Accounts::read(&entries).unwrap_or_else(|error| {
            self.configuration.fault(format!("PAYMENT_GATEWAYS: {error}"));
            Accounts::default()
        });
        if is_prod && accounts.providers().contains(&Provider::Sandbox) {
            self.configuration.fault("PAYMENT_GATEWAYS: the sandbox moves no money, so prod cannot have it");
        }
        let is_test = |account: &Account| account.public_key.as_deref().is_some_and(|key| key.starts_with("pk_test_"));
        if let Some(account) = accounts.iter().find(|account| is_prod && is_test(account)) {
            let name = &account.name;
            self.configuration
                .fault(format!("PAYMENT_GATEWAYS: {name} has a test key, which moves no money, so prod cannot have it"));
        }
        accounts
    }

    /// The payment gateways of these accounts. `PAYMENTS_PER_SECOND` limits how many payments ask one of them.
    pub fn gateways(&mut self) -> Gateways {
        let accounts = self.accounts();
        let per_second: u32 = self.configuration.parsed_or("PAYMENTS_PER_SECOND", 0);
        if per_second > PaymentRate::MAX {
            self.configuration.fault(format!("PAYMENTS_PER_SECOND is at most {}", PaymentRate::MAX));
        }
        let states = self.gateway_states();
        let providers = Providers {
            books: self.books(),
            http: self.aws.providers(),
            secrets: Arc::new(self.payment_secrets()),
            stripe_url: self.provider_url("STRIPE_URL", "https://api.stripe.com"),
            paypal_url: self.provider_url("PAYPAL_URL", PAYPAL),
            return_url: self.configuration.optional("PAYMENT_RETURN_URL").unwrap_or_default(),
            clock: self.clock(),
        };
        Gateways::new(accounts, &providers, states, PaymentRate::new(per_second))
    }

    /// What all environments know of the gateways.
    pub fn gateway_states(&mut self) -> GatewayStates {
        GatewayStates::new(self.dynamodb(), self.order_table())
    }

    /// The keys of each configured account at `provider`, of the form `K`.
    pub fn account_keys<K: DeserializeOwned + Clone + PartialEq>(&mut self, provider: Provider) -> Vec<Keys<K>> {
        let accounts = self.accounts();
        let secrets: Arc<dyn SecretStore> = Arc::new(self.payment_secrets());
        let of_provider = accounts.iter().filter(|account| account.provider == provider);
        of_provider.map(|account| Keys::new(account.name.clone(), Arc::clone(&secrets))).collect()
    }

    /// Verifies PayPal's events: PayPal's own, those of PayPal's sandbox, or those of a fake PayPal on this machine. The last is
    /// believed only where `ENVIRONMENT` is `local`.
    pub fn paypal_verifier(&mut self) -> paypal::Verifier {
        let url = self.provider_url("PAYPAL_URL", PAYPAL);
        let is_local = self.configuration.text("ENVIRONMENT") == "local";
        let signer = match url.as_str() {
            PAYPAL_SANDBOX => paypal::Signer::sandbox(),
            url if is_local && url.starts_with("http://") => paypal::Signer::on_this_machine(url).unwrap_or_else(|| {
                self.configuration.fault("PAYPAL_URL without TLS has to be http://127.0.0.1 with a port");
                paypal::Signer::live()
            }),
            _ => paypal::Signer::live(),
        };
        paypal::Verifier::new(self.aws.providers(), signer)
    }

    /// The events of payment providers that were queued.
    pub fn provider_events(&mut self) -> ProviderEvents {
        ProviderEvents::new(self.dynamodb(), self.order_table())
    }

    /// The secret with the keys of challenges.
    pub fn challenge_secret(&mut self) -> ChallengeSecret {
        let id = self.configuration.text("CHALLENGE_SECRET");
        ChallengeSecret::new(Secrets::new(self.aws.secrets_manager(), id), self.clock())
    }

    /// The keys of the accounts at payment providers.
    fn payment_secrets(&mut self) -> PaymentSecrets {
        let prefix = self.configuration.text("PAYMENT_SECRETS");
        PaymentSecrets(Secrets::new(self.aws.secrets_manager(), prefix))
    }

    /// Where a provider is. Keys are sent there, so it may be without TLS on the local stack only.
    fn provider_url(&mut self, variable: &str, otherwise: &str) -> String {
        let url: String = self.configuration.optional(variable).unwrap_or_else(|| otherwise.to_owned());
        let is_local = self.configuration.text("ENVIRONMENT") == "local";
        let is_safe = url.starts_with("https://") || (is_local && url.starts_with("http://"));
        if !is_safe {
            self.configuration.fault(format!("{variable} has to begin with https://"));
        }
        url
    }

    /// The queue of orders to be paid.
    pub fn orders_queue(&mut self) -> OrdersQueue {
        OrdersQueue::new(self.sqs(), self.orders_queue_url())
    }

    /// The queue of payment events.
    pub fn payment_events_queue(&mut self) -> PaymentEventsQueue {
        PaymentEventsQueue::new(self.sqs(), self.configuration.text("PAYMENT_EVENTS_QUEUE_URL"))
    }

    /// The queue of expiry messages.
    pub fn expiry_queue(&mut self) -> ExpiryQueue {
        ExpiryQueue::new(self.sqs(), self.configuration.text("EXPIRY_QUEUE_URL"))
    }

    /// The payment saga, with a client that gives up soon when it is throttled, for a run with other work to do.
    pub fn payment_saga(&mut self) -> StateMachine {
        StateMachine { client: self.aws.sfn(), arn: self.state_machine_arn() }
    }

    /// The payment saga, with a client that waits when it is throttled, for a queue worker.
    pub fn patient_payment_saga(&mut self) -> StateMachine {
        StateMachine { client: self.aws.patient_sfn(), arn: self.state_machine_arn() }
    }

    /// The topic of notifications to shoppers.
    pub fn notifications(&mut self) -> Topic {
        Topic { client: self.aws.sns(), arn: self.configuration.text("NOTIFICATIONS_TOPIC_ARN") }
    }

    /// The bus of order events.
    pub fn order_events(&mut self) -> OrderEvents {
        OrderEvents::new(self.aws.eventbridge(), self.configuration.text("ORDER_EVENTS_BUS"))
    }

    /// The store of the gate at the edge. `None`: there is no edge stack.
    pub fn edge_store(&mut self) -> Option<EdgeStore> {
        let arn = self.configuration.optional("EDGE_STORE_ARN")?;
        Some(EdgeStore { client: self.aws.edge_store(), arn })
    }

    /// What the gate at the edge was told.
    pub fn edge_records(&mut self) -> EdgeRecords {
        EdgeRecords::new(self.dynamodb(), self.stock_table())
    }

    /// The client of all tables. It is made once, and only if a part asks for it, to keep cold starts short.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| self.aws.dynamodb()).clone()
    }

    /// The client of all queues, made like that of the tables.
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
