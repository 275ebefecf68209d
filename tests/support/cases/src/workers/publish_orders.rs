//! Records of the Order table's stream: orders, and the other items of the table.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let started = json!({"at": "2026-11-01T12:00:00.25Z", "event": "payment_started"});
    let completed = json!({"at": "2026-11-01T12:00:02Z", "event": "completed"});
    let pending = || order(json!({"history": [started], "unsettled": DEMO, "unsettled_since": START_SECONDS}));
    let paid = || {
        order(json!({
            "status": "completed",
            "payment_status": "completed",
            "transaction_id": "sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1",
            "updated_at": "2026-11-01T12:00:02Z",
            "history": [started, completed],
            "untold": "order-completed",
            "revision": 2,
        }))
    };
    let refund = json!({
        "key": "refund-1", "amount_minor": 10_000, "status": "refunded", "reason": "asked by phone", "at": "2026-11-01T12:03:00Z",
    });
    let refunded = || but(paid(), json!({"refunds": [refund], "refunds_revision": 2, "revision": 5}));
    let attempt = json!({
        "pk": format!("ORDER#{RESERVATION}"),
        "sk": "PAYMENT#1",
        "gateway": "sandbox",
        "idempotency_key": format!("{RESERVATION}-1"),
        "status": "started",
    });
    vec![
        case("ok", changed(vec![insert(pending())]), [done()]),
        case("several", changed(vec![insert(pending()), modify(pending(), paid()), modify(paid(), refunded())]), [done()]),
        case("delivered-twice", changed(vec![modify(pending(), paid()), modify(pending(), paid())]), [done()]),
        // Only an earlier version has written the order.
        case("without-revision", changed(vec![modify(pending(), but(paid(), json!({"revision": null})))]), [done()]),
        // The stream's filter drops these records.
        case("attempt", changed(vec![insert(attempt)]), [done()]),
        case("deleted", changed(vec![remove(paid())]), [done()]),
        // The function logs the key of an order that it cannot read and leaves it out, because otherwise the stream would stop.
        case(
            "malformed-image",
            changed(vec![insert(but(pending(), json!({"status": null}))), modify(pending(), paid())]),
            [done()],
        ),
    ]
}

/// The time of the orders: 2026-11-01T12:00:00Z.
const START_SECONDS: i64 = START_MILLISECONDS / 1_000;

/// The first shopper's order in the Order table, while it is paid, with some attributes changed.
fn order(change: Value) -> Value {
    let order = json!({
        "pk": format!("ORDER#{RESERVATION}"),
        "sk": "ORDER",
        "order_id": RESERVATION,
        "shopper": FIRST.id,
        "product": DEMO,
        "quantity": 1,
        "amount_minor": 99_900,
        "currency": "USD",
        "status": "pending",
        "payment_status": "pending",
        "inventory_status": "confirmed",
        "attempt": 1,
        "payment_method": "sandbox:ok",
        "shipping_address": address(),
        "pay_by": END_SECONDS,
        "created_at": "2026-11-01T12:00:00.250Z",
        "updated_at": "2026-11-01T12:00:00.25Z",
        "revision": 1,
    });
    but(order, change)
}

fn changed(changes: Vec<Change>) -> Event {
    Event::Stream { table: "OrderTable", changes }
}
