//! Requests as API Gateway's REST API hands them over.

use lambda_http::Request;
use serde_json::{Map, Value, json};

/// Starts a request. `path` is the one that the client asked for, without the stage.
pub fn request(method: &str, path: &str) -> RequestBuilder {
    RequestBuilder {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Map::new(),
        query: Map::new(),
        path_parameters: Map::new(),
        claims: Map::new(),
        body: Value::Null,
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    method: String,
    path: String,
    headers: Map<String, Value>,
    query: Map<String, Value>,
    path_parameters: Map<String, Value>,
    claims: Map<String, Value>,
    body: Value,
}

impl RequestBuilder {
    /// Who has signed in.
    #[must_use]
    pub fn shopper(self, sub: &str) -> Self {
        self.claim("sub", json!(sub))
    }

    /// The group of whoever has signed in.
    #[must_use]
    pub fn group(self, group: &str) -> Self {
        self.claim("cognito:groups", json!(group))
    }

    /// A claim of the token, as the authorizer hands it over.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// A `{name}` of the route's path.
    #[must_use]
    pub fn path_parameter(mut self, name: &str, value: &str) -> Self {
        self.path_parameters.insert(name.to_owned(), json!(value));
        self
    }

    /// A parameter of the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), json!(value));
        self
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), json!(value));
        self
    }

    /// A JSON body, declared as such.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// A body of any kind, not declared.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Value::String(body.into());
        self
    }

    /// The request as a function gets it. Its id is `00000000-0000-0000-0000-000000000001`.
    pub fn build(self) -> Request {
        let event = self.into_event().to_string();
        lambda_http::request::from_str(&event).expect("an event of a REST API")
    }

    /// The event as API Gateway hands it to Lambda.
    pub fn into_event(self) -> Value {
        let null_if_empty = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
        let lists = |map: &Map<String, Value>| map.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        let mut context = json!({
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.execute-api.us-east-1.amazonaws.com",
            "httpMethod": self.method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"},
            "path": format!("/local{}", self.path),
            "protocol": "HTTP/1.1",
            "requestId": "00000000-0000-0000-0000-000000000001",
            "requestTimeEpoch": 1_795_000_000_000_i64,
            "resourceId": "resource",
            "resourcePath": self.path,
            "stage": "local",
        });
        if !self.claims.is_empty() {
            context["authorizer"] = json!({"claims": self.claims});
        }
        json!({
            "resource": self.path,
            "path": self.path,
            "httpMethod": self.method,
            "multiValueHeaders": null_if_empty(lists(&self.headers)),
            "headers": null_if_empty(self.headers),
            "multiValueQueryStringParameters": null_if_empty(lists(&self.query)),
            "queryStringParameters": null_if_empty(self.query),
            "pathParameters": null_if_empty(self.path_parameters),
            "stageVariables": null,
            "requestContext": context,
            "body": self.body,
            "isBase64Encoded": false,
        })
    }
}
