//! A request, and the event that API Gateway's REST API makes from it for a proxy integration behind the authorizer.

use serde_json::{Map, Value, json};

use crate::{ids, json::sorted, values::START_MILLISECONDS};

const DOMAIN: &str = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";
/// In the year 9999.
const NEVER: &str = "253370764800";
const STAGE: &str = "v1";
const USER_AGENT: &str = "flash-sale-events/1.0";
const ADDRESS: &str = "203.0.113.7";

/// The caller of a request.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The token's subject.
    pub id: &'static str,
    /// The caller's group in the operators' user pool. Shoppers have none.
    pub group: Option<&'static str>,
}

/// A request of a client.
#[derive(Debug, Clone)]
pub struct Request {
    /// In capitals.
    pub method: &'static str,
    /// The route's path, with its parameter: `/orders/{order_id}`.
    pub route: &'static str,
    parameter: Option<&'static str>,
    query: Vec<(&'static str, &'static str)>,
    headers: Map<String, Value>,
    caller: Option<Caller>,
    body: Option<String>,
    is_base64: bool,
}

pub(crate) fn get(route: &'static str) -> Request {
    request("GET", route)
}

pub(crate) fn post(route: &'static str) -> Request {
    request("POST", route)
}

pub(crate) fn put(route: &'static str) -> Request {
    request("PUT", route)
}

pub(crate) fn delete(route: &'static str) -> Request {
    request("DELETE", route)
}

/// A request without identity and body.
fn request(method: &'static str, route: &'static str) -> Request {
    let headers = [
        ("Accept", "application/json"),
        ("Host", DOMAIN),
        ("User-Agent", USER_AGENT),
        ("X-Amzn-Trace-Id", "Root=1-690df280-3f2a1b4c5d6e7f8091a2b3c4"),
        ("X-Forwarded-For", ADDRESS),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    Request { method, route, parameter: None, query: Vec::new(), headers, caller: None, body: None, is_base64: false }
}

impl Request {
    /// Sets the value of the path's parameter.
    pub(crate) fn of(self, parameter: &'static str) -> Self {
        Self { parameter: Some(parameter), ..self }
    }

    /// Sets the caller.
    pub(crate) fn by(self, caller: Caller) -> Self {
        let token = "Bearer eyJraWQiOiJleGFtcGxlIn0.e30.c2lnbmF0dXJl";
        Self { caller: Some(caller), ..self }.header("Authorization", token)
    }

    /// Adds a parameter to the query.
    pub(crate) fn query(mut self, name: &'static str, value: &'static str) -> Self {
        self.query.push((name, value));
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), json!(value));
        self
    }

    /// Sets a JSON body.
    pub(crate) fn json(self, body: Value) -> Self {
        self.text(&sorted(body).to_string())
    }

    /// Sets a body that is declared as JSON.
    pub(crate) fn text(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    /// Sets a JSON body without its closing braces.
    pub(crate) fn broken_json(self, body: Value) -> Self {
        self.text(sorted(body).to_string().trim_end_matches('}'))
    }

    /// Sets a JSON body in the form in which API Gateway passes a body that it considers binary.
    pub(crate) fn base64(self, body: Value) -> Self {
        let text = aws_smithy_types::base64::encode(sorted(body).to_string());
        Self { is_base64: true, ..self.text(&text) }
    }

    /// Sets a body of this type.
    pub(crate) fn body(self, content_type: &str, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..self }.header("Content-Type", content_type)
    }

    /// The path in the client's request.
    fn path(&self) -> String {
        let value = |segment: &str| if is_parameter(segment) { self.parameter.unwrap().to_owned() } else { segment.to_owned() };
        self.route.split('/').map(value).collect::<Vec<_>>().join("/")
    }

    /// The event; `names` are those of function and case.
    pub(crate) fn event(&self, names: &[&str; 2]) -> Value {
        let path = self.path();
        let parameter = self.route.split('/').find(|segment| is_parameter(segment));
        let parameters = parameter.map(|name| json!({name.trim_matches(['{', '}']): self.parameter}));
        json!({
            "resource": self.route,
            "path": path,
            "httpMethod": self.method,
            "headers": self.headers,
            "multiValueHeaders": self.headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect::<Map<_, _>>(),
            "queryStringParameters": self.parameters(|value| json!(value)),
            "multiValueQueryStringParameters": self.parameters(|value| json!([value])),
            "pathParameters": parameters,
            "stageVariables": null,
            "requestContext": self.context(&path, names),
            "body": self.body,
            "isBase64Encoded": self.is_base64,
        })
    }

    /// The query's parameters; null if it has none.
    fn parameters(&self, form: fn(&str) -> Value) -> Value {
        let parameters: Map<String, Value> = self.query.iter().map(|(name, value)| ((*name).to_owned(), form(value))).collect();
        if parameters.is_empty() { Value::Null } else { Value::Object(parameters) }
    }

    fn context(&self, path: &str, names: &[&str; 2]) -> Value {
        let mut context = json!({
            "resourceId": &ids::digits(&[self.route])[..6],
            "resourcePath": self.route,
            "httpMethod": self.method,
            "extendedRequestId": "YHk2LGxoIAMEbRw=",
            "requestTime": "01/Nov/2026:12:00:00 +0000",
            "requestTimeEpoch": START_MILLISECONDS,
            "path": format!("/{STAGE}{path}"),
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": STAGE,
            "domainPrefix": DOMAIN.split('.').next(),
            "domainName": DOMAIN,
            "deploymentId": "d3p10y",
            "apiId": DOMAIN.split('.').next(),
            "requestId": ids::uuid(&[names[0], names[1], "request"]),
            "identity": {
                "cognitoIdentityPoolId": null,
                "accountId": null,
                "cognitoIdentityId": null,
                "caller": null,
                "sourceIp": ADDRESS,
                "principalOrgId": null,
                "accessKey": null,
                "cognitoAuthenticationType": null,
                "cognitoAuthenticationProvider": null,
                "userArn": null,
                "userAgent": USER_AGENT,
                "user": null,
            },
        });
        if let Some(caller) = self.caller {
            context["authorizer"] = caller.granted();
        }
        context
    }
}

impl Caller {
    /// What the authorizer granted, as API Gateway passes it on: all of it is text. The token does not end, because the events are
    /// also sent to functions on the real clock.
    fn granted(self) -> Value {
        let realm = if self.group.is_some() { "operators" } else { "customers" };
        json!({
            "principalId": self.id,
            "realm": realm,
            "groups": self.group.unwrap_or_default(),
            "exp": NEVER,
            "integrationLatency": 12,
        })
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}
