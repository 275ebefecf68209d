//! What functions find around them: a table that answers as it is told, issuers of tokens, queues that take everything.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
};
use aws_smithy_types::body::SdkBody;
use kit::Https;
use parts::{Aws, Parts};
use payments::Http;
use serde_json::{Value, json};
use test_aws::{Bus, Calls, CountingRandomness, EdgeStore, FixedClock, Queue, StepFunctions, Topic, Vault};
use test_issuer::KeyServer;
use test_shop::{NOW, nobody};

use crate::tokens::ISSUERS;

/// Runs a future to its end on this thread.
pub(crate) fn waited<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A table that keeps nothing. It answers reads with one item, if it has one, and takes every write.
#[derive(Clone, Default)]
pub(crate) struct Table {
    item: Arc<Mutex<Option<Value>>>,
    calls: Arc<AtomicUsize>,
    /// The item of the last write.
    put: Arc<Mutex<Option<Value>>>,
}

impl Table {
    /// A table in which every read finds `item`.
    pub(crate) fn with(item: Value) -> Self {
        Self { item: Arc::new(Mutex::new(Some(item))), ..Self::default() }
    }

    /// How often it was asked.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// The item that was put last.
    pub(crate) fn put(&self) -> Option<Value> {
        self.put.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> aws_sdk_dynamodb::Client {
        let connector = SharedHttpConnector::new(self.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "fuzz"))
            .endpoint_url("http://in-process.invalid")
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()));
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    fn answer(&self, operation: &str, request: &Value) -> Value {
        let item = self.item.lock().unwrap().clone();
        if operation == "PutItem" {
            *self.put.lock().unwrap() = Some(request["Item"].clone());
        }
        match (operation, item) {
            ("GetItem", Some(item)) => json!({ "Item": item }),
            ("UpdateItem", Some(item)) => json!({ "Attributes": item }),
            ("Query", item) => {
                let items: Vec<Value> = item.into_iter().collect();
                json!({"Items": items, "Count": items.len(), "ScannedCount": items.len()})
            }
            ("BatchGetItem", item) => {
                let tables = request["RequestItems"].as_object().into_iter().flat_map(|tables| tables.keys());
                let items: Vec<Value> = item.into_iter().collect();
                let found = tables.map(|table| (table.clone(), json!(items))).collect();
                json!({"Responses": Value::Object(found), "UnprocessedKeys": {}})
            }
            _ => json!({}),
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Table")
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let answer = SdkBody::from(self.answer(operation, &body).to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), answer)))
    }
}

/// Everything around a function.
pub(crate) struct World {
    pub(crate) table: Table,
    keys: KeyServer,
}

impl World {
    pub(crate) fn new() -> Self {
        let keys = KeyServer::default();
        for issuer in [&ISSUERS.customers, &ISSUERS.operators] {
            keys.publish(&issuer.keys_url, &issuer.key_set());
        }
        Self { table: Table::default(), keys }
    }

    /// The parts of a function with these variables beside those of the template. Later ones count.
    pub(crate) fn parts(&self, variables: &[(String, String)]) -> Parts {
        let usual = usual_variables().into_iter().map(|(name, value)| (name.to_owned(), value));
        let configuration = kit::Configuration::of(usual.chain(variables.iter().cloned()));
        let services = Services { table: self.table.clone(), keys: self.keys.clone(), calls: Calls::new() };
        Parts::new(configuration, services, Arc::new(FixedClock::at(NOW)), Arc::new(CountingRandomness::new()))
    }
}

/// The variables of all functions.
pub(crate) fn usual_variables() -> Vec<(&'static str, String)> {
    let queue = |name: &str| format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}");
    let (customers, operators) = (&ISSUERS.customers, &ISSUERS.operators);
    let texts = [
        ("ENVIRONMENT", "local"),
        ("ALLOWED_ORIGINS", "*"),
        ("ORIGIN_SECRETS", ""),
        ("TRUST_USER_ID_HEADER", "false"),
        ("STOCK_TABLE", "stock"),
        ("RESERVATION_TABLE", "reservations"),
        ("ORDER_TABLE", "orders"),
        ("STATE_MACHINE_ARN", test_shop::STATE_MACHINE),
        ("NOTIFICATIONS_TOPIC_ARN", test_shop::NOTIFICATIONS),
        ("ORDER_EVENTS_BUS", "order-events"),
        ("PAYMENT_GATEWAYS", "sandbox,sandbox-standby,stripe=pk_test_1,paypal=AbC"),
        ("PAYMENTS_PER_SECOND", "10"),
        ("PAYMENT_SECRETS", "shop/payments/"),
        ("CHALLENGE_SECRET", test_shop::CHALLENGE_SECRET),
        ("PAYMENT_RETURN_URL", "https://shop.example.com/order"),
        ("STRIPE_URL", "https://api.stripe.com"),
        ("PAYPAL_URL", "https://api-m.paypal.com"),
        ("EDGE_STORE_ARN", ""),
    ];
    let texts = texts.map(|(name, value)| (name, value.to_owned()));
    let computed = [
        ("ORDERS_QUEUE_URL", queue("orders")),
        ("EXPIRY_QUEUE_URL", queue("expiry")),
        ("PAYMENT_EVENTS_QUEUE_URL", queue("payment-events")),
        ("CUSTOMER_ISSUER", customers.url.clone()),
        ("CUSTOMER_AUDIENCES", customers.audience.clone()),
        ("CUSTOMER_KEYS_URL", customers.keys_url.clone()),
        ("OPERATOR_ISSUER", operators.url.clone()),
        ("OPERATOR_AUDIENCES", operators.audience.clone()),
        ("OPERATOR_KEYS_URL", operators.keys_url.clone()),
    ];
    texts.into_iter().chain(computed).collect()
}

struct Services {
    table: Table,
    keys: KeyServer,
    calls: Calls,
}

impl Aws for Services {
    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.table.client()
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        Queue::default().client_with(&self.calls)
    }

    fn sfn(&self) -> aws_sdk_sfn::Client {
        StepFunctions::default().client_with(&self.calls)
    }

    fn patient_sfn(&self) -> aws_sdk_sfn::Client {
        self.sfn()
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        Topic::default().client_with(&self.calls)
    }

    fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        Bus::default().client_with(&self.calls)
    }

    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let vault = Vault::default();
        vault.put("shop/payments/stripe", r#"{"secret_key": "sk_test_1", "webhook_secrets": ["whsec_test"]}"#);
        vault.put(
            "shop/payments/paypal",
            r#"{"client_id": "AbC", "client_secret": "s", "webhook_id": "8PT597110X687430LKGECATA"}"#,
        );
        vault.client_with(&self.calls)
    }

    fn edge_store(&self) -> aws_sdk_cloudfrontkeyvaluestore::Client {
        EdgeStore::default().client_with(&self.calls)
    }

    fn providers(&self) -> Http {
        nobody()
    }

    fn https(&self) -> Https {
        self.keys.https()
    }
}
