//! Finds card numbers in a body, whatever the body is: JSON, broken JSON or no JSON at all. No reader of JSON can do that: each
//! stops at the first fault, keeps the last of two members of the same name, and limits the depth.
//!
//! The domain says what a card number is; this file takes the body apart into the texts that may contain one.

use std::borrow::Cow;

use domain::has_card_number;

use super::escape;

/// The member whose text or number may look like a card number: telephone numbers have up to 15 digits.
const EXEMPT: &str = "phone";
/// Fewer digits are no card number.
const FEWEST_DIGITS: usize = 13;

/// The JSON pointer to the first member or item with a card number. If the number is the name of a member, the pointer leads to the
/// object, because no answer may repeat the number. `None`: the body has no card number.
pub(super) fn card_number(body: &[u8]) -> Option<String> {
    if is_surely_without(body) { None } else { first_place(body) }
}

fn first_place(body: &[u8]) -> Option<String> {
    let (mut rest, mut places) = (body, Vec::new());
    while let Some((token, left)) = Token::first(rest) {
        rest = left;
        match token {
            Token::Object => places.push(Place::Member(None)),
            Token::Array => places.push(Place::Item(0)),
            Token::End => _ = places.pop(),
            Token::Comma => match places.last_mut() {
                Some(Place::Member(name)) => *name = None,
                Some(Place::Item(index)) => *index += 1,
                None => {}
            },
            Token::Colon => {}
            Token::Quoted(text) | Token::Bare(text) => {
                let text = decoded(text);
                let is_name = matches!((token, places.last()), (Token::Quoted(_), Some(Place::Member(None))));
                if has_card_number(&text) && (is_name || nearest_name(&places) != Some(EXEMPT)) {
                    return Some(pointer(&places));
                }
                if is_name && let Some(Place::Member(name)) = places.last_mut() {
                    *name = Some(text.into_owned());
                }
            }
        }
    }
    None
}

/// Whether no text of the body can have so many digits. Most bodies end here, after a look at each byte: only a text with escapes
/// or with other characters than ASCII may have more digits than can be seen in the bytes.
fn is_surely_without(body: &[u8]) -> bool {
    let mut digits = 0;
    for byte in body {
        match byte {
            b'0'..=b'9' => digits += 1,
            b' ' | b'\t' | b'-' => {}
            b'\\' | 0x80.. => return false,
            _ => digits = 0,
        }
        if digits == FEWEST_DIGITS {
            return false;
        }
    }
    true
}

/// A place in the body on the way to the current token.
enum Place {
    /// In an object, at the member of this name. `None`: its name comes next.
    Member(Option<String>),
    /// In an array, at the item of this number.
    Item(usize),
}

/// The name of the member that a text belongs to, perhaps as an item of its array.
fn nearest_name(places: &[Place]) -> Option<&str> {
    places.iter().rev().find_map(|place| match place {
        Place::Member(name) => Some(name.as_deref()),
        Place::Item(_) => None,
    })?
}

fn pointer(places: &[Place]) -> String {
    let token = |place: &Place| match place {
        Place::Member(name) => name.as_deref().map(escape),
        Place::Item(index) => Some(index.to_string()),
    };
    places.iter().filter_map(token).fold(String::new(), |pointer, token| pointer + "/" + &token)
}

/// A piece of a body.
#[derive(Clone, Copy)]
enum Token<'b> {
    Object,
    Array,
    /// Of an object or an array.
    End,
    Comma,
    Colon,
    /// What is between two quotation marks, or after the last one.
    Quoted(&'b [u8]),
    /// Anything else up to the next of these signs: a number, or what is no JSON.
    Bare(&'b [u8]),
}

impl<'b> Token<'b> {
    /// The first piece, and what is left.
    fn first(body: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let (first, rest) = body.split_first()?;
        let sign = match first {
            b'{' => Self::Object,
            b'[' => Self::Array,
            b'}' | b']' => Self::End,
            b',' => Self::Comma,
            b':' => Self::Colon,
            b'"' => {
                let (text, rest) = rest.split_at_checked(length_of_quoted(rest)).unwrap_or((rest, &[]));
                return Some((Self::Quoted(text), rest.strip_prefix(b"\"").unwrap_or(rest)));
            }
            _ => {
                let length = body.iter().take_while(|byte| !b"{}[],:\"".contains(byte)).count();
                let (text, rest) = body.split_at_checked(length)?;
                return Some((Self::Bare(text), rest));
            }
        };
        Some((sign, rest))
    }
}

/// The bytes before the closing quotation mark. One that follows a backslash closes nothing.
fn length_of_quoted(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let is_open = |byte: &&u8| {
        let closes = **byte == b'"' && !is_escaped;
        is_escaped = **byte == b'\\' && !is_escaped;
        !closes
    };
    text.iter().take_while(is_open).count()
}

/// The text that a JSON string means. What is wrong in it becomes U+FFFD, or stays as it is.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains('\\') {
        return text;
    }
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let meant = if c == '\\' { rest.next().unwrap_or(c) } else { c };
        match meant {
            'u' if c == '\\' => {
                let (unit, left) = rest.as_str().split_at_checked(4).unwrap_or_default();
                if let Ok(unit) = u16::from_str_radix(unit, 16) {
                    units.push(unit);
                    rest = left.chars();
                }
            }
            't' if c == '\\' => units.push(u16::from(b'\t')),
            'b' | 'f' | 'n' | 'r' if c == '\\' => units.push(u16::from(b'\n')),
            _ => units.extend_from_slice(meant.encode_utf16(&mut [0; 2])),
        }
    }
    Cow::Owned(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests;
