//! Deliberate bugs in operators' refunds.

use http::HeaderValue;
use serde_json::{Value, json};

use super::{Request, conditioned, prune};
use crate::services::{
    calls::Call,
    providers::{PAYPAL, STRIPE},
    tables,
};

/// Whether the request records a new refund.
fn begins(it: &Request<'_>) -> bool {
    it.body["UpdateExpression"].as_str().is_some_and(|update| update.contains("refunds = list_append("))
}

/// The request with another refund to record.
fn with_refund(it: &Request<'_>, alter: impl Fn(&mut Value)) -> Option<Value> {
    begins(it).then(|| {
        let mut body = it.body.clone();
        alter(&mut body["ExpressionAttributeValues"][":refund"]["L"][0]["M"]);
        body
    })
}

/// The request with another value, if its order takes this step.
fn at_step(it: &Request<'_>, step: &str, placeholder: &str, value: &str) -> Option<Value> {
    let event = &it.body["ExpressionAttributeValues"][":event"]["L"][0]["M"];
    (tables::text(event, "event") == step).then(|| {
        let mut body = it.body.clone();
        body["ExpressionAttributeValues"][placeholder] = json!({"S": value});
        body
    })
}

/// No condition on the other refunds.
pub(super) fn without_reserving(it: &Request<'_>) -> Option<Value> {
    begins(it).then(|| conditioned(it.body, Some("#status = :from")))
}

/// A minor unit more.
pub(super) fn above_the_amount(it: &Request<'_>) -> Option<Value> {
    with_refund(it, |refund| refund["amount_minor"]["N"] = json!((tables::number(refund, "amount_minor") + 1).to_string()))
}

/// Units go back, whatever the operator asked for.
pub(super) fn with_units(it: &Request<'_>) -> Option<Value> {
    with_refund(it, |refund| refund["return_unit"] = json!({"BOOL": true}))
}

/// A part ends the order.
pub(super) fn part_is_whole(it: &Request<'_>) -> Option<Value> {
    at_step(it, "part_refunded", ":status", "refunded")
}

/// A refusal counts as a refund.
pub(super) fn refused_is_refunded(it: &Request<'_>) -> Option<Value> {
    at_step(it, "refund_refused", ":ended", "refunded")
}

/// The last refund leaves the reservation.
pub(super) fn without_the_reservation(it: &Request<'_>) -> Option<Value> {
    let mut body = it.body.clone();
    let writes = body["TransactItems"].as_array_mut().filter(|_| ["refund-order", "reconcile"].contains(&it.function))?;
    let all = writes.len();
    writes.retain(|write| !write["Delete"].is_object());
    (writes.len() < all).then_some(body)
}

/// No shopper has to be told.
pub(super) fn untold(it: &Request<'_>) -> Option<Value> {
    fn forget(write: &mut Value) -> Option<()> {
        let update = write["UpdateExpression"].as_str()?;
        let is_of_refund = write["ExpressionAttributeValues"][":untold_new"]["S"] == "order-refunded";
        let altered = is_of_refund.then(|| update.replace(", untold = :untold_new", ""))?;
        write["UpdateExpression"] = json!(altered);
        prune(write);
        Some(())
    }
    let mut body = it.body.clone();
    if let Some(writes) = body["TransactItems"].as_array_mut() {
        let forgotten = writes.iter_mut().filter_map(|write| forget(write.get_mut("Update")?)).count();
        return (forgotten > 0).then_some(body);
    }
    forget(&mut body)?;
    Some(body)
}

/// `reconcile` finds no refund that is due.
pub(super) fn forgotten(it: &Request<'_>) -> Option<Value> {
    let partition = &it.body["ExpressionAttributeValues"][":partition"]["S"];
    (it.function == "reconcile" && it.operation == "Query" && partition == "refund_due").then(|| {
        let mut body = it.body.clone();
        body["ExpressionAttributeValues"][":partition"]["S"] = json!("nowhere");
        body
    })
}

/// Each request for a refund of a part has its own idempotency key, and notes it in the refund.
pub(super) fn with_another_key(call: &Call) -> Option<http::Request<Vec<u8>>> {
    let name = match () {
        () if call.is_to(STRIPE) && call.has("POST", "/v1/refunds", "") => "idempotency-key",
        () if call.is_to(PAYPAL) && call.has("POST", "/v2/payments/captures", "/refund") => "paypal-request-id",
        () => return None,
    };
    let key = call.request.headers().get(name)?.to_str().ok()?.to_owned();
    let other = format!("{key}-{}", call.number);
    let body = std::str::from_utf8(call.request.body()).ok()?.replace(&key, &other);
    let is_of_part = ["refund-order", "reconcile"].contains(&call.function);
    is_of_part.then(|| {
        let mut request = call.request.clone();
        request.headers_mut().insert(name, HeaderValue::from_str(&other).unwrap());
        *request.body_mut() = body.into_bytes();
        request
    })
}
