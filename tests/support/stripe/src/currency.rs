//! The currencies that this fake knows, with Stripe's minimum charge in each.
//!
//! Source of the numbers: <https://docs.stripe.com/currencies>. Stripe knows more currencies; this fake refuses them, so that no
//! test relies on a guessed minimum.

/// The largest charge, in minor units, except for a few currencies that are not here.
pub(crate) const LARGEST_CHARGE: i64 = 99_999_999;

/// A currency of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Currency {
    /// Its ISO 4217 code in lower case, as Stripe writes it.
    pub(crate) code: &'static str,
    /// Digits after the decimal point, in Stripe's amounts.
    digits: u32,
    /// The smallest charge, in minor units.
    pub(crate) smallest_charge: i64,
    /// Every amount is a multiple of this.
    pub(crate) multiple_of: i64,
    symbol: &'static str,
}

const fn currency(code: &'static str, digits: u32, smallest_charge: i64, symbol: &'static str) -> Currency {
    Currency { code, digits, smallest_charge, multiple_of: 1, symbol }
}

const CURRENCIES: [Currency; 26] = [
    currency("aed", 2, 200, "AED"),
    currency("aud", 2, 50, "$"),
    currency("bgn", 2, 100, "BGN"),
    currency("brl", 2, 50, "R$"),
    currency("cad", 2, 50, "$"),
    currency("chf", 2, 50, "CHF"),
    currency("czk", 2, 1500, "CZK"),
    currency("dkk", 2, 250, "kr."),
    currency("eur", 2, 50, "€"),
    currency("gbp", 2, 30, "£"),
    currency("hkd", 2, 400, "$"),
    currency("huf", 2, 17_500, "Ft"),
    currency("inr", 2, 50, "₹"),
    currency("jpy", 0, 50, "¥"),
    // Three digits, but Stripe takes only amounts that end in 0.
    Currency { code: "kwd", digits: 3, smallest_charge: 10, multiple_of: 10, symbol: "KWD" },
    currency("mxn", 2, 1000, "$"),
    currency("myr", 2, 200, "RM"),
    currency("nok", 2, 300, "kr"),
    currency("nzd", 2, 50, "$"),
    currency("pln", 2, 200, "zł"),
    currency("ron", 2, 200, "RON"),
    currency("sek", 2, 300, "kr"),
    currency("sgd", 2, 50, "$"),
    currency("thb", 2, 1000, "฿"),
    // No smaller unit in life, but Stripe's amounts have two digits, which are always 00.
    Currency { code: "isk", digits: 2, smallest_charge: 100, multiple_of: 100, symbol: "kr" },
    currency("usd", 2, 50, "$"),
];

impl Currency {
    /// The currency with this code, in any case.
    pub(crate) fn named(code: &str) -> Option<Self> {
        CURRENCIES.into_iter().find(|currency| currency.code.eq_ignore_ascii_case(code))
    }

    /// The codes of all currencies, as an error message lists them.
    pub(crate) fn codes() -> String {
        CURRENCIES.map(|currency| currency.code).join(", ")
    }

    /// An amount of minor units as messages show it: `$20.00`, `¥500`.
    pub(crate) fn text(self, amount: i64) -> String {
        let (symbol, unit) = (self.symbol, 10_i64.pow(self.digits));
        match usize::try_from(self.digits) {
            Ok(digits) if digits > 0 => format!("{symbol}{}.{:0digits$}", amount / unit, amount % unit),
            _ => format!("{symbol}{amount}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_with_the_digits_of_their_currency() {
        for (code, amount, text) in
            [("usd", 2005, "$20.05"), ("JPY", 500, "¥500"), ("kwd", 1230, "KWD1.230"), ("eur", 7, "€0.07")]
        {
            assert_eq!(Currency::named(code).unwrap().text(amount), text);
        }
        assert_eq!(Currency::named("xyz"), None);
    }
}
