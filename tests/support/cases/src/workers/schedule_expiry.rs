//! Records of the Reservation table's stream: a hold begins, or goes back to its shopper after a failed payment.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let first = |change| but(but(super::hold(), json!({"latest_end": END_SECONDS + 300})), change);
    let held = || first(json!({}));
    let paying = || first(json!({"status": "PAYING", "ttl": null}));
    let prolonged = || first(json!({"expires_at": END_SECONDS + 120, "ttl": END_SECONDS + 120}));
    let second = || {
        first(json!({
            "pk": format!("SHOPPER#{}", SECOND.id), "reservation_id": OTHER_RESERVATION, "shard": 1, "quantity": 2,
        }))
    };
    let unpaid_ends = json!({
        "pk": format!("SHOPPER#{}", FIRST.id),
        "sk": format!("COOLING#{DEMO}"),
        "unpaid_ends": 1,
        "last_reservation": RESERVATION.rsplit('.').next().unwrap(),
        "last_at": END_SECONDS,
        "ttl": END_SECONDS + 86_400,
    });
    let stays = || done().given(Given::Held).reservation(ReservationStatus::Held).units(24, 1, 0);
    vec![
        case("ok", changed(vec![insert(held())]), [stays(), done()]),
        case("prolonged", changed(vec![modify(paying(), prolonged())]), [stays()]),
        case("delivered-twice", changed(vec![insert(held()), insert(held())]), [stays()]),
        case("several", changed(vec![insert(held()), insert(second()), modify(paying(), prolonged())]), [stays()]),
        // The stream's filter drops these records.
        case("paying", changed(vec![modify(held(), paying())]), [done().given(Given::Paying)]),
        case("purchased", changed(vec![modify(paying(), first(json!({"status": "PURCHASED", "ttl": null})))]), [done()]),
        case("deleted", changed(vec![remove(held()), remove(second()).by_ttl()]), [done()]),
        case("unpaid-ends", changed(vec![insert(unpaid_ends)]), [done()]),
        // The function logs a record that cannot be read and leaves it out, because otherwise the stream would stop.
        case("malformed-image", changed(vec![insert(first(json!({"shard": null}))), insert(second())]), [stays()]),
    ]
}

fn changed(changes: Vec<Change>) -> Event {
    Event::Stream { table: "ReservationTable", changes }
}
