//! `cargo xtask verify-draw`: verifies the draw of a sale that has ended. It shares no code with the functions, so that it does
//! not repeat their mistakes.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// Verify the draw of a sale that has ended
#[derive(Args)]
pub(crate) struct VerifyDraw {
    /// The draw: an address such as `https://…/api/flash-sales/<product>/draw`, or a file with its answer
    draw: String,
    /// What this address or file said before the sale: the commitment must be the same
    #[arg(long)]
    before: Option<String>,
    /// The product of the sale
    #[arg(long, requires = "shopper")]
    product: Option<String>,
    /// A shopper, by the `sub` of its token: says when its turn was
    #[arg(long, requires = "product")]
    shopper: Option<String>,
    /// A time at which the shopper was admitted: must not be before its turn
    #[arg(long, requires = "shopper", value_parser = time)]
    at: Option<Timestamp>,
}

/// The answer of the API.
#[derive(Deserialize)]
struct Draw {
    commitment: String,
    ramp_seconds: u32,
    starts_at: Timestamp,
    seed: Option<String>,
}

impl VerifyDraw {
    pub(crate) fn run(self) -> Result<()> {
        let draw = read(&self.draw)?;
        if let Some(before) = &self.before {
            ensure!(read(before)?.commitment == draw.commitment, "WRONG: before the sale, there was another commitment");
            println!("The commitment is the one that was published before.");
        }
        let Some(seed) = &draw.seed else { bail!("there is no seed in {}: the sale has not ended", self.draw) };
        let seed = hex::decode(seed).context("the seed is not hex")?;
        ensure!(hex::encode(Sha256::digest(&seed)) == draw.commitment, "WRONG: the seed does not match the commitment");
        println!("The seed matches the commitment.");
        let (Some(product), Some(shopper)) = (&self.product, &self.shopper) else { return Ok(()) };
        let rank = rank(&seed, product, shopper)?;
        println!("The turn of {shopper} came {:.6} s after the start.", seconds_after_start(rank, draw.ramp_seconds));
        if let Some(at) = self.at {
            ensure!(is_admitted(rank, draw.ramp_seconds, draw.starts_at, at), "WRONG: at {at}, it had not come");
            println!("At {at}, it had come.");
        }
        Ok(())
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error: jiff::Error| error.to_string())
}

fn read(source: &str) -> Result<Draw> {
    let text = if source.starts_with("http") {
        ureq::get(source).call()?.body_mut().read_to_string()?
    } else {
        fs::read_to_string(Path::new(source)).with_context(|| source.to_owned())?
    };
    serde_json::from_str(&text).with_context(|| format!("{source} has no draw"))
}

/// The shopper's rank, of 2⁶⁴.
fn rank(seed: &[u8], product: &str, shopper: &str) -> Result<u64> {
    let mut mac = Hmac::<Sha256>::new_from_slice(seed)?;
    mac.update(format!("{product}\0{shopper}").as_bytes());
    let digest = mac.finalize().into_bytes();
    let first = digest.first_chunk().context("a digest has 32 bytes")?;
    Ok(u64::from_be_bytes(*first))
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with six decimals, and decides nothing")]
fn seconds_after_start(rank: u64, ramp_seconds: u32) -> f64 {
    rank as f64 / 2_f64.powi(64) * f64::from(ramp_seconds)
}

/// Whether rank / 2⁶⁴ < (t − start) / ramp.
fn is_admitted(rank: u64, ramp_seconds: u32, starts_at: Timestamp, at: Timestamp) -> bool {
    // The ramp is what counts after its end. Both sides are below 2¹⁰⁶.
    let ramp = i128::from(ramp_seconds) * SECOND;
    let after = (at.as_nanosecond() - starts_at.as_nanosecond()).min(ramp);
    after > 0 && i128::from(rank) * ramp < after << 64
}

#[cfg(test)]
mod tests {
    use clap::{Parser, error::ErrorKind};

    use super::*;
    use crate::{Arguments, Command};

    #[derive(Deserialize)]
    struct Vector {
        seed: String,
        commitment: String,
        product_id: String,
        shopper: String,
        ramp_seconds: u32,
        starts_at: Timestamp,
        rank: String,
        admitted_at: Timestamp,
    }

    /// What `cargo xtask verify-draw` makes of these arguments.
    fn parsed(arguments: &[&str]) -> Result<VerifyDraw, ErrorKind> {
        match Arguments::try_parse_from(["cargo xtask", "verify-draw"].into_iter().chain(arguments.iter().copied())) {
            Ok(Arguments { command: Command::VerifyDraw(verify) }) => Ok(verify),
            Ok(_) => panic!("another command"),
            Err(error) => Err(error.kind()),
        }
    }

    #[test]
    fn a_draw_is_enough_and_a_turn_is_that_of_a_shopper_in_a_sale() {
        for (arguments, fault) in [
            (&["draw.json"][..], None),
            (&["draw.json", "--before", "before.json"], None),
            (&["draw.json", "--product", "demo", "--shopper", "ann"], None),
            (&["draw.json", "--product", "demo", "--shopper", "ann", "--at", "2019-11-27T12:00:00Z"], None),
            (&[], Some(ErrorKind::MissingRequiredArgument)),
            (&["draw.json", "--product", "demo"], Some(ErrorKind::MissingRequiredArgument)),
            (&["draw.json", "--shopper", "ann"], Some(ErrorKind::MissingRequiredArgument)),
            (&["draw.json", "--at", "2019-11-27T12:00:00Z"], Some(ErrorKind::MissingRequiredArgument)),
            (&["draw.json", "--product", "demo", "--shopper", "ann", "--at", "noon"], Some(ErrorKind::ValueValidation)),
            (&["draw.json", "--product", "demo", "--shopper", "ann", "--at", "2019-11-27"], Some(ErrorKind::ValueValidation)),
            (&["draw.json", "other.json"], Some(ErrorKind::UnknownArgument)),
        ] {
            assert_eq!(parsed(arguments).err(), fault, "{arguments:?}");
        }
    }

    #[test]
    fn the_arguments_are_read_as_they_are_given() {
        let line = "draw.json --before before.json --product demo --shopper ann --at 2019-11-27T12:00:00.5Z";
        let read = parsed(&line.split(' ').collect::<Vec<_>>());
        let VerifyDraw { draw, before, product, shopper, at } = read.unwrap();
        assert_eq!((draw.as_str(), before.as_deref()), ("draw.json", Some("before.json")));
        assert_eq!((product.as_deref(), shopper.as_deref()), (Some("demo"), Some("ann")));
        assert_eq!(at.map(|at| at.to_string()).as_deref(), Some("2019-11-27T12:00:00.5Z"));
    }

    #[test]
    fn the_published_vectors_hold() {
        let text = fs::read_to_string(crate::root().join("docs/draw/vectors.json")).unwrap();
        let vectors: Vec<Vector> = serde_json::from_str(&text).unwrap();
        assert!(vectors.len() >= 10);
        for Vector { seed, commitment, product_id, shopper, ramp_seconds, starts_at, rank: expected, admitted_at } in vectors {
            let seed = hex::decode(seed).unwrap();
            assert_eq!(hex::encode(Sha256::digest(&seed)), commitment);
            let rank = rank(&seed, &product_id, &shopper).unwrap();
            assert_eq!(rank.to_string(), expected);
            assert!(is_admitted(rank, ramp_seconds, starts_at, admitted_at));
            let before = admitted_at - jiff::SignedDuration::from_millis(1);
            assert!(!is_admitted(rank, ramp_seconds, starts_at, before));
        }
    }
}
