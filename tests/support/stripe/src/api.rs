//! What every request goes through, in Stripe's order: key, rate, idempotency, lock, endpoint.
//!
//! <https://docs.stripe.com/error-low-level>: rate limits apply before idempotency; what an endpoint answers after it began to run is
//! kept under the key, errors included; what fails validation is not.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderMap, HeaderValue, Method, Request, Response, header::AUTHORIZATION};
use jiff::Timestamp;
use serde_json::Value;
use test_provider::{Answer, Fault, Seen, later};

use crate::{
    FakeStripe,
    books::{API_VERSION, Books, Cause},
    expand::Expansions,
    form::Form,
    intents::{self, Call},
    list, refunds,
    refusal::Refusal,
    search,
};

/// How many requests an account made in a second, and which objects are busy until when.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    second: i64,
    requests: u32,
    busy: BTreeMap<String, Timestamp>,
}

/// Who asks.
#[derive(Clone, Copy)]
struct Caller {
    account: usize,
    /// With a publishable key: a browser.
    is_browser: bool,
}

/// A request to the API, read.
struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    form: Form,
    key: Option<&'a str>,
    host: &'a str,
    cause: Cause,
    now: Timestamp,
    fault: Option<Fault>,
}

impl FakeStripe {
    /// Answers a request to the API.
    pub(crate) fn api(&mut self, request: &Request<Vec<u8>>, now: Timestamp) -> Answer {
        let (method, path) = (request.method(), request.uri().path());
        let fault = self.faults.take(method, path);
        if fault == Some(Fault::LostRequest) {
            return Answer::Lost;
        }
        self.requests += 1;
        let id = format!("req_F{:013}", self.requests);
        let mut answer = self.judged(request, &id, fault, now).unwrap_or_else(|refusal| refusal.answer(&id));
        headers(answer.headers_mut(), request, &id);
        match fault {
            Some(Fault::LostAnswer) => Answer::Lost,
            Some(Fault::Slow(after)) => Answer::Late(after, answer),
            Some(Fault::LostRequest | Fault::Error500 { .. } | Fault::RateLimited) | None => Answer::Now(answer),
        }
    }

    fn judged(
        &mut self,
        request: &Request<Vec<u8>>,
        id: &str,
        fault: Option<Fault>,
        now: Timestamp,
    ) -> Result<Response<Vec<u8>>, Refusal> {
        let caller = self.caller(request.headers())?;
        if fault == Some(Fault::RateLimited) || self.is_over_the_limit(caller.account, now) {
            return Ok(rate_limited(id));
        }
        let encoded =
            if request.method() == Method::GET { request.uri().query().unwrap_or_default().as_bytes() } else { request.body() };
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let key = header("idempotency-key").filter(|_| request.method() == Method::POST);
        if key.is_some_and(str::is_empty) {
            return Err(Refusal::invalid("Idempotency Key must be a non-empty string."));
        }
        if key.is_some_and(|key| key.len() > 255) {
            return Err(Refusal::invalid("Idempotency keys can be up to 255 characters long."));
        }
        let asked = Asked {
            method: request.method(),
            path: request.uri().path(),
            form: Form::read(encoded)?,
            key,
            host: header("host").unwrap_or("127.0.0.1"),
            cause: Cause { request: Some(id.to_owned()), key: key.map(str::to_owned) },
            now,
            fault,
        };
        self.once(caller, &asked, id)
    }

    /// Runs the endpoint unless it ran for the same key before.
    fn once(&mut self, caller: Caller, asked: &Asked<'_>, id: &str) -> Result<Response<Vec<u8>>, Refusal> {
        let Some(key) = asked.key else {
            return Ok(self.executed(caller, asked, id).0);
        };
        let parameters = asked.form.fingerprint();
        match self.keys.seen(caller.account, key, asked.path, &parameters, asked.now) {
            Seen::New => {}
            Seen::Same(answer) => {
                let mut answer = answer.clone();
                answer.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
                return Ok(answer);
            }
            Seen::InFlight => {
                return Err(Refusal::of(409, "invalid_request_error", format!(
                    "There is currently another in-progress request using this Idempotent Key (that probably means you submitted \
                     twice, and the other request is still going through): {key}. Please try again later."
                ))
                .code("idempotency_key_in_use"));
            }
            Seen::Other { endpoint } => {
                let same = if endpoint == asked.path {
                    "with the same parameters they were first used with".to_owned()
                } else {
                    format!("for the same endpoint they were first used for ('{}' vs '{endpoint}')", asked.path)
                };
                return Err(Refusal::of(
                    400,
                    "idempotency_error",
                    format!(
                        "Keys for idempotent requests can only be used {same}. Try using a key other than '{key}' if you meant to \
                     execute a different request."
                    ),
                ));
            }
        }
        let (mut answer, began) = self.executed(caller, asked, id);
        if let Ok(id) = HeaderValue::from_str(id) {
            answer.headers_mut().insert("original-request", id);
        }
        if began {
            let answered = match asked.fault {
                Some(Fault::Slow(after)) => later(asked.now, after),
                Some(Fault::LostRequest | Fault::LostAnswer | Fault::Error500 { .. } | Fault::RateLimited) | None => asked.now,
            };
            self.keys.keep(caller.account, key, (asked.path, &parameters), (asked.now, answered), answer.clone());
        }
        Ok(answer)
    }

