//! Parameters that several functions read.

use domain::ReservationId;
use kit::Request;

/// The reservation or order id in the path. `None`: the text is not an id, so no reservation or order has it.
#[must_use]
pub fn reservation_path(request: &Request, parameter: &str) -> Option<ReservationId> {
    kit::http::path_parameter(request, parameter)?.parse().ok()
}
