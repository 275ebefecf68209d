//! The secrets of the stack at the edge, which sends one in a header: a function may take requests through the edge only.
//!
//! A function knows only the SHA-256 of the secret, so its configuration does not tell the secret. The secret has at least 32
//! random characters, so nobody finds it by its hash, nor by the time that a comparison takes.

use sha2::{Digest, Sha256};

/// The header in which the edge sends the secret. `infra/edge/template.yaml` names it, too.
pub const EDGE_SECRET_HEADER: &str = "x-origin-secret";

/// The secrets with which the stack at the edge shows that a request came through it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeSecrets {
    /// The SHA-256 of each secret that is valid, in lower-case hex; several while the secret is rotated. Empty: any request is
    /// taken.
    hashes: Vec<String>,
}

impl EdgeSecrets {
    /// No secret: every request is taken.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes requests with a secret that has one of these hashes; every request if there is none. `None`: one of them is not a
    /// SHA-256 in lower-case hex.
    #[must_use]
    pub fn with_hashes(hashes: Vec<String>) -> Option<Self> {
        let is_hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        hashes.iter().all(is_hash).then_some(Self { hashes })
    }

    /// Whether a request with this secret is taken.
    #[must_use]
    pub fn admit(&self, secret: Option<&str>) -> bool {
        if self.hashes.is_empty() {
            return true;
        }
        let hash = secret.map(|secret| hex::encode(Sha256::digest(secret.as_bytes())));
        hash.is_some_and(|hash| self.hashes.contains(&hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, appendix B.1
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn without_a_secret_every_request_is_taken() {
        assert!(EdgeSecrets::none().admit(None) && EdgeSecrets::with_hashes(Vec::new()).unwrap().admit(Some("x")));
    }

    #[test]
    fn during_a_rotation_both_secrets_are_valid_and_nothing_else_is() {
        let one = EdgeSecrets::with_hashes(vec![ABC.to_owned()]).unwrap();
        let both = EdgeSecrets::with_hashes(vec![ABC.to_owned(), EMPTY.to_owned()]).unwrap();
        for (secret, by_one, by_both) in [
            (Some("abc"), true, true),
            (Some(""), false, true),
            (Some("ABC"), false, false),
            (Some(ABC), false, false),
            (None, false, false),
        ] {
            assert_eq!((one.admit(secret), both.admit(secret)), (by_one, by_both), "{secret:?}");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for wrong in ["", "abc", &ABC.to_uppercase(), &ABC[1..]] {
            assert_eq!(EdgeSecrets::with_hashes(vec![ABC.to_owned(), wrong.to_owned()]), None, "{wrong}");
        }
    }
}
