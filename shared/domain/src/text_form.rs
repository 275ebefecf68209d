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
