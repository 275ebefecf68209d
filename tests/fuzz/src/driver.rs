//! The short deterministic run: the seeds themselves, then inputs that are made of them by a generator with a fixed seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Target, mutated};

/// The inputs of a run, by what the parser said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Inputs that the parser took.
    pub taken: usize,
    /// Inputs that it refused.
    pub refused: usize,
}

/// An input with which a target panicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The bytes that the target got.
    pub input: Vec<u8>,
    /// What the panic said.
    pub said: String,
}

/// Runs `target` on its seeds and on `inputs` more, the same for each `seed`. Stops at the first finding.
///
/// # Errors
/// The finding.
pub fn drive(target: &Target, inputs: usize, seed: u64) -> Result<Tally, Finding> {
    let (seeds, mut chance, mut tally) = ((target.seeds)(), fastrand::Rng::with_seed(seed), Tally::default());
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    let made = std::iter::repeat_with(|| mutated(&seeds[chance.usize(..seeds.len())], &seeds, &mut chance));
    for input in seeds.iter().cloned().chain(made.take(inputs)) {
        match catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
            Ok(true) => tally.taken += 1,
            Ok(false) => tally.refused += 1,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let said = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("something").to_owned();
                return Err(Finding { input, said });
            }
        }
    }
    Ok(tally)
}

/// The run of `cargo test`. A target that takes everything or nothing says little.
#[cfg(test)]
pub(crate) fn passes(target: &Target) {
    let seed =
        target.name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    match drive(target, target.inputs, seed) {
        Ok(tally) => {
            println!("{}: {tally:?}", target.name);
            assert!(tally.taken > 0 && tally.refused > 0, "{} proves little: {tally:?}", target.name);
        }
        Err(Finding { input, said }) => panic!(
            "{}: {said}\nfor {:?}\nas hexadecimal digits, for a file that `cargo fuzz run {}` reads: {}",
            target.name,
            String::from_utf8_lossy(&input),
            target.name,
            input.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
        ),
    }
}
