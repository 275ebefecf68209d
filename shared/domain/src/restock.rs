//! Restocking a sale: the key that identifies a restock, and the number of restocks allowed.

use serde::{Deserialize, Serialize};

use crate::text_form::{is_printable, short_text};

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 64 printable ASCII characters, such as a UUID")]
pub struct RestockKeyError;

/// Identifies a restock of a sale: an operator's `Idempotency-Key`. A repetition has the same key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RestockKey(String);

impl RestockKey {
    /// Restocks per sale at most: each adds about 100 bytes to the sale, which every environment of `reserve` reads.
    pub const MOST: usize = 50;
    /// The longest key, in characters.
    pub const MAX_LENGTH: usize = 64;
}

short_text!(RestockKey, RestockKeyError: RestockKeyError, is_printable);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printable_and_short() {
        for good in ["1", "8e03978e-40d5-43dd-bc93-6894a57f9324", "restock 2", &"~".repeat(64)] {
            assert!(good.parse::<RestockKey>().is_ok(), "{good}");
        }
        for bad in ["", "a\n", "ü", &"x".repeat(65)] {
            assert_eq!(bad.parse::<RestockKey>(), Err(RestockKeyError), "{bad}");
        }
    }
}
