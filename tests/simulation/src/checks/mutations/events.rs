//! Deliberate bugs in the events of orders.

use serde_json::{Value, json};

use super::{Request, prune};

/// The end of every update of an order.
const COUNT: &str = " ADD revision :one";

/// The steps of a refund leave the revision as it is.
pub(super) fn refunds_uncounted(it: &Request<'_>) -> Option<Value> {
    let mut body = it.body.clone();
    let update = it.body["UpdateExpression"].as_str().filter(|update| update.contains("refunds") && update.contains(":event"))?;
    body["UpdateExpression"] = json!(update.replace(COUNT, ""));
    prune(&mut body);
    Some(body)
}

/// The transactions leave the revision as it is.
pub(super) fn steps_uncounted(it: &Request<'_>) -> Option<Value> {
    let mut body = it.body.clone();
    let writes = body["TransactItems"].as_array_mut()?.iter_mut().filter_map(|write| write.get_mut("Update"));
    let mut altered = false;
    for write in writes {
        let Some(update) = write["UpdateExpression"].as_str().filter(|update| update.ends_with(COUNT)) else { continue };
        write["UpdateExpression"] = json!(update.replace(COUNT, ""));
        prune(write);
        altered = true;
    }
    altered.then_some(body)
}
