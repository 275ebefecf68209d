//! What the payer and PayPal's own people do: approve or leave an order, and decide what is pending.
//!
//! Nothing of this is in PayPal's API.

use jiff::Timestamp;
use url::Url;

use crate::{
    FakePaypal, Instrument,
    books::{AuthorizationState, CaptureState, ORDER_LIFE, Order, Phase, RefundState},
    view::PAYER_ID,
    webhooks::Happened,
};

/// What a test asked for does not fit the state of the order or payment, or there is no such thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible(pub String);

impl FakePaypal {
    /// The payer approves the order with this instrument. An approved order can be approved again, as after
    /// `INSTRUMENT_DECLINED`. Returns where PayPal sends the payer then: the order's `return_url` with `token` and
    /// `PayerID`.
    ///
    /// # Errors
    /// There is no such order, PayPal has forgotten it, or it is authorized or captured already.
    pub fn approve(&mut self, order_id: &str, instrument: Instrument, now: Timestamp) -> Result<Option<String>, Impossible> {
        let order = self.open_order(order_id, now)?;
        order.phase = Phase::Approved;
        order.instrument = instrument;
        order.updated_at = now;
        order.ends_at = now + ORDER_LIFE;
        let back = order.return_url.as_deref().and_then(|url| with_query(url, &[("token", order_id), ("PayerID", PAYER_ID)]));
        if let Some(order) = self.books.orders.get(order_id) {
            let (client_id, resource) = (order.client_id.clone(), self.order_json(order));
            self.notify(&client_id, Happened::OrderApproved, &resource, now);
        }
        Ok(back)
    }

    /// The payer leaves without approving. The order stays as it is: the payer may come back until it ends. Returns where
    /// PayPal sends the payer: the order's `cancel_url` with `token`.
    ///
    /// # Errors
    /// There is no such order, PayPal has forgotten it, or it is authorized or captured already.
    pub fn abandon(&mut self, order_id: &str, now: Timestamp) -> Result<Option<String>, Impossible> {
        let order = self.open_order(order_id, now)?;
        Ok(order.cancel_url.as_deref().and_then(|url| with_query(url, &[("token", order_id)])))
    }

    fn open_order(&mut self, id: &str, now: Timestamp) -> Result<&mut Order, Impossible> {
        let order = self.books.orders.get_mut(id).filter(|order| !order.has_ended(now));
        let order = order.ok_or_else(|| Impossible(format!("there is no order {id}, or it has ended")))?;
        match order.phase {
            Phase::Unapproved | Phase::Approved => Ok(order),
            Phase::Completed => Err(Impossible(format!("the order {id} is completed"))),
        }
    }

    /// PayPal decides on a `PENDING` authorization: it becomes `CREATED`, or `DENIED`.
    ///
    /// # Errors
    /// There is no such authorization, or it is not pending.
    pub fn decide_authorization(&mut self, id: &str, accepted: bool, now: Timestamp) -> Result<(), Impossible> {
        let pending = self.books.authorizations.get_mut(id).filter(|one| one.state == AuthorizationState::Pending);
        let one = pending.ok_or_else(|| Impossible(format!("there is no pending authorization {id}")))?;
        one.state = if accepted { AuthorizationState::Created } else { AuthorizationState::Denied };
        one.origin.updated_at = now;
        Ok(())
    }

    /// PayPal decides on a `PENDING` capture: it becomes `COMPLETED`, or `DECLINED` and its amount is no longer captured.
    ///
    /// # Errors
    /// There is no such capture, or it is not pending.
    pub fn decide_capture(&mut self, id: &str, completed: bool, now: Timestamp) -> Result<(), Impossible> {
        let pending = self.books.captures.get_mut(id).filter(|one| one.state == CaptureState::Pending);
        let one = pending.ok_or_else(|| Impossible(format!("there is no pending capture {id}")))?;
        one.state = if completed { CaptureState::Completed } else { CaptureState::Declined };
        one.origin.updated_at = now;
        let (authorization_id, minor) = (one.authorization_id.clone(), one.amount.minor);
        let authorization = authorization_id.and_then(|id| self.books.authorizations.get_mut(&id));
        if let Some(authorization) = authorization.filter(|_| !completed) {
            authorization.captured_minor = authorization.captured_minor.saturating_sub(minor);
            authorization.is_closed = false;
        }
        self.notify_capture(id, if completed { Happened::CaptureCompleted } else { Happened::CaptureDenied }, now);
        Ok(())
    }

    /// PayPal decides on a `PENDING` refund: it becomes `COMPLETED`, or `FAILED` and its amount can be refunded again.
    ///
    /// # Errors
    /// There is no such refund, or it is not pending.
    pub fn decide_refund(&mut self, id: &str, completed: bool, now: Timestamp) -> Result<(), Impossible> {
        let pending = self.books.refunds.get_mut(id).filter(|one| one.state == RefundState::Pending);
        let one = pending.ok_or_else(|| Impossible(format!("there is no pending refund {id}")))?;
        one.state = if completed { RefundState::Completed } else { RefundState::Failed };
        one.origin.updated_at = now;
        let (capture_id, minor) = (one.capture_id.clone(), one.amount.minor);
        if let Some(capture) = self.books.captures.get_mut(&capture_id).filter(|_| !completed) {
            capture.refunded_minor = capture.refunded_minor.saturating_sub(minor);
        }
        self.notify_refund(id, if completed { Happened::CaptureRefunded } else { Happened::RefundFailed }, now);
        Ok(())
    }
}

/// The URL with further parameters; `None` if it is none.
fn with_query(url: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.into())
}
