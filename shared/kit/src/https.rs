//! Documents that are fetched over HTTPS: bounded in time and size, never from a cache, and without following redirects. It runs on
//! the stack that the AWS clients link already (hyper, rustls, aws-lc).

use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

/// As for AWS and payment providers: the kernel sends a lost SYN again after a second.
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);

/// Fetches documents.
#[derive(Debug, Clone)]
pub struct Https(SharedHttpConnector);

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is none.
    #[error("{0:?} is no address")]
    Address(String),
    /// The whole document did not arrive in time.
    #[error("the document did not arrive in time")]
    Late,
    /// There was no connection, or it broke off.
    #[error("the document could not be fetched")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server answered, but not 200.
    #[error("the answer is {0}")]
    Status(u16),
    /// The document is too large, or breaks off.
    #[error("the document is too large or breaks off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Https {
    /// Calls over the network.
    #[must_use]
    pub fn deployed() -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECTS_WITHIN).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc));
        Self::over(SharedHttpConnector::new(connector.build()))
    }

    /// Calls through `connector`, which may be a function in this process.
    #[must_use]
    pub fn over(connector: SharedHttpConnector) -> Self {
        Self(connector)
    }

    /// The document at `url`, of at most `largest` bytes, if all of it arrives `within` this time. The timer is tokio's, so tests
    /// may pause it.
    ///
    /// # Errors
    /// Why there is no document; see [`FetchError`].
    pub async fn get(&self, url: &str, largest: usize, within: Duration) -> Result<Vec<u8>, FetchError> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(url.to_owned()).map_err(|_| FetchError::Address(url.to_owned()))?;
        timeout(within, self.fetch(request, largest)).await.unwrap_or(Err(FetchError::Late))
    }

    async fn fetch(&self, request: HttpRequest, largest: usize) -> Result<Vec<u8>, FetchError> {
        let response = self.0.call(request).await.map_err(|error| FetchError::Connection(error.into()))?;
        match response.status().as_u16() {
            200 => {
                let body = Limited::new(response.into_body(), largest).collect().await.map_err(FetchError::Body)?;
                Ok(body.to_bytes().to_vec())
            }
            status => Err(FetchError::Status(status)),
        }
    }
}
