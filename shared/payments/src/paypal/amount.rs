//! Amounts as PayPal writes them: decimal texts such as `19.99`.
//!
//! Source of the tables: <https://developer.paypal.com/api/rest/reference/currency-codes/>. BRL, CNY and MYR are for accounts
//! of their countries only; PayPal then refuses the amount itself.

use domain::{Currency, Money};

use crate::amount::{CannotCharge, rescaled};

/// PayPal refuses a fraction of these. HUF and TWD have two digits in ISO 4217.
const NO_DECIMALS_AT_PAYPAL: [&str; 3] = ["HUF", "JPY", "TWD"];
/// PayPal writes these with two digits.
const TWO_DECIMALS_AT_PAYPAL: [&str; 22] = [
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RUB",
    "SEK", "SGD", "THB", "USD",
];
/// The longest text of an amount.
const LONGEST_AMOUNT: usize = 32;

/// The digits after the point at PayPal; `None` if PayPal does not charge the currency.
fn decimals(currency: Currency) -> Option<u8> {
    let code = currency.to_string();
    if NO_DECIMALS_AT_PAYPAL.contains(&code.as_str()) {
        Some(0)
    } else if TWO_DECIMALS_AT_PAYPAL.contains(&code.as_str()) {
        Some(2)
    } else {
        None
    }
}

/// `money` as PayPal's decimal text: `19.99`, `500`.
///
/// # Errors
/// When PayPal does not charge the currency, or not this fraction of it.
pub fn to_paypal(money: Money) -> Result<String, CannotCharge> {
    let currency = money.currency();
    let decimals = decimals(currency).ok_or(CannotCharge::Currency(currency))?;
    let amount = rescaled(money.amount_minor(), currency.decimals(), decimals).ok_or(CannotCharge::Fraction(money))?;
    Ok(if decimals == 0 { amount.to_string() } else { format!("{}.{:02}", amount / 100, amount % 100) })
}

/// The money that PayPal names by `value` and a currency's `code`. `None` if it is no positive amount of a currency that
/// PayPal charges, or has a fraction that [`to_paypal`] would not write.
#[must_use]
pub fn from_paypal(value: &str, code: &str) -> Option<Money> {
    let currency: Currency = code.parse().ok()?;
    let decimals = usize::from(decimals(currency)?);
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_decimal = value.len() <= LONGEST_AMOUNT
        && !whole.is_empty()
        && !value.ends_with('.')
        && [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_decimal || fraction.len() > decimals {
        return None;
    }
    let amount: i64 = format!("{whole}{fraction:0<decimals$}").parse().ok()?;
    let amount = rescaled(amount, u8::try_from(decimals).ok()?, currency.decimals())?;
    Money::new(amount, currency).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount_minor: i64, currency: &str) -> Money {
        Money::new(amount_minor, currency.parse().unwrap()).unwrap()
    }

    #[test]
    fn amounts_are_written_as_paypal_documents_them() {
        for (amount_minor, currency, expected) in [
            (1999, "EUR", Some("19.99")),
            (5, "USD", Some("0.05")),
            (100, "USD", Some("1.00")),
            (Money::MAX_MINOR, "USD", Some("999999999.99")),
            (500, "JPY", Some("500")),
            (50_000, "HUF", Some("500")),
            (50_050, "HUF", None),
            (100, "TWD", Some("1")),
            (1, "TWD", None),
            (1999, "INR", None),
            (1999, "KWD", None),
        ] {
            assert_eq!(to_paypal(money(amount_minor, currency)).ok().as_deref(), expected, "{amount_minor} {currency}");
        }
        assert_eq!(to_paypal(money(1, "HUF")), Err(CannotCharge::Fraction(money(1, "HUF"))));
        assert_eq!(to_paypal(money(1, "KWD")), Err(CannotCharge::Currency("KWD".parse().unwrap())));
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (value, code, expected) in [
            ("19.99", "EUR", Some(money(1999, "EUR"))),
            ("19.9", "EUR", Some(money(1990, "EUR"))),
            ("19", "EUR", Some(money(1900, "EUR"))),
            ("19.9900", "EUR", Some(money(1999, "EUR"))),
            ("19.999", "EUR", None),
            ("500", "HUF", Some(money(50_000, "HUF"))),
            ("500.00", "HUF", Some(money(50_000, "HUF"))),
            ("500.50", "HUF", None),
            ("500", "JPY", Some(money(500, "JPY"))),
            ("0.00", "EUR", None),
            ("-1.00", "EUR", None),
            ("+1.00", "EUR", None),
            ("1e2", "EUR", None),
            (" 1", "EUR", None),
            ("1.", "EUR", None),
            (".5", "EUR", None),
            ("1.0.0", "EUR", None),
            ("", "EUR", None),
            ("9999999999.99", "EUR", None),
            ("99999999999999999999999999999999", "EUR", None),
            ("1.00", "KWD", None),
            ("1.00", "eur", None),
        ] {
            assert_eq!(from_paypal(value, code), expected, "{value} {code}");
        }
    }

    #[test]
    fn a_currency_is_in_one_table_and_only_two_differ_from_iso_4217() {
        let listed = [&NO_DECIMALS_AT_PAYPAL[..], &TWO_DECIMALS_AT_PAYPAL].concat();
        assert!(TWO_DECIMALS_AT_PAYPAL.iter().all(|code| !NO_DECIMALS_AT_PAYPAL.contains(code)));
        let differ = listed.into_iter().filter(|code| {
            let currency: Currency = code.parse().unwrap();
            decimals(currency) != Some(currency.decimals())
        });
        assert_eq!(differ.collect::<Vec<_>>(), ["HUF", "TWD"]);
    }

    proptest! {
        #[test]
        fn what_can_be_charged_is_read_back_as_the_same_money(amount in 1..=Money::MAX_MINOR, index in 0usize..25) {
            let listed = [&NO_DECIMALS_AT_PAYPAL[..], &TWO_DECIMALS_AT_PAYPAL].concat();
            let money = money(amount, listed[index]);
            if let Ok(written) = to_paypal(money) {
                prop_assert_eq!(from_paypal(&written, listed[index]), Some(money));
            }
        }
    }
}
