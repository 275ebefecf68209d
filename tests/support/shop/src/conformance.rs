//! Checks whether `docs/openapi.json` describes an answer: its status, its headers, and every member of its body.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, Mutex},
};

use contract::{Place, Route};
use jsonschema::Validator;
use kit::Response;
use serde_json::{Value, json};

/// Of these headers, an answer has exactly those that are described.
const DESCRIBED_HEADERS: [&str; 3] = ["link", "location", "retry-after"];

/// The API's description, with which answers are compared.
pub struct Conformance {
    description: Value,
    /// Every component, closed: an object has only the members that are described.
    components: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// An answer from any source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as it was sent; empty if there is none.
    pub body: String,
}

impl From<&Response> for Answered {
    fn from(response: &Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: String::from_utf8_lossy(response.body().as_ref()).into_owned(),
        }
    }
}

impl Conformance {
    /// The description generated from the route table. A drift check compares it with `docs/openapi.json`.
    pub fn of_the_contract() -> &'static Self {
        static CONTRACT: LazyLock<Conformance> = LazyLock::new(|| Conformance::of(contract::openapi(&contract::routes())));
        &CONTRACT
    }

    /// Uses this description.
    pub fn of(description: Value) -> Self {
        let components = json!({"schemas": closed(&description["components"]["schemas"])});
        Self { description, components, validators: Mutex::default() }
    }

    /// Whether the contract has a route for `path`, which has no stage and no query.
    pub fn has_route(&self, method: &str, path: &str) -> bool {
        self.operation(method, path).is_some()
    }

    /// The faults of an answer to `method` of `path`, which has no stage and no query.
    pub fn faults(&self, method: &str, path: &str, answer: &Answered) -> Vec<String> {
        let Some((route, operation)) = self.operation(method, path) else {
            return vec![format!("{method} {path} is no route of the contract")];
        };
        let at = format!("{method} {route} {}", answer.status);
        let Some(response) = operation["responses"].get(answer.status.to_string()) else {
            return vec![format!("{at} is not documented: {}", answer.body)];
        };
        let response = self.resolved(response);
        let mut faults = self.header_faults(response, answer);
        faults.extend(self.body_faults(&at, response, answer));
        faults.into_iter().map(|fault| format!("{at}: {fault}")).collect()
    }

    /// The faults of a request of `route`, an event of API Gateway: its parameters and its body. Ignores everything
    /// that the route does not read.
    pub fn request_faults(&self, route: &Route, event: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        for parameter in &route.parameters {
            let given = match parameter.place {
                Place::Path => &event["pathParameters"][parameter.name],
                Place::Query => &event["queryStringParameters"][parameter.name],
                Place::Header => &event["headers"][parameter.name],
            };
            if given.is_null() && parameter.is_required {
                faults.push(format!("{} is missing", parameter.name));
            } else if let Some(text) = given.as_str() {
                // In a path, a query or a header, a number or `true` is a text.
                let values = [Some(json!(text)), serde_json::from_str(text).ok()].into_iter().flatten();
                let validator = self.validator(&format!("{} {}", route.name, parameter.name), &parameter.schema.schema);
                if !values.into_iter().any(|value| validator.is_valid(&value)) {
                    faults.push(format!("{} is not as described: {text}", parameter.name));
                }
            }
        }
        if let Some(body) = &route.body {
            match event["body"].as_str().map(|text| sent(event, text)) {
                None if body.is_required => faults.push("the body is missing".to_owned()),
                None => {}
                Some(text) => match serde_json::from_str(&text) {
                    Ok(json) => faults.extend(self.json_faults(&format!("{} request", route.name), &body.schema.schema, &json)),
                    Err(fault) => faults.push(format!("the body is not JSON: {fault}")),
                },
            }
        }
        faults
    }

    fn json_faults(&self, at: &str, schema: &Value, json: &Value) -> Vec<String> {
        let faults =
            |fault: jsonschema::ValidationError<'_>| format!("{fault} at {:?}: {json}", fault.instance_path().to_string());
        self.validator(at, schema).iter_errors(json).map(faults).collect()
    }

    /// The route that matches `path`, with its operation.
    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let paths = self.description["paths"].as_object()?;
        let mut found = paths.iter().filter(|(template, _)| is_path_of(path, template));
        found.find_map(|(template, item)| Some((template.as_str(), item.get(method.to_lowercase())?)))
    }

    fn header_faults(&self, response: &Value, answer: &Answered) -> Vec<String> {
        let described: BTreeMap<String, &Value> = response["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, header)| (name.to_lowercase(), self.resolved(header)))
            .collect();
        let missing = described.iter().filter(|(name, header)| header["required"] == true && !answer.headers.contains_key(*name));
        let unknown =
            DESCRIBED_HEADERS.iter().filter(|name| answer.headers.contains_key(**name) && !described.contains_key(**name));
        let missing = missing.map(|(name, _)| format!("the header {name} is missing"));
        let mut faults: Vec<String> = missing.chain(unknown.map(|name| format!("the header {name} is not documented"))).collect();
        for (name, header) in &described {
            let Some(text) = answer.headers.get(name) else { continue };
            // In a header a number is a text.
            let mut values = [Some(json!(text)), serde_json::from_str(text).ok()].into_iter().flatten();
            if !values.any(|value| self.validator(&header["schema"].to_string(), &header["schema"]).is_valid(&value)) {
                faults.push(format!("the header {name} is {text:?}"));
            }
        }
        faults
    }

    fn body_faults(&self, at: &str, response: &Value, answer: &Answered) -> Vec<String> {
        let declared = answer.headers.get("content-type").and_then(|text| text.split(';').next()).unwrap_or_default();
        let described = response["content"].as_object();
        let of_this_type = described.and_then(|content| content.iter().find(|(media_type, _)| *media_type == declared));
        let Some((media_type, content)) = of_this_type.or_else(|| described.and_then(|content| content.iter().next())) else {
            return if answer.body.is_empty() { Vec::new() } else { vec![format!("has a body: {}", answer.body)] };
        };
        let mut faults = Vec::new();
        if declared != media_type {
            faults.push(format!("is {declared:?}, not {media_type}"));
        }
        if media_type == "text/csv" {
            return faults;
        }
        let Ok(body) = serde_json::from_str::<Value>(&answer.body) else {
            faults.push(format!("the body is not JSON: {}", answer.body));
            return faults;
        };
        faults.extend(self.json_faults(at, &content["schema"], &body));
        if media_type == "application/problem+json" && body["status"] != answer.status {
            faults.push(format!("the problem has another status: {body}"));
        }
        faults
    }

    /// The validator of a schema, compiled once for each `at`.
    fn validator(&self, at: &str, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let compile = || {
            let whole = json!({"allOf": [schema], "components": self.components});
            Arc::new(jsonschema::draft202012::options().should_validate_formats(true).build(&whole).expect("a JSON schema"))
        };
        validators.entry(at.to_owned()).or_insert_with(compile).clone()
    }

    /// The target of a reference.
    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
            Some(pointer) => self.description.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not described")),
            None => value,
        }
    }
}

