//! A request to the API: whose it is, its headers and its body; and the way of a call that changes something.

use http::{HeaderMap, Method, Request, StatusCode, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    FakePaypal,
    answer::Reply,
    refusal::{Issue, Refusal},
    request_ids::{Known, Made, Operation},
    view,
};

/// A call that changes something, from an account that has shown its token.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) client_id: String,
    pub(crate) request_id: Option<String>,
    /// Whether the client prefers the whole resource to `id`, `status` and `links`.
    wants_whole: bool,
    /// The JSON object of the body, or an empty one.
    pub(crate) body: Value,
}

impl Call {
    fn read(client_id: &str, operation: Operation, request: &Request<Vec<u8>>) -> Result<Self, Refusal> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let request_id = header("paypal-request-id").map(ToOwned::to_owned);
        if request_id.as_ref().is_some_and(|id| id.is_empty() || id.chars().count() > operation.longest_id()) {
            return Err(Refusal::at(Issue::InvalidStringLength, "PayPal-Request-Id"));
        }
        Ok(Self {
            client_id: client_id.to_owned(),
            request_id,
            wants_whole: header("prefer").is_some_and(|value| value.replace(' ', "").contains("return=representation")),
            body: Self::body(operation, request)?,
        })
    }

    fn body(operation: Operation, request: &Request<Vec<u8>>) -> Result<Value, Refusal> {
        // A void has no body, and PayPal's SDKs send no content type with it.
        let may_be_untyped = operation == Operation::VoidAuthorization && request.body().is_empty();
        if !may_be_untyped && !is_json(request.headers()) {
            return Err(Issue::UnsupportedMediaType.into());
        }
        if request.body().is_empty() && operation != Operation::CreateOrder {
            return Ok(json!({}));
        }
        let body: Option<Value> = serde_json::from_slice(request.body()).ok();
        body.filter(Value::is_object).ok_or_else(|| Issue::MalformedRequestJson.into())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

impl FakePaypal {
    /// Answers a request to the API of an account. `answered_at`: when the client gets the answer.
    pub(crate) fn api(
        &mut self,
        client_id: &str,
        request: &Request<Vec<u8>>,
        times: (Timestamp, Timestamp),
    ) -> Result<Reply, Refusal> {
        let (now, _) = times;
        let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
        let (method, path) = (request.method(), path.as_slice());
        let (operation, id) = match (method, path) {
            (&Method::GET, ["v2", "checkout", "orders", id]) => {
                let order = self.order_of(client_id, id, now)?;
                return Ok(Reply::json(StatusCode::OK, &self.order_json(order)));
            }
            (&Method::GET, ["v2", "payments", "authorizations", id]) => {
                let authorization = self.authorization_of(client_id, id)?;
                return Ok(Reply::json(StatusCode::OK, &self.authorization_json(authorization)));
            }
            (&Method::GET, ["v2", "payments", "captures", id]) => {
                let capture = self.capture_of(client_id, id)?;
                return Ok(Reply::json(StatusCode::OK, &self.capture_json(capture)));
            }
            (&Method::GET, ["v2", "payments", "refunds", id]) => {
                let refund = self.refund_of(client_id, id)?;
                return Ok(Reply::json(StatusCode::OK, &self.refund_json(refund)));
            }
            (&Method::POST, ["v2", "checkout", "orders"]) => (Operation::CreateOrder, ""),
            (&Method::POST, ["v2", "checkout", "orders", id, "authorize"]) => (Operation::AuthorizeOrder, *id),
            (&Method::POST, ["v2", "checkout", "orders", id, "capture"]) => (Operation::CaptureOrder, *id),
            (&Method::POST, ["v2", "payments", "authorizations", id, "capture"]) => (Operation::CaptureAuthorization, *id),
            (&Method::POST, ["v2", "payments", "authorizations", id, "void"]) => (Operation::VoidAuthorization, *id),
            (&Method::POST, ["v2", "payments", "captures", id, "refund"]) => (Operation::RefundCapture, *id),
            (_, ["v1" | "v2", ..]) => return Err(Issue::NotInTheFake.into()),
            _ => return Err(Issue::InvalidResourceId.into()),
        };
        let call = Call::read(client_id, operation, request)?;
        self.change(&call, operation, id, times)
    }

    /// Carries a call out, or answers it from what the first call with its request id made.
    fn change(&mut self, call: &Call, operation: Operation, id: &str, times: (Timestamp, Timestamp)) -> Result<Reply, Refusal> {
        let (now, _) = times;
        if let Some(request_id) = &call.request_id {
            match self.request_ids.known(&call.client_id, operation, request_id, now) {
                Some(Known::InProgress) => return Err(Issue::PreviousRequestInProgress.into()),
                Some(Known::Made(made)) => return self.shown(call, operation, &made.clone()?, now, true),
                None => {}
            }
        }
        let made = self.carry_out(call, operation, id, now);
        let is_kept = match &made {
            Ok(_) => true,
            Err(refusal) => self.options.remembers_refusals && refusal.status() == StatusCode::UNPROCESSABLE_ENTITY,
        };
        if let Some(request_id) = call.request_id.as_ref().filter(|_| is_kept) {
            self.request_ids.store(&call.client_id, operation, request_id, times, made.clone());
        }
        self.shown(call, operation, &made?, now, false)
    }

    fn carry_out(&mut self, call: &Call, operation: Operation, id: &str, now: Timestamp) -> Made {
        match operation {
            Operation::CreateOrder => self.create_order(call, now),
            Operation::AuthorizeOrder => self.authorize_order(call, id, now),
            Operation::CaptureOrder => self.capture_order(call, id, now),
            Operation::CaptureAuthorization => self.capture_authorization(call, id, now),
            Operation::VoidAuthorization => self.void_authorization(call, id, now),
            Operation::RefundCapture => self.refund_capture(call, id, now),
        }
    }

    /// What the call made, as it is now.
    fn shown(&self, call: &Call, operation: Operation, made: &str, now: Timestamp, is_known: bool) -> Result<Reply, Refusal> {
        let client_id = &call.client_id;
        let (status, whole) = match operation {
            Operation::CreateOrder | Operation::AuthorizeOrder | Operation::CaptureOrder => {
                let order = self.order_of(client_id, made, now)?;
                // With a payment source, PayPal answers 200 to the first call, too.
                let is_ok = is_known || (operation == Operation::CreateOrder && order.has_source);
                (if is_ok { StatusCode::OK } else { StatusCode::CREATED }, self.order_json(order))
            }
            Operation::CaptureAuthorization => (StatusCode::CREATED, self.capture_json(self.capture_of(client_id, made)?)),
            Operation::VoidAuthorization if !call.wants_whole => return Ok(Reply::empty(StatusCode::NO_CONTENT)),
            Operation::VoidAuthorization => (StatusCode::OK, self.authorization_json(self.authorization_of(client_id, made)?)),
            Operation::RefundCapture => (StatusCode::CREATED, self.refund_json(self.refund_of(client_id, made)?)),
        };
        Ok(Reply::json(status, &if call.wants_whole { whole } else { view::minimal(&whole) }))
    }
}
