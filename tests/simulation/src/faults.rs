//! The faults by name, with their probabilities and counts. Services and actors ask the world whether a fault strikes,
//! and then act accordingly.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A request takes effect, and its answer never arrives.
    AnswerLost,
    /// A request never arrives.
    RequestLost,
    /// A request takes seconds to arrive, even if its caller has given up or died in the meantime.
    RequestLate,
    /// A service refuses because it had too many requests.
    Throttling,
    /// A service refuses because of another write to the same reservation or order.
    TransactionConflict,
    /// A function dies at one of its calls, before or after the call took effect.
    Kill,
    /// A function starts in a new environment although an old one is free.
    Cold,
    /// A queue delivers a message twice.
    MessageDuplicated,
    /// A queue delivers a message minutes late, and so after later messages.
    MessageDelayed,
    /// A queue takes only some messages of a request.
    HalfSent,
    /// A queue worker reports a message as failed that it has handled.
    HalfBatch,
    /// A stream delivers records again from an earlier place, in order.
    StreamDuplicated,
    /// A stream delivers records half a minute late.
    StreamLate,
    /// A stream consumer reports a record as failed that it has handled.
    HalfStreamBatch,
    /// TTL deletes a hold in the seconds after its end. Without this fault, TTL comes days late, after the history.
    Ttl,
    /// The message at the end of a hold never arrives.
    ExpiryLost,
    /// A schedule runs its function twice at the same time.
    ScheduleTwice,
    /// An execution of the saga is aborted. The function that it has invoked continues.
    SagaAborted,
    /// An execution of the saga ends before its first state.
    SagaNeverStarted,
    /// A task of the saga fails as if it had used up its retries.
    RetriesUsedUp,
    /// A payment method is declined.
    Declined,
    /// A gateway is down, and has certainly not charged.
    GatewayDown,
    /// A gateway's first answer is a time-out without a charge.
    GatewaySlow,
    /// A gateway charges, but its answer is lost.
    GatewayAnswerLost,
    /// A gateway refuses to capture what it has authorised.
    CaptureRefused,
    /// A gateway confirms another amount, so the order must be refunded.
    WrongAmount,
    /// A payment provider refuses a call because it had too many.
    ProviderBusy,
    /// A payment provider answers 500, and has or has not done what it was asked for.
    ProviderFails,
    /// A payment provider answers after up to eight seconds. Its clients wait for four.
    ProviderSlow,
    /// A shopper has to act at the provider, and fails at it.
    ActionFailed,
    /// A shopper has to act at the provider, and never does.
    ActionAbandoned,
    /// A shopper has to act at the provider, and does so when the time for it ends.
    ActionLate,
    /// A provider gets the money of a payment up to two minutes after it has said that the payment is declined.
    LateMoney,
    /// An event of a provider never arrives.
    WebhookLost,
    /// An event of a provider arrives twice at once.
    WebhookDuplicated,
    /// An event of a provider arrives up to a minute and a half late, and so after later events.
    WebhookLate,
    /// The clock of an environment is up to 2 s off.
    ClockSkew,
    /// The clock of an environment jumps, within 2 s of the true time.
    ClockJump,
    /// An operator pauses the sale for some seconds.
    SalePaused,
    /// An operator adds units to the sale.
    SaleRestocked,
    /// An operator closes the sale before its end.
    SaleClosed,
    /// An operator lets the sale end earlier.
    SaleShortened,
    /// An operator deletes the sale.
    SaleDeleted,
    /// An operator refunds a completed order, whole or in part.
    OrderRefunded,
    /// A gateway refuses an operator's refund.
    RefundRefused,
    /// A gateway refunds what an operator asked for, but its answer is lost.
    RefundAnswerLost,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 46] = [
        Self::AnswerLost,
        Self::RequestLost,
        Self::RequestLate,
        Self::Throttling,
        Self::TransactionConflict,
        Self::Kill,
        Self::Cold,
        Self::MessageDuplicated,
        Self::MessageDelayed,
        Self::HalfSent,
        Self::HalfBatch,
        Self::StreamDuplicated,
        Self::StreamLate,
        Self::HalfStreamBatch,
        Self::Ttl,
        Self::ExpiryLost,
        Self::ScheduleTwice,
        Self::SagaAborted,
        Self::SagaNeverStarted,
        Self::RetriesUsedUp,
        Self::Declined,
        Self::GatewayDown,
        Self::GatewaySlow,
        Self::GatewayAnswerLost,
        Self::CaptureRefused,
        Self::WrongAmount,
        Self::ProviderBusy,
        Self::ProviderFails,
        Self::ProviderSlow,
        Self::ActionFailed,
        Self::ActionAbandoned,
        Self::ActionLate,
        Self::LateMoney,
        Self::WebhookLost,
        Self::WebhookDuplicated,
        Self::WebhookLate,
        Self::ClockSkew,
        Self::ClockJump,
        Self::SalePaused,
        Self::SaleRestocked,
        Self::SaleClosed,
        Self::SaleShortened,
        Self::SaleDeleted,
        Self::OrderRefunded,
        Self::RefundRefused,
        Self::RefundAnswerLost,
    ];

    /// The faults of a request.
    pub(crate) const OF_REQUESTS: [Self; 9] = [
        Self::AnswerLost,
        Self::RequestLost,
        Self::RequestLate,
        Self::Throttling,
        Self::TransactionConflict,
        Self::Kill,
        Self::ProviderBusy,
        Self::ProviderFails,
        Self::ProviderSlow,
    ];

    /// The fault's name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AnswerLost => "answer-lost",
            Self::RequestLost => "request-lost",
            Self::RequestLate => "request-late",
            Self::Throttling => "throttling",
            Self::TransactionConflict => "transaction-conflict",
            Self::Kill => "kill",
            Self::Cold => "cold",
            Self::MessageDuplicated => "message-duplicated",
            Self::MessageDelayed => "message-delayed",
            Self::HalfSent => "half-sent",
            Self::HalfBatch => "half-batch",
            Self::StreamDuplicated => "stream-duplicated",
            Self::StreamLate => "stream-late",
            Self::HalfStreamBatch => "half-stream-batch",
            Self::Ttl => "ttl",
            Self::ExpiryLost => "expiry-lost",
            Self::ScheduleTwice => "schedule-twice",
            Self::SagaAborted => "saga-aborted",
            Self::SagaNeverStarted => "saga-never-started",
            Self::RetriesUsedUp => "retries-used-up",
            Self::Declined => "declined",
            Self::GatewayDown => "gateway-down",
            Self::GatewaySlow => "gateway-slow",
            Self::GatewayAnswerLost => "gateway-answer-lost",
            Self::CaptureRefused => "capture-refused",
            Self::WrongAmount => "wrong-amount",
            Self::ProviderBusy => "provider-busy",
            Self::ProviderFails => "provider-fails",
            Self::ProviderSlow => "provider-slow",
            Self::ActionFailed => "action-failed",
            Self::ActionAbandoned => "action-abandoned",
            Self::ActionLate => "action-late",
            Self::LateMoney => "late-money",
            Self::WebhookLost => "webhook-lost",
            Self::WebhookDuplicated => "webhook-duplicated",
            Self::WebhookLate => "webhook-late",
            Self::ClockSkew => "clock-skew",
            Self::ClockJump => "clock-jump",
            Self::SalePaused => "sale-paused",
            Self::SaleRestocked => "sale-restocked",
            Self::SaleClosed => "sale-closed",
            Self::SaleShortened => "sale-shortened",
            Self::SaleDeleted => "sale-deleted",
            Self::OrderRefunded => "order-refunded",
            Self::RefundRefused => "refund-refused",
            Self::RefundAnswerLost => "refund-answer-lost",
        }
    }

    /// The probability whenever the fault could strike, before the seed makes it rarer or more frequent.
    pub(crate) fn probability(self) -> f64 {
        match self {
            Self::AnswerLost | Self::RequestLost | Self::Throttling | Self::TransactionConflict => 0.02,
            Self::Kill => 0.012,
            Self::RequestLate | Self::ProviderBusy | Self::ProviderFails | Self::ProviderSlow => 0.04,
            Self::SaleClosed | Self::SaleShortened => 0.05,
            Self::Ttl | Self::RetriesUsedUp | Self::ActionFailed | Self::LateMoney | Self::OrderRefunded => 0.5,
            Self::ActionAbandoned => 0.25,
            Self::ExpiryLost | Self::SalePaused | Self::SaleRestocked | Self::ActionLate | Self::WebhookLost => 0.3,
            Self::SagaAborted => 0.03,
            Self::SagaNeverStarted | Self::CaptureRefused | Self::WrongAmount | Self::RefundRefused | Self::RefundAnswerLost => {
                0.08
            }
            Self::MessageDuplicated | Self::MessageDelayed | Self::Declined | Self::WebhookDuplicated | Self::WebhookLate => 0.15,
            Self::Cold
            | Self::ClockJump
            | Self::HalfBatch
            | Self::HalfSent
            | Self::HalfStreamBatch
            | Self::StreamDuplicated
            | Self::StreamLate
            | Self::ScheduleTwice
            | Self::GatewayDown
            | Self::GatewaySlow
            | Self::GatewayAnswerLost
            | Self::SaleDeleted => 0.1,
            Self::ClockSkew => 0.7,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each fault was injected.
pub type Injected = BTreeMap<Fault, u64>;

/// The faults that may strike: `none`, `all`, or names separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Every fault.
    pub fn all() -> Self {
        Self(Fault::ALL.to_vec())
    }

    /// No fault.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Declined payments only.
    pub fn orderly() -> Self {
        Self(vec![Fault::Declined])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0 => f.write_str("none"),
            length if length == Fault::ALL.len() => f.write_str("all"),
            _ => f.write_str(&self.0.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(",")),
        }
    }
}

impl FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::all()),
            "none" => Ok(Self::none()),
            names => {
                let fault = |name: &str| Fault::ALL.into_iter().find(|fault| fault.name() == name);
                let known = || Fault::ALL.map(Fault::name).join(", ");
                let found = names
                    .split(',')
                    .map(str::trim)
                    .map(|name| fault(name).ok_or_else(|| format!("{name} is none of {}", known())));
                found.collect::<Result<_, _>>().map(Self)
            }
        }
    }
}
