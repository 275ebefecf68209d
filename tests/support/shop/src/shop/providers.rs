//! Payment providers in this process, and none at all.

use std::{
    fmt, io,
    sync::{Arc, Mutex},
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use domain::Clock;
use payments::Http;
use test_aws::FixedClock;
use test_provider::{Answer, Provider};

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

/// Calls to `fake`, which reads the time from `clock`.
pub fn calls_to<F: Provider + 'static>(fake: &Arc<Mutex<F>>, clock: &FixedClock) -> Http {
    Http::over(SharedHttpConnector::new(Wire(Arc::clone(fake), clock.clone())))
}

/// The connection between a gateway and a fake provider.
struct Wire<F>(Arc<Mutex<F>>, FixedClock);

impl<F> fmt::Debug for Wire<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl<F: Provider + 'static> HttpConnector for Wire<F> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.lock().unwrap().answer(&request_to_fake(&request), self.1.now());
        HttpConnectorFuture::new(async move {
            match answer {
                Answer::Now(response) => Ok(answer_of_fake(response)),
                Answer::Late(wait, response) => {
                    tokio::time::sleep(wait).await;
                    Ok(answer_of_fake(response))
                }
                Answer::Lost => Err(ConnectorError::io(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)))),
            }
        })
    }
}

/// A request as a fake provider reads it.
pub fn request_to_fake(request: &HttpRequest) -> http::Request<Vec<u8>> {
    let body = request.body().bytes().unwrap_or_default().to_vec();
    let mut http = http::Request::builder().method(request.method()).uri(request.uri());
    for (name, value) in request.headers() {
        http = http.header(name, value);
    }
    http.body(body).unwrap()
}

/// The answer of a fake provider as a gateway reads it.
pub fn answer_of_fake(response: http::Response<Vec<u8>>) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let mut answer = HttpResponse::new(parts.status.as_u16().try_into().unwrap(), SdkBody::from(body));
    for (name, value) in &parts.headers {
        answer.headers_mut().insert(name.as_str().to_owned(), value.to_str().unwrap().to_owned());
    }
    answer
}
