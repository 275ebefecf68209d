//! Stripe's errors, as its API answers them: <https://docs.stripe.com/api/errors>.

use http::Response;
use serde_json::{Map, Value, json};

/// An error answer.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    message: String,
    param: Option<String>,
    /// Further members: the intent, the charge, the decline code.
    more: Map<String, Value>,
    /// Whether the endpoint had begun to run. Only then does Stripe keep the answer under the idempotency key.
    pub(crate) executed: bool,
}

impl Refusal {
    /// A 400 that Stripe answers before it does anything.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::of(400, "invalid_request_error", message)
    }

    /// A missing object that the path names: 404.
    pub(crate) fn not_found(object: &str, id: &str, param: &str) -> Self {
        Self { status: 404, ..Self::missing(object, id, param) }
    }

    /// A missing object that a parameter names: 400.
    pub(crate) fn missing(object: &str, id: &str, param: &str) -> Self {
        Self::invalid(format!("No such {object}: '{id}'")).code("resource_missing").param(param)
    }

    /// A refusal with this status and type.
    pub(crate) fn of(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code: None, message: message.into(), param: None, more: Map::new(), executed: false }
    }

    pub(crate) fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn param(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// A refusal of an endpoint that had begun to run.
    pub(crate) fn executed(self) -> Self {
        Self { executed: true, ..self }
    }

    /// The answer. Stripe links the documentation of the code and the request in its log.
    pub(crate) fn answer(&self, request_id: &str) -> Response<Vec<u8>> {
        let mut error = self.more.clone();
        error.insert("type".to_owned(), self.kind.into());
        error.insert("message".to_owned(), self.message.clone().into());
        if let Some(code) = self.code {
            error.insert("code".to_owned(), code.into());
            error.insert("doc_url".to_owned(), documentation(code).into());
        }
        if let Some(param) = &self.param {
            error.insert("param".to_owned(), param.clone().into());
        }
        error.insert("request_log_url".to_owned(), format!("https://dashboard.stripe.com/test/logs/{request_id}").into());
        test_provider::json(self.status, &json!({ "error": error }))
    }
}

/// Where Stripe explains an error code.
pub(crate) fn documentation(code: &str) -> String {
    format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))
}
