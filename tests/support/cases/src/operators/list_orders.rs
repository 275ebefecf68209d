//! `GET /admin/orders` and `GET /admin/orders/{order_id}`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let list = || get("/admin/orders").by(OPERATOR);
    let pending = || list().query("status", "refund_pending");
    let none = || answer(200, json!({"orders": []}));
    let one = json!({"order_id": RESERVATION, "user_id": FIRST.id, "payment_status": "refund_pending"});
    let requested = json!({
        "order_id": RESERVATION, "user_id": FIRST.id, "order_status": "completed",
        "refunds": [{"amount": {"amount_minor": 9_990, "currency": "USD"}, "status": "pending"}],
    });
    let sold = || json!({"order_id": RESERVATION, "user_id": FIRST.id, "order_status": "completed"});
    let one_order = || get("/admin/orders/{order_id}").of(RESERVATION).by(OPERATOR);
    let malformed = || problem(400, "malformed-request");
    vec![
        case(
            "ok",
            pending(),
            [
                none(),
                none().given(Given::Refunded),
                answer(200, json!({"orders": [one]})).given(Given::RefundedLater),
                answer(200, json!({"orders": [requested]})).given(Given::RefundRequested),
            ],
        ),
        case("of-a-sale", list().query("sale", DEMO), [none(), answer(200, json!({"orders": [sold()]})).given(Given::Completed)]),
        case("by-id", list().query("order_id", RESERVATION).query("status", "completed"), [none()]),
        case("csv", list().query("sale", DEMO).header("Accept", "text/csv"), [status(200)]),
        case("one", one_order(), [problem(404, "unknown-order"), answer(200, sold()).given(Given::Completed)]),
        case("one-not-an-operator", get("/admin/orders/{order_id}").of(RESERVATION).by(FIRST), [problem(403, "forbidden")]),
        case("one-no-identity", get("/admin/orders/{order_id}").of(RESERVATION), [problem(401, "unauthenticated")]),
        case("of-a-sale-since", pending().query("sale", DEMO).query("since", "2026-11-01T12:00:00Z"), [none()]),
        case("no-status", list(), [malformed()]),
        case("another-status", list().query("status", "completed"), [malformed()]),
        case("impossible-sale", pending().query("sale", NOT_A_PRODUCT), [malformed()]),
        case("impossible-since", pending().query("since", "yesterday"), [malformed()]),
        case("unknown-next", pending().query("next", OTHER_RESERVATION), [malformed()]),
        case("next", pending().query("next", "requested.1793534520.demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D"), [none()]),
        case("impossible-next", pending().query("next", "no-page-begins-here"), [malformed()]),
        case("not-an-operator", get("/admin/orders").query("status", "refund_pending").by(FIRST), [problem(403, "forbidden")]),
        case("no-identity", get("/admin/orders").query("status", "refund_pending"), [problem(401, "unauthenticated")]),
    ]
}
