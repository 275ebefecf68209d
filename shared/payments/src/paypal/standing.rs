//! What an order at PayPal says about a payment. Nothing here asks PayPal.

use domain::{CaptureOutcome, ChargeOutcome, Currency, Money};

use crate::{
    Payment,
    paypal::{Amount, Authorization, AuthorizationStatus, Capture, CaptureStatus, Order, OrderIntent, OrderStatus},
};

const DECLINED: &str = "PayPal declined the payment.";
const CANCELLED: &str = "The payment was cancelled.";
const ANOTHER_PAYMENT: &str = "This PayPal payment does not belong to the order.";

/// Where a payment stands, by its order.
#[derive(Debug)]
pub(super) enum Standing {
    /// The shopper has not approved the order, and nothing is authorised.
    Unapproved {
        /// Where the shopper approves it.
        approval_url: Option<String>,
    },
    /// The order can be authorised, and is not.
    Approved,
    /// The outcome of the charge.
    Known(ChargeOutcome),
    /// PayPal has not decided, or the order says nothing that this version understands.
    Undecided,
    /// The order is authorised for another payment.
    Foreign,
}

/// What the captures of an order took of the shopper's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing: there are no captures, or PayPal refused them.
    Nothing,
    /// PayPal has not decided.
    Undecided,
    /// This amount, all of which went back.
    GivenBack(Money),
    /// This amount. A part of it may have gone back.
    Money(Money),
}

/// What an order has to be, so that it pays for a payment.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExpectedOrder<'a> {
    pub(super) payment: &'a Payment,
    /// The merchant id of the account that has to get the money.
    pub(super) merchant: Option<&'a str>,
}

