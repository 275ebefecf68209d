//! Reads a request's JSON: a field that is missing, too long or of another type is refused under its pointer.

use serde_json::Value;

use crate::{
    money::{Currency, Money},
    refusal::{Issue, Refusal},
};

/// The longest custom id and invoice id, in characters (Orders v2).
pub(crate) const LONGEST_ID: usize = 127;

/// An optional text of at most `longest` characters.
pub(crate) fn text<'b>(body: &'b Value, pointer: &str, longest: usize) -> Result<Option<&'b str>, Refusal> {
    let Some(found) = body.pointer(pointer).filter(|found| !found.is_null()) else { return Ok(None) };
    let text = found.as_str().ok_or_else(|| Refusal::at(Issue::InvalidParameterSyntax, pointer))?;
    if text.is_empty() || text.chars().count() > longest {
        return Err(Refusal::at(Issue::InvalidStringLength, pointer));
    }
    Ok(Some(text))
}

/// As `text`, to keep.
pub(crate) fn kept_text(body: &Value, pointer: &str, longest: usize) -> Result<Option<String>, Refusal> {
    Ok(text(body, pointer, longest)?.map(ToOwned::to_owned))
}

/// A text that must be there.
pub(crate) fn required<'b>(body: &'b Value, pointer: &str, longest: usize) -> Result<&'b str, Refusal> {
    text(body, pointer, longest)?.ok_or_else(|| Refusal::at(Issue::MissingRequiredParameter, pointer))
}

/// An optional `{currency_code, value}`.
pub(crate) fn money(body: &Value, pointer: &str) -> Result<Option<Money>, Refusal> {
    if body.pointer(pointer).is_none_or(Value::is_null) {
        return Ok(None);
    }
    let (code_at, value_at) = (format!("{pointer}/currency_code"), format!("{pointer}/value"));
    let code = required(body, &code_at, 3)?;
    let value = required(body, &value_at, 100)?;
    if code.len() != 3 {
        return Err(Refusal::at(Issue::InvalidStringLength, code_at));
    }
    let currency = Currency::of(code).ok_or_else(|| Refusal::at(Issue::InvalidCurrencyCode, code_at))?;
    Money::parse(currency, value).map(Some).map_err(|issue| Refusal::at(issue, value_at))
}

/// An optional boolean.
pub(crate) fn flag(body: &Value, pointer: &str) -> Result<Option<bool>, Refusal> {
    let Some(found) = body.pointer(pointer).filter(|found| !found.is_null()) else { return Ok(None) };
    found.as_bool().map(Some).ok_or_else(|| Refusal::at(Issue::InvalidParameterSyntax, pointer))
}

/// Refuses members that PayPal knows and the fake does not.
pub(crate) fn without(body: &Value, pointers: &[&str]) -> Result<(), Refusal> {
    match pointers.iter().find(|pointer| body.pointer(pointer).is_some_and(|found| !found.is_null())) {
        Some(pointer) => Err(Refusal::at(Issue::NotInTheFake, *pointer)),
        None => Ok(()),
    }
}
