//! Requests for several units near the end of a sale: one shard has to have all of them.
#![expect(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use contract::Refusal;
use domain::{Availability, Quantity, SaleDraft, ShardLayout, ShardNumber};
use insta::assert_snapshot;
use reserve::Reserve;
use serde_json::json;
use test_aws::{Calls, request};
use test_shop::{Judged, demo};

use crate::shoppers::reserve::world::{Environment, World, draft, shopper};

/// What the environment knows when the request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It has an empty memory; the availability item is right.
    Item,
    /// It has an empty memory; the availability item still promises every unit.
    StaleItem,
    /// It has just refused another shopper.
    Memory,
}

/// A sale with at most ten units for each shopper and with these units left in its shards, which were made with ten.
async fn with_left(left: &[u32]) -> World {
    let shards = u32::try_from(left.len()).unwrap();
    let draft = SaleDraft { max_per_shopper: Quantity::MAX, shards: Some(shards), ..draft(shards * 10) };
    let world = World::with(draft).await;
    for (shard, left) in (0..).map(ShardNumber).zip(left) {
        for _ in *left..10 {
            let hold = world.hold();
            world.shop.uncounted().stock().claim(shard, &world.stranger(), &hold).await.unwrap();
        }
    }
    world
}

/// The answer to a request for this many units, in one line: code, available units, largest quantity.
async fn ask(environment: &Environment, name: &str, quantity: u32) -> String {
    match environment.reserve(&shopper(name), &demo(), Quantity::new(quantity).ok()).await {
        Ok(reserved) => format!("granted {}", reserved.reservation.quantity.units()),
        Err(Refusal::SoldOut(holds)) => {
            assert!(holds.available < quantity, "sold out with {} units, of which {quantity} were asked for", holds.available);
            format!("sold-out {}", holds.available)
        }
        Err(Refusal::NotTogether { available, largest }) => {
            assert!(available >= quantity && largest < quantity, "{available}, together {largest}, asked for {quantity}");
            format!("not-together {available} {largest}")
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn units_that_are_left_are_never_sold_out_and_the_largest_quantity_is_granted() {
    for (left, asked, expected, again) in [
        (&[3, 5][..], 5, "granted 5", None),
        (&[3, 5], 6, "not-together 8 5", Some(5)),
        (&[3, 5], 8, "not-together 8 5", Some(5)),
        (&[3, 5], 9, "sold-out 8", None),
        (&[1, 1, 1, 1], 2, "not-together 4 1", Some(1)),
        (&[1, 1, 1, 1], 5, "sold-out 4", None),
        (&[0, 9, 0, 9], 10, "not-together 18 9", Some(9)),
        (&[0, 0, 1], 2, "sold-out 1", None),
        (&[0, 0, 1], 1, "granted 1", None),
        (&[9], 10, "sold-out 9", None),
        (&[0, 0], 1, "sold-out 0", None),
    ] {
        for known in [Known::Item, Known::StaleItem, Known::Memory] {
            let context = format!("{asked} of {left:?}, {known:?}");
            let world = with_left(left).await;
            if known != Known::StaleItem {
                world.refresh_availability().await;
            }
            let environment = world.environment();
            if known == Known::Memory && !expected.starts_with("granted") {
                ask(&environment, "cat", asked).await;
                environment.calls.reset();
            }
            assert_eq!(ask(&environment, "ann", asked).await, expected, "{context}");
            if known == Known::Memory && !expected.starts_with("granted") {
                assert_eq!(environment.calls.total(), 0, "{context}: a loser costs nothing once the environment knows");
            }
            if let Some(quantity) = again {
                assert_eq!(ask(&environment, "ann", quantity).await, format!("granted {quantity}"), "{context}");
                world.refresh_availability().await;
                let other = ask(&world.environment(), "bob", quantity).await;
                let is_left = left.iter().filter(|units| **units >= quantity).count() > 1;
                assert_eq!(other.starts_with("granted"), is_left, "{context}: {other}");
            }
        }
    }
}

/// With more than a hundred shards, no request reads all of them.
#[tokio::test]
async fn what_a_failed_claim_found_counts_more_than_the_item() {
    let world = with_left(&[1; 101]).await;
    let layout = ShardLayout::new(101 * 10, 101);
    let ann = shopper("ann");
    let home = layout.home_of(&demo(), &ann);
    // The item says that the home shard has five units, and all others have one.
    let before = world.shop.availability(&demo()).await;
    let free = layout.numbers().map(|shard| if shard == home { 5 } else { 1 }).collect();
    let stale = Availability { free, version: before.version + 1, ..before.clone() };
    assert!(world.shop.uncounted().availabilities().put(&demo(), &stale, before.version).await.unwrap());
    let environment = world.environment();
    assert_eq!(ask(&environment, "ann", 5).await, "not-together 101 1");
    assert_eq!(ask(&environment, "ann", 1).await, "granted 1");
}

#[tokio::test]
async fn the_refusal_says_how_many_units_can_be_had() {
    let world = with_left(&[3, 5]).await;
    let function: Judged<Reserve> = world.shop.wire(&Calls::new());
    let body = json!({"product_id": "demo", "quantity": 6});
    let response = function.handle(request("POST", "/reserve-inventory").shopper("ann").json(&body).build()).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    409 Conflict: not-together, Not together
    ratelimit: "shopper";r=19;t=1
    ratelimit-policy: "shopper";q=20;w=1
    8 units are left, but at most 5 of them together. Ask for 5 or fewer.
    {"available_quantity":8,"largest_quantity":5}
    "#);
}
