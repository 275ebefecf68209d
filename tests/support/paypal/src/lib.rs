//! A fake PayPal: Orders v2 and Payments v2 as PayPal documents them, for tests and for developers' machines.
//!
//! It is a plain state machine ([`Provider`]): the same requests at the same times get the same answers. Where PayPal's
//! documentation is silent, the fake takes the reading that is harder on a client, and says so where it decides.
//! What PayPal has and the fake does not is answered 501, so that no test passes by accident.

mod answer;
mod body;
mod books;
mod call;
mod control;
mod ids;
mod money;
mod options;
mod orders;
mod payer;
mod payment;
mod payments;
mod refusal;
mod request_ids;
mod signature;
mod view;
mod webhooks;

use std::collections::BTreeMap;

use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use test_provider::{Answer, Delivery, Fault, Faults, Outbox, Provider, later};

use crate::{
    answer::{Reply, Token},
    books::Books,
    ids::Ids,
    request_ids::RequestIds,
    signature::{CERTIFICATE_ID, Signer},
};

pub use options::{Account, Instrument, Options};
pub use payer::Impossible;
pub use payment::Payment;
pub use signature::{certificate_pem, signature, signed_text};

/// The fake. See the crate's documentation.
#[derive(Debug)]
pub struct FakePaypal {
    options: Options,
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
    pub fn new(options: Options) -> Self {
        Self {
            options,
            ids: Ids::default(),
            signer: Signer::new(),
            tokens: BTreeMap::new(),
            books: Books::default(),
            request_ids: RequestIds::default(),
            outboxes: BTreeMap::new(),
            faults: Faults::default(),
        }
    }

    /// Where clients reach the fake, if that is known only now.
    pub fn set_base_url(&mut self, base_url: &str) {
        base_url.clone_into(&mut self.options.base_url);
    }

    /// The faults to come, to add some.
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
            (_, ["_fake", path @ ..]) => self.control(path, request, now),
            _ => match self.token_account(request, &debug_id, now) {
                Ok(client_id) => self
                    .api(&client_id, request, times)
                    .unwrap_or_else(|refusal| Reply::json(refusal.status(), &refusal.json(&debug_id))),
                Err(unauthorized) => unauthorized,
            },
        };
        reply.into_response(&debug_id)
    }
}

impl Provider for FakePaypal {
    fn answer(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Answer {
        self.expire(now);
        if request.uri().path() == "/_fake/faults" {
            return Answer::Now(self.faults.control(request.method(), request.body()));
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
