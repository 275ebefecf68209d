//! The event of API Gateway's REST API, read into a request.
//!
//! A client chooses all headers, so none of them may make an event unreadable. `lambda_http`'s own conversion builds a URI from
//! `Host` and `X-Forwarded-Proto`, panics when it cannot, and refuses a whole event for one header that is not valid. This
//! conversion keeps the headers that functions read, as far as they are valid, and no others.

use std::collections::HashMap;

use aws_lambda_events::apigw::{ApiGatewayProxyRequestContext, ApiGatewayProxyResponse};
use aws_smithy_types::base64;
use lambda_http::{
    Body, Request, RequestExt,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    request::RequestContext,
};
use serde::Deserialize;

use crate::Response;

/// The headers that functions read. API Gateway's authorizer reads `Authorization`. Payment providers sign their events in headers
/// of their own.
const READ: [HeaderName; 15] = [
    header::ACCEPT,
    header::ORIGIN,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("prefer"),
    HeaderName::from_static("proof-of-work"),
    HeaderName::from_static("x-user-id"),
    HeaderName::from_static("x-user-groups"),
    HeaderName::from_static("stripe-signature"),
    HeaderName::from_static("paypal-transmission-id"),
    HeaderName::from_static("paypal-transmission-time"),
    HeaderName::from_static("paypal-transmission-sig"),
    HeaderName::from_static("paypal-cert-url"),
    HeaderName::from_static("paypal-auth-algo"),
];

/// A request as API Gateway's REST API passes it to a function.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayEvent {
    path: String,
    http_method: String,
    multi_value_headers: Option<HashMap<String, Vec<String>>>,
    /// Read when the event has no `multiValueHeaders`: the emulator leaves them out.
    headers: Option<HashMap<String, String>>,
    multi_value_query_string_parameters: Option<HashMap<String, Vec<String>>>,
    /// As `headers`.
    query_string_parameters: Option<HashMap<String, String>>,
    path_parameters: Option<HashMap<String, String>>,
    request_context: ApiGatewayProxyRequestContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

impl GatewayEvent {
    /// The only value of a header; `None` also if there are several.
    pub(crate) fn only_header(&self, name: &str) -> Option<&str> {
        let named = |found: &str| found.eq_ignore_ascii_case(name);
        let listed = self.multi_value_headers.iter().flatten().filter(|(found, _)| named(found)).flat_map(|(_, values)| values);
        let single = self.headers.iter().filter(|_| self.multi_value_headers.is_none()).flatten();
        let mut values = listed.chain(single.filter(|(found, _)| named(found)).map(|(_, value)| value));
        values.next().filter(|_| values.next().is_none()).map(String::as_str)
    }
}

impl From<GatewayEvent> for Request {
    fn from(event: GatewayEvent) -> Self {
        let body = event.body.map_or(Body::Empty, |body| sent(body, event.is_base64_encoded));
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(event.http_method.as_bytes()).unwrap_or_default();
        *request.uri_mut() = event.path.parse().unwrap_or_else(|_| Uri::from_static("/"));
        *request.headers_mut() = valid_headers(all(event.multi_value_headers, event.headers));
        request
            .with_raw_http_path(&event.path)
            .with_path_parameters(event.path_parameters.unwrap_or_default())
            .with_query_string_parameters(all(event.multi_value_query_string_parameters, event.query_string_parameters))
            .with_request_context(RequestContext::ApiGatewayV1(event.request_context))
    }
}

/// The body as the client sent it. A body that is not in base 64, though the event says so, stays as it is: `lambda_http` would panic.
fn sent(body: String, is_base64: bool) -> Body {
    let decoded = is_base64.then(|| base64::decode(&body).ok()).flatten();
    decoded.map_or_else(|| Body::from(body), Body::from)
}

/// All values by name, from the lists if the event has them.
fn all(lists: Option<HashMap<String, Vec<String>>>, single: Option<HashMap<String, String>>) -> HashMap<String, Vec<String>> {
    let from_single = || single.unwrap_or_default().into_iter().map(|(name, value)| (name, vec![value])).collect();
    lists.unwrap_or_else(from_single)
}

fn valid_headers(sent: HashMap<String, Vec<String>>) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, values) in sent {
        let Some(name) = READ.into_iter().find(|read| name.eq_ignore_ascii_case(read.as_str())) else { continue };
        for value in values.iter().filter_map(|value| HeaderValue::from_str(value).ok()) {
            kept.append(name.clone(), value);
        }
    }
    kept
}

