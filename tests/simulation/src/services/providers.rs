//! The payment providers: a fake Stripe with two accounts and a fake PayPal with one, in this process and on virtual time.
//! Their books say what became of the money, whatever the shop believes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use domain::{Clock, IdempotencyKey};
use fake_paypal::{FakePaypal, Instrument};
use fake_stripe::{FakeStripe, Status};
use serde_json::{Value, json};
use test_provider::{
    Answer, Delivery, Provider, Webhooks,
    faults::{Kind, Order},
};
use tokio::sync::Notify;

use crate::{faults::Fault, services::calls::Call, time::Time, world::World};

/// The accounts, as `PAYMENT_GATEWAYS` lists them.
pub(crate) const ACCOUNTS: &str = "sandbox,sandbox-standby,stripe-a=pk_test_a,stripe-b=pk_test_b,paypal=paypal_client_shop";
/// Where Stripe is.
pub(crate) const STRIPE: &str = "http://stripe.simulation";
/// Where PayPal is. A fake PayPal is believed only on this machine; nothing listens there.
pub(crate) const PAYPAL: &str = "http://127.0.0.1:2";
/// How the names of the accounts' secrets begin.
pub(crate) const SECRETS: &str = "simulation/payments/";
/// Where each provider sends its events.
pub(crate) const RECEIVERS: [&str; 2] = ["/webhooks/stripe", "/webhooks/paypal"];

/// The name of the account with this secret key or client id.
fn account(key: &str) -> &'static str {
    match key {
        "sk_test_a" => "stripe-a",
        "sk_test_b" => "stripe-b",
        "paypal_client_shop" => "paypal",
        other => panic!("no account has the key {other}"),
    }
}

/// Answers `GetSecretValue`.
pub(crate) fn serve_secret(request: &Value) -> (u16, String) {
    let id = request["SecretId"].as_str().unwrap_or_default();
    let keys = match id.strip_prefix(SECRETS) {
        Some("stripe-a") => json!({"secret_key": "sk_test_a", "webhook_secrets": ["whsec_a"]}),
        Some("stripe-b") => json!({"secret_key": "sk_test_b", "webhook_secrets": ["whsec_b"]}),
        Some("paypal") => {
            json!({"client_id": "paypal_client_shop", "client_secret": "paypal_secret_shop", "webhook_id": "WH-SHOP"})
        }
        _ => panic!("there is no secret {id}"),
    };
    (200, json!({"ARN": id, "Name": id, "SecretString": keys.to_string(), "VersionId": "1"}).to_string())
}

/// What a provider's books say of one payment, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paid {
    /// The account's name.
    pub(crate) account: &'static str,
    /// The provider's id.
    pub(crate) id: String,
    pub(crate) order: String,
    pub(crate) attempt: u32,
    pub(crate) amount: i64,
    /// Whether its shopper can still act at the provider, and so reserve money.
    pub(crate) is_open: bool,
    /// Reserved, and not captured.
    pub(crate) authorised: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
}

/// Both providers.
pub(crate) struct Providers {
    stripe: Mutex<FakeStripe>,
    paypal: Mutex<FakePaypal>,
    time: Time,
    /// Signals that something happened at a provider, of which it may send an event.
    happened: Notify,
    /// How often each event was not accepted.
    refused: Mutex<BTreeMap<String, u32>>,
    /// Intents whose money came after Stripe had said that they are declined.
    paid_late: Mutex<BTreeSet<String>>,
}

impl Providers {
    /// Providers without payments.
    pub(crate) fn new(time: &Time) -> Self {
        let accounts = ["a", "b"].map(fake_stripe::Account::named).to_vec();
        let mut stripe = FakeStripe::new(fake_stripe::Options { accounts, ..fake_stripe::Options::default() });
        for (secret_key, secret) in [("sk_test_a", "whsec_a"), ("sk_test_b", "whsec_b")] {
            let account = Some(secret_key.to_owned());
            stripe.configure_webhooks(&Webhooks { account, ..Webhooks::to(RECEIVERS[0], secret) });
        }
        let accounts = vec![fake_paypal::Account::named("shop")];
        let options = fake_paypal::Options { base_url: PAYPAL.to_owned(), accounts, ..fake_paypal::Options::default() };
        let mut paypal = FakePaypal::new(options);
        paypal.configure_webhooks(&Webhooks::to(RECEIVERS[1], "WH-SHOP"));
        Self {
            stripe: Mutex::new(stripe),
            paypal: Mutex::new(paypal),
            time: time.clone(),
            happened: Notify::new(),
            refused: Mutex::default(),
            paid_late: Mutex::default(),
        }
    }

