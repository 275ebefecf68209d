//! The wire under the AWS clients. Every request takes a little time, so that everything interleaves. Here requests and
//! answers get lost, services are busy, and functions die. The wire passes requests to the services and answers to the
//! clients, and writes nothing itself.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Weak},
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use test_aws::form_field;

use crate::{
    checks::{self, mutations},
    faults::Fault,
    services::{
        environments::{self, Invocation},
        providers, tables,
    },
    world::World,
};

/// Milliseconds within which a request takes effect after it was sent.
pub(super) const MOST_LATE: u64 = 3_000;
/// Milliseconds that a request takes at most if it is not late.
pub(super) const SLOWEST: u64 = 400;

/// A wire to one world.
#[derive(Clone)]
pub(crate) struct Wire(Weak<World>);

impl Wire {
    /// The wire to `world`.
    pub(crate) fn to(world: &Weak<World>) -> Self {
        Self(Weak::clone(world))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = self.0.upgrade().expect("a world outlives its requests");
        HttpConnectorFuture::new(async move {
            let request = Asked::of(&request);
            match environments::current() {
                Some(invocation) => on_the_way(&world, &invocation, request).await,
                // The simulation itself makes this request: it is not part of the history.
                None => Ok(response(&serve(&world, &Invocation::of_the_simulation(), false, &request))),
            }
        })
    }
}

/// A request as a service reads it.
struct Asked {
    service: Service,
    operation: String,
    body: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    DynamoDb,
    Sqs,
    StepFunctions,
    Sns,
    SecretsManager,
    EventBridge,
}

impl Asked {
    fn of(request: &HttpRequest) -> Self {
        let bytes = request.body().bytes().unwrap_or_default();
        // JSON services name the operation in a header, SNS in the form in its body.
        let Some(target) = request.headers().get("x-amz-target") else {
            let message = form_field(bytes, "Message").unwrap_or_default();
            return Self { service: Service::Sns, operation: "Publish".to_owned(), body: Value::from(message) };
        };
        let (service, operation) = target.split_once('.').expect("a target names its operation");
        let service = match service {
            "DynamoDB_20120810" => Service::DynamoDb,
            "AmazonSQS" => Service::Sqs,
            "AWSStepFunctions" => Service::StepFunctions,
            "secretsmanager" => Service::SecretsManager,
            "AWSEvents" => Service::EventBridge,
            other => panic!("the simulation does not know {other}"),
        };
        Self { service, operation: operation.to_owned(), body: serde_json::from_slice(bytes).expect("a request is JSON") }
    }

