//! A run hangs at any of its requests while other functions change what it looks at: it acts only on what is still true.

use domain::{OrderStatus, OrderStep, Quantity, Reservation, ReservationStatus, Timestamp};
use reserve::UnitReservations;
use store::{Ending, StartOutcome};
use test_aws::{Calls, every_interleaving};
use test_shop::{Buyer, END, Shop, Stage, demo};

use crate::workers::reconcile::{LATE, World};

/// Asserts that every held or sold unit belongs to a reservation that says so, and the other way round.
async fn is_exact(shop: &Shop) {
    for (number, shard) in (0..).zip(shop.shards(&demo()).await) {
        for (shopper, hold) in shard.held() {
            let reservation = shop.uncounted().reservations().get(shopper, &demo()).await.unwrap().unwrap();
            assert_eq!((reservation.id, reservation.shard.0), (hold.reservation.clone(), number));
            assert!(matches!(reservation.status, ReservationStatus::Held | ReservationStatus::Paying));
        }
        for (shopper, sold) in shard.sold() {
            let reservation = shop.uncounted().reservations().get(shopper, &demo()).await.unwrap().unwrap();
            assert_eq!((reservation.id, reservation.status), (sold.reservation.clone(), ReservationStatus::Purchased));
        }
    }
    let (available, held, sold) = shop.units(&demo()).await;
    assert_eq!(available + held + sold, 100);
}

/// Asserts that once the streams have come the buyer has this reservation, and that the next run finds nothing to do.
async fn is_kept(world: &World, buyer: &Buyer, reservation: Reservation) {
    world.streams().await;
    is_exact(&world.shop).await;
    let kept = world.shop.uncounted().reservations().get(&buyer.shopper, &demo()).await.unwrap();
    assert_eq!(kept, Some(reservation));
    world.finds_nothing().await;
}

fn reserve(shop: &Shop, calls: &Calls) -> UnitReservations {
    shop.wire(calls)
}

/// The first buyer's hold in the buyer's home shard, where the buyer's next request finds it.
async fn overdue_at_home(stage: Stage) -> (World, Buyer) {
    let world = World::open().await;
    let layout = world.shop.uncounted().sales().get(&demo()).await.unwrap().unwrap().layout;
    let buyer = Buyer::first();
    let buyer = Buyer { shard: layout.home_of(&demo(), &buyer.shopper), ..buyer };
    world.shop.bring(&buyer, stage).await;
    world.shop.refresh_availability(&demo()).await;
    world.shop.clock.set(LATE);
    (world, buyer)
}

/// The shopper reserves again and gets a unit of the same shard under another reservation.
#[tokio::test]
async fn the_shopper_who_reserves_again_keeps_what_is_new() {
    for stage in [Stage::Claimed, Stage::Held, Stage::Waiting] {
        every_interleaving(async |interleaving| {
            let (world, buyer) = overdue_at_home(stage).await;
            let again = reserve(&world.shop, &Calls::new());
            let hung = world.reconcile(&interleaving.calls);
            let reserved = async { again.reserve(&buyer.shopper, &demo(), Some(Quantity::ONE), None).await };
            let (found, reserved) = interleaving.run(hung.run(Timestamp::MAX), reserved).await;
            assert!(found.unwrap().failed.is_empty());
            let reserved = reserved.unwrap();
            assert!(reserved.is_new);
            is_kept(&world, &buyer, reserved.reservation).await;
            assert_eq!(world.shop.units(&demo()).await, (99, 1, 0));
        })
        .await;
    }
}

/// A shopper's request hangs between its two writes, or at any other request, while a run looks at what it has written.
#[tokio::test]
async fn a_reservation_that_is_being_made_is_not_disturbed() {
    every_interleaving(async |interleaving| {
        let (world, buyer) = overdue_at_home(Stage::Claimed).await;
        let hung = reserve(&world.shop, &interleaving.calls);
        let reserving = async { hung.reserve(&buyer.shopper, &demo(), Some(Quantity::ONE), None).await };
        let (reserved, found) = interleaving.run(reserving, world.run()).await;
        assert!(found.failed.is_empty());
        is_kept(&world, &buyer, reserved.unwrap().reservation).await;
    })
    .await;
}

#[tokio::test]
async fn units_that_the_stream_releases_meanwhile_are_released_once() {
    every_interleaving(async |interleaving| {
        let (world, buyer) = overdue_at_home(Stage::Waiting).await;
        let ending = Ending::Overdue(world.shop.now());
        world.shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, ending).await.unwrap();
        let hung = world.reconcile(&interleaving.calls);
        let (found, ()) = interleaving.run(hung.run(Timestamp::MAX), world.streams()).await;
        assert!(found.unwrap().failed.is_empty());
        is_exact(&world.shop).await;
        assert_eq!(world.shop.units(&demo()).await, (100, 0, 0));
        let order = world.shop.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::Expired, 2));
    })
    .await;
}

/// The shopper pays at the last moment, by a clock that is behind.
#[tokio::test]
async fn a_hold_that_is_taken_to_payment_meanwhile_keeps_its_units() {
    every_interleaving(async |interleaving| {
        let (world, buyer) = overdue_at_home(Stage::Held).await;
        let hung = world.reconcile(&interleaving.calls);
        let checkout = async {
            let before_the_end = END.parse::<Timestamp>().unwrap() - domain::SignedDuration::from_secs(1);
            let order = domain::Order { updated_at: world.shop.now(), ..buyer.order(OrderStep::PaymentStarted) };
            world.shop.uncounted().purchases().start(&order, before_the_end).await.unwrap()
        };
        let (found, started) = interleaving.run(hung.run(Timestamp::MAX), checkout).await;
        assert_eq!(found.unwrap().holds_overdue, usize::from(started != StartOutcome::Started));
        world.streams().await;
        is_exact(&world.shop).await;
        let held = usize::from(started == StartOutcome::Started);
        assert_eq!(world.shop.shard(&buyer).await.held().len(), held, "{started:?}");
        world.finds_nothing().await;
    })
    .await;
}

/// The saga goes on while a run looks at its order and at the hold that it keeps.
#[tokio::test]
async fn the_sagas_tasks_go_on_undisturbed() {
    for (from, steps) in [
        (Stage::Pending, [Stage::Charged, Stage::Sold, Stage::Completed].as_slice()),
        (Stage::Pending, &[Stage::GivenBack, Stage::Refunded]),
        (Stage::Pending, &[Stage::Failed]),
        (Stage::Pending, &[Stage::Declined, Stage::WaitingAgain, Stage::PayingAgain]),
    ] {
        every_interleaving(async |interleaving| {
            let (world, buyer) = overdue_at_home(from).await;
            let execution = world.start_saga(&buyer).await;
            let hung = world.reconcile(&interleaving.calls);
            let goes_on = async {
                for step in steps {
                    world.shop.step(&buyer, *step).await;
                }
                world.shop.machines.end(&execution, "SUCCEEDED");
            };
            let (found, ()) = interleaving.run(hung.run(Timestamp::MAX), goes_on).await;
            let found = found.unwrap();
            assert_eq!((found.failed.len(), found.payments_started, found.holds_overdue), (0, 0, 0), "{steps:?}: {found:?}");
            is_exact(&world.shop).await;
        })
        .await;
    }
}
