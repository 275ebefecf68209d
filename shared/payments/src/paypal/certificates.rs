//! The certificates with which PayPal signs webhooks: a chain to a trusted root, checked as a TLS client checks a server's.
//! Not checked: revocation.

use std::time::Duration;

use domain::Timestamp;
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime, pem::PemObject};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert, aws_lc_rs};

/// The root certificates that are trusted.
#[derive(Debug, Clone)]
pub struct Roots(Vec<TrustAnchor<'static>>);

impl Roots {
    /// The system's, which the HTTPS calls trust as well.
    #[must_use]
    pub fn system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            tracing::error!(errors = ?found.errors, "the system has no root certificates");
        }
        Self::of(&found.certs)
    }

    /// Those in a PEM text, for a signer that is not PayPal's.
    #[must_use]
    pub fn from_pem(pem: &[u8]) -> Self {
        let found: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
        Self::of(&found)
    }

    /// A certificate that cannot be read is left out: it is nobody's root.
    fn of(certificates: &[CertificateDer<'_>]) -> Self {
        let anchors = certificates.iter().filter_map(|one| anchor_from_trusted_cert(one).ok());
        Self(anchors.map(|anchor| anchor.to_owned()).collect())
    }
}

/// A signer's certificate, and those between it and a root.
#[derive(Debug, Clone)]
pub(super) struct Chain(Vec<CertificateDer<'static>>);

impl Chain {
    /// The certificates in a PEM text, the signer's first; `None` if there is none, or one that cannot be read.
    pub(super) fn from_pem(pem: &[u8]) -> Option<Self> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
        (!chain.is_empty()).then_some(Self(chain))
    }

    /// Checks that the chain leads to a root, that every certificate in it is valid `now` and for its purpose, and that the
    /// signer's is for `name`.
    pub(super) fn check(&self, name: &str, roots: &Roots, now: Timestamp) -> Result<(), Error> {
        let (signer, between) = self.0.split_first().ok_or(Error::BadDer)?;
        let signer = EndEntityCert::try_from(signer)?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0)));
        signer.verify_for_usage(ALL_VERIFICATION_ALGS, &roots.0, between, now, KeyUsage::server_auth(), None, None)?;
        let name = ServerName::try_from(name).map_err(|_| Error::MalformedDnsIdentifier)?;
        signer.verify_is_valid_for_subject_name(&name)
    }

    /// Checks an RSA signature (PKCS #1 v1.5 with SHA-256) by the signer's key.
    pub(super) fn check_signature(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let signer = EndEntityCert::try_from(self.0.first().ok_or(Error::BadDer)?)?;
        signer.verify_signature(aws_lc_rs::RSA_PKCS1_2048_8192_SHA256, message, signature)
    }
}
