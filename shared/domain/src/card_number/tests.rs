//! Which digits are a card number: the networks' test numbers, all groupings, and what only looks like one.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    sample::{Index, select},
};

use super::*;

/// Numbers that payment providers publish for tests (Stripe, Adyen, `PayPal`, Braintree, each of them several). None was generated
/// here.
const TEST_NUMBERS: [(&str, &str); 33] = [
    ("Visa", "4242424242424242"),
    ("Visa", "4111111111111111"),
    ("Visa", "4012888888881881"),
    ("Visa Debit", "4000056655665556"),
    ("Visa of 13 digits", "4222222222222"),
    ("Mastercard", "5555555555554444"),
    ("Mastercard", "5105105105105100"),
    ("Mastercard Debit", "5200828282828210"),
    ("Mastercard, series 2", "2223003122003222"),
    ("Mastercard, series 2", "2221000000000009"),
    ("Mastercard, series 2", "2223000048400011"),
    ("American Express", "378282246310005"),
    ("American Express", "371449635398431"),
    ("American Express", "378734493671000"),
    ("Discover", "6011111111111117"),
    ("Discover", "6011000990139424"),
    ("Discover Debit", "6011981111111113"),
    ("JCB", "3566002020360505"),
    ("JCB", "3530111333300000"),
    ("Diners Club of 14 digits", "30569309025904"),
    ("Diners Club of 14 digits", "38520000023237"),
    ("Diners Club of 14 digits", "36227206271667"),
    ("Diners Club", "3056930009020004"),
    ("UnionPay", "6200000000000005"),
    ("UnionPay Debit", "6200000000000047"),
    ("UnionPay of 19 digits", "6205500000000000004"),
    ("Maestro", "6759649826438453"),
    ("Maestro", "6771798021000008"),
    ("Maestro of 19 digits", "6799990100000000019"),
    ("Bancontact", "6703444444444449"),
    ("Elo", "5066991111111118"),
    ("Hipercard", "6062828888666688"),
    ("Mir", "2200000000000053"),
];

#[test]
fn the_test_numbers_of_every_network_are_found_and_no_neighbour_of_theirs() {
    for (network, number) in TEST_NUMBERS {
        assert!(has_card_number(number), "{network}: {number}");
        // With another check digit.
        let (begin, last) = number.split_at(number.len() - 1);
        for other in ('0'..='9').filter(|digit| !last.starts_with(*digit)) {
            assert!(!has_card_number(&format!("{begin}{other}")), "{network}: {begin}{other}");
        }
    }
}

#[test]
fn a_number_is_found_wherever_people_write_it() {
    for text in [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "3782 822463 10005",
        "62055 00000 00000 0004",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
        "4242 - 4242 - 4242 - 4242",
        "4242  4242\t4242 4242",
        " 4242424242424242 ",
        "-4242424242424242",
        "4242424242424242.0",
        "Visa 4242 4242 4242 4242, 12/34, 123",
        "4242 4242 4242 4242 12 34 123",
        "12 4242 4242 4242 4242",
        "2026-11-01 4242424242424242",
        "card:4242424242424242;exp=1234",
        "visa4242424242424242exp1234",
        "sandbox:4242424242424242",
        "pm_4242424242424242_x",
        // The first track of a magnetic stripe, and the second.
        "%B4242424242424242^EXAMPLE/ANN^3412101?",
        ";4242424242424242=34121010000000000000?",
        "カード4242424242424242です",
        "卡号4242 4242 4242 4242有效期",
        "1.5 4242424242424242",
        "1 Market Street.4242424242424242",
        "(4242424242424242)",
        "4242424242424242 5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01",
        "01JD3V3Z5T8Q6W7X9Y0A1B2C3D 4242424242424242",
    ] {
        assert!(has_card_number(text), "{text:?}");
    }
}

#[test]
fn digits_spaces_and_hyphens_of_every_script_count() {
    for text in [
        "４２４２４２４２４２４２４２４２",
        "４２４２　４２４２　４２４２　４２４２",
        "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢",
        "۴۲۴۲۴۲۴۲۴۲۴۲۴۲۴۲",
        "४२४२ ४२४२ ४२४२ ४२४२",
        "৪২৪২৪২৪২৪২৪২৪২৪২",
        "𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚𝟜𝟚",
        "4٢４2 4242 4242 4242",
        "4242\u{a0}4242\u{202f}4242\u{2007}4242",
        "4242\u{2010}4242\u{2011}4242\u{2013}4242",
        "4242\u{2212}4242\u{2014}4242\u{ff0d}4242",
        "4242ー4242ー4242ー4242",
        "42\u{200b}42\u{ad}42\u{2060}4242\u{feff}42424242",
    ] {
        assert!(has_card_number(text), "{text:?}");
    }
}

