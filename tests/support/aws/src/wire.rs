//! The wire under the real AWS clients: HTTP on the loopback interface, or a function in this process. It can lose
//! requests and answers.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use crate::{
    calls::{Calls, Fault},
    edge_store,
};

/// A service in this process: maps the operation and the request's body to a status and a body.
pub(crate) type Service = Arc<dyn Fn(&str, &[u8]) -> (u16, String) + Send + Sync>;

/// A service in this process that reads whole requests.
pub(crate) type RestService = Arc<dyn Fn(&HttpRequest) -> HttpResponse + Send + Sync>;

/// The other end of the wire.
#[derive(Clone)]
pub(crate) enum Wire {
    /// A server.
    Http(SharedHttpClient, Calls),
    /// A function.
    InProcess(Service, Calls),
    /// A function of whole requests.
    Rest(RestService, Calls),
}

impl Wire {
    pub(crate) fn http(calls: &Calls) -> Self {
        Self::Http(aws_smithy_http_client::Builder::new().build_http(), calls.clone())
    }

    pub(crate) fn in_process(service: Service, calls: &Calls) -> Self {
        Self::InProcess(service, calls.clone())
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(match self {
            Self::Http(client, calls) => Connector::Http(client.http_connector(settings, components), calls.clone()),
            Self::InProcess(service, calls) => Connector::InProcess(Arc::clone(service), calls.clone()),
            Self::Rest(service, calls) => Connector::Rest(Arc::clone(service), calls.clone()),
        })
    }
}

#[derive(Clone)]
enum Connector {
    Http(SharedHttpConnector, Calls),
    InProcess(Service, Calls),
    Rest(RestService, Calls),
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl Connector {
    fn calls(&self) -> &Calls {
        let (Self::Http(_, calls) | Self::InProcess(_, calls) | Self::Rest(_, calls)) = self;
        calls
    }

    fn deliver(&self, operation: &str, request: HttpRequest) -> HttpConnectorFuture {
        match self {
            Self::Http(server, _) => server.call(request),
            Self::InProcess(service, _) => {
                let (status, body) = service(operation, request.body().bytes().unwrap_or_default());
                HttpConnectorFuture::ready(Ok(answer(status, body)))
            }
            Self::Rest(service, _) => HttpConnectorFuture::ready(Ok(service(&request))),
        }
    }

    fn deliver_or_fail(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = operation(&request);
        match self.calls().take_fault(&operation, request.body().bytes().unwrap_or_default()) {
            None => self.deliver(&operation, request),
            Some(Fault::LostRequest) => HttpConnectorFuture::ready(Err(lost())),
            Some(Fault::LostAnswer) => {
                let delivered = self.deliver(&operation, request);
                HttpConnectorFuture::new(async move { delivered.await.and(Err(lost())) })
            }
            Some(Fault::Throttled) => error(400, "ThrottlingException"),
            Some(Fault::ServerError) => error(500, "InternalServerError"),
            Some(Fault::Denied) => error(400, "AccessDeniedException"),
        }
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(pause) = self.calls().take_pause() else { return self.deliver_or_fail(request) };
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            pause.wait().await;
            connector.deliver_or_fail(request).await
        })
    }
}

fn lost() -> ConnectorError {
    ConnectorError::io("the test lost it on the way".into())
}

fn error(status: u16, code: &str) -> HttpConnectorFuture {
    let body = json!({"__type": code, "message": "the test says so"});
    HttpConnectorFuture::ready(Ok(answer(status, body.to_string())))
}

pub(crate) fn answer(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}

/// JSON services name the operation in a header, SNS in the form in its body, and the KeyValueStore by method and path.
fn operation(request: &HttpRequest) -> String {
    match request.headers().get("x-amz-target") {
        None if request.uri().contains("/key-value-stores/") => edge_store::operation(request).to_owned(),
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => form_field(request.body().bytes().unwrap_or_default(), "Action").unwrap_or_default(),
    }
}

/// A field of an `application/x-www-form-urlencoded` body.
pub fn form_field(body: &[u8], name: &str) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    let value = body.split('&').filter_map(|field| field.split_once('=')).find(|(field, _)| *field == name)?.1;
    let mut decoded = Vec::new();
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// The configuration of every client in tests. Retries are as in production, but without waiting.
macro_rules! client {
    ($sdk:ident, $wire:expr, $calls:expr, $endpoint:expr) => {{
        use $sdk::config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig};
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(std::time::Duration::from_millis(1))
            .with_max_backoff(std::time::Duration::from_millis(2));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
            .endpoint_url($endpoint)
            .retry_config(retries)
            .http_client(aws_smithy_runtime_api::client::http::SharedHttpClient::new($wire))
            .interceptor($calls.clone())
            .build();
        $sdk::Client::from_conf(config)
    }};
}
pub(crate) use client;

/// The address of a service in this process; it is never resolved.
pub(crate) const NOWHERE: &str = "http://in-process.invalid";
