//! Shops with accounts at the fake providers, and what the fakes deliver.

use std::{
    fmt, io,
    sync::{Arc, Mutex},
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use domain::Timestamp;
use fake_paypal::{FakePaypal, Instrument};
use fake_stripe::FakeStripe;
use parts::FromParts;
use payments::Http;
use receive_paypal::ReceivePaypal;
use receive_stripe::ReceiveStripe;
use serde_json::{Value, json};
use test_aws::Calls;
use test_provider::{Answer, Delivery, Provider as _, Webhooks};
use test_shop::{Judged, Shop};

/// Where the shop's webhooks are, for the fakes. Nobody connects: tests take the deliveries.
const HOOK: &str = "http://127.0.0.1:1/hook";
/// Where the fake PayPal is.
pub(crate) const PAYPAL_URL: &str = "http://127.0.0.1:12112";

/// A shop with accounts at a provider.
pub(crate) struct Receiver {
    pub(crate) shop: Shop,
    pub(crate) calls: Calls,
    gateways: &'static str,
}

impl Receiver {
    /// With the accounts `stripe` and `stripe-eu`.
    pub(crate) async fn of_stripe() -> Self {
        let receiver = Self::new(Shop::empty().await, "sandbox,stripe=pk_test_1,stripe-eu=pk_test_2");
        receiver.stripe_keys("stripe", &["whsec_one"]);
        receiver.stripe_keys("stripe-eu", &["whsec_two"]);
        receiver
    }

    /// With the accounts `paypal` and `paypal-eu`. Both are at one fake PayPal.
    pub(crate) async fn of_paypal(paypal: &Paypal) -> Self {
        let mut shop = Shop::empty().await;
        shop.providers = paypal.http();
        let receiver = Self::new(shop, "sandbox,paypal=client_1,paypal-eu=client_2");
        receiver.paypal_keys("paypal", Some("WEBHOOK-ONE"));
        receiver.paypal_keys("paypal-eu", Some("WEBHOOK-TWO"));
        receiver
    }

    fn new(shop: Shop, gateways: &'static str) -> Self {
        Self { shop, calls: Calls::new(), gateways }
    }

    /// With other calls.
    pub(crate) fn counted_by(self, calls: &Calls) -> Self {
        Self { calls: calls.clone(), ..self }
    }

    /// Without an account at a provider.
    pub(crate) async fn of_nobody() -> Self {
        Self::new(Shop::empty().await, "sandbox")
    }

    /// Stores the keys of an account at Stripe.
    pub(crate) fn stripe_keys(&self, account: &str, secrets: &[&str]) {
        let keys = json!({"secret_key": "sk_test_1", "webhook_secrets": secrets});
        self.shop.vault.put(&format!("shop/payments/{account}"), &keys.to_string());
    }

    /// Stores the keys of an account at PayPal.
    pub(crate) fn paypal_keys(&self, account: &str, webhook_id: Option<&str>) {
        let keys = json!({"client_id": "client", "client_secret": "secret", "webhook_id": webhook_id});
        self.shop.vault.put(&format!("shop/payments/{account}"), &keys.to_string());
    }

    /// The function that receives Stripe's events, in a new environment.
    pub(crate) fn stripe(&self) -> Judged<ReceiveStripe> {
        self.function(&[])
    }

    /// The function that receives PayPal's events, in a new environment.
    pub(crate) fn paypal(&self) -> Judged<ReceivePaypal> {
        self.function(&[("PAYPAL_URL", PAYPAL_URL)])
    }

    /// A function in a new environment, with some variables changed.
    pub(crate) fn function<F: FromParts>(&self, changed: &[(&'static str, &str)]) -> F {
        self.counted(&self.calls, changed)
    }

    /// The same, counted by other calls.
    pub(crate) fn counted<F: FromParts>(&self, calls: &Calls, changed: &[(&'static str, &str)]) -> F {
        let variables = [&[("PAYMENT_GATEWAYS", self.gateways)], changed].concat();
        F::wire(&mut self.shop.parts_with(calls, &variables)).unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shop.now()
    }
}

/// What the fake Stripe delivers when a shopper has paid at `now`, signed with this secret.
pub(crate) fn stripe_deliveries(secret: &str, now: Timestamp) -> Vec<Delivery> {
    let mut fake = FakeStripe::new(fake_stripe::Options::default());
    fake.configure_webhooks(&Webhooks::to(HOOK, secret));
    let paid = "amount=2000&currency=usd&payment_method_types[]=card&payment_method=pm_card_visa&confirm=true";
    let request = http::Request::post("/v1/payment_intents").header("authorization", "Bearer sk_test_local");
    let answer = fake.answer(&request.body(paid.as_bytes().to_vec()).unwrap(), now);
    assert!(matches!(&answer, Answer::Now(response) if response.status() == 200), "{answer:?}");
    fake.due(now)
}

/// The last of [`stripe_deliveries`]: the payment has succeeded.
pub(crate) fn stripe_delivery(secret: &str, now: Timestamp) -> Delivery {
    stripe_deliveries(secret, now).pop().unwrap()
}

/// A delivery of any body, signed by the fake Stripe.
pub(crate) fn signed_by_stripe(secret: &str, body: &[u8], now: Timestamp) -> Delivery {
    let headers = vec![("stripe-signature".to_owned(), fake_stripe::signature(secret, body, now))];
    Delivery { event_id: String::new(), url: HOOK.to_owned(), headers, body: body.to_vec() }
}

/// A fake PayPal. Clones are one.
#[derive(Clone)]
pub(crate) struct Paypal {
    fake: Arc<Mutex<FakePaypal>>,
    asked: Arc<Mutex<Vec<String>>>,
    now: Timestamp,
}

impl fmt::Debug for Paypal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Paypal")
    }
}

impl Paypal {
    /// A fake at [`PAYPAL_URL`].
    pub(crate) fn open() -> Self {
        let options = fake_paypal::Options { base_url: PAYPAL_URL.to_owned(), ..fake_paypal::Options::default() };
        let now = test_shop::NOW.parse().unwrap();
        Self { fake: Arc::new(Mutex::new(FakePaypal::new(options))), asked: Arc::default(), now }
    }

    /// Calls that reach this fake.
    fn http(&self) -> Http {
        Http::over(SharedHttpConnector::new(self.clone()))
    }

    /// The requests of the product so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What the fake delivers when a payer approves an order: one event, for this webhook.
    pub(crate) fn delivery(&self, webhook_id: &str) -> Delivery {
        let mut fake = self.fake.lock().unwrap();
        fake.configure_webhooks(&Webhooks::to(HOOK, webhook_id));
        let credentials = aws_smithy_types::base64::encode("paypal_client_local:paypal_secret_local");
        let asks = http::Request::post("/v1/oauth2/token").header("authorization", format!("Basic {credentials}"));
        let token = answered(fake.answer(&asks.body(b"grant_type=client_credentials".to_vec()).unwrap(), self.now));
        let asks = http::Request::post("/v2/checkout/orders").header("content-type", "application/json");
        let asks = asks.header("authorization", format!("Bearer {}", token["access_token"].as_str().unwrap()));
        let amount = json!({"currency_code": "USD", "value": "20.00"});
        let order = json!({"intent": "AUTHORIZE", "purchase_units": [{"amount": amount}]});
        let order = answered(fake.answer(&asks.body(order.to_string().into_bytes()).unwrap(), self.now));
        fake.approve(order["id"].as_str().unwrap(), Instrument::Good, self.now).unwrap();
        fake.due(self.now).pop().unwrap()
    }
}

fn answered(answer: Answer) -> Value {
    match answer {
        Answer::Now(response) => serde_json::from_slice(response.body()).unwrap(),
        other @ (Answer::Late(..) | Answer::Lost) => panic!("{other:?}"),
    }
}

impl HttpConnector for Paypal {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let asks = http::Request::builder().method(request.method()).uri(request.uri());
        let answer = self.fake.lock().unwrap().answer(&asks.body(Vec::new()).unwrap(), self.now);
        HttpConnectorFuture::ready(match answer {
            Answer::Now(response) => {
                let status = response.status().as_u16().try_into().unwrap();
                Ok(HttpResponse::new(status, SdkBody::from(response.into_body())))
            }
            Answer::Late(..) | Answer::Lost => Err(ConnectorError::io(Box::new(io::Error::from(io::ErrorKind::ConnectionReset)))),
        })
    }
}
