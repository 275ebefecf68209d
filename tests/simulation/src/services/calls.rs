//! The wire between the functions and the payment providers, with the faults of every other wire.

use std::{
    fmt, io,
    sync::{Arc, Weak},
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use test_provider::Answer;

use crate::{
    checks::mutations::Mutation,
    faults::Fault,
    services::{
        environments::{self, Invocation},
        providers::STRIPE,
        wire::{MOST_LATE, SLOWEST, dead, latency},
    },
    world::World,
};

/// A call to a payment provider.
pub(crate) struct Call {
    /// The function that makes it.
    pub(crate) function: &'static str,
    pub(crate) request: http::Request<Vec<u8>>,
    /// The call's number, unique in a history.
    pub(crate) number: u64,
}

impl Call {
    /// Whether it goes to the provider at `url`.
    pub(crate) fn is_to(&self, url: &str) -> bool {
        let uri = self.request.uri();
        url.split_once("://") == uri.scheme_str().zip(uri.authority().map(http::uri::Authority::as_str))
    }

    /// Whether it has this method and its path begins and ends like this.
    pub(crate) fn has(&self, method: &str, begins: &str, ends: &str) -> bool {
        let path = self.request.uri().path();
        self.request.method() == method && path.starts_with(begins) && path.ends_with(ends)
    }
}

/// Calls of a history.
pub(crate) struct Calls(Weak<World>);

impl Calls {
    /// Calls to the providers of `world`.
    pub(crate) fn to(world: &Weak<World>) -> payments::Http {
        payments::Http::over(SharedHttpConnector::new(Self(Weak::clone(world))))
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl HttpConnector for Calls {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = self.0.upgrade().expect("a world outlives its calls");
        HttpConnectorFuture::new(async move {
            let caller = environments::current().expect("only functions call providers");
            let call = Call { function: caller.function, request: test_shop::request_to_fake(&request), number: world.steps() };
            on_the_way(&world, &caller, call).await
        })
    }
}

/// Carries a function's call.
async fn on_the_way(world: &Arc<World>, caller: &Arc<Invocation>, call: Call) -> Result<HttpResponse, ConnectorError> {
    world.step();
    let told = format!("{caller} {} {}", call.request.method(), call.request.uri());
    let strikes = |fault| world.strikes_call_of(caller.function, fault);
    latency(world).await;
    if world.chance.happens(0.5) && strikes(Fault::Kill) {
        world.note(|| format!("{told}: killed before it"));
        return dead(caller).await;
    }
    if strikes(Fault::RequestLost) {
        world.note(|| format!("{told}: lost"));
        return broken(world, true).await;
    }
    if strikes(Fault::RequestLate) {
        world.note(|| format!("{told}: on its way for long"));
        return late(world, caller, call, told).await;
    }
    let answer = serve(world, &call, &told);
    if world.chance.happens(0.5) && strikes(Fault::Kill) {
        world.note(|| format!("{told}: killed after it"));
        return dead(caller).await;
    }
    if strikes(Fault::AnswerLost) {
        world.note(|| format!("{told}: answer lost"));
        return broken(world, false).await;
    }
    latency(world).await;
    arrives(world, answer).await
}

/// Delivers the call after seconds, even if its caller has given up, asked again, or died.
async fn late(world: &Arc<World>, caller: &Arc<Invocation>, call: Call, told: String) -> Result<HttpResponse, ConnectorError> {
    let again = Arc::clone(world);
    let answer = world.spawn(async move {
        again.pause(500, MOST_LATE - SLOWEST).await;
        serve(&again, &call, &told)
    });
    if world.chance.happens(0.5) && world.strikes_request_of(caller.function, Fault::Kill) {
        world.note(|| format!("{caller} killed meanwhile"));
        return dead(caller).await;
    }
    match answer.await {
        Ok(answer) => arrives(world, answer).await,
        // The history ends.
        Err(_) => std::future::pending().await,
    }
}

/// The connection breaks, or stays silent until the client gives up. Only a call that certainly did not arrive may be refused
/// a connection.
async fn broken(world: &World, has_not_arrived: bool) -> Result<HttpResponse, ConnectorError> {
    if world.chance.happens(0.3) {
        return std::future::pending().await;
    }
    latency(world).await;
    let is_refused = has_not_arrived && world.chance.happens(0.5);
    let is_refused = is_refused || world.mutation.is_some_and(Mutation::takes_breaks_for_refusals);
    let kind = if is_refused { io::ErrorKind::ConnectionRefused } else { io::ErrorKind::ConnectionReset };
    Err(ConnectorError::io(Box::new(io::Error::from(kind))))
}

async fn arrives(world: &World, answer: Answer) -> Result<HttpResponse, ConnectorError> {
    match answer {
        Answer::Now(response) => Ok(test_shop::answer_of_fake(response)),
        Answer::Late(wait, response) => {
            world.sleep(wait).await;
            Ok(test_shop::answer_of_fake(response))
        }
        Answer::Lost => panic!("the wire loses answers, and not the provider"),
    }
}

/// Lets the provider answer, and checks its books. A deliberate bug may have altered the call, or what its caller makes of the
/// answer.
fn serve(world: &Arc<World>, call: &Call, told: &str) -> Answer {
    let altered = world.mutation.and_then(|mutation| mutation.alter_call(call));
    let mut answer = world.providers.answer(world, altered.as_ref().unwrap_or(call));
    if let (Answer::Now(response) | Answer::Late(_, response), Some(mutation)) = (&mut answer, world.mutation) {
        mutation.alter_answer(call, response);
    }
    world.note(|| match &answer {
        Answer::Now(response) => format!("{told}: {}", response.status().as_u16()),
        Answer::Late(wait, response) => format!("{told}: {} after {wait:?}", response.status().as_u16()),
        Answer::Lost => format!("{told}: lost"),
    });
    if call.request.method() != "GET" {
        world.check();
    }
    if let Answer::Now(response) | Answer::Late(_, response) = &answer
        && let Some(intent) = declined(call, response.status())
        && world.strikes(Fault::LateMoney)
    {
        world.spawn(pays_late(Arc::clone(world), intent));
    }
    answer
}

/// The intent whose card the answer to this call declines.
fn declined(call: &Call, status: http::StatusCode) -> Option<String> {
    let is_declined = call.is_to(STRIPE) && call.has("POST", "/v1/payment_intents", "/confirm") && status == 402;
    is_declined.then(|| call.request.uri().path().split('/').nth(3).map(str::to_owned)).flatten()
}

/// The money of a declined payment comes after all.
async fn pays_late(world: Arc<World>, intent: String) {
    world.pause(500, 120_000).await;
    let has_come = world.providers.pay_late(&intent);
    world.note(|| format!("the money of {intent} comes late: {has_come}"));
    world.check();
}
