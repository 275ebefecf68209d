//! A gateway that moves no money but behaves like one that does. It recognises idempotency keys and looks charges up.
//! It fails in every way that matters; the payment method selects which. Its books are items in DynamoDB.

use domain::{
    Action, CaptureOutcome, ChargeOutcome, GatewayName, IdempotencyKey, Money, PartOutcome, PaymentMethod, RefundOutcome,
    SandboxMethod,
};
use futures_util::future::{self, BoxFuture};
use store::{Entry, EntryState, SandboxBooks, StoreError};

use crate::{Found, LookUp, OpenOutcome, Part, Payment, PaymentGateway};

/// The gateway that is down for `sandbox:primary-down`. Sandboxes with other names are up for it.
const PRIMARY: &str = "sandbox";

/// How often a part is tried while other parts of the same charge are given back.
const PARTS_AT_ONCE: usize = 5;

/// What the sandbox does for a payment method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    /// Authorises.
    Authorised,
    /// Authorises; the answer to the first call is lost.
    AuthorisedButAnswerLost,
    /// Cannot authorise: charges.
    Ok,
    /// Declines, with this reason.
    Declined(&'static str),
    /// The first call ends in a time-out without a charge; the next one charges.
    TimeoutThenOk,
    /// Down, certainly without a charge.
    Down,
    /// Down, until a call is in the books; the next one charges.
    DownAtFirst,
    /// Charges; the answer to the first call is lost.
    ChargedButAnswerLost,
    /// Charges one minor unit less than requested, so that the order cannot be completed.
    WrongAmount,
    /// As `WrongAmount`, and the first refund fails.
    RefundFailsOnce,
    /// The shopper has to act, and does so at once.
    ActionPassed,
    /// The shopper has to act, and never does.
    ActionAbandoned,
}

impl Behaviour {
    fn of(method: &PaymentMethod, gateway: &GatewayName) -> Self {
        match SandboxMethod::of(method) {
            Some(SandboxMethod::Declined) => Self::Declined("The card was declined."),
            Some(SandboxMethod::TimeoutThenOk) => Self::TimeoutThenOk,
            Some(SandboxMethod::Down) => Self::Down,
            Some(SandboxMethod::DownAtFirst) => Self::DownAtFirst,
            Some(SandboxMethod::PrimaryDown) if gateway.0 == PRIMARY => Self::Down,
            Some(
                SandboxMethod::Ok
                | SandboxMethod::CaptureRefused
                | SandboxMethod::CapturedButAnswerLost
                | SandboxMethod::RefundedButAnswerLost
                | SandboxMethod::RefundRefused,
            ) => Self::Authorised,
            Some(SandboxMethod::AuthorisedButAnswerLost) => Self::AuthorisedButAnswerLost,
            Some(SandboxMethod::ChargedAtOnce | SandboxMethod::PrimaryDown) => Self::Ok,
            Some(SandboxMethod::ChargedButAnswerLost) => Self::ChargedButAnswerLost,
            Some(SandboxMethod::WrongAmount) => Self::WrongAmount,
            Some(SandboxMethod::RefundFailsOnce) => Self::RefundFailsOnce,
            Some(SandboxMethod::ActionPassed) => Self::ActionPassed,
            Some(SandboxMethod::ActionAbandoned) => Self::ActionAbandoned,
            // Another provider's, or one that was sent before such methods were refused.
            None => Self::Declined("The payment method is not known."),
        }
    }

    /// The amount that the sandbox confirms when it is asked to charge `amount`.
    fn confirms(self, amount: Money) -> Money {
        match self {
            Self::WrongAmount | Self::RefundFailsOnce => {
                let other = if amount.amount_minor() > 1 { amount.amount_minor() - 1 } else { 2 };
                Money::new(other, amount.currency()).unwrap_or(amount)
            }
            Self::Authorised
            | Self::AuthorisedButAnswerLost
            | Self::Ok
            | Self::Declined(_)
            | Self::TimeoutThenOk
            | Self::Down
            | Self::DownAtFirst
            | Self::ChargedButAnswerLost
            | Self::ActionPassed
            | Self::ActionAbandoned => amount,
        }
    }
}

/// The sandbox gateway.
#[derive(Debug, Clone)]
pub struct Sandbox {
    name: GatewayName,
    books: SandboxBooks,
}

