//! A libFuzzer target runs the function of its name in `fuzz-targets`, and makes inputs as the short run of `cargo test` does,
//! or as libFuzzer does.

pub use libfuzzer_sys;

use fuzz_targets::{Target, mutated, named};

/// Of so many inputs, one is a seed. A run needs no corpus.
const SEEDS: usize = 64;

/// A target with its seeds.
pub struct Fuzzed {
    target: Target,
    seeds: Vec<Vec<u8>>,
}

impl Fuzzed {
    /// The target of this name.
    pub fn named(name: &str) -> Self {
        let target = named(name);
        Self { target, seeds: (target.seeds)() }
    }

    /// Runs one input. A panic is a finding.
    pub fn run(&self, input: &[u8]) {
        (self.target.run)(input);
    }

    /// Another input in the place of the first `size` bytes of `data`. Returns its size.
    pub fn mutate(&self, data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
        let mut chance = fastrand::Rng::with_seed(seed.into());
        if chance.bool() && size > 0 {
            return libfuzzer_sys::fuzzer_mutate(data, size, most);
        }
        let is_seed = size == 0 || chance.usize(..SEEDS) == 0;
        let from = if is_seed { &self.seeds[chance.usize(..self.seeds.len())] } else { &data[..size] };
        let made = if is_seed { from.to_vec() } else { mutated(from, &self.seeds, &mut chance) };
        let size = made.len().min(most);
        data[..size].copy_from_slice(&made[..size]);
        size
    }
}

/// The target whose name is the binary's.
#[macro_export]
macro_rules! target {
    () => {
        static FUZZED: std::sync::LazyLock<$crate::Fuzzed> =
            std::sync::LazyLock::new(|| $crate::Fuzzed::named(env!("CARGO_BIN_NAME")));
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            FUZZED.run(input);
        });
        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            let size = FUZZED.mutate(data, size, most, seed);
            size
        });
    };
}
