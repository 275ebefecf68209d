//! `POST /payment`: pay an order that waits for it, the first time or again with another payment method.

mod use_case;

use std::sync::Arc;

use contract::{PaymentRequest, PaymentView, problems};
use domain::{Clock, OrderId};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};

use crate::use_case::{OrderPayments, PaymentError, Until, WaitOutcome};

/// The longest time for which a client can delay the answer, s: the function ends well before API Gateway's 29 s.
const LONGEST_WAIT_SECONDS: u32 = 10;

/// The Lambda handler and its dependencies.
pub struct Pay {
    identity: Identity,
    clock: Arc<dyn Clock>,
    payments: OrderPayments,
}

impl FromParts for Pay {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), payments: OrderPayments::from_parts(parts) }
    }
}

impl HttpFunction for Pay {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.shopper(request)?;
        let body: PaymentRequest = http::json_body(request)?;
        let amount = body.amount(request)?;
        let method = body.payment_method()?;
        let id: OrderId = body.order_id.parse().map_err(|_| problems::unknown_order())?;
        let started = self.payments.start(&caller.shopper, &id, &method, &amount).await;
        let seconds = wait_seconds(request);
        let (come, otherwise) = match started {
            Ok(key) => {
                let come = self.payments.wait(&key, seconds, Until::EndOrAction).await;
                (come, Ok(http::ok_json(202, &PaymentView::under_way(None))))
            }
            // The shopper may have acted.
            Err(PaymentError::RequiresAction { action, key }) => {
                (self.payments.wait(&key, seconds, Until::End).await, Err(problems::requires_action(action)))
            }
            Err(error) => return Err(problem(error)),
        };
        let come = come.unwrap_or_else(|error| {
            // The payment goes on.
            tracing::warn!(order = %id, cause = kit::chain(&error), "an order could not be read");
            WaitOutcome::Nothing
        });
        match come {
            WaitOutcome::Ended(order) => Ok(http::ok_json(200, &PaymentView::ended(&order, self.clock.now()))),
            WaitOutcome::ToAct(attempt) => Ok(http::ok_json(202, &PaymentView::under_way(Some(&attempt)))),
            WaitOutcome::Nothing => otherwise,
        }
    }
}

fn problem(error: PaymentError) -> Problem {
    match error {
        PaymentError::UnknownOrder => problems::unknown_order(),
        PaymentError::AlreadyPaid => problems::already_paid(),
        PaymentError::InProgress => problems::payment_in_progress(),
        PaymentError::RequiresAction { action, .. } => problems::requires_action(action),
        PaymentError::ReservationExpired => problems::reservation_expired(),
        PaymentError::TooManyAttempts { pay_by } => problems::too_many_attempts(pay_by),
        PaymentError::MethodUnavailable(error) => problems::payment_method_unavailable(&error.methods),
        PaymentError::OtherAmount { costs } => problems::amount_mismatch(costs),
        PaymentError::Store(error) => problems::store_failed(&error),
        PaymentError::Send(error) => problems::send_failed(&error),
    }
}

/// The seconds of `Prefer: wait=N`, at most [`LONGEST_WAIT_SECONDS`]; 0 without a valid preference. The first one counts, and what
/// follows a semicolon belongs to the preference before it (RFC 7240, section 2).
fn wait_seconds(request: &Request) -> u32 {
    let values = request.headers().get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let mut preferences =
        values.flat_map(|value| value.split(',')).filter_map(|preference| preference.split(';').next()?.split_once('='));
    let wait = preferences.find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"));
    wait.and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok()).unwrap_or(0).min(LONGEST_WAIT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_waited_for_as_long_as_it_likes_but_no_longer_than_the_function_may_run() {
        for (prefer, seconds) in [
            ("wait=0", 0),
            ("wait=1", 1),
            ("wait=10", 10),
            ("wait=11", 10),
            ("wait=4294967295", 10),
            ("respond-async, wait=3", 3),
            ("return=minimal; wait=3", 0),
            ("wait=3; foo=bar", 3),
            ("wait=3, wait=4", 3),
            ("Wait=3", 3),
            ("wait = 3", 3),
            ("wait=\"3\"", 3),
            ("wait=-1", 0),
            ("wait=1.5", 0),
            ("wait=99999999999", 0),
            ("wait=", 0),
            ("wait", 0),
            ("wait=soon", 0),
            ("await=3", 0),
        ] {
            let request = test_aws::request("POST", "/payment").header("prefer", prefer).build();
            assert_eq!(wait_seconds(&request), seconds, "{prefer}");
        }
        assert_eq!(wait_seconds(&test_aws::request("POST", "/payment").build()), 0);
    }
}
