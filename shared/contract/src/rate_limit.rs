//! The headers that say what a shopper's token bucket has left, as in draft-ietf-httpapi-ratelimit-headers-10.

use domain::Allowance;
use serde_json::{Value, json};

/// The headers, with lower-case names. A bucket has the name `shopper`; its window is the second in which it fills.
#[must_use]
pub fn rate_limit_headers(allowance: &Allowance) -> [(&'static str, String); 2] {
    let Allowance { rate, remaining, full_in_seconds } = allowance;
    [
        ("ratelimit-policy", format!(r#""shopper";q={};w=1"#, rate.per_second())),
        ("ratelimit", format!(r#""shopper";r={remaining};t={full_in_seconds}"#)),
    ]
}

/// The description of the headers. An answer lacks them when its request was answered before it had to take a token.
pub(crate) fn described() -> [(&'static str, Value); 2] {
    let header = |says| json!({"description": says, "schema": {"type": "string"}});
    [
        ("RateLimit-Policy", header("The size of the shopper's token bucket, `q`, which fills in `w` seconds.")),
        ("RateLimit", header("Tokens left in the bucket, `r`, and seconds until it is full, `t`. One request takes one token.")),
    ]
}

#[cfg(test)]
mod tests {
    use domain::{ShopperRate, Timestamp, TokenBucket};

    use super::*;

    #[test]
    fn the_headers_name_policy_and_rest() {
        let (rate, now) = (ShopperRate::DEFAULT, Timestamp::UNIX_EPOCH);
        let bucket = TokenBucket::FULL.take(rate, now).unwrap();
        let headers = rate_limit_headers(&bucket.allowance(rate, now)).map(|(name, value)| format!("{name}: {value}"));
        assert_eq!(headers, [r#"ratelimit-policy: "shopper";q=20;w=1"#, r#"ratelimit: "shopper";r=19;t=1"#]);
    }
}
