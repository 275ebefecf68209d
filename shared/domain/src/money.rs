//! Money in integer minor units. No float ever holds an amount: a decimal in a request is compared as text.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::text_form::text_form;

/// Why a value is not money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency code, or one that is out of use.
    #[error("a currency is an ISO 4217 code of three capital letters that is in use, such as \"USD\"")]
    Currency,
    /// Not positive, or too large.
    #[error("an amount in minor units is a whole number from 1 to 99999999999")]
    Amount,
    /// Not a plain decimal number that can be read exactly.
    #[error("an amount is a plain decimal number such as 999.00, without exponent, sign or separators")]
    Decimal,
}

/// An ISO 4217 currency with minor units. It may be one that is out of use by now: a sale of that time still has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn decimals(self) -> u8 {
        self.0.exponent().and_then(|digits| u8::try_from(digits).ok()).unwrap_or_default()
    }

    /// Whether people pay with it: it is not a fund's unit of account, and no other currency has replaced it.
    #[must_use]
    pub fn is_in_use(self) -> bool {
        // VED is the bolívar in larger units, and does not replace VES: ISO 4217's list one has both.
        let is_replaced = self.0.is_superseded().is_some() && self.0 != iso_currency::Currency::VES;
        !self.0.is_fund() && !self.0.is_special() && !is_replaced
    }

    /// All currencies that are in use, by their codes.
    pub fn all_in_use() -> impl Iterator<Item = Self> {
        let letters = || b'A'..=b'Z';
        let codes = letters().flat_map(move |a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
        let currencies = codes.filter_map(|code| std::str::from_utf8(&code).ok()?.parse::<Self>().ok());
        currencies.filter(|currency| currency.is_in_use())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        // Codes of gold, tests and the like have no minor unit.
        let known = iso_currency::Currency::from_code(text).filter(|known| known.code() == text && known.exponent().is_some());
        known.map(Self).ok_or(MoneyError::Currency)
    }
}

text_form!(Currency);

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

/// An amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Money {
    amount_minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount, in minor units: eleven digits, the limit of Stripe and PayPal.
    pub const MAX_MINOR: i64 = 99_999_999_999;
    /// Most digits that a decimal text may have on each side of the point.
    pub const MAX_DECIMAL_DIGITS: usize = 20;

    /// Money of at least one minor unit.
    ///
    /// # Errors
    /// When the amount is not positive or above [`Money::MAX_MINOR`].
    pub fn new(amount_minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        if (1..=Self::MAX_MINOR).contains(&amount_minor) { Ok(Self { amount_minor, currency }) } else { Err(MoneyError::Amount) }
    }

    /// The amount in minor units (cents for USD).
    #[must_use]
    pub fn amount_minor(self) -> i64 {
        self.amount_minor
    }

    /// The currency of the amount.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// This amount times `count`.
    ///
    /// # Errors
    /// When the result is zero or above [`Money::MAX_MINOR`].
    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        let amount = self.amount_minor.checked_mul(i64::from(count)).ok_or(MoneyError::Amount)?;
        Self::new(amount, self.currency)
    }

    /// Checks that a text is a plain decimal number, of any currency.
    ///
    /// # Errors
    /// When it is not, or has more than [`Money::MAX_DECIMAL_DIGITS`] on one side of the point.
    pub fn check_decimal(text: &str) -> Result<(), MoneyError> {
        decimal_parts(text).map(|_| ())
    }

    /// Whether a decimal text such as `"999.00"` or `"999"` names exactly this amount.
    ///
    /// # Errors
    /// When the text is not a plain decimal number.
    pub fn equals_decimal(self, text: &str) -> Result<bool, MoneyError> {
        let (whole, fraction) = decimal_parts(text)?;
        let fraction = fraction.trim_end_matches('0');
        let decimals = usize::from(self.currency.decimals());
        if fraction.len() > decimals {
            return Ok(false);
        }
        let minor: i128 = format!("{whole}{fraction:0<decimals$}").parse().map_err(|_| MoneyError::Decimal)?;
        Ok(minor == i128::from(self.amount_minor))
    }
}

