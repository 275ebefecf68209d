//! Tokens that the issuer made for another application, or for another use.

use serde_json::{Value, json};

use super::{hostile, hostile_to_oidc};
use crate::gate::world::{Gate, but, without};

/// A customer's access token of Cognito with another value of one claim.
fn access(gate: &Gate, name: &str, value: Value) -> String {
    gate.customers.token(&but(gate.customers.access_claims("ann", gate.now()), name, value))
}

hostile! {
    an_id_token_for_another_client: Audience, |gate| gate.claiming("aud", json!("another-client"));
    an_id_token_for_nobody: Audience, |gate| gate.not_claiming("aud");
    an_id_token_for_an_empty_client: Audience, |gate| gate.claiming("aud", json!(""));
    an_id_token_for_null: Audience, |gate| gate.claiming("aud", Value::Null);
    an_id_token_for_no_client_of_a_list: Audience, |gate| gate.claiming("aud", json!([]));
    an_id_token_for_a_list_of_others: Audience, |gate| gate.claiming("aud", json!(["a", "b"]));
    an_id_token_for_a_list_with_more_than_texts: Audience, |gate| gate.claiming("aud", json!([gate.customers.audience, 1]));
    an_id_token_for_a_list_in_a_list: Audience, |gate| gate.claiming("aud", json!([[gate.customers.audience]]));
    an_id_token_for_an_object: Audience, |gate| gate.claiming("aud", json!({gate.customers.audience.clone(): true}));
    an_id_token_for_the_beginning_of_the_client: Audience, |gate| gate.claiming("aud", json!(&gate.customers.audience[..6]));
    an_id_token_for_the_client_and_more: Audience, |gate| gate.claiming("aud", json!(format!("{}-2", gate.customers.audience)));
    an_id_token_for_the_client_in_capitals: Audience, |gate| gate.claiming("aud", json!(gate.customers.audience.to_uppercase()));
    an_id_token_for_two_clients_in_one_text: Audience, |gate| gate.claiming("aud", json!(format!("{},x", gate.customers.audience)));
    an_id_token_for_the_operators_client: Audience, |gate| gate.claiming("aud", json!(gate.operators.audience));
    an_id_token_that_has_the_client_as_client_id_only: Audience, |gate| {
        gate.customers.token(&but(without(gate.claims(), "aud"), "client_id", json!(gate.customers.audience)))
    };
    two_audiences: DuplicateMember, |gate| gate.claiming_also("\"aud\":\"another-client\"");
    an_access_token_of_another_client: Audience, |gate| access(&gate, "client_id", json!("another-client"));
    an_access_token_of_nobody: Audience, |gate| {
        gate.customers.token(&without(gate.customers.access_claims("ann", gate.now()), "client_id"))
    };
    an_access_token_of_a_list_of_clients: Audience, |gate| access(&gate, "client_id", json!([gate.customers.audience]));
    an_access_token_that_has_the_client_as_audience_only: Audience, |gate| {
        let claims = without(gate.customers.access_claims("ann", gate.now()), "client_id");
        gate.customers.token(&but(claims, "aud", json!(gate.customers.audience)))
    };
    an_access_token_of_the_client_for_another_api: Audience, |gate| access(&gate, "aud", json!("https://another-api.example.com"));
    two_client_ids: DuplicateMember, |gate| gate.claiming_also(r#""client_id":"a","client_id":"b""#);
    a_refresh_token: TokenUse, |gate| gate.claiming("token_use", json!("refresh"));
    a_token_without_a_use: TokenUse, |gate| gate.not_claiming("token_use");
    a_token_with_two_uses_in_a_list: TokenUse, |gate| gate.claiming("token_use", json!(["id", "access"]));
    a_use_in_capitals: TokenUse, |gate| gate.claiming("token_use", json!("ID"));
    two_uses: DuplicateMember, |gate| gate.claiming_also("\"token_use\":\"access\"");
    a_logout_token: TokenType, |gate| {
        gate.claiming("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}}))
    };
}

hostile_to_oidc! {
    a_token_for_another_app: Audience, |gate| gate.claiming("aud", json!("app-of-another"));
    a_token_for_no_app: Audience, |gate| gate.not_claiming("aud");
    cognitos_way_to_name_the_client_at_another_issuer: Audience, |gate| {
        gate.customers.token(&gate.customers.access_claims("ann", gate.now()))
    };
    a_logout_token_of_another_issuer: TokenType, |gate| gate.claiming("events", json!({}));
}
