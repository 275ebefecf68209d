//! A fake PayPal: Orders v2 and Payments v2 as PayPal documents them, for tests and for developers' machines.
//!
//! It is a plain state machine ([`Provider`]): the same requests at the same times get the same answers. Where PayPal's
//! documentation is silent, the fake takes the reading that is harder on a client, and says so where it decides.
//! What PayPal has and the fake does not is answered 501, so that no test passes by accident.

mod answer;
mod body;
mod books;
mod call;
mod ids;
mod money;
mod orders;
mod payer;
mod payments;
mod record;
mod refusal;
mod request_ids;
mod settings;
mod signature;
mod view;
mod webhooks;

use std::collections::BTreeMap;

use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use test_provider::{Answer, Delivery, Fault, Faults, Outbox, Provider, Webhooks, later};

use crate::{
    answer::{Reply, Token},
    books::Books,
    ids::Ids,
    request_ids::RequestIds,
    signature::{CERTIFICATE_ID, Signer},
};

pub use payer::Impossible;
pub use record::PaymentRecord;
pub use settings::{Account, Instrument, Settings};
pub use signature::{certificate_pem, signed_text};

/// The fake. See the crate's documentation.
#[derive(Debug)]
pub struct FakePaypal {
    settings: Settings,
    ids: Ids,
    signer: Signer,
    tokens: BTreeMap<String, Token>,
    books: Books,
    request_ids: RequestIds,
    /// By client id.
    outboxes: BTreeMap<String, Outbox>,
    faults: Faults,
}

impl FakePaypal {
    /// A fake without orders.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ids: Ids::default(),
            signer: Signer::new(),
            tokens: BTreeMap::new(),
            books: Books::default(),
            request_ids: RequestIds::default(),
            outboxes: BTreeMap::new(),
            faults: Faults::default(),
        }
    }

    /// The faults of requests to come.
    pub fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Answers a request whose answer reaches the client at the second of `times`.
    fn respond(&mut self, request: &Request<Vec<u8>>, times: (Timestamp, Timestamp)) -> Response<Vec<u8>> {
        let (now, _) = times;
        let debug_id = self.ids.debug();
        let path: Vec<&str> = request.uri().path().split('/').skip(1).collect();
        let reply = match (request.method(), path.as_slice()) {
            (&Method::POST, ["v1", "oauth2", "token"]) => self.new_token(request, now),
            (&Method::GET, ["v1", "notifications", "certs", CERTIFICATE_ID]) => {
                Reply::text(StatusCode::OK, "application/x-pem-file", certificate_pem())
            }
            (&Method::GET, ["checkoutnow"]) => self.checkout_page(request, now),
            (&Method::POST, ["_fake", path @ ..]) => self.ordered_by_test(path, request.body(), now),
            _ => match self.token_account(request, &debug_id, now) {
                Ok(client_id) => self
                    .api(&client_id, request, times)
                    .unwrap_or_else(|refusal| Reply::json(refusal.status(), &refusal.json(&debug_id))),
                Err(unauthorized) => unauthorized,
            },
        };
        reply.into_response(&debug_id)
    }

    /// `/_fake/webhooks`.
    fn control_webhooks(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        if request.method() == Method::POST {
            match Webhooks::read(request.body()) {
                Ok(webhooks) => self.deliver_webhooks(&webhooks),
                Err(refused) => return refused,
            }
        }
        let state: serde_json::Map<_, _> = self.outboxes.iter().map(|(id, outbox)| (id.clone(), outbox.state())).collect();
        test_provider::json(200, &json!(state))
    }
}

impl Provider for FakePaypal {
    fn answer(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Answer {
        self.expire(now);
        match request.uri().path() {
            "/_fake/faults" => return Answer::Now(self.faults.control(request.method(), request.body())),
            "/_fake/webhooks" => return Answer::Now(self.control_webhooks(request)),
            _ => {}
        }
        match self.faults.take(request.method(), request.uri().path()) {
            None => Answer::Now(self.respond(request, (now, now))),
            Some(Fault::LostRequest) => Answer::Lost,
            Some(Fault::LostAnswer) => {
                self.respond(request, (now, now));
                Answer::Lost
            }
            Some(Fault::Error500 { done }) => {
                if done {
                    self.respond(request, (now, now));
                }
                let debug_id = self.ids.debug();
                Answer::Now(answer::internal_error(&debug_id).into_response(&debug_id))
            }
            Some(Fault::RateLimited) => {
                let debug_id = self.ids.debug();
                Answer::Now(answer::rate_limited(&debug_id).into_response(&debug_id))
            }
            Some(Fault::Slow(after)) => Answer::Late(after, self.respond(request, (now, later(now, after)))),
        }
    }

    fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.expire(now);
        self.due_deliveries(now)
    }

    fn delivered(&mut self, delivery: &Delivery, accepted: bool, now: Timestamp) {
        self.transmitted(delivery, accepted, now);
    }
}
