//! A provider in this process for the tests of the clients: it answers from a script and keeps what it was asked.

use std::{
    collections::VecDeque,
    fmt, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use domain::GatewayName;
use futures_util::future::{self, BoxFuture};
use serde_json::Value;

use crate::{
    SecretStore,
    http::{Http, Secret},
};

/// A store whose secret an operator replaces.
pub(crate) struct Replaced(Mutex<String>);

impl Replaced {
    pub(crate) fn with(secret: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(secret.to_owned())))
    }

    pub(crate) fn by(&self, secret: &str) {
        secret.clone_into(&mut self.0.lock().unwrap());
    }
}

impl SecretStore for Replaced {
    fn read<'a>(&'a self, _account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(future::ready(Some(Secret::new(self.0.lock().unwrap().clone()))))
    }
}

/// What happens to the next request.
pub(crate) enum Next {
    /// It is answered with this status, these headers and this body.
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// As `Answer`, after a while.
    After(Duration, u16, String),
    /// The connection is refused.
    Refused,
    /// The connection breaks after the request was sent.
    Broken,
    /// Nothing comes back.
    Silence,
}

impl Next {
    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, vec![("content-type", "application/json")], body.to_string())
    }
}

/// A request as the provider read it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    next: VecDeque<Next>,
    asked: Vec<Asked>,
}

/// The provider. A request without a next line in its script is a failure of the test.
#[derive(Clone, Default)]
pub(crate) struct Provider(Arc<Mutex<State>>);

impl Provider {
    pub(crate) fn that(script: impl IntoIterator<Item = Next>) -> Self {
        let state = State { next: script.into_iter().collect(), asked: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn http(&self) -> Http {
        Http::over(SharedHttpConnector::new(self.clone()))
    }

    /// What it was asked so far, the first request first.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.lock().unwrap().asked.clone()
    }

    /// The only request so far.
    pub(crate) fn asked_once(&self) -> Asked {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}

impl HttpConnector for Provider {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = Asked {
            line: format!("{} {}", request.method(), request.uri()),
            headers: request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap(),
        };
        let next = {
            let mut state = self.0.lock().unwrap();
            let next = state.next.pop_front().unwrap_or_else(|| panic!("{} was not expected", asked.line));
            state.asked.push(asked);
            next
        };
        HttpConnectorFuture::new(async move {
            match next {
                Next::Answer(status, headers, body) => Ok(answer(status, headers, body)),
                Next::After(time, status, body) => {
                    tokio::time::sleep(time).await;
                    Ok(answer(status, Vec::new(), body))
                }
                Next::Refused => Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into())),
                Next::Broken => Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())),
                Next::Silence => std::future::pending().await,
            }
        })
    }
}

fn answer(status: u16, headers: Vec<(&'static str, &'static str)>, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
    for (name, value) in headers {
        response.headers_mut().insert(name, value);
    }
    response
}