/// The digits before and after the point of a plain decimal number.
fn decimal_parts(text: &str) -> Result<(&str, &str), MoneyError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |part: &str| part.len() <= Money::MAX_DECIMAL_DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_dangling_point = text.contains('.') && fraction.is_empty();
    if whole.is_empty() || has_dangling_point || !are_digits(whole) || !are_digits(fraction) {
        return Err(MoneyError::Decimal);
    }
    Ok((whole, fraction))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10i64.pow(u32::from(self.currency.decimals()));
        let (whole, fraction) = (self.amount_minor / unit, self.amount_minor % unit);
        match usize::from(self.currency.decimals()) {
            0 => write!(f, "{whole} {}", self.currency),
            decimals => write!(f, "{whole}.{fraction:0>decimals$} {}", self.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn money(amount_minor: i64, currency: &str) -> Money {
        Money::new(amount_minor, currency.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_decimal_is_compared_exactly() {
        for (amount, currency, text, same) in [
            (99_900, "USD", "999.00", true),
            (99_900, "USD", "999", true),
            (99_900, "USD", "999.0000", true),
            (99_900, "USD", "999.001", false),
            (99_900, "USD", "998.99", false),
            (1, "USD", "0.01", true),
            (10, "USD", "0.1", true),
            (999, "JPY", "999", true),
            (999, "JPY", "999.0", true),
            (999, "JPY", "9.99", false),
            (1_234, "KWD", "1.234", true),
            // A float would read these two as the same number.
            (99_999_999_999, "USD", "999999999.99", true),
            (99_999_999_999, "USD", "999999999.9900000001", false),
        ] {
            assert_eq!(money(amount, currency).equals_decimal(text), Ok(same), "{text} {currency}");
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,000", "0x10", "NaN", "1 ", &"9".repeat(21)] {
            assert_eq!(money(1, "USD").equals_decimal(text), Err(MoneyError::Decimal), "{text}");
            assert_eq!(Money::check_decimal(text), Err(MoneyError::Decimal), "{text}");
        }
    }

    #[test]
    fn amounts_and_currencies_have_limits() {
        let usd: Currency = "USD".parse().unwrap();
        assert_eq!(Money::new(0, usd), Err(MoneyError::Amount));
        assert_eq!(Money::new(Money::MAX_MINOR + 1, usd), Err(MoneyError::Amount));
        assert_eq!(money(Money::MAX_MINOR, "USD").times(2), Err(MoneyError::Amount));
    }

    #[test]
    fn a_currency_is_a_code_of_iso_4217_with_minor_units() {
        for bad in ["usd", "Usd", "US", "USDT", "U1D", "", " USD", "USD ", "ÜSD", "AAA", "ZZZ", "EURO", "€", "840", "BTC"] {
            assert_eq!(bad.parse::<Currency>(), Err(MoneyError::Currency), "{bad}");
        }
        for without_minor_unit in ["XAU", "XAG", "XPD", "XPT", "XDR", "XSU", "XUA", "XBA", "XTS", "XXX"] {
            assert_eq!(without_minor_unit.parse::<Currency>(), Err(MoneyError::Currency), "{without_minor_unit}");
        }
        for out_of_use in ["HRK", "BGN", "SLL", "ZWL", "CHE", "CHW", "CLF", "MXV", "USN", "UYW", "BOV", "COU"] {
            assert!(!out_of_use.parse::<Currency>().unwrap().is_in_use(), "{out_of_use}");
        }
    }

    /// The currencies in use with two decimals: ISO 4217, list one, without funds and metals.
    const HUNDREDTHS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
        CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS \
        INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD \
        NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP \
        SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
    const WHOLE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
    const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

    #[test]
    fn the_currencies_in_use_are_those_of_list_one_with_their_decimals() {
        let listed = [(HUNDREDTHS, 2), (WHOLE, 0), (THOUSANDTHS, 3)];
        let expected =
            listed.into_iter().flat_map(|(codes, decimals)| codes.split_whitespace().map(move |code| (code, decimals)));
        let expected: BTreeMap<String, u8> = expected.map(|(code, decimals)| (code.to_owned(), decimals)).collect();
        let known = Currency::all_in_use().map(|currency| (currency.to_string(), currency.decimals()));
        assert_eq!(known.collect::<BTreeMap<_, _>>(), expected);
    }

    #[test]
    fn money_prints_with_its_own_decimals() {
        assert_eq!(money(99_905, "USD").to_string(), "999.05 USD");
        assert_eq!(money(999, "JPY").to_string(), "999 JPY");
        assert_eq!(money(1_004, "KWD").to_string(), "1.004 KWD");
    }

    proptest! {
        #[test]
        fn what_money_prints_it_recognises(amount in 1..=Money::MAX_MINOR, currency in prop::sample::select(vec!["USD", "JPY", "KWD"])) {
            let money = money(amount, currency);
            let printed = money.to_string();
            let (decimal, _) = printed.split_once(' ').unwrap();
            prop_assert_eq!(money.equals_decimal(decimal), Ok(true));
        }
    }
}
