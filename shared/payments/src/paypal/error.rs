//! Why PayPal did not do what it was asked, and whether that is certain.

use crate::{
    amount::CannotCharge,
    http::{Answer, Certainty},
    paypal::answers::{ErrorForm, Link},
    words::words,
};

words! {
    /// What PayPal finds fault with. Source: the issues in PayPal's API specifications `checkout_orders_v2` and
    /// `payments_payment_v2`.
    Issue {
        /// The shopper has not approved the order.
        OrderNotApproved = "ORDER_NOT_APPROVED",
        /// The shopper has to act again, at the approval URL.
        PayerActionRequired = "PAYER_ACTION_REQUIRED",
        /// The order has its authorization already.
        OrderAlreadyAuthorized = "ORDER_ALREADY_AUTHORIZED",
        /// The order is over.
        OrderCompletedOrVoided = "ORDER_COMPLETED_OR_VOIDED",
        /// The shopper took too long to approve.
        OrderExpired = "ORDER_EXPIRED",
        /// There is no object with this id.
        InvalidResourceId = "INVALID_RESOURCE_ID",
        /// The bank refused; another payment method may work.
        InstrumentDeclined = "INSTRUMENT_DECLINED",
        /// PayPal refused.
        TransactionRefused = "TRANSACTION_REFUSED",
        /// The shopper's account cannot pay this.
        PayerCannotPay = "PAYER_CANNOT_PAY",
        /// The shopper's account is locked or closed.
        PayerAccountLockedOrClosed = "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        /// The shopper's account is restricted.
        PayerAccountRestricted = "PAYER_ACCOUNT_RESTRICTED",
        /// The card is out of date.
        CardExpired = "CARD_EXPIRED",
        /// The processor refused.
        PaymentSourceDeclined = "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR",
        /// Too much for the shopper's account.
        TransactionLimitExceeded = "TRANSACTION_LIMIT_EXCEEDED",
        /// A law forbids it.
        ComplianceViolation = "COMPLIANCE_VIOLATION",
        /// The order was tried too often.
        TooManyAttempts = "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
        /// The authorization was refused.
        AuthorizationDenied = "AUTHORIZATION_DENIED",
        /// The authorization was captured.
        AuthorizationAlreadyCaptured = "AUTHORIZATION_ALREADY_CAPTURED",
        /// The authorization was voided.
        AuthorizationVoided = "AUTHORIZATION_VOIDED",
        /// The authorization is too old.
        AuthorizationExpired = "AUTHORIZATION_EXPIRED",
        /// To be voided, but captured.
        PreviouslyCaptured = "PREVIOUSLY_CAPTURED",
        /// To be voided, and voided already.
        PreviouslyVoided = "PREVIOUSLY_VOIDED",
        /// To be voided, but of a kind that is not.
        CannotBeVoided = "CANNOT_BE_VOIDED",
        /// To be refunded, and refunded already.
        CaptureFullyRefunded = "CAPTURE_FULLY_REFUNDED",
        /// More than what is left to refund.
        RefundAmountExceeded = "REFUND_AMOUNT_EXCEEDED",
        /// To be refunded, but the capture is pending.
        PendingCapture = "PENDING_CAPTURE",
        /// Too late to refund.
        RefundTimeLimitExceeded = "REFUND_TIME_LIMIT_EXCEEDED",
        /// This account may not refund this.
        RefundNotAllowed = "REFUND_NOT_ALLOWED",
    }
}

impl Issue {
    /// A sentence for the shopper whose payment PayPal tried and refused; `None` if the issue is about the request or the
    /// object's status. Of everything about fraud and accounts it says only that PayPal declined.
    #[must_use]
    pub fn decline(&self) -> Option<&'static str> {
        match self {
            Self::InstrumentDeclined | Self::PaymentSourceDeclined => {
                Some("The bank or card that you chose at PayPal declined the payment. Choose another one there.")
            }
            Self::CardExpired => Some("The card has expired."),
            Self::TransactionLimitExceeded => Some("The payment exceeds the limit of the PayPal account."),
            Self::TooManyAttempts => Some("The payment was tried too often. Start a new one."),
            Self::TransactionRefused
            | Self::PayerCannotPay
            | Self::PayerAccountLockedOrClosed
            | Self::PayerAccountRestricted
            | Self::ComplianceViolation
            | Self::AuthorizationDenied
            // PayPal has many reasons, of the shopper, of the shop and of laws, and adds more.
            | Self::Other(_) => Some("PayPal declined the payment."),
            Self::OrderNotApproved
            | Self::PayerActionRequired
            | Self::OrderAlreadyAuthorized
            | Self::OrderCompletedOrVoided
            | Self::OrderExpired
            | Self::InvalidResourceId
            | Self::AuthorizationAlreadyCaptured
            | Self::AuthorizationVoided
            | Self::AuthorizationExpired
            | Self::PreviouslyCaptured
            | Self::PreviouslyVoided
            | Self::CannotBeVoided
            | Self::CaptureFullyRefunded
            | Self::RefundAmountExceeded
            | Self::PendingCapture
            | Self::RefundTimeLimitExceeded
            | Self::RefundNotAllowed => None,
        }
    }
}

