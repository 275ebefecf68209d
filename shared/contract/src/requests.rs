//! Members of requests that several functions read.

use domain::ReservationId;
use kit::Request;

/// The reservation or order id in the path. `None`: what is there is no such id, so nothing can be found by it.
#[must_use]
pub fn reservation_path(request: &Request, parameter: &str) -> Option<ReservationId> {
    kit::http::path_parameter(request, parameter)?.parse().ok()
}
