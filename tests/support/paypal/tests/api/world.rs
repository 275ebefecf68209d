//! A fake with two accounts, on virtual time, and short ways to say what a client does.

use base64::{Engine, prelude::BASE64_STANDARD};
use fake_paypal::{Account, FakePaypal, Instrument, Options};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_provider::{Answer, Provider, Webhooks};

pub(crate) const BASE_URL: &str = "http://127.0.0.1:1";
pub(crate) const ONE: &str = "client_one_local";
pub(crate) const OTHER: &str = "client_other_local";

/// What `almost_hours_pass` leaves.
pub(crate) const A_MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// The shop and the fake.
pub(crate) struct World {
    pub(crate) fake: FakePaypal,
    pub(crate) now: Timestamp,
    token: String,
}

fn token(got: &Got) -> String {
    got.text("/access_token").to_owned()
}

/// An answer that arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Got {
    /// The string at a pointer.
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} of {self:?}"))
    }

    /// A link by its relation.
    #[track_caller]
    pub(crate) fn link(&self, relation: &str) -> &str {
        let links = self.body["links"].as_array().unwrap();
        let found = links.iter().find(|link| link["rel"] == relation);
        found.unwrap_or_else(|| panic!("no link {relation} in {self:?}"))["href"].as_str().unwrap()
    }

    /// `COMPLETED` of a success, `422 ORDER_NOT_APPROVED` of a refusal.
    pub(crate) fn outcome(&self) -> String {
        match self.body.pointer("/details/0/issue") {
            Some(issue) => format!("{} {}", self.status, issue.as_str().unwrap()),
            None => format!("{} {}", self.status, self.body["status"].as_str().unwrap_or_default()).trim().to_owned(),
        }
    }
}

pub(crate) fn options() -> Options {
    Options {
        base_url: BASE_URL.to_owned(),
        accounts: vec![Account::new(ONE, "secret_one_local"), Account::new(OTHER, "secret_other_local")],
        ..Options::default()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(options())
    }

    pub(crate) fn with(options: Options) -> Self {
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let mut world = Self { fake: FakePaypal::new(options), now, token: String::new() };
        world.token = token(&world.token_of(ONE, "secret_one_local"));
        world
    }

    /// With a webhook of the account `ONE`.
    pub(crate) fn with_webhook() -> Self {
        let mut world = Self::new();
        world.fake.configure_webhooks(&Webhooks {
            account: Some(ONE.to_owned()),
            ..Webhooks::to("http://127.0.0.1:2/hook", WEBHOOK_ID)
        });
        world
    }

    pub(crate) fn passes(&mut self, time: SignedDuration) -> &mut Self {
        self.now += time;
        self
    }

    /// Lets so much time pass, and gets a new token.
    pub(crate) fn hours_pass(&mut self, hours: i64) -> &mut Self {
        self.passes_with_token(SignedDuration::from_hours(hours))
    }

    /// As `hours_pass`, a millisecond less.
    pub(crate) fn almost_hours_pass(&mut self, hours: i64) -> &mut Self {
        self.passes_with_token(SignedDuration::from_hours(hours) - A_MOMENT)
    }

    fn passes_with_token(&mut self, time: SignedDuration) -> &mut Self {
        self.passes(time);
        self.token = token(&self.token_of(ONE, "secret_one_local"));
        self
    }

    pub(crate) fn token_of(&mut self, client_id: &str, secret: &str) -> Got {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{client_id}:{secret}")));
        let request = Request::post("/v1/oauth2/token").header("authorization", basic);
        self.sent(&request.body(b"grant_type=client_credentials".to_vec()).unwrap())
    }

    /// Continues as another account.
    pub(crate) fn as_other(&mut self) -> &mut Self {
        self.token = token(&self.token_of(OTHER, "secret_other_local"));
        self
    }

    pub(crate) fn answer(&mut self, request: &Request<Vec<u8>>) -> Answer {
        self.fake.answer(request, self.now)
    }

    /// Sends a request whose answer arrives at once.
    #[track_caller]
    pub(crate) fn sent(&mut self, request: &Request<Vec<u8>>) -> Got {
        match self.answer(request) {
            Answer::Now(response) => got(&response),
            other @ (Answer::Late(..) | Answer::Lost) => panic!("{other:?}"),
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Request<Vec<u8>> {
        let path = path.strip_prefix(BASE_URL).unwrap_or(path);
        let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {}", self.token));
        if method != "GET" {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(if body.is_null() { Vec::new() } else { body.to_string().into_bytes() }).unwrap()
    }

    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Got {
        let request = self.request("GET", path, &Value::Null, &[]);
        self.sent(&request)
    }

    /// A POST that asks for the whole resource, with a request id unless it is empty.
    #[track_caller]
    pub(crate) fn post(&mut self, path: &str, request_id: &str, body: &Value) -> Got {
        let headers = [("prefer", "return=representation"), ("paypal-request-id", request_id)];
        let headers = if request_id.is_empty() { &headers[..1] } else { &headers[..] };
        let request = self.request("POST", path, body, headers);
        self.sent(&request)
    }

    /// An order with this intent that the payer has approved. Returns its path.
    #[track_caller]
    pub(crate) fn approved(&mut self, intent: &str, instrument: Instrument) -> String {
        let order = self.post("/v2/checkout/orders", "", &order(intent, "100.00"));
        let id = order.text("/id").to_owned();
        self.fake.approve(&id, instrument, self.now).unwrap();
        format!("/v2/checkout/orders/{id}")
    }

    /// An authorization of 100 dollars. Returns its path.
    #[track_caller]
    pub(crate) fn authorized(&mut self, instrument: Instrument) -> String {
        let order = self.approved("AUTHORIZE", instrument);
        let made = self.post(&format!("{order}/authorize"), "", &Value::Null);
        format!("/v2/payments/authorizations/{}", made.text("/purchase_units/0/payments/authorizations/0/id"))
    }

    /// A capture of 100 dollars. Returns its path.
    #[track_caller]
    pub(crate) fn captured(&mut self, instrument: Instrument) -> String {
        let order = self.approved("CAPTURE", instrument);
        let made = self.post(&format!("{order}/capture"), "", &Value::Null);
        format!("/v2/payments/captures/{}", made.text("/purchase_units/0/payments/captures/0/id"))
    }
}

pub(crate) const WEBHOOK_ID: &str = "1JE4291016473214C";

pub(crate) fn got(response: &Response<Vec<u8>>) -> Got {
    let body = serde_json::from_slice(response.body()).unwrap_or_else(|_| json!(String::from_utf8_lossy(response.body())));
    Got { status: response.status().as_u16(), body }
}

/// The body of an order in US dollars.
pub(crate) fn order(intent: &str, value: &str) -> Value {
    json!({"intent": intent, "purchase_units": [{"amount": usd(value), "custom_id": "sale.01J"}]})
}

pub(crate) fn usd(value: &str) -> Value {
    json!({"currency_code": "USD", "value": value})
}

pub(crate) fn amount(value: &str) -> Value {
    json!({"amount": usd(value)})
}
