//! Requests as API Gateway's REST API passes them to a function.

use lambda_http::Request;
use serde_json::{Map, Value, json};

/// The end of a token that is good in every test: in the year 9999.
const NEVER: &str = "253370764800";

/// Starts a request. `path` is the client's path without the API's stage.
pub fn request(method: &str, path: &str) -> RequestBuilder {
    RequestBuilder {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Map::new(),
        query: Map::new(),
        path_parameters: Map::new(),
        granted: Map::new(),
        body: Value::Null,
    }
}

/// A request that is being built.
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    method: String,
    path: String,
    headers: Map<String, Value>,
    query: Map<String, Value>,
    path_parameters: Map<String, Value>,
    granted: Map<String, Value>,
    body: Value,
}

impl RequestBuilder {
    /// Sets the caller: a customer with a token that does not end.
    #[must_use]
    pub fn shopper(self, sub: &str) -> Self {
        let caller = self.granted("principalId", json!(sub)).granted("realm", json!("customers"));
        caller.granted("groups", json!("")).granted("exp", json!(NEVER))
    }

    /// Makes the caller an operator, with these groups.
    #[must_use]
    pub fn group(self, groups: &str) -> Self {
        self.granted("realm", json!("operators")).granted("groups", json!(groups))
    }

    /// Sets a member of what the authorizer granted.
    #[must_use]
    pub fn granted(mut self, name: &str, value: Value) -> Self {
        self.granted.insert(name.to_owned(), value);
        self
    }

    /// Sets a `{name}` of the route's path.
    #[must_use]
    pub fn path_parameter(mut self, name: &str, value: &str) -> Self {
        self.path_parameters.insert(name.to_owned(), json!(value));
        self
    }

    /// Sets a parameter of the query string.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), json!(value));
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), json!(value));
        self
    }

    /// Sets a JSON body and declares it as JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Sets a body of any kind, without declaring it.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Value::String(body.into());
        self
    }

    /// The request as a function receives it. Its id is `00000000-0000-0000-0000-000000000001`.
    pub fn build(self) -> Request {
        let event = self.into_event().to_string();
        lambda_http::request::from_str(&event).expect("an event of a REST API")
    }

    /// The event that API Gateway sends to Lambda.
    pub fn into_event(self) -> Value {
        // A client may end the path with a slash; the route has none.
        let route = self.path.trim_end_matches('/').to_owned();
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
            "resourcePath": route,
            "stage": "local",
        });
        if !self.granted.is_empty() {
            context["authorizer"] = Value::Object(self.granted);
        }
        json!({
            "resource": route,
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
