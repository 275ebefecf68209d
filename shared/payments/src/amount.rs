//! What both providers' tables of currencies share: an exact change of the minor unit, and the refusal of an amount.

use domain::{Currency, Money};

/// An amount that a provider cannot charge or refund. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotCharge {
    /// The provider does not list the currency.
    #[error("the provider does not charge {0}")]
    Currency(Currency),
    /// The provider takes no such fraction of this currency's unit.
    #[error("the provider does not charge this fraction: {0}")]
    Fraction(Money),
}

/// `amount`, which has `from` digits after the point, with `to` digits instead. `None` if it is not a whole number then, or
/// too large.
pub(crate) fn rescaled(amount: i64, from: u8, to: u8) -> Option<i64> {
    if to >= from {
        return amount.checked_mul(10i64.checked_pow(u32::from(to - from))?);
    }
    let unit = 10i64.checked_pow(u32::from(from - to))?;
    (amount % unit == 0).then_some(amount / unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_digit_is_dropped() {
        for (amount, from, to, expected) in [
            (500, 0, 2, Some(50_000)),
            (500, 2, 0, Some(5)),
            (501, 2, 0, None),
            (1_230, 3, 2, Some(123)),
            (1_234, 3, 2, None),
            (7, 2, 2, Some(7)),
            (i64::MAX, 0, 1, None),
            (1, 0, 200, None),
        ] {
            assert_eq!(rescaled(amount, from, to), expected, "{amount} from {from} to {to} digits");
        }
    }

    proptest! {
        #[test]
        fn more_digits_and_back_is_the_same_amount(amount in 0..=Money::MAX_MINOR, from in 0u8..=3, more in 0u8..=3) {
            let there = rescaled(amount, from, from + more).unwrap();
            prop_assert_eq!(rescaled(there, from + more, from), Some(amount));
        }
    }
}
