//! PayPal as a payment gateway: an order is opened, and its id is stored before the order is authorised. From then on the
//! order itself says what became of the payment; no search and no request id does.
//!
//! Source of what PayPal promises: its references of Orders v2 and Payments v2
//! (<https://developer.paypal.com/docs/api/orders/v2/>, <https://developer.paypal.com/docs/api/payments/v2/>).

use std::sync::Arc;

use domain::{Action, CaptureOutcome, ChargeOutcome, Clock, GatewayName, Money, PartOutcome, RefundOutcome, SignedDuration};
use futures_util::future::BoxFuture;

use crate::{
    About, Certainty, Found, LookUp, OpenOutcome, Part, Payment, PaymentGateway,
    form::Form,
    gateway::{Uncertain, found},
    paypal::{
        AuthorizationStatus, CaptureStatus, Issue, NewOrder, Order, PaypalClient, PaypalError, Refund, RefundStatus, part,
        standing::{ExpectedOrder, Standing, Taken, declined, minor, taken},
    },
};

/// The token of a shopper who has no order at PayPal yet. Every other token is the id of an order that the shop's page made.
const CHECKOUT: &str = "checkout";
/// Orders v2 keeps a request id for six hours (`PayPal-Request-Id`). An hour before that, an order is no longer asked for:
/// the same request could make a second one.
const REQUEST_ID_IS_TRUSTED_FOR: SignedDuration = SignedDuration::from_hours(5);
/// PayPal ends an order that is not approved and authorised within three hours, and forgets it (`links` of an order).
const ORDER_LIVES_AT_LEAST: SignedDuration = SignedDuration::from_hours(3);
/// The longest id of an order.
const LONGEST_ORDER_ID: usize = 36;

const UNUSABLE: &str = "This payment method cannot be used.";
const NOT_THIS_ORDER: &str = "This PayPal payment does not fit the order. Start a new one.";
const TOO_LATE: &str = "The payment was not confirmed in time.";

/// One account at PayPal.
pub struct PaypalGateway {
    name: GatewayName,
    client: PaypalClient,
    return_url: String,
    merchant: Option<String>,
    clock: Arc<dyn Clock>,
}

impl PaypalGateway {
    /// The account of `client`, under the name by which it is configured. Shoppers come back from PayPal to the shop's page
    /// `return_url`, with the query `order_id`, and `cancelled=true` if they left.
    #[must_use]
    pub fn new(name: GatewayName, client: PaypalClient, return_url: String, clock: Arc<dyn Clock>) -> Self {
        Self { name, client, return_url, merchant: None, clock }
    }

    /// Declines orders that pay another account than the one with this merchant id. An order can name any account as its
    /// payee (<https://developer.paypal.com/docs/checkout/standard/customize/pay-another-account>), so a shop whose page
    /// makes orders in the browser has to give its own.
    #[must_use]
    pub fn paying(self, merchant_id: String) -> Self {
        Self { merchant: Some(merchant_id), ..self }
    }

    fn expected<'a>(&'a self, payment: &'a Payment) -> ExpectedOrder<'a> {
        ExpectedOrder { payment, merchant: self.merchant.as_deref() }
    }

