//! Challenges and solutions of a proof of work, in the form of ALTCHA, version 2: what the official widget reads and sends.

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{Challenge, SignedChallenge, Solution};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// The header with the solution.
pub const PROOF_OF_WORK: &str = "Proof-Of-Work";

/// The longest header that is read, in bytes. A solution has some 900.
const LONGEST_SOLUTION: usize = 4_096;

/// A challenge of ALTCHA, version 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Challenge)]
pub struct ChallengeView {
    parameters: Parameters,
    /// The issuer's HMAC-SHA-256 of the parameters.
    #[schema(value_type = schemas::Hex32)]
    signature: String,
}

/// The task, as ALTCHA names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ChallengeParameters)]
struct Parameters {
    /// `PBKDF2/SHA-256`.
    algorithm: String,
    /// Rounds of PBKDF2 for each counter.
    cost: u32,
    data: Data,
    /// After this time the challenge is worth nothing, Unix s.
    expires_at: i64,
    /// Bytes of the key.
    key_length: usize,
    /// What the key of the right counter begins with, in hex.
    key_prefix: String,
    /// The issuer's HMAC-SHA-256 of the key.
    #[schema(value_type = schemas::Hex32)]
    key_signature: String,
    /// In hex. The password of PBKDF2 is nonce ‖ counter, the counter with four bytes, big-endian.
    nonce: String,
    /// The salt of PBKDF2, in hex.
    salt: String,
}

/// What the challenge is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChallengeData)]
struct Data {
    /// For which shopper and which sale it is. Opaque to clients.
    #[schema(value_type = schemas::Hex32)]
    binding: String,
}

/// What the widget sends. It adds how long it took, which nobody can check.
#[derive(Deserialize)]
struct Payload {
    challenge: ChallengeView,
    solution: Found,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    derived_key: String,
}

impl From<SignedChallenge> for ChallengeView {
    fn from(SignedChallenge { challenge, signature }: SignedChallenge) -> Self {
        let Challenge { cost, binding, expires_at, key_prefix, key_signature, nonce, salt } = challenge;
        let parameters = Parameters {
            algorithm: Challenge::ALGORITHM.to_owned(),
            cost,
            data: Data { binding },
            expires_at,
            key_length: Challenge::KEY_LENGTH,
            key_prefix,
            key_signature,
            nonce,
            salt,
        };
        Self { parameters, signature }
    }
}

/// The solution in a header's value: base 64 of JSON. `None`: it is nothing that solves a challenge of this product.
#[must_use]
pub fn solution(header: &str) -> Option<Solution> {
    let json = (header.len() <= LONGEST_SOLUTION).then(|| BASE64_STANDARD.decode(header).ok())??;
    let Payload { challenge: ChallengeView { parameters, signature }, solution } = serde_json::from_slice(&json).ok()?;
    let Parameters { algorithm, cost, data, expires_at, key_length, key_prefix, key_signature, nonce, salt } = parameters;
    let is_ours = algorithm == Challenge::ALGORITHM && key_length == Challenge::KEY_LENGTH;
    let challenge = Challenge { cost, binding: data.binding, expires_at, key_prefix, key_signature, nonce, salt };
    is_ours.then_some(Solution { solved: SignedChallenge { challenge, signature }, derived_key: solution.derived_key })
}
