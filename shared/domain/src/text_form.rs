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

/// Shows types that contain their text, such as `struct ProductId(String)`.
macro_rules! shown_as_text {
    ($($type:ty),*) => {$(
        impl $type {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
pub(crate) use shown_as_text;
