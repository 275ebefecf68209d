//! Tricks with the id of the key.

use serde_json::{Value, json};

use super::hostile;
use crate::gate::world::{Gate, header};

/// A good token of the customers' issuer whose header names another key.
fn naming(gate: &Gate, key_id: Value) -> String {
    gate.headed("kid", key_id)
}

hostile! {
    no_key_id: KeyId, |gate| gate.not_headed("kid");
    an_empty_key_id: KeyId, |gate| naming(&gate, json!(""));
    a_null_key_id: KeyId, |gate| naming(&gate, Value::Null);
    a_key_id_that_is_a_number: KeyId, |gate| naming(&gate, json!(0));
    a_list_of_key_ids: KeyId, |gate| naming(&gate, json!([gate.customers.key_id]));
    a_key_id_that_is_an_object: KeyId, |gate| naming(&gate, json!({"$ne": null}));
    a_key_id_that_is_too_long: KeyId, |gate| naming(&gate, json!("k".repeat(257)));
    a_key_id_that_is_a_path: UnknownKey, |gate| naming(&gate, json!("../../../../dev/null"));
    a_key_id_that_is_an_address: UnknownKey, |gate| naming(&gate, json!("https://evil.example.com/keys"));
    a_key_id_that_is_sql: UnknownKey, |gate| naming(&gate, json!("' UNION SELECT 'secret"));
    a_key_id_that_is_a_command: UnknownKey, |gate| naming(&gate, json!("|id"));
    a_key_id_with_a_line_end: UnknownKey, |gate| naming(&gate, json!(format!("{}\n", gate.customers.key_id)));
    a_key_id_with_a_nul: UnknownKey, |gate| naming(&gate, json!(format!("{}\u{0}", gate.customers.key_id)));
    a_key_id_with_a_space: UnknownKey, |gate| naming(&gate, json!(format!(" {}", gate.customers.key_id)));
    a_key_id_in_capitals: UnknownKey, |gate| naming(&gate, json!(gate.customers.key_id.to_uppercase()));
    the_beginning_of_a_key_id: UnknownKey, |gate| naming(&gate, json!(&gate.customers.key_id[..5]));
    a_key_id_that_matches_everything: UnknownKey, |gate| naming(&gate, json!("*"));
    the_key_id_of_the_other_issuer: UnknownKey, |gate| naming(&gate, json!(gate.operators.key_id));
    two_key_ids: DuplicateMember, |gate| {
        let header = format!(r#"{{"alg":"RS256","kid":"{}","kid":"x"}}"#, gate.customers.key_id);
        gate.customers.raw_token(&header, &gate.claims().to_string())
    };
    an_operators_token_under_a_customers_key_id: UnknownKey, |gate| {
        let header = header("RS256", &gate.customers.key_id);
        gate.operators.token_with(&header, &gate.operators.id_claims("ann", gate.now()))
    };
}
