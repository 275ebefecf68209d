//! `PUT /admin/flash-sales/{product_id}`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let manage = |product| put("/admin/flash-sales/{product_id}").of(product);
    let ask = |product, change| manage(product).by(OPERATOR).json(but(good(), change));
    let remove = |product| delete("/admin/flash-sales/{product_id}").of(product);
    let malformed = || problem(400, "malformed-request");
    vec![
        case(
            "ok",
            ask("winter-drop", json!({})),
            [answer(201, json!({"product_id": "winter-drop", "state": "scheduled", "units": 1000}))],
        ),
        case(
            "least",
            ask(
                "winter-drop",
                json!({"description": null, "image_url": null, "hold_seconds": null, "max_per_shopper": null, "admission": null}),
            ),
            [answer(201, json!({"max_per_shopper": 1, "hold_seconds": 300}))],
        ),
        case(
            "change",
            ask("not-started", json!({"name": "Winter drop, more of them", "units": 2000})),
            [answer(200, json!({"product_id": "not-started", "units": 2000}))],
        ),
        case(
            "fewer-units",
            ask("not-started", json!({"name": "Winter drop, fewer of them", "units": 10})),
            [answer(200, json!({"product_id": "not-started", "units": 10}))],
        ),
        case(
            "draw",
            ask("winter-drop", json!({"admission": {"mode": "draw", "ramp_seconds": 60}})),
            [answer(201, json!({"admission": {"mode": "draw", "ramp_seconds": 60}}))],
        ),
        case(
            "draw-without-ramp",
            ask("winter-drop", json!({"admission": {"mode": "draw"}})),
            [problem_at(422, "invalid-request", "/admission/ramp_seconds")],
        ),
        case(
            "draw-longer-than-sale",
            ask("winter-drop", json!({"admission": {"mode": "draw", "ramp_seconds": 3_600}, "ends_at": "2099-12-01T12:59:59Z"})),
            [problem_at(422, "invalid-request", "/admission/ramp_seconds")],
        ),
        case(
            "proof-of-work",
            ask("winter-drop", json!({"admission": {"mode": "fcfs", "proof_of_work": {"cost": 5_000}}})),
            [answer(201, json!({"admission": {"mode": "fcfs", "proof_of_work": {"cost": 5_000, "window_seconds": 10}}}))],
        ),
        case(
            "proof-of-work-too-costly",
            ask("winter-drop", json!({"admission": {"mode": "fcfs", "proof_of_work": {"cost": 50_001}}})),
            [problem_at(422, "invalid-request", "/admission/proof_of_work/cost")],
        ),
        case("sale-started", ask(DEMO, json!({})), [problem(409, "sale-started")]),
        case("broken-json", manage("winter-drop").by(OPERATOR).broken_json(good()), [malformed()]),
        case("wrong-type", ask("winter-drop", json!({"units": "a thousand"})), [problem_at(400, "malformed-request", "/units")]),
        case("missing-price", ask("winter-drop", json!({"price": null})), [problem_at(400, "malformed-request", "/price")]),
        case(
            "ends-before-start",
            ask("winter-drop", json!({"ends_at": "2099-12-01T11:00:00Z"})),
            [problem_at(422, "invalid-request", "/ends_at")],
        ),
        case("no-units", ask("winter-drop", json!({"units": 0})), [problem_at(422, "invalid-request", "/units")]),
        case(
            "card-number",
            ask("winter-drop", json!({"description": format!("Pay with {CARD_NUMBER}.")})),
            [problem_at(400, "card-data", "/description")],
        ),
        case("impossible-product-id", ask("Winter", json!({})), [malformed()]),
        case("not-an-operator", manage("winter-drop").by(FIRST).json(good()), [problem(403, "forbidden")]),
        case("no-identity", manage("winter-drop").json(good()), [problem(401, "unauthenticated")]),
        case("delete", remove("not-started").by(OPERATOR), [status(204), status(204).twice()]),
        case("delete-sold", remove(DEMO).by(OPERATOR), [problem(409, "sale-in-use").given(Given::Completed)]),
        case("delete-impossible-product-id", remove(NOT_A_PRODUCT).by(OPERATOR), [problem(404, "unknown-product")]),
        case("delete-not-an-operator", remove("not-started").by(FIRST), [problem(403, "forbidden")]),
        case("delete-no-identity", remove("not-started"), [problem(401, "unauthenticated")]),
    ]
}

/// A sale in the far future with every member except its number of shards.
fn good() -> Value {
    json!({
        "name": "Winter drop",
        "description": "A thousand of them, once.",
        "image_url": "https://images.example.com/winter-drop.jpg",
        "price": {"amount_minor": 4999, "currency": "USD"},
        "units": 1000,
        "starts_at": "2099-12-01T12:00:00Z",
        "ends_at": "2099-12-01T13:00:00Z",
        "hold_seconds": 300,
        "max_per_shopper": 2,
        "admission": {"mode": "fcfs"},
    })
}
