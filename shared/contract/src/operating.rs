//! What the operators' routes share.

use domain::{NotChangeable, ProductId};
use kit::{Problem, Request, http};

use crate::Refusal;

/// The product in the path of an operator's request.
///
/// # Errors
/// 404 for what can be no product.
pub fn product_path(request: &Request) -> Result<ProductId, Problem> {
    let product = http::path_parameter(request, "product_id").and_then(|text| text.parse().ok());
    product.ok_or_else(Refusal::unknown_product)
}

/// Why a sale is not changed, as an operator sees it.
#[must_use]
pub fn not_changeable(why: NotChangeable) -> Problem {
    match why {
        NotChangeable::InPreparation => Problem::new(409, "sale-in-preparation", "The sale is being prepared")
            .detail("The sale is being made or changed. If that was cut off, the same PUT again finishes it."),
        NotChangeable::Ended => Problem::new(409, "sale-ended", "The sale has ended").detail("The sale is over, and stays so."),
    }
}
