//! `GET /api/flash-sales/{product_id}/challenge`: a challenge for a shopper to solve before a request that may hold units.

use std::sync::{Arc, Mutex, PoisonError};

use contract::{ChallengeView, problems};
use domain::{ChallengeRate, Clock, NotReservable, ProofOfWork, Quantity, Randomness, Sale, Timestamp, seconds_until};
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
    rate: Mutex<ChallengeRate>,
}

impl FromParts for GetChallenge {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            randomness: parts.randomness(),
            sales: KnownSales::from_parts(parts),
            secret: parts.challenge_secret(),
            rate: Mutex::default(),
        }
    }
}

impl HttpFunction for GetChallenge {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let now = self.clock.now();
        let (sale, _) = self.sales.in_path(request, now).await?;
        let asked = asked_by(&sale, now)?;
        let keys = self.secret.keys().await.ok_or_else(|| Problem::try_again(1))?;
        let asked = self.rate.lock().unwrap_or_else(PoisonError::into_inner).next(asked, now);
        let challenge = keys.signing.issue(&sale, asked, &caller.shopper, now, self.randomness.as_ref());
        Ok(http::ok_json(200, &ChallengeView::from(challenge)))
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
