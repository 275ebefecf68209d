//! Parameters that several functions read.

use domain::{ProductId, Quantity, ReservationId};
use kit::{Problem, Request, http};

use crate::problems;

/// The reservation or order id in the path. `None`: the text is not an id, so no reservation or order has it.
#[must_use]
pub fn id_path(request: &Request, parameter: &str) -> Option<ReservationId> {
    http::path_parameter(request, parameter)?.parse().ok()
}

/// The product in the path of a request about an existing sale.
///
/// # Errors
/// 404 when the text is not a product id: no sale has it.
pub fn product_path(request: &Request) -> Result<ProductId, Problem> {
    let product = http::path_parameter(request, "product_id").and_then(|text| text.parse().ok());
    product.ok_or_else(problems::unknown_product)
}

/// Checks the optional parameter `product_id` of a request whose body names the product. The gate at the edge cannot read
/// bodies and judges by the parameter.
///
/// # Errors
/// 400 when the parameter names another product than the body.
pub fn same_product(request: &Request, product: &ProductId) -> Result<(), Problem> {
    if http::query_parameters(request, "product_id").iter().all(|value| *value == product.as_str()) {
        Ok(())
    } else {
        Err(Problem::malformed_request("the parameter product_id is not the product_id of the body", ""))
    }
}

/// The member `quantity` of a body. The default is one; `None` is more than any sale allows. 400 when it is less than one.
pub(crate) fn quantity(units: Option<i64>) -> Result<Option<Quantity>, Problem> {
    match units.unwrap_or(1) {
        ..1 => Err(Problem::malformed_request("a quantity is a whole number from 1 to 10", "/quantity")),
        units => Ok(u32::try_from(units).ok().and_then(|units| Quantity::new(units).ok())),
    }
}
