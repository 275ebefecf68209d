//! Why a token is not believed.

/// Why a token is not believed. Clients learn none of these: they are told to sign in. The log and a metric name the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.name())]
pub enum Refusal {
    /// Longer than [`crate::LARGEST_TOKEN`].
    TooLarge,
    /// Not three parts of base64url, of which the first two are JSON objects.
    Malformed,
    /// An object in header or claims names a member twice. Two readers could believe two different values.
    DuplicateMember,
    /// Signed by another algorithm than RS256 and ES256, or not at all.
    Algorithm,
    /// The header asks for an extension that the reader must understand (`crit`), for an encrypted or for a nested token.
    Extension,
    /// The header says that this is another kind of token (`typ`), or the claims are those of a logout token.
    TokenType,
    /// The header names no key, or in an unusable way.
    KeyId,
    /// The token is of no issuer that the shop has chosen.
    Issuer,
    /// The issuer does not publish the key that the header names, for this algorithm.
    UnknownKey,
    /// The issuer's key did not sign this token.
    Signature,
    /// The token was made for another application.
    Audience,
    /// Cognito says that the token is neither an ID token nor an access token.
    TokenUse,
    /// A time is missing where it must be, or is no number of whole seconds.
    Time,
    /// The token's time is over.
    Expired,
    /// The token's time has not begun, or the token was made in the future.
    NotYetValid,
    /// The subject is missing, or is not an id that the shop can store.
    Subject,
}

impl Refusal {
    /// The reason's name in logs and metrics: `unknown-key`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::DuplicateMember => "duplicate-member",
            Self::Algorithm => "algorithm",
            Self::Extension => "extension",
            Self::TokenType => "token-type",
            Self::KeyId => "key-id",
            Self::Issuer => "issuer",
            Self::UnknownKey => "unknown-key",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::TokenUse => "token-use",
            Self::Time => "time",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Subject => "subject",
        }
    }
}
