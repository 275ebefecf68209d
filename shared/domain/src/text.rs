//! Text that people write, in any script. The product keeps it byte for byte, and refuses text that a person cannot read or
//! print on a parcel.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Characters without a visible glyph whose category says otherwise: the fillers of Hangul, the empty Braille pattern, and
/// the null notehead.
const BLANKS: [char; 6] = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}', '\u{1d159}'];
/// The overrides of the text direction: they show a text in another order than it has.
const OVERRIDES: [char; 2] = ['\u{202d}', '\u{202e}'];
/// What programs write in place of an object or of a character that they could not read.
const REPLACED: [char; 2] = ['\u{fffc}', '\u{fffd}'];

/// Whether `text` is one line of at most `longest` characters, at least one of them visible.
#[must_use]
pub(crate) fn is_line(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && text.chars().all(is_writable) && text.chars().any(is_visible)
}

/// Whether `text` is empty, or as [`is_line`] but of any number of lines, perhaps with tabs.
#[must_use]
pub(crate) fn is_prose(text: &str, longest: usize) -> bool {
    let is_writable = |c: char| matches!(c, '\t' | '\n' | '\r') || is_writable(c);
    text.chars().count() <= longest && text.chars().all(is_writable) && (text.is_empty() || text.chars().any(is_visible))
}

/// Whether people write this character: Unicode has assigned it, and it neither controls a device, nor separates lines, nor
/// overrides the text's direction. Joiners and marks of direction are part of some scripts.
fn is_writable(c: char) -> bool {
    let is_no_text = matches!(
        get_general_category(c),
        GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    );
    !is_no_text && !OVERRIDES.contains(&c) && !REPLACED.contains(&c)
}

/// Whether this character alone leaves ink on paper. A combining mark needs another character.
fn is_visible(c: char) -> bool {
    let is_invisible = matches!(
        get_general_category(c),
        GeneralCategory::EnclosingMark
            | GeneralCategory::Format
            | GeneralCategory::NonspacingMark
            | GeneralCategory::SpaceSeparator
            | GeneralCategory::SpacingMark
    );
    is_writable(c) && !is_invisible && !BLANKS.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_script_is_a_line() {
        for text in [
            "1 Market Street",
            " 1\u{a0}Market  Street ",
            "Łódź, ul. Ńa–ß №5",
            "Cafe\u{301}",
            "Αθήνα",
            "Москва",
            "东京都千代田区",
            "서울특별시",
            "กรุงเทพมหานคร",
            "বাংলা",
            "தமிழ்",
            // Arabic, with marks of direction around a number.
            "شارع \u{200f}12\u{200e}",
            "רחוב",
            // Persian and Hindi words contain joiners between letters.
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "Վաղարշապատ",
            "ᏣᎳᎩ",
            // Beyond the basic plane: Adlam, Gothic, a rare Han character, an emoji of several characters.
            "𞤀𞤣𞤤𞤢𞤥",
            "𐌰𐌱",
            "𠮷野家",
            "👩\u{200d}👩\u{200d}👧",
            "…",
        ] {
            assert!(is_line(text, 40), "{text:?}");
            assert!(is_prose(text, 40), "{text:?}");
        }
    }

    #[test]
    fn what_nobody_can_write_is_no_text_wherever_it_is() {
        for c in [
            '\0',
            '\u{1b}',
            '\u{7f}',
            '\u{85}',
            '\u{2028}',
            '\u{2029}',
            '\u{202d}',
            '\u{202e}',
            '\u{fffc}',
            '\u{fffd}',
            '\u{378}',
            '\u{e000}',
            '\u{f8ff}',
            '\u{fdd0}',
            '\u{ffff}',
            '\u{1fffe}',
            '\u{e0000}',
            '\u{f0000}',
            '\u{10fffd}',
            '\u{10ffff}',
        ] {
            for text in [format!("{c}"), format!("{c}a"), format!("a{c}a"), format!("a{c}")] {
                assert!(!is_line(&text, 40), "{text:?}");
                assert!(!is_prose(&text, 40), "{text:?}");
            }
        }
        for (text, is_of_prose) in [("a\nb", true), ("a\r\nb", true), ("a\tb", true), ("a\u{b}b", false)] {
            assert_eq!((is_line(text, 40), is_prose(text, 40)), (false, is_of_prose), "{text:?}");
        }
    }

    #[test]
    fn text_has_a_visible_character() {
        for text in [
            " ",
            "\u{a0}",
            "\u{3000} ",
            "\u{200b}",
            "\u{200d}\u{200c}",
            "\u{feff}",
            "\u{2060}",
            "\u{ad}",
            "\u{301}",
            " \u{20dd}",
            "\u{903}",
            "\u{200e}\u{200f}",
            "\u{fe0f}",
            "\u{e0061}",
            "\u{115f}\u{1160}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{34f}",
        ] {
            assert!(!is_line(text, 40), "{text:?}");
            assert!(!is_prose(text, 40), "{text:?}");
            assert!(is_line(&format!("{text}x"), 40), "{text:?}");
        }
        assert_eq!((is_line("", 40), is_prose("", 40)), (false, true));
    }

    #[test]
    fn length_is_counted_in_characters() {
        for (text, fits) in [("ü".repeat(40), true), ("ü".repeat(41), false), ("𠮷".repeat(40), true)] {
            assert_eq!((is_line(&text, 40), is_prose(&text, 40)), (fits, fits), "{text}");
        }
    }
}
