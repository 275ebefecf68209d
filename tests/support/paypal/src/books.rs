//! Orders, authorizations, captures and refunds, their statuses, and the limits in time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{Instrument, money::Money};

/// An order that nobody approves ends this long after it was made; an approved one ends this long after its approval,
/// unless it is authorized or captured (`links` of an order in PayPal's reference of Orders v2: three hours by default).
pub(crate) const ORDER_LIFE: SignedDuration = SignedDuration::from_hours(3);
/// How long an authorization can be captured
/// (<https://developer.paypal.com/docs/checkout/advanced/authorization-honor>).
pub(crate) const AUTHORIZATION_LIFE: SignedDuration = SignedDuration::from_hours(29 * 24);
/// How long PayPal expects the funds of an authorization to be there (same page).
pub(crate) const HONOR_PERIOD: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How long a capture can be refunded.
pub(crate) const REFUND_PERIOD: SignedDuration = SignedDuration::from_hours(180 * 24);

/// What is to become of an order's payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Authorize,
    Capture,
}

impl Intent {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authorize => "AUTHORIZE",
            Self::Capture => "CAPTURE",
        }
    }
}

/// What a payment takes over from its purchase unit.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) client_id: String,
    pub(crate) order_id: String,
    pub(crate) custom_id: Option<String>,
    pub(crate) invoice_id: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Unapproved,
    Approved,
    Completed,
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) intent: Intent,
    pub(crate) reference_id: String,
    pub(crate) amount: Money,
    pub(crate) custom_id: Option<String>,
    pub(crate) invoice_id: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) soft_descriptor: Option<String>,
    /// Whether the request named `payment_source.paypal`; then the links and the first status have other names.
    pub(crate) has_source: bool,
    pub(crate) return_url: Option<String>,
    pub(crate) cancel_url: Option<String>,
    pub(crate) phase: Phase,
    pub(crate) instrument: Instrument,
    pub(crate) declines: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) authorization: Option<String>,
    pub(crate) captures: Vec<String>,
    pub(crate) refunds: Vec<String>,
}

impl Order {
    /// Whether PayPal has forgotten the order at `now`.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Unapproved | Phase::Approved => self.ends_at <= now,
            Phase::Completed => false,
        }
    }

    /// What its payment takes over.
    pub(crate) fn origin(&self, now: Timestamp) -> Origin {
        Origin {
            client_id: self.client_id.clone(),
            order_id: self.id.clone(),
            custom_id: self.custom_id.clone(),
            invoice_id: self.invoice_id.clone(),
            created_at: now,
            updated_at: now,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthorizationState {
    Created,
    Pending,
    Denied,
    Voided,
    Expired,
}

#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) id: String,
    pub(crate) origin: Origin,
    pub(crate) amount: Money,
    pub(crate) instrument: Instrument,
    pub(crate) state: AuthorizationState,
    /// The sum of its captures that were not declined.
    pub(crate) captured_minor: u64,
    /// Whether one of them was the final one.
    pub(crate) is_closed: bool,
    pub(crate) ends_at: Timestamp,
}

impl Authorization {
    /// What it still holds of the payer's money, in minor units.
    pub(crate) fn held_minor(&self) -> u64 {
        match self.state {
            AuthorizationState::Created if self.is_captured() => 0,
            AuthorizationState::Created | AuthorizationState::Pending => self.amount.minor.saturating_sub(self.captured_minor),
            AuthorizationState::Denied | AuthorizationState::Voided | AuthorizationState::Expired => 0,
        }
    }

    pub(crate) fn is_captured(&self) -> bool {
        self.is_closed || self.captured_minor >= self.amount.minor
    }

    /// PayPal's status. An authorization that ends by its age becomes VOIDED, as the event `PAYMENT.AUTHORIZATION.VOIDED` says;
    /// PayPal's reference has no status EXPIRED any more.
    pub(crate) fn status(&self) -> &'static str {
        match self.state {
            AuthorizationState::Pending => "PENDING",
            AuthorizationState::Denied => "DENIED",
            AuthorizationState::Created | AuthorizationState::Expired if self.is_captured() => "CAPTURED",
            AuthorizationState::Created | AuthorizationState::Expired if self.captured_minor > 0 => "PARTIALLY_CAPTURED",
            AuthorizationState::Voided | AuthorizationState::Expired => "VOIDED",
            AuthorizationState::Created => "CREATED",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureState {
    Completed,
    Pending,
    Declined,
}

#[derive(Debug, Clone)]
pub(crate) struct Capture {
    pub(crate) id: String,
    pub(crate) origin: Origin,
    pub(crate) authorization_id: Option<String>,
    pub(crate) amount: Money,
    pub(crate) is_final: bool,
    pub(crate) instrument: Instrument,
    pub(crate) state: CaptureState,
    /// The sum of its refunds that did not fail.
    pub(crate) refunded_minor: u64,
}

impl Capture {
    /// PayPal's status.
    pub(crate) fn status(&self) -> &'static str {
        match self.state {
            CaptureState::Pending => "PENDING",
            CaptureState::Declined => "DECLINED",
            CaptureState::Completed if self.refunded_minor == 0 => "COMPLETED",
            CaptureState::Completed if self.refunded_minor < self.amount.minor => "PARTIALLY_REFUNDED",
            CaptureState::Completed => "REFUNDED",
        }
    }

    /// PayPal's fee. It depends on the merchant's contract; three percent here, so that net and gross differ.
    pub(crate) fn fee_minor(&self) -> u64 {
        self.amount.minor / 100 * 3
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundState {
    Completed,
    Pending,
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) origin: Origin,
    pub(crate) capture_id: String,
    pub(crate) amount: Money,
    pub(crate) note_to_payer: Option<String>,
    pub(crate) state: RefundState,
    /// What had been refunded of the capture with this refund.
    pub(crate) total_minor: u64,
}

impl Refund {
    /// PayPal's status.
    pub(crate) fn status(&self) -> &'static str {
        match self.state {
            RefundState::Completed => "COMPLETED",
            RefundState::Pending => "PENDING",
            RefundState::Failed => "FAILED",
        }
    }
}

/// Everything that the fake keeps of payments.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) orders: BTreeMap<String, Order>,
    pub(crate) authorizations: BTreeMap<String, Authorization>,
    pub(crate) captures: BTreeMap<String, Capture>,
    pub(crate) refunds: BTreeMap<String, Refund>,
    /// When authorizations end.
    pub(crate) ends: BTreeSet<(Timestamp, String)>,
    /// The order whose payment has an account's invoice id.
    pub(crate) paid_invoices: BTreeMap<(String, String), String>,
    /// The invoice ids that an account's captures have.
    pub(crate) captured_invoices: BTreeSet<(String, String)>,
    /// The invoice ids that an account's refunds have.
    pub(crate) refunded_invoices: BTreeSet<(String, String)>,
}
