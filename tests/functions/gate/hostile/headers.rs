//! Headers that want to decide who vouches for the token, or how it is read.

use serde_json::{Value, json};
use test_issuer::{Issuer, Signer};

use super::hostile;
use crate::gate::world::{Gate, but, header};

/// A token that brings its own key along: a stranger's key signed it, and the header has or links to that key.
fn bringing(gate: &Gate, key_id: &str, name: &str, value: Value) -> String {
    let stranger = Issuer { key_id: key_id.to_owned(), ..Issuer::cognito("Shoppers", Signer::rs256(2)) };
    stranger.token_with(&but(header("RS256", key_id), name, value), &gate.claims())
}

hostile! {
    the_strangers_key_in_the_header: Signature, |gate| bringing(&gate, &gate.customers.key_id, "jwk", Signer::rs256(2).jwk("x"));
    the_strangers_key_in_the_header_under_its_own_id: UnknownKey, |gate| bringing(&gate, "mine", "jwk", Signer::rs256(2).jwk("mine"));
    a_link_to_the_strangers_keys: UnknownKey, |gate| bringing(&gate, "mine", "jku", json!("https://evil.example.com/keys"));
    a_link_to_the_strangers_keys_under_the_issuers_key_id: Signature, |gate| {
        bringing(&gate, &gate.customers.key_id, "jku", json!("https://evil.example.com/keys"))
    };
    a_link_to_the_strangers_certificate: UnknownKey, |gate| bringing(&gate, "mine", "x5u", json!("https://evil.example.com/chain.pem"));
    the_strangers_certificate_in_the_header: UnknownKey, |gate| bringing(&gate, "mine", "x5c", json!(["MIIB"]));
    the_thumbprint_of_the_strangers_certificate: UnknownKey, |gate| bringing(&gate, "mine", "x5t#S256", json!("AAAA"));
    an_extension_that_must_be_understood: Extension, |gate| gate.headed("crit", json!(["exp"]));
    an_empty_list_of_such_extensions: Extension, |gate| gate.headed("crit", json!([]));
    an_unencoded_payload: Extension, |gate| {
        let header = but(but(gate.customers.header(), "b64", json!(false)), "crit", json!(["b64"]));
        gate.customers.token_with(&header, &gate.claims())
    };
    an_unencoded_payload_that_need_not_be_understood: Extension, |gate| gate.headed("b64", json!(false));
    a_compressed_payload: Extension, |gate| gate.headed("zip", json!("DEF"));
    an_encrypted_payload: Extension, |gate| gate.headed("enc", json!("A256GCM"));
    a_token_in_a_token: Extension, |gate| gate.headed("cty", json!("JWT"));
    a_logout_token_by_its_type: TokenType, |gate| gate.headed("typ", json!("logout+jwt"));
    a_proof_of_possession_by_its_type: TokenType, |gate| gate.headed("typ", json!("dpop+jwt"));
    a_client_assertion_by_its_type: TokenType, |gate| gate.headed("typ", json!("client-authentication+jwt"));
    a_security_event_by_its_type: TokenType, |gate| gate.headed("typ", json!("secevent+jwt"));
    a_type_that_is_a_number: TokenType, |gate| gate.headed("typ", json!(1));
    a_type_that_is_null: TokenType, |gate| gate.headed("typ", Value::Null);
    a_type_with_a_parameter: TokenType, |gate| gate.headed("typ", json!("JWT;v=2"));
    two_types: DuplicateMember, |gate| {
        let header = format!(r#"{{"alg":"RS256","kid":"{}","typ":"JWT","typ":"logout+jwt"}}"#, gate.customers.key_id);
        gate.customers.raw_token(&header, &gate.claims().to_string())
    };
}

#[tokio::test]
async fn the_types_of_id_and_access_tokens_are_known_in_every_spelling() {
    let gate = Gate::open();
    for kind in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt"] {
        assert!(gate.grant(&gate.headed("typ", json!(kind))).await.is_ok(), "{kind}");
    }
    assert!(gate.grant(&gate.not_headed("typ")).await.is_ok(), "Cognito writes no type");
}

#[tokio::test]
async fn a_link_in_a_token_is_never_followed() {
    let gate = Gate::open();
    let links = ["jku", "x5u"].map(|name| bringing(&gate, "mine", name, json!("https://evil.example.com/keys")));
    for link in links {
        assert!(gate.grant(&link).await.is_err());
    }
    assert_eq!(gate.server.count("https://evil.example.com/keys"), 0);
    assert_eq!(gate.server.total(), gate.server.count(&gate.customers.keys_url));
}
