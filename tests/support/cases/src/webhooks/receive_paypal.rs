//! `POST /webhooks/paypal`.

use super::refused;
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let event = || {
        json!({
            "id": "WH-58D329510W468432D-8HN650336L201105X",
            "event_version": "1.0",
            "create_time": "2026-11-01T12:00:00Z",
            "resource_type": "capture",
            "resource_version": "2.0",
            "event_type": "PAYMENT.CAPTURE.COMPLETED",
            "summary": "A payment was captured",
            "resource": {"id": "42311647XV020574X", "status": "COMPLETED"},
        })
    };
    let unsigned = || {
        post("/webhooks/paypal")
            .header("PAYPAL-TRANSMISSION-ID", "b6dfdd10-ce00-11f0-9d5e-4d5e6f7a8b9c")
            .header("PAYPAL-TRANSMISSION-TIME", "2026-11-01T12:00:00Z")
            .header("PAYPAL-AUTH-ALGO", "SHA256withRSA")
            // PayPal's sandbox signs with another certificate than PayPal: nobody is asked for it.
            .header("PAYPAL-CERT-URL", "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77")
    };
    let signed = || unsigned().header("PAYPAL-TRANSMISSION-SIG", "c2lnbmVkIGJ5IG5vYm9keQ==");
    vec![
        refused("ok", signed().json(event())),
        refused("base64", signed().base64(event())),
        refused("no-signature", unsigned().json(event())),
        refused("no-body", signed()),
        refused("weak-algorithm", signed().header("PAYPAL-AUTH-ALGO", "SHA1withRSA").json(event())),
    ]
}