    /// Lets the provider to which `call` goes answer it, perhaps with a fault of the provider.
    pub(crate) fn answer(&self, world: &World, call: &Call) -> Answer {
        let fault = fault(world, call.function);
        if let Some((kind, seconds)) = fault {
            world.note(|| format!("the provider is {kind:?}, {seconds} s"));
        }
        let order = fault.map(|(fault, seconds)| Order {
            path: call.request.uri().path().to_owned(),
            method: Some(call.request.method().to_string()),
            times: 1,
            fault,
            seconds,
        });
        let now = self.time.now();
        let answer = if call.is_to(STRIPE) {
            let mut stripe = self.stripe.lock().unwrap();
            if let Some(order) = order {
                stripe.faults().add(order);
            }
            stripe.answer(&call.request, now)
        } else {
            assert!(call.is_to(PAYPAL), "nobody is at {}", call.request.uri());
            let mut paypal = self.paypal.lock().unwrap();
            if let Some(order) = order {
                paypal.faults().add(order);
            }
            paypal.answer(&call.request, now)
        };
        self.happened.notify_one();
        answer
    }

    /// The shopper does what an order asks for, or fails at it. Returns whether there was something to do.
    pub(crate) fn act(&self, action: &Value, passes: bool, instrument: Instrument) -> bool {
        let now = self.time.now();
        let has_acted = match action["type"].as_str() {
            Some("stripe") => {
                let secret = action["client_secret"].as_str().unwrap();
                let intent = secret.split("_secret_").next().unwrap();
                self.stripe.lock().unwrap().authenticate(intent, passes, now).is_some()
            }
            Some("redirect") => {
                let url = action["url"].as_str().unwrap();
                let Some((_, order)) = url.strip_prefix(PAYPAL).and_then(|url| url.split_once("token=")) else { return false };
                let mut paypal = self.paypal.lock().unwrap();
                if passes { paypal.approve(order, instrument, now).is_ok() } else { paypal.abandon(order, now).is_ok() }
            }
            other => panic!("there is no action {other:?}"),
        };
        self.happened.notify_one();
        has_acted
    }

    /// After a failed 3-D Secure, the shopper enters another card in the same window. The window still has the client secret.
    /// Returns whether Stripe took the card; `None`: the action is not Stripe's.
    pub(crate) fn pay_by_another_card(&self, action: &Value) -> Option<bool> {
        let secret = action["client_secret"].as_str()?;
        let intent = secret.split("_secret_").next().unwrap();
        let form = format!("client_secret={secret}&payment_method=pm_card_visa");
        let answers = ["pk_test_a", "pk_test_b"].map(|key| {
            let request = http::Request::post(format!("{STRIPE}/v1/payment_intents/{intent}/confirm"))
                .header("authorization", format!("Bearer {key}"))
                .body(form.clone().into_bytes());
            let answer = self.stripe.lock().unwrap().answer(&request.unwrap(), self.time.now());
            matches!(answer, Answer::Now(response) if response.status() == 200)
        });
        self.happened.notify_one();
        // The other account does not know the intent.
        Some(answers.contains(&true))
    }

    /// Stripe gets the money of an intent after it has said that the card was declined. False: the intent has changed meanwhile.
    pub(crate) fn pay_late(&self, intent: &str) -> bool {
        self.paid_late.lock().unwrap().insert(intent.to_owned());
        let answers = ["sk_test_a", "sk_test_b"].map(|key| {
            let request = http::Request::post(format!("{STRIPE}/v1/payment_intents/{intent}/confirm"))
                .header("authorization", format!("Bearer {key}"))
                .body(b"payment_method=pm_card_visa".to_vec());
            let answer = self.stripe.lock().unwrap().answer(&request.unwrap(), self.time.now());
            matches!(answer, Answer::Now(response) if response.status() == 200)
        });
        self.happened.notify_one();
        answers.contains(&true)
    }

