//! Faults that a test orders in advance. Each applies to the next requests with a given method and path.

use std::time::Duration;

use http::{Method, Response};
use serde::Deserialize;
use serde_json::json;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the provider reads the request. Nothing is done.
    LostRequest,
    /// The provider does what was asked, and then the connection breaks.
    LostAnswer,
    /// The provider answers 500.
    Error500 {
        /// Whether it did what was asked before it failed.
        done: bool,
    },
    /// The provider refuses the request because there were too many. Nothing is done.
    RateLimited,
    /// The provider does what was asked, and the answer arrives after this time.
    Slow(Duration),
}

/// A fault as `POST /_fake/faults` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The path of the requests. `*` stands for one whole segment.
    pub path: String,
    /// Their method; every method if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// How many requests it applies to; 1 if absent.
    #[serde(default = "once")]
    pub times: u32,
    /// What goes wrong.
    pub fault: Kind,
    /// How long a slow answer takes, in seconds; 3 if absent.
    #[serde(default = "three")]
    pub seconds: u32,
}

/// The faults by their names in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `lost-request`
    LostRequest,
    /// `lost-answer`
    LostAnswer,
    /// `error-500`: nothing is done.
    #[serde(rename = "error-500")]
    Error500,
    /// `error-500-done`: the provider did what was asked.
    #[serde(rename = "error-500-done")]
    Error500Done,
    /// `rate-limited`
    RateLimited,
    /// `slow`
    Slow,
}

const fn once() -> u32 {
    1
}

const fn three() -> u32 {
    3
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub struct Faults(Vec<Order>);

impl Faults {
    /// Adds a fault. Faults for the same request apply in the order in which they were added.
    pub fn add(&mut self, order: Order) {
        self.0.push(order);
    }

    /// Forgets every fault.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the fault of a request, once for each of its times.
    pub fn take(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let order = self.0.iter_mut().find(|order| order.times > 0 && order.is_for(method, path))?;
        order.times -= 1;
        let fault = order.fault();
        self.0.retain(|order| order.times > 0);
        Some(fault)
    }

    /// Answers `POST /_fake/faults`, whose body is one [`Order`], and `DELETE /_fake/faults`, which forgets all.
    pub fn control(&mut self, method: &Method, body: &[u8]) -> Response<Vec<u8>> {
        if method == Method::DELETE {
            self.clear();
            return crate::json(200, &json!({}));
        }
        match serde_json::from_slice(body) {
            Ok(order) => {
                self.add(order);
                crate::json(200, &json!({ "faults": self.0.len() }))
            }
            Err(error) => crate::json(400, &json!({ "fake": format!("this is no fault: {error}") })),
        }
    }
}

impl Order {
    fn is_for(&self, method: &Method, path: &str) -> bool {
        let of_method = self.method.as_ref().is_none_or(|wanted| method.as_str().eq_ignore_ascii_case(wanted));
        let (mut wanted, mut segments) = (self.path.split('/'), path.split('/'));
        of_method
            && loop {
                match (wanted.next(), segments.next()) {
                    (None, None) => break true,
                    (Some(wanted), Some(segment)) if wanted == "*" || wanted == segment => {}
                    _ => break false,
                }
            }
    }

    fn fault(&self) -> Fault {
        match self.fault {
            Kind::LostRequest => Fault::LostRequest,
            Kind::LostAnswer => Fault::LostAnswer,
            Kind::Error500 => Fault::Error500 { done: false },
            Kind::Error500Done => Fault::Error500 { done: true },
            Kind::RateLimited => Fault::RateLimited,
            Kind::Slow => Fault::Slow(Duration::from_secs(u64::from(self.seconds))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(json: &str) -> Faults {
        let mut faults = Faults::default();
        assert_eq!(faults.control(&Method::POST, json.as_bytes()).status(), 200);
        faults
    }

    #[test]
    fn a_fault_applies_to_its_method_and_path_as_often_as_ordered() {
        let mut faults = ordered(r#"{"path": "/v1/things/*/capture", "method": "POST", "times": 2, "fault": "lost-answer"}"#);
        for (method, path) in [
            (Method::GET, "/v1/things/1/capture"),
            (Method::POST, "/v1/things/1"),
            (Method::POST, "/v1/things/1/2/capture"),
            (Method::POST, "/v1/things/1/capture/"),
        ] {
            assert_eq!(faults.take(&method, path), None, "{method} {path}");
        }
        assert_eq!(faults.take(&Method::POST, "/v1/things/1/capture"), Some(Fault::LostAnswer));
        assert_eq!(faults.take(&Method::POST, "/v1/things/2/capture"), Some(Fault::LostAnswer));
        assert_eq!(faults.take(&Method::POST, "/v1/things/3/capture"), None);
    }

    #[test]
    fn every_fault_has_a_name() {
        for (name, fault) in [
            ("lost-request", Fault::LostRequest),
            ("lost-answer", Fault::LostAnswer),
            ("error-500", Fault::Error500 { done: false }),
            ("error-500-done", Fault::Error500 { done: true }),
            ("rate-limited", Fault::RateLimited),
            ("slow", Fault::Slow(Duration::from_secs(7))),
        ] {
            let mut faults = ordered(&format!(r#"{{"path": "/", "fault": "{name}", "seconds": 7}}"#));
            assert_eq!(faults.take(&Method::GET, "/"), Some(fault), "{name}");
        }
    }

    #[test]
    fn faults_apply_in_their_order_until_they_are_forgotten() {
        let mut faults = ordered(r#"{"path": "/", "fault": "slow"}"#);
        faults.control(&Method::POST, br#"{"path": "/", "fault": "lost-request", "times": 2}"#);
        assert_eq!(faults.take(&Method::GET, "/"), Some(Fault::Slow(Duration::from_secs(3))));
        assert_eq!(faults.take(&Method::GET, "/"), Some(Fault::LostRequest));
        faults.control(&Method::DELETE, b"");
        assert_eq!(faults.take(&Method::GET, "/"), None);
    }

    #[test]
    fn an_unknown_fault_or_member_is_refused() {
        for json in [r#"{"path": "/", "fault": "gone"}"#, r#"{"path": "/", "fault": "slow", "second": 1}"#, "{"] {
            assert_eq!(Faults::default().control(&Method::POST, json.as_bytes()).status(), 400, "{json}");
        }
    }
}
