//! A fake Stripe: payment intents, refunds, events and webhooks, as Stripe documents them, for tests and developers' machines.
//!
//! It moves no money and talks to nobody. `tests/support/stripe/sdk_check.py` holds it to Stripe's own Python client.

#![recursion_limit = "256"] // the objects of the API are long

mod api;
mod books;
mod charge;
mod control;
mod currency;
mod expand;
mod form;
mod intent;
mod intents;
mod list;
mod methods;
mod payment;
mod refunds;
mod refusal;
mod search;
mod signature;
mod status;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::Request;
use jiff::Timestamp;
use test_provider::{Answer, Delivery, Faults, Keys, Provider, Webhooks};

use crate::{
    books::{Books, Delays},
    charge::Refund,
    intent::Intent,
};
pub use crate::{signature::signature, status::Status};

/// Stripe forgets an idempotency key after a day: <https://docs.stripe.com/api/idempotent_requests>.
const KEYS_KEPT_FOR: Duration = Duration::from_hours(24);

/// The keys of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `sk_test_…`: may do everything.
    pub secret_key: String,
    /// `pk_test_…`: with an intent's client secret, may see and confirm it.
    pub publishable_key: String,
}

impl Account {
    /// The account `sk_test_<name>`, `pk_test_<name>`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { secret_key: format!("sk_test_{name}"), publishable_key: format!("pk_test_{name}") }
    }
}

/// What can be chosen about a fake.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose keys it knows.
    pub accounts: Vec<Account>,
    /// How many requests an account may make in one second of the clock. Every number, if absent.
    pub requests_per_second: Option<u32>,
    /// How long a payment that cannot authorise is processing.
    pub settling: Duration,
    /// How long a pending refund is pending, and after which time a refund fails that will.
    pub refund: Duration,
}

impl Default for Options {
    /// One account, `sk_test_local` and `pk_test_local`, without a limit. What happens later happens after five seconds.
    fn default() -> Self {
        Self {
            accounts: vec![Account::named("local")],
            requests_per_second: None,
            settling: Duration::from_secs(5),
            refund: Duration::from_secs(5),
        }
    }
}

/// A payment as a test judges it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The intent's id.
    pub id: String,
    /// The secret key of its account.
    pub account: String,
    /// Where it is.
    pub status: Status,
    /// ISO 4217, in lower case.
    pub currency: String,
    /// What was asked for, in minor units.
    pub amount_minor: i64,
    /// What is authorised and can still be captured.
    pub capturable_minor: i64,
    /// What was captured.
    pub received_minor: i64,
    /// What the shop gave back of it, pending refunds included. Released authorisations do not count.
    pub refunded_minor: i64,
    /// How often a payment method was charged, whatever the outcome.
    pub charges: usize,
    /// The shop's own notes.
    pub metadata: std::collections::BTreeMap<String, String>,
}

/// The fake.
#[derive(Debug)]
pub struct FakeStripe {
    options: Options,
    /// What goes wrong next.
    faults: Faults,
    keys: Keys,
    books: Vec<Books>,
    requests: u64,
    traffic: Vec<api::Traffic>,
}

impl FakeStripe {
    /// A fake without payments.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let delays = Delays { settling: options.settling, refund: options.refund };
        let books: Vec<_> = (0..options.accounts.len()).map(|number| Books::new(number, delays)).collect();
        let traffic = books.iter().map(|_| api::Traffic::default()).collect();
        Self { options, faults: Faults::default(), keys: Keys::kept_for(KEYS_KEPT_FOR), books, requests: 0, traffic }
    }

    /// The faults to come, to add some.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Delivers webhooks as this says from now on. Its account is a secret key; an unknown one changes nothing.
    pub fn configure_webhooks(&mut self, webhooks: &Webhooks) {
        let accounts = self.options.accounts.iter().zip(&mut self.books);
        for (_, books) in accounts.filter(|(account, _)| webhooks.account.as_ref().is_none_or(|key| *key == account.secret_key)) {
            books.outbox.configure(webhooks.clone());
        }
    }

    /// The shopper passes 3-D Secure, or does not. Returns the status after that; none if the intent does not wait for it.
    pub fn authenticate(&mut self, intent: &str, passed: bool, now: Timestamp) -> Option<Status> {
        self.advance(now);
        self.books.iter_mut().find_map(|books| control::authenticate(books, intent, passed, now))
    }

    /// Every payment of every account, in the order in which they were made.
    #[must_use]
    pub fn payments(&self) -> Vec<Payment> {
        let accounts = self.options.accounts.iter().zip(&self.books);
        accounts.flat_map(|(account, books)| books.intents.values().map(|intent| payment(account, books, intent))).collect()
    }

    /// Does what has happened by itself until `now`.
    fn advance(&mut self, now: Timestamp) {
        for books in &mut self.books {
            payment::advance(books, now);
        }
    }
}

fn payment(account: &Account, books: &Books, intent: &Intent) -> Payment {
    let is_refund =
        |refund: &&Refund| refund.intent == intent.id && !refund.releases && refund.status != charge::RefundStatus::Failed;
    Payment {
        id: intent.id.clone(),
        account: account.secret_key.clone(),
        status: intent.status,
        currency: intent.currency.code.to_owned(),
        amount_minor: intent.amount,
        capturable_minor: intent.amount_capturable,
        received_minor: intent.amount_received,
        refunded_minor: books.refunds.values().filter(is_refund).map(|refund| refund.amount).sum(),
        charges: books.charges.values().filter(|charge| charge.intent == intent.id).count(),
        metadata: intent.metadata.clone(),
    }
}

impl Provider for FakeStripe {
    fn answer(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Answer {
        self.advance(now);
        if request.uri().path().starts_with("/_fake/") {
            return Answer::Now(self.control(request, now));
        }
        self.api(request, now)
    }

    fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.advance(now);
        let signed = |secret: &str, body: &[u8]| {
            vec![
                ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
                ("user-agent".to_owned(), "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
                ("stripe-signature".to_owned(), signature(secret, body, now)),
            ]
        };
        self.books.iter_mut().flat_map(|books| books.outbox.due(now, signed)).collect()
    }

    fn delivered(&mut self, delivery: &Delivery, accepted: bool, now: Timestamp) {
        for books in &mut self.books {
            if books.outbox.delivered(delivery, accepted, now) {
                return; // the ids of events are unique
            }
        }
    }
}
