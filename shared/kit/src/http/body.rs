//! JSON bodies: limited in size, without card numbers, declared as JSON, and refused with a JSON pointer to the fault.
//!
//! No refusal repeats a value of the body: a shopper may have typed there what nobody should see.

mod card_data;

use lambda_http::{Request, http::header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::Problem;

/// The largest body that is read. The largest realistic body, a checkout with a long address, has about 1 KiB.
const LARGEST_BODY_BYTES: usize = 16 * 1024;
/// U+FEFF in UTF-8. RFC 8259, section 8.1, forbids it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// A fault may quote the name of a member. More of it than this does not help.
const LONGEST_DETAIL_CHARACTERS: usize = 400;

/// The request's body as a `T`.
///
/// # Errors
/// 413 above 16 KiB; 400 with a JSON pointer if it contains a card number outside a member called `phone`; 415 if it is not declared
/// as JSON; 400 with a JSON pointer if it is not a `T`.
pub fn json_body<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    optional_json_body(request)?.ok_or_else(|| Problem::malformed_request("a JSON body is expected", ""))
}

/// The request's body as a `T`; `None` if the request has no body.
///
/// # Errors
/// As [`json_body`], if the request has a body.
pub fn optional_json_body<T: DeserializeOwned>(request: &Request) -> Result<Option<T>, Problem> {
    let bytes: &[u8] = request.body().as_ref();
    if bytes.len() > LARGEST_BODY_BYTES {
        return Err(Problem::too_large(LARGEST_BODY_BYTES));
    }
    if let Some(pointer) = card_data::card_number(bytes) {
        return Err(Problem::card_data(&pointer));
    }
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    is_plain_json(request)?;
    // serde would read an array as the members of an object in their order, which the contract does not promise.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::malformed_request("expected an object, found an array", ""));
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return Err(Problem::malformed_request("the body begins with a byte order mark; JSON has none", ""));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::malformed_request("the body is not UTF-8", ""))?;
    read(text).map(Some)
}

/// Whether the body is declared as JSON in UTF-8 that is not compressed (RFC 9110, sections 8.3 and 8.4; RFC 8259, section 8.1).
///
/// # Errors
/// 415, with the declaration that is expected.
fn is_plain_json(request: &Request) -> Result<(), Problem> {
    let declared = |name| request.headers().get_all(name).into_iter().map(|value| value.to_str().unwrap_or_default());
    let is_coded = |coding: &str| !coding.trim().is_empty() && !coding.trim().eq_ignore_ascii_case("identity");
    if declared(header::CONTENT_ENCODING).flat_map(|codings| codings.split(',')).any(is_coded) {
        return Err(Problem::unsupported_media_type("send the body without Content-Encoding"));
    }
    let mut types = declared(header::CONTENT_TYPE);
    let media_type = types.next().unwrap_or_default();
    if types.any(|other| other != media_type) {
        return Err(Problem::unsupported_media_type("send one Content-Type: application/json"));
    }
    let mut parts = media_type.split(';').map(str::trim);
    if !parts.next().unwrap_or_default().eq_ignore_ascii_case("application/json") {
        return Err(Problem::unsupported_media_type("send Content-Type: application/json"));
    }
    let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.find_map(|(name, value)| name.trim().eq_ignore_ascii_case("charset").then_some(value));
    // ASCII is UTF-8, too.
    if charset.is_none_or(|charset| {
        ["utf-8", "us-ascii"].iter().any(|known| charset.trim().trim_matches('"').eq_ignore_ascii_case(known))
    }) {
        Ok(())
    } else {
        Err(Problem::unsupported_media_type("send the body in UTF-8"))
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|fault| {
        let pointer = pointer_of(fault.path());
        explain(fault.inner(), pointer)
    })?;
    json.end().map_err(|fault| explain(&fault, String::new()))?;
    Ok(value)
}

/// Describes a fault in the contract's words: none of serde's, no Rust type.
fn explain(fault: &serde_json::Error, mut pointer: String) -> Problem {
    let said = fault.to_string();
    // serde_json appends line and column. The pointer is more useful.
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    match fault.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            let at = format!("line {}, column {}", fault.line(), fault.column());
            // These are JSON, but no reader has to take them (RFC 8259, sections 6, 8.2 and 9).
            let detail = match said {
                "number out of range" => format!("a number is too large: {at}"),
                "recursion limit exceeded" => format!("nested too deeply: {at}"),
                _ if said.contains("surrogate") || said.contains("hex escape") => {
                    format!("an escape is only half of a character: {at}")
                }
                _ => format!("not JSON: {at}"),
            };
            Problem::malformed_request(detail, &pointer)
        }
        Category::Data => {
            // The path to a fault lacks the name of a missing or duplicate member, but includes that of an unknown one.
            if let Some(member) = named_member(said, "missing field `").or_else(|| named_member(said, "duplicate field `")) {
                pointer.push('/');
                pointer.push_str(&escape(member));
            }
            Problem::malformed_request(in_our_words(said).chars().take(LONGEST_DETAIL_CHARACTERS).collect::<String>(), &pointer)
        }
    }
}

/// The member that serde names after `prefix`, if it says nothing else.
fn named_member<'s>(said: &'s str, prefix: &str) -> Option<&'s str> {
    said.strip_prefix(prefix)?.strip_suffix('`')
}

/// What serde said of a value, in the words of JSON. What our own types say stays as it is.
fn in_our_words(said: &str) -> String {
    if let Some(member) = named_member(said, "missing field `") {
        return format!("the member `{member}` is missing");
    }
    if let Some(member) = named_member(said, "duplicate field `") {
        return format!("the member `{member}` is there twice");
    }
    if let Some((member, known)) = said.strip_prefix("unknown field `").and_then(|rest| rest.rsplit_once("`, expected ")) {
        let known = known.strip_prefix("one of ").unwrap_or(known);
        return format!("no member is called `{member}`; expected {known}");
    }
    if let Some((_, known)) = said.strip_prefix("unknown variant `").and_then(|rest| rest.rsplit_once("`, expected ")) {
        return format!("expected {known}");
    }
    if said.starts_with("data did not match any variant") {
        return "the value has none of the forms that are expected here".to_owned();
    }
    let of_a_value = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    match of_a_value.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let expected = expected_value(expected);
            format!("expected {expected}, found {}", found_kind(found, expected))
        }
        None => said.to_owned(),
    }
}

/// What is expected, by a Rust type or in our own words.
fn expected_value(expected: &str) -> &str {
    match expected.split(' ').next().unwrap_or_default() {
        "struct" | "map" => "an object",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 to 18446744073709551615",
        "i64" => "a whole number",
        "f64" => "a number",
        _ if expected == "a map" => "an object",
        _ if expected == "a sequence" => "an array",
        _ => expected,
    }
}

/// The kind of the value that was found. serde quotes the value; the answer does not.
fn found_kind(found: &str, expected: &str) -> &'static str {
    match found.split(['`', '"']).next().unwrap_or_default().trim_end() {
        "integer" | "floating point" if expected.contains("number") => "another number",
        "integer" | "floating point" => "a number",
        "boolean" => "a boolean",
        "string" | "character" => "a string",
        "null" | "unit value" | "Option value" => "null",
        "sequence" => "an array",
        "map" => "an object",
        _ => "another value",
    }
}

/// A JSON pointer (RFC 6901) to the place where reading stopped. The empty pointer is the whole document.
pub(crate) fn pointer_of(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escape(key),
            // Enum: a variant that has no JSON key of its own. Unknown: a place that serde cannot name.
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
