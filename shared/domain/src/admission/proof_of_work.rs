//! Proof of work: a shopper's device computes for a second before it may ask for units, once for each window of some seconds. A person
//! does not notice it; a script with ten thousand accounts needs the processors for all of them at the same moment.
//!
//! The challenge and its solution are those of ALTCHA, version 2 (<https://altcha.org/docs/v2/>), with PBKDF2/SHA-256 (RFC 8018): the
//! device looks for the counter whose key, derived from nonce ‖ counter and salt, begins with a given prefix. The challenge carries its
//! own signature, so it is stored nowhere, and any environment can verify a solution from it with two HMACs (RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Randomness, Sale, SaleError, ShopperId, ceil_to_second};

/// The proof of work that a sale asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofOfWork {
    /// Rounds of PBKDF2 for each counter that a device tries, [`ProofOfWork::COST`]. A device tries 256 counters on average, at
    /// most [`Challenge::COUNTERS`].
    pub cost: u32,
    /// How long a challenge is valid, s, [`ProofOfWork::WINDOW_SECONDS`].
    pub window_seconds: u32,
}

impl ProofOfWork {
    /// Which costs a sale may have.
    pub const COST: std::ops::RangeInclusive<u32> = 1..=50_000;
    /// How long a challenge may be valid, s.
    pub const WINDOW_SECONDS: std::ops::RangeInclusive<u32> = 5..=60;
    /// How long a challenge is valid if the sale does not say, s.
    pub const DEFAULT_WINDOW_SECONDS: u32 = 10;
    /// The cost is at most this for each second of the window: a device that is ten times slower than a laptop finds the solution
    /// within the window, as long as no crowd raises the cost.
    pub const COST_PER_SECOND: u32 = 1_000;
    /// A shopper can get a challenge this long before the start of a sale, and so solve it before.
    pub const ISSUED_BEFORE_START: SignedDuration = SignedDuration::from_mins(1);

    /// Checks every limit.
    ///
    /// # Errors
    /// Names the first member that is out of its limits.
    pub fn check(self) -> Result<(), SaleError> {
        if !Self::COST.contains(&self.cost) {
            let should_be = "cost of a proof of work is a whole number from 0 to 50,000";
            return Err(SaleError { field: "admission/proof_of_work/cost", should_be });
        }
        if !Self::WINDOW_SECONDS.contains(&self.window_seconds) {
            let should_be = "window_seconds of a proof of work is a whole number from 5 to 60";
            return Err(SaleError { field: "admission/proof_of_work/window_seconds", should_be });
        }
        if self.cost > self.window_seconds.saturating_mul(Self::COST_PER_SECOND) {
            let should_be =
                "cost of a proof of work is at most 1,000 for each second of its window, so that slow devices solve it in time";
            return Err(SaleError { field: "admission/proof_of_work/cost", should_be });
        }
        Ok(())
    }

    /// The end of a challenge that is issued at `now`: its window begins at the start of the sale, if that is later.
    fn expires_at(self, sale: &Sale, now: Timestamp) -> Timestamp {
        let window = SignedDuration::from_secs(i64::from(self.window_seconds));
        ceil_to_second(now.max(sale.draft.starts_at).checked_add(window).unwrap_or(Timestamp::MAX))
    }
}

/// A challenge, as its issuer signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Rounds of PBKDF2 for each counter.
    pub cost: u32,
    /// For whom and for which sale it is, in lower-case hex: see [`Challenge::binding_of`].
    pub binding: String,
    /// After this time it is worth nothing, Unix s.
    pub expires_at: i64,
    /// The first half of the key of the right counter, in lower-case hex.
    pub key_prefix: String,
    /// The HMAC of the whole key, in lower-case hex. It verifies a solution without deriving the key again.
    pub key_signature: String,
    /// 16 random bytes in lower-case hex.
    pub nonce: String,
    /// 16 random bytes in lower-case hex.
    pub salt: String,
}

/// A challenge with the issuer's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// The HMAC of [`Challenge::signed_text`], in lower-case hex.
    pub signature: String,
}

/// What a client sends to show its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// The challenge as it was issued.
    pub solved: SignedChallenge,
    /// The key that the client found, in hex.
    pub derived_key: String,
}

/// What is wrong with a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SolutionFault {
    /// This issuer did not sign the challenge.
    Forged,
    /// The challenge is another shopper's, or another sale's.
    Foreign,
    /// The challenge is too old.
    Expired,
    /// The key is not the one that was to be found.
    Wrong,
}