impl ExpectedOrder<'_> {
    /// Whether the order that the shop's page made is for this payment. It names the shop's order, and no attempt.
    pub(super) fn is_made_for(self, order: &Order) -> bool {
        self.fits(order) && order.custom_id.as_deref() == Some(self.payment.key.order.to_string().as_str())
    }

    /// Whether the order is for this payment: its amount to the last digit, its order or attempt, the shop's account, and
    /// an authorisation first.
    pub(super) fn fits(self, order: &Order) -> bool {
        order.amount.as_ref().and_then(Amount::money) == Some(self.payment.amount)
            && order.custom_id.as_deref().is_some_and(|note| self.is_ours(note))
            && order.intent == Some(OrderIntent::Authorize)
            && self.merchant.is_none_or(|merchant| order.payee.as_deref() == Some(merchant))
    }

    fn is_ours(self, note: &str) -> bool {
        note == self.payment.key.to_string() || note == self.payment.key.order.to_string()
    }

    /// Whether the money of the authorization is this payment's.
    pub(super) fn owns(self, order: &Order, authorization: &Authorization) -> bool {
        let notes = [&authorization.custom_id, &order.custom_id];
        let mut notes = notes.into_iter().flatten().peekable();
        notes.peek().is_some() && notes.all(|note| self.is_ours(note))
    }

    pub(super) fn standing(self, order: &Order) -> Standing {
        if let Some(authorization) = order.authorizations.last() {
            return if self.owns(order, authorization) { self.outcome(order, authorization) } else { Standing::Foreign };
        }
        match order.status {
            OrderStatus::Created | OrderStatus::Saved | OrderStatus::PayerActionRequired | OrderStatus::Approved
                if !self.fits(order) =>
            {
                Standing::Known(declined(ANOTHER_PAYMENT))
            }
            OrderStatus::Created | OrderStatus::Saved | OrderStatus::PayerActionRequired => {
                Standing::Unapproved { approval_url: order.approval_url.clone() }
            }
            OrderStatus::Approved => Standing::Approved,
            OrderStatus::Voided => Standing::Known(declined(CANCELLED)),
            OrderStatus::Completed | OrderStatus::Other(_) => Standing::Undecided,
        }
    }

    fn outcome(self, order: &Order, authorization: &Authorization) -> Standing {
        let reference = authorization.id.clone();
        let reserved = authorization.amount.as_ref().and_then(Amount::money);
        match (&authorization.status, taken(&order.captures, self.payment.amount.currency())) {
            // Less than the order's amount must not be sold for.
            (AuthorizationStatus::Created, Taken::Nothing) if reserved == Some(self.payment.amount) => {
                Standing::Known(ChargeOutcome::Authorised { reference })
            }
            (AuthorizationStatus::Denied, Taken::Nothing) => Standing::Known(declined(DECLINED)),
            // An authorization that nobody voided is VOIDED after 29 days.
            (AuthorizationStatus::Voided, Taken::Nothing) => Standing::Known(declined(CANCELLED)),
            (
                AuthorizationStatus::Captured | AuthorizationStatus::PartiallyCaptured | AuthorizationStatus::Voided,
                Taken::Money(confirmed),
            ) => Standing::Known(ChargeOutcome::Charged { reference, confirmed }),
            (AuthorizationStatus::Captured | AuthorizationStatus::Voided, Taken::GivenBack(_)) => {
                Standing::Known(declined(CANCELLED))
            }
            (
                AuthorizationStatus::Created
                | AuthorizationStatus::Pending
                | AuthorizationStatus::Captured
                | AuthorizationStatus::PartiallyCaptured
                | AuthorizationStatus::Voided
                | AuthorizationStatus::Denied
                | AuthorizationStatus::Other(_),
                Taken::Nothing | Taken::Undecided | Taken::GivenBack(_) | Taken::Money(_),
            ) => Standing::Undecided,
        }
    }

    /// The authorization that can be captured now.
    ///
    /// # Errors
    /// The outcome of the capture, if nothing can be captured now.
    pub(super) fn to_capture(self, order: &Order) -> Result<&Authorization, CaptureOutcome> {
        let Some(authorization) = order.authorizations.last() else {
            return Err(match order.status {
                OrderStatus::Created
                | OrderStatus::Saved
                | OrderStatus::PayerActionRequired
                | OrderStatus::Approved
                | OrderStatus::Voided => refused("nothing is authorised"),
                OrderStatus::Completed | OrderStatus::Other(_) => CaptureOutcome::Unknown,
            });
        };
        if !self.owns(order, authorization) {
            return Err(CaptureOutcome::Unknown);
        }
        match (taken(&order.captures, self.payment.amount.currency()), &authorization.status) {
            (Taken::Money(confirmed), _) => Err(CaptureOutcome::Captured { confirmed }),
            (Taken::GivenBack(_), _) => Err(refused("the money went back")),
            (Taken::Nothing, AuthorizationStatus::Created) if order.captures.is_empty() => Ok(authorization),
            (Taken::Nothing, AuthorizationStatus::Created) => Err(refused("PayPal refused the capture")),
            (Taken::Nothing, AuthorizationStatus::Voided) => Err(refused("the authorization is void, or has expired")),
            (Taken::Nothing, AuthorizationStatus::Denied) => Err(refused("PayPal denied the authorization")),
            (
                Taken::Nothing,
                AuthorizationStatus::Pending
                | AuthorizationStatus::Captured
                | AuthorizationStatus::PartiallyCaptured
                | AuthorizationStatus::Other(_),
            )
            | (Taken::Undecided, _) => Err(CaptureOutcome::Unknown),
        }
    }

    /// The outcome by the answer to a capture.
    pub(super) fn captured(self, capture: &Capture) -> CaptureOutcome {
        match taken(std::slice::from_ref(capture), self.payment.amount.currency()) {
            Taken::Money(confirmed) => CaptureOutcome::Captured { confirmed },
            Taken::GivenBack(_) => refused("the money went back"),
            Taken::Nothing => refused("PayPal refused the capture"),
            Taken::Undecided => CaptureOutcome::Unknown,
        }
    }
}

/// What these captures took together. There is one, unless an operator captured parts.
pub(super) fn taken(captures: &[Capture], currency: Currency) -> Taken {
    let (mut sum, mut all_is_back) = (0_i64, true);
    for capture in captures {
        match capture.status {
            CaptureStatus::Declined | CaptureStatus::Failed => continue,
            CaptureStatus::Pending | CaptureStatus::Other(_) => return Taken::Undecided,
            CaptureStatus::Completed | CaptureStatus::PartiallyRefunded => all_is_back = false,
            CaptureStatus::Refunded => {}
        }
        let Some(minor) = minor(capture.amount.as_ref(), currency) else { return Taken::Undecided };
        sum = sum.saturating_add(minor);
    }
    match Money::new(sum, currency) {
        Ok(money) if all_is_back => Taken::GivenBack(money),
        Ok(money) => Taken::Money(money),
        Err(_) if sum == 0 => Taken::Nothing,
        Err(_) => Taken::Undecided,
    }
}

/// An amount of this currency in minor units.
pub(super) fn minor(amount: Option<&Amount>, currency: Currency) -> Option<i64> {
    amount.and_then(Amount::money).filter(|money| money.currency() == currency).map(Money::amount_minor)
}

pub(super) fn declined(reason: &str) -> ChargeOutcome {
    ChargeOutcome::Declined { reason: reason.to_owned() }
}

fn refused(reason: &str) -> CaptureOutcome {
    CaptureOutcome::Refused { reason: reason.to_owned() }
}