    fn about(&self) -> String {
        match self.service {
            Service::DynamoDb => tables::about(&self.operation, &self.body),
            Service::Sqs => {
                let alone = std::slice::from_ref(&self.body);
                let messages = self.body["Entries"].as_array().map_or(alone, Vec::as_slice);
                let bodies: Vec<&str> = messages.iter().filter_map(|message| message["MessageBody"].as_str()).collect();
                format!("{} {}", self.body["QueueUrl"].as_str().unwrap_or_default(), bodies.join(" "))
            }
            Service::StepFunctions => {
                let name = self.body["name"].as_str().or_else(|| self.body["executionArn"].as_str()?.rsplit(':').next());
                name.unwrap_or_default().to_owned()
            }
            Service::Sns => self.body.as_str().unwrap_or_default().to_owned(),
            Service::SecretsManager => self.body["SecretId"].as_str().unwrap_or_default().to_owned(),
            Service::EventBridge => {
                let entries = self.body["Entries"].as_array().into_iter().flatten();
                entries.filter_map(|entry| entry["Detail"].as_str()).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// Whether the request writes only items that can be in a transaction, as shards never are.
    fn may_conflict(&self) -> bool {
        let keys = tables::written(&self.operation, &self.body);
        self.service == Service::DynamoDb && !keys.is_empty() && keys.iter().all(|key| !key.pk.starts_with("SHARD#"))
    }
}

/// Status and body of an answer.
type Answer = (u16, String);

/// Carries a function's request.
async fn on_the_way(world: &Arc<World>, caller: &Arc<Invocation>, request: Asked) -> Result<HttpResponse, ConnectorError> {
    world.step();
    let line = |what: &str| format!("{caller} {} {}: {what}", request.operation, request.about());
    latency(world).await;
    let strikes = |fault| world.strikes_request_of(caller.function, fault);
    if world.chance.happens(0.5) && strikes(Fault::Kill) {
        world.note(|| line("killed before it"));
        return dead(caller).await;
    }
    if strikes(Fault::RequestLost) {
        world.note(|| line("lost"));
        return lost(world).await;
    }
    if strikes(Fault::Throttling) {
        world.note(|| line("throttled"));
        return Ok(response(&(400, json!({"__type": "ThrottlingException", "message": "slow down"}).to_string())));
    }
    if request.may_conflict() && strikes(Fault::TransactionConflict) {
        world.note(|| line("in conflict"));
        return Ok(response(&conflict(&request)));
    }
    if strikes(Fault::RequestLate) {
        world.note(|| line("on its way for long"));
        return late(world, caller, request).await;
    }
    let answer = serve(world, caller, false, &request);
    world.note(|| line(&brief(&answer)));
    if world.chance.happens(0.5) && strikes(Fault::Kill) {
        world.note(|| line("killed after it"));
        return dead(caller).await;
    }
    if strikes(Fault::AnswerLost) {
        world.note(|| line("answer lost"));
        return lost(world).await;
    }
    latency(world).await;
    Ok(response(&answer))
}

/// Delivers the request after seconds, even if its caller has given up, asked again, or died.
async fn late(world: &Arc<World>, caller: &Arc<Invocation>, request: Asked) -> Result<HttpResponse, ConnectorError> {
    let (again, sender) = (Arc::clone(world), Arc::clone(caller));
    let answer = world.spawn(async move {
        again.pause(500, MOST_LATE - SLOWEST).await;
        let answer = serve(&again, &sender, true, &request);
        again.note(|| format!("{sender} {} {}, late: {}", request.operation, request.about(), brief(&answer)));
        answer
    });
    if world.chance.happens(0.5) && world.strikes_request_of(caller.function, Fault::Kill) {
        world.note(|| format!("{caller} killed meanwhile"));
        return dead(caller).await;
    }
    match answer.await {
        Ok(answer) => Ok(response(&answer)),
        // The history ends.
        Err(_) => std::future::pending().await,
    }
}

/// Ends the caller's process.
pub(super) async fn dead(caller: &Invocation) -> Result<HttpResponse, ConnectorError> {
    caller.die();
    std::future::pending().await
}

/// Mostly short, sometimes long.
pub(super) async fn latency(world: &World) {
    if world.chance.happens(0.1) { world.pause(50, SLOWEST).await } else { world.pause(1, 12).await }
}

/// The connection breaks, or stays silent until the SDK gives up.
async fn lost(world: &World) -> Result<HttpResponse, ConnectorError> {
    if world.chance.happens(0.3) {
        return std::future::pending().await;
    }
    latency(world).await;
    Err(ConnectorError::io("lost on the way".into()))
}

fn conflict(request: &Asked) -> Answer {
    let body = if request.operation == "TransactWriteItems" {
        let reason = json!({"Code": "TransactionConflict", "Message": "in conflict"});
        let reasons: Vec<Value> = request.body["TransactItems"].as_array().unwrap().iter().map(|_| reason.clone()).collect();
        json!({"__type": "TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons})
    } else {
        json!({"__type": "TransactionConflictException", "message": "in conflict"})
    };
    (400, body.to_string())
}

/// The body with which a request arrives: a deliberate bug may have altered it.
fn altered<'r>(world: &World, caller: &Invocation, request: &'r Asked) -> Cow<'r, Value> {
    let (function, operation, body) = (caller.function, request.operation.as_str(), &request.body);
    let on_the_way = mutations::Request { function, operation, body, number: world.steps() };
    world.mutation.and_then(|mutation| mutation.alter(&on_the_way)).map_or(Cow::Borrowed(body), Cow::Owned)
}

fn serve(world: &Arc<World>, caller: &Invocation, is_late: bool, request: &Asked) -> Answer {
    match request.service {
        Service::DynamoDb => {
            let body = altered(world, caller, request);
            let answer = world.tables.serve(tables::Sender { invocation: caller.number, is_late }, &request.operation, &body);
            if !tables::written(&request.operation, &body).is_empty() {
                world.check();
            }
            answer
        }
        Service::Sqs => world.queues.serve(world, &request.operation, &altered(world, caller, request)),
        Service::StepFunctions => world.executions.serve(world, &request.operation, &request.body),
        Service::SecretsManager => providers::serve_secret(&request.body),
        Service::EventBridge => world.bus.serve(world, &request.operation, &request.body),
        Service::Sns => {
            let notice: Value = serde_json::from_str(request.body.as_str().unwrap_or_default()).expect("a notice is JSON");
            let text = |member: &str| notice[member].as_str().unwrap_or_default().to_owned();
            if text("message") == "order-refunded" {
                let confirmed = world.tables.look(|items| checks::refunds::confirmed(items, &text("order_id")));
                world.promises.lock().unwrap().refunds_told.insert(text("order_id"), confirmed);
            }
            world.promises.lock().unwrap().told.insert((text("order_id"), text("message")));
            let result = "<PublishResult><MessageId>1</MessageId></PublishResult>";
            (200, format!("<PublishResponse>{result}</PublishResponse>"))
        }
    }
}

/// An answer as the history shows it: `200`, or the error's code.
fn brief((status, body): &Answer) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let code = body["__type"].as_str().map(|code| code.rsplit('#').next().unwrap_or(code));
    let reasons = body["CancellationReasons"].as_array().into_iter().flatten().map(|reason| reason["Code"].as_str());
    let reasons: Vec<&str> = reasons.flatten().collect();
    match (code, reasons.is_empty()) {
        (Some(code), true) => format!("{status} {code}"),
        (Some(code), false) => format!("{status} {code} {}", reasons.join(",")),
        (None, _) => status.to_string(),
    }
}

fn response((status, body): &Answer) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(*status).unwrap(), SdkBody::from(body.clone()))
}
