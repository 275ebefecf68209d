//! What a request has to pass besides the rules of its sale: the proof of work, where the sale asks for one, and its shopper's
//! token bucket.

use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use contract::{PROOF_OF_WORK, Refusal};
use domain::{Allowance, Memory, ShopperId, ShopperRate, SignedDuration, Timestamp, TokenBucket};
use kit::{Problem, Request, Response, http, metrics};
use parts::{ChallengeSecret, FromParts, Parts};
use store::{ShopperBuckets, TakeOutcome};

use crate::work::ShownWork;

/// How long an environment remembers a bucket. An empty one is full again by then, and a shopper who was refused comes back: the
/// `Retry-After` of an empty bucket is a second.
const BUCKETS_REMEMBERED_FOR: SignedDuration = SignedDuration::from_secs(1);
/// A token that takes longer is not worth the wait: the claim has to fit into the same request.
const TOKEN_WITHIN: Duration = Duration::from_millis(300);
/// Remembered buckets, about 100 bytes each.
const MOST_BUCKETS: usize = 10_000;

/// Checks requests at the entrance of sales. Each execution environment has one value, with the environment's memory.
pub struct Entrance {
    challenges: ChallengeSecret,
    buckets: ShopperBuckets,
    rate: ShopperRate,
    /// Each bucket as this environment last saw it: the real one has no more tokens.
    known: Mutex<Memory<ShopperId, TokenBucket>>,
}

impl FromParts for Entrance {
    /// With an empty memory.
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            challenges: parts.challenge_secret(),
            buckets: parts.shopper_buckets(),
            rate: parts.shopper_rate(),
            known: Mutex::new(Memory::lasting(BUCKETS_REMEMBERED_FOR, MOST_BUCKETS)),
        }
    }
}

/// A request at the entrance.
pub struct Entrant<'r> {
    pub(crate) work: ShownWork<'r>,
    entrance: &'r Entrance,
    /// What the shopper's bucket had left, once the request has asked it.
    allowance: OnceLock<Allowance>,
}

impl Entrance {
    /// `request`, with nothing checked yet.
    #[must_use]
    pub fn entrant<'r>(&'r self, request: &'r Request) -> Entrant<'r> {
        self.showing(http::header(request, PROOF_OF_WORK))
    }

    /// A request that shows this proof of work.
    #[must_use]
    pub fn showing<'r>(&'r self, work: Option<&'r str>) -> Entrant<'r> {
        Entrant { work: ShownWork::new(&self.challenges, work), entrance: self, allowance: OnceLock::new() }
    }

    fn recall(&self, shopper: &ShopperId, now: Timestamp) -> TokenBucket {
        self.remember(|known| known.recall(shopper, now).copied()).unwrap_or(TokenBucket::FULL)
    }

    /// Reads or changes the memory. The lock is never held across an await.
    fn remember<T>(&self, look: impl FnOnce(&mut Memory<ShopperId, TokenBucket>) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entrant<'_> {
    /// Takes a token of `shopper` from the bucket that all environments share: one write. A request takes one token, however
    /// often it asks.
    ///
    /// An environment that finds the bucket empty refuses the shopper for a second without a call. Otherwise it would pay a
    /// refused write for every token that comes back, as would every other environment.
    ///
    /// While the bucket cannot be reached, or answers late, the environment counts alone: an outage of the limit must not stop
    /// a sale.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub(crate) async fn take_token(&self, shopper: &ShopperId, now: Timestamp) -> Result<(), Refusal> {
        if self.allowance.get().is_some() {
            return Ok(());
        }
        let Entrance { buckets, rate, .. } = self.entrance;
        let mut bucket = self.entrance.recall(shopper, now);
        let mut taken = bucket.take(*rate, now);
        if taken.is_ok() {
            match tokio::time::timeout(TOKEN_WITHIN, buckets.take(shopper, *rate, bucket, now)).await {
                Ok(Ok(TakeOutcome::Taken(shared))) => taken = Ok(shared),
                Ok(Ok(TakeOutcome::Empty(shared))) => {
                    bucket = shared.empty_for(BUCKETS_REMEMBERED_FOR, *rate, now);
                    taken = bucket.take(*rate, now);
                }
                Ok(Err(error)) => {
                    metrics::count("BucketsUnreachable", ("cause", "failed"));
                    tracing::warn!(cause = kit::chain(&error), "a shopper's token bucket cannot be reached");
                }
                Err(_) => metrics::count("BucketsUnreachable", ("cause", "late")),
            }
        }
        let bucket = taken.unwrap_or(bucket);
        self.entrance.remember(|known| known.learn(shopper.clone(), bucket, now));
        self.allowance.get_or_init(|| bucket.allowance(*rate, now));
        taken?;
        Ok(())
    }

    /// The problem of a request that was refused, here or later, with what the bucket has left.
    #[must_use]
    pub fn refuse(&self, problem: Problem) -> Problem {
        let headers = self.allowance.get().map(contract::rate_limit_headers).into_iter().flatten();
        headers.fold(problem, |problem, (name, value)| problem.header(name, value))
    }

    /// The answer of a request that was not refused, with what the bucket has left.
    #[must_use]
    pub fn answer(&self, response: Response) -> Response {
        let headers = self.allowance.get().map(contract::rate_limit_headers).into_iter().flatten();
        headers.fold(response, |response, (name, value)| http::with_header(response, name, &value))
    }
}
