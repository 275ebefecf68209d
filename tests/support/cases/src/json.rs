//! Small changes to JSON.

use serde_json::Value;

/// `value` changed by `patch`: members of the patch replace those of the value, `null` removes one (RFC 7396, JSON Merge Patch).
pub(crate) fn but(mut value: Value, patch: Value) -> Value {
    let Value::Object(changes) = patch else { return patch };
    for (name, change) in changes {
        let members = value.as_object_mut().expect("a patch of an object");
        match members.remove(&name) {
            _ if change.is_null() => {}
            Some(before @ Value::Object(_)) => _ = members.insert(name, but(before, change)),
            _ => _ = members.insert(name, change),
        }
    }
    value
}

/// The value with the members of all its objects in alphabetical order, regardless of the order that this build of
/// `serde_json` keeps.
pub(crate) fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}
