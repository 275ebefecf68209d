//! Amounts: decimal strings outside, whole minor units inside, and PayPal's currencies.

use serde_json::{Value, json};

use crate::refusal::Issue;

/// PayPal's currencies and their decimals. HUF, JPY and TWD have none at PayPal, whatever ISO 4217 says of HUF and TWD
/// (<https://developer.paypal.com/api/rest/reference/currency-codes/>).
const CURRENCIES: [(&str, u8); 24] = [
    ("AUD", 2),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CNY", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("HUF", 0),
    ("ILS", 2),
    ("JPY", 0),
    ("MXN", 2),
    ("MYR", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("PHP", 2),
    ("PLN", 2),
    ("SEK", 2),
    ("SGD", 2),
    ("THB", 2),
    ("TWD", 0),
    ("USD", 2),
];

/// The longest amount that PayPal's schema admits, in characters.
const LONGEST_VALUE: usize = 32;
/// Digits before the decimal point; the largest amount is 999999999999999.99.
const MOST_WHOLE_DIGITS: usize = 15;

/// A currency that PayPal takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Currency {
    code: &'static str,
    decimals: u8,
}

impl Currency {
    pub(crate) fn of(code: &str) -> Option<Self> {
        CURRENCIES.into_iter().find(|(known, _)| *known == code).map(|(code, decimals)| Self { code, decimals })
    }

    pub(crate) fn code(self) -> &'static str {
        self.code
    }
}

/// An amount in its currency's smallest unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) currency: Currency,
    pub(crate) minor: u64,
}

impl Money {
    /// Reads PayPal's `value`. Refuses what is not a positive number with at most the currency's decimals.
    pub(crate) fn parse(currency: Currency, value: &str) -> Result<Self, Issue> {
        if value.len() > LONGEST_VALUE {
            return Err(Issue::InvalidStringLength);
        }
        let (negative, digits) = value.strip_prefix('-').map_or((false, value), |rest| (true, rest));
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            None if !digits.is_empty() => (digits, ""),
            Some(_) | None => return Err(Issue::InvalidParameterSyntax),
        };
        if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(Issue::InvalidParameterSyntax);
        }
        if fraction.len() > usize::from(currency.decimals) {
            return Err(if currency.decimals == 0 { Issue::DecimalsNotSupported } else { Issue::DecimalPrecision });
        }
        let whole = whole.trim_start_matches('0');
        if whole.len() > MOST_WHOLE_DIGITS {
            return Err(Issue::MaxValueExceeded);
        }
        // At most 17 digits, which fit.
        let minor = format!("{whole}{fraction:0<width$}", width = usize::from(currency.decimals));
        let minor: u64 = if minor.is_empty() { 0 } else { minor.parse().map_err(|_| Issue::InvalidParameterSyntax)? };
        if negative || minor == 0 {
            return Err(Issue::CannotBeZeroOrNegative);
        }
        Ok(Self { currency, minor })
    }

    /// Another amount in this currency.
    pub(crate) fn with(self, minor: u64) -> Self {
        Self { minor, ..self }
    }

    /// PayPal's `value`, with all decimals of the currency.
    pub(crate) fn value(self) -> String {
        let factor = 10_u64.pow(u32::from(self.currency.decimals));
        if factor == 1 {
            return self.minor.to_string();
        }
        let width = usize::from(self.currency.decimals);
        format!("{}.{:0width$}", self.minor / factor, self.minor % factor)
    }

    /// PayPal's form.
    pub(crate) fn json(self) -> Value {
        json!({"currency_code": self.currency.code, "value": self.value()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_positive_decimal_with_the_currency_s_decimals() {
        use Issue::{
            CannotBeZeroOrNegative, DecimalPrecision, DecimalsNotSupported, InvalidParameterSyntax, InvalidStringLength,
            MaxValueExceeded,
        };
        // Currency and value; the amount in minor units and as PayPal shows it, or why it is refused.
        let table = [
            ("USD", "10.99", Ok((1099, "10.99"))),
            ("USD", "10.9", Ok((1090, "10.90"))),
            ("USD", "10", Ok((1000, "10.00"))),
            ("USD", ".5", Ok((50, "0.50"))),
            ("USD", "0.01", Ok((1, "0.01"))),
            ("USD", "007.10", Ok((710, "7.10"))),
            ("USD", "999999999999999.99", Ok((99_999_999_999_999_999, "999999999999999.99"))),
            ("USD", "1000000000000000.00", Err(MaxValueExceeded)),
            ("USD", "10.999", Err(DecimalPrecision)),
            ("USD", "10.990", Err(DecimalPrecision)),
            ("USD", "0", Err(CannotBeZeroOrNegative)),
            ("USD", "0.00", Err(CannotBeZeroOrNegative)),
            ("USD", "-1.00", Err(CannotBeZeroOrNegative)),
            ("USD", "", Err(InvalidParameterSyntax)),
            ("USD", "-", Err(InvalidParameterSyntax)),
            ("USD", "10.", Err(InvalidParameterSyntax)),
            ("USD", "1,00", Err(InvalidParameterSyntax)),
            ("USD", "1e3", Err(InvalidParameterSyntax)),
            ("USD", " 1", Err(InvalidParameterSyntax)),
            ("USD", "+1", Err(InvalidParameterSyntax)),
            ("USD", "1.0.0", Err(InvalidParameterSyntax)),
            ("USD", "٣", Err(InvalidParameterSyntax)),
            ("USD", "000000000000000000000000000000001", Err(InvalidStringLength)),
            ("JPY", "1200", Ok((1200, "1200"))),
            ("JPY", "1200.00", Err(DecimalsNotSupported)),
            ("HUF", "1.5", Err(DecimalsNotSupported)),
            ("TWD", "1.0", Err(DecimalsNotSupported)),
        ];
        for (code, value, expected) in table {
            let parsed = Money::parse(Currency::of(code).unwrap(), value);
            assert_eq!(
                parsed.map(|money| (money.minor, money.value())),
                expected.map(|(m, v)| (m, v.to_owned())),
                "{code} {value:?}"
            );
        }
    }

    #[test]
    fn paypal_does_not_take_every_currency() {
        for code in ["KWD", "usd", "US", ""] {
            assert_eq!(Currency::of(code), None, "{code}");
        }
    }
}
