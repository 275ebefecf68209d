//! Resources in PayPal's form: whole, and minimal (`id`, `status` and `links`).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    FakePaypal,
    books::{Authorization, AuthorizationState, Capture, CaptureState, Intent, Order, Origin, Phase, Refund, RefundState},
};

/// A time in PayPal's form: whole seconds.
pub(crate) fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// What `Prefer: return=minimal` leaves of a resource.
pub(crate) fn minimal(whole: &Value) -> Value {
    json!({"id": whole.get("id"), "status": whole.get("status"), "links": whole.get("links")})
}

/// An object without the members that are null.
fn object(members: Value) -> Value {
    let Value::Object(members) = members else { return members };
    Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

fn merged(first: Value, second: Value) -> Value {
    let members =
        [first, second].into_iter().filter_map(|value| if let Value::Object(members) = value { Some(members) } else { None });
    Value::Object(members.flatten().collect::<Map<_, _>>())
}

/// Orders.
impl FakePaypal {
    /// Where the payer approves the order.
    pub(crate) fn approval_url(&self, order_id: &str) -> String {
        format!("{}/checkoutnow?token={order_id}", self.options.base_url)
    }

    fn link(&self, path: &str, relation: &str, method: &str) -> Value {
        json!({"href": format!("{}{path}", self.options.base_url), "rel": relation, "method": method})
    }

    /// PayPal's status. An order is VOIDED when all its purchase units are.
    pub(crate) fn order_status(&self, order: &Order) -> &'static str {
        match order.phase {
            Phase::Unapproved if order.has_source => "PAYER_ACTION_REQUIRED",
            Phase::Unapproved => "CREATED",
            Phase::Approved => "APPROVED",
            Phase::Completed => {
                let authorization = order.authorization.as_ref().and_then(|id| self.books.authorizations.get(id));
                if authorization.is_some_and(|one| one.status() == "VOIDED" && one.captured_minor == 0) {
                    "VOIDED"
                } else {
                    "COMPLETED"
                }
            }
        }
    }

    fn order_links(&self, order: &Order) -> Vec<Value> {
        let own = format!("/v2/checkout/orders/{}", order.id);
        let action = match order.intent {
            Intent::Authorize => "authorize",
            Intent::Capture => "capture",
        };
        let mut links = vec![self.link(&own, "self", "GET")];
        let approval = |relation| json!({"href": self.approval_url(&order.id), "rel": relation, "method": "GET"});
        match order.phase {
            Phase::Unapproved if order.has_source => links.push(approval("payer-action")),
            Phase::Unapproved => links.extend([
                approval("approve"),
                self.link(&own, "update", "PATCH"),
                self.link(&format!("{own}/{action}"), action, "POST"),
            ]),
            Phase::Approved => {
                links.extend([self.link(&own, "update", "PATCH"), self.link(&format!("{own}/{action}"), action, "POST")]);
            }
            Phase::Completed => {}
        }
        links
    }

    pub(crate) fn order_json(&self, order: &Order) -> Value {
        let authorization = order.authorization.as_ref().and_then(|id| self.books.authorizations.get(id));
        let captures = order.captures.iter().filter_map(|id| self.books.captures.get(id));
        let refunds = order.refunds.iter().filter_map(|id| self.books.refunds.get(id));
        let payments = object(json!({
            "authorizations": authorization.map(|one| [self.authorization_of_unit(one)]),
            "captures": some(captures.map(|one| self.capture_of_unit(one)).collect()),
            "refunds": some(refunds.map(|one| self.refund_json(one)).collect()),
        }));
        let unit = object(json!({
            "reference_id": order.reference_id,
            "amount": order.amount.json(),
            "payee": self.payee(&order.client_id),
            "description": order.description,
            "custom_id": order.custom_id,
            "invoice_id": order.invoice_id,
            "soft_descriptor": order.soft_descriptor,
            "payments": payments.as_object().filter(|payments| !payments.is_empty()),
        }));
        let (source, payer) = match order.phase {
            Phase::Unapproved => (order.has_source.then(|| json!({"paypal": {}})), None),
            Phase::Approved | Phase::Completed => {
                let who = json!({
                    "email_address": "payer@example.com",
                    "name": {"given_name": "Test", "surname": "Payer"},
                    "address": {"country_code": "US"},
                });
                let account = merged(who.clone(), json!({"account_id": PAYER_ID, "account_status": "VERIFIED"}));
                (Some(json!({"paypal": account})), Some(merged(who, json!({"payer_id": PAYER_ID}))))
            }
        };
        object(json!({
            "id": order.id,
            "status": self.order_status(order),
            "intent": order.intent.name(),
            "payment_source": source,
            "payer": payer,
            "purchase_units": [unit],
            "create_time": time(order.created_at),
            "update_time": (order.updated_at != order.created_at).then(|| time(order.updated_at)),
            "links": self.order_links(order),
        }))
    }
}

