//! Tokens whose time is over or has not come, and times that are none.

use serde_json::{Value, json};

use super::hostile;

hostile! {
    a_token_that_ended_long_ago: Expired, |gate| gate.claiming("exp", json!(gate.now() - 86_400));
    a_token_that_ended_a_leeway_ago: Expired, |gate| gate.claiming("exp", json!(gate.now() - 60));
    a_token_that_ended_in_1970: Expired, |gate| gate.claiming("exp", json!(0));
    a_token_that_never_ends: Time, |gate| gate.not_claiming("exp");
    an_end_that_is_null: Time, |gate| gate.claiming("exp", Value::Null);
    an_end_that_is_a_text: Time, |gate| gate.claiming("exp", json!((gate.now() + 3600).to_string()));
    an_end_that_is_a_date: Time, |gate| gate.claiming("exp", json!("2099-01-01T00:00:00Z"));
    an_end_that_is_true: Time, |gate| gate.claiming("exp", json!(true));
    an_end_in_a_list: Time, |gate| gate.claiming("exp", json!([gate.now() + 3600]));
    an_end_with_a_fraction: Time, |gate| gate.claiming("exp", json!(1_893_456_000.5));
    an_end_with_an_exponent: Time, |gate| {
        let text = crate::gate::world::without(gate.claims(), "exp").to_string();
        gate.customers.raw_token(&gate.customers.header().to_string(), &format!("{},\"exp\":2e9}}", text.trim_end_matches('}')))
    };
    an_end_before_1970: Time, |gate| gate.claiming("exp", json!(-1));
    an_end_in_milliseconds: Time, |gate| gate.claiming("exp", json!((gate.now() + 3600) * 1000));
    the_largest_end_of_64_bits: Time, |gate| gate.claiming("exp", json!(u64::MAX));
    the_largest_signed_end_of_64_bits: Time, |gate| gate.claiming("exp", json!(i64::MAX));
    an_end_that_is_infinite: Time, |gate| {
        let text = crate::gate::world::without(gate.claims(), "exp").to_string();
        gate.customers.raw_token(&gate.customers.header().to_string(), &format!("{},\"exp\":1e300}}", text.trim_end_matches('}')))
    };
    two_ends: DuplicateMember, |gate| gate.claiming_also(&format!("\"exp\":{}", gate.now() + 999_999));
    two_ends_one_of_them_escaped: DuplicateMember, |gate| gate.claiming_also(&format!("\"e\\u0078p\":{}", gate.now() + 999_999));
    a_token_for_tomorrow: NotYetValid, |gate| gate.claiming("nbf", json!(gate.now() + 86_400));
    a_token_that_begins_after_the_leeway: NotYetValid, |gate| gate.claiming("nbf", json!(gate.now() + 61));
    a_token_that_was_made_tomorrow: NotYetValid, |gate| gate.claiming("iat", json!(gate.now() + 86_400));
    a_beginning_that_is_a_text: Time, |gate| gate.claiming("nbf", json!("now"));
    a_beginning_that_is_null: Time, |gate| gate.claiming("nbf", Value::Null);
    a_making_that_is_a_text: Time, |gate| gate.claiming("iat", json!("now"));
    two_beginnings: DuplicateMember, |gate| gate.claiming_also("\"nbf\":1,\"nbf\":2");
}
