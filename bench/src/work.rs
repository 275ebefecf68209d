//! The processor time of a proof of work in the functions: verifying the solution of a request, and issuing a challenge.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use contract::ChallengeView;
use domain::{ChallengeKey, ChallengeKeys, ProofOfWork, Randomness, Sale, SaleDraft, ShopperId, Timestamp};
use kit::OsRandomness;
use test_shop::{demo, draft, solved};

use crate::{
    accounts::processor_time_of_this_thread,
    judgement::{JudgedFigure, median},
};

/// Microseconds.
const MOST_FOR_A_SOLUTION: f64 = 200.0;
const ROUNDS_OF_WORK: usize = 5;
/// Different solutions, so that nothing is in a cache of the processor that would not be there otherwise.
const SOLUTIONS: usize = 100;
/// How often a round verifies each. The kernel's figure of a running thread is some milliseconds old.
const TIMES: usize = 100;
/// The challenges are made and verified at this time, in seconds since 1970.
const NOW_OF_WORK: i64 = 4_200_000_000;
/// Challenges of a round.
const CHALLENGES: usize = 50;
/// Rounds of PBKDF2 that the documentation gives as an example.
const COST: u32 = 5_000;

/// Microseconds to verify the header of a request, and to issue a challenge.
///
/// # Errors
/// When this is not Linux, or a solution is refused.
pub fn measure() -> Result<Vec<JudgedFigure>> {
    let key = ChallengeKey::of("a key of the bench, which opens nothing").context("the key is long enough")?;
    let keys = ChallengeKeys { signing: key.clone(), accepted: Vec::new() };
    let now = Timestamp::from_second(NOW_OF_WORK).map_err(anyhow::Error::msg)?;
    let sale = Sale::of(demo(), SaleDraft { starts_at: now, ends_at: now, ..draft() });
    let verifying = verifying(&keys, &sale, now)?;
    let issuing = issuing(&key, &sale, now)?;
    Ok(vec![
        judged("µs to verify a solution", verifying, Some(MOST_FOR_A_SOLUTION)),
        judged("µs to issue a challenge", issuing, None),
    ])
}

fn judged(name: &str, value: f64, limit: Option<f64>) -> JudgedFigure {
    JudgedFigure { name: name.to_owned(), value, limit, baseline: None }
}

fn verifying(keys: &ChallengeKeys, sale: &Sale, now: Timestamp) -> Result<f64> {
    let asked = ProofOfWork { cost: 1, window_seconds: ProofOfWork::DEFAULT_WINDOW_SECONDS };
    let requests = (0..SOLUTIONS).map(|number| -> Result<(ShopperId, String)> {
        let shopper: ShopperId = format!("shopper-{number}").parse()?;
        let challenge = keys.signing.issue(sale, asked, &shopper, now, &OsRandomness);
        Ok((shopper, solved(&serde_json::to_value(ChallengeView::from(challenge))?)))
    });
    let requests = requests.collect::<Result<Vec<_>>>()?;
    per_item(SOLUTIONS * TIMES, || {
        for (shopper, header) in requests.iter().cycle().take(SOLUTIONS * TIMES) {
            let solution = contract::solution(header).context("the header is read")?;
            keys.verify(&solution, sale, shopper, now).map_err(|fault| anyhow!("{fault:?}"))?;
        }
        Ok(())
    })
}

fn issuing(key: &ChallengeKey, sale: &Sale, now: Timestamp) -> Result<f64> {
    let (asked, shopper) = (ProofOfWork { cost: COST, window_seconds: ProofOfWork::DEFAULT_WINDOW_SECONDS }, "shopper".parse()?);
    let randomness: &dyn Randomness = &OsRandomness;
    per_item(CHALLENGES, || {
        for _ in 0..CHALLENGES {
            std::hint::black_box(key.issue(sale, asked, &shopper, now, randomness));
        }
        Ok(())
    })
}

/// The median of some rounds, in microseconds for each of the items of a round.
fn per_item(items: usize, round: impl Fn() -> Result<()>) -> Result<f64> {
    let figures = (0..ROUNDS_OF_WORK).map(|_| {
        let begun = processor_time_of_this_thread()?;
        round()?;
        let spent: Duration = processor_time_of_this_thread()?.saturating_sub(begun);
        #[expect(clippy::cast_precision_loss, reason = "some thousand items")]
        Ok(spent.as_secs_f64() * 1e6 / items as f64)
    });
    Ok(median(figures.collect::<Result<Vec<f64>>>()?.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn verifying_is_measured_and_judged_and_is_far_cheaper_than_issuing() {
        let judged = measure().unwrap();
        let [verifying, issuing] = judged.as_slice() else { panic!("{judged:?}") };
        assert!(verifying.value > 1.0 && verifying.limit == Some(MOST_FOR_A_SOLUTION), "{judged:?}");
        assert!(issuing.value > 10.0 * verifying.value && issuing.limit.is_none(), "{judged:?}");
        println!("{judged:?}");
    }
}