impl Challenge {
    /// Counters among which the right one is drawn.
    pub const COUNTERS: u32 = 512;
    /// The algorithm's name in ALTCHA.
    pub const ALGORITHM: &'static str = "PBKDF2/SHA-256";
    /// Bytes of the key.
    pub const KEY_LENGTH: usize = 32;
    /// Bytes of the key that the device has to match: ALTCHA's default, half of it.
    const PREFIX_LENGTH: usize = Self::KEY_LENGTH / 2;

    /// For whom and for which sale a challenge is: the SHA-256 of product ‖ 0x00 ‖ shopper ‖ 0x00 ‖ start ‖ cost. Neither id contains a
    /// zero byte. Start and cost are those of the sale: once it was changed, or made again, earlier challenges are another sale's.
    #[must_use]
    pub fn binding_of(sale: &Sale, shopper: &ShopperId) -> String {
        let cost = sale.draft.proof_of_work.map_or(0, |asked| asked.cost);
        let ids = Sha256::new().chain_update(sale.product.as_str()).chain_update([0]).chain_update(shopper.as_str());
        let start = sale.draft.starts_at.as_nanosecond().to_be_bytes();
        hex::encode(ids.chain_update([0]).chain_update(start).chain_update(cost.to_be_bytes()).finalize())
    }

    /// What is signed: ALTCHA's parameters as JSON with sorted members and without spaces.
    #[must_use]
    pub fn signed_text(&self) -> String {
        let Self { cost, binding, expires_at, key_prefix, key_signature, nonce, salt } = self;
        let (algorithm, key_length) = (Self::ALGORITHM, Self::KEY_LENGTH);
        format!(r#"{{"algorithm":"{algorithm}","cost":{cost},"data":{{"binding":"{binding}"}},"expiresAt":{expires_at},"#)
            + &format!(
                r#""keyLength":{key_length},"keyPrefix":"{key_prefix}","keySignature":"{key_signature}","nonce":"{nonce}","salt":"{salt}"}}"#
            )
    }
}

/// A secret with which challenges are signed. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ChallengeKey {
    /// Signs challenges.
    challenges: String,
    /// Signs the keys that solve them.
    solutions: String,
}

impl std::fmt::Debug for ChallengeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChallengeKey(…)")
    }
}

impl ChallengeKey {
    /// The shortest secret, in bytes.
    pub const SHORTEST_SECRET: usize = 32;

    /// The key of this secret. `None`: the secret is too short to be one.
    #[must_use]
    pub fn of(secret: &str) -> Option<Self> {
        let derive = |purpose: &str| hex::encode(hmac(secret, purpose.as_bytes()).finalize().into_bytes());
        (secret.len() >= Self::SHORTEST_SECRET)
            .then(|| Self { challenges: derive("altcha challenge"), solutions: derive("altcha solution") })
    }

    /// The two secrets as ALTCHA calls them: `hmacSignatureSecret` and `hmacKeySignatureSecret`. For another implementation that
    /// checks this one.
    #[must_use]
    pub fn altcha_secrets(&self) -> [&str; 2] {
        [&self.challenges, &self.solutions]
    }

    /// A challenge for `shopper` in `sale`, which costs what is `asked`.
    #[must_use]
    pub fn issue(
        &self,
        sale: &Sale,
        asked: ProofOfWork,
        shopper: &ShopperId,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> SignedChallenge {
        let (random, [high, low, ..]) = (randomness.seed(), randomness.seed());
        let (nonce, salt) = random.split_at(random.len() / 2);
        // 2¹⁶ is a multiple of the number of counters: each is equally likely.
        let counter = u32::from(u16::from_be_bytes([high, low])) % Challenge::COUNTERS;
        let key = derived_key(nonce, counter, salt, asked.cost);
        let challenge = Challenge {
            cost: asked.cost,
            binding: Challenge::binding_of(sale, shopper),
            expires_at: asked.expires_at(sale, now).as_second(),
            key_prefix: hex::encode(key.split_at(Challenge::PREFIX_LENGTH).0),
            key_signature: hex::encode(hmac(&self.solutions, &key).finalize().into_bytes()),
            nonce: hex::encode(nonce),
            salt: hex::encode(salt),
        };
        let signature = hex::encode(hmac(&self.challenges, challenge.signed_text().as_bytes()).finalize().into_bytes());
        SignedChallenge { challenge, signature }
    }

    /// Whether this key signed the challenge.
    fn has_signed(&self, SignedChallenge { challenge, signature }: &SignedChallenge) -> bool {
        is_hmac(&self.challenges, challenge.signed_text().as_bytes(), signature)
    }

    /// Whether `derived_key` is the key that this key signed.
    fn is_solution(&self, derived_key: &str, key_signature: &str) -> bool {
        let mut key = [0; Challenge::KEY_LENGTH];
        hex::decode_to_slice(derived_key, &mut key).is_ok() && is_hmac(&self.solutions, &key, key_signature)
    }
}

/// The keys that are valid now. `signing` signs; `accepted` (the previous and the next key) only verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeKeys {
    /// Signs new challenges.
    pub signing: ChallengeKey,
    /// Keys that verify challenges and sign none.
    pub accepted: Vec<ChallengeKey>,
}

