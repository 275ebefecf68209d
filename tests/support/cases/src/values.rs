//! The values in the events: two shoppers, an operator, a product, its reservations, an address.

use serde_json::{Value, json};

use crate::Caller;

/// The shopper of most events.
pub(crate) const FIRST: Caller = Caller { id: "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01", group: None };
/// The other shopper, who has another purchase.
pub(crate) const SECOND: Caller = Caller { id: "9d0f6a52-3c1b-4e8a-8f27-6b5c4d3e2f10", group: None };
/// An operator, a member of the group `ops`.
pub(crate) const OPERATOR: Caller = Caller { id: "c4a760a8-dbcf-4e14-9f39-32d1e7b5a9c2", group: Some("ops") };

/// The product of most events, in an open sale.
pub(crate) const DEMO: &str = "demo";
/// A text that is not a product id.
pub(crate) const NOT_A_PRODUCT: &str = "NOT-A-PRODUCT";
/// A sale that admits shoppers by draw, and has admitted almost nobody.
pub(crate) const DRAW: &str = "draw";
/// A sale that asks for a proof of work.
pub(crate) const GUARDED: &str = "guarded";
/// A product without a sale.
pub(crate) const NO_SUCH_PRODUCT: &str = "no-such-product";

/// The number of a card that exists only in tests.
pub const CARD_NUMBER: &str = "4242 4242 4242 4242";

/// The id of the first shopper's reservation, and so of the order.
pub(crate) const RESERVATION: &str = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D";
/// The id of the second shopper's reservation. The first shopper has no reservation with this id. It says that it was
/// made in 2024.
pub(crate) const OTHER_RESERVATION: &str = "demo.01JD3V3Z5T0000000000000000";

/// The end of the holds in the stream's records, and the time of the records: 2026-11-01T12:05:00Z.
pub(crate) const END_SECONDS: i64 = 1_793_534_700;
/// The time of requests and messages: 2026-11-01T12:00:00Z.
pub(crate) const START_MILLISECONDS: i64 = 1_793_534_400_000;

/// A header that has the form of a solution, to a challenge that nobody issued.
pub(crate) fn forged_work() -> String {
    let zeros = |bytes: usize| "00".repeat(bytes);
    let parameters = json!({
        "algorithm": "PBKDF2/SHA-256", "cost": 1, "data": {"binding": zeros(32)}, "expiresAt": 4_102_444_800_i64, "keyLength": 32,
        "keyPrefix": zeros(16), "keySignature": zeros(32), "nonce": zeros(16), "salt": zeros(16),
    });
    let challenge = json!({"parameters": parameters, "signature": zeros(32)});
    let work = json!({"challenge": challenge, "solution": {"counter": 0, "derivedKey": zeros(32)}});
    aws_smithy_types::base64::encode(work.to_string())
}

/// The members that an address may also have.
pub(crate) fn whole_address() -> Value {
    json!({
        "name": "Ann Example", "address_line2": "Apartment 4", "state": "MI", "postal_code": "49007", "phone": "+1 517 555 0100",
    })
}

/// A shipping address.
pub(crate) fn address() -> Value {
    json!({"address_line1": "1 Market Street", "city": "Springfield", "postal_code": "49007", "country": "US"})
}
