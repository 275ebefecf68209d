//! `POST /admin/flash-sales/{product_id}/end-holds`: end the holds of a sale that is over. Group `ops` only.

mod use_case;

use contract::{EndedHoldsView, OPERATORS, problems, product_path};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};

pub use use_case::{EndError, EndedHolds, HoldEndings};

/// The Lambda handler and its dependencies.
pub struct EndHolds {
    identity: Identity,
    endings: HoldEndings,
}

impl FromParts for EndHolds {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), endings: HoldEndings::from_parts(parts) }
    }
}

impl HttpFunction for EndHolds {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.operator(request, OPERATORS)?;
        let product = product_path(request)?;
        let EndedHolds { ended, more } = self.endings.end(&product).await.map_err(|error| problem(&error))?;
        Ok(http::ok_json(200, &EndedHoldsView::new(&product, ended, more)))
    }
}

fn problem(error: &EndError) -> Problem {
    match error {
        EndError::UnknownProduct => problems::unknown_product(),
        EndError::NotOver => problems::sale_not_over(),
        EndError::Store(error) => problems::store_failed(error),
    }
}
