//! `GET /health`.

use serde::Serialize;
use utoipa::ToSchema;

/// The service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthView {
    /// `ok`.
    status: &'static str,
    /// The version that is deployed.
    version: &'static str,
}

impl HealthView {
    /// The service at `version` answers.
    #[must_use]
    pub fn ok(version: &'static str) -> Self {
        Self { status: "ok", version }
    }
}