    /// Makes an order. PayPal answers a request id that it knows with the first order, whatever the second request asks for.
    async fn try_create(&self, payment: &Payment) -> Result<OpenOutcome, PaypalError> {
        if self.return_url.is_empty() {
            tracing::error!(gateway = %self.name, key = %payment.key, "PAYMENT_RETURN_URL is missing: PayPal sends shoppers back to it");
            return Ok(OpenOutcome::Not(declined(UNUSABLE)));
        }
        if self.age(payment) >= REQUEST_ID_IS_TRUSTED_FOR {
            return Ok(OpenOutcome::Not(ChargeOutcome::Unavailable));
        }
        let (return_url, cancel_url) = (back_url(&self.return_url, payment, false), back_url(&self.return_url, payment, true));
        let new = NewOrder { amount: payment.amount, attempt: &payment.key, return_url: &return_url, cancel_url: &cancel_url };
        match self.client.create_order(&new, &request_id(payment, "open")).await {
            Ok(order) if self.expected(payment).fits(&order) => Ok(OpenOutcome::ById(order.id)),
            Ok(order) => {
                tracing::error!(gateway = %self.name, key = %payment.key, order = order.id, "PayPal answers with another order");
                Ok(OpenOutcome::Not(ChargeOutcome::Unknown))
            }
            Err(error @ PaypalError::Amount(_)) => {
                self.told(payment, "open", &error);
                Ok(OpenOutcome::Not(declined(UNUSABLE)))
            }
            // The order that the first request made has ended. No run stored its id, so none authorised it.
            Err(error @ PaypalError::NotFound) => {
                self.told(payment, "open", &error);
                Ok(OpenOutcome::Not(declined(TOO_LATE)))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads an order that the shop's page made. Without the comparison a shopper could name any order of this account, and
    /// pay two purchases with one. Without a merchant id the payee cannot be compared, so no such order is taken.
    async fn try_find(&self, payment: &Payment, id: &str) -> Result<OpenOutcome, PaypalError> {
        let is_id = id.len() <= LONGEST_ORDER_ID && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !is_id || self.merchant.is_none() {
            return Ok(OpenOutcome::Not(declined(UNUSABLE)));
        }
        match self.client.get_order(id).await {
            Ok(order) if order.id == id && self.expected(payment).is_made_for(&order) => Ok(OpenOutcome::ById(order.id)),
            Ok(order) => {
                tracing::warn!(gateway = %self.name, key = %payment.key, order = order.id, "the order is not for this payment");
                Ok(OpenOutcome::Not(declined(NOT_THIS_ORDER)))
            }
            Err(error @ PaypalError::NotFound) => {
                self.told(payment, "open", &error);
                Ok(OpenOutcome::Not(declined(NOT_THIS_ORDER)))
            }
            Err(error) => Err(error),
        }
    }

    /// The order of an opened payment; `None`: it has ended, and was not authorised. An order that was authorised does not
    /// end. PayPal cannot have forgotten an order so soon after this gateway made it, so it does not know the order for
    /// another reason, such as another account's credentials.
    async fn find(&self, payment: &Payment, id: &str) -> Result<Option<Order>, PaypalError> {
        let (_, token) = payment.method.parts();
        let was_authorised = payment.reference.is_some();
        let may_have_ended = !was_authorised && (token != CHECKOUT || self.age(payment) >= ORDER_LIVES_AT_LEAST);
        match self.client.get_order(id).await {
            Err(PaypalError::NotFound) if may_have_ended => Ok(None),
            found => found.map(Some),
        }
    }

    async fn try_charge(&self, payment: &Payment, id: &str) -> Result<ChargeOutcome, PaypalError> {
        let Some(order) = self.find(payment, id).await? else { return Ok(declined(TOO_LATE)) };
        Ok(match self.expected(payment).standing(&order) {
            Standing::Approved => self.authorise(payment, id, "charge").await,
            Standing::Unapproved { approval_url } => self.action(payment, approval_url),
            Standing::Known(outcome) => outcome,
            Standing::Undecided => ChargeOutcome::Pending,
            Standing::Foreign => self.foreign(payment, id),
        })
    }

    /// Authorises an approved order. PayPal authorises an order at most once (`ORDER_ALREADY_AUTHORIZED`), also when the
    /// request id is forgotten after six hours. The request id makes PayPal see that two calls at the same time are one.
    /// Another attempt has another request id, so it is not answered with what became of this one.
    async fn authorise(&self, payment: &Payment, id: &str, operation: &str) -> ChargeOutcome {
        let error = match self.client.authorize(id, &request_id(payment, "auth")).await {
            Ok(order) => {
                // PayPal may answer a known request id with the order that it was first used for.
                let standing = if order.id == id { self.expected(payment).standing(&order) } else { Standing::Foreign };
                return match standing {
                    Standing::Known(outcome) if !order.authorizations.is_empty() => outcome,
                    Standing::Foreign => self.foreign(payment, id),
                    // An answer without an authorization settles nothing. The order does.
                    Standing::Known(_) | Standing::Unapproved { .. } | Standing::Approved | Standing::Undecided => {
                        ChargeOutcome::Unknown
                    }
                };
            }
            Err(error) => error,
        };
        if let PaypalError::Refused { issue: Issue::PayerActionRequired, payer_url: Some(url), .. } = error {
            return ChargeOutcome::RequiresAction(Action::Redirect { url });
        }
        if is_about_status(&error) {
            return self.read_again(payment, id, operation, &error).await;
        }
        self.failed(payment, operation, &error)
    }

    /// The outcome by the order after PayPal refused to authorise it because of its status. Another call may have authorised
    /// it, so a failure from here on says nothing about the payment.
    async fn read_again(&self, payment: &Payment, id: &str, operation: &str, why: &PaypalError) -> ChargeOutcome {
        self.told(payment, operation, why);
        match self.find(payment, id).await.map(|order| order.map(|order| self.expected(payment).standing(&order))) {
            Ok(None) => declined(TOO_LATE),
            Ok(Some(Standing::Known(outcome))) => outcome,
            Ok(Some(Standing::Unapproved { approval_url })) => self.action(payment, approval_url),
            Ok(Some(Standing::Approved | Standing::Undecided)) => ChargeOutcome::Unknown,
            Ok(Some(Standing::Foreign)) => self.foreign(payment, id),
            Err(error) => {
                self.told(payment, operation, &error);
                ChargeOutcome::Unknown
            }
        }
    }

    /// Ends a payment. PayPal cannot cancel an order, so the shopper may still approve it. An approval authorises nothing:
    /// only `charge` does, and the attempt's stored status keeps every later run from it. A run of `charge` that began before
    /// could still authorise the order, if the shopper approves it at this moment. Such a run ends with its function's time-out
    /// at the latest. A caller that cannot exclude it stores the status, and abandons that much later.
    ///
    /// An order that is approved already is authorised here, with the request id of `charge`. This settles an earlier call
    /// whose answer was lost.
    async fn try_abandon(&self, payment: &Payment, id: &str) -> Result<ChargeOutcome, PaypalError> {
        let Some(order) = self.find(payment, id).await? else { return Ok(declined(TOO_LATE)) };
        Ok(match self.expected(payment).standing(&order) {
            Standing::Approved => match self.authorise(payment, id, "abandon").await {
                ChargeOutcome::RequiresAction(_) => declined(TOO_LATE),
                // This call had no effect, and an earlier one may have had.
                ChargeOutcome::Busy | ChargeOutcome::Unavailable => ChargeOutcome::Unknown,
                outcome @ (ChargeOutcome::Authorised { .. }
                | ChargeOutcome::Charged { .. }
                | ChargeOutcome::Declined { .. }
                | ChargeOutcome::Pending
                | ChargeOutcome::Unknown) => outcome,
            },
            Standing::Unapproved { .. } => declined(TOO_LATE),
            Standing::Known(outcome) => outcome,
            Standing::Undecided => ChargeOutcome::Unknown,
            Standing::Foreign => self.foreign(payment, id),
        })
    }

    /// Captures the authorization of the order. Payments v2 keeps the request id for 45 days, longer than an authorization
    /// lives.
    async fn try_capture(&self, payment: &Payment, id: &str) -> Result<CaptureOutcome, PaypalError> {
        let expected = self.expected(payment);
        let order = self.client.get_order(id).await?;
        let authorization = match expected.to_capture(&order) {
            Ok(authorization) => authorization,
            Err(outcome) => return Ok(outcome),
        };
        let request_id = request_id(payment, &format!("capture-{}", authorization.id));
        let why = match self.client.capture_authorization(&authorization.id, &request_id).await {
            Ok(capture) => return Ok(expected.captured(&capture)),
            Err(error) => error,
        };
        self.told(payment, "capture", &why);
        // Whatever the error says: the order says whether the money has moved, and whether it still can.
        let order = self.client.get_order(id).await?;
        let is_refused = matches!(why, PaypalError::Refused { .. } | PaypalError::Invalid { .. })
            && why.issue() != Some(&Issue::AuthorizationAlreadyCaptured);
        Ok(match expected.to_capture(&order) {
            Err(outcome) => outcome,
            Ok(_) if is_refused => CaptureOutcome::Refused { reason: why.to_string() },
            Ok(_) => CaptureOutcome::Unknown,
        })
    }

    /// Undoes the payment, as far as it came. An order that is not approved, or has ended, reserves nothing, and nothing
    /// will authorise it: see [`Self::try_abandon`]. An approved order is authorised, so that no call that is still on its
    /// way can do so later, and then voided.
    async fn try_refund(&self, payment: &Payment, id: &str) -> Result<RefundOutcome, PaypalError> {
        let Some(order) = self.find(payment, id).await? else { return Ok(RefundOutcome::Voided) };
        let order = match self.expected(payment).standing(&order) {
            Standing::Unapproved { .. } => return Ok(RefundOutcome::Voided),
            // Void, or for another payment: `charge` never authorises it.
            Standing::Known(_) if order.authorizations.is_empty() => return Ok(RefundOutcome::Voided),
            Standing::Approved => match self.authorise(payment, id, "refund").await {
                ChargeOutcome::Declined { .. } | ChargeOutcome::RequiresAction(_) => return Ok(RefundOutcome::Voided),
                ChargeOutcome::Authorised { .. }
                | ChargeOutcome::Charged { .. }
                | ChargeOutcome::Busy
                | ChargeOutcome::Unavailable
                | ChargeOutcome::Pending
                | ChargeOutcome::Unknown => self.client.get_order(id).await?,
            },
            Standing::Known(_) | Standing::Undecided => order,
            Standing::Foreign => {
                self.foreign(payment, id);
                return Ok(RefundOutcome::Unknown);
            }
        };
        let order = self.void(payment, order).await?;
        let status = order.authorizations.last().map(|authorization| &authorization.status);
        match (status, taken(&order.captures, payment.amount.currency())) {
            (
                Some(AuthorizationStatus::Voided | AuthorizationStatus::Denied | AuthorizationStatus::Captured),
                Taken::Money(money) | Taken::GivenBack(money),
            ) => self.give_back(payment, &order, money).await,
            (Some(AuthorizationStatus::Voided | AuthorizationStatus::Denied), Taken::Nothing) => Ok(RefundOutcome::Voided),
            // A capture that PayPal has not decided cannot be refunded (`PENDING_CAPTURE`).
            (_, Taken::Undecided | Taken::Nothing | Taken::Money(_) | Taken::GivenBack(_)) => Ok(RefundOutcome::Unknown),
        }
    }

    /// Ends the order's authorization, if it still reserves money, and reads the order again: it says whether the void or a
    /// capture came first.
    async fn void(&self, payment: &Payment, order: Order) -> Result<Order, PaypalError> {
        let reserves = |status: &AuthorizationStatus| {
            matches!(status, AuthorizationStatus::Created | AuthorizationStatus::Pending | AuthorizationStatus::PartiallyCaptured)
        };
        let Some(authorization) = order.authorizations.last().filter(|authorization| reserves(&authorization.status)) else {
            return Ok(order);
        };
        let request_id = request_id(payment, &format!("void-{}", authorization.id));
        if let Err(error) = self.client.void(&authorization.id, &request_id).await {
            self.told(payment, "void", &error);
        }
        self.client.get_order(&order.id).await
    }

    /// Refunds what is left of `received`, unless refunds of all of it are under way or done. A refund that failed is made
    /// again. A refund that PayPal has accepted counts as done, although it may still fail days later.
    async fn give_back(&self, payment: &Payment, order: &Order, received: Money) -> Result<RefundOutcome, PaypalError> {
        let has_ended = |refund: &&Refund| matches!(refund.status, RefundStatus::Failed | RefundStatus::Cancelled);
        let currency = received.currency();
        let back = order.refunds.iter().filter(|refund| !has_ended(refund));
        let Some(back) = back.map(|refund| minor(refund.amount.as_ref(), currency)).sum::<Option<i64>>() else {
            return Ok(RefundOutcome::Unknown);
        };
        if back >= received.amount_minor() {
            return Ok(RefundOutcome::Refunded);
        }
        // PayPal answers the request id of a refund that failed with that refund for 45 days, so the next one has another id.
        let failed = order.refunds.iter().filter(has_ended).count();
        let takes = |status: &CaptureStatus| matches!(status, CaptureStatus::Completed | CaptureStatus::PartiallyRefunded);
        for capture in order.captures.iter().filter(|capture| takes(&capture.status)) {
            let request_id = request_id(payment, &format!("refund-{}-{failed}", capture.id));
            let refund = self.client.refund_capture(&capture.id, None, &request_id).await?;
            if has_ended(&&refund) {
                return Ok(RefundOutcome::Unknown);
            }
        }
        Ok(RefundOutcome::Refunded)
    }

    fn age(&self, payment: &Payment) -> SignedDuration {
        self.clock.now().duration_since(payment.began_at)
    }

    fn action(&self, payment: &Payment, approval_url: Option<String>) -> ChargeOutcome {
        let Some(url) = approval_url else {
            tracing::error!(gateway = %self.name, key = %payment.key, "PayPal has no page for the approval");
            return ChargeOutcome::Unknown;
        };
        ChargeOutcome::RequiresAction(Action::Redirect { url })
    }

    fn foreign(&self, payment: &Payment, order: &str) -> ChargeOutcome {
        tracing::error!(gateway = %self.name, key = %payment.key, order, "PayPal authorised another payment with this order");
        ChargeOutcome::Unknown
    }

    fn told(&self, payment: &Payment, operation: &str, error: &PaypalError) {
        let gateway = &self.name;
        tracing::warn!(%gateway, key = %payment.key, operation, error = %error, "PayPal did not do what it was asked");
    }

    /// The outcome, unknown if the request failed.
    fn or_unknown<T: Uncertain>(&self, payment: &Payment, operation: &str, outcome: Result<T, PaypalError>) -> T {
        outcome.unwrap_or_else(|error| {
            self.told(payment, operation, &error);
            T::UNKNOWN
        })
    }

    /// The outcome of a request that failed.
    fn failed(&self, payment: &Payment, operation: &str, error: &PaypalError) -> ChargeOutcome {
        self.told(payment, operation, error);
        if let Some(reason) = error.issue().and_then(Issue::decline) {
            return declined(reason);
        }
        if error.issue() == Some(&Issue::OrderExpired) {
            return declined(TOO_LATE);
        }
        match (error.certainty(), error) {
            (_, PaypalError::RateLimited { .. }) => ChargeOutcome::Busy,
            // The order exists, and this account does not see it.
            (_, PaypalError::NotFound) | (Certainty::Failed | Certainty::Unknown, _) => ChargeOutcome::Unknown,
            (Certainty::NoEffect, _) => ChargeOutcome::Unavailable,
        }
    }
}

impl PaymentGateway for PaypalGateway {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn open<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, OpenOutcome> {
        Box::pin(async move {
            if let Some(id) = &payment.provider_id {
                return OpenOutcome::ById(id.clone());
            }
            let opened = match payment.method.parts() {
                (_, CHECKOUT) => self.try_create(payment).await,
                (_, id) => self.try_find(payment, id).await,
            };
            opened.unwrap_or_else(|error| OpenOutcome::Not(self.failed(payment, "open", &error)))
        })
    }

    fn charge<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return ChargeOutcome::Unknown };
            self.try_charge(payment, id).await.unwrap_or_else(|error| self.failed(payment, "charge", &error))
        })
    }

    fn look_up<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, LookUp> {
        Box::pin(async move {
            // No run authorises an order whose id is not stored.
            let Some(id) = &payment.provider_id else { return LookUp::NotFound };
            let order = match self.find(payment, id).await {
                Ok(Some(order)) => order,
                Ok(None) => return LookUp::Found(declined(TOO_LATE)),
                Err(error) => {
                    self.told(payment, "look_up", &error);
                    return LookUp::Unknown;
                }
            };
            let outcome = match self.expected(payment).standing(&order) {
                // An earlier call may still be on its way. PayPal authorises an order at most once
                // (`ORDER_ALREADY_AUTHORIZED`), so another one is safe.
                Standing::Approved => return LookUp::NotFound,
                Standing::Unapproved { approval_url } => self.action(payment, approval_url),
                Standing::Known(outcome) => outcome,
                Standing::Undecided => ChargeOutcome::Unknown,
                Standing::Foreign => self.foreign(payment, id),
            };
            if outcome == ChargeOutcome::Unknown { LookUp::Unknown } else { LookUp::Found(outcome) }
        })
    }

    /// Orders, authorizations and captures are followed; a capture that goes back changes itself, too.
    fn payment_of<'a>(&'a self, kind: &'a str, object: &'a str) -> BoxFuture<'a, Found> {
        Box::pin(async move {
            let note = if kind.starts_with("CHECKOUT.ORDER.") {
                self.client.get_order(object).await.map(|order| order.custom_id)
            } else if kind.starts_with("PAYMENT.AUTHORIZATION.") {
                self.client.get_authorization(object).await.map(|authorization| authorization.custom_id)
            } else if kind.starts_with("PAYMENT.CAPTURE.") {
                self.client.get_capture(object).await.map(|capture| capture.custom_id)
            } else {
                return Found::Nothing;
            };
            let about = note.map(|note| note.as_deref().and_then(About::of));
            found((&self.name, kind, object), about, |error| match error {
                PaypalError::NotFound | PaypalError::Invalid { .. } | PaypalError::Refused { .. } => true,
                PaypalError::InProgress
                | PaypalError::RateLimited { .. }
                | PaypalError::Auth
                | PaypalError::Server(_)
                | PaypalError::Amount(_)
                | PaypalError::NotSent
                | PaypalError::NoAnswer
                | PaypalError::Unreadable(_) => false,
            })
        })
    }

    fn abandon<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return ChargeOutcome::Unknown };
            self.or_unknown(payment, "abandon", self.try_abandon(payment, id).await)
        })
    }

    fn capture<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, CaptureOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return CaptureOutcome::Unknown };
            self.or_unknown(payment, "capture", self.try_capture(payment, id).await)
        })
    }

    fn refund<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, RefundOutcome> {
        Box::pin(async move {
            // The attempt says that it is being undone, so no run stores an id any more, and none authorises.
            let Some(id) = &payment.provider_id else { return RefundOutcome::Voided };
            self.or_unknown(payment, "refund", self.try_refund(payment, id).await)
        })
    }

    fn refund_part<'a>(&'a self, payment: &'a Payment, part: &'a Part) -> BoxFuture<'a, PartOutcome> {
        Box::pin(async move {
            let Some(id) = &payment.provider_id else { return PartOutcome::Unknown };
            self.or_unknown(payment, "refund_part", part::refund(&self.client, payment, id, part).await)
        })
    }
}

