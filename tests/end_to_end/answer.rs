//! An answer of the API.

use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    /// The whole address that the answer's `Location` leads to.
    pub(crate) location: Option<String>,
    /// `RateLimit-Policy` and `RateLimit`.
    pub(crate) rate_limit: Option<(String, String)>,
    /// A function of CloudFront answered, and not the API.
    pub(crate) is_of_the_gate: bool,
    pub(crate) body: Value,
    /// The body as it was sent.
    pub(crate) raw: String,
    /// The query of the next page, of CSV.
    pub(crate) next: Option<String>,
}

impl Answer {
    /// A member of the body as text.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {self:?}"))
    }

    /// The problem's code.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Fails unless the status is `status`.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}", self.body);
        self
    }

    /// Fails unless this is the problem `code` with `status`.
    pub(crate) fn refuses(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{:?}", self.body);
        self
    }
}
