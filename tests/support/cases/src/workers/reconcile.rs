//! The schedule of every minute.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let nothing = || output(Value::Null);
    vec![case(
        "ok",
        Event::Schedule,
        [
            nothing(),
            nothing().given(Given::Held).reservation(ReservationStatus::Held).units(24, 1, 0),
            nothing().given(Given::Overdue).no_reservation(),
            nothing().given(Given::Abandoned).units(25, 0, 0),
            nothing().given(Given::Unpaid).reservation(ReservationStatus::Paying).units(24, 1, 0),
            nothing().given(Given::Unknown).reservation(ReservationStatus::Held),
            nothing().given(Given::RefundedLater),
            nothing().given(Given::Settled),
            nothing().given(Given::Untold),
        ],
    )]
}
