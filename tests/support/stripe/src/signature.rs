//! The signature of webhooks: <https://docs.stripe.com/webhooks#verify-manually>.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// The header `Stripe-Signature` of a body that is sent at `now`.
#[must_use]
pub fn signature(secret: &str, body: &[u8], now: Timestamp) -> String {
    let at = now.as_second();
    let mut header = format!("t={at},v1=");
    // HMAC takes keys of any length.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{at}.").as_bytes());
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(header, "{byte:02x}"); // a String takes everything
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value is that of `openssl dgst -sha256 -hmac whsec_test` over `1700000000.{"a":1}`.
    #[test]
    fn the_signature_covers_time_and_body() {
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(
            signature("whsec_test", b"{\"a\":1}", at),
            "t=1700000000,v1=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789"
        );
        assert_ne!(signature("whsec_test", b"{\"a\":2}", at), signature("whsec_test", b"{\"a\":1}", at));
    }
}