#[test]
fn what_is_no_card_number_is_not_found() {
    for text in [
        "",
        "demo",
        "1 Market Street, 49007 Springfield",
        // 12 and 20 digits, and a number within a longer one.
        "424242424242",
        "42424242424242424242",
        "42424242424242421234",
        "14242424242424242000",
        // The networks of 1 and 7 to 9: not cards, but airlines, fuel and telephones.
        "1242424242424248",
        "7242424242424245",
        "8242424242424243",
        "9242424242424241",
        "0242424242424240",
        // Something between the groups.
        "4242, 4242, 4242, 4242",
        "4242/4242/4242/4242",
        "4242_4242_4242_4242",
        "4242    4242    4242    4242",
        "4242\n4242\n4242\n4242",
        "4242x4242x4242x4242",
        // Decimals: a longitude, a rounding error, an address of the Internet, a version.
        "13.4242424242424242",
        "0.4222222222222",
        "4.4.4.4242424242424242",
        // Times.
        "2026-11-01T12:00:00.123456789Z",
        "1793534400000",
        // Telephone numbers with the wrong check digit.
        "+44 20 7946 0958",
        "0049 30 123456",
        // Superscripts and numbers in circles are no decimal digits.
        "⁴²⁴²⁴²⁴²⁴²⁴²⁴²⁴²",
        "④②④②④②④②④②④②④②④②",
    ] {
        assert!(!has_card_number(text), "{text:?}");
    }
}

#[test]
fn digits_of_an_identifier_are_none() {
    for text in [
        // The product's own ids, with as many digits as possible.
        "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
        "demo.0A4242424242424242ABCDEFGH",
        "sale-2026.0A4242424242424242ABCDEFGH",
        "0A4242424242424242ABCDEFGH",
        // UUIDs, and hexadecimal numbers of 24, 32, 40 and 64 digits.
        "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01",
        "5b2f1c1e-7a44-4c0f-4242-424242424242",
        "5b2f1c1e-4242-4242-4242-4242ffffffff",
        "(5B2F1C1E-7A44-4C0F-4242-424242424242)",
        "4242424242424242deadbeef",
        "braintree:4242424242424242deadbeefdeadbeef",
        "deadbeef4242424242424242deadbeefdeadbeef",
        "DEADBEEF4242424242424242DEADBEEFDEADBEEF4242424242424242DEADBEEF",
    ] {
        assert!(!has_card_number(text), "{text:?}");
    }
    // Not quite: too short, too long, not of one alphabet, within a longer word.
    for text in [
        "4242424242424242deadbee",
        "0A4242424242424242ABCDEFG",
        "0A4242424242424242ABCDEFGHJ",
        "8A4242424242424242ABCDEFGH",
        "0a4242424242424242abcdefgh",
        "4242424242424242deadbeeg",
        "g4242424242424242deadbeef",
        "5b2f1c1e-7a44-4c0f-a242-4222222222222",
        "5b2f1c1g-7a44-4c0f-4242-424242424242",
        "5b2f1c1-7a44-4c0f-4242-424242424242",
        "5b2f1c1e-7a44-4c0f-42424242-42424242",
    ] {
        assert!(has_card_number(text), "{text:?}");
    }
}

#[test]
fn unicode_encodes_the_digits_of_a_script_in_their_order() {
    let digits: BTreeSet<char> = ('\0'..=char::MAX).filter(|c| is_digit(*c)).collect();
    let zeros: Vec<&char> = digits.iter().filter(|c| decimal_value(**c) == 0).collect();
    assert!(digits.len() == 10 * zeros.len() && zeros.len() > 60, "{} zeros", zeros.len());
    for zero in zeros {
        let of_script: Vec<u32> = (*zero..=char::MAX).take(10).map(decimal_value).collect();
        assert_eq!(of_script, (0..10).collect::<Vec<_>>(), "{zero:?}");
    }
    for (digit, value) in [('7', 7), ('٤', 4), ('９', 9), ('𝟎', 0), ('𝟘', 0), ('𝟿', 9), ('๓', 3)] {
        assert_eq!(decimal_value(digit), value, "{digit}");
    }
}

