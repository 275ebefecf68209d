//! JSON bodies: limited in size, declared as JSON, and refused with a JSON pointer to the fault.

use lambda_http::{Request, http::header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::Problem;

/// The largest body that is read. The largest realistic body, a checkout with a long address, has about 1 KiB.
const LARGEST_BODY_BYTES: usize = 16 * 1024;
/// A fault may quote the request. More of the quotation than this does not help.
const LONGEST_DETAIL_CHARACTERS: usize = 200;

/// The request's body as a `T`.
///
/// # Errors
/// 413 above 16 KiB; 415 if it is not declared as JSON; 400 with a JSON pointer if it is not a `T`.
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
        return Err(Problem::too_large());
    }
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    if !is_declared_json(request) {
        return Err(Problem::unsupported_media_type());
    }
    // serde would read an array as the members of an object in their order, which the contract does not promise.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::malformed_request("invalid type: sequence, expected an object", ""));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::malformed_request("the body is not UTF-8", ""))?;
    read(text).map(Some)
}

/// `application/json`, with or without parameters (`; charset=utf-8`).
fn is_declared_json(request: &Request) -> bool {
    let declared = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = declared.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
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

/// Describes a fault in words that name no Rust type.
fn explain(fault: &serde_json::Error, mut pointer: String) -> Problem {
    match fault.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::malformed_request(format!("not JSON: line {}, column {}", fault.line(), fault.column()), &pointer)
        }
        Category::Data => {
            let said = fault.to_string();
            // serde_json appends line and column. The pointer is more useful.
            let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
            // The path to a fault lacks the name of a missing or duplicate member, but includes that of an unknown one.
            let about_member = said.strip_prefix("missing field `").or_else(|| said.strip_prefix("duplicate field `"));
            if let Some(member) = about_member.and_then(|rest| rest.strip_suffix('`')) {
                pointer.push('/');
                pointer.push_str(&escape(member));
            }
            Problem::malformed_request(in_plain_words(said), &pointer)
        }
    }
}

/// serde names the expected Rust type, which clients should not see.
fn in_plain_words(said: &str) -> String {
    if said.starts_with("data did not match any variant") {
        return "the value has none of the forms that are expected here".to_owned();
    }
    let said = match said.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => {
            let expected = match expected.split(' ').next().unwrap_or_default() {
                "struct" | "internally" | "map" => "an object",
                "tuple" | "sequence" => "an array",
                "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from zero",
                "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
                "f32" | "f64" => "a number",
                _ if expected == "a sequence" => "an array",
                _ if expected == "a map" => "an object",
                _ => expected,
            };
            format!("{found}, expected {expected}")
        }
        _ => said.to_owned(),
    };
    said.chars().take(LONGEST_DETAIL_CHARACTERS).collect()
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
