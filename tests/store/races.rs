//! Many requests at once: in any order of arrival, each unit and each reservation is taken once.

use domain::{ClaimOutcome, ReleaseOutcome, SellOutcome, StockShard, TakeBackOutcome};
use futures_util::{
    FutureExt,
    future::{join_all, try_join_all},
};
use store::{EndOutcome, Ending, OpenOutcome, StartOutcome};

use crate::shop::{NOW, SHARD, Shop, at, hold, id, pending_order, product, reservation, shopper, units};

#[tokio::test]
async fn a_crowd_claims_every_unit_once_and_no_more() {
    let shop = Shop::with_units(25).await;
    let crowd: Vec<_> = (1..=80).map(|n| (shopper(n), hold(n, 1))).collect();
    let claims = crowd.iter().map(|(shopper, hold)| shop.stock.claim(SHARD, shopper, hold));
    let outcomes = try_join_all(claims).await.unwrap();
    let shard = shop.shard().await;
    for ((shopper, hold), outcome) in crowd.iter().zip(outcomes) {
        let is_held = shard.held().get(shopper) == Some(hold);
        let expected = if is_held { ClaimOutcome::Claimed } else { ClaimOutcome::NotEnough { available: 0 } };
        assert_eq!(outcome, expected);
    }
    assert_eq!((shard.available(), shard.held().len()), (0, 25));
}

#[tokio::test]
async fn claims_of_different_sizes_never_oversell() {
    let shop = Shop::with_units(50).await;
    let crowd: Vec<_> = (1..=40).map(|n| (shopper(n), hold(n, 1 + n % 10))).collect();
    let claims = crowd.iter().map(|(shopper, hold)| shop.stock.claim(SHARD, shopper, hold));
    let outcomes = try_join_all(claims).await.unwrap();
    let won: u32 = crowd
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| **outcome == ClaimOutcome::Claimed)
        .map(|((_, hold), _)| hold.quantity.units())
        .sum();
    let shard = shop.shard().await;
    assert_eq!((shard.held_units(), shard.available()), (won, 50 - won));
}

#[tokio::test]
async fn of_one_shoppers_claims_one_wins_and_the_others_name_it() {
    let shop = Shop::with_units(25).await;
    let one = shopper(1);
    let holds: Vec<_> = (1..=20).map(|n| hold(n, 1)).collect();
    let outcomes = try_join_all(holds.iter().map(|hold| shop.stock.claim(SHARD, &one, hold))).await.unwrap();
    let shard = shop.shard().await;
    let winner = shard.held()[&one].clone();
    assert_eq!(shard.held_units(), 1);
    for (hold, outcome) in holds.into_iter().zip(outcomes) {
        let expected = if hold == winner { ClaimOutcome::Claimed } else { ClaimOutcome::AlreadyHeld(winner.clone()) };
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn one_claim_sent_many_times_takes_its_units_once() {
    let shop = Shop::with_units(25).await;
    let (one, hold) = (shopper(1), hold(1, 2));
    let outcomes = try_join_all((0..20).map(|_| shop.stock.claim(SHARD, &one, &hold))).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == ClaimOutcome::Claimed), "{outcomes:?}");
    assert_eq!(shop.shard().await.available(), 23);
}

