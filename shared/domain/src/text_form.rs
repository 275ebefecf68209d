//! Types that JSON has as the text that they are parsed from.

/// Lets serde read and write types by their [`FromStr`](std::str::FromStr) and [`Display`](std::fmt::Display).
macro_rules! text_form {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = <$type as std::str::FromStr>::Err;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(it: $type) -> String {
                it.to_string()
            }
        }
    )*};
}
pub(crate) use text_form;

/// Parses and shows a type that is a text of 1 to `MAX_LENGTH` bytes, such as `struct ProductId(String)`. `$allows` says which
/// bytes it may have.
macro_rules! short_text {
    ($type:ty, $error:ty: $refusal:expr, $allows:expr) => {
        impl $type {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::str::FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                let is_short = (1..=Self::MAX_LENGTH).contains(&text.len());
                if is_short && text.bytes().all($allows) { Ok(Self(text.to_owned())) } else { Err($refusal) }
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        $crate::text_form::text_form!($type);
    };
}
pub(crate) use short_text;

/// Whether this is a printable ASCII character, or a space.
pub(crate) fn is_printable(byte: u8) -> bool {
    (0x20..=0x7e).contains(&byte)
}
