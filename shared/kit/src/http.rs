//! HTTP requests and responses of API Gateway's REST API.
//!
//! A function is `Request -> Result<Response, Problem>`. [`answer`] turns either result into a response, in the same
//! way for all functions.

mod body;
mod edge_secrets;
mod event;
mod identity;
mod origins;
mod problem;
mod raw;
mod response;

pub(crate) use body::pointer_of;
pub use body::{json_body, optional_json_body};
pub use edge_secrets::{EDGE_SECRET_HEADER, EdgeSecrets};
pub use event::GatewayEvent;
pub(crate) use event::reply;
pub use identity::{Caller, Identity};
use lambda_http::{
    Request, RequestExt,
    http::{HeaderName, HeaderValue},
    request::RequestContext,
};
pub use origins::Origins;
pub use problem::{Problem, ProblemKind};
pub use raw::{LARGEST_RAW_BODY_BYTES, header, raw_body};
pub use response::{accepts_csv, csv, no_content, ok_json, public_json, with_header, with_location};

use crate::{Response, metrics};

/// A storefront is served from another origin. Every origin is allowed, because identity travels in `Authorization` and never in a
/// cookie, unless the shop lists its own ([`Origins`]).
pub const CORS: [(&str, &str); 2] = [
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"),
];

/// No browser guesses another content type, shows an answer in a frame, or comes back without TLS (OWASP, "REST Security Cheat
/// Sheet").
pub const SECURITY: [(&str, &str); 3] =
    [("strict-transport-security", "max-age=31536000"), ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")];

/// The response to `request`: renders a refusal with the request's id, counts it by its code, and adds the headers that
/// every response has.
#[must_use]
pub fn answer(request: &Request, result: Result<Response, Problem>) -> Response {
    answer_as(&request_id(request), result)
}

/// As [`answer`], for a request of which only the id is known.
pub(crate) fn answer_as(id: &str, result: Result<Response, Problem>) -> Response {
    let mut response = result.unwrap_or_else(|problem| {
        metrics::count("Refusals", ("code", problem.code()));
        problem.render(Some(id))
    });
    for (name, value) in CORS.into_iter().chain(SECURITY) {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

/// The request's id: API Gateway's, which its access log contains, else Lambda's.
#[must_use]
pub fn request_id(request: &Request) -> String {
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
        _ => None,
    };
    gateway
        .or_else(|| request.lambda_context_ref().map(|context| context.request_id.clone()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The request's route, such as `/orders/{order_id}`: API Gateway's resource. It is the same with and without a slash at the end
/// of the client's path, and behind any base path.
#[must_use]
pub fn route(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.resource_path.as_deref().unwrap_or_default(),
        Some(_) | None => "",
    }
}

/// The value of `{name}` in the route's path.
#[must_use]
pub fn path_parameter<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.path_parameters_ref().and_then(|parameters| parameters.first(name))
}

/// A parameter of the query string; the first one if it is repeated.
#[must_use]
pub fn query_parameter<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.query_string_parameters_ref().and_then(|parameters| parameters.first(name))
}

/// Every value of a parameter of the query string.
#[must_use]
pub fn query_parameters<'r>(request: &'r Request, name: &str) -> Vec<&'r str> {
    request.query_string_parameters_ref().and_then(|parameters| parameters.all(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_refusal_carries_the_request_id_and_what_every_response_carries() {
        let request = test_aws::request("POST", "/reserve-inventory").build();
        let refused = Problem::new(409, "sold-out", "Sold out").member("available_quantity", 0).retry_after(2);
        assert_snapshot!(test_aws::response(&answer(&request, Err(refused))), @r#"
        409 Conflict
        access-control-allow-origin: *
        access-control-expose-headers: Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id
        cache-control: no-store
        content-type: application/problem+json
        retry-after: 2
        strict-transport-security: max-age=31536000
        x-content-type-options: nosniff
        x-frame-options: DENY
        x-request-id: 00000000-0000-0000-0000-000000000001

        {
          "available_quantity": 0,
          "code": "sold-out",
          "instance": "00000000-0000-0000-0000-000000000001",
          "status": 409,
          "title": "Sold out",
          "type": "/problems/sold-out"
        }
        "#);
    }

    #[test]
    fn a_success_carries_them_too() {
        let request = test_aws::request("GET", "/health").build();
        assert_snapshot!(test_aws::response(&answer(&request, Ok(ok_json(200, &["yes"])))), @r#"
        200 OK
        access-control-allow-origin: *
        access-control-expose-headers: Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id
        cache-control: no-store
        content-type: application/json
        strict-transport-security: max-age=31536000
        x-content-type-options: nosniff
        x-frame-options: DENY
        x-request-id: 00000000-0000-0000-0000-000000000001

        [
          "yes"
        ]
        "#);
    }

    #[test]
    fn a_request_that_no_gateway_numbered_has_lambdas_number() {
        let mut request = Request::default();
        assert_eq!(request_id(&request), "unknown");
        let mut context = lambda_http::Context::default();
        context.request_id = "from-lambda".to_owned();
        request = request.with_lambda_context(context);
        assert_eq!(request_id(&request), "from-lambda");
    }

    #[test]
    fn parameters_are_found_by_name() {
        let request =
            test_aws::request("GET", "/inventory/demo").path_parameter("product_id", "demo").query("deep", "true").build();
        assert_eq!(path_parameter(&request, "product_id"), Some("demo"));
        assert_eq!(path_parameter(&request, "other"), None);
        assert_eq!(query_parameter(&request, "deep"), Some("true"));
        assert_eq!(query_parameter(&request, "other"), None);
        assert_eq!((query_parameters(&request, "deep"), query_parameters(&request, "other")), (vec!["true"], vec![]));
    }
}