impl Sandbox {
    /// A sandbox called `name` that keeps its books in `books`.
    #[must_use]
    pub fn new(name: GatewayName, books: SandboxBooks) -> Self {
        Self { name, books }
    }

    async fn try_charge(&self, payment: &Payment) -> Result<ChargeOutcome, StoreError> {
        let Payment { key, amount, method, .. } = payment;
        let amount = *amount;
        let behaviour = Behaviour::of(method, &self.name);
        if behaviour == Behaviour::Down {
            return Ok(ChargeOutcome::Unavailable);
        }
        let known = self.books.get(&self.name, key).await?;
        let asked_before = known.is_some();
        if let Some(known) = known.filter(|entry| entry.state != EntryState::Called) {
            return Ok(self.answer_again(key, &known, amount, method));
        }
        let entry = |state| Entry::asked(state, amount, behaviour.confirms(amount), method);
        match behaviour {
            Behaviour::Declined(_) => self.settle(key, &entry(EntryState::Declined), amount, method).await,
            Behaviour::TimeoutThenOk if !asked_before => {
                self.books.settle(&self.name, key, &entry(EntryState::Called)).await?;
                Ok(ChargeOutcome::Unknown)
            }
            Behaviour::DownAtFirst if !asked_before => {
                let settled = self.books.settle(&self.name, key, &entry(EntryState::Called)).await?;
                // Since the books were read, other calls may have come and one of them may have charged.
                let is_down = settled.state == EntryState::Called;
                Ok(if is_down { ChargeOutcome::Unavailable } else { self.answer_again(key, &settled, amount, method) })
            }
            Behaviour::ChargedButAnswerLost if !asked_before => {
                self.books.settle(&self.name, key, &entry(EntryState::Charged)).await?;
                Ok(ChargeOutcome::Unknown)
            }
            Behaviour::AuthorisedButAnswerLost if !asked_before => {
                self.books.settle(&self.name, key, &entry(EntryState::Authorised)).await?;
                Ok(ChargeOutcome::Unknown)
            }
            Behaviour::ActionPassed if !asked_before => {
                self.wait_for_shopper(key, &entry(EntryState::Called), amount, method).await
            }
            Behaviour::ActionAbandoned => self.wait_for_shopper(key, &entry(EntryState::Called), amount, method).await,
            Behaviour::Authorised | Behaviour::AuthorisedButAnswerLost | Behaviour::ActionPassed => {
                self.settle(key, &entry(EntryState::Authorised), amount, method).await
            }
            Behaviour::Ok
            | Behaviour::TimeoutThenOk
            | Behaviour::ChargedButAnswerLost
            | Behaviour::WrongAmount
            | Behaviour::RefundFailsOnce
            | Behaviour::Down
            | Behaviour::DownAtFirst => self.settle(key, &entry(EntryState::Charged), amount, method).await,
        }
    }

    async fn settle(
        &self,
        key: &IdempotencyKey,
        entry: &Entry,
        amount: Money,
        method: &PaymentMethod,
    ) -> Result<ChargeOutcome, StoreError> {
        let settled = self.books.settle(&self.name, key, entry).await?;
        Ok(self.answer_again(key, &settled, amount, method))
    }

    async fn wait_for_shopper(
        &self,
        key: &IdempotencyKey,
        called: &Entry,
        amount: Money,
        method: &PaymentMethod,
    ) -> Result<ChargeOutcome, StoreError> {
        let settled = self.books.settle(&self.name, key, called).await?;
        let waits = settled.state == EntryState::Called;
        Ok(if waits { self.action(key) } else { self.answer_again(key, &settled, amount, method) })
    }

    /// The sandbox has no pages, so there is nothing behind the link.
    fn action(&self, key: &IdempotencyKey) -> ChargeOutcome {
        ChargeOutcome::RequiresAction(Action::Redirect { url: format!("https://sandbox.invalid/{}/{key}", self.name) })
    }

    /// The same key with the same parameters gets the same answer. With other parameters, providers refuse to answer.
    fn answer_again(&self, key: &IdempotencyKey, entry: &Entry, amount: Money, method: &PaymentMethod) -> ChargeOutcome {
        let voided = entry.state == EntryState::Voided;
        if !voided && (entry.asked != Some(amount) || entry.method.as_ref() != Some(method)) {
            tracing::error!(gateway = %self.name, %key, "the idempotency key was used for another amount or payment method");
            return ChargeOutcome::Unknown;
        }
        self.outcome(key, entry)
    }

