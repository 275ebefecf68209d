//! The running stack as a test sees it: its API, its sign-in, and its tables to look into.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use test_shop::{Answered, Conformance};

pub(crate) use crate::answer::Answer;

/// The password of everybody on the local stack; never one of anybody's anywhere else.
pub(crate) const PASSWORD: &str = "Flash-Sale-1";

/// The stack that `target/local/stack.json` describes.
#[derive(Clone)]
pub(crate) struct Stack {
    description: Value,
    http: Client,
}

/// A client of the API, signed in or without a token.
#[derive(Clone)]
pub(crate) struct Person {
    stack: Stack,
    pub(crate) token: Option<String>,
    /// Sends requests to CloudFront, by its host name, instead of the API itself.
    is_at_the_edge: bool,
}

impl Stack {
    pub(crate) fn running() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/local/stack.json");
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| {
            panic!("no local stack ({file}: {error}). Start one with `cargo xtask up --detach`, or run `cargo xtask test`.")
        });
        let http = Client::builder().no_proxy().timeout(Duration::from_mins(2)).build().unwrap();
        Self { description: serde_json::from_str(&text).unwrap(), http }
    }

    fn told(&self, pointer: &str) -> &str {
        self.description.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("stack.json has no {pointer}"))
    }

    /// The emulator's process: the parent of every function's.
    pub(crate) fn pid(&self) -> u64 {
        self.description["pid"].as_u64().unwrap_or_else(|| panic!("stack.json has no pid"))
    }

    /// A call of one of the emulator's JSON services.
    pub(crate) async fn aws(&self, service: &str, target: &str, input: &Value) -> (StatusCode, Value) {
        let signature = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{}/{service}/aws4_request, SignedHeaders=host, Signature=test",
            self.told("/region")
        );
        let request = self
            .http
            .post(self.told("/endpoint_url"))
            .header("Authorization", signature)
            .header(
                "Content-Type",
                if service == "dynamodb" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" },
            )
            .header("X-Amz-Target", target)
            .body(input.to_string());
        let response = request.send().await.unwrap();
        (response.status(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn cognito(&self, operation: &str, input: &Value) -> Value {
        let (status, body) = self.aws("cognito-idp", &format!("AWSCognitoIdentityProviderService.{operation}"), input).await;
        assert!(status.is_success(), "{operation}: {status} {body}");
        body
    }

    async fn dynamodb(&self, operation: &str, input: &Value) -> Value {
        let (status, body) = self.aws("dynamodb", &format!("DynamoDB_20120810.{operation}"), input).await;
        assert!(status.is_success(), "{operation}: {status} {body}");
        body
    }

    /// What a test does to a fake provider, `stripe` or `paypal`.
    pub(crate) async fn fake(&self, provider: &str, path: &str, body: &Value) -> Value {
        let (status, text) = self.ask_fake(provider, path, body).await;
        assert!(status.is_success(), "{provider} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) async fn ask_fake(&self, provider: &str, path: &str, body: &Value) -> (StatusCode, String) {
        let url = format!("{}{path}", self.told(&format!("/{provider}_url")));
        let response = self.http.post(url).json(body).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Every payment at a fake provider.
    pub(crate) async fn fake_payments(&self, provider: &str) -> Vec<Value> {
        let url = format!("{}/_fake/payments", self.told(&format!("/{provider}_url")));
        let books: Value = serde_json::from_str(&self.http.get(url).send().await.unwrap().text().await.unwrap()).unwrap();
        books["payments"].as_array().unwrap().clone()
    }

    /// Lets a fake provider deliver its events to the stack, with these faults.
    pub(crate) async fn deliver_events(&self, provider: &str, faults: Value) {
        let secret = if provider == "stripe" { "whsec_test_local" } else { "paypal_webhook_local" };
        let mut webhooks = json!({"url": format!("{}/webhooks/{provider}", self.told("/api_url")), "secret": secret});
        webhooks.as_object_mut().unwrap().extend(faults.as_object().unwrap().clone());
        self.fake(provider, "/_fake/webhooks", &webhooks).await;
    }

    /// Signs a demo person in, with an ID token.
    pub(crate) async fn sign_in(&self, email: &str) -> Person {
        let tokens = self.tokens(email).await;
        self.with_token(tokens["IdToken"].as_str().unwrap_or_else(|| panic!("{email} cannot sign in: {tokens}")))
    }

    /// The tokens that a demo person gets. Operators have a user pool of their own.
    pub(crate) async fn tokens(&self, email: &str) -> Value {
        let client = if email == "ops@example.com" { "/operator_client_id" } else { "/client_id" };
        let parameters = json!({"USERNAME": email, "PASSWORD": PASSWORD});
        let input = json!({"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": self.told(client), "AuthParameters": parameters});
        self.cognito("InitiateAuth", &input).await["AuthenticationResult"].take()
    }

    pub(crate) async fn shopper(&self, number: u32) -> Person {
        self.sign_in(&format!("shopper-{number}@example.com")).await
    }

    /// A shopper who did not exist before.
    pub(crate) async fn new_shopper(&self) -> Person {
        let email = format!("{}@example.com", unique("crowd"));
        let pool = self.told("/user_pool_id");
        self.cognito("AdminCreateUser", &json!({"UserPoolId": pool, "Username": email, "MessageAction": "SUPPRESS"})).await;
        let password = json!({"UserPoolId": pool, "Username": email, "Password": PASSWORD, "Permanent": true});
        self.cognito("AdminSetUserPassword", &password).await;
        self.sign_in(&email).await
    }

    /// Makes a shopper and puts it into a group of the shoppers' pool that is called as one of the operators'.
    pub(crate) async fn sign_up_into_group(&self, email: &str, group: &str) {
        let pool = self.told("/user_pool_id");
        self.cognito("AdminCreateUser", &json!({"UserPoolId": pool, "Username": email, "MessageAction": "SUPPRESS"})).await;
        let password = json!({"UserPoolId": pool, "Username": email, "Password": PASSWORD, "Permanent": true});
        self.cognito("AdminSetUserPassword", &password).await;
        let name = "AWSCognitoIdentityProviderService.CreateGroup";
        let (status, body) = self.aws("cognito-idp", name, &json!({"UserPoolId": pool, "GroupName": group})).await;
        assert!(status.is_success() || body.to_string().contains("GroupExistsException"), "{body}");
        self.cognito("AdminAddUserToGroup", &json!({"UserPoolId": pool, "Username": email, "GroupName": group})).await;
    }

    /// How often a function was invoked. The emulator makes a log stream for each invocation.
    pub(crate) async fn invocations(&self, function: &str) -> usize {
        let (mut count, mut next) = (0, Value::Null);
        loop {
            let mut input = json!({"logGroupName": format!("/flash-sale-local/{function}"), "limit": 50});
            if !next.is_null() {
                input["nextToken"] = next;
            }
            let (status, mut answer) = self.aws("logs", "Logs_20140328.DescribeLogStreams", &input).await;
            assert!(status.is_success(), "{answer}");
            count += answer["logStreams"].as_array().map_or(0, Vec::len);
            next = answer["nextToken"].take();
            if next.is_null() {
                return count;
            }
        }
    }

    pub(crate) fn nobody(&self) -> Person {
        Person { stack: self.clone(), token: None, is_at_the_edge: false }
    }

    pub(crate) fn with_token(&self, token: &str) -> Person {
        Person { stack: self.clone(), token: Some(token.to_owned()), is_at_the_edge: false }
    }

    /// Makes a sale that is open, as the operator, and gives its product id.
    pub(crate) async fn sale(&self, name: &str, changes: Value) -> String {
        let product = unique(name);
        let now = now();
        let mut sale = json!({
            "name": name, "price": {"amount_minor": 99_900, "currency": "USD"}, "units": 5, "hold_seconds": 300,
            "starts_at": now - jiff::SignedDuration::from_secs(60), "ends_at": now + jiff::SignedDuration::from_hours(1),
        });
        sale.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let operator = self.sign_in("ops@example.com").await;
        operator.put(&format!("/admin/flash-sales/{product}"), &sale).await.expect(201);
        product
    }

    /// Every item of a table whose partition key begins with `prefix`.
    async fn items(&self, table: &str, prefix: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut input = json!({
                "TableName": self.told(&format!("/tables/{table}")), "ConsistentRead": true,
                "FilterExpression": "begins_with(pk, :prefix)", "ExpressionAttributeValues": {":prefix": {"S": prefix}},
            });
            if !start.is_null() {
                input["ExclusiveStartKey"] = start;
            }
            let mut answer = self.dynamodb("Scan", &input).await;
            items.extend(answer["Items"].as_array().cloned().unwrap_or_default());
            start = answer["LastEvaluatedKey"].take();
            if start.is_null() {
                return items;
            }
        }
    }

    /// The units of a sale: available, held and sold, summed over its shards. Fails when a shard does not add up.
    pub(crate) async fn units(&self, product: &str) -> Units {
        let mut all = Units::default();
        for shard in self.items("stock", &format!("SHARD#{product}#")).await {
            let units =
                |map: &str| -> u64 { shard[map]["M"].as_object().unwrap().values().map(|entry| number(&entry["M"]["q"])).sum() };
            let (available, held, sold) = (number(&shard["available"]), units("held"), units("sold"));
            assert_eq!(available + held + sold, number(&shard["capacity"]), "{shard}");
            all = Units { available: all.available + available, held: all.held + held, sold: all.sold + sold };
        }
        all
    }

    /// What the sandbox gateways have charged and given back for one order or, with a product's prefix, for many.
    pub(crate) async fn books(&self, orders: &str) -> Books {
        let mut books = Books::default();
        for item in self.items("order", &format!("ORDER#{orders}")).await {
            if item["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("SANDBOX#")) {
                let (charges, refunds) = (number(&item["charges"]), number(&item["refunds"]));
                assert!(charges <= 1 && refunds <= charges, "{item}");
                books = Books { charges: books.charges + charges, refunds: books.refunds + refunds };
            }
        }
        books
    }

    /// Messages in the dead-letter queues and the stream failures queue: nothing may end there unnoticed.
    pub(crate) async fn dead_letters(&self) -> u64 {
        let mut dead = 0;
        for queue in ["orders_dead_letter", "expiry_dead_letter", "payment_events_dead_letter", "stream_failures"] {
            dead += self.messages_in(queue).await;
        }
        dead
    }

    /// Messages in the dead-letter queue of a queue.
    pub(crate) async fn dead_letters_of(&self, queue: &str) -> u64 {
        self.messages_in(&format!("{queue}_dead_letter")).await
    }

    async fn messages_in(&self, queue: &str) -> u64 {
        let count = self.queue_attribute(queue, "ApproximateNumberOfMessages").await;
        count.parse().unwrap_or_else(|error| panic!("{queue}: {error}: {count}"))
    }

    async fn queue_attribute(&self, queue: &str, name: &str) -> String {
        let answer = self.sqs("GetQueueAttributes", queue, json!({"AttributeNames": [name]})).await;
        answer["Attributes"][name].as_str().unwrap_or_else(|| panic!("{queue} has no {name}: {answer}")).to_owned()
    }

    /// An operation on a queue by its name in `stack.json`.
    async fn sqs(&self, operation: &str, queue: &str, mut input: Value) -> Value {
        input["QueueUrl"] = self.told(&format!("/{queue}_queue_url")).into();
        let (status, answer) = self.aws("sqs", &format!("AmazonSQS.{operation}"), &input).await;
        assert!(status.is_success(), "{operation} {queue}: {answer}");
        answer
    }

    /// Sends a message that is not one of ours.
    pub(crate) async fn send(&self, queue: &str, body: &str) {
        self.sqs("SendMessage", queue, json!({"MessageBody": body})).await;
    }

    /// Takes some messages of a queue: their bodies, which are JSON. They do not come again.
    pub(crate) async fn receive(&self, queue: &str) -> Vec<Value> {
        let mut answer = self.sqs("ReceiveMessage", queue, json!({"MaxNumberOfMessages": 10, "WaitTimeSeconds": 1})).await;
        let messages = answer["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default();
        for message in &messages {
            self.sqs("DeleteMessage", queue, json!({"ReceiptHandle": message["ReceiptHandle"]})).await;
        }
        messages.iter().map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()).collect()
    }

    /// Has messages of a queue that were not handled come again after so many seconds. Answers with how many it was before.
    pub(crate) async fn make_visible_after(&self, queue: &str, seconds: &str) -> String {
        let before = self.queue_attribute(queue, "VisibilityTimeout").await;
        self.sqs("SetQueueAttributes", queue, json!({"Attributes": {"VisibilityTimeout": seconds}})).await;
        before
    }

    /// Empties the dead-letter queue of a queue.
    pub(crate) async fn forget_dead_letters(&self, queue: &str) {
        self.sqs("PurgeQueue", &format!("{queue}_dead_letter"), json!({})).await;
    }

    /// How many orders of a sale have each status.
    pub(crate) async fn order_statuses(&self, product: &str) -> BTreeMap<String, usize> {
        let mut statuses = BTreeMap::new();
        for item in self.items("order", &format!("ORDER#{product}.")).await {
            if item["sk"]["S"] == "ORDER" {
                *statuses.entry(item["status"]["S"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        statuses
    }
}

/// Units of a sale.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Units {
    pub(crate) available: u64,
    pub(crate) held: u64,
    pub(crate) sold: u64,
}

/// The emulator's own answer when the function's process died. AWS answers with the gateway response `INTEGRATION_FAILURE`.
const FUNCTION_DIED: u16 = 502;

/// Charges and refunds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) charges: u64,
    pub(crate) refunds: u64,
}

impl Person {
    /// The same person, whose requests go through CloudFront.
    pub(crate) fn at_the_edge(&self) -> Self {
        Self { is_at_the_edge: true, ..self.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// Reads what the `Location` of an answer names.
    pub(crate) async fn follow(&self, answer: &Answer) -> Answer {
        let location = answer.location.as_deref().unwrap_or_else(|| panic!("no location: {answer:?}"));
        let path = location.strip_prefix(self.stack.told("/api_url")).unwrap_or_else(|| panic!("{location} leaves the API"));
        self.get(path).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(body.to_string())).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string())).await
    }

    /// Sends a request. Panics when the contract does not describe the answer of the product.
    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let base = self.stack.told(if self.is_at_the_edge { "/endpoint_url" } else { "/api_url" });
        let mut request = self.stack.http.request(method.clone(), format!("{base}{path}"));
        if self.is_at_the_edge {
            // CloudFront takes TLS only; this header tells the emulator of one in front of it.
            request = request.header("Host", self.stack.told("/edge_host")).header("X-Forwarded-Proto", "https");
        }
        let method = method.to_string();
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            let named = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            request = if named { request } else { request.header("Content-Type", "application/json") }.body(body);
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.unwrap();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let location = header("location").map(|location| response.url().join(&location).unwrap().to_string());
        let is_of_the_gate = header("x-cache").is_some_and(|by| by.starts_with("FunctionGeneratedResponse"));
        let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.collect();
        let rate_limit = header("ratelimit-policy").zip(header("ratelimit"));
        let next = header("link").and_then(|link| Some(link.strip_prefix("<?")?.split_once('>')?.0.to_owned()));
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        let (contract, path) = (Conformance::of_the_contract(), path.split('?').next().unwrap_or_default());
        if status != FUNCTION_DIED && contract.has_route(&method, path) {
            let faults = contract.faults(&method, path, &Answered { status, headers, body: text.clone() });
            assert!(faults.is_empty(), "{}", faults.join("\n"));
        }
        Answer { status, retry_after, location, rate_limit, is_of_the_gate, body, raw: text, next }
    }

    /// Reserves one unit, and again while the answer is to try again.
    pub(crate) async fn reserve(&self, product: &str) -> Answer {
        let body = json!({"product_id": product});
        eventually("an answer to a reservation", Duration::from_mins(2), async || {
            let answer = self.post("/reserve-inventory", &body).await;
            (answer.status != 503).then_some(answer)
        })
        .await
    }

    /// Checks a reservation out.
    pub(crate) async fn check_out(&self, reservation: &str, method: &str) -> Answer {
        self.post("/checkout", &checkout(reservation, method)).await
    }

    /// Reserves a unit and checks it out; gives the order's id.
    pub(crate) async fn order(&self, product: &str, method: &str) -> String {
        let reserved = self.reserve(product).await.expect(201);
        let answer = self.check_out(reserved.text("reservation_id"), method).await.expect(202);
        answer.text("order_id").to_owned()
    }

    /// The order once its status is `status`.
    pub(crate) async fn order_becomes(&self, order: &str, status: &str) -> Answer {
        eventually(&format!("order {order} {status}"), Duration::from_mins(2), async || {
            let answer = self.get(&format!("/orders/{order}")).await.expect(200);
            (answer.text("order_status") == status).then_some(answer)
        })
        .await
    }
}

/// A checkout's body.
pub(crate) fn checkout(reservation: &str, method: &str) -> Value {
    let address = json!({"address_line1": "1 Infinite Loop", "city": "Cupertino", "postal_code": "95014", "country": "US"});
    json!({"cart_id": reservation, "payment_method": method, "shipping_address": address})
}

/// Waits for a condition, at most `bound`.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, bound: Duration, mut look: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < bound, "no {what} within {bound:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The time of this machine, which the stack shares.
pub(crate) fn now() -> jiff::Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    jiff::Timestamp::from_millisecond(i64::try_from(now.as_millis()).unwrap()).unwrap()
}

fn number(attribute: &Value) -> u64 {
    attribute["N"].as_str().map_or(0, |text| text.parse().unwrap())
}

/// A name that no other test and no earlier run has used.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (now, count) = (now().as_millisecond(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("{name}-{now}-{count}")
}