/// Payments.
impl FakePaypal {
    fn payee(&self, client_id: &str) -> Value {
        let merchant_id = self.options.account(client_id).map(|account| account.merchant_id.as_str());
        json!({"email_address": "merchant@example.com", "merchant_id": merchant_id})
    }

    fn authorization_of_unit(&self, one: &Authorization) -> Value {
        let own = format!("/v2/payments/authorizations/{}", one.id);
        object(json!({
            "id": one.id,
            "status": one.status(),
            "status_details": (one.state == AuthorizationState::Pending).then(|| json!({"reason": "PENDING_REVIEW"})),
            "amount": one.amount.json(),
            "custom_id": one.origin.custom_id,
            "invoice_id": one.origin.invoice_id,
            "seller_protection": protection(),
            "expiration_time": time(one.ends_at),
            "create_time": time(one.origin.created_at),
            "update_time": time(one.origin.updated_at),
            "links": [
                self.link(&own, "self", "GET"), self.link(&format!("{own}/capture"), "capture", "POST"),
                self.link(&format!("{own}/void"), "void", "POST"), self.up_to_order(&one.origin),
            ],
        }))
    }

    pub(crate) fn authorization_json(&self, one: &Authorization) -> Value {
        let related = json!({"order_id": one.origin.order_id});
        merged(self.authorization_of_unit(one), self.related(&one.origin, &related))
    }

    fn capture_of_unit(&self, one: &Capture) -> Value {
        let own = format!("/v2/payments/captures/{}", one.id);
        let up = match &one.authorization_id {
            Some(id) => self.link(&format!("/v2/payments/authorizations/{id}"), "up", "GET"),
            None => self.up_to_order(&one.origin),
        };
        let breakdown = json!({
            "gross_amount": one.amount.json(),
            "paypal_fee": one.amount.with(one.fee_minor()).json(),
            "net_amount": one.amount.with(one.amount.minor - one.fee_minor()).json(),
        });
        object(json!({
            "id": one.id,
            "status": one.status(),
            "status_details": (one.state == CaptureState::Pending).then(|| json!({"reason": "PENDING_REVIEW"})),
            "amount": one.amount.json(),
            "custom_id": one.origin.custom_id,
            "invoice_id": one.origin.invoice_id,
            "seller_protection": protection(),
            "final_capture": one.is_final,
            "seller_receivable_breakdown": (one.state == CaptureState::Completed).then_some(breakdown),
            "create_time": time(one.origin.created_at),
            "update_time": time(one.origin.updated_at),
            "links": [self.link(&own, "self", "GET"), self.link(&format!("{own}/refund"), "refund", "POST"), up],
        }))
    }

    pub(crate) fn capture_json(&self, one: &Capture) -> Value {
        let related = object(json!({"order_id": one.origin.order_id, "authorization_id": one.authorization_id}));
        merged(self.capture_of_unit(one), self.related(&one.origin, &related))
    }

    pub(crate) fn refund_json(&self, one: &Refund) -> Value {
        object(json!({
            "id": one.id,
            "status": one.status(),
            "status_details": (one.state == RefundState::Pending).then(|| json!({"reason": "ECHECK"})),
            "amount": one.amount.json(),
            "custom_id": one.origin.custom_id,
            "invoice_id": one.origin.invoice_id,
            "note_to_payer": one.note_to_payer,
            "seller_payable_breakdown": {
                "gross_amount": one.amount.json(),
                "paypal_fee": one.amount.with(0).json(),
                "net_amount": one.amount.json(),
                "total_refunded_amount": one.amount.with(one.total_minor).json(),
            },
            "payer": self.payee(&one.origin.client_id),
            "create_time": time(one.origin.created_at),
            "update_time": time(one.origin.updated_at),
            "links": [
                self.link(&format!("/v2/payments/refunds/{}", one.id), "self", "GET"),
                self.link(&format!("/v2/payments/captures/{}", one.capture_id), "up", "GET"),
            ],
        }))
    }

    fn up_to_order(&self, origin: &Origin) -> Value {
        self.link(&format!("/v2/checkout/orders/{}", origin.order_id), "up", "GET")
    }

    /// What Payments v2 shows and a purchase unit does not.
    fn related(&self, origin: &Origin, ids: &Value) -> Value {
        json!({"payee": self.payee(&origin.client_id), "supplementary_data": {"related_ids": ids}})
    }
}

/// The account of the payer, who is always the same one.
pub(crate) const PAYER_ID: &str = "FAKEPAYER0001";

fn protection() -> Value {
    json!({"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"]})
}

/// A list, unless it is empty.
fn some(list: Vec<Value>) -> Option<Vec<Value>> {
    (!list.is_empty()).then_some(list)
}
