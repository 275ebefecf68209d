//! The algorithm is not the token's to choose.

use serde_json::{Value, json};
use test_issuer::{Issuer, Signer, encoded, signed_part};

use super::{hostile, hostile_to_oidc};
use crate::gate::world::{Gate, header, without};

/// A token that names an algorithm and has no signature.
fn unsigned(gate: &Gate, algorithm: &str) -> String {
    let header = header(algorithm, &gate.customers.key_id).to_string();
    format!("{}.", signed_part(&header, &gate.claims().to_string()))
}

/// A token that names RS256 and is signed by another algorithm.
fn disguised(gate: &Gate, signer: &Signer) -> String {
    let signed = signed_part(&gate.customers.header().to_string(), &gate.claims().to_string());
    format!("{signed}.{}", encoded(signer.sign(&signed)))
}

/// An HMAC with the public key as its secret: a verifier that lets the token choose would take the key for a secret.
fn confused(gate: &Gate, secret: impl Into<Vec<u8>>) -> String {
    gate.signed_by(Signer::hs256(secret))
}

hostile! {
    a_token_without_a_signature: Algorithm, |gate| unsigned(&gate, "none");
    none_with_a_capital: Algorithm, |gate| unsigned(&gate, "None");
    none_in_capitals: Algorithm, |gate| unsigned(&gate, "NONE");
    none_in_mixed_case: Algorithm, |gate| unsigned(&gate, "nOnE");
    none_with_a_space: Algorithm, |gate| unsigned(&gate, "none ");
    none_with_a_good_signature: Algorithm, |gate| gate.headed("alg", json!("none"));
    rs256_without_a_signature: Signature, |gate| unsigned(&gate, "RS256");
    no_algorithm: Algorithm, |gate| gate.not_headed("alg");
    a_null_algorithm: Algorithm, |gate| gate.headed("alg", Value::Null);
    an_empty_algorithm: Algorithm, |gate| gate.headed("alg", json!(""));
    an_algorithm_that_is_a_number: Algorithm, |gate| gate.headed("alg", json!(256));
    a_list_of_algorithms: Algorithm, |gate| gate.headed("alg", json!(["RS256"]));
    an_object_as_algorithm: Algorithm, |gate| gate.headed("alg", json!({"RS256": true}));
    rs256_in_small_letters: Algorithm, |gate| gate.headed("alg", json!("rs256"));
    rs256_with_a_space: Algorithm, |gate| gate.headed("alg", json!(" RS256"));
    rs256_with_a_nul: Algorithm, |gate| gate.headed("alg", json!("RS256\u{0}"));
    hmac_with_the_modulus_as_secret: Algorithm, |gate| confused(&gate, gate.customers.signer.public_bytes());
    hmac_with_the_key_set_as_secret: Algorithm, |gate| confused(&gate, gate.customers.key_set().to_string());
    hmac_with_the_jwk_as_secret: Algorithm, |gate| confused(&gate, gate.customers.signer.jwk(&gate.customers.key_id).to_string());
    hmac_with_the_key_id_as_secret: Algorithm, |gate| confused(&gate, gate.customers.key_id.clone());
    hmac_with_an_empty_secret: Algorithm, |gate| confused(&gate, "");
    hmac_that_says_rs256: Signature, |gate| disguised(&gate, &Signer::hs256(gate.customers.signer.public_bytes()));
    hs384: Algorithm, |gate| gate.headed("alg", json!("HS384"));
    hs512: Algorithm, |gate| gate.headed("alg", json!("HS512"));
    rs384_by_the_issuers_own_key: Algorithm, |gate| gate.signed_by(Signer::other_rsa("RS384"));
    rs512_by_the_issuers_own_key: Algorithm, |gate| gate.signed_by(Signer::other_rsa("RS512"));
    ps256_by_the_issuers_own_key: Algorithm, |gate| gate.signed_by(Signer::other_rsa("PS256"));
    ps256_that_says_rs256: Signature, |gate| disguised(&gate, &Signer::other_rsa("PS256"));
    rs384_that_says_rs256: Signature, |gate| disguised(&gate, &Signer::other_rsa("RS384"));
    es384: Algorithm, |gate| gate.signed_by(Signer::es384());
    eddsa: Algorithm, |gate| gate.signed_by(Signer::ed25519());
    es256k: Algorithm, |gate| gate.headed("alg", json!("ES256K"));
    rsa1_5_of_encrypted_tokens: Algorithm, |gate| gate.headed("alg", json!("RSA1_5"));
    dir_of_encrypted_tokens: Algorithm, |gate| gate.headed("alg", json!("dir"));
    es256_with_the_id_of_an_rsa_key: UnknownKey, |gate| gate.signed_by(Signer::es256(1));
    es256_that_says_rs256: Signature, |gate| disguised(&gate, &Signer::es256(1));
    rs256_that_says_es256: UnknownKey, |gate| gate.headed("alg", json!("ES256"));
    two_algorithms: DuplicateMember, |gate| {
        let header = format!(r#"{{"alg":"none","alg":"RS256","kid":"{}"}}"#, gate.customers.key_id);
        gate.customers.raw_token(&header, &gate.claims().to_string())
    };
    two_algorithms_one_of_them_escaped: DuplicateMember, |gate| {
        let header = format!(r#"{{"alg":"RS256","\u0061lg":"none","kid":"{}"}}"#, gate.customers.key_id);
        gate.customers.raw_token(&header, &gate.claims().to_string())
    };
}

hostile_to_oidc! {
    rs256_with_the_id_of_a_p256_key: UnknownKey, |gate| gate.signed_by(Signer::rs256(1));
    hmac_with_the_point_as_secret: Algorithm, |gate| confused(&gate, gate.customers.signer.public_bytes());
    es384_with_the_id_of_a_p256_key: Algorithm, |gate| gate.signed_by(Signer::es384());
    p384_that_says_es256: Signature, |gate| {
        let header = gate.customers.header().to_string();
        let signed = signed_part(&header, &gate.claims().to_string());
        format!("{signed}.{}", encoded(Signer::es384().sign(&signed)))
    };
}

#[tokio::test]
async fn keys_of_other_algorithms_in_the_key_set_verify_nothing() {
    // An issuer that publishes a secret, or keys of other kinds, under the id of its good key.
    let others = [
        Signer::hs256("a secret that is published"),
        Signer::other_rsa("PS256"),
        Signer::other_rsa("RS384"),
        Signer::es384(),
        Signer::ed25519(),
    ];
    for other in others {
        let gate = Gate::open();
        let id = &gate.customers.key_id;
        let keys = json!({"keys": [other.jwk(id), gate.customers.signer.jwk(id)]});
        gate.server.publish(&gate.customers.keys_url, &keys);
        let algorithm = other.algorithm();
        let forged = gate.signed_by(other);
        gate.refuses(&forged, identity::Refusal::Algorithm).await;
        assert!(gate.grant(&gate.good()).await.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn a_secret_that_is_all_the_issuer_publishes_makes_nobody_known() {
    let gate = Gate::open();
    let issuer = Issuer { signer: Signer::hs256("secret"), ..Issuer::cognito("Shoppers", Signer::rs256(1)) };
    gate.server.publish(&gate.customers.keys_url, &issuer.key_set());
    assert!(gate.grant(&issuer.token(&without(gate.claims(), "email"))).await.is_err());
    assert!(gate.grant(&gate.good()).await.is_err());
}
