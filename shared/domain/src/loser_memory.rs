//! What one execution environment remembers of a sale, so that a loser costs no database call once the environment
//! knows the answer.
//!
//! It remembers a fact for less than a second: a unit that comes back is offered again after a second at the latest.
//! Failed claims have a budget, so that a crowd in front of empty shards does not cost one failed write per shopper.
//! That the stock did not cover a request is remembered until a later stock covers one: an environment that knows it
//! reads the availability item before it claims again.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;

use crate::{Availability, Quantity, ShardNumber, is_believed};

/// How much an environment may spend on losers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Failed claims that one environment may make per sale and second.
    pub failed_claims: usize,
    /// If availability promises units that are not there, all shards of a sale with at most this many are read: one
    /// `BatchGetItem`.
    pub whole_read_shards: u32,
    /// Shards that one request tries, besides its home shard.
    pub tries: usize,
}

impl MemoryLimits {
    /// The limits in production.
    pub const DEFAULT: Self = Self { failed_claims: 5, whole_read_shards: 100, tries: 4 };
}

/// What an environment remembers of one sale.
#[derive(Debug, Clone, Default)]
pub struct LoserMemory {
    availability: Option<(Timestamp, Availability)>,
    /// Available units of a shard as a failed claim found them, with the time of the claim.
    shards: BTreeMap<ShardNumber, (Timestamp, u32)>,
    failed_claims: Vec<Timestamp>,
    /// The last known stock did not cover a request.
    fell_short: bool,
}

impl LoserMemory {
    /// Forgets facts that are too old at `now`, and facts from the future, which a clock that was set back would
    /// otherwise keep.
    pub fn forget(&mut self, now: Timestamp) {
        self.availability.take_if(|(at, _)| !is_believed(*at, now));
        self.shards.retain(|_, (at, _)| is_believed(*at, now));
        self.failed_claims.retain(|at| is_believed(*at, now));
    }

