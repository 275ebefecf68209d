//! Answers that are not about a payment: tokens, failures of the server, and how an answer becomes a response.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::FakePaypal;

/// An answer before it has a `debug_id` header.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    media_type: Option<&'static str>,
    location: Option<String>,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self { status, body: body.to_string().into_bytes(), media_type: Some("application/json"), location: None }
    }

    pub(crate) fn text(status: StatusCode, media_type: &'static str, text: &str) -> Self {
        Self { status, body: text.as_bytes().to_vec(), media_type: Some(media_type), location: None }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, body: Vec::new(), media_type: None, location: None }
    }

    pub(crate) fn redirect(location: String) -> Self {
        Self { location: Some(location), ..Self::empty(StatusCode::FOUND) }
    }

    pub(crate) fn into_response(self, debug_id: &str) -> Response<Vec<u8>> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let mut header = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        header(HeaderName::from_static("paypal-debug-id"), debug_id);
        if let Some(media_type) = self.media_type {
            header(CONTENT_TYPE, media_type);
        }
        if let Some(location) = self.location {
            header(LOCATION, &location);
        }
        response
    }
}

/// A live access token.
#[derive(Debug)]
pub(crate) struct Token {
    client_id: String,
    ends_at: Timestamp,
}

impl FakePaypal {
    /// `POST /v1/oauth2/token`. Each call makes a token; earlier ones stay good until their time is over.
    pub(crate) fn new_token(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Reply {
        let Some(client_id) = self.basic_account(request) else {
            let body = json!({"error": "invalid_client", "error_description": "Client Authentication failed"});
            return Reply::json(StatusCode::UNAUTHORIZED, &body);
        };
        let grant = form_urlencoded::parse(request.body()).find(|(name, _)| name == "grant_type").map(|(_, value)| value);
        if grant.as_deref() != Some("client_credentials") {
            let body = json!({"error": "unsupported_grant_type", "error_description": "Grant Type is NULL or not supported"});
            return Reply::json(StatusCode::BAD_REQUEST, &body);
        }
        let token = self.ids.token();
        let life = self.options.token_life;
        let body = json!({
            "scope": "https://uri.paypal.com/services/payments/payment/authcapture",
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-00000000000000000",
            "expires_in": life.as_secs(),
            "nonce": format!("{now}-{token}"),
        });
        self.tokens.retain(|_, token| now < token.ends_at);
        self.tokens.insert(token, Token { client_id, ends_at: now.checked_add(life).unwrap_or(Timestamp::MAX) });
        Reply::json(StatusCode::OK, &body)
    }

    /// The account of a request's client id and secret.
    fn basic_account(&self, request: &Request<Vec<u8>>) -> Option<String> {
        let encoded = authorization(request, "Basic")?;
        let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
        let (client_id, secret) = decoded.split_once(':')?;
        self.options.account(client_id).filter(|account| account.client_secret == secret).map(|account| account.client_id.clone())
    }

    /// The account of a request's access token, or the answer to a request without a live one.
    pub(crate) fn token_account(&self, request: &Request<Vec<u8>>, debug_id: &str, now: Timestamp) -> Result<String, Reply> {
        let Some(token) = authorization(request, "Bearer") else {
            let body = failure("AUTHENTICATION_FAILURE", "The request has no access token.", debug_id);
            return Err(Reply::json(StatusCode::UNAUTHORIZED, &body));
        };
        let live = self.tokens.get(token).filter(|token| now < token.ends_at).map(|token| token.client_id.clone());
        live.ok_or_else(|| {
            let body = json!({"error": "invalid_token", "error_description": "The token is unknown, or its time is over"});
            Reply::json(StatusCode::UNAUTHORIZED, &body)
        })
    }
}

/// The credentials of a request's `Authorization`, if it has this scheme.
fn authorization<'r>(request: &'r Request<Vec<u8>>, scheme: &str) -> Option<&'r str> {
    let (found, credentials) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

/// 500, for a fault that a test ordered.
pub(crate) fn internal_error(debug_id: &str) -> Reply {
    Reply::json(
        StatusCode::INTERNAL_SERVER_ERROR,
        &failure("INTERNAL_SERVER_ERROR", "An internal server error occurred.", debug_id),
    )
}

/// 429, for a fault that a test ordered.
pub(crate) fn rate_limited(debug_id: &str) -> Reply {
    Reply::json(StatusCode::TOO_MANY_REQUESTS, &failure("RATE_LIMIT_REACHED", "There were too many requests.", debug_id))
}

fn failure(name: &str, message: &str, debug_id: &str) -> Value {
    let help = format!("https://developer.paypal.com/docs/api/orders/v2/#error-{name}");
    json!({"name": name, "message": message, "debug_id": debug_id, "links": [{"href": help, "rel": "information_link"}]})
}
