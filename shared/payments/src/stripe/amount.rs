//! Amounts as Stripe writes them: whole numbers of a minor unit that is not ISO 4217's for three currencies.
//!
//! Source of the tables: <https://docs.stripe.com/currencies>, "Supported presentment currencies", "Zero-decimal
//! currencies", "Three-decimal currencies" and "Special cases", as of 2026. An account of one country may have fewer; Stripe
//! then refuses the amount itself. HUF and TWD are special for payouts only. ANG and STD are left out: ISO 4217 has
//! withdrawn them.

use domain::{Currency, Money};

use crate::amount::{CannotCharge, rescaled};

/// Stripe writes these without a fraction. MGA has two digits in ISO 4217.
const NO_DECIMALS_AT_STRIPE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Stripe writes these with two digits. ISK and UGX have none in ISO 4217, and only whole units can be charged.
const TWO_DECIMALS_AT_STRIPE: [&str; 118] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BMD", "BND", "BOB", "BRL", "BSD",
    "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD",
    "FKP", "GBP", "GEL", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "ISK", "JMD", "KES", "KGS",
    "KHR", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR", "MWK", "MXN",
    "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB",
    "SAR", "SBD", "SCR", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SZL", "THB", "TJS", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "UGX", "USD", "UYU", "UZS", "WST", "XCD", "XCG", "YER", "ZAR", "ZMW",
];
/// Stripe writes these with three digits, of which the last has to be 0.
const THREE_DECIMALS_AT_STRIPE: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The digits after the point at Stripe; `None` if Stripe does not charge the currency.
fn decimals(currency: Currency) -> Option<u8> {
    let code = currency.to_string();
    let is_in = |table: &[&str]| table.contains(&code.as_str());
    if is_in(&NO_DECIMALS_AT_STRIPE) {
        Some(0)
    } else if is_in(&TWO_DECIMALS_AT_STRIPE) {
        Some(2)
    } else if is_in(&THREE_DECIMALS_AT_STRIPE) {
        Some(3)
    } else {
        None
    }
}

/// `money` in Stripe's minor unit: 50000 for 500 ISK, 5 for 5.00 MGA.
///
/// # Errors
/// When Stripe does not charge the currency, or not this fraction of it.
pub fn to_stripe(money: Money) -> Result<i64, CannotCharge> {
    let currency = money.currency();
    let decimals = decimals(currency).ok_or(CannotCharge::Currency(currency))?;
    let amount = rescaled(money.amount_minor(), currency.decimals(), decimals);
    amount.filter(|amount| decimals != 3 || amount % 10 == 0).ok_or(CannotCharge::Fraction(money))
}

/// The money that Stripe names by `amount` and `currency` (a code in small letters). `None` if it is no positive amount, or
/// none that [`to_stripe`] would write so.
#[must_use]
pub fn from_stripe(amount: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_ascii_uppercase().parse().ok()?;
    let amount = rescaled(amount, decimals(currency)?, currency.decimals())?;
    Money::new(amount, currency).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount_minor: i64, currency: &str) -> Money {
        Money::new(amount_minor, currency.parse().unwrap()).unwrap()
    }

    fn listed() -> Vec<&'static str> {
        [&NO_DECIMALS_AT_STRIPE[..], &TWO_DECIMALS_AT_STRIPE, &THREE_DECIMALS_AT_STRIPE].concat()
    }

    #[test]
    fn amounts_are_written_as_stripe_documents_them() {
        for (amount_minor, currency, expected) in [
            (1099, "USD", Ok(1099)),
            (1099, "HUF", Ok(1099)),
            (1099, "TWD", Ok(1099)),
            (500, "JPY", Ok(500)),
            (1, "KRW", Ok(1)),
            (5, "ISK", Ok(500)),
            (5, "UGX", Ok(500)),
            (500, "MGA", Ok(5)),
            (501, "MGA", Err(CannotCharge::Fraction(money(501, "MGA")))),
            (5_120, "KWD", Ok(5_120)),
            (5_124, "KWD", Err(CannotCharge::Fraction(money(5_124, "KWD")))),
            (1_000, "IQD", Err(CannotCharge::Currency("IQD".parse().unwrap()))),
            (1_000, "IRR", Err(CannotCharge::Currency("IRR".parse().unwrap()))),
        ] {
            assert_eq!(to_stripe(money(amount_minor, currency)), expected, "{amount_minor} {currency}");
        }
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (amount, currency, expected) in [
            (1099, "usd", Some(money(1099, "USD"))),
            (500, "jpy", Some(money(500, "JPY"))),
            (500, "isk", Some(money(5, "ISK"))),
            (501, "isk", None),
            (5, "mga", Some(money(500, "MGA"))),
            (0, "usd", None),
            (-1, "usd", None),
            (i64::MAX, "mga", None),
            (100, "iqd", None),
            (100, "xyz", None),
            (100, "", None),
        ] {
            assert_eq!(from_stripe(amount, currency), expected, "{amount} {currency}");
        }
    }

    #[test]
    fn a_currency_is_in_one_table_and_only_three_differ_from_iso_4217() {
        let mut codes = listed();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), listed().len());
        let differ = codes.into_iter().filter(|code| {
            let currency: Currency = code.parse().unwrap();
            decimals(currency) != Some(currency.decimals())
        });
        assert_eq!(differ.collect::<Vec<_>>(), ["ISK", "MGA", "UGX"]);
    }

    proptest! {
        #[test]
        fn what_can_be_charged_is_read_back_as_the_same_money(amount in 1..=Money::MAX_MINOR / 100, index in 0usize..138) {
            let money = money(amount, listed()[index]);
            if let Ok(written) = to_stripe(money) {
                prop_assert_eq!(from_stripe(written, &money.currency().to_string().to_lowercase()), Some(money));
            }
        }
    }
}
