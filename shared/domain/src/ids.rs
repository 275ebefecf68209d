//! Identities: parsed once at the edge, and valid from then on.
//!
//! A reservation is identified by `<product_id>.<ULID>`. Its order has the same id. Together with the shopper, an id is
//! enough to find the items in both tables, and a repeated checkout always finds the same order.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{
    Randomness,
    text_form::{is_printable, short_text, text_form},
};

/// Why a text is not an identity. The message tells a client what to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 1–64 of `a-z 0-9 - _`.
    #[error("a product id is 1 to 64 characters of a-z, 0-9, '-' and '_'")]
    Product,
    /// Not 1–128 printable characters.
    #[error("a user id is 1 to 128 printable ASCII characters")]
    Shopper,
    /// Not `<product id>.<ULID>`.
    #[error("a reservation or order id is '<product id>.<26 characters>', as it was given when the units were reserved")]
    Reservation,
}

/// Identifies a product on sale: 1–64 of `a-z 0-9 - _`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductId(String);

impl ProductId {
    /// The longest, in characters.
    pub const MAX_LENGTH: usize = 64;
}

short_text!(ProductId, IdError: IdError::Product, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');

/// Identifies a shopper: the `sub` of a token, 1–128 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShopperId(String);

impl ShopperId {
    /// The longest, in characters.
    pub const MAX_LENGTH: usize = 128;
}

short_text!(ShopperId, IdError: IdError::Shopper, is_printable);

/// Identifies one hold of one shopper in one sale: `<product_id>.<ULID>`, opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReservationId {
    product: ProductId,
    ulid: Ulid,
}

/// An order has the id of the reservation that it was made from.
pub type OrderId = ReservationId;

impl ReservationId {
    /// A fresh id for a hold that is claimed at `now`.
    #[must_use]
    pub fn generate(product: &ProductId, now: Timestamp, randomness: &dyn Randomness) -> Self {
        let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let random = randomness.bytes().iter().fold(0u128, |sum, byte| (sum << 8) | u128::from(*byte));
        Self { product: product.clone(), ulid: Ulid::from_parts(milliseconds, random) }
    }

    /// The id with this ULID. A stock shard stores only the ULID, without the product.
    ///
    /// # Errors
    /// When `ulid` is not a ULID.
    pub fn of(product: &ProductId, ulid: &str) -> Result<Self, IdError> {
        let ulid = Ulid::from_string(ulid).map_err(|_| IdError::Reservation)?;
        Ok(Self { product: product.clone(), ulid })
    }

    /// The product on sale.
    #[must_use]
    pub fn product(&self) -> &ProductId {
        &self.product
    }

    /// The ULID alone, which is unique among the holds of all products.
    #[must_use]
    pub fn ulid(&self) -> String {
        self.ulid.to_string()
    }

    /// When the id was made: just before the claim.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        i64::try_from(self.ulid.timestamp_ms()).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for ReservationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.product, self.ulid)
    }
}

impl FromStr for ReservationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (product, ulid) = text.split_once('.').ok_or(IdError::Reservation)?;
        let product: ProductId = product.parse().map_err(|_| IdError::Reservation)?;
        let id = Self::of(&product, ulid)?;
        // One id has one spelling: Crockford's alphabet would also accept lower case and look-alikes.
        if id.ulid() == ulid { Ok(id) } else { Err(IdError::Reservation) }
    }
}

text_form!(ReservationId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_id_is_what_the_contract_says() {
        for good in ["a", "iphone-17_pro", &"x".repeat(64)] {
            assert!(good.parse::<ProductId>().is_ok(), "{good}");
        }
        for bad in ["", "A", "a b", "a.b", "a#b", "ä", &"x".repeat(65)] {
            assert_eq!(bad.parse::<ProductId>(), Err(IdError::Product), "{bad}");
        }
    }

    #[test]
    fn a_shopper_id_is_printable_and_short() {
        for good in ["a", "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01", "ann lee#1", &"~".repeat(128)] {
            assert!(good.parse::<ShopperId>().is_ok(), "{good}");
        }
        for bad in ["", "a\n", "ü", "\u{7f}", &"x".repeat(129)] {
            assert_eq!(bad.parse::<ShopperId>(), Err(IdError::Shopper), "{bad}");
        }
    }

    #[test]
    fn a_reservation_id_reads_back_as_itself_and_in_one_spelling_only() {
        let id: ReservationId = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap();
        assert_eq!(id.to_string(), "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D");
        assert_eq!(id.product().as_str(), "demo");
        for bad in [
            "demo",
            "demo.",
            ".01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
            "demo.01jd3v3z5t8q6w7x9y0a1b2c3d",
            "demo.x.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
        ] {
            assert_eq!(bad.parse::<ReservationId>(), Err(IdError::Reservation), "{bad}");
        }
    }

    #[test]
    fn a_generated_id_knows_when_it_was_made() {
        struct Ones;
        impl Randomness for Ones {
            fn bytes(&self) -> [u8; 10] {
                [0xff; 10]
            }

            fn seed(&self) -> [u8; 32] {
                [0xff; 32]
            }
        }
        let now: Timestamp = "2026-11-20T12:00:00.123Z".parse().unwrap();
        let id = ReservationId::generate(&"demo".parse().unwrap(), now, &Ones);
        assert_eq!(id.made_at(), now);
        assert_eq!(id.to_string().parse::<ReservationId>().unwrap(), id);
    }
}
