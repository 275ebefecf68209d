//! API Gateway's request models: the gateway checks the shape of a body before it invokes the function.
//!
//! A model refuses only what the function would refuse as `malformed-request`: a body that is not an object, lacks a member, has
//! a member of another type or, for operators, an unknown member. The function checks lengths, ranges and formats, because it
//! can say where the fault is. A model leaves out members that may be missing or `null`: JSON schema draft 4 has no single word
//! for it.

use serde_json::{Map, Value, json};

use crate::{Route, TypeSchema};

/// The name and JSON schema (draft 4) of the model of a route's body. `None`: the route has no body, or an optional one.
#[must_use]
pub fn gateway_model(route: &Route) -> Option<(String, Value)> {
    let body = route.body.as_ref().filter(|body| body.is_required)?;
    let name = named(&body.schema.schema)?;
    Some((name.to_owned(), shape(&body.schema, &body.schema.schema)))
}

fn shape(described: &TypeSchema, schema: &Value) -> Value {
    if let Some(name) = named(schema) {
        return described.components.get(name).map_or(Value::Null, |schema| shape(described, schema));
    }
    let Some(kind) = schema.get("type").filter(|kind| kind.is_string()) else { return json!({}) };
    let mut shaped = Map::from_iter([("type".to_owned(), kind.clone())]);
    if let Some(Value::Object(properties)) = schema.get("properties") {
        let is_closed = schema.get("additionalProperties").is_some();
        let properties = properties.iter().map(|(name, schema)| (name.clone(), shape(described, schema)));
        let properties = properties.filter(|(_, shape)| is_closed || *shape != json!({})).collect();
        shaped.insert("properties".to_owned(), Value::Object(properties));
        let kept = ["required", "additionalProperties"].into_iter().filter_map(|key| Some((key, schema.get(key)?)));
        shaped.extend(kept.map(|(key, value)| (key.to_owned(), value.clone())));
    }
    Value::Object(shaped)
}

fn named(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}
