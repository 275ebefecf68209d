//! The same shopper twice: a double click, a retry, a return after the hold's end.

use std::cell::Cell;

use domain::{Hold, OrderStep, Quantity, Reservation, ReservationStatus, SellOutcome, ShardNumber, ShopperId, SignedDuration};
use reserve::UnitReservations;
use store::{EndOutcome, Ending, OpenOutcome, StartOutcome};
use test_aws::every_interleaving;
use test_shop::{Buyer, Shop, Stage, demo};

use crate::shoppers::reserve::world::{World, code, draft, shopper};

#[tokio::test]
async fn a_double_click_at_once_makes_one_hold() {
    let world = World::with_units(100).await;
    let (here, there) = (world.environment(), world.environment());
    let ann = shopper("ann");
    let (first, second) = tokio::join!(here.one(&ann), there.one(&ann));
    let answers = [first, second];
    let held: Vec<_> = answers.iter().flatten().map(|reserved| reserved.reservation.id.clone()).collect();
    assert!(!held.is_empty() && held.iter().all(|id| *id == held[0]), "{answers:?}");
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(code(refusal), "try-again", "the first run had not ended");
    }
    assert_eq!(world.units().await, (99, 1));
}

#[tokio::test]
async fn a_second_claim_in_another_shard_goes_back_and_the_first_stays() {
    let world = World::with_units(100).await;
    let ann = shopper("ann");
    let (first, _) = world.environment().got(&ann).await;
    // This environment has just found ann's home shard empty, so it tries another shard at once.
    let elsewhere = world.environment();
    let home = draft(100).layout().home_of(&demo(), &ann);
    assert_eq!(home, first.shard);
    let neighbour =
        (0..1_000).map(|n| shopper(&format!("n-{n}"))).find(|n| draft(100).layout().home_of(&demo(), n) == home).unwrap();
    for _ in 0..24 {
        let hold = world.hold();
        world.shop.uncounted().stock().claim(home, &world.stranger(), &hold).await.unwrap();
    }
    elsewhere.got(&neighbour).await;
    assert_eq!(elsewhere.got(&ann).await, (first, false));
    let moves = elsewhere.calls.count("UpdateItem") - 3;
    assert_eq!(moves, 4, "beside three writes for two tokens: two claims by the neighbour, one by ann, one release");
    assert_eq!(world.units().await, (74, 26));
}

#[tokio::test]
async fn a_shopper_may_reserve_again_after_the_hold_has_ended_even_if_nobody_has_cleared_it_away() {
    let world = World::with_units(1).await;
    let environment = world.environment();
    let (first, _) = environment.got(&shopper("ann")).await;
    world.shop.clock.advance_seconds(120);
    let (second, is_new) = environment.got(&shopper("ann")).await;
    assert!(is_new && second.id != first.id);
    assert_eq!(world.units().await, (0, 1));
    // The cleanup of the first hold comes late and finds another hold.
    let late = world.shop.uncounted().reservations().end(&shopper("ann"), &first.id, Ending::Overdue(world.now())).await.unwrap();
    assert_eq!(late, EndOutcome::Gone);
    world.shop.uncounted().stock().release(first.shard, &shopper("ann"), &first.id).await.unwrap();
    assert_eq!(world.units().await, (0, 1), "the second hold stays");
}

/// A reservation's write that is sent twice may take effect again after the reservation has ended: docs/simulation.md.
#[tokio::test]
async fn a_reservation_that_is_written_again_after_its_end_has_no_units_and_cannot_be_bought() {
    let world = World::with_units(1).await;
    let (first, _) = world.environment().got(&shopper("ann")).await;
    world.shop.uncounted().reservations().end(&shopper("ann"), &first.id, Ending::Cancelled).await.unwrap();
    world.shop.uncounted().stock().release(first.shard, &shopper("ann"), &first.id).await.unwrap();
    assert_eq!(world.shop.uncounted().reservations().open(&first).await.unwrap(), OpenOutcome::Opened);
    let sold = world.shop.uncounted().stock().sell(first.shard, &shopper("ann"), &first.id, first.quantity).await.unwrap();
    assert_eq!((sold, world.units().await), (SellOutcome::HoldLost, (1, 0)));
    world.environment().got(&shopper("bob")).await;
    assert_eq!(world.units().await, (0, 1), "the unit is available again");
}

#[tokio::test]
async fn a_shopper_may_reserve_again_after_a_cancellation_that_the_stream_has_not_seen() {
    let world = World::with_units(1).await;
    let environment = world.environment();
    let (first, _) = environment.got(&shopper("ann")).await;
    world.shop.clock.advance_seconds(13);
    world.shop.uncounted().reservations().end(&shopper("ann"), &first.id, Ending::Cancelled).await.unwrap();
    let (second, is_new) = environment.got(&shopper("ann")).await;
    assert!(is_new && second.id != first.id);
    // The stream delivers the cancellation now.
    world.shop.uncounted().stock().release(first.shard, &shopper("ann"), &first.id).await.unwrap();
    assert_eq!(world.units().await, (0, 1), "and must not release the second hold");
}

