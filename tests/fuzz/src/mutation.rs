//! Inputs that are made of others: by bytes, and by the members of the JSON in them.

use fastrand::Rng;
use serde_json::{Value, json};

/// The most changes of one input.
const MOST_CHANGES: usize = 4;
/// The largest input, in bytes: more than any limit of a body of the API.
const LARGEST: usize = 20_000;
/// The deepest JSON that is made of a value: more than the 128 levels that `serde_json` reads.
const DEEPEST: usize = 140;
/// Texts that parsers treat in a special way.
const WORDS: [&str; 44] = [
    "",
    " ",
    "0",
    "1",
    "-1",
    "+1",
    "00",
    "1.0",
    "1e9",
    "1.",
    ".5",
    "10",
    "11",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999",
    "null",
    "true",
    "[]",
    "{}",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\n",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "\u{301}",
    "é",
    "😀",
    "demo",
    "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
    "sandbox:ok",
    "stripe:pm_1",
    "USD",
    "JPY",
    "2026-11-01T12:00:00Z",
    "9999-12-30T22:00:00Z",
    "2026-02-30T00:00:00Z",
    "4242424242424242",
    "none",
    "https://",
];

/// An input that differs from `seed` in a few places. Some places are taken from `others`.
pub fn mutated(seed: &[u8], others: &[Vec<u8>], chance: &mut Rng) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..chance.usize(1..=MOST_CHANGES) {
        // Half of the changes leave JSON readable, so that parsers see what is wrong within it.
        if chance.bool() {
            input = with_other_json(&input, chance).unwrap_or_else(|| with_other_bytes(&input, others, chance));
        } else {
            input = with_other_bytes(&input, others, chance);
        }
        input.truncate(LARGEST);
    }
    input
}

/// A place in `bytes`, with what follows it at most `most` bytes long.
fn range(bytes: &[u8], most: usize, chance: &mut Rng) -> std::ops::Range<usize> {
    let from = chance.usize(..=bytes.len());
    from..(from + chance.usize(..=most)).min(bytes.len())
}

fn with_other_bytes(input: &[u8], others: &[Vec<u8>], chance: &mut Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    let place = range(input, 8, chance);
    match chance.u8(..8) {
        0 if !place.is_empty() => bytes[place.start] ^= 1 << chance.u8(..8),
        1 if !place.is_empty() => bytes[place.start] = chance.u8(..),
        2 => _ = bytes.splice(place, []),
        3 => _ = bytes.splice(place.start..place.start, [chance.u8(..)]),
        4 => _ = bytes.splice(place, chance.choice(WORDS).unwrap_or_default().bytes()),
        5 => {
            let other = chance.choice(others).cloned().unwrap_or_default();
            let part = range(&other, 64, chance);
            _ = bytes.splice(place, other[part].iter().copied());
        }
        6 => {
            let part = range(input, 32, chance);
            let times = if chance.u8(..16) == 0 { LARGEST / 16 } else { 2 };
            let repeated = input[part].repeat(times);
            _ = bytes.splice(place.start..place.start, repeated);
        }
        _ => bytes.truncate(place.start),
    }
    bytes
}

/// `input` with another value in its JSON, which begins at the first line that begins with a brace or a bracket. `None`: it has
/// no JSON.
fn with_other_json(input: &[u8], chance: &mut Rng) -> Option<Vec<u8>> {
    let begins = |at: &usize| matches!(input[*at], b'{' | b'[') && (*at == 0 || input[at - 1] == b'\n');
    let from = (0..input.len()).find(begins)?;
    let mut json: Value = serde_json::from_slice(&input[from..]).ok()?;
    change(&mut json, chance);
    let mut other = input[..from].to_vec();
    other.extend_from_slice(json.to_string().as_bytes());
    Some(other)
}

/// Changes one value within `json`.
fn change(json: &mut Value, chance: &mut Rng) {
    let all = pointers(json, String::new());
    let pointer = &all[chance.usize(..all.len())];
    let donor = json.pointer(&all[chance.usize(..all.len())]).cloned().unwrap_or_default();
    let Some(place) = json.pointer_mut(pointer) else { return };
    *place = match (chance.u8(..8), &mut *place) {
        (0, _) => donor,
        (1, value) => nested(value.take(), chance.usize(1..DEEPEST)),
        (2 | 3, value) => {
            match value {
                Value::Object(members) if chance.bool() => {
                    let name = members.keys().nth(chance.usize(..=members.len())).cloned();
                    _ = name.and_then(|name| members.remove(&name));
                }
                Value::Object(members) => _ = members.insert(chance.choice(WORDS).unwrap_or_default().to_owned(), donor),
                Value::Array(items) if chance.bool() => _ = items.pop(),
                Value::Array(items) => items.push(donor),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => *value = any_value(chance),
            }
            return;
        }
        // JSON within a text, such as a body in an event of API Gateway.
        (4 | 5, Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(mut within @ (Value::Object(_) | Value::Array(_))) => {
                change(&mut within, chance);
                json!(within.to_string())
            }
            _ => json!(String::from_utf8_lossy(&with_other_bytes(text.as_bytes(), &[], chance))),
        },
        (6, Value::Number(number)) => json!(number.as_i64().map_or(0, |number| number.wrapping_add(chance.i64(-2..=2)))),
        _ => any_value(chance),
    };
}

fn any_value(chance: &mut Rng) -> Value {
    match chance.u8(..8) {
        0 => Value::Null,
        1 => json!(chance.bool()),
        2 => json!(chance.i64(-2..20)),
        3 => json!(chance.choice([i64::MIN, i64::MAX, 99_999_999_999, 1 << 32, 1 << 53])),
        4 => json!(chance.f64() * 1e3),
        5 => json!("x".repeat(chance.usize(..600))),
        _ => json!(chance.choice(WORDS)),
    }
}

fn nested(value: Value, levels: usize) -> Value {
    (0..levels).fold(value, |value, level| if level % 2 == 0 { json!([value]) } else { json!({ "a": value }) })
}

/// The pointers to `json` and to all values in it.
fn pointers(json: &Value, at: String) -> Vec<String> {
    let below: Vec<String> = match json {
        Value::Object(members) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            members.iter().flat_map(|(name, value)| pointers(value, format!("{at}/{}", escaped(name)))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(place, value)| pointers(value, format!("{at}/{place}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    std::iter::once(at).chain(below).collect()
}