    /// The stock as far as it is known: the availability item, if it was read less than a second ago, with the units
    /// that failed claims found instead.
    #[must_use]
    pub fn stock(&self) -> Option<Cow<'_, Availability>> {
        let (_, item) = self.availability.as_ref()?;
        let mut stock = Cow::Borrowed(item);
        for (shard, (_, available)) in &self.shards {
            if item.free_in(*shard).is_some_and(|free| free != *available) {
                stock.to_mut().correct(*shard, *available);
            }
        }
        Some(stock)
    }

    /// Remembers whether the known stock covered a request.
    pub fn note_coverage(&mut self, is_covered: bool) {
        self.fell_short = !is_covered;
    }

    /// Whether the next request should read the availability item before it claims. The stock is not known any more, and
    /// when it was, it did not cover a request: a claim would probably fail, and that costs more than the read.
    #[must_use]
    pub fn should_read_first(&self) -> bool {
        self.fell_short && self.availability.is_none()
    }

    /// Remembers the availability item as read at `now`. It may be older than a failed claim.
    pub fn learn(&mut self, availability: Availability, now: Timestamp) {
        self.availability = Some((now, availability));
    }

    /// Remembers the stock as all shards had it at `now`, after every failed claim.
    pub fn learn_all(&mut self, availability: Availability, now: Timestamp) {
        self.shards.clear();
        self.learn(availability, now);
    }

    /// Remembers that a claim at `now` found only `available` units in `shard`, and charges it to the budget.
    pub fn claim_failed(&mut self, shard: ShardNumber, available: u32, now: Timestamp) {
        self.shards.insert(shard, (now, available));
        self.failed_claims.push(now);
    }

    /// Whether `shard` is known to have fewer than `quantity` units: from a failed claim, else from the availability
    /// item.
    #[must_use]
    pub fn knows_too_few_in(&self, shard: ShardNumber, quantity: Quantity) -> bool {
        let by_claim = self.shards.get(&shard).map(|(_, available)| *available);
        let by_item = || self.availability.as_ref().and_then(|(_, item)| item.free_in(shard));
        by_claim.or_else(by_item).is_some_and(|available| available < quantity.units())
    }

    /// Whether the budget allows another failed claim.
    #[must_use]
    pub fn may_fail(&self, limits: &MemoryLimits) -> bool {
        self.failed_claims.len() < limits.failed_claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardLayout;

    const LIMITS: MemoryLimits = MemoryLimits::DEFAULT;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn a_fact_is_believed_for_less_than_a_second() {
        let mut memory = LoserMemory::default();
        memory.claim_failed(ShardNumber(3), 1, at(0));
        memory.learn(Availability::untouched(&ShardLayout::new(1, 1), at(0)), at(0));
        memory.forget(at(999));
        assert!(!memory.knows_too_few_in(ShardNumber(3), Quantity::ONE), "one unit is enough for one");
        assert!(memory.knows_too_few_in(ShardNumber(0), Quantity::MAX), "the availability item says one");
        assert!(!memory.knows_too_few_in(ShardNumber(1), Quantity::MAX), "nobody knows");
        assert!(memory.knows_too_few_in(ShardNumber(3), Quantity::MAX));
        assert!(memory.stock().is_some());
        memory.forget(at(1_000));
        assert!(!memory.knows_too_few_in(ShardNumber(3), Quantity::MAX));
        assert!(memory.stock().is_none());
    }

    #[test]
    fn a_failed_claim_corrects_the_item_until_all_shards_are_read() {
        let item = Availability::untouched(&ShardLayout::new(12, 2), at(0));
        let free = |memory: &LoserMemory| memory.stock().map(|stock| stock.free.clone());
        let mut memory = LoserMemory::default();
        memory.claim_failed(ShardNumber(0), 2, at(0));
        memory.claim_failed(ShardNumber(7), 2, at(0));
        assert_eq!(free(&memory), None, "nothing is known of the other shards");
        memory.learn(item.clone(), at(0));
        assert_eq!(free(&memory), Some(vec![2, 6]), "the item may be older than the claims");
        memory.claim_failed(ShardNumber(1), 0, at(0));
        assert_eq!(free(&memory), Some(vec![2, 0]));
        memory.learn_all(item, at(0));
        assert_eq!(free(&memory), Some(vec![6, 6]), "units have come back since the claims");
    }

    #[test]
    fn an_environment_that_was_out_of_units_reads_before_it_claims_again() {
        let empty = Availability::untouched(&ShardLayout::new(1, 1), at(0));
        let mut memory = LoserMemory::default();
        assert!(!memory.should_read_first(), "the first request claims at once");
        memory.learn(empty.clone(), at(0));
        memory.note_coverage(false);
        assert!(!memory.should_read_first(), "the stock is known");
        memory.forget(at(86_400_000));
        assert!(memory.should_read_first(), "however long ago it was");
        memory.learn(empty, at(86_400_000));
        memory.note_coverage(true);
        memory.forget(at(86_401_000));
        assert!(!memory.should_read_first(), "units had come back");
    }

    #[test]
    fn a_sixth_failed_claim_waits_until_the_first_is_a_second_old() {
        let mut memory = LoserMemory::default();
        for n in 0..5 {
            assert!(memory.may_fail(&LIMITS));
            memory.claim_failed(ShardNumber(u32::try_from(n).unwrap()), 0, at(n * 10));
        }
        assert!(!memory.may_fail(&LIMITS));
        memory.forget(at(999));
        assert!(!memory.may_fail(&LIMITS));
        memory.forget(at(1_000));
        assert!(memory.may_fail(&LIMITS));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_a_fact() {
        let mut memory = LoserMemory::default();
        memory.claim_failed(ShardNumber(0), 0, at(10_000));
        memory.forget(at(0));
        assert!(!memory.knows_too_few_in(ShardNumber(0), Quantity::ONE));
    }
}
