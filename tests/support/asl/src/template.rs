//! JSON that contains expressions, as in the fields `Output`, `Payload` and `Condition`.

use serde::Deserialize;
use serde_json::Value;

use crate::jsonata::Expression;

/// The error that Step Functions raises for an expression that fails or has no value.
pub(crate) const EVALUATION_ERROR: &str = "States.QueryEvaluationError";

/// JSON that contains expressions.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) enum Template {
    Plain(Value),
    Computed(Expression),
    Object(Vec<(String, Template)>),
}

impl TryFrom<Value> for Template {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => match text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}")) {
                Some(expression) => Expression::parse(expression).map(Self::Computed),
                None if text.contains("{%") || text.contains("${") => Err(format!("neither a text nor an expression: {text:?}")),
                None => Ok(Self::Plain(Value::String(text))),
            },
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| Ok((name, Self::try_from(value)?)));
                members.collect::<Result<_, String>>().map(Self::Object)
            }
            Value::Array(_) => Err("lists are not known in the state machine".to_owned()),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Ok(Self::Plain(plain)),
        }
    }
}

impl Template {
    /// The value, where `$states` is `states`.
    ///
    /// # Errors
    /// [`EVALUATION_ERROR`] when an expression has no value.
    pub(crate) fn value(&self, states: &Value) -> Result<Value, String> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Computed(expression) => expression.value(states).ok().flatten().ok_or_else(|| EVALUATION_ERROR.to_owned()),
            Self::Object(members) => {
                let member = |(name, value): &(String, Self)| Ok((name.clone(), value.value(states)?));
                members.iter().map(member).collect::<Result<_, _>>().map(Value::Object)
            }
        }
    }
}

/// An expression whose value is true or false.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Template")]
pub(crate) struct Condition(Expression);

impl TryFrom<Template> for Condition {
    type Error = String;

    fn try_from(template: Template) -> Result<Self, String> {
        match template {
            Template::Computed(expression) if expression.is_condition() => Ok(Self(expression)),
            other @ (Template::Plain(_) | Template::Computed(_) | Template::Object(_)) => {
                Err(format!("neither true nor false: {other:?}"))
            }
        }
    }
}

impl Condition {
    /// Whether it is true, where `$states` is `states`.
    ///
    /// # Errors
    /// [`EVALUATION_ERROR`] when an expression in it fails.
    pub(crate) fn holds(&self, states: &Value) -> Result<bool, String> {
        self.0.is_true(states).map_err(|_| EVALUATION_ERROR.to_owned())
    }
}
