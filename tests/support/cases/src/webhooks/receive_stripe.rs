//! `POST /webhooks/stripe`.

use super::refused;
use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let event = || {
        json!({
            "id": "evt_1SqSample0000000000000001",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": START_MILLISECONDS / 1_000,
            "data": {"object": {"id": "pi_3SqSample0000000000000001", "object": "payment_intent"}},
            "livemode": false,
            "type": "payment_intent.succeeded",
        })
    };
    // A signature of the year 2025, which no clock is at any more.
    let signature = format!("t=1735732800,v1={}", "0123456789abcdef".repeat(4));
    let signed = || post("/webhooks/stripe").header("Stripe-Signature", &signature);
    vec![
        refused("ok", signed().json(event())),
        refused("base64", signed().base64(event())),
        refused("no-signature", post("/webhooks/stripe").json(event())),
        refused("no-body", signed()),
    ]
}
