//! `GET /health`.

use serde::Serialize;
use utoipa::ToSchema;

/// The state of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Health)]
pub struct HealthView {
    /// `ok`.
    status: &'static str,
    /// The deployed version.
    version: &'static str,
}

impl HealthView {
    /// The service is healthy; `version` is deployed.
    #[must_use]
    pub fn ok(version: &'static str) -> Self {
        Self { status: "ok", version }
    }
}
