//! `expand[]`: references that the client wants as whole objects: <https://docs.stripe.com/expand>.

use serde_json::{Value, json};

use crate::{books::Books, charge::Refund, form::Form, refusal::Refusal};

/// Object, member, and the object that the member refers to.
const REFERENCES: [(&str, &str, &str); 7] = [
    ("payment_intent", "latest_charge", "charge"),
    ("payment_intent", "payment_method", "payment_method"),
    ("charge", "payment_intent", "payment_intent"),
    ("charge", "refunds", "refund"),
    ("refund", "charge", "charge"),
    ("refund", "payment_intent", "payment_intent"),
    ("refund", "payment_method", "payment_method"),
];

/// The references to expand, checked before the endpoint runs.
pub(crate) struct Expansions(Vec<Vec<String>>);

impl Expansions {
    /// Reads the parameter of a request that answers with `object`, or with a list of them.
    pub(crate) fn read(form: &Form, object: &str, is_list: bool) -> Result<Self, Refusal> {
        let paths = form.list("expand")?.unwrap_or_default();
        let mut read = Vec::new();
        for path in paths {
            let segments: Vec<_> = path.split('.').map(str::to_owned).collect();
            let mut inner = segments.as_slice();
            let mut current = Some(object);
            if is_list {
                (current, inner) = match inner {
                    [first, inner @ ..] if first == "data" && !inner.is_empty() => (Some(object), inner),
                    _ => (None, inner),
                };
            }
            if inner.len() > 4 {
                return Err(Refusal::invalid("You cannot expand more than 4 levels of a property.").param("expand"));
            }
            for segment in inner {
                let found = REFERENCES.iter().find(|(object, member, _)| Some(*object) == current && member == segment);
                current = found.map(|(_, _, refers_to)| *refers_to);
                if current.is_none() {
                    let message = format!("This property cannot be expanded ({segment}).");
                    return Err(Refusal::invalid(message).param("expand"));
                }
            }
            read.push(segments);
        }
        Ok(Self(read))
    }

    /// Puts the objects in the place of their ids.
    pub(crate) fn apply(&self, books: &Books, value: &mut Value) {
        for path in &self.0 {
            expand(books, value, path);
        }
    }
}

fn expand(books: &Books, value: &mut Value, path: &[String]) {
    let [member, rest @ ..] = path else { return };
    let is_list = matches!(value.get("object").and_then(Value::as_str), Some("list" | "search_result"));
    if let Some(items) = value.get_mut("data").and_then(Value::as_array_mut).filter(|_| is_list) {
        // `data` of a list, and the objects of a list inside an object.
        let inner = if member == "data" { rest } else { path };
        for item in items {
            expand(books, item, inner);
        }
        return;
    }
    if member == "refunds" && value.get("object") == Some(&json!("charge")) {
        add_refunds(books, value);
    }
    let Some(reference) = value.get_mut(member.as_str()) else { return };
    if let Some(object) = reference.as_str().and_then(|id| books.view(id)) {
        *reference = object;
    }
    expand(books, reference, rest);
}

fn add_refunds(books: &Books, charge: &mut Value) {
    let Some(members) = charge.as_object_mut() else { return };
    if members.contains_key("refunds") {
        return;
    }
    let id = members.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let refunds: Vec<_> = books.refunds.values().rev().filter(|refund| refund.charge == id).map(Refund::view).collect();
    let url = format!("/v1/charges/{id}/refunds");
    members.insert("refunds".to_owned(), json!({ "object": "list", "data": refunds, "has_more": false, "url": url }));
}
