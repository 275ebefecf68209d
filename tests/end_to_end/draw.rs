//! A sale that admits shoppers by draw, from the commitment to the seed.

use std::{cell::Cell, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{DrawSeed, SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::{Person, Stack, eventually, now};

/// The time in which the ramp of this test passes, and every environment has read that the sale is closed.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_shopper_waits_for_its_turn_and_verifies_it_after_the_sale() {
    let stack = Stack::running();
    let (starts_at, ramp_seconds) = (now() - SignedDuration::from_secs(1), 10);
    let admission = json!({"mode": "draw", "ramp_seconds": ramp_seconds});
    let product = stack.sale("draw", json!({"starts_at": starts_at, "admission": admission})).await;
    let (operator, shopper) = (stack.sign_in("ops@example.com").await, stack.new_shopper().await);
    let path = format!("/api/flash-sales/{product}");
    assert_eq!(shopper.get(&path).await.expect(200).body["admission"], admission);
    let draw = shopper.get(&format!("{path}/draw")).await.expect(200).body;
    assert!(draw["seed"].is_null(), "{draw}");
    // The shopper may have a very early turn.
    let told = Cell::new(None);
    eventually("the shopper's turn", SOON, async || {
        let answer = shopper.reserve(&product).await;
        if answer.status == 409 {
            let refused = answer.refuses(409, "not-yet-admitted");
            let turn: Timestamp = refused.text("admitted_at").parse().unwrap();
            assert_eq!(told.replace(Some(turn)).unwrap_or(turn), turn, "asking does not change it");
            return None;
        }
        answer.expect(201);
        Some(())
    })
    .await;
    let reserved_at = now();
    operator.send(Method::POST, &format!("/admin/flash-sales/{product}/close"), &[], None).await.expect(200);
    let seed = eventually("the seed", SOON, async || {
        let after = shopper.get(&format!("{path}/draw")).await.expect(200).body;
        assert_eq!(after["commitment"], draw["commitment"]);
        after["seed"].as_str().and_then(DrawSeed::from_hex)
    })
    .await;
    assert_eq!(seed.commitment(), draw["commitment"].as_str().unwrap());
    let turn = seed.rank(&product.parse().unwrap(), &subject(&shopper).parse().unwrap()).admitted_at(starts_at, ramp_seconds);
    assert_eq!(told.get().unwrap_or(turn), turn);
    assert!(turn <= reserved_at + SignedDuration::from_secs(2), "the clocks of this machine are one");
}

/// The `sub` of a person's token: the shopper's id.
fn subject(person: &Person) -> String {
    let claims = person.token.as_ref().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}
