//! Checks that apply to every HTTP function.

use std::{collections::BTreeMap, path::PathBuf};

use kit::{HttpFunction, Response};
use parts::FromParts;
use serde_json::Value;
use test_aws::{Calls, Fault, RequestBuilder};

use crate::{Buyer, Judged, Shop, Stage};

/// How a route treats a request without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Refuses it.
    Required,
    /// Treats it as a request without options.
    Optional,
}

/// Status, code of the problem and pointer to the fault in one line: `400 malformed-request /quantity`.
pub fn brief(response: &Response) -> String {
    let body = body(response);
    let mut line = response.status().as_u16().to_string();
    for member in ["code", "pointer"] {
        if let Some(text) = body[member].as_str().filter(|text| !text.is_empty()) {
            line = format!("{line} {text}");
        }
    }
    line
}

/// The JSON of a response; null if it has none.
pub fn body(response: &Response) -> Value {
    serde_json::from_slice(response.body().as_ref()).unwrap_or_default()
}

impl Shop {
    /// The answer of the HTTP function `F` to a sample event, such as `get-sale/ok`, in a new execution environment.
    pub async fn ask<F: FromParts + HttpFunction>(&self, event: &str) -> Response {
        self.ask_with::<F>(&Calls::new(), event).await
    }

    /// The same with counted calls.
    pub async fn ask_with<F: FromParts + HttpFunction>(&self, calls: &Calls, event: &str) -> Response {
        self.wire::<Judged<F>>(calls).handle(test_aws::event(&format!("{event}.json"))).await
    }

    /// The answer as a text for a snapshot: [`test_aws::told`].
    pub async fn told<F: FromParts + HttpFunction>(&self, event: &str) -> String {
        self.told_with::<F>(&Calls::new(), event).await
    }

    /// The same with counted calls.
    pub async fn told_with<F: FromParts + HttpFunction>(&self, calls: &Calls, event: &str) -> String {
        test_aws::told(&self.ask_with::<F>(calls, event).await)
    }
}

/// Calls `answer` at every stage of the first buyer's purchase. Lists the answers, one per line, each with its stages.
pub async fn by_stage(answer: impl AsyncFn(Shop, Stage) -> String) -> String {
    let mut stages_by_answer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for stage in Stage::ALL {
        let given = answer(Shop::with(stage).await, stage).await;
        stages_by_answer.entry(given).or_default().push(format!("{stage:?}"));
    }
    let lines: Vec<String> =
        stages_by_answer.into_iter().map(|(answer, stages)| format!("{answer}: {}", stages.join(", "))).collect();
    lines.join("\n")
}

/// Lets `F` answer every event of `events/<function>` and lists the answers, one per line. `shop` makes a new shop for each
/// event.
pub async fn answers<F: FromParts + HttpFunction>(function: &str, shop: impl AsyncFn() -> Shop) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../events").join(function);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        let case = file.trim_end_matches(".json");
        let response = shop().await.ask::<F>(&format!("{function}/{case}")).await;
        lines.push(format!("{case}: {}", brief(&response)));
    }
    lines.join("\n")
}

/// Asserts the refusals that every route with a body has, and that they cost no call and change nothing. `good` is a
/// request that would be granted with a proper body and caller.
pub async fn refuses_what_every_route_refuses<F: FromParts + HttpFunction>(shop: &Shop, good: &RequestBuilder, rule: Body) {
    let (calls, before) = (Calls::new(), shop.everything().await);
    let function: Judged<F> = shop.wire(&calls);
    let is_of_operators = good.clone().into_event()["path"].as_str().is_some_and(|path| path.starts_with("/admin/"));
    let asked = || {
        let asked = good.clone().shopper(Buyer::first().shopper.as_str());
        if is_of_operators { asked.group("ops") } else { asked }
    };
    let typed = |body: &str| asked().header("content-type", "application/json").body(body);
    let unsigned = |body: &str| good.clone().header("content-type", "application/json").body(body);
    let mut cases = vec![
        ("nobody has signed in", unsigned("{}"), "401 unauthenticated"),
        ("a header in place of a token", unsigned("{}").header("x-user-id", "shopper-1"), "401 unauthenticated"),
        ("JSON that breaks off", typed("{\"quantity\": 1"), "400 malformed-request"),
        ("more after the JSON", typed("{} {}"), "400 malformed-request"),
        ("a number", typed("1"), "400 malformed-request"),
        ("an array", typed("[1]"), "400 malformed-request"),
        ("a form", asked().header("content-type", "application/x-www-form-urlencoded").body("a=b"), "415 unsupported-media-type"),
        ("no type", asked().body("{}"), "415 unsupported-media-type"),
        ("16 KiB and a byte", typed(&padded(16 * 1024 + 1)), "413 body-too-large"),
        ("1 MiB", typed(&padded(1024 * 1024)), "413 body-too-large"),
        ("a card number", typed("{\"note\": \"4242 4242 4242 4242\"}"), "400 card-data /note"),
        ("a card number in a form", asked().body("card=4242424242424242"), "400 card-data"),
        ("a card number in JSON that breaks off", typed("{\"note\": [4242424242424242"), "400 card-data /note/0"),
    ];
    if rule == Body::Required {
        cases.extend([
            ("no body", asked(), "400 malformed-request"),
            ("an empty body", typed(""), "400 malformed-request"),
            ("an empty object", typed("{}"), "400 malformed-request"),
            ("16 KiB", typed(&padded(16 * 1024)), "400 malformed-request"),
        ]);
    }
    for (case, request, expected) in cases {
        let line = brief(&function.handle(request.build()).await);
        // The pointer to a missing member may follow.
        assert!(line.starts_with(expected), "{case}: {line}");
    }
    assert_eq!((calls.total(), shop.everything().await), (0, before), "what cannot be read costs and changes nothing");
}

/// Asserts what a function answers while one of these operations fails, with every fault: 503 if the fault may pass, 500
/// if the table refuses, and no details in either. The function remembers neither: after the fault, it grants the same
/// request. `ask` sends that request to a function with `calls`.
pub async fn tells_that_a_table_fails(calls: &Calls, operations: &[&str], ask: impl AsyncFn() -> Response) {
    for operation in operations {
        for fault in Fault::ALL {
            calls.fail_always(operation, fault);
            let failed = ask().await;
            let expected = if fault == Fault::Denied { "500 internal-error" } else { "503 try-again" };
            assert_eq!(brief(&failed), expected, "{operation} {fault:?}");
            let shown = test_aws::response(&failed);
            assert!(!shown.contains(operation) && !shown.contains("Denied"), "{shown}");
            calls.heal();
            let granted = ask().await;
            assert!(granted.status().is_success(), "{operation} {fault:?}, then {}", brief(&granted));
        }
    }
}

/// A JSON object of this many bytes.
fn padded(bytes: usize) -> String {
    format!("{{\"padding\":\"{}\"}}", "x".repeat(bytes - 14))
}