    /// The answer of the endpoint, and whether it had begun to run.
    fn executed(&mut self, caller: Caller, asked: &Asked<'_>, id: &str) -> (Response<Vec<u8>>, bool) {
        let object = asked.path.split('/').nth(3).filter(|_| asked.method == Method::POST);
        if let Some(busy) = object.filter(|object| self.is_busy(caller.account, object, asked.now)) {
            return (locked(busy, id), false);
        }
        if asked.fault == Some(Fault::Error500 { done: false }) {
            return (internal_error(id), true);
        }
        let Some(books) = self.books.get_mut(caller.account) else { return (internal_error(id), false) };
        let answer = run(books, caller, asked);
        let began = answer.as_ref().map_or_else(|refusal| refusal.executed, |_| true);
        if let (Some(Fault::Slow(after)), Some(object), true) = (asked.fault, object, began) {
            self.make_busy(caller.account, object, asked.now, after);
        }
        let answer = match (answer, asked.fault) {
            (_, Some(Fault::Error500 { done: true })) if began => internal_error(id),
            (Ok(object), _) => test_provider::json(200, &object),
            (Err(refusal), _) => refusal.answer(id),
        };
        (answer, began)
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default().trim();
        if key.is_empty() {
            return Err(Refusal::of(
                401,
                "invalid_request_error",
                "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. \
                 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can \
                 help at https://support.stripe.com/.",
            ));
        }
        let accounts = self.options.accounts.iter().enumerate();
        let found = accounts.flat_map(|(account, keys)| {
            [
                (&keys.secret_key, Caller { account, is_browser: false }),
                (&keys.publishable_key, Caller { account, is_browser: true }),
            ]
        });
        found.into_iter().find(|(known, _)| *known == key).map(|(_, caller)| caller).ok_or_else(|| {
            let shown = key.get(key.len().saturating_sub(4)..).unwrap_or_default();
            let start = key.get(..key.len().min(8)).unwrap_or_default();
            Refusal::of(401, "invalid_request_error", format!("Invalid API Key provided: {start}*****{shown}"))
        })
    }

    fn is_over_the_limit(&mut self, account: usize, now: Timestamp) -> bool {
        let (Some(limit), Some(traffic)) = (self.options.requests_per_second, self.traffic.get_mut(account)) else {
            return false;
        };
        if traffic.second != now.as_second() {
            (traffic.second, traffic.requests) = (now.as_second(), 0);
        }
        traffic.requests += 1;
        traffic.requests > limit
    }

    fn is_busy(&self, account: usize, object: &str, now: Timestamp) -> bool {
        self.traffic.get(account).and_then(|traffic| traffic.busy.get(object)).is_some_and(|until| now < *until)
    }

    fn make_busy(&mut self, account: usize, object: &str, now: Timestamp, after: Duration) {
        if let Some(traffic) = self.traffic.get_mut(account) {
            traffic.busy.retain(|_, until| now < *until);
            traffic.busy.insert(object.to_owned(), later(now, after));
        }
    }
}

fn rate_limited(id: &str) -> Response<Vec<u8>> {
    let message = "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.";
    let mut answer = Refusal::of(429, "invalid_request_error", message).code("rate_limit").answer(id);
    answer.headers_mut().insert("stripe-rate-limited-reason", HeaderValue::from_static("global-rate"));
    answer.headers_mut().insert("stripe-should-retry", HeaderValue::from_static("false"));
    answer
}

/// Another request is at work on the same object.
fn locked(_object: &str, id: &str) -> Response<Vec<u8>> {
    let message = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. \
                   If you see this error intermittently, retry the request. If you see this error frequently and are making \
                   multiple concurrent requests to a single object, make your requests serially or at a lower rate.";
    let mut answer = Refusal::of(429, "invalid_request_error", message).code("lock_timeout").answer(id);
    answer.headers_mut().insert("stripe-should-retry", HeaderValue::from_static("true"));
    answer
}

fn internal_error(id: &str) -> Response<Vec<u8>> {
    let message = "Sorry! There was an error while talking to Stripe. Our engineers have been notified.";
    let mut answer = Refusal::of(500, "api_error", message).answer(id);
    // With a key, a repetition gets the same answer; without one, its effect is unknown.
    answer.headers_mut().insert("stripe-should-retry", HeaderValue::from_static("false"));
    answer
}

