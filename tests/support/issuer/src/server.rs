//! A server of key sets in this process. It counts, and it fails in every way in which such a server can fail.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use kit::Https;
use serde_json::Value;

/// What the server answers.
#[derive(Debug, Clone)]
pub enum Mode {
    /// 200 with this document.
    Document(String),
    /// Another status, with a document that would be good.
    Status(u16, String),
    /// The document after so long.
    Slow(Duration, String),
    /// No connection.
    Down,
}

#[derive(Default)]
struct State {
    modes: BTreeMap<String, Mode>,
    asked: Vec<String>,
}

/// A server of key sets at any address.
#[derive(Clone, Default)]
pub struct KeyServer(Arc<Mutex<State>>);

impl fmt::Debug for KeyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyServer")
    }
}

impl KeyServer {
    /// Publishes a key set at this address.
    pub fn publish(&self, url: &str, key_set: &Value) {
        self.set(url, Mode::Document(key_set.to_string()));
    }

    /// Sets what the server answers at this address.
    pub fn set(&self, url: &str, mode: Mode) {
        self.0.lock().unwrap().modes.insert(url.to_owned(), mode);
    }

    /// How often this address was asked.
    pub fn count(&self, url: &str) -> usize {
        self.0.lock().unwrap().asked.iter().filter(|asked| *asked == url).count()
    }

    /// How often the server was asked, at any address.
    pub fn total(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }

    /// Calls to this server.
    pub fn https(&self) -> Https {
        Https::over(SharedHttpConnector::new(self.clone()))
    }
}

impl HttpConnector for KeyServer {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mode = {
            let mut state = self.0.lock().unwrap();
            state.asked.push(request.uri().to_owned());
            state.modes.get(request.uri()).cloned().unwrap_or(Mode::Down)
        };
        HttpConnectorFuture::new(async move {
            let (status, document) = match mode {
                Mode::Document(document) => (200, document),
                Mode::Status(status, document) => (status, document),
                Mode::Slow(wait, document) => {
                    tokio::time::sleep(wait).await;
                    (200, document)
                }
                Mode::Down => return Err(ConnectorError::io(Box::new(io::Error::from(io::ErrorKind::ConnectionRefused)))),
            };
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(document)))
        })
    }
}
