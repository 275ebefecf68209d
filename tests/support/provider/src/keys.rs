//! The answers that a provider keeps under idempotency keys.

use std::{collections::BTreeMap, time::Duration};

use http::Response;
use jiff::Timestamp;

use crate::later;

/// What a provider knows about a key.
#[derive(Debug)]
pub enum Seen<'a> {
    /// Nothing: the request is new.
    New,
    /// The first request with this key has not been answered yet.
    InFlight,
    /// The first request was the same, and this was its answer.
    Same(&'a Response<Vec<u8>>),
    /// The first request was another one.
    Other {
        /// The endpoint of the first request.
        endpoint: &'a str,
    },
}

/// The keys of every account of a provider.
#[derive(Debug)]
pub struct Keys {
    kept_for: Duration,
    kept: BTreeMap<(usize, String), Kept>,
}

#[derive(Debug)]
struct Kept {
    endpoint: String,
    parameters: String,
    at: Timestamp,
    answered: Timestamp,
    answer: Response<Vec<u8>>,
}

impl Keys {
    /// Keys that are forgotten this long after their first request.
    #[must_use]
    pub const fn kept_for(kept_for: Duration) -> Self {
        Self { kept_for, kept: BTreeMap::new() }
    }

    /// What is known of the key of an account. `parameters` is any text that is the same for the same request.
    pub fn seen(&mut self, account: usize, key: &str, endpoint: &str, parameters: &str, now: Timestamp) -> Seen<'_> {
        let name = (account, key.to_owned());
        if self.kept.get(&name).is_some_and(|kept| later(kept.at, self.kept_for) <= now) {
            self.kept.remove(&name);
        }
        match self.kept.get(&name) {
            None => Seen::New,
            Some(kept) if kept.endpoint != endpoint || kept.parameters != parameters => Seen::Other { endpoint: &kept.endpoint },
            Some(kept) if now < kept.answered => Seen::InFlight,
            Some(kept) => Seen::Same(&kept.answer),
        }
    }

    /// Keeps the answer to a new request that arrived at `now` and is answered at `answered`.
    pub fn keep(
        &mut self,
        account: usize,
        key: &str,
        request: (&str, &str),
        times: (Timestamp, Timestamp),
        answer: Response<Vec<u8>>,
    ) {
        let ((endpoint, parameters), (at, answered)) = (request, times);
        let kept = Kept { endpoint: endpoint.to_owned(), parameters: parameters.to_owned(), at, answered, answer };
        self.kept.insert((account, key.to_owned()), kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn answered(at: Timestamp, seconds: u64) -> Keys {
        let mut keys = Keys::kept_for(HOUR);
        let times = (at, later(at, Duration::from_secs(seconds)));
        keys.keep(0, "key", ("/things", "a=1"), times, Response::new(b"done".to_vec()));
        keys
    }

    #[test]
    fn a_key_is_known_to_its_account_only() {
        let mut keys = answered(Timestamp::UNIX_EPOCH, 0);
        assert!(
            matches!(keys.seen(0, "key", "/things", "a=1", Timestamp::UNIX_EPOCH), Seen::Same(answer) if answer.body() == b"done")
        );
        assert!(matches!(keys.seen(1, "key", "/things", "a=1", Timestamp::UNIX_EPOCH), Seen::New));
    }

    #[test]
    fn another_request_with_the_key_is_told_the_endpoint_of_the_first() {
        let mut keys = answered(Timestamp::UNIX_EPOCH, 0);
        for (endpoint, parameters) in [("/things", "a=2"), ("/others", "a=1")] {
            let seen = keys.seen(0, "key", endpoint, parameters, Timestamp::UNIX_EPOCH);
            assert!(matches!(seen, Seen::Other { endpoint: "/things" }), "{endpoint} {parameters}");
        }
    }

    #[test]
    fn a_request_is_in_flight_until_it_is_answered_and_forgotten_after_its_time() {
        let mut keys = answered(Timestamp::UNIX_EPOCH, 3);
        let mut at =
            |seconds| match keys.seen(0, "key", "/things", "a=1", later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))) {
                Seen::New => "new",
                Seen::InFlight => "in flight",
                Seen::Same(_) => "same",
                Seen::Other { .. } => "other",
            };
        assert_eq!([at(2), at(3), at(3599), at(3600)], ["in flight", "same", "same", "new"]);
    }
}
