//! Payments v2: capture and void an authorization, refund a capture; and the ends of authorizations.

use jiff::Timestamp;

use crate::{
    FakePaypal, Instrument,
    body::{self, LONGEST_ID},
    books::{Authorization, AuthorizationState, Capture, CaptureState, HONOR_PERIOD, Origin, REFUND_PERIOD, Refund, RefundState},
    call::Call,
    ids::Kind,
    money::Money,
    orders::capture_state,
    refusal::{Issue, Refusal},
    request_ids::Made,
    webhooks::Happened,
};

/// PayPal's second limit of captures: 75 US dollars more than the authorization.
const MOST_USD_MINOR_MORE: u64 = 7500;

/// Reading.
impl FakePaypal {
    pub(crate) fn authorization_of(&self, client_id: &str, id: &str) -> Result<&Authorization, Refusal> {
        let found = self.books.authorizations.get(id).ok_or(Issue::InvalidResourceId)?;
        own(client_id, &found.origin).map(|()| found)
    }

    pub(crate) fn capture_of(&self, client_id: &str, id: &str) -> Result<&Capture, Refusal> {
        let found = self.books.captures.get(id).ok_or(Issue::InvalidResourceId)?;
        own(client_id, &found.origin).map(|()| found)
    }

    pub(crate) fn refund_of(&self, client_id: &str, id: &str) -> Result<&Refund, Refusal> {
        let found = self.books.refunds.get(id).ok_or(Issue::InvalidResourceId)?;
        own(client_id, &found.origin).map(|()| found)
    }
}

/// Captures and voids.
impl FakePaypal {
    pub(crate) fn capture_authorization(&mut self, call: &Call, id: &str, now: Timestamp) -> Made {
        body::without(&call.body, &["/payment_instruction", "/supplementary_data"])?;
        let amount = body::money(&call.body, "/amount")?;
        let invoice_id = body::kept_text(&call.body, "/invoice_id", LONGEST_ID)?;
        let is_final = body::flag(&call.body, "/final_capture")?.unwrap_or(false);
        body::text(&call.body, "/note_to_payer", 255)?;
        body::text(&call.body, "/soft_descriptor", 22)?;

        let authorization = self.authorization_of(&call.client_id, id)?.clone();
        can_be_captured(&authorization, now)?;
        let amount = amount.unwrap_or(authorization.amount);
        if amount.currency != authorization.amount.currency {
            return Err(Refusal::at(Issue::AuthCaptureCurrencyMismatch, "/amount/currency_code"));
        }
        let captured_minor = authorization.captured_minor.saturating_add(amount.minor);
        if captured_minor > self.capture_limit(authorization.amount) {
            return Err(Refusal::at(Issue::MaxCaptureAmountExceeded, "/amount/value"));
        }
        let mut origin = Origin { created_at: now, updated_at: now, ..authorization.origin.clone() };
        if invoice_id.is_some() {
            origin.invoice_id = invoice_id;
            self.invoice_is_free(&origin)?;
            if self.wants_unique_invoices(&origin)
                && invoice_key(&origin).is_some_and(|key| self.books.captured_invoices.contains(&key))
            {
                return Err(Refusal::at(Issue::DuplicateInvoiceId, "/invoice_id"));
            }
        }
        let capture = Capture {
            id: self.ids.resource(Kind::Capture),
            origin,
            authorization_id: Some(id.to_owned()),
            amount,
            is_final,
            instrument: authorization.instrument,
            state: capture_state(authorization.instrument),
            refunded_minor: 0,
        };
        if capture.state != CaptureState::Declined {
            self.claim_invoice(&capture.origin);
            if let Some(authorization) = self.books.authorizations.get_mut(id) {
                authorization.captured_minor = captured_minor;
                authorization.is_closed |= is_final;
                authorization.origin.updated_at = now;
            }
        }
        let made = capture.id.clone();
        self.record_capture(capture, now);
        Ok(made)
    }

    pub(crate) fn void_authorization(&mut self, call: &Call, id: &str, now: Timestamp) -> Made {
        let authorization = self.authorization_of(&call.client_id, id)?;
        match authorization.state {
            AuthorizationState::Created | AuthorizationState::Expired if authorization.is_captured() => {
                return Err(Issue::PreviouslyCaptured.into());
            }
            AuthorizationState::Voided | AuthorizationState::Expired => return Err(Issue::PreviouslyVoided.into()),
            AuthorizationState::Denied => return Err(Issue::CannotBeVoided.into()),
            AuthorizationState::Created | AuthorizationState::Pending => {}
        }
        self.end_authorization(id, AuthorizationState::Voided, now);
        self.notify_authorization(id, Happened::AuthorizationVoided, now);
        Ok(id.to_owned())
    }

