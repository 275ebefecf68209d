//! Solutions of challenges, as the header of a request has them.

use std::sync::LazyLock;

use contract::ChallengeView;
use domain::{ChallengeKey, ChallengeKeys, ProofOfWork, Randomness, Sale, ShopperId, Solution, SolutionFault, Timestamp};
use serde_json::Value;
use test_aws::CountingRandomness;
use test_shop::{guarded, solved};

/// The time of the tests.
static NOW: LazyLock<Timestamp> = LazyLock::new(|| test_shop::NOW.parse().unwrap());

static KEYS: LazyLock<ChallengeKeys> = LazyLock::new(|| {
    let key = |text: &str| ChallengeKey::of(&text.repeat(8)).unwrap();
    ChallengeKeys { signing: key("new key "), accepted: vec![key("old key ")] }
});

fn ann() -> ShopperId {
    "ann".parse().unwrap()
}

fn sale_of(product: &str) -> Sale {
    Sale::of(product.parse().unwrap(), guarded())
}

/// A challenge for `shopper` in the sale of `product`, solved.
fn solution_of(key: &ChallengeKey, product: &str, shopper: &str, at: Timestamp) -> String {
    let randomness: &dyn Randomness = &CountingRandomness::new();
    let asked = ProofOfWork { cost: 1, window_seconds: 10 };
    let challenge = key.issue(&sale_of(product), asked, &shopper.parse().unwrap(), at, randomness);
    solved(&serde_json::to_value(ChallengeView::from(challenge)).unwrap())
}

/// Solutions that are right, those of another shopper and of another sale, and one that is too old.
static SOLUTIONS: LazyLock<[String; 5]> = LazyLock::new(|| {
    let earlier = *NOW - domain::SignedDuration::from_mins(1);
    [
        solution_of(&KEYS.signing, "demo", "ann", *NOW),
        solution_of(&KEYS.accepted[0], "demo", "ann", *NOW),
        solution_of(&KEYS.signing, "demo", "bob", *NOW),
        solution_of(&KEYS.signing, "drop", "ann", *NOW),
        solution_of(&KEYS.signing, "demo", "ann", earlier),
    ]
});

fn read(header: &str) -> Option<Solution> {
    contract::solution(header)
}

/// Nothing is believed but the right solution of a challenge that was issued to this shopper, for this sale and this time.
pub(crate) fn solution(input: &[u8]) -> bool {
    let Some(shown) = std::str::from_utf8(input).ok().and_then(read) else { return false };
    let judged = KEYS.verify(&shown, &sale_of("demo"), &ann(), *NOW);
    let known: Vec<Solution> = SOLUTIONS.iter().filter_map(|header| read(header)).collect();
    let is_issued = known.iter().any(|one| one.solved.challenge == shown.solved.challenge);
    assert!(is_issued || judged == Err(SolutionFault::Forged), "{judged:?} of {shown:?}");
    if judged.is_ok() {
        let key = |one: &Solution| one.derived_key.to_ascii_lowercase();
        assert!(
            known[..2].iter().any(|one| one.solved.challenge == shown.solved.challenge && key(one) == key(&shown)),
            "{shown:?}"
        );
    }
    judged.is_ok()
}

/// Headers with solutions.
pub(crate) fn solution_seeds() -> Vec<Vec<u8>> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let changed = |change: fn(&mut Value)| {
        let mut json: Value = serde_json::from_slice(&BASE64_STANDARD.decode(&SOLUTIONS[0]).unwrap()).unwrap();
        change(&mut json);
        BASE64_STANDARD.encode(json.to_string())
    };
    let longer = changed(|json| json["challenge"]["parameters"]["expiresAt"] = 9_999_999_999_i64.into());
    let cheaper = changed(|json| json["challenge"]["parameters"]["cost"] = 0.into());
    SOLUTIONS.iter().cloned().chain([longer, cheaper, "e30=".to_owned()]).map(String::into_bytes).collect()
}