    /// Whether an event is about such an intent. Nothing else tells the shop of its money.
    pub(crate) fn is_of_late_money(&self, delivery: &Delivery) -> bool {
        let event: Value = serde_json::from_slice(&delivery.body).unwrap_or_default();
        event["data"]["object"]["id"].as_str().is_some_and(|id| self.paid_late.lock().unwrap().contains(id))
    }

    /// Takes the events that are to be delivered now.
    pub(crate) fn due(&self) -> Vec<Delivery> {
        let now = self.time.now();
        let mut due = self.stripe.lock().unwrap().due(now);
        due.extend(self.paypal.lock().unwrap().due(now));
        due
    }

    /// Waits until something happens at a provider.
    pub(crate) async fn happened(&self) {
        self.happened.notified().await;
    }

    /// Looks for events that are due.
    pub(crate) fn look(&self) {
        self.happened.notify_one();
    }

    /// Says that a delivery was accepted or not. Returns after which time it may be due again.
    pub(crate) fn delivered(&self, delivery: &Delivery, accepted: bool) -> Option<Duration> {
        let now = self.time.now();
        if delivery.url == RECEIVERS[0] {
            self.stripe.lock().unwrap().delivered(delivery, accepted, now);
        } else {
            self.paypal.lock().unwrap().delivered(delivery, accepted, now);
        }
        let mut refused = self.refused.lock().unwrap();
        let times = refused.entry(delivery.event_id.clone()).or_default();
        *times += u32::from(!accepted);
        // As the outbox of a provider does, of whose two copies one may be earlier.
        (!accepted).then(|| Duration::from_secs(1 << times.saturating_sub(1).min(15)))
    }

    /// Every payment by the providers' own books.
    pub(crate) fn paid(&self) -> Vec<Paid> {
        let stripe = self.stripe.lock().unwrap().payments().into_iter().map(|payment| Paid {
            account: account(&payment.account),
            order: payment.metadata["order_id"].clone(),
            attempt: payment.metadata["attempt"].parse().unwrap(),
            amount: payment.amount_minor,
            is_open: payment.status == Status::RequiresAction,
            authorised: payment.capturable_minor,
            captured: payment.received_minor,
            refunded: payment.refunded_minor,
            id: payment.id,
        });
        let mut all: Vec<Paid> = stripe.collect();
        all.extend(self.paypal.lock().unwrap().payments().into_iter().map(|payment| {
            let key: IdempotencyKey = payment.custom_id.as_deref().unwrap().parse().unwrap();
            let minor = |minor: u64| i64::try_from(minor).unwrap();
            Paid {
                account: account(&payment.client_id),
                order: key.order.to_string(),
                attempt: key.attempt,
                amount: minor(payment.amount_minor),
                // PayPal ends an order by itself, and an approval alone reserves nothing.
                is_open: false,
                authorised: minor(payment.held_minor),
                captured: minor(payment.captured_minor),
                refunded: minor(payment.refunded_minor),
                id: payment.order_id,
            }
        }));
        all
    }
}

/// The fault with which a provider answers a function now, and its seconds.
fn fault(world: &World, function: &str) -> Option<(Kind, u32)> {
    if world.strikes_call_of(function, Fault::ProviderBusy) {
        return Some((Kind::RateLimited, 0));
    }
    if world.strikes_call_of(function, Fault::ProviderFails) {
        return Some((if world.chance.happens(0.5) { Kind::Error500 } else { Kind::Error500Done }, 0));
    }
    // Clients wait for four seconds.
    let is_slow = world.strikes_call_of(function, Fault::ProviderSlow);
    is_slow.then(|| (Kind::Slow, u32::try_from(world.chance.between(1, 8)).unwrap()))
}
