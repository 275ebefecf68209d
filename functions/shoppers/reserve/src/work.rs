//! The proof of work of a request, in a sale that asks for one. It is verified without a call, except for the secret with the
//! keys, which an environment reads every five minutes.

use contract::Refusal;
use domain::{Sale, ShopperId, SolutionFault, Timestamp};
use parts::ChallengeSecret;

/// The work that a request shows, not verified yet.
#[derive(Clone, Copy)]
pub(crate) struct ShownWork<'r> {
    secret: &'r ChallengeSecret,
    header: Option<&'r str>,
}

impl<'r> ShownWork<'r> {
    /// The text of the request's header.
    pub(crate) fn new(secret: &'r ChallengeSecret, header: Option<&'r str>) -> Self {
        Self { secret, header }
    }

    /// Checks that the work is what `sale` asks of `shopper`.
    pub(crate) async fn check(&self, sale: &Sale, shopper: &ShopperId, now: Timestamp) -> Result<(), Refusal> {
        let header = self.header.ok_or(Refusal::ProofOfWorkRequired)?;
        let solution = contract::solution(header).ok_or(Refusal::ProofOfWork(SolutionFault::Forged))?;
        // The shopper may have done the work. If Secrets Manager does not answer, the client sends the same solution again.
        let keys = self.secret.keys().await.ok_or(Refusal::TryAgain { after_seconds: 1 })?;
        keys.verify(&solution, sale, shopper, now).map_err(Refusal::ProofOfWork)
    }
}
