//! `GET /reservations/{reservation_id}` and `GET /reservations?product_id=`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let read = |id| get("/reservations/{reservation_id}").of(id);
    let find = || get("/reservations").by(FIRST);
    let by_product = || get("/reservations").query("product_id", DEMO);
    let found = || answer(200, json!({"reservation_id": RESERVATION}));
    let unknown = || problem(404, "unknown-reservation");
    let held = |name, request, answer: Expected| case(name, request, [answer.given(Given::Held)]);
    vec![
        case(
            "ok",
            read(RESERVATION).by(FIRST),
            [found().given(Given::Held), unknown(), unknown().given(Given::Overdue), found().given(Given::Paying)],
        ),
        held("unknown-reservation", read(OTHER_RESERVATION).by(FIRST), unknown()),
        held("impossible-reservation-id", read(DEMO).by(FIRST), unknown()),
        held("no-identity", read(RESERVATION), problem(401, "unauthenticated")),
        held("somebody-elses", read(RESERVATION).by(SECOND), unknown()),
        held("by-product", find().query("product_id", DEMO), found()),
        held("by-product-without-one", find().query("product_id", "not-started"), unknown()),
        case("by-impossible-product", find().query("product_id", NOT_A_PRODUCT), [problem(400, "malformed-request")]),
        held("by-product-no-identity", by_product(), problem(401, "unauthenticated")),
        case("by-nothing", find(), [problem(400, "malformed-request")]),
    ]
}
