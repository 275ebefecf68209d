//! Refusals as RFC 9457 problems. A client sees a code and what it can do; causes go to the log only.

use std::error::Error;

use lambda_http::{
    Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{error, warn};

use crate::{Response, telemetry::chain};

/// A kind of refusal: its HTTP status, its code for programs, its title for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemKind {
    /// The HTTP status.
    pub status: u16,
    /// The code for programs.
    pub code: &'static str,
    /// The title for people.
    pub title: &'static str,
}

impl ProblemKind {
    /// A kind with this status, code and title.
    #[must_use]
    pub const fn new(status: u16, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title }
    }
}

/// The kinds that any route may have.
impl ProblemKind {
    /// The request cannot be read.
    pub const MALFORMED_REQUEST: Self = Self::new(400, "malformed-request", "The request cannot be read");
    /// The body contains a card number.
    pub const CARD_DATA: Self = Self::new(400, "card-data", "Never send card numbers");
    /// The request has no identity.
    pub const UNAUTHENTICATED: Self = Self::new(401, "unauthenticated", "Sign in first");
    /// The caller may not do this.
    pub const FORBIDDEN: Self = Self::new(403, "forbidden", "Not allowed");
    /// The route does not exist.
    pub const NOT_FOUND: Self = Self::new(404, "not-found", "There is nothing here");
    /// The route does not have this method.
    pub const METHOD_NOT_ALLOWED: Self = Self::new(405, "method-not-allowed", "The method is not allowed here");
    /// The body exceeds the size limit.
    pub const BODY_TOO_LARGE: Self = Self::new(413, "body-too-large", "The body is too large");
    /// The body is not declared as JSON.
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self::new(415, "unsupported-media-type", "The body must be JSON");
    /// The request was read, but a value in it is not allowed.
    pub const INVALID_REQUEST: Self = Self::new(422, "invalid-request", "A value is not allowed");
    /// A failure that the code does not expect.
    pub const INTERNAL_ERROR: Self = Self::new(500, "internal-error", "Something went wrong on our side");
    /// This attempt failed; a repetition may succeed.
    pub const TRY_AGAIN: Self = Self::new(503, "try-again", "Try again in a moment");
}

/// Why a request was refused, in words for its sender.
#[derive(Debug)]
pub struct Problem {
    status: u16,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    members: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct ProblemBody<'p> {
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'p str>,
    code: &'static str,
    #[serde(flatten)]
    members: &'p Map<String, Value>,
}

