//! CloudFront's KeyValueStore in this process, behind the real client.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::{
    calls::Calls,
    wire::{NOWHERE, Wire, answer, client},
};

/// One store. A write has to name the store's version, which every write raises.
#[derive(Clone, Default)]
pub struct EdgeStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    version: u64,
    values: BTreeMap<String, String>,
}

impl EdgeStore {
    /// A client that counts its requests in `calls`.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_cloudfrontkeyvaluestore::Client {
        let store = self.clone();
        let wire = Wire::Rest(Arc::new(move |request| store.0.lock().unwrap().serve(request)), calls.clone());
        client!(aws_sdk_cloudfrontkeyvaluestore, wire, calls, NOWHERE)
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<String> {
        self.0.lock().unwrap().values.get(key).cloned()
    }

    /// How often the store was written.
    pub fn writes(&self) -> u64 {
        self.0.lock().unwrap().version
    }
}

/// The operation of a request.
pub(crate) fn operation(request: &HttpRequest) -> &'static str {
    match (request.method(), request.uri().contains("/keys/")) {
        ("GET", false) => "DescribeKeyValueStore",
        ("PUT", true) => "PutKey",
        ("DELETE", true) => "DeleteKey",
        other => panic!("the KeyValueStore of the testkit does not know {other:?}"),
    }
}

impl State {
    fn serve(&mut self, request: &HttpRequest) -> HttpResponse {
        let operation = operation(request);
        if operation == "DescribeKeyValueStore" {
            return self.described();
        }
        if request.headers().get("if-match") != Some(self.tag().as_str()) {
            return refusal(409, "ConflictException");
        }
        let key = request.uri().rsplit('/').next().unwrap().to_owned();
        if operation == "PutKey" {
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let value = body["Value"].as_str().unwrap();
            assert!(key.len() <= 512 && value.len() <= 1_024, "{key}: {value}");
            self.values.insert(key, value.to_owned());
        } else if self.values.remove(&key).is_none() {
            return refusal(404, "ResourceNotFoundException");
        }
        self.version += 1;
        self.described()
    }

    fn described(&self) -> HttpResponse {
        let body =
            json!({"ItemCount": self.values.len(), "TotalSizeInBytes": 0, "KvsARN": "arn", "Created": 0, "Status": "READY"});
        let mut response = answer(200, body.to_string());
        response.headers_mut().insert("etag", self.tag());
        response
    }

    fn tag(&self) -> String {
        format!("ETAG{}", self.version)
    }
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    let mut response = answer(status, json!({"Message": "the test says so"}).to_string());
    response.headers_mut().insert("x-amzn-errortype", code.to_owned());
    response
}