/// Whether Luhn's sum is right, computed from the left with another rule for the doubled digits.
fn is_luhn(digits: &[u32]) -> bool {
    let double = |digit: u32| (2 * digit).to_string().chars().filter_map(|c| c.to_digit(10)).sum::<u32>();
    let is_doubled = |place: usize| place % 2 == digits.len() % 2;
    let sum: u32 = digits.iter().enumerate().map(|(place, digit)| if is_doubled(place) { double(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

/// The digits of a card number with the right check digit.
fn card_digits() -> impl Strategy<Value = Vec<u32>> {
    let rest = prop::collection::vec(0..10_u32, 11..=17);
    (2..=6_u32, rest).prop_map(|(first, rest)| {
        let with = |check| [&[first], rest.as_slice(), &[check]].concat();
        (0..10).map(with).find(|digits| is_luhn(digits)).unwrap()
    })
}

fn written(digits: &[u32]) -> String {
    digits.iter().map(ToString::to_string).collect()
}

const GAPS: [&str; 8] = ["", " ", "-", " - ", "\u{a0}", "\u{2013}", "\t", "\u{200b}"];

proptest! {
    #[test]
    fn every_number_is_found_in_any_grouping_and_script(
        digits in card_digits(),
        gaps in prop::collection::vec(select(GAPS.as_slice()), 19),
        zeros in prop::collection::vec(select(['0', '０', '٠', '𝟘'].as_slice()), 19),
        (before, after) in ("([a-zA-Z ]*[:;,/_\"=])?", "([:;,/_\"=g-z][a-zA-Z ]*)?"),
    ) {
        let digit = |(digit, zero): (&u32, &char)| char::from_u32(u32::from(*zero) + digit).unwrap();
        let signs = digits.iter().zip(&zeros).map(digit);
        let number = signs.zip(&gaps).map(|(sign, gap)| format!("{gap}{sign}")).collect::<Vec<_>>().concat();
        let number = number.trim_start_matches(|c: char| !c.is_numeric());
        prop_assert!(has_card_number(number), "{number:?}");
        let text = format!("{before}{number}{after}");
        prop_assert!(has_card_number(&text), "{text:?}");
    }

    #[test]
    fn a_group_of_digits_is_found_exactly_when_length_first_digit_and_check_digit_are_right(
        digits in prop::collection::vec(0..10_u32, 1..24),
    ) {
        let expected = LENGTHS.contains(&digits.len()) && FIRST_DIGITS.contains(&digits[0]) && is_luhn(&digits);
        prop_assert_eq!(has_card_number(&written(&digits)), expected);
    }

    #[test]
    fn one_wrong_digit_or_two_that_are_swapped_are_noticed(digits in card_digits(), at in any::<Index>(), other in 1..10_u32) {
        let mut wrong = digits.clone();
        let place = at.index(wrong.len());
        wrong[place] = (wrong[place] + other) % 10;
        prop_assert!(!has_card_number(&written(&wrong)));
        let mut swapped = digits.clone();
        let place = at.index(swapped.len() - 1);
        swapped.swap(place, place + 1);
        // Luhn does not notice that 09 became 90.
        let is_noticed = swapped != digits && ![[0, 9], [9, 0]].contains(&[swapped[place], swapped[place + 1]]);
        prop_assert_eq!(has_card_number(&written(&swapped)), !is_noticed && FIRST_DIGITS.contains(&swapped[0]));
    }

    #[test]
    fn text_with_at_most_twelve_digits_together_has_none(text in "([a-z,.:/][0-9 -]{0,12})*") {
        prop_assert!(!has_card_number(&text), "{:?}", text);
    }

    #[test]
    fn no_uuid_and_no_reservation_has_one(number in any::<u128>(), digits in card_digits(), at in any::<Index>()) {
        let ulid = Ulid(number).to_string();
        let hex = format!("{number:032x}");
        // With a card number somewhere in it.
        let with_card = |id: &str| {
            let place = at.index(id.len() - digits.len());
            format!("{}{}{}", &id[..place], written(&digits), &id[place + digits.len()..])
        };
        let dashed = |hex: &str| [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        let (hex_with_card, ulid_with_card) = (with_card(&hex), with_card(&ulid));
        for id in [dashed(&hex), dashed(&hex_with_card), format!("demo.{ulid}")] {
            prop_assert!(!has_card_number(&id), "{}", id);
        }
        if ulid_with_card.starts_with(|c: char| c < '8') {
            let id = format!("demo.{ulid_with_card}");
            prop_assert!(!has_card_number(&id), "{}", id);
        }
        if !hex_with_card.bytes().all(|byte| byte.is_ascii_digit()) {
            prop_assert!(!has_card_number(&hex_with_card), "{}", hex_with_card);
        }
    }

    #[test]
    fn any_text_has_an_answer(text in any::<String>(), number in select(TEST_NUMBERS.as_slice())) {
        // Whatever comes before and after, as long as it is neither digit, space, hyphen nor identifier.
        let text: String = text.chars().filter(|c| kind_of(*c) == Kind::Other && !c.is_ascii_alphanumeric() && *c != '.').collect();
        prop_assert!(!has_card_number(&text), "{:?}", text);
        let found = format!("{text}{}{text}", number.1);
        prop_assert!(has_card_number(&found), "{:?}", found);
    }
}
