//! The challenges are those of ALTCHA: its own crate, which shares no code with ours, solves and verifies what we issue, and we verify
//! what it issues. Time and randomness are the test's.

use std::{collections::BTreeMap, sync::Mutex};

use altcha::{
    CreateChallengeOptions, SolveChallengeOptions, VerifySolutionOptions, create_challenge, solve_challenge, verify_solution,
};
use proptest::prelude::*;

use super::*;
use crate::{SaleDraft, samples};

const SECRET: &str = "a secret of tests, which opens nothing: 0123456789";
/// Later than any time at which this test runs: ALTCHA's crate asks the system's clock.
const START: &str = "9000-01-01T12:00:00Z";

/// Seeds from 1 on.
#[derive(Default)]
struct Counting(Mutex<u8>);

impl Randomness for Counting {
    fn bytes(&self) -> [u8; 10] {
        [0; 10]
    }

    fn seed(&self) -> [u8; 32] {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        [*count; 32]
    }
}

fn key() -> ChallengeKey {
    ChallengeKey::of(SECRET).unwrap()
}

fn keys() -> ChallengeKeys {
    ChallengeKeys { signing: key(), accepted: Vec::new() }
}

const ASKED: ProofOfWork = ProofOfWork { cost: 3, window_seconds: 10 };

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn sale(product: &str) -> Sale {
    let draft = SaleDraft { proof_of_work: Some(ASKED), ..samples::draft(START, "9000-01-01T13:00:00Z") };
    Sale::of(product.parse().unwrap(), draft)
}

fn shopper(name: &str) -> ShopperId {
    name.parse().unwrap()
}

/// A challenge for `ann` in the sale `demo`.
fn issued_at(now: Timestamp) -> SignedChallenge {
    key().issue(&sale("demo"), ASKED, &shopper("ann"), now, &Counting::default())
}

fn verified(solution: &Solution, product: &str, name: &str, now: Timestamp) -> Result<(), SolutionFault> {
    keys().verify(solution, &sale(product), &shopper(name), now)
}