#[tokio::test]
async fn who_has_bought_is_told_so() {
    let world = World::with_units(100).await;
    let ann = shopper("ann");
    let (reservation, _) = world.environment().got(&ann).await;
    world.shop.uncounted().stock().sell(reservation.shard, &ann, &reservation.id, Quantity::ONE).await.unwrap();
    assert_eq!(world.environment().refused(&ann).await, "already-purchased");
    assert_eq!(world.units().await, (99, 0));
}

/// The shopper's home shard in a sale of 50 units, and the other shard.
fn shards_of(shopper: &ShopperId) -> [ShardNumber; 2] {
    let layout = draft(50).layout();
    assert_eq!(layout.shards(), 2);
    let home = layout.home_of(&demo(), shopper);
    [home, layout.numbers().find(|number| *number != home).unwrap()]
}

#[tokio::test]
async fn an_abandoned_hold_outside_the_home_shard_is_found_when_every_shard_is_read() {
    let world = World::with_units(50).await;
    let ann = shopper("ann");
    let [home, elsewhere] = shards_of(&ann);
    // One of ann's runs died after its claim. Strangers hold all other units. The availability item still promises all units.
    world.shop.uncounted().stock().claim(elsewhere, &ann, &world.hold()).await.unwrap();
    for (number, units) in [(home, 25), (elsewhere, 24)] {
        for _ in 0..units {
            world.shop.uncounted().stock().claim(number, &world.stranger(), &world.hold()).await.unwrap();
        }
    }
    assert_eq!(world.units().await, (0, 50));
    assert_eq!(world.environment().refused(&ann).await, "try-again", "the other run may still write its reservation");
    world.shop.clock.advance_seconds(12);
    let (reservation, is_new) = world.environment().got(&ann).await;
    assert!(is_new);
    assert_eq!(reservation.shard, elsewhere, "nothing else is free");
    assert_eq!(world.units().await, (0, 50));
}

/// Otherwise, if the first write of the new reservation is late, it would create the reservation without units.
#[tokio::test]
async fn a_new_hold_keeps_its_units_while_an_old_reservation_is_cleared_away() {
    let world = World::with_units(50).await;
    let ann = shopper("ann");
    let [home, elsewhere] = shards_of(&ann);
    let (old, _) = world.environment().got(&ann).await;
    // Before a restock, `elsewhere` was ann's home shard.
    world.shop.uncounted().reservations().end(&ann, &old.id, Ending::Cancelled).await.unwrap();
    world.shop.uncounted().stock().release(home, &ann, &old.id).await.unwrap();
    let old = Reservation { shard: elsewhere, ..old };
    world.shop.uncounted().stock().claim(elsewhere, &ann, &Hold { reservation: old.id.clone(), ..world.hold() }).await.unwrap();
    assert_eq!(world.shop.uncounted().reservations().open(&old).await.unwrap(), OpenOutcome::Opened);
    world.shop.clock.advance(SignedDuration::from_mins(10));

    let environment = world.environment();
    let (new, is_new) = environment.got(&ann).await;
    assert!(is_new && new.shard == home);
    assert_eq!(world.units().await, (49, 1));
    let writes = ["UpdateItem", "PutItem", "DeleteItem"].map(|operation| environment.calls.count(operation));
    assert_eq!(writes, [3, 2, 1], "a token, one claim, and the release of the old hold; written twice");
}

/// The clock of the environment that takes the payment is two seconds behind: for that environment the hold has not ended.
#[tokio::test]
async fn a_hold_that_is_being_cleared_away_and_paid_at_once_is_either_but_not_both() {
    let (paid, cleared) = (Cell::new(0), Cell::new(0));
    every_interleaving(async |interleaving| {
        let shop = Shop::open().await;
        let buyer = Buyer::first();
        shop.bring(&buyer, Stage::Held).await;
        let end = buyer.reservation().expires_at;
        shop.clock.set_to(end);
        let units: UnitReservations = shop.wire(&interleaving.calls);
        let (order, purchases) = (buyer.order(OrderStep::PaymentStarted), shop.uncounted().purchases());
        let again = units.reserve(&buyer.shopper, buyer.id.product(), Some(Quantity::ONE), None);
        let pays = purchases.start(&order, end - SignedDuration::from_secs(2));
        let (reserved, started) = interleaving.run(again, pays).await;
        let (reserved, shards) = (reserved.unwrap(), shop.shards(buyer.id.product()).await);
        let found = shop.uncounted().reservations().get(&buyer.shopper, buyer.id.product()).await.unwrap().unwrap();
        assert_eq!(reserved.reservation, found);
        let held: Vec<_> =
            shards.iter().filter_map(|shard| shard.held().get(&buyer.shopper)).map(|hold| &hold.reservation).collect();
        assert_eq!(held, [&found.id], "the unit is held for the reservation that stands");
        match started.unwrap() {
            StartOutcome::Started => {
                assert_eq!((found.id, found.status), (buyer.id.clone(), ReservationStatus::Paying));
                paid.set(paid.get() + 1);
            }
            StartOutcome::ReservationEnded => {
                assert!(reserved.is_new && found.id != buyer.id);
                cleared.set(cleared.get() + 1);
            }
            StartOutcome::OrderIs(order) => panic!("there was no order before: {order:?}"),
        }
    })
    .await;
    assert!(paid.get() > 0 && cleared.get() > 0, "{paid:?} paid, {cleared:?} cleared away");
}
