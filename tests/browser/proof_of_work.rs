//! ALTCHA's official widget solves a challenge in a browser, and `reserve` believes its solution.

use std::{collections::BTreeMap, path::PathBuf};

use domain::{Clock, ProofOfWork, SaleDraft, SignedDuration};
use get_challenge::GetChallenge;
use kit::SystemClock;
use reserve::Reserve;
use serde_json::json;
use test_aws::{Calls, FixedClock, request};
use test_shop::{Judged, Shop, body, brief, demo, draft};

use crate::{driver::Browser, site::Site};

/// Names the file with the official widget, `altcha.min.js`.
const WIDGET: &str = "ALTCHA_WIDGET";

/// The widget's script.
fn widget() -> String {
    let path: PathBuf =
        std::env::var_os(WIDGET).unwrap_or_else(|| panic!("{WIDGET} is missing: cargo xtask test sets it")).into();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test]
async fn the_official_widget_solves_a_challenge_and_reserve_believes_it() {
    // The widget looks at the device's clock.
    let (now, hour) = (SystemClock.now(), SignedDuration::from_hours(1));
    let shop = Shop::empty_at(FixedClock::at(&now.to_string())).await;
    let proof_of_work = Some(ProofOfWork { cost: 5_000, window_seconds: 60 });
    shop.sale(&demo(), SaleDraft { proof_of_work, starts_at: now - hour, ends_at: now + hour, ..draft() }).await;
    let (challenges, reserve): (Judged<GetChallenge>, Judged<Reserve>) = (shop.wire(&Calls::new()), shop.wire(&Calls::new()));
    let ask = request("GET", "/api/flash-sales/{product_id}/challenge").path_parameter("product_id", "demo").shopper("ann");
    let challenge = body(&challenges.handle(ask.build()).await);

    let page = "<!doctype html><title>A shop</title><script type=module src=/altcha.min.js></script>\
                <form><altcha-widget name=work challenge=/challenge></altcha-widget></form>";
    let site = Site::of(BTreeMap::from([
        ("/", ("text/html", page.to_owned())),
        ("/altcha.min.js", ("text/javascript", widget())),
        ("/challenge", ("application/json", challenge.to_string())),
    ]));
    let browser = Browser::start().await;
    browser.open(&site.url("/")).await;
    browser.click("altcha-widget label").await;
    let work = browser.text_of("input[name=work]", "value").await;
    drop(browser);

    let asked = |shopper: &str| {
        let ask = request("POST", "/reserve-inventory").shopper(shopper).json(&json!({"product_id": "demo"}));
        ask.header("Proof-Of-Work", &work).build()
    };
    assert_eq!(brief(&reserve.handle(asked("bob")).await), "422 proof-of-work-invalid");
    assert_eq!(brief(&reserve.handle(asked("ann")).await), "201");
}