    fn outcome(&self, key: &IdempotencyKey, entry: &Entry) -> ChargeOutcome {
        let declined = |reason: &str| ChargeOutcome::Declined { reason: reason.to_owned() };
        let reference = || self.reference(key);
        match (entry.state, entry.confirmed) {
            (EntryState::Authorised, _) => ChargeOutcome::Authorised { reference: reference() },
            (EntryState::Charged, Some(confirmed)) => ChargeOutcome::Charged { reference: reference(), confirmed },
            (EntryState::Declined, _) => match entry.method.as_ref().map(|method| Behaviour::of(method, &self.name)) {
                Some(Behaviour::Declined(reason)) => declined(reason),
                Some(_) | None => declined("The payment was declined."),
            },
            (EntryState::Voided | EntryState::Refunded, _) => declined("The payment was cancelled."),
            (EntryState::Called | EntryState::Charged, _) => ChargeOutcome::Unknown,
        }
    }

    /// The transaction id of a charge.
    fn reference(&self, key: &IdempotencyKey) -> String {
        format!("{}_{key}", self.name)
    }

    async fn try_look_up(&self, key: &IdempotencyKey) -> Result<LookUp, StoreError> {
        Ok(match self.books.get(&self.name, key).await? {
            Some(entry) if entry.state != EntryState::Called => LookUp::Found(self.outcome(key, &entry)),
            Some(entry) if entry.method.as_ref().and_then(SandboxMethod::of) == Some(SandboxMethod::ActionAbandoned) => {
                LookUp::Found(self.action(key))
            }
            Some(_) | None => LookUp::NotFound,
        })
    }

    async fn try_abandon(&self, key: &IdempotencyKey) -> Result<ChargeOutcome, StoreError> {
        let before = self.books.get(&self.name, key).await?;
        let entry = match before {
            Some(entry) if entry.state != EntryState::Called => entry,
            Some(_) | None => self.books.void(&self.name, key).await?,
        };
        Ok(self.outcome(key, &entry))
    }

    async fn try_capture(&self, key: &IdempotencyKey) -> Result<CaptureOutcome, StoreError> {
        let refused = |reason: &str| Ok(CaptureOutcome::Refused { reason: reason.to_owned() });
        let Some(before) = self.books.get(&self.name, key).await? else { return refused("nothing is authorised") };
        let method = before.method.as_ref().and_then(SandboxMethod::of);
        let captures_now = before.state == EntryState::Authorised;
        if captures_now && method == Some(SandboxMethod::CaptureRefused) {
            return refused("the payment method says so");
        }
        let entry = if captures_now { self.books.capture(&self.name, key).await? } else { Some(before) };
        match entry.map(|entry| (entry.state, entry.confirmed)) {
            Some((EntryState::Charged, Some(_))) if captures_now && method == Some(SandboxMethod::CapturedButAnswerLost) => {
                Ok(CaptureOutcome::Unknown)
            }
            Some((EntryState::Charged, Some(confirmed))) => Ok(CaptureOutcome::Captured { confirmed }),
            Some((EntryState::Charged, None)) | None => Ok(CaptureOutcome::Unknown),
            Some((
                EntryState::Called | EntryState::Authorised | EntryState::Declined | EntryState::Refunded | EntryState::Voided,
                _,
            )) => refused("nothing is authorised"),
        }
    }

    async fn try_refund(&self, key: &IdempotencyKey) -> Result<RefundOutcome, StoreError> {
        let entry = match self.books.get(&self.name, key).await? {
            Some(entry) => entry,
            None => self.books.void(&self.name, key).await?,
        };
        let entry = match entry.state {
            EntryState::Called | EntryState::Authorised | EntryState::Declined => self.books.void(&self.name, key).await?,
            EntryState::Charged | EntryState::Refunded | EntryState::Voided => entry,
        };
        match entry.state {
            EntryState::Voided => Ok(RefundOutcome::Voided),
            EntryState::Refunded => Ok(RefundOutcome::Refunded),
            EntryState::Called | EntryState::Authorised | EntryState::Declined => Ok(RefundOutcome::Unknown),
            EntryState::Charged => {
                let fails_once = entry.method.as_ref().and_then(SandboxMethod::of) == Some(SandboxMethod::RefundFailsOnce);
                let calls = self.books.count_refund_call(&self.name, key).await?;
                if fails_once && calls == 1 {
                    return Ok(RefundOutcome::Unknown);
                }
                let refunded = self.books.refund(&self.name, key).await?.is_some_and(|entry| entry.state == EntryState::Refunded);
                Ok(if refunded { RefundOutcome::Refunded } else { RefundOutcome::Unknown })
            }
        }
    }