impl Problem {
    /// A refusal with its HTTP status, its code for programs and its title for people.
    #[must_use]
    pub fn new(status: u16, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, detail: None, members: Map::new(), headers: Vec::new() }
    }

    /// A refusal of this kind.
    #[must_use]
    pub fn of(kind: ProblemKind) -> Self {
        Self::new(kind.status, kind.code, kind.title)
    }

    /// Adds what was wrong with this request.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds an extension member.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Serialize) -> Self {
        // Only a map without string keys fails to serialize; it becomes `null`.
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.members.insert(name.to_owned(), value);
        self
    }

    /// Adds each member of `members` as an extension member.
    #[must_use]
    pub fn with(mut self, members: impl Serialize) -> Self {
        if let Ok(Value::Object(members)) = serde_json::to_value(members) {
            self.members.extend(members);
        }
        self
    }

    /// Adds the header `Retry-After`.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header("retry-after", seconds.to_string())
    }

    /// Adds a header. `name` is lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The response without the request's id. A function uses [`super::answer`] instead, which adds it.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.render(None)
    }

    pub(super) fn render(&self, instance: Option<&str>) -> Response {
        let rendered = ProblemBody {
            r#type: format!("/problems/{}", self.code),
            title: self.title,
            status: self.status,
            detail: self.detail.as_deref(),
            instance,
            code: self.code,
            members: &self.members,
        };
        // Strings and values only: serializing them cannot fail.
        let mut response = Response::new(Body::Text(serde_json::to_string(&rendered).unwrap_or_default()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// The problems that any route may have.
impl Problem {
    /// 400: the request cannot be read. `pointer` is the JSON pointer (RFC 6901) to the fault in the body.
    #[must_use]
    pub fn malformed_request(detail: impl Into<String>, pointer: &str) -> Self {
        Self::of(ProblemKind::MALFORMED_REQUEST).detail(detail).member("pointer", pointer)
    }

    /// 400: the body contains a card number. `pointer` is the JSON pointer to it and does not contain it.
    #[must_use]
    pub fn card_data(pointer: &str) -> Self {
        Self::of(ProblemKind::CARD_DATA)
            .detail(
                "These digits look like a card number, and the request was not read any further. Never send card numbers here: \
                 let a payment provider make a token of the card, and send the token as payment_method.",
            )
            .member("pointer", pointer)
    }

    /// 401: the request has no identity.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::of(ProblemKind::UNAUTHENTICATED).header("www-authenticate", "Bearer")
    }

    /// 403: the caller may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::of(ProblemKind::FORBIDDEN).detail(detail)
    }

    /// 404: the route does not exist.
    #[must_use]
    pub fn not_found() -> Self {
        Self::of(ProblemKind::NOT_FOUND)
    }

    /// 405: the route does not have this method. `allow` lists its methods: `GET, POST`.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::of(ProblemKind::METHOD_NOT_ALLOWED).header("allow", allow)
    }

    /// 413: the body has more than `most_bytes`, a multiple of 1,024.
    #[must_use]
    pub fn too_large(most_bytes: usize) -> Self {
        Self::of(ProblemKind::BODY_TOO_LARGE).detail(format!("a body may have up to {} KiB", most_bytes / 1024))
    }

    /// 415: the body is not declared as JSON in UTF-8.
    #[must_use]
    pub fn unsupported_media_type(detail: &str) -> Self {
        Self::of(ProblemKind::UNSUPPORTED_MEDIA_TYPE).detail(detail)
    }

    /// 422: the request was read, but a value in it is not allowed. `pointer` is the JSON pointer to the value.
    #[must_use]
    pub fn invalid_request(detail: impl Into<String>, pointer: &str) -> Self {
        Self::of(ProblemKind::INVALID_REQUEST).detail(detail).member("pointer", pointer)
    }

    /// 500: a failure that the code does not expect. Logs the cause and does not show it.
    #[must_use]
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        error!(cause = chain(cause), "internal error");
        Self::of(ProblemKind::INTERNAL_ERROR)
    }

    /// 503: this attempt failed; a repetition may succeed.
    #[must_use]
    pub fn try_again(seconds: u32) -> Self {
        Self::of(ProblemKind::TRY_AGAIN).retry_after(seconds)
    }

    /// 503: a service that the function needs does not answer now. Logs the cause and does not show it.
    #[must_use]
    pub fn try_again_because(seconds: u32, cause: &(dyn Error + 'static)) -> Self {
        warn!(cause = chain(cause), "answered try-again");
        Self::try_again(seconds)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn shown(problem: Problem) -> String {
        test_aws::response(&problem.into_response())
    }

    #[test]
    fn members_and_retry_after_are_shown() {
        let problem = Problem::new(409, "sale-not-started", "The sale has not started")
            .detail("it starts in 20 seconds")
            .member("starts_at", "2026-11-20T12:00:00Z")
            .retry_after(20);
        assert_snapshot!(shown(problem), @r#"
        409 Conflict
        cache-control: no-store
        content-type: application/problem+json
        retry-after: 20

        {
          "code": "sale-not-started",
          "detail": "it starts in 20 seconds",
          "starts_at": "2026-11-20T12:00:00Z",
          "status": 409,
          "title": "The sale has not started",
          "type": "/problems/sale-not-started"
        }
        "#);
    }

    #[test]
    fn an_internal_cause_is_never_shown() {
        let cause = std::io::Error::other("table StockTable-1A2B: access denied to arn:aws:iam::1");
        assert_snapshot!(shown(Problem::internal(&cause)), @r#"
        500 Internal Server Error
        cache-control: no-store
        content-type: application/problem+json

        {
          "code": "internal-error",
          "status": 500,
          "title": "Something went wrong on our side",
          "type": "/problems/internal-error"
        }
        "#);
        assert_snapshot!(shown(Problem::try_again_because(1, &cause)), @r#"
        503 Service Unavailable
        cache-control: no-store
        content-type: application/problem+json
        retry-after: 1

        {
          "code": "try-again",
          "status": 503,
          "title": "Try again in a moment",
          "type": "/problems/try-again"
        }
        "#);
    }

    #[test]
    fn every_generic_problem_has_its_status_and_code() {
        let all = [
            (Problem::malformed_request("d", "/a"), 400, "malformed-request"),
            (Problem::card_data("/a"), 400, "card-data"),
            (Problem::unauthenticated(), 401, "unauthenticated"),
            (Problem::forbidden("d"), 403, "forbidden"),
            (Problem::not_found(), 404, "not-found"),
            (Problem::method_not_allowed("GET"), 405, "method-not-allowed"),
            (Problem::too_large(1024), 413, "body-too-large"),
            (Problem::unsupported_media_type("d"), 415, "unsupported-media-type"),
            (Problem::invalid_request("d", "/a"), 422, "invalid-request"),
            (Problem::try_again(1), 503, "try-again"),
        ];
        for (problem, status, code) in all {
            assert_eq!((problem.status(), problem.code()), (status, code));
            assert_eq!(problem.into_response().status(), status);
        }
    }

    #[test]
    fn a_401_says_how_to_authenticate_and_a_405_what_is_allowed() {
        assert_eq!(Problem::unauthenticated().into_response().headers()["www-authenticate"], "Bearer");
        assert_eq!(Problem::method_not_allowed("GET, POST").into_response().headers()["allow"], "GET, POST");
    }
}
