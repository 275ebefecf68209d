//! Texts that are no tokens, or could be read in two ways.

use serde_json::json;
use test_issuer::{encoded, signed_part};

use super::hostile;
use crate::gate::world::Gate;

/// The good token, changed as a text.
fn as_text(gate: &Gate, change: impl FnOnce(&str, &str, &str) -> String) -> String {
    let good = gate.good();
    let parts: Vec<&str> = good.split('.').collect();
    change(parts[0], parts[1], parts[2])
}

/// A token whose claims are this text, signed by the issuer's own key.
fn with_claims(gate: &Gate, claims: impl AsRef<[u8]>) -> String {
    let signed = format!("{}.{}", encoded(gate.customers.header().to_string()), encoded(claims));
    format!("{signed}.{}", encoded(gate.customers.signer.sign(&signed)))
}

/// A token whose header is this text.
fn with_header(gate: &Gate, header: impl AsRef<[u8]>) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(gate.claims().to_string()));
    format!("{signed}.{}", encoded(gate.customers.signer.sign(&signed)))
}

hostile! {
    nothing: Malformed, |_gate| String::new();
    a_word: Malformed, |_gate| "token".to_owned();
    two_dots: Malformed, |_gate| "..".to_owned();
    a_part_alone: Malformed, |gate| as_text(&gate, |header, _, _| header.to_owned());
    two_parts: Malformed, |gate| as_text(&gate, |header, claims, _| format!("{header}.{claims}"));
    four_parts: Malformed, |gate| as_text(&gate, |header, claims, signature| format!("{header}.{claims}.{signature}.{claims}"));
    the_five_parts_of_an_encrypted_token: Malformed, |gate| {
        as_text(&gate, |header, claims, signature| format!("{header}.{claims}.{signature}.{claims}.{signature}"))
    };
    no_claims: Malformed, |gate| as_text(&gate, |header, _, signature| format!("{header}..{signature}"));
    no_header: Malformed, |gate| as_text(&gate, |_, claims, signature| format!(".{claims}.{signature}"));
    a_line_end_after_the_token: Malformed, |gate| format!("{}\n", gate.good());
    a_space_after_the_token: Malformed, |gate| format!("{} ", gate.good());
    a_tab_before_the_token: Malformed, |gate| format!("\t{}", gate.good());
    a_nul_in_the_token: Malformed, |gate| gate.good().replacen('.', ".\u{0}", 1);
    a_letter_that_is_not_ascii: Malformed, |gate| format!("{}é", gate.good());
    a_full_width_dot: Malformed, |gate| gate.good().replacen('.', "\u{ff0e}", 1);
    the_token_twice: Malformed, |gate| format!("{0}, {0}", gate.good());
    the_token_in_quotes: Malformed, |gate| format!("\"{}\"", gate.good());
    another_scheme_in_the_token: Malformed, |gate| format!("Basic {}", gate.good());
    the_scheme_twice: Malformed, |gate| format!("Bearer {}", gate.good());
    a_token_as_json: Malformed, |gate| {
        as_text(&gate, |header, claims, signature| json!({"protected": header, "payload": claims, "signature": signature}).to_string())
    };
    a_header_with_padding: Malformed, |gate| as_text(&gate, |header, claims, signature| format!("{header}=.{claims}.{signature}"));
    a_header_with_another_last_letter: Malformed, |gate| {
        // The last letter of these base64 texts has bits that belong to no byte.
        let header = encoded(r#"{"alg":"RS256","kid":"key-of-Shoppers" }"#);
        assert!(header.ends_with('Q'), "{header}");
        let signed = format!("{}R.{}", &header[..header.len() - 1], encoded(gate.claims().to_string()));
        format!("{signed}.{}", encoded(gate.customers.signer.sign(&signed)))
    };
    a_header_that_is_no_json: Malformed, |gate| with_header(&gate, "alg=RS256");
    a_header_that_is_a_list: Malformed, |gate| with_header(&gate, format!("[{}]", gate.customers.header()));
    a_header_with_a_byte_order_mark: Malformed, |gate| with_header(&gate, format!("\u{feff}{}", gate.customers.header()));
    a_header_that_breaks_off: Malformed, |gate| with_header(&gate, "{\"alg\":\"RS256\"");
    claims_that_are_a_list: Malformed, |gate| with_claims(&gate, format!("[{}]", gate.claims()));
    claims_that_are_a_text: Malformed, |gate| with_claims(&gate, json!(gate.claims().to_string()).to_string());
    claims_that_are_null: Malformed, |gate| with_claims(&gate, "null");
    claims_that_are_no_utf8: Malformed, |gate| with_claims(&gate, [b"{\"sub\":\"\xff\"}".as_slice()].concat());
    claims_in_utf16: Malformed, |gate| {
        let utf16: Vec<u8> = gate.claims().to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
        with_claims(&gate, utf16)
    };
    claims_with_a_comment: Malformed, |gate| with_claims(&gate, format!("/**/{}", gate.claims()));
    claims_with_a_comma_too_many: Malformed, |gate| gate.claiming_also("\"a\":1,");
    two_objects_of_claims: Malformed, |gate| with_claims(&gate, format!("{0}{0}", gate.claims()));
    claims_with_nan: Malformed, |gate| gate.claiming_also("\"a\":NaN");
    claims_that_are_nested_too_deeply: Malformed, |gate| {
        gate.claiming_also(&format!("\"a\":{}{}", "[".repeat(1_000), "]".repeat(1_000)))
    };
    a_token_that_is_too_long: TooLarge, |gate| gate.claiming("padding", json!("x".repeat(8_192)));
    a_megabyte: TooLarge, |gate| gate.claiming("padding", json!("x".repeat(1 << 20)));
    a_header_that_is_too_long: TooLarge, |gate| gate.headed("padding", json!("x".repeat(8_192)));
    a_megabyte_of_dots: TooLarge, |_gate| ".".repeat(1 << 20);
    a_signature_that_is_too_long: TooLarge, |gate| format!("{}{}", gate.good(), "A".repeat(8_192));
    a_member_twice_deep_in_the_claims: DuplicateMember, |gate| gate.claiming_also(r#""a":{"b":[{"c":1,"c":2}]}"#);
    an_unsigned_part_before_the_token: Algorithm, |gate| {
        format!("{}.{}", signed_part("{}", "{}"), gate.good())
    };
}

#[tokio::test]
async fn a_long_token_within_the_limit_is_read() {
    let gate = Gate::open();
    assert!(gate.grant(&gate.claiming("padding", json!("x".repeat(5_000)))).await.is_ok());
}
