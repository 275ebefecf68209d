//! Whole numbers whose faults name the range that the API documents, not that of a Rust type.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// A whole number, documented as one from `LEAST` to `MOST`. Reading takes every `u32`: a number out of the range is read, and
/// refused by the rule that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Whole<LEAST, MOST> {
    pub(crate) fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_u32(Range { least: LEAST, most: MOST }).map(Self)
    }
}

/// Reads a number, and knows what to say of another value.
#[derive(Clone, Copy)]
struct Range {
    least: u32,
    most: u32,
}

impl Visitor<'_> for Range {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.least, self.most)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
        u32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u32, E> {
        u32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_documented_range_and_every_u32_is_read() {
        let read = |json: &str| serde_json::from_str::<Whole<5, 60>>(json).map(Whole::get).map_err(|error| error.to_string());
        for (json, number) in [("0", 0), ("5", 5), ("61", 61), ("4294967295", u32::MAX)] {
            assert_eq!(read(json), Ok(number));
        }
        for json in ["-1", "1.5", "1.0", "4294967296", "\"5\"", "null", "[]", "true"] {
            let error = read(json).unwrap_err();
            assert!(error.contains("expected a whole number from 5 to 60"), "{json}: {error}");
        }
    }
}
