//! Payment providers that nobody has started.

use std::io;

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use payments::Http;

/// Refuses every connection.
#[derive(Debug)]
struct Nobody;

impl HttpConnector for Nobody {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        HttpConnectorFuture::ready(Err(ConnectorError::io(Box::new(refused))))
    }
}

/// Calls that reach nobody.
pub fn nobody() -> Http {
    Http::over(SharedHttpConnector::new(Nobody))
}
