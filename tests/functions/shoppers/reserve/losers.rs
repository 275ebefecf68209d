//! The most that a loser may cost, counted in calls.

use domain::{Quantity, SignedDuration};
use test_shop::demo;

use crate::shoppers::reserve::world::{World, code, draft, shopper};

/// A thousand units, all held by strangers. The availability item still promises all of them.
async fn behind_its_stock() -> World {
    let world = World::with_units(1_000).await;
    let stock = world.shop.uncounted().stock();
    let (product, layout) = (demo(), draft(1_000).layout());
    for (number, shard) in stock.read_all(&product, &layout).await.unwrap() {
        for _ in 0..shard.available() {
            let hold = world.hold();
            stock.claim(number, &world.stranger(), &hold).await.unwrap();
        }
    }
    assert_eq!(world.units().await.0, 0);
    world
}

#[tokio::test]
async fn ten_thousand_losers_in_a_second_cost_a_token_a_claim_and_a_few_reads_per_environment() {
    let world = behind_its_stock().await;
    let environments: Vec<_> = (0..20).map(|_| world.environment()).collect();
    for loser in 0..10_000 {
        let environment = &environments[loser % environments.len()];
        assert_eq!(environment.refused(&shopper(&format!("loser-{loser}"))).await, "sold-out");
        world.shop.clock.advance(SignedDuration::from_micros(90));
    }
    let failed: usize = environments.iter().map(|e| e.calls.failed("ConditionalCheckFailedException")).sum();
    let calls: usize = environments.iter().map(|e| e.calls.total()).sum();
    let read_whole: usize = environments.iter().map(|e| e.calls.count("BatchGetItem")).sum();
    assert_eq!(read_whole, 1, "one environment reads every shard and shares the result");
    assert_eq!(failed, 20, "one failed claim for each environment to find out");
    // Each environment reads the sale and the availability item. One of them reads the shards and writes the mark.
    assert_eq!(calls, 20 + 20 + 2 * 20 + 2, "10,000 losers in all");
}

#[tokio::test]
async fn from_the_second_second_on_ten_thousand_losers_cost_two_reads_per_environment_and_no_claim() {
    let world = behind_its_stock().await;
    let environments: Vec<_> = (0..20).map(|_| world.environment()).collect();
    for (n, environment) in environments.iter().enumerate() {
        assert_eq!(environment.refused(&shopper(&format!("first-{n}"))).await, "sold-out");
    }
    for second in 2..5 {
        world.shop.clock.advance_seconds(1);
        for environment in &environments {
            environment.calls.reset();
        }
        for loser in 0..10_000 {
            let environment = &environments[loser % environments.len()];
            assert_eq!(environment.refused(&shopper(&format!("loser-{second}-{loser}"))).await, "sold-out");
        }
        let reads: usize = environments.iter().map(|e| e.calls.count("GetItem")).sum();
        let calls: usize = environments.iter().map(|e| e.calls.total()).sum();
        // The sale and the availability item, half an RRU each.
        assert_eq!((reads, calls), (2 * 20, 2 * 20), "in second {second}");
    }
}

#[tokio::test]
async fn a_loser_costs_nothing_once_its_environment_knows_and_it_knows_for_a_second() {
    let world = World::with_units(3).await;
    world.sell_out().await;
    world.refresh_availability().await;
    let environment = world.environment();
    assert_eq!(environment.refused(&shopper("first")).await, "sold-out");
    environment.calls.reset();
    world.shop.clock.advance(SignedDuration::from_millis(999));
    assert_eq!(environment.refused(&shopper("second")).await, "sold-out");
    assert_eq!(environment.calls.total(), 0);
    world.shop.clock.advance(SignedDuration::from_millis(1));
    assert_eq!(environment.refused(&shopper("third")).await, "sold-out");
    assert!(environment.calls.total() > 0, "after a second it looks again");
}

