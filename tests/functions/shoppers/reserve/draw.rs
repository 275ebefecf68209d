//! A sale that admits shoppers by draw: who is early is refused from memory, and is admitted at the time that the refusal named.

use std::collections::BTreeSet;

use contract::Refusal;
use domain::{Admission, NotYetAdmitted, Quantity, SaleDraft, SignedDuration, Timestamp};
use insta::assert_snapshot;
use reserve::Reserve;
use serde_json::json;
use test_aws::{Calls, request};
use test_shop::{Judged, START, demo};

use crate::shoppers::reserve::world::{Environment, World, draft, shopper};

/// The demo sale at its start, with a draw over one minute.
async fn drawing(units: u32) -> World {
    let world = World::with(SaleDraft { admission: Admission::Draw { ramp_seconds: 60 }, ..draft(units) }).await;
    world.shop.clock.set(START);
    world
}

/// When the draw admits a shopper, as the refusal says.
async fn turn(environment: &Environment, name: &str) -> Timestamp {
    match environment.reserve(&shopper(name), &demo(), Some(Quantity::ONE)).await {
        Err(Refusal::NotYetAdmitted(NotYetAdmitted { admitted_at })) => admitted_at,
        other => panic!("{name} is not too early: {other:?}"),
    }
}

#[tokio::test]
async fn who_is_early_costs_no_call_and_gains_nothing_by_more_requests() {
    let world = drawing(10).await;
    let environment = world.environment();
    let first = turn(&environment, "ann").await;
    environment.calls.reset();
    for n in 0..1_000 {
        assert_eq!(turn(&environment, "ann").await, first);
        assert!(turn(&environment, &format!("shopper-{n}")).await > world.now());
    }
    assert_eq!(environment.calls.total(), 0, "the sale is known for a second");
    assert_eq!(turn(&world.environment(), "ann").await, first, "another environment says the same");
}

#[tokio::test]
async fn a_shopper_is_admitted_at_its_turn_and_keeps_what_it_got() {
    let world = drawing(10).await;
    let ann = shopper("ann");
    let admitted_at = turn(&world.environment(), "ann").await;
    world.shop.clock.set(&(admitted_at - SignedDuration::from_millis(1)).to_string());
    assert_eq!(turn(&world.environment(), "ann").await, admitted_at);
    assert_eq!(world.units().await, (10, 0), "nothing was claimed");
    world.shop.clock.set(&admitted_at.to_string());
    let (reservation, is_new) = world.environment().got(&ann).await;
    assert!(is_new);
    assert_eq!(world.environment().got(&ann).await, (reservation, false));
}

#[tokio::test]
async fn shoppers_are_admitted_in_the_order_of_their_ranks_and_all_at_the_end_of_the_ramp() {
    let world = drawing(20).await;
    let environment = world.environment();
    let mut turns = BTreeSet::new();
    for n in 0..20 {
        turns.insert((turn(&environment, &format!("shopper-{n}")).await, n));
    }
    for (at, n) in &turns {
        world.shop.clock.set(&at.to_string());
        world.environment().got(&shopper(&format!("shopper-{n}"))).await;
    }
    let end = START.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(60);
    assert!(turns.iter().all(|(at, _)| *at <= end), "{turns:?}");
}

#[tokio::test]
async fn a_sale_that_is_known_to_be_sold_out_says_so_first() {
    let world = drawing(1).await;
    let environment = world.environment();
    turn(&environment, "ann").await;
    let end = world.now() + SignedDuration::from_secs(60);
    world.shop.clock.set(&end.to_string());
    world.sell_out().await;
    world.refresh_availability().await;
    assert_eq!(environment.refused(&shopper("bob")).await, "sold-out");
    // Nobody can go back in time; an environment whose clock is behind says the same from memory.
    world.shop.clock.advance(SignedDuration::from_millis(-500));
    assert_eq!(environment.refused(&shopper("carl")).await, "sold-out");
}

#[tokio::test]
async fn the_refusal_says_when() {
    let world = drawing(10).await;
    let function: Judged<Reserve> = world.shop.wire(&Calls::new());
    let ask = request("POST", "/reserve-inventory").shopper("ann").json(&json!({"product_id": "demo"})).build();
    assert_snapshot!(test_aws::told(&function.handle(ask).await), @r#"
    409 Conflict: not-yet-admitted, Not admitted yet
    retry-after: 53
    This sale admits shoppers by draw. It is your turn at 2026-11-01T12:00:52.711Z; earlier or more requests change nothing.
    {"admitted_at":"2026-11-01T12:00:52.711Z"}
    "#);
}
