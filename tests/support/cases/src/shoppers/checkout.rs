//! `POST /checkout`.

use crate::prelude::*;

/// The id of a reservation from 2086.
const FAR_RESERVATION: &str = "demo.03QA5K0MC00000000000000000";

pub(crate) fn cases() -> Vec<Case> {
    let checkout = || post("/checkout");
    let good = || json!({"cart_id": RESERVATION, "payment_method": "sandbox:ok", "shipping_address": address()});
    let ask = |change| checkout().by(FIRST).json(but(good(), change));
    let held = |name, request, answer: Expected| case(name, request, [answer.given(Given::Held)]);
    let pending = || answer(202, json!({"order_id": RESERVATION, "payment_status": "pending", "inventory_status": "confirmed"}));
    vec![
        case(
            "ok",
            ask(json!({"user_id": FIRST.id})),
            [
                pending().given(Given::Held).reservation(ReservationStatus::Paying),
                pending().given(Given::Waiting).reservation(ReservationStatus::Paying),
                pending().given(Given::Paying).reservation(ReservationStatus::Paying),
                pending().given(Given::ToAct).reservation(ReservationStatus::Paying),
                answer(200, json!({"order_id": RESERVATION, "payment_status": "completed"}))
                    .given(Given::Completed)
                    .reservation(ReservationStatus::Purchased),
                problem(410, "reservation-expired").given(Given::Overdue),
            ],
        ),
        case(
            "declined",
            ask(json!({"payment_method": "sandbox:declined"})),
            [
                answer(202, json!({"payment_status": "pending"})).given(Given::Held),
                problem(409, "payment-in-progress").given(Given::Paying),
                problem(409, "already-paid").given(Given::Completed),
            ],
        ),
        case(
            "another-address",
            ask(json!({"shipping_address": {"city": "Shelbyville"}})),
            [
                pending().given(Given::Waiting).reservation(ReservationStatus::Paying),
                pending().given(Given::GivenUp).reservation(ReservationStatus::Paying),
                problem(409, "address-fixed").given(Given::Paying),
                problem(409, "address-fixed").given(Given::Completed),
            ],
        ),
        held("whole-address", ask(json!({"shipping_address": whole_address()})), pending()),
        held(
            "no-postal-code",
            ask(json!({"shipping_address": {"postal_code": null}})),
            problem_at(422, "invalid-request", "/shipping_address/postal_code"),
        ),
        held("broken-json", checkout().by(FIRST).broken_json(good()), problem(400, "malformed-request")),
        held(
            "wrong-type",
            ask(json!({"shipping_address": "1 Market Street, Springfield"})),
            problem_at(400, "malformed-request", "/shipping_address"),
        ),
        held("missing-cart-id", ask(json!({"cart_id": null})), problem_at(400, "malformed-request", "/cart_id")),
        held(
            "unknown-payment-method",
            ask(json!({"payment_method": "cash"})),
            problem_at(422, "invalid-request", "/payment_method"),
        ),
        held(
            "card-number",
            ask(json!({"shipping_address": {"address_line2": CARD_NUMBER}})),
            problem_at(400, "card-data", "/shipping_address/address_line2"),
        ),
        held(
            "empty-city",
            ask(json!({"shipping_address": {"city": ""}})),
            problem_at(422, "invalid-request", "/shipping_address/city"),
        ),
        held("unknown-cart", ask(json!({"cart_id": FAR_RESERVATION})), problem(404, "unknown-reservation")),
        // The id says that the reservation was made in 2024, so it has ended.
        held("ended-cart", ask(json!({"cart_id": OTHER_RESERVATION})), problem(410, "reservation-expired")),
        held("impossible-cart-id", ask(json!({"cart_id": DEMO})), problem(404, "unknown-reservation")),
        held("other-user-id", ask(json!({"user_id": SECOND.id})), problem(403, "forbidden")),
        held("no-identity", checkout().json(good()), problem(401, "unauthenticated")),
        case("somebody-elses", checkout().by(SECOND).json(good()), [problem(404, "unknown-reservation").given(Given::Paying)]),
    ]
}
