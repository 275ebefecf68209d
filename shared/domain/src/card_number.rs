//! Card numbers (ISO/IEC 7812) in text. The product must not store or log one: a client sends a payment provider's token instead.
//!
//! A text has a card number if it has 13 to 19 decimal digits, of any script, that begin with 2 to 6 and end in the right check
//! digit (Luhn). The digits are one or more whole groups, with at most three spaces or hyphens between two groups. `docs/adr/0020`
//! has the reasons.

use std::ops::RangeInclusive;

use ulid::Ulid;
use unicode_general_category::{GeneralCategory, get_general_category};

/// The number of digits of a card number.
const LENGTHS: RangeInclusive<usize> = 13..=19;
/// The first digit of a card number: 2 to 6 are the card networks' (3 for American Express, Diners Club and JCB).
const FIRST_DIGITS: RangeInclusive<u32> = 2..=6;
/// Spaces and hyphens between two groups of one number, such as " - ".
const LONGEST_GAP: usize = 3;
/// What people type as a hyphen and Unicode does not call one: the minus sign, and the long vowel mark of Japanese keyboards.
const HYPHENS: [char; 3] = ['\u{2212}', '\u{30fc}', '\u{ff70}'];
/// Hexadecimal digits of the shortest identifier that is recognised as one: an `ObjectId` of `MongoDB`.
const SHORTEST_HEXADECIMAL: usize = 24;
/// Hexadecimal digits of the five groups of a UUID (RFC 9562).
const UUID: [usize; 5] = [8, 4, 4, 4, 12];
/// Characters of a ULID.
const ULID: usize = 26;

/// Whether `text` has a card number.
///
/// These are none, although digits of them may look like one: UUIDs, ULIDs, hexadecimal identifiers of 24 digits or more, the
/// decimals after a point, and groups of 20 digits or more.
#[must_use]
pub fn has_card_number(text: &str) -> bool {
    let (mut rest, mut run) = (text, Run::default());
    let (mut previous, mut is_decimals) = (None, false);
    while let Some(c) = rest.chars().next() {
        let (kind, length) = match id_at_start(rest, previous) {
            Some(length) => (Kind::Other, length),
            None => (kind_of(c), c.len_utf8()),
        };
        match kind {
            Kind::Digit(_) if is_decimals => {}
            Kind::Digit(digit) => run.push(digit),
            Kind::Gap | Kind::Other => {
                if run.ends_in_card_number() {
                    return true;
                }
                if kind == Kind::Gap {
                    run.widen_gap();
                } else {
                    run.clear();
                }
                is_decimals = c == '.' && previous.is_some_and(is_digit);
            }
        }
        let (passed, left) = rest.split_at_checked(length).unwrap_or_default();
        (previous, rest) = (passed.chars().next_back(), left);
    }
    run.ends_in_card_number()
}

/// What a character means for a card number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A decimal digit, by its value.
    Digit(u32),
    /// A space or a hyphen, or a character that nobody sees.
    Gap,
    /// Anything else: a number ends before it.
    Other,
}

fn kind_of(c: char) -> Kind {
    match c {
        '0'..='9' => Kind::Digit(decimal_value(c)),
        ' ' | '\t' | '-' => Kind::Gap,
        _ if c.is_ascii() => Kind::Other,
        _ if is_digit(c) => Kind::Digit(decimal_value(c)),
        _ if is_gap(c) => Kind::Gap,
        _ => Kind::Other,
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && get_general_category(c) == GeneralCategory::DecimalNumber)
}

fn is_gap(c: char) -> bool {
    let is_blank_or_dash = matches!(
        get_general_category(c),
        GeneralCategory::SpaceSeparator | GeneralCategory::DashPunctuation | GeneralCategory::Format
    );
    is_blank_or_dash || HYPHENS.contains(&c)
}

/// The value of a decimal digit. Unicode encodes the ten digits of a script in their order, and nothing else directly before them but
/// the ten digits of another script (Unicode Standard, section 4.6).
fn decimal_value(c: char) -> u32 {
    let earlier = || (0..u32::from(c)).rev().take_while(|code| char::from_u32(*code).is_some_and(is_digit));
    c.to_digit(10).unwrap_or_else(|| earlier().fold(0, |count, _| (count + 1) % 10))
}

/// Groups of digits with short gaps between them.
#[derive(Default)]
struct Run {
    /// Each digit, and whether a group begins with it.
    digits: Vec<(u32, bool)>,
    /// Characters since the last digit.
    gap: usize,
}

impl Run {
    fn push(&mut self, digit: u32) {
        let begins_group = self.gap > 0 || self.digits.is_empty();
        self.digits.push((digit, begins_group));
        self.gap = 0;
    }

    fn widen_gap(&mut self) {
        self.gap += 1;
        if self.gap > LONGEST_GAP {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.digits.clear();
        self.gap = 0;
    }

    /// Whether the last groups are a card number.
    fn ends_in_card_number(&self) -> bool {
        let mut sum = 0;
        let from_the_end = self.digits.iter().rev().take(*LENGTHS.end());
        from_the_end.zip(1..).any(|((digit, begins_group), length)| {
            sum += if length % 2 == 0 { doubled(*digit) } else { *digit };
            *begins_group && LENGTHS.contains(&length) && FIRST_DIGITS.contains(digit) && sum % 10 == 0
        })
    }
}

/// What every second digit adds to Luhn's sum, from the right: the digits of its double.
fn doubled(digit: u32) -> u32 {
    digit * 2 % 10 + digit / 5
}

/// The length of the identifier with which `rest` begins, in bytes. `previous` is the character before it.
fn id_at_start(rest: &str, previous: Option<char>) -> Option<usize> {
    // Counted once for each word, not for each of its characters.
    if previous.is_some_and(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let word = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    if word < UUID[0] {
        return None;
    }
    let length = UUID.iter().sum::<usize>() + UUID.len() - 1;
    let is_followed = |length: usize| rest.as_bytes().get(length).is_some_and(u8::is_ascii_alphanumeric);
    if word == UUID[0] && rest.get(..length).is_some_and(is_uuid) && !is_followed(length) {
        return Some(length);
    }
    rest.get(..word).filter(|word| is_ulid(word) || is_hexadecimal(word)).map(str::len)
}

fn is_uuid(text: &str) -> bool {
    let groups = || text.split('-').map(str::len);
    groups().eq(UUID) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn is_ulid(word: &str) -> bool {
    word.len() == ULID && Ulid::from_string(word).is_ok_and(|ulid| ulid.to_string() == word)
}

fn is_hexadecimal(word: &str) -> bool {
    word.len() >= SHORTEST_HEXADECIMAL && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
