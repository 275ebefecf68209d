//! Orders v2: create, read, authorize, capture.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    FakePaypal, Instrument,
    body::{self, LONGEST_ID},
    books::{AUTHORIZATION_LIFE, Authorization, AuthorizationState, Capture, CaptureState, Intent, ORDER_LIFE, Order, Phase},
    call::Call,
    ids::Kind,
    refusal::{Issue, Refusal},
    request_ids::Made,
    webhooks::Happened,
};

/// The longest URL that PayPal takes the payer back to, in characters.
const LONGEST_URL: usize = 4000;

/// Parts of an order that the fake does not know.
const UNKNOWN: [&str; 11] = [
    "/processing_instruction",
    "/purchase_units/0/amount/breakdown",
    "/purchase_units/0/items",
    "/purchase_units/0/payee",
    "/purchase_units/0/payment_instruction",
    "/purchase_units/0/shipping",
    "/purchase_units/0/supplementary_data",
    "/payment_source/paypal/attributes",
    "/payment_source/paypal/stored_credential",
    "/payment_source/paypal/vault_id",
    "/payment_source/paypal/billing_agreement_id",
];

impl FakePaypal {
    /// The caller's order, unless PayPal has forgotten it.
    pub(crate) fn order_of(&self, client_id: &str, id: &str, now: Timestamp) -> Result<&Order, Refusal> {
        let order = self.books.orders.get(id).filter(|order| !order.has_ended(now)).ok_or(Issue::InvalidResourceId)?;
        if order.client_id == client_id { Ok(order) } else { Err(Issue::PermissionDenied.into()) }
    }

    pub(crate) fn create_order(&mut self, call: &Call, now: Timestamp) -> Made {
        let body = &call.body;
        let intent = match body::required(body, "/intent", LONGEST_ID)? {
            "AUTHORIZE" => Intent::Authorize,
            "CAPTURE" => Intent::Capture,
            _ => return Err(Refusal::at(Issue::InvalidParameterValue, "/intent")),
        };
        one_unit(body, intent)?;
        body::without(body, &UNKNOWN)?;
        let amount = body::money(body, "/purchase_units/0/amount")?
            .ok_or_else(|| Refusal::at(Issue::MissingRequiredParameter, "/purchase_units/0/amount"))?;
        let has_source = has_source(body)?;
        if has_source && call.request_id.is_none() {
            return Err(Refusal::at(Issue::PaypalRequestIdRequired, "PayPal-Request-Id"));
        }
        let url = |name: &str| -> Result<Option<String>, Refusal> {
            let of_source = body::kept_text(body, &format!("/payment_source/paypal/experience_context/{name}"), LONGEST_URL)?;
            let of_context = body::kept_text(body, &format!("/application_context/{name}"), LONGEST_URL)?;
            Ok(of_source.or(of_context))
        };
        let unit = |name: &str, longest| body::kept_text(body, &format!("/purchase_units/0/{name}"), longest);
        let mut order = Order {
            id: String::new(),
            client_id: call.client_id.clone(),
            intent,
            reference_id: unit("reference_id", 256)?.unwrap_or_else(|| "default".to_owned()),
            amount,
            custom_id: unit("custom_id", LONGEST_ID)?,
            invoice_id: unit("invoice_id", LONGEST_ID)?,
            description: unit("description", 127)?,
            soft_descriptor: unit("soft_descriptor", 22)?,
            has_source,
            return_url: url("return_url")?,
            cancel_url: url("cancel_url")?,
            phase: Phase::Unapproved,
            instrument: Instrument::Good,
            declines: 0,
            created_at: now,
            updated_at: now,
            ends_at: now + ORDER_LIFE,
            authorization: None,
            captures: Vec::new(),
            refunds: Vec::new(),
        };
        order.id = self.ids.resource(Kind::Order);
        let id = order.id.clone();
        self.books.orders.insert(id.clone(), order);
        Ok(id)
    }

    pub(crate) fn authorize_order(&mut self, call: &Call, id: &str, now: Timestamp) -> Made {
        let order = self.payable(call, id, Intent::Authorize, now)?;
        let state = match order.instrument {
            Instrument::AuthorizationPending => AuthorizationState::Pending,
            Instrument::AuthorizationDenied => AuthorizationState::Denied,
            Instrument::Good
            | Instrument::Declines
            | Instrument::ActionRequired
            | Instrument::CapturePending
            | Instrument::CaptureDeclined
            | Instrument::HonorPeriodOnly
            | Instrument::RefundPending => AuthorizationState::Created,
        };
        let authorization = Authorization {
            id: self.ids.resource(Kind::Authorization),
            origin: order.origin(now),
            amount: order.amount,
            instrument: order.instrument,
            state,
            captured_minor: 0,
            is_closed: false,
            ends_at: now + AUTHORIZATION_LIFE,
        };
        let made = authorization.id.clone();
        if state != AuthorizationState::Denied {
            self.claim_invoice(&authorization.origin);
            self.books.ends.insert((authorization.ends_at, made.clone()));
        }
        self.books.authorizations.insert(made.clone(), authorization);
        self.complete(id, now, |order| order.authorization = Some(made.clone()));
        match state {
            AuthorizationState::Created | AuthorizationState::Pending => {
                self.notify_authorization(&made, Happened::AuthorizationCreated, now);
            }
            // PayPal has no event for an authorization that was denied at once.
            AuthorizationState::Denied | AuthorizationState::Voided | AuthorizationState::Expired => {}
        }
        Ok(id.to_owned())
    }