/// A call to PayPal that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaypalError {
    /// The request is well-formed, and PayPal refused it (422).
    #[error("PayPal refused: {issue}")]
    Refused {
        /// What it finds fault with first.
        issue: Issue,
        /// A sentence for developers.
        description: Option<String>,
        /// Names the call to PayPal's support.
        debug_id: Option<String>,
        /// Where the shopper can put it right.
        payer_url: Option<String>,
    },
    /// The request is malformed (400): a fault of this program.
    #[error("PayPal does not read the request: {issue}")]
    Invalid {
        /// What it finds fault with first.
        issue: Issue,
        /// A sentence for developers.
        description: Option<String>,
        /// Names the call to PayPal's support.
        debug_id: Option<String>,
    },
    /// There is no such object (404).
    #[error("PayPal knows no such object")]
    NotFound,
    /// An earlier request for this object, or with this id, is in progress (409). Its outcome is not known yet.
    #[error("an earlier request is in progress")]
    InProgress,
    /// Too many requests (429).
    #[error("PayPal is busy")]
    RateLimited {
        /// The wait that PayPal asks for, in seconds.
        retry_after: Option<u32>,
    },
    /// The client's id or secret is wrong or lacks a permission (401 with a fresh token, 403).
    #[error("PayPal does not accept the client's credentials")]
    Auth,
    /// PayPal failed (5xx).
    #[error("PayPal failed with status {0}")]
    Server(u16),
    /// The amount cannot be charged; nothing was sent.
    #[error(transparent)]
    Amount(#[from] CannotCharge),
    /// The request did not reach PayPal, or there was no token to send it with.
    #[error("PayPal could not be reached")]
    NotSent,
    /// The request was sent, and no whole answer came back in time.
    #[error("PayPal did not answer")]
    NoAnswer,
    /// The answer is not one that this version can read.
    #[error("PayPal's answer with status {0} cannot be read")]
    Unreadable(u16),
}

impl PaypalError {
    /// What the error says about the effect of this one request.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        match self {
            Self::Refused { issue, .. } if issue.decline().is_some() => Certainty::Failed,
            Self::Refused { .. }
            | Self::Invalid { .. }
            | Self::NotFound
            | Self::RateLimited { .. }
            | Self::Auth
            | Self::Amount(_)
            | Self::NotSent => Certainty::NoEffect,
            Self::InProgress | Self::Server(_) | Self::NoAnswer | Self::Unreadable(_) => Certainty::Unknown,
        }
    }

    /// What PayPal finds fault with in a well-formed request.
    #[must_use]
    pub fn issue(&self) -> Option<&Issue> {
        if let Self::Refused { issue, .. } = self { Some(issue) } else { None }
    }

    /// The error of an answer that is not a success.
    pub(super) fn of(answer: &Answer) -> Self {
        let status = answer.status;
        match status {
            401 | 403 => Self::Auth,
            404 => Self::NotFound,
            409 => Self::InProgress,
            429 => Self::RateLimited { retry_after: answer.retry_after() },
            500..=599 => Self::Server(status),
            400 | 422 => match answer.json::<ErrorForm>() {
                Some(form) => Self::refused(status, form),
                None => Self::Unreadable(status),
            },
            _ => Self::Unreadable(status),
        }
    }

    fn refused(status: u16, form: ErrorForm) -> Self {
        let (issue, description) = match form.details.into_iter().next() {
            Some(detail) => (detail.issue.or(form.name), detail.description.or(form.message)),
            None => (form.name, form.message),
        };
        let Some(issue) = issue.map(Issue::from) else { return Self::Unreadable(status) };
        let debug_id = form.debug_id;
        if status == 422 {
            Self::Refused { issue, description, debug_id, payer_url: Link::for_payer(form.links) }
        } else {
            Self::Invalid { issue, description, debug_id }
        }
    }
}