#[tokio::test]
async fn a_unit_that_comes_back_is_offered_within_a_second_of_being_known() {
    let world = World::with_units(1).await;
    let environment = world.environment();
    let (reservation, _) = environment.got(&shopper("ann")).await;
    assert_eq!(environment.refused(&shopper("bob")).await, "sold-out");
    let item = world.shop.uncounted().availabilities().get(&demo(), true).await.unwrap().unwrap();
    assert!(item.sold_out_at.is_some(), "the loser who read every shard has said so");

    world.shop.uncounted().stock().release(reservation.shard, &shopper("ann"), &reservation.id).await.unwrap();
    world.refresh_availability().await;
    let item = world.shop.uncounted().availabilities().get(&demo(), true).await.unwrap().unwrap();
    assert_eq!((item.sold_out_at, item.available()), (None, 1));
    world.shop.clock.advance_seconds(1);
    assert!(environment.got(&shopper("bob")).await.1);
}

#[tokio::test]
async fn a_sold_out_mark_is_not_written_over_news() {
    let world = World::with_units(1).await;
    world.environment().got(&shopper("ann")).await;
    let before = world.shop.uncounted().availabilities().get(&demo(), true).await.unwrap().unwrap();
    world.refresh_availability().await;
    assert!(!world.shop.uncounted().availabilities().mark_sold_out(&demo(), before.version, world.now()).await.unwrap());
}

#[tokio::test]
async fn an_environment_makes_at_most_five_failed_claims_a_second() {
    // The sale has too many shards to read them all, and an availability item that promises units that are gone.
    let world = World::with(domain::SaleDraft { shards: Some(200), ..draft(200) }).await;
    let stock = world.shop.uncounted().stock();
    for (number, _) in stock.read_all(&demo(), &domain::ShardLayout::new(200, 200)).await.unwrap() {
        let hold = world.hold();
        stock.claim(number, &world.stranger(), &hold).await.unwrap();
    }
    let environment = world.environment();
    for loser in 0..500 {
        assert_eq!(environment.refused(&shopper(&format!("loser-{loser}"))).await, "try-again");
    }
    assert_eq!(environment.calls.failed("ConditionalCheckFailedException"), 5);
    assert!(environment.calls.total() <= 8, "{} calls", environment.calls.total());
    world.shop.clock.advance_seconds(1);
    for loser in 0..500 {
        assert_eq!(environment.refused(&shopper(&format!("late-{loser}"))).await, "try-again");
    }
    assert_eq!(environment.calls.failed("ConditionalCheckFailedException"), 10);
}

#[tokio::test]
async fn who_finds_the_home_shard_empty_gets_a_unit_of_another() {
    let world = World::with_units(100).await;
    let environment = world.environment();
    let loser = shopper("ann");
    let home = draft(100).layout().home_of(&demo(), &loser);
    for _ in 0..25 {
        let hold = world.hold();
        world.shop.uncounted().stock().claim(home, &world.stranger(), &hold).await.unwrap();
    }
    let (reservation, is_new) = environment.got(&loser).await;
    assert!(is_new && reservation.shard != home);
    assert_eq!(environment.calls.failed("ConditionalCheckFailedException"), 1);
}

#[tokio::test]
async fn a_sale_that_does_not_accept_is_refused_from_memory() {
    let world = World::with(domain::SaleDraft { starts_at: "2026-11-01T13:00:00Z".parse().unwrap(), ..draft(5) }).await;
    let environment = world.environment();
    for n in 0..100 {
        assert_eq!(environment.refused(&shopper(&format!("early-{n}"))).await, "sale-not-started");
    }
    let unknown = "no-such-product".parse().unwrap();
    for n in 0..100 {
        let refusal = environment.reserve(&shopper(&format!("lost-{n}")), &unknown, Some(Quantity::ONE)).await.unwrap_err();
        assert_eq!(code(&refusal), "unknown-product");
    }
    assert_eq!((environment.calls.count("GetItem"), environment.calls.total()), (2, 2));
}