    pub(crate) fn capture_order(&mut self, call: &Call, id: &str, now: Timestamp) -> Made {
        let order = self.payable(call, id, Intent::Capture, now)?;
        let capture = Capture {
            id: self.ids.resource(Kind::Capture),
            origin: order.origin(now),
            authorization_id: None,
            amount: order.amount,
            is_final: true,
            instrument: order.instrument,
            state: capture_state(order.instrument),
            refunded_minor: 0,
        };
        if capture.state != CaptureState::Declined {
            self.claim_invoice(&capture.origin);
        }
        self.complete(id, now, |_| ());
        self.record_capture(capture, now);
        Ok(id.to_owned())
    }

    /// The order, if its payment can be taken now. A declined instrument is counted.
    fn payable(&mut self, call: &Call, id: &str, intent: Intent, now: Timestamp) -> Result<Order, Refusal> {
        body::without(&call.body, &["/payment_source", "/amount"])?;
        let order = self.order_of(&call.client_id, id, now)?.clone();
        if order.intent != intent {
            return Err(Issue::ActionDoesNotMatchIntent.into());
        }
        match order.phase {
            Phase::Unapproved => return Err(Issue::OrderNotApproved.into()),
            Phase::Approved => {}
            Phase::Completed => {
                return Err(match intent {
                    Intent::Authorize => Issue::OrderAlreadyAuthorized.into(),
                    Intent::Capture => Issue::OrderAlreadyCaptured.into(),
                });
            }
        }
        if order.declines >= self.options.most_declines {
            return Err(Issue::MaxNumberOfPaymentAttemptsExceeded.into());
        }
        self.invoice_is_free(&order.origin(now))?;
        if order.instrument == Instrument::Declines {
            if let Some(order) = self.books.orders.get_mut(id) {
                order.declines += 1;
            }
            // PayPal calls this link `redirect`, whatever the order's own link to the same page is called.
            return Err(Refusal::from(Issue::InstrumentDeclined).sends_payer("redirect", self.approval_url(id)));
        }
        // PayPal's reference does not say that the order's status tells, too.
        if order.instrument == Instrument::ActionRequired {
            return Err(Refusal::from(Issue::PayerActionRequired).sends_payer("payer-action", self.approval_url(id)));
        }
        Ok(order)
    }

    fn complete(&mut self, id: &str, now: Timestamp, change: impl FnOnce(&mut Order)) {
        if let Some(order) = self.books.orders.get_mut(id) {
            order.phase = Phase::Completed;
            order.updated_at = now;
            change(order);
        }
    }
}

/// What becomes of a capture.
pub(crate) fn capture_state(instrument: Instrument) -> CaptureState {
    match instrument {
        Instrument::CapturePending => CaptureState::Pending,
        Instrument::CaptureDeclined => CaptureState::Declined,
        Instrument::Good
        | Instrument::Declines
        | Instrument::ActionRequired
        | Instrument::AuthorizationPending
        | Instrument::AuthorizationDenied
        | Instrument::HonorPeriodOnly
        | Instrument::RefundPending => CaptureState::Completed,
    }
}

fn one_unit(body: &Value, intent: Intent) -> Result<(), Refusal> {
    let units = body.pointer("/purchase_units").and_then(Value::as_array).map(Vec::len);
    match (units, intent) {
        (None | Some(0), _) => Err(Refusal::at(Issue::MissingRequiredParameter, "/purchase_units")),
        (Some(1), _) => Ok(()),
        (Some(_), Intent::Authorize) => Err(Refusal::at(Issue::UnsupportedIntent, "/intent")),
        (Some(_), Intent::Capture) => Err(Refusal::at(Issue::NotInTheFake, "/purchase_units")),
    }
}

/// Whether the order names its payment source. The fake knows the PayPal wallet only.
fn has_source(body: &Value) -> Result<bool, Refusal> {
    let Some(source) = body.pointer("/payment_source").filter(|source| !source.is_null()) else { return Ok(false) };
    let source = source.as_object().ok_or_else(|| Refusal::at(Issue::InvalidParameterSyntax, "/payment_source"))?;
    if source.keys().all(|name| name == "paypal") && !source.is_empty() {
        Ok(true)
    } else {
        Err(Refusal::at(Issue::NotInTheFake, "/payment_source"))
    }
}
