//! What API Gateway checks of a body before it asks a function: the shape, and no more.
//!
//! A model refuses only what the function would refuse as `malformed-request`: what is no object, lacks a member, has one of
//! another type, or one that operators' bodies may not have. Lengths, ranges and formats are the function's, which says where
//! the fault is. A member that may be left out or `null` is not described: API Gateway's dialect has no one word for it.

use serde_json::{Map, Value, json};

use crate::{Described, Route};

/// The model of a route's body: its name, and JSON schema draft 4. `None`: the route reads no body, or not always one.
#[must_use]
pub fn gateway_model(route: &Route) -> Option<(String, Value)> {
    let body = route.body.as_ref().filter(|body| body.is_required)?;
    let name = named(&body.schema.schema)?;
    Some((name.to_owned(), shape(&body.schema, &body.schema.schema)))
}

fn shape(described: &Described, schema: &Value) -> Value {
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
