//! The processor time that the authorizer needs to verify a token, without Lambda's runtime: reading it, its signature and its claims.

use std::time::Duration;

use anyhow::{Context, Result};
use domain::Timestamp;
use identity::{Issuer, KeySet, Realm, Token};
use test_issuer::{Issuer as Fake, Signer};

use crate::{
    accounts::processor_time_of_this_thread,
    judgement::{JudgedFigure, median},
};

/// Microseconds.
const MOST_FOR_A_TOKEN: f64 = 300.0;
const ROUNDS: usize = 5;
const TOKENS: u32 = 1_000;
/// The tokens are made and verified at this time, in seconds since 1970.
const NOW: i64 = 4_200_000_000;

/// Microseconds for a token with an RSA key of 2,048 bits, and with a P-256 key.
///
/// # Errors
/// When this is not Linux, or a token is refused.
pub fn measure() -> Result<Vec<JudgedFigure>> {
    [("µs to verify RS256", Signer::rs256(1)), ("µs to verify ES256", Signer::es256(1))].into_iter().map(measure_one).collect()
}

fn measure_one((name, signer): (&str, Signer)) -> Result<JudgedFigure> {
    let fake = Fake::cognito("Shoppers", signer);
    let issuer = Issuer::new(Realm::Customers, fake.url.clone(), vec![fake.audience.clone()])?;
    let keys = KeySet::read(fake.key_set().to_string().as_bytes())?;
    // Claims and signatures differ, so that nothing is in a cache of the processor that would not be there otherwise.
    let tokens: Vec<String> = (0..TOKENS).map(|number| fake.token(&fake.id_claims(&format!("shopper-{number}"), NOW))).collect();
    let now = Timestamp::from_second(NOW).map_err(anyhow::Error::msg)?;
    let round = || -> Result<f64> {
        let begun = processor_time_of_this_thread()?;
        for text in &tokens {
            let token = Token::read(text)?;
            let key = keys.find(token.algorithm(), token.key_id()).context("the key set has the key")?;
            issuer.verify(&token, key, now)?;
        }
        let spent: Duration = processor_time_of_this_thread()?.saturating_sub(begun);
        Ok(spent.as_secs_f64() * 1e6 / f64::from(TOKENS))
    };
    let figures = (0..ROUNDS).map(|_| round()).collect::<Result<Vec<f64>>>()?;
    Ok(JudgedFigure { name: name.to_owned(), value: median(figures.into_iter()), limit: Some(MOST_FOR_A_TOKEN), baseline: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn both_algorithms_are_measured_and_judged() {
        let judged = measure().unwrap();
        assert!(judged.iter().all(|one| one.value > 1.0 && one.limit == Some(MOST_FOR_A_TOKEN)), "{judged:?}");
        println!("{judged:?}");
    }
}
