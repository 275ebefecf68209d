//! Proofs of work, solved by ALTCHA's own crate.

use altcha::{Challenge, Payload, SolveChallengeOptions, solve_challenge};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The header that shows the solution of this challenge, as ALTCHA's widget encodes it.
pub fn solved(challenge: &Value) -> String {
    let challenge: Challenge = serde_json::from_value(challenge.clone()).unwrap();
    let solution = solve_challenge(SolveChallengeOptions::new(&challenge)).unwrap().unwrap();
    BASE64_STANDARD.encode(serde_json::to_vec(&Payload { challenge, solution }).unwrap())
}
