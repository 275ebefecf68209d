//! `POST /payment`: pay an order that waits for it, the first time or again with another payment method.

use std::{sync::Arc, time::Duration};

use contract::{payment_in_progress, payment_method, reservation_expired, send_problem, store_problem, time, unknown_order};
use domain::{Clock, Money, Order, OrderId, OrderStatus, PaymentStatus, Timestamp, seconds_until};
use kit::{
    HttpFunction, Problem, Request, Response,
    http::{self, Identity},
};
use messages::{OrderMessage, OrdersQueue};
use parts::{FromParts, Parts};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use store::{Orders, Purchases, StartOutcome, StoreError};

/// The longest that a client may have the answer wait, s: the function ends well before API Gateway's 29 s.
const LONGEST_WAIT_SECONDS: u32 = 10;
/// How often a waiting request looks at its order.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The Lambda handler and its dependencies.
pub struct Pay {
    identity: Identity,
    clock: Arc<dyn Clock>,
    orders: Orders,
    purchases: Purchases,
    queue: OrdersQueue,
}

#[derive(Deserialize)]
struct Body {
    order_id: String,
    payment_method: String,
    amount: Value,
}

/// The amount as it was written: a float would forget digits.
#[derive(Deserialize)]
struct Amount<'a> {
    #[serde(borrow)]
    amount: &'a RawValue,
}

#[derive(Serialize)]
struct Answer {
    success: bool,
    payment_status: PaymentStatus,
    order_status: OrderStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_by: Option<String>,
}

impl FromParts for Pay {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            clock: parts.clock(),
            orders: parts.orders(),
            purchases: parts.purchases(),
            queue: parts.orders_queue(),
        }
    }
}

impl HttpFunction for Pay {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let caller = self.identity.caller(request)?;
        let body: Body = http::json_body(request)?;
        let decimal = decimal(request, &body.amount)?;
        let method = payment_method(&body.payment_method)?;
        let id: OrderId = body.order_id.parse().map_err(|_| unknown_order())?;
        let order = self.orders.get(&id).await.map_err(|error| store_problem(&error))?;
        let order = order.filter(|order| order.shopper == caller.shopper).ok_or_else(unknown_order)?;
        let now = self.clock.now();
        self.can_be_paid(&order, now).await?;
        is_amount_of(order.amount, &decimal)?;
        match self.purchases.start_again(&order, &method, now).await.map_err(|error| store_problem(&error))? {
            StartOutcome::Started => {}
            StartOutcome::OrderIs(changed) => {
                self.can_be_paid(&changed, now).await?;
                return Err(payment_in_progress());
            }
            StartOutcome::ReservationEnded => return Err(reservation_expired()),
        }
        let message = OrderMessage { attempt: order.attempt + 1, ..OrderMessage::of(&order) };
        self.queue.send(&message).await.map_err(|error| send_problem(&error))?;
        let order = self.wait_for(&id, wait_seconds(request)).await.unwrap_or_else(|error| {
            // The payment has started all the same, and that is the answer.
            tracing::warn!(order = %id, cause = kit::chain(&error), "an order could not be looked at");
            None
        });
        Ok(answer(order.as_ref(), self.clock.now()))
    }
}

impl Pay {
    /// Whether a payment may start. One that is under way is sent to its saga again, in case the message was lost.
    async fn can_be_paid(&self, order: &Order, now: Timestamp) -> Result<(), Problem> {
        match order.statuses(now).0 {
            OrderStatus::AwaitingPayment if order.attempt >= Order::MAX_ATTEMPTS => Err(too_many_attempts(order, now)),
            OrderStatus::AwaitingPayment => Ok(()),
            OrderStatus::Completed => {
                Err(Problem::new(409, "already-paid", "Already paid")
                    .detail("The order has been paid; nothing was charged again."))
            }
            OrderStatus::Pending => {
                self.queue.send(&OrderMessage::of(order)).await.map_err(|error| send_problem(&error))?;
                Err(payment_in_progress())
            }
            OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => Err(reservation_expired()),
        }
    }

    /// The order once its payment has ended, if that is within `seconds`.
    async fn wait_for(&self, id: &OrderId, seconds: u32) -> Result<Option<Order>, StoreError> {
        let ended = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let order = self.orders.get(id).await?;
                if let Some(order) = order.filter(|order| order.status != OrderStatus::Pending) {
                    return Ok(Some(order));
                }
            }
        };
        let wait = Duration::from_secs(u64::from(seconds));
        tokio::time::timeout(wait, ended).await.unwrap_or(Ok(None))
    }
}

/// `None`: the payment is still under way.
fn answer(order: Option<&Order>, now: Timestamp) -> Response {
    let Some(order) = order else {
        let pending = Answer {
            success: true,
            payment_status: PaymentStatus::Pending,
            order_status: OrderStatus::Pending,
            transaction_id: None,
            pay_by: None,
        };
        return http::ok_json(202, &pending);
    };
    let (order_status, payment_status, _) = order.statuses(now);
    let ended = Answer {
        success: order_status == OrderStatus::Completed,
        payment_status,
        order_status,
        transaction_id: order.transaction_id.clone(),
        pay_by: (order_status == OrderStatus::AwaitingPayment).then(|| time(order.pay_by)),
    };
    http::ok_json(200, &ended)
}

fn too_many_attempts(order: &Order, now: Timestamp) -> Problem {
    Problem::new(429, "rate-limited", "Too many attempts")
        .detail(format!("An order can be paid in at most {} attempts.", Order::MAX_ATTEMPTS))
        .retry_after(seconds_until(order.pay_by, now).max(1))
}

/// The amount in the request as it was written there.
fn decimal(request: &Request, parsed: &Value) -> Result<String, Problem> {
    let wrong = || Problem::malformed_request("amount is a decimal number or a string with one", "/amount");
    match parsed {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) => {
            let written: Amount<'_> = serde_json::from_slice(request.body().as_ref()).map_err(|_| wrong())?;
            Ok(written.amount.get().to_owned())
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(wrong()),
    }
}

fn is_amount_of(amount: Money, decimal: &str) -> Result<(), Problem> {
    match amount.equals_decimal(decimal) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Problem::new(422, "amount-mismatch", "Amount mismatch")
            .detail(format!("The order costs {amount}."))
            .member("amount", amount)),
        Err(error) => Err(Problem::malformed_request(error.to_string(), "/amount")),
    }
}

/// `Prefer: wait=N` (RFC 7240), at most [`LONGEST_WAIT_SECONDS`]; anything else is not waited for.
fn wait_seconds(request: &Request) -> u32 {
    let preferences = request.headers().get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let wait =
        preferences.flat_map(|value| value.split([',', ';'])).find_map(|preference| preference.trim().strip_prefix("wait="));
    wait.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(0).min(LONGEST_WAIT_SECONDS)
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
            ("return=minimal; wait=3", 3),
            ("wait=-1", 0),
            ("wait=soon", 0),
            ("await=3", 0),
        ] {
            let request = test_aws::request("POST", "/payment").header("prefer", prefer).build();
            assert_eq!(wait_seconds(&request), seconds, "{prefer}");
        }
        assert_eq!(wait_seconds(&test_aws::request("POST", "/payment").build()), 0);
    }
}