/// The body of an event as the client sent it: API Gateway encodes some bodies in base 64.
fn sent(event: &Value, text: &str) -> String {
    if event["isBase64Encoded"] != true {
        return text.to_owned();
    }
    let event = serde_json::to_string(event).unwrap();
    let request = lambda_http::request::from_str(&event).expect("an event of a REST API");
    String::from_utf8_lossy(request.body().as_ref()).into_owned()
}

/// Whether `path` is the template's path, or one with values in the place of its parameters.
fn is_path_of(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len()
        && path.iter().zip(&template).all(|(one, other)| one == other || (other.starts_with('{') && !one.is_empty()))
}

/// Clients are told that members may be added. In these tests they may not: a member without a description is a fault.
/// A part of another schema, by `allOf`, stays open, and the whole is closed.
fn closed(schemas: &Value) -> Value {
    let schemas = schemas.as_object().expect("components");
    let parts: Vec<&str> = schemas
        .values()
        .flat_map(|schema| schema["allOf"].as_array().into_iter().flatten())
        .filter_map(|part| part["$ref"].as_str()?.rsplit('/').next())
        .collect();
    let close = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let has_members = schema["properties"].is_object() || schema["allOf"].is_array();
        if has_members && !parts.contains(&name.as_str()) {
            schema["unevaluatedProperties"] = json!(false);
        }
        (name.clone(), schema)
    };
    Value::Object(schemas.iter().map(close).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &Value) -> Answered {
        let media_type = if status < 400 { "application/json" } else { "application/problem+json" };
        let headers = [("content-type", media_type), ("x-request-id", "r-1")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Answered { status, headers, body: body.to_string() }
    }

    fn faults(method: &str, path: &str, answer: &Answered) -> Vec<String> {
        Conformance::of_the_contract().faults(method, path, answer)
    }

    #[track_caller]
    fn noticed(faults: &[String], what: &str) {
        assert!(faults.len() == 1 && faults[0].contains(what), "expected {what:?}, found {faults:#?}");
    }

    fn inventory() -> Value {
        json!({"product_id": "demo", "available_quantity": 3, "as_of": "2026-11-01T12:00:00Z"})
    }

    fn sold_out() -> Value {
        json!({
            "type": "/problems/sold-out", "title": "Sold out", "status": 409, "instance": "r-1", "code": "sold-out",
            "available_quantity": 0, "holds": {"count": 1},
        })
    }

    #[test]
    fn what_is_described_is_no_fault() {
        assert_eq!(faults("GET", "/inventory/demo", &answered(200, &inventory())), [""; 0]);
        assert_eq!(faults("POST", "/add-to-cart", &answered(409, &sold_out())), [""; 0]);
        let nothing = Answered { body: String::new(), ..answered(204, &Value::Null) };
        assert_eq!(faults("DELETE", "/reservations/x", &nothing), [""; 0]);
    }

    #[test]
    fn what_is_not_described_is_a_fault() {
        let inventory_with = |name: &str, value: Value| {
            let mut body = inventory();
            body[name] = value;
            faults("GET", "/inventory/demo", &answered(200, &body))
        };
        noticed(&inventory_with("price", json!(1)), "'price' was unexpected");
        noticed(&inventory_with("product_id", json!("DEMO")), "does not match");
        noticed(&inventory_with("as_of", json!("noon")), "is not a \"date-time\"");
        noticed(&inventory_with("available_quantity", json!(-1)), "less than the minimum");
        noticed(&faults("GET", "/nowhere", &answered(200, &inventory())), "is no route");
        noticed(&faults("GET", "/inventory/demo", &answered(409, &sold_out())), "is not documented");
        noticed(&faults("DELETE", "/reservations/x", &answered(204, &inventory())), "has a body");
    }

    #[test]
    fn a_refusal_has_one_of_the_codes_of_its_status_with_the_members_of_that_code() {
        let refused_with = |status: u16, name: &str, value: Value| {
            let mut body = sold_out();
            body[name] = value;
            faults("POST", "/add-to-cart", &answered(status, &body))
        };
        noticed(&refused_with(409, "code", json!("gone")), "is not valid under any");
        noticed(&refused_with(409, "holds", json!({"count": 1, "whose": "ann"})), "is not valid under any");
        noticed(&refused_with(409, "status", json!(410)), "another status");
        // The code, the type and the members belong to another refusal.
        let of_another_status = refused_with(410, "status", json!(410));
        assert!(of_another_status.iter().any(|fault| fault.contains("\"sale-ended\" was expected")), "{of_another_status:#?}");
        let mut as_text = answered(409, &sold_out());
        as_text.headers.insert("content-type".to_owned(), "text/plain".to_owned());
        noticed(&faults("POST", "/add-to-cart", &as_text), "not application/problem+json");
    }

    #[test]
    fn headers_are_there_when_they_are_described_and_only_then() {
        let mut nameless = answered(200, &inventory());
        nameless.headers.remove("x-request-id");
        noticed(&faults("GET", "/inventory/demo", &nameless), "x-request-id is missing");
        let mut patient = answered(200, &inventory());
        patient.headers.insert("retry-after".to_owned(), "1".to_owned());
        noticed(&faults("GET", "/inventory/demo", &patient), "retry-after is not documented");
        let throttled =
            json!({"type": "/problems/rate-limited", "title": "t", "status": 429, "instance": "r-1", "code": "rate-limited"});
        let mut later = answered(429, &throttled);
        later.headers.insert("retry-after".to_owned(), "1".to_owned());
        assert_eq!(faults("GET", "/inventory/demo", &later), [""; 0]);
        later.headers.insert("retry-after".to_owned(), "soon".to_owned());
        noticed(&faults("GET", "/inventory/demo", &later), "retry-after is \"soon\"");
        let again = json!({"type": "/problems/try-again", "title": "t", "status": 503, "instance": "r-1", "code": "try-again"});
        noticed(&faults("GET", "/inventory/demo", &answered(503, &again)), "retry-after is missing");
    }
}
