//! The functions that operators call.

mod change_sale_status;
mod end_holds;
mod get_sale_report;
mod health;
mod list_orders;
mod manage_sale;
mod refund_order;
mod restock_sale;
mod sample_events;

use kit::HttpFunction;
use test_aws::{Calls, RequestBuilder};
use test_shop::{Judged, brief};

/// Asserts that a function refuses callers who are no operators, and a path that names no product, without a call of AWS. `of` is
/// a request without a caller, for a product.
async fn refuses_without_asking<F: HttpFunction>(function: &Judged<F>, calls: &Calls, of: impl Fn(&str) -> RequestBuilder) {
    for (request, expected) in [
        (of("demo"), "401 unauthenticated"),
        (of("demo").shopper("shopper-1"), "403 forbidden"),
        (of("NOT-A-PRODUCT").shopper("operator-1").group("ops"), "404 unknown-product"),
    ] {
        assert_eq!(brief(&function.handle(request.build()).await), expected);
    }
    assert_eq!(calls.total(), 0);
}
