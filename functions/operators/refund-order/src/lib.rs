//! `POST /admin/orders/{order_id}/refund`: give the price of a completed order back, or a part of it. Group `ops` only.

mod use_case;

use std::sync::Arc;

use contract::{OPERATORS, OrderRefundRequest, OrderView, id_path, idempotency_key, problems};
use domain::{Clock, RefundRefusal, RefundStatus};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};

pub use use_case::{FinishedRefunds, OrderRefunds, RefundError};

/// The Lambda handler and its dependencies.
pub struct RefundOrder {
    identity: Identity,
    clock: Arc<dyn Clock>,
    refunds: OrderRefunds,
}

impl FromParts for RefundOrder {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { identity: parts.identity(), clock: parts.clock(), refunds: OrderRefunds::from_parts(parts) }
    }
}

impl HttpFunction for RefundOrder {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        self.identity.operator(request, OPERATORS)?;
        let id = id_path(request, "order_id").ok_or_else(problems::no_such_order)?;
        let body: OrderRefundRequest = http::json_body(request)?;
        let asked = body.request(idempotency_key(request)?)?;
        let (order, place) = self.refunds.refund(&id, &asked).await.map_err(|error| problem(&error))?;
        let status = match order.refunds.all.get(place).map(|refund| (refund.status, refund.reason.as_deref())) {
            Some((RefundStatus::Failed, reason)) => return Err(problems::refund_refused(reason)),
            Some((RefundStatus::Pending, _)) => 202,
            Some((RefundStatus::Refunded, _)) | None => 200,
        };
        Ok(http::ok_json(status, &OrderView::for_operators(&order, self.clock.now())))
    }
}

fn problem(error: &RefundError) -> Problem {
    match error {
        RefundError::UnknownOrder => problems::no_such_order(),
        RefundError::Refused(RefundRefusal::NotCompleted) => problems::not_refundable(),
        RefundError::Refused(RefundRefusal::KeyReused) => problems::refund_key_reused(),
        RefundError::Refused(RefundRefusal::TooMuch { left_minor }) => problems::refund_too_large(*left_minor),
        RefundError::Refused(RefundRefusal::TooMany) => problems::too_many_refunds(),
        RefundError::Stopped(why) => problems::stopped(why),
    }
}