/// The headers that every answer has.
fn headers(headers: &mut HeaderMap, request: &Request<Vec<u8>>, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("request-id", id);
    }
    let version = request.headers().get("stripe-version").cloned();
    headers.insert("stripe-version", version.unwrap_or_else(|| HeaderValue::from_static(API_VERSION)));
    if let Some(key) = request.headers().get("idempotency-key").filter(|_| request.method() == Method::POST) {
        headers.insert("idempotency-key", key.clone());
    }
}

/// Finds the endpoint and runs it.
fn run(books: &mut Books, caller: Caller, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let segments: Vec<_> = asked.path.strip_prefix("/v1/").unwrap_or_default().split('/').collect();
    let call = Call { form: &asked.form, cause: &asked.cause, now: asked.now, host: asked.host };
    if caller.is_browser {
        return browser(books, asked.method, &segments, &call);
    }
    let form = &asked.form;
    let expansions = |object, is_list| Expansions::read(form, object, is_list);
    let post = asked.method == Method::POST;
    let (expansions, mut value) = match segments.as_slice() {
        ["payment_intents"] if post => (expansions("payment_intent", false)?, intents::create(books, &call)?),
        ["payment_intents", id, "confirm"] if post => (expansions("payment_intent", false)?, intents::confirm(books, id, &call)?),
        ["payment_intents", id, "capture"] if post => (expansions("payment_intent", false)?, intents::capture(books, id, &call)?),
        ["payment_intents", id, "cancel"] if post => (expansions("payment_intent", false)?, intents::cancel(books, id, &call)?),
        ["refunds"] if post => (expansions("refund", false)?, refunds::create(books, &call)?),
        _ if asked.method != Method::GET => return Err(unrecognized(asked)),
        ["payment_intents"] => (expansions("payment_intent", true)?, list::intents(books, form)?),
        ["payment_intents", "search"] => (expansions("payment_intent", true)?, search::intents(books, form, asked.now)?),
        ["charges"] => (expansions("charge", true)?, list::charges(books, form)?),
        ["refunds"] => (expansions("refund", true)?, list::refunds(books, form)?),
        ["events"] => (expansions("event", true)?, list::events(books, form)?),
        ["payment_intents", id] => (expansions("payment_intent", false)?, one(books, form, id, ("payment_intent", "intent"))?),
        ["charges", id] => (expansions("charge", false)?, one(books, form, id, ("charge", "id"))?),
        ["refunds", id] => (expansions("refund", false)?, one(books, form, id, ("refund", "refund"))?),
        ["payment_methods", id] => {
            (expansions("payment_method", false)?, one(books, form, id, ("PaymentMethod", "payment_method"))?)
        }
        ["events", id] => (expansions("event", false)?, event(books, form, id)?),
        _ => return Err(unrecognized(asked)),
    };
    expansions.apply(books, &mut value);
    Ok(value)
}

/// One object of the kind that the path names.
fn one(books: &Books, form: &Form, id: &str, (object, param): (&'static str, &'static str)) -> Result<Value, Refusal> {
    form.only(&["client_secret", "expand"])?;
    let kind = if object == "PaymentMethod" { "payment_method" } else { object };
    let found = books.view(id).filter(|view| view.get("object").and_then(Value::as_str) == Some(kind));
    found.ok_or_else(|| Refusal::not_found(object, id, param))
}

fn event(books: &Books, form: &Form, id: &str) -> Result<Value, Refusal> {
    form.only(&["expand"])?;
    books.events.get(id).cloned().ok_or_else(|| Refusal::not_found("event", id, "id"))
}

/// What a browser may do: see and confirm the intent whose client secret it has.
fn browser(books: &mut Books, method: &Method, segments: &[&str], call: &Call<'_>) -> Result<Value, Refusal> {
    let needs_secret_key = || {
        let message = "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your \
                       API keys at https://dashboard.stripe.com/account/apikeys.";
        Refusal::of(401, "invalid_request_error", message).code("secret_key_required")
    };
    let (id, confirms) = match segments {
        ["payment_intents", id] if method == Method::GET => (*id, false),
        ["payment_intents", id, "confirm"] if method == Method::POST => (*id, true),
        _ => return Err(needs_secret_key()),
    };
    let secret = call.form.text("client_secret")?.ok_or_else(needs_secret_key)?;
    if intents::named(books, id)?.client_secret() != secret {
        let message = "The client_secret provided does not match any associated PaymentIntent on this account. Ensure the publishable \
                       key used belongs to the same account that created the PaymentIntent.";
        return Err(Refusal::invalid(message).code("payment_intent_invalid_parameter").param("client_secret"));
    }
    if confirms {
        intents::confirm(books, id, call)?;
    }
    intents::named(books, id).map(crate::intent::Intent::view_for_browser)
}

fn unrecognized(asked: &Asked<'_>) -> Refusal {
    let (method, path) = (asked.method, asked.path);
    Refusal::of(
        404,
        "invalid_request_error",
        format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
        ),
    )
}
