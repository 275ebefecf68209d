//! Signatures that are not the issuer's, or not of this token.

use serde_json::json;
use test_issuer::{Issuer, Signer, encoded, signed_part};

use super::{hostile, hostile_to_oidc};
use crate::gate::world::{Gate, but};

/// The good token with another signature.
fn with_signature(gate: &Gate, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let signed = signed_part(&gate.customers.header().to_string(), &gate.claims().to_string());
    let signature = change(gate.customers.signer.sign(&signed));
    format!("{signed}.{}", encoded(signature))
}

/// The good token's signature under other claims.
fn with_claims_changed(gate: &Gate, name: &str, value: serde_json::Value) -> String {
    let good = gate.good();
    let signature = good.rsplit_once('.').unwrap().1;
    format!("{}.{signature}", signed_part(&gate.customers.header().to_string(), &but(gate.claims(), name, value).to_string()))
}

/// The signature as a sequence of two numbers, as X.509 writes it.
fn der(fixed: &[u8]) -> Vec<u8> {
    let number = |half: &[u8]| {
        let padded = if half[0] >= 0x80 { [&[0], half].concat() } else { half.to_vec() };
        [&[2, u8::try_from(padded.len()).unwrap()], padded.as_slice()].concat()
    };
    let both = [number(&fixed[..32]), number(&fixed[32..])].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], both.as_slice()].concat()
}

hostile! {
    an_empty_signature: Signature, |gate| with_signature(&gate, |_| Vec::new());
    a_signature_with_its_first_bit_changed: Signature, |gate| with_signature(&gate, |mut s| { s[0] ^= 0x80; s });
    a_signature_with_its_last_bit_changed: Signature, |gate| with_signature(&gate, |mut s| { *s.last_mut().unwrap() ^= 1; s });
    a_signature_that_lacks_a_byte: Signature, |gate| with_signature(&gate, |mut s| { s.pop(); s });
    a_signature_with_a_byte_more: Signature, |gate| with_signature(&gate, |mut s| { s.push(0); s });
    a_signature_with_a_zero_before_it: Signature, |gate| with_signature(&gate, |s| [vec![0], s].concat());
    a_signature_of_zeros: Signature, |gate| with_signature(&gate, |s| vec![0; s.len()]);
    a_signature_of_ones: Signature, |gate| with_signature(&gate, |s| vec![0xff; s.len()]);
    a_signature_that_is_the_number_one: Signature, |gate| with_signature(&gate, |s| [vec![0; s.len() - 1], vec![1]].concat());
    a_signature_that_is_the_modulus: Signature, |gate| with_signature(&gate, |_| gate.customers.signer.public_bytes());
    the_signature_of_another_token: Signature, |gate| {
        let other = gate.claiming("sub", json!("bob"));
        let good = gate.good();
        format!("{}.{}", good.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1)
    };
    another_subject_under_a_good_signature: Signature, |gate| with_claims_changed(&gate, "sub", json!("bob"));
    a_later_end_under_a_good_signature: Signature, |gate| with_claims_changed(&gate, "exp", json!(gate.now() + 999_999));
    groups_under_a_good_signature: Signature, |gate| with_claims_changed(&gate, "cognito:groups", json!(["ops"]));
    another_header_over_a_good_signature: Signature, |gate| {
        let good = gate.good();
        let signature = good.rsplit_once('.').unwrap().1;
        let header = but(gate.customers.header(), "typ", json!("at+jwt")).to_string();
        format!("{}.{signature}", signed_part(&header, &gate.claims().to_string()))
    };
    a_strangers_key_under_the_issuers_key_id: Signature, |gate| gate.signed_by(Signer::rs256(2));
    the_operators_key_under_the_customers_key_id: Signature, |gate| {
        let forger = Issuer { key_id: gate.customers.key_id.clone(), ..Issuer::cognito("Operators", Signer::rs256(2)) };
        forger.token(&gate.claims())
    };
    a_customers_key_for_an_operators_token: UnknownKey, |gate| {
        gate.customers.token(&gate.operators.id_claims("ann", gate.now()))
    };
    a_customers_key_for_an_operators_token_under_the_operators_key_id: Signature, |gate| {
        let header = but(gate.customers.header(), "kid", json!(gate.operators.key_id));
        gate.customers.token_with(&header, &gate.operators.id_claims("ann", gate.now()))
    };
    a_signature_in_the_other_alphabet_of_base64: Malformed, |gate| {
        let good = gate.good();
        let (signed, signature) = good.rsplit_once('.').unwrap();
        format!("{signed}.{}+/", &signature[2..])
    };
    a_signature_with_padding: Malformed, |gate| format!("{}==", gate.good());
    a_signature_in_hexadecimal: Signature, |gate| {
        let signed = signed_part(&gate.customers.header().to_string(), &gate.claims().to_string());
        let hex: String = gate.customers.signer.sign(&signed).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).map(char::from).collect();
        format!("{signed}.{hex}")
    };
    a_second_signature_after_the_first: Malformed, |gate| {
        let good = gate.good();
        format!("{good}.{}", good.rsplit_once('.').unwrap().1)
    };
}

hostile_to_oidc! {
    an_es256_signature_of_zeros: Signature, |gate| with_signature(&gate, |s| vec![0; s.len()]);
    an_es256_signature_with_a_zero_half: Signature, |gate| with_signature(&gate, |s| [vec![0; 32], s[32..].to_vec()].concat());
    an_es256_signature_in_der: Signature, |gate| with_signature(&gate, |s| der(&s));
    an_es256_signature_with_its_halves_exchanged: Signature, |gate| with_signature(&gate, |s| [&s[32..], &s[..32]].concat());
    an_es256_signature_twice: Signature, |gate| with_signature(&gate, |s| [s.clone(), s].concat());
    an_es256_signature_of_a_stranger: Signature, |gate| gate.signed_by(Signer::es256(2));
}