/// PayPal refuses to authorise the order because of its status. The order says which one it has.
fn is_about_status(error: &PaypalError) -> bool {
    let is_status = |issue: &Issue| {
        matches!(
            issue,
            Issue::OrderAlreadyAuthorized | Issue::OrderCompletedOrVoided | Issue::OrderNotApproved | Issue::PayerActionRequired
        )
    };
    *error == PaypalError::NotFound || error.issue().is_some_and(is_status)
}

/// The request id of one operation of an attempt. Orders v2 takes 108 characters, of which the longest key has 102. Payments v2
/// takes more, so there the id of the object is part of it.
fn request_id(payment: &Payment, operation: &str) -> String {
    format!("{}-{operation}", payment.key)
}

/// The shop's page, to which PayPal sends the shopper back. PayPal adds its own query.
fn back_url(page: &str, payment: &Payment, is_cancelled: bool) -> String {
    let query = Form::default().field("order_id", &payment.key.order.to_string());
    let query = if is_cancelled { query.field("cancelled", "true") } else { query };
    let (page, fragment) = page.split_once('#').map_or((page, String::new()), |(page, name)| (page, format!("#{name}")));
    let joint = if page.contains('?') { '&' } else { '?' };
    format!("{page}{joint}{}{fragment}", query.encoded())
}

#[cfg(test)]
mod tests;
