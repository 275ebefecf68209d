//! Records of the Reservation table's stream: a reservation was deleted.

use crate::prelude::*;

/// The end of a hold that failed payments have prolonged: 2099-01-01. The function releases units that are held until then at the
/// latest, and built functions meet units that are held for some minutes from now on.
const PROLONGED_SECONDS: i64 = 4_070_908_800;

pub(crate) fn cases() -> Vec<Case> {
    let first = |change| remove(but(but(super::hold(), json!({"expires_at": PROLONGED_SECONDS})), change));
    let held = || first(json!({}));
    let second = first(json!({
        "pk": format!("SHOPPER#{}", SECOND.id),
        "reservation_id": OTHER_RESERVATION,
        "shard": 1,
        "quantity": 2,
    }));
    let released = || done().given(Given::Held).units(25, 0, 0);
    vec![
        case(
            "ok",
            deleted(vec![held()]),
            [
                released(),
                done().units(25, 0, 0),
                done().given(Given::Sold).units(24, 0, 1),
                done().given(Given::Waiting).units(25, 0, 0),
            ],
        ),
        case("deleted-by-ttl", deleted(vec![held().by_ttl()]), [released()]),
        case("delivered-twice", deleted(vec![held(), held()]), [released()]),
        case("several", deleted(vec![held(), second.by_ttl()]), [released()]),
        case(
            "stale-reservation",
            deleted(vec![first(json!({"reservation_id": OTHER_RESERVATION}))]),
            [done().given(Given::Held).units(24, 1, 0)],
        ),
        case("purchased", deleted(vec![first(json!({"status": "PURCHASED"}))]), [done().given(Given::Completed).units(24, 0, 1)]),
        // The function logs a record that cannot be read and leaves it out, because otherwise the stream would stop.
        case("malformed-image", deleted(vec![held(), first(json!({"shard": null}))]), [released()]),
    ]
}

fn deleted(changes: Vec<Change>) -> Event {
    Event::Stream { table: "ReservationTable", changes }
}
