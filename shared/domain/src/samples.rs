//! What the unit tests of the rules begin with.

use crate::{Admission, Money, Quantity, SaleDraft};

/// A hundred phones, one to a shopper, first come, first served, between these two times.
pub(crate) fn draft(starts_at: &str, ends_at: &str) -> SaleDraft {
    SaleDraft {
        name: "Phone".into(),
        description: None,
        image_url: None,
        price: Money::new(99_900, "USD".parse().unwrap()).unwrap(),
        units: 100,
        visible_from: None,
        starts_at: starts_at.parse().unwrap(),
        ends_at: ends_at.parse().unwrap(),
        hold_seconds: 300,
        max_hold_seconds: 600,
        max_per_shopper: Quantity::ONE,
        admission: Admission::Fcfs,
        proof_of_work: None,
        shards: None,
    }
}
