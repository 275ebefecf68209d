//! Enums of a provider's words: statuses and codes. A word that this version does not know is kept as `Other`.

/// Declares an enum of words. `from` reads any word; `as_str` is the word as the provider writes it.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
        #[serde(from = "String")]
        pub enum $name {
            $($(#[$meaning])* $variant,)+
            /// A word that this version does not know.
            Other(String),
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word),
                }
            }
        }

        impl $name {
            /// The word as the provider writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "the macro is for the clients' public enums")]

    words! {
        /// A light.
        Light {
            /// Go.
            Green = "GREEN",
        }
    }

    #[test]
    fn an_unknown_word_is_kept() {
        let read = |json: &str| serde_json::from_str::<Light>(json).unwrap();
        assert_eq!((read(r#""GREEN""#), read(r#""BLUE""#)), (Light::Green, Light::Other("BLUE".to_owned())));
        assert_eq!(
            (Light::Green.to_string(), Light::Other("BLUE".to_owned()).to_string()),
            ("GREEN".to_owned(), "BLUE".to_owned())
        );
    }
}
