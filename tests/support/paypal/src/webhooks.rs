//! Webhook events: one outbox per account, and PayPal's signature, made anew for each transmission.

use std::cell::Cell;

use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::{Value, json};
use test_provider::{Delivery, Webhooks};

use crate::{
    FakePaypal,
    signature::{ALGORITHM, CERTIFICATE_ID, signed_text},
    view,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    OrderApproved,
    AuthorizationCreated,
    AuthorizationVoided,
    CaptureCompleted,
    CapturePending,
    CaptureDeclined,
    /// A pending capture was denied.
    CaptureDenied,
    CaptureRefunded,
    RefundPending,
    RefundFailed,
}

impl Happened {
    /// Event type, resource type, and summary.
    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::OrderApproved => ("CHECKOUT.ORDER.APPROVED", "checkout-order", "The payer approved an order"),
            Self::AuthorizationCreated => ("PAYMENT.AUTHORIZATION.CREATED", "authorization", "A payment was authorized"),
            Self::AuthorizationVoided => ("PAYMENT.AUTHORIZATION.VOIDED", "authorization", "An authorization was voided"),
            Self::CaptureCompleted => ("PAYMENT.CAPTURE.COMPLETED", "capture", "A payment was captured"),
            Self::CapturePending => ("PAYMENT.CAPTURE.PENDING", "capture", "A capture is pending"),
            Self::CaptureDeclined => ("PAYMENT.CAPTURE.DECLINED", "capture", "A capture was declined"),
            Self::CaptureDenied => ("PAYMENT.CAPTURE.DENIED", "capture", "A pending capture was denied"),
            Self::CaptureRefunded => ("PAYMENT.CAPTURE.REFUNDED", "refund", "A capture was refunded"),
            Self::RefundPending => ("PAYMENT.REFUND.PENDING", "refund", "A refund is pending"),
            Self::RefundFailed => ("PAYMENT.REFUND.FAILED", "refund", "A refund failed"),
        }
    }
}

impl FakePaypal {
    /// Delivers the events of an account from now on as this says. `webhooks.account` is the account's client id, or absent
    /// for every account; `webhooks.secret` is the webhook's id, which the signature covers.
    pub fn configure_webhooks(&mut self, webhooks: &Webhooks) {
        for account in &self.options.accounts {
            if webhooks.account.as_ref().is_none_or(|wanted| *wanted == account.client_id) {
                self.outboxes.entry(account.client_id.clone()).or_default().configure(webhooks.clone());
            }
        }
    }

    /// Makes an event of what happened to `resource`.
    pub(crate) fn notify(&mut self, client_id: &str, happened: Happened, resource: &Value, now: Timestamp) {
        let Some(outbox) = self.outboxes.get_mut(client_id) else { return };
        let id = self.ids.event();
        let own = format!("{}/v1/notifications/webhooks-events/{id}", self.options.base_url);
        let (event_type, resource_type, summary) = happened.facts();
        let body = json!({
            "id": id,
            "event_version": "1.0",
            "create_time": view::time(now),
            "resource_type": resource_type,
            "resource_version": "2.0",
            "event_type": event_type,
            "summary": summary,
            "resource": resource,
            "links": [
                {"href": own, "rel": "self", "method": "GET"},
                {"href": format!("{own}/resend"), "rel": "resend", "method": "POST"},
            ],
        });
        outbox.push(&id, body.to_string().as_bytes(), now);
    }

    pub(crate) fn due_deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        let certificate_url = format!("{}/v1/notifications/certs/{CERTIFICATE_ID}", self.options.base_url);
        let (ids, signer) = (Cell::new(std::mem::take(&mut self.ids)), &self.signer);
        let headers = |webhook_id: &str, body: &[u8]| {
            let mut counters = ids.take();
            let (id, at) = (counters.transmission(), view::time(now));
            ids.set(counters);
            let signature = signer.sign(&signed_text(&id, &at, webhook_id, body));
            let headers = [
                (CONTENT_TYPE.as_str(), "application/json".to_owned()),
                ("paypal-transmission-id", id),
                ("paypal-transmission-time", at),
                ("paypal-transmission-sig", signature),
                ("paypal-cert-url", certificate_url.clone()),
                ("paypal-auth-algo", ALGORITHM.to_owned()),
            ];
            headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let due = self.outboxes.values_mut().flat_map(|outbox| outbox.due(now, headers)).collect();
        self.ids = ids.into_inner();
        due
    }

    pub(crate) fn transmitted(&mut self, delivery: &Delivery, accepted: bool, now: Timestamp) {
        // The first outbox that has this delivery takes it.
        self.outboxes.values_mut().any(|outbox| outbox.delivered(delivery, accepted, now));
    }
}
