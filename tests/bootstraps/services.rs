//! Queues, a topic, a bus, a secret and a state machine of this test alone, on the local stack's emulator. The stack's own would act on what the
//! functions send.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use system_tests::repository;
use test_aws::Dynamo;

/// Names another emulator than the local stack's, as for the store's tests.
const ENDPOINT_VARIABLE: &str = "FLASH_SALE_STORE_ENDPOINT";

/// Replacements for the template's resources.
pub(crate) struct Services {
    endpoint: String,
    client: reqwest::Client,
    orders_queue_url: String,
    expiry_queue_url: String,
    payment_events_queue_url: String,
    state_machine_arn: String,
    topic_arn: String,
    bus: String,
    challenge_secret: String,
}

impl Services {
    /// Creates the resources. The stack must be up.
    pub(crate) async fn make() -> Self {
        let endpoint = std::env::var(ENDPOINT_VARIABLE).unwrap_or_else(|_| endpoint_of_stack());
        let name = |what: &str| format!("rie-{}-{what}", std::process::id());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut services = Self {
            endpoint,
            client,
            orders_queue_url: String::new(),
            expiry_queue_url: String::new(),
            payment_events_queue_url: String::new(),
            state_machine_arn: String::new(),
            topic_arn: String::new(),
            bus: name("orders"),
            challenge_secret: name("challenges"),
        };
        services.call("events", "AWSEvents.CreateEventBus", &json!({"Name": services.bus})).await;
        let key = json!({"key": "a key of tests, which opens nothing: 0123456789"}).to_string();
        let secret = json!({"Name": services.challenge_secret, "SecretString": key});
        services.call("secretsmanager", "secretsmanager.CreateSecret", &secret).await;
        services.orders_queue_url = services.queue(&name("orders")).await;
        services.expiry_queue_url = services.queue(&name("expiry")).await;
        services.payment_events_queue_url = services.queue(&name("payment-events")).await;
        let definition = json!({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}).to_string();
        let role = services.role(&name("role")).await;
        let machine = json!({"name": name("saga"), "definition": definition, "roleArn": role});
        services.state_machine_arn =
            services.text("states", "AWSStepFunctions.CreateStateMachine", &machine, "stateMachineArn").await;
        let topic = services.form("sns", &format!("Action=CreateTopic&Version=2010-03-31&Name={}", name("topic"))).await;
        services.topic_arn = element(&topic, "TopicArn");
        services
    }

    /// The URL of the emulator.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The value of `!Ref` for each resource of the template.
    pub(crate) fn physical_names(&self, tables: &Dynamo) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("StockTable", tables.stock_table().to_owned()),
            ("ReservationTable", tables.reservation_table().to_owned()),
            ("OrderTable", tables.order_table().to_owned()),
            ("OrdersQueue", self.orders_queue_url.clone()),
            ("ExpiryQueue", self.expiry_queue_url.clone()),
            ("PaymentEventsQueue", self.payment_events_queue_url.clone()),
            ("PaymentSaga", self.state_machine_arn.clone()),
            ("NotificationsTopic", self.topic_arn.clone()),
            ("OrderEventsBus", self.bus.clone()),
            ("ChallengeSecret", self.challenge_secret.clone()),
            ("ShopperPoolClient", "shopper-client".to_owned()),
            ("OperatorPoolClient", "operator-client".to_owned()),
        ])
    }

    /// Removes the resources.
    pub(crate) async fn remove(&self) {
        for url in [&self.orders_queue_url, &self.expiry_queue_url, &self.payment_events_queue_url] {
            self.call("sqs", "AmazonSQS.DeleteQueue", &json!({"QueueUrl": url})).await;
        }
        self.call("states", "AWSStepFunctions.DeleteStateMachine", &json!({"stateMachineArn": self.state_machine_arn})).await;
        self.form("sns", &format!("Action=DeleteTopic&Version=2010-03-31&TopicArn={}", self.topic_arn)).await;
        self.call("events", "AWSEvents.DeleteEventBus", &json!({"Name": self.bus})).await;
        let secret = json!({"SecretId": self.challenge_secret, "ForceDeleteWithoutRecovery": true});
        self.call("secretsmanager", "secretsmanager.DeleteSecret", &secret).await;
        self.form("iam", &format!("Action=DeleteRole&Version=2010-05-08&RoleName=rie-{}-role", std::process::id())).await;
    }

    /// A state machine must name an existing role. This one grants nothing.
    async fn role(&self, name: &str) -> String {
        let request = format!("Action=CreateRole&Version=2010-05-08&RoleName={name}&AssumeRolePolicyDocument=%7B%7D");
        element(&self.form("iam", &request).await, "Arn")
    }

    async fn queue(&self, name: &str) -> String {
        self.text("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": name}), "QueueUrl").await
    }

    async fn text(&self, service: &str, target: &str, input: &Value, member: &str) -> String {
        let answer = self.call(service, target, input).await;
        answer[member].as_str().unwrap_or_else(|| panic!("{target}: {answer}")).to_owned()
    }

    async fn call(&self, service: &str, target: &str, input: &Value) -> Value {
        let request = self.client.post(&self.endpoint).header("authorization", signature(service)).header("x-amz-target", target);
        let answer = request.header("content-type", "application/x-amz-json-1.0").body(input.to_string()).send().await;
        answer.expect("the emulator answers").json().await.unwrap_or_default()
    }

    async fn form(&self, service: &str, body: &str) -> String {
        let request = self.client.post(&self.endpoint).header("authorization", signature(service));
        let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned()).send().await;
        answer.expect("the emulator answers").text().await.unwrap_or_default()
    }
}

fn endpoint_of_stack() -> String {
    let file = repository::root().join("target/local/stack.json");
    assert!(file.is_file(), "no stack is up; `cargo xtask up --detach` starts one");
    repository::json(&file)["endpoint_url"].as_str().expect("stack.json has endpoint_url").to_owned()
}

fn element(xml: &str, name: &str) -> String {
    let text = xml.split_once(&format!("<{name}>")).and_then(|(_, after)| after.split_once(&format!("</{name}>")));
    text.unwrap_or_else(|| panic!("no {name}: {xml}")).0.to_owned()
}

/// Names the service, because the emulator routes by it. The value is no real signature.
fn signature(service: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=test")
}