/// Our challenge as ALTCHA's crate reads it.
fn as_altcha(SignedChallenge { challenge, signature }: &SignedChallenge) -> altcha::Challenge {
    let text = format!(r#"{{"parameters": {}, "signature": "{signature}"}}"#, challenge.signed_text());
    serde_json::from_str(&text).unwrap()
}

/// The challenge solved by ALTCHA's crate.
fn solved(challenge: &SignedChallenge) -> Solution {
    let found = solve_challenge(SolveChallengeOptions::new(&as_altcha(challenge))).unwrap().unwrap();
    assert!(found.counter < Challenge::COUNTERS);
    Solution { solved: challenge.clone(), derived_key: found.derived_key }
}

/// Whether ALTCHA's crate finds the solution right.
fn altcha_verifies(solution: &Solution) -> bool {
    let challenge = as_altcha(&solution.solved);
    let claimed = altcha::Solution { counter: 0, derived_key: solution.derived_key.clone(), time: None };
    let [signature, key_signature] = key().altcha_secrets().map(str::to_owned);
    let mut options = VerifySolutionOptions::new(&challenge, &claimed, signature);
    options.hmac_key_signature_secret = Some(key_signature);
    verify_solution(options).unwrap().verified
}

#[test]
fn altcha_solves_and_verifies_our_challenges() {
    for product in ["demo", "a", "winter-drop_2"] {
        let challenge = key().issue(&sale(product), ASKED, &shopper("ann"), start(), &Counting::default());
        let solution = solved(&challenge);
        assert!(altcha_verifies(&solution));
        assert_eq!(verified(&solution, product, "ann", start()), Ok(()));
    }
}

#[test]
fn we_verify_what_altcha_issues_with_our_secrets() {
    let [signature, key_signature] = key().altcha_secrets().map(str::to_owned);
    let binding = Challenge::binding_of(&sale("demo"), &shopper("ann"));
    let issued = create_challenge(CreateChallengeOptions {
        counter: Some(17),
        cost: 2,
        data: Some(BTreeMap::from([("binding".to_owned(), serde_json::Value::String(binding.clone()))])),
        expires_at: Some(start().as_second()),
        hmac_signature_secret: Some(signature),
        hmac_key_signature_secret: Some(key_signature),
        ..CreateChallengeOptions::default()
    })
    .unwrap();
    let parameters = issued.parameters.clone();
    let challenge = Challenge {
        cost: parameters.cost,
        binding,
        expires_at: parameters.expires_at.unwrap(),
        key_prefix: parameters.key_prefix,
        key_signature: parameters.key_signature.unwrap(),
        nonce: parameters.nonce,
        salt: parameters.salt,
    };
    let challenge = SignedChallenge { challenge, signature: issued.signature.unwrap() };
    assert_eq!(verified(&solved(&challenge), "demo", "ann", start()), Ok(()));
}

#[test]
fn a_solution_is_good_for_its_shopper_its_sale_and_its_time_as_often_as_it_is_sent() {
    let solution = solved(&issued_at(start()));
    let end = start() + SignedDuration::from_secs(10);
    for now in [start(), end, start()] {
        assert_eq!(verified(&solution, "demo", "ann", now), Ok(()), "{now}");
    }
    assert_eq!(verified(&solution, "demo", "ann", end + SignedDuration::from_nanos(1)), Err(SolutionFault::Expired));
    assert_eq!(verified(&solution, "demo", "bob", start()), Err(SolutionFault::Foreign));
    assert_eq!(verified(&solution, "demo-2", "ann", start()), Err(SolutionFault::Foreign));
}

#[test]
fn product_and_shopper_of_a_binding_do_not_run_into_each_other() {
    let binding = |product: &str, name: &str| Challenge::binding_of(&sale(product), &shopper(name));
    assert_ne!(binding("ab", "c"), binding("a", "bc"));
}

#[test]
fn the_window_begins_at_the_start_or_at_the_issue_and_ends_at_a_whole_second() {
    let ends = |now: &str| issued_at(now.parse().unwrap()).challenge.expires_at - start().as_second();
    assert_eq!(ends("9000-01-01T11:59:00Z"), 10);
    assert_eq!(ends(START), 10);
    assert_eq!(ends("9000-01-01T12:00:00.001Z"), 11);
    assert_eq!(ends("9000-01-01T12:30:00Z"), 1_810);
}

#[test]
fn a_key_that_was_not_found_is_wrong_and_a_challenge_with_another_secret_is_forged() {
    let solution = solved(&issued_at(start()));
    let prefix_only = format!("{}{}", solution.solved.challenge.key_prefix, "00".repeat(16));
    for wrong in ["", "00", &"00".repeat(32), &prefix_only, &solution.derived_key[2..], &format!("{}00", solution.derived_key)] {
        let wrong = Solution { derived_key: wrong.to_owned(), ..solution.clone() };
        assert_eq!(verified(&wrong, "demo", "ann", start()), Err(SolutionFault::Wrong), "{}", wrong.derived_key);
        assert!(!altcha_verifies(&wrong));
    }
    let other = ChallengeKey::of(&SECRET.to_uppercase()).unwrap();
    let challenge = other.issue(&sale("demo"), ASKED, &shopper("ann"), start(), &Counting::default());
    assert_eq!(verified(&solved(&challenge), "demo", "ann", start()), Err(SolutionFault::Forged));
}

#[test]
fn every_parameter_is_signed() {
    let solution = solved(&issued_at(start()));
    let changes: [fn(&mut SignedChallenge); 8] = [
        |it| it.challenge.cost = 1,
        |it| it.challenge.binding = Challenge::binding_of(&sale("demo"), &shopper("bob")),
        |it| it.challenge.expires_at += 3_600,
        |it| it.challenge.key_prefix = "00".repeat(16),
        |it| it.challenge.key_signature = "00".repeat(32),
        |it| it.challenge.nonce = "00".repeat(16),
        |it| it.challenge.salt = "00".repeat(16),
        |it| it.signature = "00".repeat(32),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut forged = solution.clone();
        change(&mut forged.solved);
        for name in ["ann", "bob"] {
            assert_eq!(verified(&forged, "demo", name, start()), Err(SolutionFault::Forged), "{number}");
        }
        assert!(!altcha_verifies(&forged), "{number}");
    }
}

#[test]
fn during_a_rotation_challenges_of_both_keys_are_valid() {
    let (old, new) = (key(), ChallengeKey::of(&SECRET.replace('0', "9")).unwrap());
    let by = |key: &ChallengeKey| solved(&key.issue(&sale("demo"), ASKED, &shopper("ann"), start(), &Counting::default()));
    let judged = |signing: &ChallengeKey, accepted: &[&ChallengeKey], by_key: &ChallengeKey| {
        let keys = ChallengeKeys { signing: signing.clone(), accepted: accepted.iter().copied().cloned().collect() };
        keys.verify(&by(by_key), &sale("demo"), &shopper("ann"), start())
    };
    assert_eq!(judged(&old, &[&new], &old), Ok(()));
    assert_eq!(judged(&old, &[&new], &new), Ok(()), "another environment signs with the new key already");
    assert_eq!(judged(&new, &[&old], &old), Ok(()));
    assert_eq!(judged(&new, &[], &old), Err(SolutionFault::Forged));
}

#[test]
fn a_secret_has_at_least_32_bytes_and_is_not_shown() {
    assert_eq!(ChallengeKey::of(&"x".repeat(31)), None);
    let key = ChallengeKey::of(&"x".repeat(32)).unwrap();
    assert_eq!(format!("{key:?}"), "ChallengeKey(…)");
    let [challenges, solutions] = key.altcha_secrets();
    assert_ne!(challenges, solutions);
}

#[test]
fn counters_are_spread_over_all_that_a_device_may_have_to_try() {
    /// Seeds whose first two bytes count up.
    struct Rising(Mutex<u16>);
    impl Randomness for Rising {
        fn bytes(&self) -> [u8; 10] {
            [0; 10]
        }
        fn seed(&self) -> [u8; 32] {
            let mut count = self.0.lock().unwrap();
            *count += 77;
            let [high, low] = count.to_be_bytes();
            std::array::from_fn(|at| [high, low].get(at).copied().unwrap_or(9))
        }
    }
    let randomness = Rising(Mutex::new(0));
    let ask = || key().issue(&sale("demo"), ProofOfWork { cost: 1, ..ASKED }, &shopper("ann"), start(), &randomness);
    let counters: Vec<u32> =
        (0..200).map(|_| solve_challenge(SolveChallengeOptions::new(&as_altcha(&ask()))).unwrap().unwrap().counter).collect();
    for quarter in 0..4 {
        let within = counters.iter().filter(|counter| **counter / (Challenge::COUNTERS / 4) == quarter).count();
        assert!((30..=70).contains(&within), "{within} of 200 in quarter {quarter}");
    }
}

#[test]
fn challenges_of_before_a_change_are_another_sales() {
    let solution = solved(&issued_at(start()));
    let changed = |change: fn(&mut SaleDraft)| {
        let mut sale = sale("demo");
        change(&mut sale.draft);
        keys().verify(&solution, &sale, &shopper("ann"), start())
    };
    assert_eq!(changed(|draft| draft.name = "Another name".into()), Ok(()));
    assert_eq!(changed(|draft| draft.starts_at += SignedDuration::from_nanos(1)), Err(SolutionFault::Foreign));
    let dearer = |draft: &mut SaleDraft| draft.proof_of_work = Some(ProofOfWork { cost: 4, ..ASKED });
    assert_eq!(changed(dearer), Err(SolutionFault::Foreign));
}

#[test]
fn a_crowd_pays_up_to_four_times_as_much_and_a_quiet_second_the_price_of_the_sale() {
    let second = |after: i64| start() + SignedDuration::from_secs(after);
    let costs = |rate: &mut ChallengeRate, asked: u32, now, times: usize| -> Vec<u32> {
        (0..times).map(|_| rate.next(ProofOfWork { cost: asked, window_seconds: 10 }, now).cost).collect()
    };
    let mut rate = ChallengeRate::default();
    let first = costs(&mut rate, 5_000, second(0), 200);
    let rises = [5_000, 10_000, 15_000, 20_000].map(|cost| first.iter().position(|one| *one == cost));
    assert_eq!(rises, [Some(0), Some(50), Some(75), Some(92)], "each 250,000 rounds");
    assert_eq!(first.last(), Some(&20_000), "and no further");
    assert_eq!(costs(&mut rate, 5_000, second(1), 1), [20_000], "the second before was busy");
    assert_eq!(costs(&mut rate, 5_000, second(2), 1), [5_000]);
    assert_eq!(costs(&mut rate, 5_000, second(9), 1), [5_000]);
    // The dearest sale: what an environment does for one challenge has a bound.
    let mut rate = ChallengeRate::default();
    let dearest = costs(&mut rate, *ProofOfWork::COST.end(), second(0), 100);
    assert_eq!((dearest[0], dearest[4], dearest[5], dearest.iter().max()), (50_000, 50_000, 100_000, Some(&200_000)));
    let mut full = ChallengeRate { second: second(0).as_second(), rounds: u32::MAX, before: 0 };
    assert_eq!(costs(&mut full, u32::MAX, second(0), 1), [u32::MAX]);
}

#[test]
fn a_device_that_is_slow_solves_what_a_sale_may_ask_within_its_window() {
    let check = |cost, window_seconds| ProofOfWork { cost, window_seconds }.check().map_err(|error| error.field);
    for (cost, window) in [(1, 5), (5_000, 5), (5_000, 10), (10_000, 10), (50_000, 50), (50_000, 60)] {
        assert_eq!(check(cost, window), Ok(()), "{cost} in {window} s");
    }
    for (cost, window) in [(0, 10), (5_001, 5), (10_001, 10), (50_000, 49), (50_001, 60)] {
        assert_eq!(check(cost, window), Err("admission/proof_of_work/cost"), "{cost} in {window} s");
    }
    for (cost, window) in [(1, 4), (1, 61), (50_000, 4)] {
        assert_eq!(check(cost, window), Err("admission/proof_of_work/window_seconds"), "{cost} in {window} s");
    }
}

proptest! {
    /// Whatever comes in, the answer is one of the faults, and ours is never kinder than ALTCHA's.
    #[test]
    fn nothing_but_the_solution_is_a_solution(key_text in "[0-9a-f]{0,70}", signature in "[0-9a-fA-F]{64}") {
        let solution = solved(&issued_at(start()));
        let wrong = Solution { derived_key: key_text, ..solution.clone() };
        prop_assert_eq!(verified(&wrong, "demo", "ann", start()), Err(SolutionFault::Wrong));
        let mut forged = solution;
        forged.solved.signature = signature;
        prop_assert_eq!(verified(&forged, "demo", "ann", start()), Err(SolutionFault::Forged));
    }
}
