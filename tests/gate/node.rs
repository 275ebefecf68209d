//! The gate in a Node process.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

use domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use system_tests::repository::root;

/// A request to the gate at a time, with what the KeyValueStore has.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) now: Timestamp,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// As CloudFront passes the query to a function.
    pub(crate) query: Value,
}

/// What the gate did.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Judged {
    /// It let the request through unchanged.
    pub(crate) passed: bool,
    /// CloudFront's form of a response.
    pub(crate) response: Value,
    /// CPU time in microseconds.
    pub(crate) cpu_us: f64,
}

impl Asked {
    /// `POST` to `path` without a query.
    pub(crate) fn post(path: impl Into<String>, now: Timestamp) -> Self {
        Self { now, values: BTreeMap::new(), method: "POST", path: path.into(), query: json!({}) }
    }

    /// With the parameter `product_id`.
    pub(crate) fn of(self, product: &str) -> Self {
        Self { query: json!({"product_id": {"value": product}}), ..self }
    }

    /// Where the gate was told this of `product`.
    pub(crate) fn told(mut self, product: &str, value: Option<String>) -> Self {
        self.values.extend(value.map(|value| (product.to_owned(), value)));
        self
    }

    fn input(&self) -> Value {
        json!({
            "now": self.now.as_millisecond(),
            "values": self.values,
            "event": {
                "version": "1.0",
                "context": {"requestId": "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==", "eventType": "viewer-request"},
                "viewer": {"ip": "198.51.100.11"},
                "request": {
                    "method": self.method, "uri": self.path, "querystring": self.query, "cookies": {},
                    "headers": {"host": {"value": "d111111abcdef8.cloudfront.net"}, "authorization": {"value": "Bearer x"}},
                },
            },
        })
    }
}

/// The gate's answers, in one Node process.
pub(crate) fn judge(asked: &[Asked]) -> Vec<Judged> {
    let script = root().join("tests/gate/run.cjs");
    let mut node = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the gate is tested in Node: install Node 18 or later");
    let input = Value::Array(asked.iter().map(Asked::input).collect()).to_string();
    // Node reads all of it before it writes.
    node.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "node failed");
    let judged: Vec<Judged> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(judged.len(), asked.len());
    judged
}

/// The gate's answer to one request.
pub(crate) fn judge_one(asked: &Asked) -> Judged {
    judge(std::slice::from_ref(asked)).remove(0)
}
