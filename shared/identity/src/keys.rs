//! An issuer's public keys, as it publishes them (a JSON Web Key Set, RFC 7517).

use std::collections::HashMap;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::json;

/// The largest key set that is read, in bytes. Cognito's have one kilobyte, those of the largest issuers some ten.
pub const LARGEST_KEY_SET: usize = 64 * 1024;
/// The most keys of a set. An issuer that rotates its keys publishes two or three.
const MOST_KEYS: usize = 64;
/// The longest id of a key, in bytes.
pub(crate) const LONGEST_KEY_ID: usize = 256;
/// The smallest public exponent, 65,537, in bytes. With a smaller one, an old kind of forgery works against careless verifiers.
const SMALLEST_EXPONENT: &[u8] = &[1, 0, 1];
const COORDINATE_BYTES: usize = 32;
/// The sizes of RSA keys that are used, in bits. `aws-lc-rs` would refuse others only when they verify.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// How a token is signed. There are no others: no secret that is shared with the issuer, no token without a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSA (PKCS #1 v1.5) with SHA-256, keys from 2,048 to 8,192 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm of this name in a token's header or a key's `alg`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A public key for one algorithm, parsed once.
#[derive(Debug, Clone)]
pub struct Key(ParsedPublicKey);

impl Key {
    /// Whether this key signed `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// The keys of an issuer that can verify tokens, by algorithm and id. A key serves only the algorithm that its type is for.
#[derive(Debug, Clone)]
pub struct KeySet(HashMap<(Algorithm, String), Key>);

/// Why a key set is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// More than [`LARGEST_KEY_SET`] bytes.
    #[error("the key set is larger than {LARGEST_KEY_SET} bytes")]
    TooLarge,
    /// Not JSON with an array `keys`, or an object that names a member twice.
    #[error("the key set is not a JSON Web Key Set")]
    Malformed,
    /// More than 64 keys.
    #[error("the key set has more than {MOST_KEYS} keys")]
    TooManyKeys,
    /// Two different keys for one algorithm have the same id.
    #[error("the key set has two keys with one id")]
    Ambiguous,
    /// No key for RS256 or ES256 that can be used.
    #[error("the key set has no key for RS256 or ES256")]
    NoKeys,
}

impl KeySet {
    /// Reads a key set. Keys for other purposes and algorithms, and keys without an id, are left out.
    ///
    /// # Errors
    /// When the set cannot be used; see [`KeySetError`].
    pub fn read(bytes: &[u8]) -> Result<Self, KeySetError> {
        if bytes.len() > LARGEST_KEY_SET {
            return Err(KeySetError::TooLarge);
        }
        let set = json::object(bytes).map_err(|_| KeySetError::Malformed)?;
        let listed = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::Malformed)?;
        if listed.len() > MOST_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let mut keys = HashMap::new();
        for (algorithm, id, key) in listed.iter().filter_map(|key| usable(key.as_object()?)) {
            if keys.insert((algorithm, id), key).is_some() {
                return Err(KeySetError::Ambiguous);
            }
        }
        if keys.is_empty() { Err(KeySetError::NoKeys) } else { Ok(Self(keys)) }
    }

    /// The key with this id for this algorithm.
    #[must_use]
    pub fn find(&self, algorithm: Algorithm, id: &str) -> Option<&Key> {
        self.0.iter().find(|((of, named), _)| *of == algorithm && named == id).map(|(_, key)| key)
    }

    /// The number of keys that can verify tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true: a set without keys is not read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A key that verifies signatures of tokens; `None` for any other key.
fn usable(jwk: &Map<String, Value>) -> Option<(Algorithm, String, Key)> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let id = text("kid").filter(|id| !id.is_empty() && id.len() <= LONGEST_KEY_ID)?;
    if jwk.contains_key("use") && text("use") != Some("sig") {
        return None;
    }
    if let Some(operations) = jwk.get("key_ops") {
        operations.as_array()?.iter().find(|operation| *operation == "verify")?;
    }
    let bytes = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let (algorithm, key) = match text("kty")? {
        "RSA" => (Algorithm::Rs256, rsa(&bytes("n")?, &bytes("e")?)?),
        "EC" if text("crv") == Some("P-256") => (Algorithm::Es256, p256(&bytes("x")?, &bytes("y")?)?),
        _ => return None,
    };
    if jwk.contains_key("alg") && text("alg").and_then(Algorithm::named) != Some(algorithm) {
        return None;
    }
    Some((algorithm, id.to_owned(), key))
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Key> {
    let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
    let is_small =
        exponent.len() < SMALLEST_EXPONENT.len() || (exponent.len() == SMALLEST_EXPONENT.len() && exponent < SMALLEST_EXPONENT);
    if is_small || exponent.last().is_none_or(|last| last % 2 == 0) || !MODULUS_BITS.contains(&bits(modulus)) {
        return None;
    }
    // RSAPublicKey of RFC 8017, appendix A.1.1.
    let key = der(0x30, &[der(0x02, &positive(modulus)), der(0x02, &positive(exponent))].concat());
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).ok().map(Key)
}

/// The point is checked to be on the curve.
fn p256(x: &[u8], y: &[u8]) -> Option<Key> {
    if x.len() != COORDINATE_BYTES || y.len() != COORDINATE_BYTES {
        return None;
    }
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[0x04], x, y].concat()).ok().map(Key)
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The bits of a number without zeros before it.
fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(unused).unwrap_or_default())
}

/// A number whose first bit says that it is not negative.
fn positive(number: &[u8]) -> Vec<u8> {
    let is_negative = number.first().is_none_or(|first| *first >= 0x80);
    if is_negative { [&[0], number].concat() } else { number.to_vec() }
}

/// A value with its tag and length in DER.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let length = without_zeros(&length);
    let mut written = vec![tag];
    match (length, u8::try_from(length.len())) {
        ([] | [0..0x80], _) => written.push(length.first().copied().unwrap_or(0)),
        (_, Ok(bytes)) => {
            written.push(0x80 | bytes);
            written.extend_from_slice(length);
        }
        (_, Err(_)) => {} // A length has at most eight bytes.
    }
    written.extend_from_slice(value);
    written
}