/// A response in the form in which API Gateway's REST API expects it.
pub(crate) fn reply(response: Response) -> ApiGatewayProxyResponse {
    let (parts, body) = response.into_parts();
    let mut reply = ApiGatewayProxyResponse::default();
    reply.status_code = parts.status.as_u16().into();
    reply.multi_value_headers = parts.headers;
    reply.body = Some(body).filter(|body| !matches!(body, Body::Empty));
    reply
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(event: Value) -> Request {
        serde_json::from_value::<GatewayEvent>(event).unwrap().into()
    }

    /// A request of a client that sends these headers.
    fn sent(headers: &[(&str, &str)]) -> Request {
        let mut event = test_aws::request("POST", "/payment").body("{}").into_event();
        for (name, value) in headers {
            event["headers"][name] = json!(value);
            event["multiValueHeaders"][name] = json!([value]);
        }
        read(event)
    }

    #[test]
    fn no_header_makes_an_event_unreadable() {
        let values = ["", "%", "http, https", "[", "a b", "é", "\u{1}", "\n", "\u{7f}", "\"", "😀"];
        let names = ["Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Content-Type", "Prefer", "Expect", "a b", "", "é", "\n"];
        for name in names {
            for value in values {
                for host in [None, Some(("host", "shop.example.com"))] {
                    let headers: Vec<_> = host.into_iter().chain([(name, value)]).collect();
                    assert_eq!(sent(&headers).uri(), "/payment", "{headers:?}");
                }
            }
        }
    }

    #[test]
    fn headers_that_functions_read_are_kept_whatever_their_case() {
        for name in ["content-type", "Content-Type", "CONTENT-TYPE"] {
            assert_eq!(sent(&[(name, "application/json")]).headers()["content-type"], "application/json");
        }
        for name in ["ACCEPT", "Stripe-Signature", "Paypal-Transmission-Sig", "PAYPAL-CERT-URL"] {
            assert_eq!(sent(&[(name, "t=1,v1=ab")]).headers()[name], "t=1,v1=ab");
        }
        let mut event = test_aws::request("POST", "/payment").into_event();
        event["multiValueHeaders"] = json!({"Prefer": ["wait=1", "respond-async"], "X-Amzn-Trace-Id": ["Root=1"]});
        let request = read(event);
        let prefer: Vec<&str> = request.headers().get_all("prefer").into_iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!((prefer, request.headers().len()), (vec!["wait=1", "respond-async"], 2));
    }

    #[test]
    fn single_values_count_where_there_are_no_lists() {
        let mut event = test_aws::request("GET", "/orders").header("prefer", "wait=1").query("next", "x").into_event();
        for lists in ["multiValueHeaders", "multiValueQueryStringParameters"] {
            event.as_object_mut().unwrap().remove(lists);
        }
        let request = read(event);
        assert_eq!(request.headers()["prefer"], "wait=1");
        assert_eq!(request.query_string_parameters().first("next"), Some("x"));
    }

    #[test]
    fn what_a_client_writes_into_path_and_query_arrives() {
        for text in ["a b", "é", "%", "&", "#", "\n", "\u{0}", "[", "\"", "<", "{", "|", "^", "`", "\\", "%zz", "\u{fffd}", ""] {
            let mut event =
                test_aws::request("GET", "/orders/x").query("next", text).path_parameter("order_id", text).into_event();
            event["path"] = json!(format!("/orders/{text}"));
            let request = read(event);
            assert_eq!(request.query_string_parameters().first("next"), Some(text));
            assert_eq!(request.path_parameters().first("order_id"), Some(text));
            assert_eq!(request.raw_http_path(), format!("/orders/{text}"));
        }
    }

    #[test]
    fn a_request_is_read_as_lambda_http_reads_it() {
        for event in ["checkout/ok.json", "get-order/list.json", "manage-sale/ok.json", "health/ok.json"] {
            let (ours, theirs) = (read(test_aws::event_value(event)), test_aws::event(event));
            assert_eq!((ours.method(), ours.body()), (theirs.method(), theirs.body()), "{event}");
            assert_eq!(ours.raw_http_path(), theirs.raw_http_path(), "{event}");
            assert_eq!(ours.path_parameters(), theirs.path_parameters(), "{event}");
            assert_eq!(ours.query_string_parameters(), theirs.query_string_parameters(), "{event}");
            assert_eq!(ours.headers().get("content-type"), theirs.headers().get("content-type"), "{event}");
            let context = |request: &Request| serde_json::to_value(request.request_context()).unwrap();
            assert_eq!(context(&ours), context(&theirs), "{event}");
        }
    }

    /// Found by the fuzz target `event`.
    #[test]
    fn a_body_that_is_not_in_base_64_though_the_event_says_so_stays_as_it_is() {
        for text in ["{}", "eyJ9", "eyJ=9", "e", "=", "é"] {
            let mut event = test_aws::request("POST", "/payment").body(text).into_event();
            event["isBase64Encoded"] = json!(true);
            let expected = base64::decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
            assert_eq!(read(event).body().as_ref(), expected, "{text}");
        }
    }

    #[test]
    fn a_reply_has_status_headers_and_body() {
        let mut response = Response::new(Body::Text("{}".to_owned()));
        response.headers_mut().append("prefer", HeaderValue::from_static("a"));
        response.headers_mut().append("prefer", HeaderValue::from_static("b"));
        let told = serde_json::to_value(reply(response)).unwrap();
        assert_eq!((&told["statusCode"], &told["body"]), (&json!(200), &json!("{}")));
        assert_eq!((&told["multiValueHeaders"], &told["isBase64Encoded"]), (&json!({"prefer": ["a", "b"]}), &json!(false)));
        let empty = serde_json::to_value(reply(Response::new(Body::Empty))).unwrap();
        assert_eq!(empty.get("body").unwrap_or(&Value::Null), &Value::Null);
    }
}
