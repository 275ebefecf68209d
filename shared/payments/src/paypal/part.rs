//! Refunds of parts of a captured payment.

use domain::PartOutcome;

use crate::{
    Part, Payment,
    paypal::{CaptureStatus, Issue, PaypalClient, PaypalError, Refund, RefundStatus},
};

/// Refunds a part, unless a refund of the order has its note. Payments v2 forgets a request id after 45 days, and a refund keeps
/// its note. Two calls that both find no refund ask with the same request id, which PayPal takes once.
pub(super) async fn refund(client: &PaypalClient, payment: &Payment, id: &str, part: &Part) -> Result<PartOutcome, PaypalError> {
    let key = part.key(payment);
    let order = client.get_order(id).await?;
    if let Some(known) = order.refunds.iter().find(|refund| refund.custom_id.as_ref() == Some(&key)) {
        return Ok(part_outcome(known));
    }
    let takes = |status: &CaptureStatus| matches!(status, CaptureStatus::Completed | CaptureStatus::PartiallyRefunded);
    let Some(capture) = order.captures.iter().find(|capture| takes(&capture.status)) else {
        tracing::error!(key, "the payment has no capture that can be refunded");
        return Ok(PartOutcome::Unknown);
    };
    match client.refund_capture(&capture.id, Some(part.amount), &key).await {
        Ok(refund) => Ok(part_outcome(&refund)),
        Err(error) if is_refused(&error) => {
            tracing::warn!(key, error = %error, "PayPal refuses to refund a part");
            Ok(PartOutcome::Refused { reason: error.to_string() })
        }
        Err(error) => Err(error),
    }
}

/// The outcome of a refund by its status. A refund that PayPal has accepted counts as done, as in `give_back`.
fn part_outcome(refund: &Refund) -> PartOutcome {
    match refund.status {
        RefundStatus::Failed | RefundStatus::Cancelled => {
            let why = refund.reason.as_deref().unwrap_or("no reason");
            PartOutcome::Refused { reason: format!("the refund failed: {why}") }
        }
        RefundStatus::Completed | RefundStatus::Pending | RefundStatus::Other(_) => PartOutcome::Refunded,
    }
}

/// PayPal certainly does not refund: the request is refused for what it asks, or the capture cannot be refunded any more. A
/// capture that PayPal has not decided can be refunded later (`PENDING_CAPTURE`).
fn is_refused(error: &PaypalError) -> bool {
    match error {
        PaypalError::Refused { issue, .. } => *issue != Issue::PendingCapture,
        PaypalError::Invalid { .. } | PaypalError::Amount(_) => true,
        PaypalError::NotFound
        | PaypalError::InProgress
        | PaypalError::RateLimited { .. }
        | PaypalError::Auth
        | PaypalError::Server(_)
        | PaypalError::NotSent
        | PaypalError::NoAnswer
        | PaypalError::Unreadable(_) => false,
    }
}
