//! Why Stripe did not do what it was asked, and whether that is certain.

use crate::{
    amount::CannotCharge,
    http::{Answer, Certainty},
    stripe::{
        Intent, IntentStatus, PaymentError,
        answers::{ErrorBody, ErrorForm},
    },
};

/// The code of an error for an intent whose status does not allow the operation.
const UNEXPECTED_STATE: &str = "payment_intent_unexpected_state";

/// A call to Stripe that did not succeed. No variant holds a secret but an intent's `client_secret`, which does not print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StripeError {
    /// The payment method was refused (402).
    #[error("Stripe refused the payment method: {}", .why.code.as_deref().unwrap_or("no code"))]
    Card {
        /// Code, the issuer's reason, and a sentence for the shopper.
        why: PaymentError,
        /// The intent after the refusal, if Stripe sent it.
        intent: Option<Box<Intent>>,
    },
    /// The intent's status does not allow the operation.
    #[error("the intent {} is {}", .intent.id, .intent.status)]
    UnexpectedState {
        /// The intent as it is.
        intent: Box<Intent>,
    },
    /// The request is not valid, or the object does not exist (400, 404).
    /// Its sentence is not told: it may repeat the shopper's token.
    #[error("Stripe refused the request: {}, {}", .code.as_deref().unwrap_or("no code"), .param.as_deref().unwrap_or("no field"))]
    Invalid {
        /// Such as `resource_missing` or `charge_already_refunded`.
        code: Option<String>,
        /// The field at fault.
        param: Option<String>,
        /// A sentence for developers.
        message: Option<String>,
    },
    /// The idempotency key was used with other parameters. What the earlier request did is not said.
    #[error("the idempotency key was used for another request")]
    Idempotency,
    /// A request with this idempotency key is in progress (409). Its outcome is not known yet.
    #[error("a request with this idempotency key is in progress")]
    KeyInUse,
    /// Too many requests, or another request holds the object (429).
    #[error("Stripe is busy")]
    RateLimited {
        /// The wait that Stripe asks for, in seconds.
        retry_after: Option<u32>,
    },
    /// The secret key is wrong or lacks a permission (401, 403).
    #[error("Stripe does not accept the secret key")]
    Auth,
    /// Stripe failed (5xx), or a service that it depends on did (424).
    #[error("Stripe failed with status {0}")]
    Server(u16),
    /// The amount cannot be charged; nothing was sent.
    #[error(transparent)]
    Amount(#[from] CannotCharge),
    /// The request did not reach Stripe.
    #[error("Stripe could not be reached")]
    NotSent,
    /// The request was sent, and no whole answer came back in time.
    #[error("Stripe did not answer")]
    NoAnswer,
    /// The answer is not one that this version can read.
    #[error("Stripe's answer with status {0} cannot be read")]
    Unreadable(u16),
}

impl StripeError {
    /// What the error says about the effect of this one request.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        match self {
            Self::Amount(_)
            | Self::NotSent
            | Self::UnexpectedState { .. }
            | Self::Invalid { .. }
            | Self::Idempotency
            | Self::RateLimited { .. }
            | Self::Auth => Certainty::NoEffect,
            Self::Card { intent, .. } => match intent.as_ref().map(|intent| &intent.status) {
                None
                | Some(IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation | IntentStatus::Canceled) => {
                    Certainty::Failed
                }
                // Money is reserved or may move: only the intent itself shows its outcome.
                Some(
                    IntentStatus::RequiresAction
                    | IntentStatus::Processing
                    | IntentStatus::RequiresCapture
                    | IntentStatus::Succeeded
                    | IntentStatus::Other(_),
                ) => Certainty::Unknown,
            },
            Self::KeyInUse | Self::Server(_) | Self::NoAnswer | Self::Unreadable(_) => Certainty::Unknown,
        }
    }

    /// The error of an answer that is not a success.
    pub(super) fn of(answer: &Answer) -> Self {
        let status = answer.status;
        match status {
            401 | 403 => Self::Auth,
            409 => Self::KeyInUse,
            429 => Self::RateLimited { retry_after: answer.retry_after() },
            424 | 500..=599 => Self::Server(status),
            400 | 402 | 404 => match answer.json::<ErrorForm>() {
                Some(form) => Self::refused(status, form.error),
                None => Self::Unreadable(status),
            },
            _ => Self::Unreadable(status),
        }
    }

    fn refused(status: u16, error: ErrorBody) -> Self {
        let ErrorBody { kind, param, why, payment_intent } = error;
        match (kind.as_str(), why.code.as_deref(), payment_intent) {
            ("idempotency_error", _, _) => Self::Idempotency,
            ("card_error", _, intent) => Self::Card { why, intent },
            (_, Some(UNEXPECTED_STATE), Some(intent)) => Self::UnexpectedState { intent },
            // Stripe answers so when the payment failed although the request was valid.
            (_, _, intent) if status == 402 => Self::Card { why, intent },
            (_, _, _) => Self::Invalid { code: why.code, param, message: why.message },
        }
    }
}