    /// Ends the authorizations whose time is over. A rest that was not captured goes back to the payer, with an event.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.books.ends.first().filter(|(at, _)| *at <= now).cloned() {
            self.books.ends.remove(&(at, id.clone()));
            let Some(authorization) = self.books.authorizations.get(&id) else { continue };
            match authorization.state {
                AuthorizationState::Created | AuthorizationState::Pending => {
                    let is_void = authorization.captured_minor == 0;
                    self.end_authorization(&id, AuthorizationState::Expired, at);
                    if is_void {
                        self.notify_authorization(&id, Happened::AuthorizationVoided, at);
                    }
                }
                AuthorizationState::Denied | AuthorizationState::Voided | AuthorizationState::Expired => {}
            }
        }
    }

    fn end_authorization(&mut self, id: &str, state: AuthorizationState, at: Timestamp) {
        if let Some(authorization) = self.books.authorizations.get_mut(id) {
            authorization.state = state;
            authorization.origin.updated_at = at;
        }
    }

    /// The most that all captures of an authorization of `amount` may take, in minor units.
    fn capture_limit(&self, amount: Money) -> u64 {
        let percent = u128::from(amount.minor) * u128::from(self.options.capture_limit_percent) / 100;
        let limit = u64::try_from(percent).unwrap_or(u64::MAX);
        if amount.currency.code() == "USD" { limit.min(amount.minor.saturating_add(MOST_USD_MINOR_MORE)) } else { limit }
    }

    /// Keeps a capture that was just made, and tells of it.
    pub(crate) fn record_capture(&mut self, capture: Capture, now: Timestamp) {
        let (id, state) = (capture.id.clone(), capture.state);
        if let Some(order) = self.books.orders.get_mut(&capture.origin.order_id) {
            order.captures.push(id.clone());
            order.updated_at = now;
        }
        if state != CaptureState::Declined {
            self.books.captured_invoices.extend(invoice_key(&capture.origin));
        }
        self.books.captures.insert(id.clone(), capture);
        let happened = match state {
            CaptureState::Completed => Happened::CaptureCompleted,
            CaptureState::Pending => Happened::CapturePending,
            CaptureState::Declined => Happened::CaptureDeclined,
        };
        self.notify_capture(&id, happened, now);
    }
}

/// Refunds.
impl FakePaypal {
    pub(crate) fn refund_capture(&mut self, call: &Call, id: &str, now: Timestamp) -> Made {
        body::without(&call.body, &["/payment_instruction"])?;
        let amount = body::money(&call.body, "/amount")?;
        let custom_id = body::kept_text(&call.body, "/custom_id", LONGEST_ID)?;
        let invoice_id = body::kept_text(&call.body, "/invoice_id", LONGEST_ID)?;
        let note_to_payer = body::kept_text(&call.body, "/note_to_payer", 255)?;

        let capture = self.capture_of(&call.client_id, id)?.clone();
        match capture.state {
            CaptureState::Completed => {}
            CaptureState::Pending => return Err(Issue::PendingCapture.into()),
            CaptureState::Declined => return Err(Issue::RefundNotAllowed.into()),
        }
        let left = capture.amount.with(capture.amount.minor.saturating_sub(capture.refunded_minor));
        if left.minor == 0 {
            return Err(Issue::CaptureFullyRefunded.into());
        }
        if now.duration_since(capture.origin.created_at) > REFUND_PERIOD {
            return Err(Issue::RefundTimeLimitExceeded.into());
        }
        let amount = amount.unwrap_or(left);
        if amount.currency != left.currency {
            return Err(Refusal::at(Issue::RefundCaptureCurrencyMismatch, "/amount/currency_code"));
        }
        if amount.minor > left.minor {
            return Err(Refusal::at(Issue::RefundAmountExceeded, "/amount/value"));
        }
        let own_invoice = invoice_id.is_some();
        let origin = Origin {
            custom_id: custom_id.or(capture.origin.custom_id),
            invoice_id: invoice_id.or(capture.origin.invoice_id),
            created_at: now,
            updated_at: now,
            ..capture.origin
        };
        let key = invoice_key(&origin).filter(|_| own_invoice);
        if self.wants_unique_invoices(&origin) && key.as_ref().is_some_and(|key| self.books.refunded_invoices.contains(key)) {
            return Err(Refusal::at(Issue::DuplicateInvoiceId, "/invoice_id"));
        }
        self.books.refunded_invoices.extend(key);
        let is_pending = capture.instrument == Instrument::RefundPending;
        let refund = Refund {
            id: self.ids.resource(Kind::Refund),
            origin,
            capture_id: id.to_owned(),
            amount,
            note_to_payer,
            state: if is_pending { RefundState::Pending } else { RefundState::Completed },
            total_minor: capture.refunded_minor.saturating_add(amount.minor),
        };
        if let Some(capture) = self.books.captures.get_mut(id) {
            capture.refunded_minor = refund.total_minor;
            capture.origin.updated_at = now;
        }
        if let Some(order) = self.books.orders.get_mut(&refund.origin.order_id) {
            order.refunds.push(refund.id.clone());
            order.updated_at = now;
        }
        let made = refund.id.clone();
        self.books.refunds.insert(made.clone(), refund);
        self.notify_refund(&made, if is_pending { Happened::RefundPending } else { Happened::CaptureRefunded }, now);
        Ok(made)
    }
}

