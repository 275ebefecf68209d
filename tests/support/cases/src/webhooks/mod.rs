//! Tables of the functions that payment providers call through the API. A signature is good for minutes, or for one webhook of one
//! shop. So the events in files are refused; `tests/functions/webhooks` has events that are taken.

pub(crate) mod receive_paypal;
pub(crate) mod receive_stripe;

use crate::prelude::*;

/// A case of each answer: that of a shop without an account, and that of a shop whose keys do not fit.
fn refused(name: &'static str, request: crate::http::Request) -> Case {
    let without_account = problem(404, "unknown-provider");
    case(name, request, [without_account, problem(400, "webhook-refused").with_accounts()])
}