impl ChallengeKeys {
    /// Checks that `solution` solves a challenge which was issued to `shopper` for `sale`, and which is still valid
    /// at `now`. It takes no call and no memory: a solution may be sent again until it expires.
    ///
    /// # Errors
    /// The first [`SolutionFault`], in the order of the enum.
    pub fn verify(&self, solution: &Solution, sale: &Sale, shopper: &ShopperId, now: Timestamp) -> Result<(), SolutionFault> {
        let Solution { solved, derived_key } = solution;
        let challenge = &solved.challenge;
        let mut keys = std::iter::once(&self.signing).chain(&self.accepted);
        let key = keys.find(|key| key.has_signed(solved)).ok_or(SolutionFault::Forged)?;
        if challenge.binding != Challenge::binding_of(sale, shopper) {
            return Err(SolutionFault::Foreign);
        }
        if Timestamp::from_second(challenge.expires_at).is_ok_and(|expires_at| expires_at < now) {
            return Err(SolutionFault::Expired);
        }
        if key.is_solution(derived_key, &challenge.key_signature) { Ok(()) } else { Err(SolutionFault::Wrong) }
    }
}

/// Raises the cost with the work of one environment: a crowd pays more than the first to come, and the environment's own work stays
/// bounded. An environment on AWS has a part of a processor, which does a million rounds a second or two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChallengeRate {
    /// The second that is counted, Unix s.
    second: i64,
    /// Rounds of PBKDF2 that the challenges issued in it cost the environment.
    rounds: u32,
    /// The same of the second before it.
    before: u32,
}

impl ChallengeRate {
    /// With so many further rounds a second, the cost grows by that of the sale: with 50 challenges of a cost of 5,000.
    pub const STEP: u32 = 250_000;
    /// The cost is at most this many times that of the sale.
    pub const MOST: u32 = 4;

    /// Says what a challenge that is issued at `now` has to cost in a sale that asks for `asked`, and counts it.
    pub fn next(&mut self, asked: ProofOfWork, now: Timestamp) -> ProofOfWork {
        let second = now.as_second();
        if second != self.second {
            let before = if second == self.second.saturating_add(1) { self.rounds } else { 0 };
            *self = Self { second, rounds: 0, before };
        }
        let times = (1 + self.rounds.max(self.before) / Self::STEP).min(Self::MOST);
        let cost = asked.cost.saturating_mul(times);
        self.rounds = self.rounds.saturating_add(cost);
        ProofOfWork { cost, ..asked }
    }
}

/// The key of a counter.
fn derived_key(nonce: &[u8], counter: u32, salt: &[u8], cost: u32) -> [u8; Challenge::KEY_LENGTH] {
    let password = [nonce, &counter.to_be_bytes()].concat();
    pbkdf2::pbkdf2_hmac_array::<Sha256, { Challenge::KEY_LENGTH }>(&password, salt, cost)
}

fn hmac(key: &str, text: &[u8]) -> Hmac<Sha256> {
    // A key of HMAC may have any length.
    #[expect(clippy::expect_used, reason = "new_from_slice of HMAC does not fail")]
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of HMAC may have any length");
    mac.chain_update(text)
}

/// Compares in a time that does not depend on the difference.
fn is_hmac(key: &str, text: &[u8], signature: &str) -> bool {
    let mut claimed = [0; 32];
    hex::decode_to_slice(signature, &mut claimed).is_ok() && hmac(key, text).verify_slice(&claimed).is_ok()
}

#[cfg(test)]
mod tests;
