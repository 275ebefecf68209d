//! The statuses of a payment intent and what may be done in each: <https://docs.stripe.com/payments/paymentintents/lifecycle>.

/// Where a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It has no payment method, or the last one failed.
    RequiresPaymentMethod,
    /// It waits to be confirmed.
    RequiresConfirmation,
    /// The shopper has to authenticate.
    RequiresAction,
    /// The outcome comes later.
    Processing,
    /// The money is authorised.
    RequiresCapture,
    /// It is paid.
    Succeeded,
    /// It is over without money.
    Canceled,
}

/// What a client asks of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Confirm,
    Capture,
    Cancel,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::RequiresPaymentMethod,
        Self::RequiresConfirmation,
        Self::RequiresAction,
        Self::Processing,
        Self::RequiresCapture,
        Self::Succeeded,
        Self::Canceled,
    ];

    /// As the API writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    /// Why a step is impossible in this status, in Stripe's words. None if it is possible.
    pub(crate) fn refusal(self, step: Step) -> Option<String> {
        use Status::{
            Canceled, Processing, RequiresAction, RequiresCapture, RequiresConfirmation, RequiresPaymentMethod, Succeeded,
        };
        let status = self.name();
        match (step, self) {
            (Step::Confirm, RequiresPaymentMethod | RequiresConfirmation | RequiresAction)
            | (Step::Capture, RequiresCapture)
            | (Step::Cancel, RequiresPaymentMethod | RequiresConfirmation | RequiresAction | RequiresCapture) => None,
            (Step::Confirm, Succeeded) => Some(
                "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
                    .to_owned(),
            ),
            (Step::Confirm, Processing | RequiresCapture | Canceled) => Some(format!(
                "You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of the \
                 following statuses may be confirmed: requires_payment_method, requires_confirmation, requires_action."
            )),
            (Step::Capture, Succeeded) => {
                Some("This PaymentIntent could not be captured because it has already been captured.".to_owned())
            }
            (Step::Capture, RequiresPaymentMethod | RequiresConfirmation | RequiresAction | Processing | Canceled) => {
                Some(format!(
                    "This PaymentIntent could not be captured because it has a status of {status}. Only a PaymentIntent with one of \
                 the following statuses may be captured: requires_capture."
                ))
            }
            // Stripe cancels a processing payment "in rare cases". This fake never does, because clients must not count on it.
            (Step::Cancel, Processing | Succeeded | Canceled) => Some(format!(
                "You cannot cancel this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of the \
                 following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, \
                 requires_action."
            )),
        }
    }
}
