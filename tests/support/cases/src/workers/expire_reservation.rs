//! Messages of the expiry queue: a hold may have ended.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let ended = |change| {
        let body = json!({"reservation_id": RESERVATION, "shopper": FIRST.id, "expires_at": "2026-11-01T12:05:00Z"});
        but(body, change)
    };
    let first = || ended(json!({}));
    let second = || ended(json!({"reservation_id": OTHER_RESERVATION, "shopper": SECOND.id}));
    vec![
        case(
            "ok",
            expiries(vec![first()]),
            [
                done().given(Given::Overdue).no_reservation(),
                done().given(Given::Held).reservation(ReservationStatus::Held),
                done().given(Given::Paying).reservation(ReservationStatus::Paying),
                done(),
            ],
        ),
        case("several", expiries(vec![first(), first(), second()]), [done().given(Given::Overdue)]),
        case("gone", expiries(vec![second()]), [done()]),
        case("not-yet", expiries(vec![ended(json!({"expires_at": "2099-12-01T12:00:00Z"}))]), [done().given(Given::Held)]),
        case(
            "malformed-body",
            expiries(vec![first(), json!("not json at all"), ended(json!({"reservation_id": DEMO})), second()]),
            [failed([1, 2]).given(Given::Overdue)],
        ),
    ]
}

fn expiries(bodies: Vec<Value>) -> Event {
    Event::Queue { queue: "ExpiryQueue", bodies }
}
