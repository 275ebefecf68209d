//! Tokens of issuers that the shop has not chosen, or that look like its own.

use serde_json::{Value, json};
use test_issuer::{Issuer, Signer};

use super::hostile;
use crate::gate::world::Gate;

fn from(gate: &Gate, issuer: impl Into<String>) -> String {
    gate.claiming("iss", json!(issuer.into()))
}

hostile! {
    another_user_pool_of_cognito: Issuer, |gate| {
        let other = Issuer { audience: gate.customers.audience.clone(), ..Issuer::cognito("Evil", Signer::rs256(2)) };
        other.token(&other.id_claims("ann", gate.now()))
    };
    another_issuer_of_openid_connect: Issuer, |gate| {
        let other = Issuer { audience: gate.customers.audience.clone(), ..Issuer::oidc("evil", Signer::es256(2)) };
        other.token(&other.id_claims("ann", gate.now()))
    };
    no_issuer: Issuer, |gate| gate.not_claiming("iss");
    an_empty_issuer: Issuer, |gate| from(&gate, "");
    a_null_issuer: Issuer, |gate| gate.claiming("iss", Value::Null);
    a_list_of_issuers: Issuer, |gate| gate.claiming("iss", json!([gate.customers.url]));
    an_issuer_that_is_an_object: Issuer, |gate| gate.claiming("iss", json!({"url": gate.customers.url}));
    the_issuer_with_a_slash: Issuer, |gate| from(&gate, format!("{}/", gate.customers.url));
    the_issuer_with_a_query: Issuer, |gate| from(&gate, format!("{}?", gate.customers.url));
    the_issuer_with_more_behind_it: Issuer, |gate| from(&gate, format!("{}.evil.example.com", gate.customers.url));
    the_issuer_before_an_at: Issuer, |gate| from(&gate, format!("{}@evil.example.com", gate.customers.url));
    the_issuer_with_a_port: Issuer, |gate| from(&gate, gate.customers.url.replace(".com/", ".com:443/"));
    the_issuer_in_capitals: Issuer, |gate| from(&gate, gate.customers.url.to_uppercase());
    the_issuer_without_tls: Issuer, |gate| from(&gate, gate.customers.url.replace("https:", "http:"));
    the_issuer_without_a_scheme: Issuer, |gate| from(&gate, gate.customers.url.replace("https://", ""));
    the_issuer_with_a_space: Issuer, |gate| from(&gate, format!(" {}", gate.customers.url));
    the_issuer_with_a_letter_that_looks_alike: Issuer, |gate| from(&gate, gate.customers.url.replace('o', "\u{43e}"));
    the_beginning_of_the_issuer: Issuer, |gate| from(&gate, &gate.customers.url[..gate.customers.url.len() - 1]);
    the_address_of_the_issuers_keys: Issuer, |gate| from(&gate, gate.customers.keys_url.clone());
    two_issuers: DuplicateMember, |gate| gate.claiming_also(&format!("\"iss\":\"{}\"", gate.operators.url));
    two_issuers_one_of_them_escaped: DuplicateMember, |gate| gate.claiming_also(&format!("\"\\u0069ss\":\"{}\"", gate.operators.url));
    the_operators_issuer_with_the_customers_key: UnknownKey, |gate| from(&gate, gate.operators.url.clone());
}
