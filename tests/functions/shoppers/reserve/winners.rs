//! The answer to a winner and its cost.

use std::collections::BTreeSet;

use domain::{Quantity, SignedDuration};
use futures_util::future::join_all;
use schedule_expiry::ScheduleExpiry;
use serde_json::json;
use test_aws::{Calls, Sent};
use test_shop::{demo, stream_batch};

use crate::{
    scheduled,
    shoppers::reserve::world::{World, code, draft, shopper},
};

#[tokio::test]
async fn a_winner_costs_three_writes_and_no_other_call() {
    let world = World::with_units(100).await;
    let environment = world.environment();
    environment.got(&shopper("ann")).await;
    assert_eq!(scheduled(&world.shop).await.len(), 1);
    environment.calls.reset();
    let (reservation, is_new) = environment.got(&shopper("bob")).await;
    assert!(is_new);
    let calls = &environment.calls;
    assert_eq!((calls.count("UpdateItem"), calls.count("PutItem")), (2, 1), "a token, the claim, the reservation");
    assert_eq!(calls.total(), 3, "the sale is known by now");
    if world.shop.dynamo.measures_capacity() {
        assert_eq!((calls.write_units(), calls.read_units()), (3.0, 0.0));
    }
    let [Sent { body, delay_seconds, .. }] = &scheduled(&world.shop).await[..] else { panic!("one message for bob's hold") };
    assert_eq!(*body, json!({"reservation_id": reservation.id, "shopper": "bob", "expires_at": reservation.expires_at}));
    assert_eq!(*delay_seconds, 120, "at the end of the hold");
}

#[tokio::test]
async fn a_repeated_winner_costs_a_token_and_one_read_where_it_is_known_and_one_write_more_elsewhere() {
    let world = World::with_units(100).await;
    let here = world.environment();
    let (first, _) = here.got(&shopper("ann")).await;
    here.calls.reset();
    assert_eq!(here.got(&shopper("ann")).await, (first.clone(), false));
    assert_eq!((here.calls.count("GetItem"), here.calls.total()), (1, 2), "a token");

    let elsewhere = world.environment();
    elsewhere.got(&shopper("bob")).await;
    elsewhere.calls.reset();
    // Ann's bucket is full again, so its token is one write.
    world.shop.clock.advance(SignedDuration::from_millis(200));
    assert_eq!(elsewhere.got(&shopper("ann")).await, (first.clone(), false));
    assert_eq!(elsewhere.calls.count("UpdateItem"), 2, "a token, and a claim that fails and says what is held");
    assert_eq!((elsewhere.calls.count("GetItem"), elsewhere.calls.total()), (1, 3));
    elsewhere.calls.reset();
    assert_eq!(elsewhere.got(&shopper("ann")).await, (first, false));
    assert_eq!((elsewhere.calls.count("GetItem"), elsewhere.calls.total()), (1, 2), "known here by now");
    assert_eq!(world.units().await, (98, 2));
    assert_eq!(scheduled(&world.shop).await.len(), 2, "one message for each hold");
}

#[tokio::test]
async fn a_winner_who_asks_again_after_the_last_unit_is_told_the_same() {
    let world = World::with_units(3).await;
    let environment = world.environment();
    let (first, _) = environment.got(&shopper("ann")).await;
    world.sell_out().await;
    world.refresh_availability().await;
    assert_eq!(environment.refused(&shopper("loser")).await, "sold-out");
    assert_eq!(environment.got(&shopper("ann")).await, (first, false));
}

#[tokio::test]
async fn as_many_units_are_held_as_there_are_and_no_more() {
    let world = World::with_units(30).await;
    let environments: Vec<_> = (0..8).map(|_| world.environment()).collect();
    let shoppers: Vec<_> = (0..300).map(|n| shopper(&format!("shopper-{n}"))).collect();
    let mut waiting: BTreeSet<_> = shoppers.iter().collect();
    let mut winners = 0;
    // A shopper who is told to try again does so in the next second.
    while !waiting.is_empty() {
        let asked: Vec<_> = std::mem::take(&mut waiting).into_iter().collect();
        let answers = asked.iter().enumerate().map(|(n, shopper)| environments[n % environments.len()].one(shopper));
        for (shopper, answer) in asked.iter().zip(join_all(answers).await) {
            match answer {
                Ok(reserved) => {
                    assert!(reserved.is_new);
                    winners += 1;
                }
                Err(refusal) if code(&refusal) == "try-again" => {
                    waiting.insert(shopper);
                }
                Err(refusal) => assert_eq!(code(&refusal), "sold-out"),
            }
        }
        world.shop.clock.advance_seconds(2);
    }
    assert_eq!(winners, 30);
    assert_eq!(world.units().await, (0, 30));
}

#[tokio::test]
async fn a_hundred_thousand_units_are_four_thousand_shards_and_sell_across_them() {
    let world = World::with_units(100_000).await;
    assert_eq!(world.shards().await.len(), 4_000);
    let environment = world.environment();
    for n in 0..1_000 {
        assert!(environment.got(&shopper(&format!("shopper-{n}"))).await.1);
    }
    let touched = world.shards().await.iter().filter(|shard| shard.held_units() > 0).count();
    // 1,000 of 4,000 at random touch 4,000 × (1 − e^−¼) = 885 on average; the standard deviation is some 10.
    assert!((835..935).contains(&touched), "{touched} shards touched");
    assert_eq!(world.units().await, (99_000, 1_000));
}

#[tokio::test]
async fn two_units_are_held_together_or_not_at_all() {
    let world = World::with(domain::SaleDraft { shards: Some(1), ..draft(3) }).await;
    let environment = world.environment();
    let two = Quantity::new(2).ok();
    let reserved = environment.reserve(&shopper("ann"), &demo(), two).await.unwrap();
    assert_eq!(reserved.reservation.quantity.units(), 2);
    let refusal = environment.reserve(&shopper("bob"), &demo(), two).await.unwrap_err();
    assert_eq!(code(&refusal), "sold-out", "one is left, two were asked for");
    assert!(environment.got(&shopper("bob")).await.1, "one can still be had");
    assert_eq!(world.units().await, (0, 3));
}

#[tokio::test]
async fn a_queue_that_is_down_costs_nobody_a_unit_and_the_stream_sends_the_message_later() {
    let world = World::with_units(5).await;
    world.shop.queue.fail(true);
    let environment = world.environment();
    let (reservation, is_new) = environment.got(&shopper("ann")).await;
    assert!(is_new);
    assert_eq!(world.units().await, (4, 1));
    let (schedule, records) = (world.shop.wire::<ScheduleExpiry>(&Calls::new()), world.shop.dynamo.reservation_event());
    assert!(stream_batch(&schedule, records.clone()).await.is_some(), "the record comes again");
    assert!(world.shop.queue.sent().is_empty());
    world.shop.queue.fail(false);
    assert_eq!(environment.got(&shopper("ann")).await, (reservation.clone(), false));
    assert_eq!(stream_batch(&schedule, records).await, None);
    assert_eq!(world.shop.queue.sent().pop().unwrap().body["reservation_id"], reservation.id.to_string());
}
