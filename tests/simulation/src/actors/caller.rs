//! The API gateway between an actor and the HTTP functions, where answers get lost. It builds the event of a request
//! and invokes the function in an environment. It uses no table and no queue.

use std::sync::Arc;

use lambda_http::RequestExt;
use serde_json::Value;
use test_aws::RequestBuilder;
use test_shop::{Answered, Conformance};

use crate::{
    checks::invariants::{AS_DESCRIBED, NO_SURPRISE},
    faults::Fault,
    services::environments,
    world::{Violation, World},
};

/// The answer: status and body, with `Retry-After` as its member `retry_after`. `None`: no answer came back.
pub(crate) type Answer = Option<(u16, Value)>;

/// A signed-in caller.
#[derive(Clone)]
pub(crate) struct Caller {
    world: Arc<World>,
    pub(crate) name: String,
    group: Option<&'static str>,
}

impl Caller {
    /// A shopper with this `sub`, in no group.
    pub(crate) fn shopper(world: &Arc<World>, name: String) -> Self {
        Self { world: Arc::clone(world), name, group: None }
    }

    /// The operator, in the group `ops`.
    pub(crate) fn operator(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), name: "operator".into(), group: Some("ops") }
    }

    fn identified(&self, asked: RequestBuilder) -> RequestBuilder {
        let asked = asked.shopper(&self.name);
        match self.group {
            Some(group) => asked.group(group),
            None => asked,
        }
    }

    /// Calls a function through the gateway. No answer comes back if the function died or the answer was lost.
    pub(crate) async fn ask(&self, function: &'static str, asked: RequestBuilder) -> Answer {
        self.world.step();
        self.world.note(|| format!("{} asks {function}", self.name));
        let (world, request) = (Arc::clone(&self.world), self.identified(asked).build());
        let (method, path) = (request.method().to_string(), request.raw_http_path().to_owned());
        let asked = self.world.spawn(async move { environments::http(&world, function, request).await.ok() });
        let answer = if self.world.strikes(Fault::AnswerLost) {
            // The connection breaks, but the function continues.
            self.world.pause(1, 600).await;
            None
        } else {
            asked.await.ok().flatten()
        };
        let answer = answer.map(|response| {
            let faults = Conformance::of_the_contract().faults(&method, &path, &Answered::from(&response));
            if !faults.is_empty() {
                self.world.violate(Violation { invariant: AS_DESCRIBED, detail: faults.join("; ") });
            }
            let mut body: Value = serde_json::from_slice(response.body().as_ref()).unwrap_or_default();
            if let Some(seconds) = response.headers().get("retry-after").and_then(|value| value.to_str().ok()) {
                body["retry_after"] = Value::from(seconds);
            }
            (response.status().as_u16(), body)
        });
        self.world.note(|| match &answer {
            Some((status, body)) => format!("{} is told {status} {body}", self.name),
            None => format!("{} hears nothing", self.name),
        });
        if let Some((status @ (500 | 501), body)) = &answer {
            let detail = format!("{function} answers {status} {body}");
            self.world.violate(Violation { invariant: NO_SURPRISE, detail });
        }
        answer
    }
}