#[tokio::test]
async fn a_hold_is_either_sold_or_released_and_only_once() {
    let shop = Shop::with_units(25).await;
    let crowd: Vec<_> = (1..=25).map(|n| (shopper(n), id(n))).collect();
    let claims: Vec<_> = (1..=25).map(|n| hold(n, 1)).collect();
    try_join_all(crowd.iter().zip(&claims).map(|((shopper, _), hold)| shop.stock.claim(SHARD, shopper, hold))).await.unwrap();

    let rivals = crowd.iter().enumerate().map(|(nth, (shopper, id))| {
        let release =
            || shop.stock.release(SHARD, shopper, id).map(|result| (result.unwrap() == ReleaseOutcome::Released, false));
        let sell = || shop.stock.sell(SHARD, shopper, id, units(1)).map(|result| (false, result.unwrap() == SellOutcome::Sold));
        // Release is first for some of the shoppers, sell for the others.
        let rivals = if nth % 2 == 0 {
            vec![release().boxed_local(), sell().boxed_local(), release().boxed_local(), sell().boxed_local()]
        } else {
            vec![sell().boxed_local(), release().boxed_local(), sell().boxed_local(), release().boxed_local()]
        };
        join_all(rivals)
    });
    let outcomes = join_all(rivals).await;
    let shard = shop.shard().await;
    for ((shopper, _), outcomes) in crowd.iter().zip(outcomes) {
        let released = outcomes.iter().filter(|(released, _)| *released).count();
        let sold = outcomes.iter().filter(|(_, sold)| *sold).count();
        assert!(matches!((released, sold), (1, 0) | (0, 2)), "{shopper}: released {released}, sold {sold}");
        assert_eq!(shard.sold().contains_key(shopper), sold > 0);
    }
    assert!(shard.held().is_empty());
}

#[tokio::test]
async fn what_is_taken_back_by_many_goes_back_once() {
    let shop = Shop::with_units(5).await;
    let one = shopper(1);
    shop.stock.claim(SHARD, &one, &hold(1, 2)).await.unwrap();
    shop.stock.sell(SHARD, &one, &id(1), units(2)).await.unwrap();
    let reservation = id(1);
    let outcomes = try_join_all((0..10).map(|_| shop.stock.take_back(SHARD, &one, &reservation))).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == TakeBackOutcome::TakenBack).count(), 1);
    assert_eq!(shop.shard().await, StockShard::new(5));
}

#[tokio::test]
async fn of_one_shoppers_reservations_in_a_sale_the_first_stays() {
    let shop = Shop::open().await;
    let rivals: Vec<_> = (1..=10).map(|n| domain::Reservation { shopper: shopper(1), ..reservation(n) }).collect();
    let outcomes = try_join_all(rivals.iter().map(|reservation| shop.reservations.open(reservation))).await.unwrap();
    let winner = shop.reservations.get(&shopper(1), &product()).await.unwrap().unwrap();
    for (rival, outcome) in rivals.iter().zip(outcomes) {
        let expected = if *rival == winner { OpenOutcome::Opened } else { OpenOutcome::Exists(winner.clone()) };
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn a_reservation_is_either_cancelled_or_paid_for() {
    let shop = Shop::open().await;
    for n in 1..=20 {
        shop.reservations.open(&reservation(n)).await.unwrap();
        let (shopper, id, order) = (shopper(n), id(n), pending_order(n));
        let cancel = shop.reservations.end(&shopper, &id, Ending::Cancelled);
        let start = shop.purchases.start(&order, at(NOW));
        let (cancelled, started) = if n % 2 == 0 {
            tokio::join!(cancel, start)
        } else {
            let (started, cancelled) = tokio::join!(start, cancel);
            (cancelled, started)
        };
        let placed = shop.orders.get(&id).await.unwrap();
        match (cancelled.unwrap(), started.unwrap()) {
            (EndOutcome::Ended, StartOutcome::ReservationEnded) => assert_eq!(placed, None),
            (EndOutcome::Kept(_), StartOutcome::Started) => assert_eq!(placed, Some(order)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn of_two_checkouts_one_starts_and_the_other_finds_its_order() {
    let shop = Shop::open().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    let outcomes = try_join_all((0..5).map(|_| shop.purchases.start(&order, at(NOW)))).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == StartOutcome::Started).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == StartOutcome::OrderIs(order.clone())).count(), 4);
}

#[tokio::test]
async fn of_two_payments_of_a_waiting_order_one_starts() {
    let (shop, order) = Shop::with_waiting_order().await;
    let method = crate::shop::method("sandbox:ok");
    let outcomes = try_join_all((0..5).map(|_| shop.purchases.start_again(&order, &method, at(NOW)))).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == StartOutcome::Started).count(), 1);
    assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().attempt, 1);
}
