//! The short memory of an execution environment: facts are believed for a limited time, and only a limited number is
//! kept.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};

/// How long an environment believes what it read.
pub const BELIEVED_FOR: SignedDuration = SignedDuration::from_secs(1);

/// Facts kept at most: more products than one shop sells at once.
const MOST: usize = 256;

/// Facts by key, each with the time when it was learnt.
#[derive(Debug, Clone)]
pub struct Memory<K, V> {
    facts: HashMap<K, (Timestamp, V)>,
    believed_for: SignedDuration,
    most: usize,
}

impl<K, V> Default for Memory<K, V> {
    /// For facts that may change in the store: believed for [`BELIEVED_FOR`].
    fn default() -> Self {
        Self::lasting(BELIEVED_FOR, MOST)
    }
}

/// Whether a fact that was learnt `at` is still believed at `now`.
#[must_use]
pub fn is_believed(at: Timestamp, now: Timestamp) -> bool {
    was_learnt_within(BELIEVED_FOR, at, now)
}

/// A fact from the future is not believed: the clock was set back.
fn was_learnt_within(time: SignedDuration, at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.duration_since(at) < time
}

impl<K, V> Memory<K, V> {
    /// At most `most` facts, each believed for `believed_for`.
    #[must_use]
    pub fn lasting(believed_for: SignedDuration, most: usize) -> Self {
        Self { facts: HashMap::new(), believed_for, most }
    }
}

impl<K: Eq + Hash, V> Memory<K, V> {
    /// The fact about `key`, if it is still believed at `now`.
    pub fn recall(&self, key: &K, now: Timestamp) -> Option<&V> {
        self.facts.get(key).filter(|(at, _)| was_learnt_within(self.believed_for, *at, now)).map(|(_, fact)| fact)
    }

    /// Learns a fact at `now`.
    pub fn learn(&mut self, key: K, fact: V, now: Timestamp) {
        self.make_room(now);
        self.facts.insert(key, (now, fact));
    }

    /// Forgets the fact about `key`.
    pub fn forget(&mut self, key: &K) {
        self.facts.remove(key);
    }

    /// The fact about `key` for a change at `now`, however old it is; a new fact if there is none. For facts that know
    /// their own age.
    pub fn keep(&mut self, key: &K, now: Timestamp) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        if !self.facts.contains_key(key) {
            self.make_room(now);
        }
        let (at, fact) = self.facts.entry(key.clone()).or_insert_with(|| (now, V::default()));
        *at = now;
        fact
    }

    /// Makes room when there are too many facts: forgets those that are no longer believed, or else all.
    fn make_room(&mut self, now: Timestamp) {
        if self.facts.len() >= self.most {
            let believed_for = self.believed_for;
            self.facts.retain(|_, (at, _)| was_learnt_within(believed_for, *at, now));
        }
        if self.facts.len() >= self.most {
            self.facts.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn a_fact_is_believed_for_less_than_a_second_and_not_before_it_was_learnt() {
        let mut memory = Memory::default();
        memory.learn("a", 1, at(0));
        assert_eq!(memory.recall(&"a", at(999)), Some(&1));
        assert_eq!(memory.recall(&"a", at(1_000)), None);
        assert_eq!(memory.recall(&"a", at(-1)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::default();
        for key in 0..10_000 {
            memory.learn(key, (), at(0));
        }
        assert!(memory.facts.len() <= MOST);
        assert_eq!(memory.recall(&9_999, at(0)), Some(&()), "the newest stays");
    }
}
