//! Every history of a small sale. The bounds and the numbers of states are in docs/model.md.

use domain::{OrderStatus, ShardLayout, ShardNumber};
use model::{Action, Answer, Nth, SmallWorld, Who, World};
use stateright::{Checker, Model, Path};

const ONE_UNIT: ShardLayout = ShardLayout::new(1, 1);
const TWO_SHARDS: ShardLayout = ShardLayout::new(2, 2);

/// Visits every history and asserts the properties in each state.
fn explored(name: &str, world: &SmallWorld) {
    let checker = SmallWorld { anonymous: world.shoppers > 1, ..world.clone() }.checker().spawn_bfs().join();
    println!("{name}: {} states, at most {} moves deep", checker.unique_state_count(), checker.max_depth() - 1);
    checker.assert_properties();
}

fn faulty(layout: ShardLayout, shoppers: u8, reservations: u8, attempts: u8) -> SmallWorld {
    SmallWorld { layout, shoppers, reservations, attempts, lateness: true, crashes: true, ..SmallWorld::smallest() }
}

#[test]
fn two_shoppers_want_one_unit() {
    explored("two shoppers, one unit", &faulty(ONE_UNIT, 2, 1, 2));
}

#[test]
fn two_shoppers_want_two_units_on_two_shards() {
    explored("two shoppers, two shards", &faulty(TWO_SHARDS, 2, 1, 1));
}

#[test]
fn two_shoppers_pay_twice_on_two_shards() {
    explored("two shoppers, two shards, two payments", &SmallWorld { lateness: false, ..faulty(TWO_SHARDS, 2, 1, 2) });
}

#[test]
fn two_shoppers_pay_twice_and_late_on_two_shards() {
    explored("two shoppers, two shards, two payments, late", &SmallWorld { crashes: false, ..faulty(TWO_SHARDS, 2, 1, 2) });
}

#[test]
fn two_shoppers_ask_twice_for_one_unit() {
    explored("two shoppers, one unit, two requests", &SmallWorld { lateness: false, ..faulty(ONE_UNIT, 2, 2, 1) });
}

#[test]
fn one_shopper_asks_twice_on_two_shards() {
    explored("one shopper, two shards, two requests", &faulty(TWO_SHARDS, 1, 2, 1));
}

#[test]
fn one_shopper_asks_and_pays_twice() {
    explored("one shopper, one unit, two requests, two payments", &faulty(ONE_UNIT, 1, 2, 2));
}

#[test]
fn a_person_starts_sagas_of_two_payments_again() {
    explored("one shopper, one unit, two payments, a person", &SmallWorld { by_hand: true, ..faulty(ONE_UNIT, 1, 1, 2) });
}

#[test]
fn a_person_starts_sagas_of_two_requests_again() {
    explored("one shopper, one unit, two requests, a person", &SmallWorld { by_hand: true, ..faulty(ONE_UNIT, 1, 2, 1) });
}

#[test]
fn a_person_starts_sagas_of_two_shoppers_again() {
    let world = SmallWorld { by_hand: true, crashes: false, ..faulty(ONE_UNIT, 2, 1, 1) };
    explored("two shoppers, one unit, a person", &world);
}

#[test]
fn late_money_of_one_shopper() {
    let world = SmallWorld { late_money: true, crashes: false, ..faulty(ONE_UNIT, 1, 1, 1) };
    explored("one shopper, one unit, late money", &world);
}

#[test]
fn late_money_of_one_shopper_who_asks_again() {
    let world = SmallWorld { late_money: true, lateness: false, crashes: false, ..faulty(TWO_SHARDS, 1, 2, 1) };
    explored("one shopper, two shards, two requests, late money", &world);
}

#[test]
fn late_money_of_two_shoppers_who_want_one_unit() {
    let world = SmallWorld { late_money: true, lateness: false, crashes: false, ..faulty(ONE_UNIT, 2, 1, 1) };
    explored("two shoppers, one unit, late money", &world);
}

#[test]
fn an_operator_returns_purchases_of_one_shopper() {
    explored("one shopper, one unit, two requests, refunds", &SmallWorld { refunds: true, ..faulty(ONE_UNIT, 1, 2, 1) });
}

#[test]
fn an_operator_returns_purchases_of_two_shoppers() {
    let world = SmallWorld { refunds: true, lateness: false, ..faulty(ONE_UNIT, 2, 1, 1) };
    explored("two shoppers, one unit, refunds", &world);
}

/// The state after these actions, if all of them are possible.
fn told(moves: &[Action]) -> Option<World> {
    let world = faulty(ONE_UNIT, 2, 1, 2);
    Path::from_actions(&world, World::new(&ONE_UNIT), moves).map(|path| *path.last_state())
}

const SHARD: ShardNumber = ShardNumber(0);

fn status(world: &World, who: Who) -> Option<OrderStatus> {
    world.order(who, Nth::First).map(|order| order.status)
}

#[test]
fn a_hold_that_runs_out_is_another_shoppers_to_claim() {
    let world = told(&[
        Action::Claim(Who::Ann, Nth::First, SHARD),
        Action::Open(Who::Ann, Nth::First),
        Action::TimePasses(Who::Ann),
        Action::EndOverdue(Who::Ann, Nth::First),
        Action::ReleaseRemoved(Who::Ann, Nth::First),
        Action::Claim(Who::Bob, Nth::First, SHARD),
    ])
    .unwrap();
    assert_eq!(world.shards[SHARD].held[Who::Bob], Some(Nth::First));
}

#[test]
fn a_message_that_was_never_sent_is_made_up_for() {
    let next = Action::Saga(Who::Ann, Answer::Charged);
    let mut moves = vec![
        Action::Claim(Who::Ann, Nth::First, SHARD),
        Action::Open(Who::Ann, Nth::First),
        Action::CheckOut(Who::Ann),
        Action::SenderCrashes(Who::Ann, Nth::First, Nth::First),
        Action::StartSagaAgain(Who::Ann),
    ];
    moves.extend([next; 9]);
    let world = told(&moves).unwrap();
    assert_eq!(status(&world, Who::Ann), Some(OrderStatus::Completed));
    assert_eq!(world.shards[SHARD].sold[Who::Ann], Some(Nth::First));
}
