//! Keys that sign. The private keys are test credentials in `credentials/`.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use serde_json::{Value, json};

use crate::encoded;

/// A key that signs, with the algorithm that it is used with.
pub enum Signer {
    /// RSA with one of its paddings and hashes.
    Rsa(&'static str, &'static dyn RsaEncoding, Box<RsaKeyPair>),
    /// ECDSA on a curve.
    Ecdsa(&'static str, Box<EcdsaKeyPair>),
    /// Ed25519.
    Ed25519(Box<Ed25519KeyPair>),
    /// HMAC with SHA-256 and this secret.
    Hmac(Vec<u8>),
}

impl Signer {
    /// RS256 with one of two keys of 2,048 bits.
    pub fn rs256(number: usize) -> Self {
        Self::rsa("RS256", &RSA_PKCS1_SHA256, number)
    }

    /// RS384, RS512 or PS256 with the first of the keys.
    pub fn other_rsa(algorithm: &'static str) -> Self {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            "RS384" => &RSA_PKCS1_SHA384,
            "RS512" => &RSA_PKCS1_SHA512,
            "PS256" => &RSA_PSS_SHA256,
            other => panic!("no key signs {other}"),
        };
        Self::rsa(algorithm, encoding, 1)
    }

    fn rsa(algorithm: &'static str, encoding: &'static dyn RsaEncoding, number: usize) -> Self {
        let keys = [include_str!("../credentials/test-only-rsa-1.pem"), include_str!("../credentials/test-only-rsa-2.pem")];
        Self::Rsa(algorithm, encoding, Box::new(RsaKeyPair::from_pkcs8(&der(keys[number - 1])).unwrap()))
    }

    /// ES256 with one of two keys.
    pub fn es256(number: usize) -> Self {
        let keys = [include_str!("../credentials/test-only-p256-1.pem"), include_str!("../credentials/test-only-p256-2.pem")];
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der(keys[number - 1]), &SystemRandom::new());
        Self::Ecdsa("ES256", Box::new(key.unwrap()))
    }

    /// ES384.
    pub fn es384() -> Self {
        let key = der(include_str!("../credentials/test-only-p384.pem"));
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &key, &SystemRandom::new());
        Self::Ecdsa("ES384", Box::new(key.unwrap()))
    }

    /// `EdDSA`.
    pub fn ed25519() -> Self {
        let key = der(include_str!("../credentials/test-only-ed25519.pem"));
        Self::Ed25519(Box::new(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key).unwrap()))
    }

    /// HS256 with this secret.
    pub fn hs256(secret: impl Into<Vec<u8>>) -> Self {
        Self::Hmac(secret.into())
    }

    /// The algorithm's name in a header.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(name, ..) | Self::Ecdsa(name, _) => name,
            Self::Ed25519(_) => "EdDSA",
            Self::Hmac(_) => "HS256",
        }
    }

    /// The signature of `text`.
    pub fn sign(&self, text: &str) -> Vec<u8> {
        match self {
            Self::Rsa(_, encoding, key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ecdsa(_, key) => key.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(text.as_bytes()).as_ref().to_vec(),
            Self::Hmac(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes()).as_ref().to_vec(),
        }
    }

    /// The public key as a JSON Web Key with this id. A secret has none that an issuer would publish.
    pub fn jwk(&self, key_id: &str) -> Value {
        match self {
            Self::Rsa(name, _, key) => {
                let public: PublicKeyComponents<Vec<u8>> = key.public().into();
                json!({"kty": "RSA", "kid": key_id, "use": "sig", "alg": name, "n": encoded(public.n), "e": encoded(public.e)})
            }
            Self::Ecdsa(name, key) => {
                // 4, x, y: the uncompressed point.
                let point = key.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                let curve = if *name == "ES256" { "P-256" } else { "P-384" };
                json!({"kty": "EC", "kid": key_id, "use": "sig", "alg": name, "crv": curve, "x": encoded(x), "y": encoded(y)})
            }
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "kid": key_id, "use": "sig", "alg": "EdDSA", "crv": "Ed25519", "x": encoded(key.public_key())})
            }
            Self::Hmac(secret) => json!({"kty": "oct", "kid": key_id, "use": "sig", "alg": "HS256", "k": encoded(secret)}),
        }
    }

    /// The public key's bytes, as an attacker finds them: the modulus of RSA, the point of a curve.
    pub fn public_bytes(&self) -> Vec<u8> {
        match self {
            Self::Rsa(_, _, key) => PublicKeyComponents::<Vec<u8>>::from(key.public()).n,
            Self::Ecdsa(_, key) => key.public_key().as_ref().to_vec(),
            Self::Ed25519(key) => key.public_key().as_ref().to_vec(),
            Self::Hmac(secret) => secret.clone(),
        }
    }
}

/// The content of a PEM file.
fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64_STANDARD.decode(base64).unwrap()
}