/// Invoice ids and events.
impl FakePaypal {
    fn wants_unique_invoices(&self, origin: &Origin) -> bool {
        self.options.account(&origin.client_id).is_some_and(|account| account.unique_invoice_ids)
    }

    /// Refuses an invoice id that another order's payment has. A voided payment keeps its invoice id: PayPal does not say
    /// that it gives it back.
    pub(crate) fn invoice_is_free(&self, origin: &Origin) -> Result<(), Refusal> {
        let taken = invoice_key(origin).and_then(|key| self.books.paid_invoices.get(&key));
        if self.wants_unique_invoices(origin) && taken.is_some_and(|order_id| *order_id != origin.order_id) {
            return Err(Issue::DuplicateInvoiceId.into());
        }
        Ok(())
    }

    pub(crate) fn claim_invoice(&mut self, origin: &Origin) {
        if let Some(key) = invoice_key(origin) {
            self.books.paid_invoices.entry(key).or_insert_with(|| origin.order_id.clone());
        }
    }

    pub(crate) fn notify_authorization(&mut self, id: &str, happened: Happened, now: Timestamp) {
        let Some(one) = self.books.authorizations.get(id) else { return };
        let (client_id, resource) = (one.origin.client_id.clone(), self.authorization_json(one));
        self.notify(&client_id, happened, &resource, now);
    }

    pub(crate) fn notify_capture(&mut self, id: &str, happened: Happened, now: Timestamp) {
        let Some(one) = self.books.captures.get(id) else { return };
        let (client_id, resource) = (one.origin.client_id.clone(), self.capture_json(one));
        self.notify(&client_id, happened, &resource, now);
    }

    pub(crate) fn notify_refund(&mut self, id: &str, happened: Happened, now: Timestamp) {
        let Some(one) = self.books.refunds.get(id) else { return };
        let (client_id, resource) = (one.origin.client_id.clone(), self.refund_json(one));
        self.notify(&client_id, happened, &resource, now);
    }
}

fn own(client_id: &str, origin: &Origin) -> Result<(), Refusal> {
    if origin.client_id == client_id { Ok(()) } else { Err(Issue::PermissionDenied.into()) }
}

fn invoice_key(origin: &Origin) -> Option<(String, String)> {
    origin.invoice_id.clone().map(|invoice_id| (origin.client_id.clone(), invoice_id))
}

fn can_be_captured(authorization: &Authorization, now: Timestamp) -> Result<(), Refusal> {
    let issue = match authorization.state {
        AuthorizationState::Created | AuthorizationState::Expired if authorization.is_captured() => {
            Issue::AuthorizationAlreadyCaptured
        }
        AuthorizationState::Created => {
            let is_late = now.duration_since(authorization.origin.created_at) > HONOR_PERIOD;
            if !(is_late && authorization.instrument == Instrument::HonorPeriodOnly) {
                return Ok(());
            }
            Issue::PayerCannotPay
        }
        AuthorizationState::Pending => Issue::TransactionRefused,
        AuthorizationState::Denied => Issue::AuthorizationDenied,
        AuthorizationState::Voided => Issue::AuthorizationVoided,
        AuthorizationState::Expired => Issue::AuthorizationExpired,
    };
    Err(issue.into())
}
