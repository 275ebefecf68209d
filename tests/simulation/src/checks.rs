//! What must hold, and the deliberate bugs that show that a violation is noticed. Checks compare the mirrored items
//! with the answers that the actors got. They report a violation and change nothing.

pub(crate) mod always;
mod events;
pub(crate) mod finally;
pub(crate) mod invariants;
mod items;
pub(crate) mod mutations;
pub(crate) mod overdue;
mod paid;
pub(crate) mod promises;
pub(crate) mod refunds;

pub(crate) use items::{acts_until, available, sold_units};
