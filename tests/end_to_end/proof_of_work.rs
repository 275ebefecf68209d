//! A sale that asks for a proof of work: a shopper solves a challenge before the start, and shows it with the request.

use std::time::Duration;

use domain::SignedDuration;
use reqwest::Method;
use serde_json::json;
use test_shop::solved;

use crate::stack::{Stack, eventually, now};

/// The time until the sale opens, and its environments know it.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn who_solved_a_challenge_before_the_start_reserves_at_the_start_and_orders() {
    let stack = Stack::running();
    let admission = json!({"mode": "fcfs", "proof_of_work": {"cost": 50, "window_seconds": 30}});
    let changes = json!({"starts_at": now() + SignedDuration::from_secs(12), "admission": admission});
    let product = stack.sale("guarded", changes).await;
    let (ann, bob) = (stack.new_shopper().await, stack.new_shopper().await);
    let path = format!("/api/flash-sales/{product}");
    assert_eq!(ann.get(&path).await.expect(200).body["admission"], admission);
    let work = solved(&ann.get(&format!("{path}/challenge")).await.expect(200).body);
    let reserve = json!({"product_id": product}).to_string();
    let ask = async |work: Option<&str>| {
        let headers: Vec<_> = work.into_iter().map(|work| ("Proof-Of-Work", work)).collect();
        ann.send(Method::POST, "/reserve-inventory", &headers, Some(reserve.clone())).await
    };
    eventually("the start of the sale", SOON, async || {
        let answer = ask(None).await;
        if answer.code() == "sale-not-started" {
            return None;
        }
        answer.refuses(428, "proof-of-work-required");
        Some(())
    })
    .await;
    ask(Some(&work)).await.expect(201);
    ask(Some(&work)).await.expect(200);
    let of_bob = async |work: &str| {
        bob.send(Method::POST, &format!("{path}/order"), &[("Proof-Of-Work", work)], Some("{}".to_owned())).await
    };
    assert_eq!(of_bob(&work).await.refuses(422, "proof-of-work-invalid").text("reason"), "foreign");
    let work = solved(&bob.get(&format!("{path}/challenge")).await.expect(200).body);
    of_bob(&work).await.expect(202);
    let demo = stack.sale("unguarded", json!({})).await;
    bob.get(&format!("/api/flash-sales/{demo}/challenge")).await.refuses(404, "no-proof-of-work");
}
