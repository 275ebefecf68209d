//! One call to a payment provider over HTTP: bounded in time and size, never repeated. Its outcome says whether the
//! request can have arrived. It runs on the stack that the AWS clients link already (hyper, rustls, aws-lc).

use std::{error::Error, fmt, io, time::Duration};

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::HttpRequest,
        result::ConnectorError,
    },
    http::{Headers, HttpError},
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};

/// How long TCP and TLS handshakes may take. As for AWS: the kernel sends a lost SYN again after a second, and a call that
/// never connected is certain to have had no effect.
const PROVIDER_CONNECTS_WITHIN: Duration = Duration::from_secs(1);
/// How long a call may take, from its first byte to the last of its answer. As for AWS, and below the 5 s for which a task
/// of the saga may keep a connection. An answer that comes later is not lost: the saga looks the payment up.
const PROVIDER_ANSWERS_WITHIN: Duration = Duration::from_secs(4);
/// How long a connection stays open for the next call. The calls of one task share it; a connection that Lambda froze
/// between two invocations would fail without saying whether the request arrived.
const CONNECTION_IDLES_AT_MOST: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes. The objects of both providers have a few kilobytes.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// A text that must not be printed or logged: a key, a token, a client secret.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for a request or for the shopper whom it belongs to.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a call's outcome says about the effect of this one request. It says nothing about an earlier request with the same
/// idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The request changed nothing and never will: it was not sent, or the provider refused to act on it.
    NoEffect,
    /// The provider acted on the request and it failed: no money moved or was reserved.
    Failed,
    /// The request may have had its effect, or may have it later.
    Unknown,
}

/// A request to a provider. Its `Debug` shows neither headers nor body.
#[derive(Clone)]
pub(crate) struct Request {
    method: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Request {
    pub(crate) fn get(url: String) -> Self {
        Self { method: "GET", url, headers: Vec::new(), body: None }
    }

    /// A POST of `body`, which is of the type `content_type`.
    pub(crate) fn post(url: String, content_type: &str, body: String) -> Self {
        Self { method: "POST", url, headers: vec![("content-type", content_type.to_owned())], body: Some(body) }
    }

    pub(crate) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }

    fn into_http(self) -> Result<HttpRequest, HttpError> {
        let mut request = HttpRequest::new(self.body.map_or_else(SdkBody::empty, SdkBody::from));
        request.set_method(self.method)?;
        request.set_uri(self.url)?;
        for (name, value) in self.headers {
            request.headers_mut().try_insert(name, value)?;
        }
        Ok(request)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// The outcome of a call.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The provider answered, with any status.
    Answered(Answer),
    /// The request certainly did not arrive: there was no connection.
    NotSent,
    /// The request was sent, and no whole answer came back in time. It may have been acted on.
    NoAnswer,
}

/// A provider's answer. Its `Debug` shows only the status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Headers,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON of this form.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body)
            .inspect_err(|error| {
                // Serde's message may quote the body; its class and place do not.
                let (class, line, column) = (error.classify(), error.line(), error.column());
                tracing::warn!(status = self.status, ?class, line, column, "a provider's answer cannot be read");
            })
            .ok()
    }

    /// The wait that the provider asks for, in seconds; `None` if it names none or a date.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        self.headers.get("retry-after")?.trim().parse().ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.status)
    }
}

/// The moment at which a call that begins now gives up.
pub(crate) fn deadline() -> Instant {
    Instant::now() + PROVIDER_ANSWERS_WITHIN
}

/// Makes calls to providers.
#[derive(Debug, Clone)]
pub struct Http(SharedHttpConnector);

impl Http {
    /// Calls over the network: HTTPS, and HTTP for a provider on the local stack. Trusts the system's root certificates.
    #[must_use]
    pub fn deployed() -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(PROVIDER_CONNECTS_WITHIN).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .pool_idle_timeout(CONNECTION_IDLES_AT_MOST)
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc));
        Self::over(SharedHttpConnector::new(connector.build()))
    }

    /// Calls through `connector`, which may be a function in this process. Such a connector says that a request was not sent
    /// by an error whose chain has an [`io::Error`] of the kind `ConnectionRefused`.
    #[must_use]
    pub fn over(connector: SharedHttpConnector) -> Self {
        Self(connector)
    }

    /// Sends `request` once and waits for the answer until `deadline`. The timer is tokio's, so tests may pause it.
    pub(crate) async fn call(&self, request: Request, deadline: Instant) -> Reply {
        let told = format!("{request:?}");
        if Instant::now() >= deadline {
            return Reply::NotSent;
        }
        let request = match request.into_http() {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(request = told, error = %error, "a request to a provider cannot be written");
                return Reply::NotSent;
            }
        };
        timeout_at(deadline, self.exchange(request, &told)).await.unwrap_or_else(|_| {
            tracing::warn!(request = told, "a provider did not answer in time");
            Reply::NoAnswer
        })
    }

    async fn exchange(&self, request: HttpRequest, told: &str) -> Reply {
        let response = match self.0.call(request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(request = told, error = %error, cause = ?error, "a provider could not be called");
                return if never_connected(&error) { Reply::NotSent } else { Reply::NoAnswer };
            }
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        match Limited::new(response.into_body(), LARGEST_ANSWER).collect().await {
            Ok(body) => Reply::Answered(Answer { status, headers, body: body.to_bytes().to_vec() }),
            Err(error) => {
                tracing::warn!(request = told, status, error = %error, "a provider's answer broke off or is too large");
                Reply::NoAnswer
            }
        }
    }
}

/// Whether the call failed before there was a connection: name resolution, TCP or TLS.
fn never_connected(error: &ConnectorError) -> bool {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source()).any(|error| {
        error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
            || error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    })
}

#[cfg(test)]
mod tests;