    /// Other parts may be given back at the same time, so an entry that has changed is read again.
    async fn try_refund_part(&self, key: &IdempotencyKey, part: &Part) -> Result<PartOutcome, StoreError> {
        let refused = |reason: &str| Ok(PartOutcome::Refused { reason: reason.to_owned() });
        for _ in 0..PARTS_AT_ONCE {
            let Some(before) = self.books.get(&self.name, key).await? else { return refused("nothing was charged") };
            if before.parts.contains(&part.number) {
                return Ok(PartOutcome::Refunded);
            }
            let method = before.method.as_ref().and_then(SandboxMethod::of);
            let charged = before.confirmed.filter(|_| before.state == EntryState::Charged).map_or(0, Money::amount_minor);
            if method == Some(SandboxMethod::RefundRefused) {
                return refused("the payment method says so");
            }
            if before.refunded_minor.saturating_add(part.amount.amount_minor()) > charged {
                return refused("it is more than is left of the charge");
            }
            if self.books.refund_part(&self.name, key, &before, (part.number, part.amount)).await? {
                let is_lost = method == Some(SandboxMethod::RefundedButAnswerLost);
                return Ok(if is_lost { PartOutcome::Unknown } else { PartOutcome::Refunded });
            }
        }
        Ok(PartOutcome::Unknown)
    }

    fn unanswered(&self, key: &IdempotencyKey, error: &StoreError) {
        tracing::warn!(gateway = %self.name, %key, error = %error, cause = ?error, "the sandbox's books did not answer");
    }
}

impl PaymentGateway for Sandbox {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn is_one_service(&self) -> bool {
        false
    }

    fn open<'a>(&'a self, _payment: &'a Payment) -> BoxFuture<'a, OpenOutcome> {
        Box::pin(future::ready(OpenOutcome::ByKey))
    }

    fn charge<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome> {
        Box::pin(async move {
            self.try_charge(payment).await.unwrap_or_else(|error| {
                self.unanswered(&payment.key, &error);
                ChargeOutcome::Unknown
            })
        })
    }

    fn look_up<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, LookUp> {
        Box::pin(async move {
            self.try_look_up(&payment.key).await.unwrap_or_else(|error| {
                self.unanswered(&payment.key, &error);
                LookUp::Unknown
            })
        })
    }

    /// The sandbox delivers no events.
    fn payment_of<'a>(&'a self, _kind: &'a str, _object: &'a str) -> BoxFuture<'a, Found> {
        Box::pin(future::ready(Found::Nothing))
    }

    fn abandon<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, ChargeOutcome> {
        Box::pin(async move {
            self.try_abandon(&payment.key).await.unwrap_or_else(|error| {
                self.unanswered(&payment.key, &error);
                ChargeOutcome::Unknown
            })
        })
    }

    fn capture<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, CaptureOutcome> {
        Box::pin(async move {
            self.try_capture(&payment.key).await.unwrap_or_else(|error| {
                self.unanswered(&payment.key, &error);
                CaptureOutcome::Unknown
            })
        })
    }

    fn refund<'a>(&'a self, payment: &'a Payment) -> BoxFuture<'a, RefundOutcome> {
        Box::pin(async move {
            self.try_refund(&payment.key).await.unwrap_or_else(|error| {
                self.unanswered(&payment.key, &error);
                RefundOutcome::Unknown
            })
        })
    }

    fn refund_part<'a>(&'a self, payment: &'a Payment, part: &'a Part) -> BoxFuture<'a, PartOutcome> {
        Box::pin(async move {
            self.try_refund_part(&payment.key, part).await.unwrap_or_else(|error| {
                self.unanswered(&payment.key, &error);
                PartOutcome::Unknown
            })
        })
    }
}
