//! The store against a real engine: dynoxide in this process, or the server at `FLASH_SALE_STORE_ENDPOINT`. One binary,
//! so that the SDK is linked once.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod attempts;
mod availability;
mod books;
mod buckets;
mod cooling;
mod cost;
mod documented;
mod errors;
mod gateways;
mod late_money;
mod lost_answers;
mod moves;
mod of_sale;
mod orders;
mod provider_events;
mod purchases;
mod races;
mod read_costs;
mod refunds;
mod refusals;
mod reservations;
mod restocks;
mod sales;
mod scale;
mod shards;
mod shop;
mod stored;
mod streams;
mod transitions;
mod versions;
mod write_costs;
