//! Successful responses. No cache may store them, except for public reads.

use lambda_http::{
    Body, Request, RequestExt,
    http::{HeaderValue, StatusCode, header},
};
use serde::Serialize;

use crate::{Problem, Response};

/// Stock figures may be a second old. A CDN may cache them for a second, so that any number of readers costs one request a
/// second.
const PUBLIC: &str = "public, max-age=1";
const PRIVATE: &str = "no-store";

/// A JSON body for its caller only.
#[must_use]
pub fn ok_json<T: Serialize + ?Sized>(status: u16, body: &T) -> Response {
    json(status, PRIVATE, body)
}

/// A JSON body that is the same for every caller and may be a second old.
#[must_use]
pub fn public_json<T: Serialize + ?Sized>(body: &T) -> Response {
    json(200, PUBLIC, body)
}

/// 200 with rows as CSV (RFC 4180), for their caller only. `next` is the query of the next page; it becomes the header `Link`
/// (RFC 8288), relative to the request.
#[must_use]
pub fn csv(rows: String, next: Option<&str>) -> Response {
    let mut response = Response::new(Body::Text(rows));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(PRIVATE));
    if let Some(link) = next.and_then(|query| HeaderValue::from_str(&format!("<?{query}>; rel=\"next\"")).ok()) {
        headers.insert(header::LINK, link);
    }
    response
}

/// Whether the client asks for CSV: its `Accept` names it, whatever else it names.
#[must_use]
pub fn accepts_csv(request: &Request) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let types = accepted.flat_map(|list| list.split(',')).map(|one| one.split(';').next().unwrap_or_default().trim());
    types.into_iter().any(|one| one.eq_ignore_ascii_case("text/csv"))
}

/// Adds a header, unless `value` is none. `name` is lower case.
#[must_use]
pub fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// 204: done, without a body.
#[must_use]
pub fn no_content() -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(PRIVATE));
    response
}

/// Adds the address of the created resource, `path` in the API. It is relative to the client's own address, because the function
/// does not know what a client sees before the route: a stage, a custom domain's base path, the emulator's prefix (RFC 9110,
/// section 10.2.2).
#[must_use]
pub fn with_location(mut response: Response, request: &Request, path: &str) -> Response {
    let ups = "../".repeat(folders_above(request));
    if let Ok(location) = HeaderValue::from_str(&format!("{ups}{}", path.trim_start_matches('/'))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The number of folders between the API's root and the last slash of the client's path.
fn folders_above(request: &Request) -> usize {
    let in_route = super::route(request).trim_matches('/').matches('/').count();
    in_route + usize::from(request.raw_http_path().ends_with('/'))
}

fn json<T: Serialize + ?Sized>(status: u16, cache: &'static str, body: &T) -> Response {
    let text = match serde_json::to_string(body) {
        Ok(text) => text,
        // A map without string keys in one of our own types.
        Err(fault) => return Problem::internal(&fault).into_response(),
    };
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_private_answer_is_not_stored_and_a_public_one_lives_a_second() {
        assert_snapshot!(test_aws::response(&ok_json(201, &json!({"success": true}))), @r#"
        201 Created
        cache-control: no-store
        content-type: application/json

        {
          "success": true
        }
        "#);
        assert_snapshot!(test_aws::response(&public_json(&json!({"available_quantity": 3}))), @r#"
        200 OK
        cache-control: public, max-age=1
        content-type: application/json

        {
          "available_quantity": 3
        }
        "#);
    }

    #[test]
    fn csv_is_answered_to_a_client_that_names_it_and_leads_to_the_next_page() {
        for (accept, is_csv) in [
            ("text/csv", true),
            ("application/json, TEXT/CSV;q=0.9", true),
            ("application/json", false),
            ("text/*", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(accepts_csv(&test_aws::request("GET", "/").header("accept", accept).build()), is_csv, "{accept}");
        }
        assert!(!accepts_csv(&test_aws::request("GET", "/").build()));
        assert_snapshot!(test_aws::response(&csv("a,b\r\n".to_owned(), Some("next=1"))), @r#"
        200 OK
        cache-control: no-store
        content-type: text/csv; charset=utf-8
        link: <?next=1>; rel="next"

        a,b
        "#);
        assert!(!csv(String::new(), None).headers().contains_key("link"));
    }

    #[test]
    fn nothing_to_say_is_said_without_a_body() {
        assert_snapshot!(test_aws::response(&no_content()), @r#"
        204 No Content
        cache-control: no-store
        "#);
    }

    #[test]
    fn a_location_leads_to_the_resource_from_wherever_the_client_sees_the_api() {
        let roots = [
            "https://abc.execute-api.us-east-1.amazonaws.com/v1",
            "https://api.example.com",
            "https://api.example.com/shop/eu",
            "http://127.0.0.1:4566/restapis/abc/v1/_user_request_",
        ];
        let routes = [("/checkout", "/checkout"), ("/api/flash-sales/{product_id}/order", "/api/flash-sales/demo/order")];
        for (route, path) in routes {
            for path in [path.to_owned(), format!("{path}/")] {
                let mut event = test_aws::request("POST", &path).into_event();
                event["requestContext"]["resourcePath"] = json!(route);
                let request: Request = serde_json::from_value::<super::super::GatewayEvent>(event).unwrap().into();
                let response = with_location(ok_json(202, &json!({})), &request, "/orders/demo.1");
                let location = response.headers()["location"].to_str().unwrap();
                for root in roots {
                    let seen = url::Url::parse(&format!("{root}{path}")).unwrap();
                    assert_eq!(seen.join(location).unwrap().as_str(), format!("{root}/orders/demo.1"), "{location}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_written_as_json_is_an_internal_error() {
        let body = HashMap::from([(vec![1], 1)]);
        assert_eq!(ok_json(200, &body).status(), 500);
    }
}
