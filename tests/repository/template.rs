//! `template.yaml` by name: its functions, and the resources that a value refers to.

use std::collections::BTreeMap;

use serde_json::Value;

/// One function of the template, with what `Globals` gives it.
#[derive(Debug, Clone)]
pub struct Function {
    /// The logical id: `ReserveFunction`.
    pub logical_id: String,
    /// The name of its folder and crate: `reserve`.
    pub name: String,
    /// The handler that Lambda passes to the bootstrap.
    pub handler: String,
    /// The binary that becomes its bootstrap.
    pub binary: String,
    /// Its `Properties` and `Metadata`.
    pub resource: Value,
    /// Seconds after which Lambda ends an invocation.
    pub timeout_seconds: i64,
    /// Its environment variables, including those of `Globals`.
    pub variables: BTreeMap<String, Value>,
}

/// Every function, by name.
#[must_use]
pub fn functions(template: &Value) -> BTreeMap<String, Function> {
    let globals = &template["Globals"]["Function"];
    resources(template, "AWS::Serverless::Function")
        .map(|(logical_id, resource)| {
            let own = &resource["Properties"];
            let variables = [globals, own]
                .iter()
                .filter_map(|place| place["Environment"]["Variables"].as_object())
                .flatten()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let timeout_seconds = own["Timeout"].as_i64().or_else(|| globals["Timeout"].as_i64()).unwrap_or(3);
            let name = folder_name(logical_id);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let function = Function {
                logical_id: logical_id.to_owned(),
                name: name.clone(),
                handler: text(&own["Handler"]),
                binary: text(&resource["Metadata"]["BuildProperties"]["Binary"]),
                resource: resource.clone(),
                timeout_seconds,
                variables,
            };
            (name, function)
        })
        .collect()
}

/// The resources of one type, with their logical ids.
pub fn resources<'t>(template: &'t Value, kind: &'t str) -> impl Iterator<Item = (&'t str, &'t Value)> {
    let all = template["Resources"].as_object().expect("the template has Resources");
    all.iter().filter(move |(_, resource)| resource["Type"] == kind).map(|(id, resource)| (id.as_str(), resource))
}

/// `ReserveFunction` → `reserve`, `PlaceOrderFunction` → `place-order`.
#[must_use]
pub fn folder_name(logical_id: &str) -> String {
    let stem = logical_id.strip_suffix("Function").unwrap_or(logical_id);
    let mut name = String::new();
    for (place, letter) in stem.char_indices() {
        if letter.is_ascii_uppercase() && place > 0 {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// The logical id that a value refers to: `X` for `!Ref X` and for `!GetAtt X.Arn`.
#[must_use]
pub fn target(value: &Value) -> Option<&str> {
    let id = value["Ref"].as_str().or_else(|| value["Fn::GetAtt"].as_str())?;
    id.split('.').next()
}

/// A text or a list of texts, as IAM writes actions and resources.
#[must_use]
pub fn one_or_many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![value],
    }
}

/// Whether the filters of an event source mapping pass a record, by the rules for lists of values and prefixes.
///
/// # Panics
/// When a filter has another rule.
#[must_use]
pub fn passes(mapping: &Value, record: &Value) -> bool {
    let filters = mapping["Properties"]["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
    let patterns = filters.map(|filter| filter["Pattern"].as_str().expect("a filter has a pattern"));
    patterns.map(|pattern| serde_json::from_str(pattern).expect("a pattern is JSON")).any(|pattern| matches(&pattern, record))
}

/// A list in a pattern has the rules of which one has to hold.
fn matches(pattern: &Value, record: &Value) -> bool {
    let holds = |rule: &Value| {
        if let Some(prefix) = rule["prefix"].as_str() {
            return record.as_str().is_some_and(|text| text.starts_with(prefix));
        }
        assert!(!rule.is_object(), "this rule is not known here: {rule}");
        record == rule
    };
    match pattern.as_object() {
        Some(members) => members.iter().all(|(name, pattern)| matches(pattern, &record[name])),
        None => pattern.as_array().is_some_and(|rules| rules.iter().any(holds)),
    }
}
