//! The signature of webhooks, as PayPal makes it: RSA with SHA-256 over `transmission id|time|webhook id|CRC-32 of the body`.
//!
//! The key is a test credential in `credentials/`. PayPal's recipe:
//! <https://developer.paypal.com/api/rest/webhooks/rest/>.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_STANDARD};

const KEY: &str = include_str!("../credentials/test-only-key.pem");
const CERTIFICATE: &str = include_str!("../credentials/test-only-certificate.pem");

/// The certificate's id, the last part of its URL.
pub(crate) const CERTIFICATE_ID: &str = "CERT-00000000-00000000-00000001";

/// PayPal's name of the algorithm, the header `PAYPAL-AUTH-ALGO`.
pub(crate) const ALGORITHM: &str = "SHA256withRSA";

/// The certificate that belongs to the signatures, in PEM.
#[must_use]
pub fn certificate_pem() -> &'static str {
    CERTIFICATE
}

/// What PayPal signs. The CRC-32 of the body is in decimal.
#[must_use]
pub fn signed_text(transmission_id: &str, transmission_time: &str, webhook_id: &str, body: &[u8]) -> String {
    format!("{transmission_id}|{transmission_time}|{webhook_id}|{}", crc32fast::hash(body))
}

/// The signature of what [`signed_text`] says, in base64, by the test key.
#[must_use]
pub fn signature(text: &str) -> String {
    static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::new);
    SIGNER.sign(text)
}

/// Signs with the test key.
#[derive(Debug)]
pub(crate) struct Signer(RsaKeyPair);

impl Signer {
    #[expect(clippy::expect_used, reason = "the key is part of this crate")]
    pub(crate) fn new() -> Self {
        let base64: String =
            KEY.lines().skip_while(|line| !line.starts_with("-----")).filter(|line| !line.starts_with('-')).collect();
        let der = BASE64_STANDARD.decode(base64).expect("the key is PEM");
        Self(RsaKeyPair::from_pkcs8(&der).expect("the key is PKCS#8"))
    }

    /// The signature in base64. The same text has the same signature.
    #[expect(clippy::expect_used, reason = "signing fails only if the buffer has another length than the modulus")]
    pub(crate) fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("a signature");
        BASE64_STANDARD.encode(signature)
    }
}
