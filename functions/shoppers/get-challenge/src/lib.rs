//! `GET /api/flash-sales/{product_id}/challenge`: a challenge for a shopper to solve before a request that may hold units.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::{ChallengeView, Holds, problems};
use domain::{
    ChallengeRate, Clock, Memory, NotReservable, ProductId, ProofOfWork, Quantity, Randomness, Sale, ShopperId, SignedChallenge,
    Timestamp, seconds_until,
};
use get_sale::KnownSales;
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{ChallengeSecret, FromParts, Parts};

/// The Lambda handler and its dependencies.
pub struct GetChallenge {
    identity: Identity,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    sales: KnownSales,
    secret: ChallengeSecret,
    issued: Mutex<IssuedChallenges>,
}

/// The challenges that an environment has issued.
#[derive(Default)]
struct IssuedChallenges {
    rate: ChallengeRate,
    /// A shopper who asks again within a second gets the same challenge. That costs the environment no further work, and does
    /// not raise the cost of a solution.
    last: Memory<(ProductId, ShopperId), SignedChallenge>,
}

impl FromParts for GetChallenge {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            randomness: parts.randomness(),
            sales: KnownSales::from_parts(parts),
            secret: parts.challenge_secret(),
            issued: Mutex::default(),
        }
    }
}

impl HttpFunction for GetChallenge {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let now = self.clock.now();
        let (sale, stock) = self.sales.in_path(request, now).await?;
        let asked = asked_by(&sale, now)?;
        if stock.available() == 0 && stock.held_units() == 0 {
            // No work brings units back that are sold.
            return Err(problems::sold_out(&Holds::of(&stock), now));
        }
        let whose = (sale.product.clone(), caller.shopper);
        if let Some(known) = self.issued().last.recall(&whose, now) {
            return Ok(http::ok_json(200, &ChallengeView::from(known.clone())));
        }
        let keys = self.secret.keys().await.ok_or_else(|| Problem::try_again(1))?;
        let mut issued = self.issued();
        let asked = issued.rate.next(asked, now);
        let challenge = keys.signing.issue(&sale, asked, &whose.1, now, self.randomness.as_ref());
        issued.last.learn(whose, challenge.clone(), now);
        Ok(http::ok_json(200, &ChallengeView::from(challenge)))
    }
}

impl GetChallenge {
    /// The lock is never held across an await.
    fn issued(&self) -> MutexGuard<'_, IssuedChallenges> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The proof of work that `sale` asks for at `now`.
fn asked_by(sale: &Sale, now: Timestamp) -> Result<ProofOfWork, Problem> {
    let asked = sale.draft.proof_of_work.ok_or_else(problems::no_proof_of_work)?;
    match sale.accepts(Quantity::ONE, now) {
        Ok(()) => Ok(asked),
        Err(NotReservable::NotStarted { starts_at }) => {
            let is_soon = i64::from(seconds_until(starts_at, now)) <= ProofOfWork::ISSUED_BEFORE_START.as_secs();
            if is_soon { Ok(asked) } else { Err(problems::challenge_too_early(starts_at, now)) }
        }
        Err(why) => Err(problems::not_reservable(why, now)),
    }
}
