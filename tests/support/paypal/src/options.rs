//! What can be chosen about a fake: merchant accounts, and the numbers that PayPal lets differ.

use jiff::SignedDuration;

/// What can be chosen about a fake.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where clients reach the fake, without a slash at the end. The links in its answers begin with it.
    pub base_url: String,
    /// The merchant accounts. An account sees no other account's orders and payments.
    pub accounts: Vec<Account>,
    /// How long an access token lives. PayPal: 9 hours (`expires_in` is 32400 in its documentation).
    pub token_life: SignedDuration,
    /// How often an order's instrument may be declined before `MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED`. PayPal does not
    /// publish the number.
    pub most_declines: u32,
    /// The most that all captures of an authorization may take, in percent of it. PayPal: 115 and in US dollars at most 75
    /// dollars more, where regulation admits more than 100
    /// (<https://developer.paypal.com/docs/checkout/advanced/authorization-honor>).
    pub capture_limit_percent: u64,
    /// Whether a refusal (422) is answered again to the same `PayPal-Request-Id`. PayPal's documentation speaks of
    /// completed actions only, so by default the fake carries the call out anew.
    pub remembers_refusals: bool,
}

impl Default for Options {
    /// PayPal's numbers, and the account `local`.
    fn default() -> Self {
        Self {
            base_url: "http://127.0.0.1".to_owned(),
            accounts: vec![Account::named("local")],
            token_life: SignedDuration::from_hours(9),
            most_declines: 10,
            capture_limit_percent: 115,
            remembers_refusals: false,
        }
    }
}

impl Options {
    pub(crate) fn account(&self, client_id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.client_id == client_id)
    }
}

/// A merchant account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The REST app's client id.
    pub client_id: String,
    /// The REST app's secret.
    pub client_secret: String,
    /// The account's own id, which payments show as their payee: 13 upper case letters and digits.
    pub merchant_id: String,
    /// Whether two payments may not have the same invoice id. PayPal: a preference of the account ("block accidental
    /// payments").
    pub unique_invoice_ids: bool,
}

impl Account {
    /// The account `paypal_client_<name>` with the secret `paypal_secret_<name>`, and with unique invoice ids.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::new(&format!("paypal_client_{name}"), &format!("paypal_secret_{name}"))
    }

    /// An account with unique invoice ids.
    #[must_use]
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            merchant_id: "FAKEMERCHANT1".to_owned(),
            unique_invoice_ids: true,
        }
    }
}

/// How the payer pays, and what becomes of it. A test chooses it when the payer approves the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Instrument {
    /// Everything succeeds.
    #[default]
    Good,
    /// The order's authorization or capture is refused with `INSTRUMENT_DECLINED`, until the payer approves again.
    Declines,
    /// The order's authorization or capture is refused with `PAYER_ACTION_REQUIRED`, until the payer approves again.
    ActionRequired,
    /// The authorization is `PENDING` until it is accepted or denied.
    AuthorizationPending,
    /// The authorization is `DENIED`.
    AuthorizationDenied,
    /// A capture is `PENDING` until it is completed or denied.
    CapturePending,
    /// A capture is `DECLINED`.
    CaptureDeclined,
    /// The funds are there for the honor period of three days; later captures are refused with `PAYER_CANNOT_PAY`.
    HonorPeriodOnly,
    /// A refund is `PENDING` until it is completed or fails.
    RefundPending,
}

impl Instrument {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Good,
        Self::Declines,
        Self::ActionRequired,
        Self::AuthorizationPending,
        Self::AuthorizationDenied,
        Self::CapturePending,
        Self::CaptureDeclined,
        Self::HonorPeriodOnly,
        Self::RefundPending,
    ];

    /// Its name in `POST /_fake/orders/{id}/approve`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Declines => "declines",
            Self::ActionRequired => "action_required",
            Self::AuthorizationPending => "authorization_pending",
            Self::AuthorizationDenied => "authorization_denied",
            Self::CapturePending => "capture_pending",
            Self::CaptureDeclined => "capture_declined",
            Self::HonorPeriodOnly => "honor_period_only",
            Self::RefundPending => "refund_pending",
        }
    }
}
