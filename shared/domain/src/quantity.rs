//! How many units one shopper takes at once.

use serde::{Deserialize, Serialize};

/// The number is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to 10")]
pub struct QuantityError;

/// Units that one shopper takes at once: 1–10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(u8);

impl Quantity {
    /// One unit.
    pub const ONE: Self = Self(1);
    /// The most that any sale allows.
    pub const MAX: Self = Self(10);

    /// A quantity of `units`.
    ///
    /// # Errors
    /// When `units` is not 1–10.
    pub fn new(units: u32) -> Result<Self, QuantityError> {
        match u8::try_from(units) {
            Ok(units @ 1..=10) => Ok(Self(units)),
            Ok(_) | Err(_) => Err(QuantityError),
        }
    }

    /// The number of units.
    #[must_use]
    pub fn units(self) -> u32 {
        u32::from(self.0)
    }
}

impl TryFrom<u32> for Quantity {
    type Error = QuantityError;
    fn try_from(units: u32) -> Result<Self, QuantityError> {
        Self::new(units)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> u32 {
        quantity.units()
    }
}
