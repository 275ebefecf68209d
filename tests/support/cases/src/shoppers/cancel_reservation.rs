//! `DELETE /reservations/{reservation_id}`.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let cancel = |id| delete("/reservations/{reservation_id}").of(id);
    vec![
        case(
            "ok",
            cancel(RESERVATION).by(FIRST),
            [
                status(204).given(Given::Held).no_reservation(),
                status(204),
                problem(409, "payment-in-progress").given(Given::Paying).reservation(ReservationStatus::Paying),
                problem(409, "already-purchased").given(Given::Completed).reservation(ReservationStatus::Purchased),
            ],
        ),
        case("unknown-reservation", cancel(OTHER_RESERVATION).by(FIRST), [status(204).given(Given::Held)]),
        case("impossible-reservation-id", cancel(DEMO).by(FIRST), [problem(404, "unknown-reservation")]),
        case("no-identity", cancel(RESERVATION), [problem(401, "unauthenticated").given(Given::Held)]),
        case("somebody-elses", cancel(RESERVATION).by(SECOND), [status(204).given(Given::Held)]),
    ]
}
