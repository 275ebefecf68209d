//! The properties of the model, by name.

use domain::{AttemptStatus, LateMoney, OrderStatus, ReservationStatus, ShardNumber};
use stateright::Property;

use crate::{
    SmallWorld,
    saga::{Execution, Step, Task},
    world::{Attempt, Book, Late, Nth, Order, Who, World},
};

/// Always: `available + Σheld + Σsold` is the capacity of every shard, and nothing is negative.
pub const SHARDS_ADD_UP: &str = "every shard adds up";
/// Always: a shopper buys once.
pub const ONE_PURCHASE: &str = "a shopper buys once";
/// Always: a completed order has its unit, and exactly one of its attempts is charged, and kept.
pub const PAID_ONCE: &str = "a completed order keeps one charge and has its unit";
/// Always: no charge is both kept and refunded.
pub const KEPT_OR_GIVEN_BACK: &str = "a charge is kept or given back, never both";
/// Always: an authorised attempt is captured only once its unit is sold.
pub const CAPTURED_IS_SOLD: &str = "money is captured only for a unit that is sold";
/// Always: an authorised or paid attempt that is not being undone has its unit, held or sold.
pub const PAID_IS_NOT_RELEASED: &str = "a paid reservation is never released";
/// Always: a reservation that waits for a payment has its unit.
pub const HELD_IS_NOT_RELEASED: &str = "a held reservation has its unit";
/// Always: an execution takes back units only for the attempt in which its order is.
pub const UNDOES_ITS_OWN: &str = "an execution takes back the units of no other attempt";
/// Always: no two payments of an order share an attempt, and so an idempotency key.
pub const ATTEMPTS_ARE_NOT_SHARED: &str = "every payment has an attempt of its own";
/// In the end: every charge is kept by a completed order or refunded, and every authorisation is captured or void.
pub const NO_CHARGE_IS_LOST: &str = "in the end every charge is kept or given back";
/// In the end: no refund that an operator requested is pending.
pub const NO_REFUND_IS_PENDING: &str = "in the end no refund of an operator is pending";
/// In the end: nothing is held.
pub const NO_HOLD_IS_LEFT: &str = "in the end nothing is held";
/// In the end: no order is pending or waits.
pub const NO_ORDER_IS_OPEN: &str = "in the end no order is open";
/// In the end: every unit is available, or sold to a completed order.
pub const NO_UNIT_IS_LOST: &str = "in the end every unit is available or bought";

/// Always: a world that is left alone comes to its end. Checked only with one shopper, because it takes long.
pub const COMES_TO_REST: &str = "left alone, everything comes to its end";

/// All properties, and examples that show that they are not vacuously true.
pub(crate) fn of(model: &SmallWorld) -> Vec<Property<SmallWorld>> {
    let mut properties = always();
    properties.extend(sometimes());
    if model.by_hand {
        properties.push(Property::sometimes("a refund is not confirmed", |_, world: &World| {
            orders(world).any(|(.., order)| order.refund_pending)
        }));
    }
    if model.refunds {
        properties.push(Property::sometimes("an operator refunds a purchase and takes its unit back", |_, world: &World| {
            let is_returned = |order: &Order| order.attempts[order.attempt].status == Some(AttemptStatus::Kept);
            orders(world).any(|(.., order)| order.status == OrderStatus::Refunded && is_returned(&order))
        }));
        properties.push(Property::always(NO_REFUND_IS_PENDING, |model: &SmallWorld, world: &World| {
            !orders(world).any(|(.., order)| order.returning) || !model.is_quiet(world)
        }));
    }
    if model.crashes {
        properties.push(Property::sometimes("a crash is repaired", |model: &SmallWorld, world: &World| {
            world.crashed && model.is_quiet(world)
        }));
    }
    if model.attempts > 1 {
        properties.push(Property::sometimes("the second attempt pays", |_, world: &World| {
            orders(world).any(|(.., order)| order.status == OrderStatus::Completed && order.attempt == Nth::Second)
        }));
    }
    if model.late_money {
        properties.push(Property::sometimes("late money pays", |_, world: &World| {
            orders(world).any(|(.., order)| {
                let is_late = matches!(order.attempts[Nth::First].late_money, Some(LateMoney::PaysBy(_)));
                is_late && order.status == OrderStatus::Completed
            })
        }));
        properties.push(Property::sometimes("late money goes back", |_, world: &World| {
            let went_back = |attempt: Attempt| attempt.late_money == Some(LateMoney::GoesBack) && attempt.book == Book::Refunded;
            attempts(world).any(|(.., attempt)| went_back(attempt))
        }));
    }
    if model.shoppers == 1 {
        properties.push(Property::always(COMES_TO_REST, |model: &SmallWorld, world: &World| model.comes_to_rest(world)));
    }
    if model.shoppers > 1 {
        properties.push(Property::sometimes("a hold ends and another shopper buys", |_, world: &World| {
            let ends = |who: Who| Nth::ALL.into_iter().any(|nth| world.shoppers[who].removed[nth].is_some());
            let buys = |who: Who| Nth::ALL.into_iter().any(|nth| is_completed(world, who, nth));
            (ends(Who::Ann) && buys(Who::Bob)) || (ends(Who::Bob) && buys(Who::Ann))
        }));
    }
    properties
}

fn always() -> Vec<Property<SmallWorld>> {
    vec![
        Property::always(SHARDS_ADD_UP, shards_add_up),
        Property::always(ONE_PURCHASE, |_, world| Who::ALL.into_iter().all(|who| buys_once(world, who))),
        Property::always(PAID_ONCE, |_, world| orders(world).all(|(who, nth, order)| is_paid_once(world, who, nth, &order))),
        Property::always(KEPT_OR_GIVEN_BACK, |_, world| {
            let by_operator = |who, nth| is_given_back_by_operator(world, who, nth);
            attempts(world).all(|(who, nth, attempt)| is_kept_or_given_back(attempt) || by_operator(who, nth))
        }),
        Property::always(CAPTURED_IS_SOLD, |_, world: &World| {
            let is_sold = |who: Who, nth: Nth| SHARDS.iter().any(|shard| world.shards[*shard].sold[who] == Some(nth));
            attempts(world).all(|(who, nth, attempt)| attempt.book != Book::Captured || is_sold(who, nth))
        }),
        Property::always(PAID_IS_NOT_RELEASED, |_, world: &World| {
            let is_paid = |who, nth, attempt| is_paid(attempt) && !is_given_back_by_operator(world, who, nth);
            attempts(world).all(|(who, nth, attempt)| !is_paid(who, nth, attempt) || has_unit(world, who, nth))
        }),
        Property::always(HELD_IS_NOT_RELEASED, |_, world: &World| {
            let held = |who: Who| world.shoppers[who].reservation.filter(|found| found.status == ReservationStatus::Held);
            Who::ALL.into_iter().all(|who| held(who).is_none_or(|found| has_unit(world, who, found.nth)))
        }),
        Property::always(UNDOES_ITS_OWN, |_, world: &World| {
            executions(world).all(|(who, execution)| !takes_back(execution.step) || is_to_be_undone(world, who, execution))
        }),
        Property::always(ATTEMPTS_ARE_NOT_SHARED, |_, world: &World| {
            orders(world).all(|(.., order)| order.payments == if order.attempt == Nth::First { 1 } else { 2 })
        }),
        Property::always(NO_CHARGE_IS_LOST, |model: &SmallWorld, world: &World| {
            let is_lost = |attempt: Attempt| match attempt.book {
                // No authorisation is left open either: it blocks the shopper's money.
                Book::Authorised => true,
                Book::Captured | Book::Charged => attempt.status != Some(AttemptStatus::Kept),
                Book::Untouched | Book::Declined | Book::Refunded | Book::Voided => false,
            };
            !attempts(world).any(|(.., attempt)| is_lost(attempt)) || !model.is_quiet(world)
        }),
        Property::always(NO_HOLD_IS_LEFT, |model: &SmallWorld, world: &World| {
            let is_left = |who: Who| SHARDS.iter().any(|shard| world.shards[*shard].held[who].is_some());
            !Who::ALL.into_iter().any(is_left) || !model.is_quiet(world)
        }),
        Property::always(NO_ORDER_IS_OPEN, |model: &SmallWorld, world: &World| {
            !orders(world).any(|(.., order)| is_open(order.status)) || !model.is_quiet(world)
        }),
        Property::always(NO_UNIT_IS_LOST, |model: &SmallWorld, world: &World| {
            !Who::ALL.into_iter().any(|who| has_what_it_did_not_buy(world, who)) || !model.is_quiet(world)
        }),
    ]
}

fn sometimes() -> Vec<Property<SmallWorld>> {
    vec![
        Property::sometimes("a sale completes", |_, world: &World| {
            orders(world).any(|(.., order)| order.status == OrderStatus::Completed)
        }),
        Property::sometimes("a waiting order expires", |_, world: &World| {
            orders(world).any(|(.., order)| order.status == OrderStatus::Expired)
        }),
        Property::sometimes("an authorised payment is captured", |_, world: &World| {
            attempts(world).any(|(.., attempt)| attempt.book == Book::Captured && attempt.status == Some(AttemptStatus::Kept))
        }),
        Property::sometimes("a refund happens", |_, world: &World| {
            attempts(world).any(|(.., attempt)| attempt.book == Book::Refunded)
        }),
    ]
}

const SHARDS: [ShardNumber; 2] = [ShardNumber(0), ShardNumber(1)];

fn orders(world: &World) -> impl Iterator<Item = (Who, Nth, Order)> {
    let order = |who, nth| world.order(who, nth).map(|order| (who, nth, order));
    Who::ALL.into_iter().flat_map(move |who| Nth::ALL.into_iter().filter_map(move |nth| order(who, nth)))
}

fn attempts(world: &World) -> impl Iterator<Item = (Who, Nth, Attempt)> {
    orders(world).flat_map(|(who, nth, order)| Nth::ALL.map(|attempt| (who, nth, order.attempts[attempt])))
}

fn executions(world: &World) -> impl Iterator<Item = (Who, Execution)> {
    let late = match world.late {
        Some(Late::Task(who, execution) | Late::Saga(who, execution)) => Some((who, execution)),
        Some(Late::Pay(..) | Late::Refund(..)) | None => None,
    };
    late.into_iter().chain(Who::ALL.into_iter().filter_map(|who| Some((who, world.shoppers[who].saga?))))
}

/// Whether the next call, or the one after it, moves units back.
fn takes_back(step: Step) -> bool {
    step.task() == Task::TakeBack
}

/// Whether the order is in the execution's attempt, and neither waits for another attempt nor is completed.
fn is_to_be_undone(world: &World, who: Who, execution: Execution) -> bool {
    world.order(who, execution.order).is_some_and(|order| {
        let is_over = match order.status {
            OrderStatus::AwaitingPayment | OrderStatus::Completed | OrderStatus::Expired => true,
            OrderStatus::Pending | OrderStatus::Failed | OrderStatus::Refunded => false,
        };
        order.attempt == execution.attempt && !is_over
    })
}

fn shards_add_up(model: &SmallWorld, world: &World) -> bool {
    model.layout.numbers().zip(model.layout.capacities()).all(|(shard, capacity)| {
        let stock = world.shards[shard].as_stock();
        stock.is_balanced() && stock.capacity() == capacity
    })
}

fn buys_once(world: &World, who: Who) -> bool {
    let sold = SHARDS.iter().filter(|shard| world.shards[**shard].sold[who].is_some()).count();
    let bought = Nth::ALL.into_iter().filter(|nth| is_completed(world, who, *nth)).count();
    let purchased = world.shoppers[who].reservation.filter(|found| found.status == ReservationStatus::Purchased);
    sold <= 1 && bought <= 1 && purchased.is_none_or(|found| is_completed(world, who, found.nth))
}

fn is_completed(world: &World, who: Who, nth: Nth) -> bool {
    world.order(who, nth).is_some_and(|order| order.status == OrderStatus::Completed)
}

fn is_paid_once(world: &World, who: Who, nth: Nth, order: &Order) -> bool {
    let has_moved = |attempt: &Nth| matches!(order.attempts[*attempt].book, Book::Captured | Book::Charged);
    let charged = Nth::ALL.into_iter().filter(has_moved).count();
    let is_kept = order.attempts[order.attempt].status == Some(AttemptStatus::Kept);
    let is_sold = SHARDS.iter().filter(|shard| world.shards[**shard].sold[who] == Some(nth)).count() == 1;
    order.status != OrderStatus::Completed
        || (is_kept && ((charged == 1 && is_sold) || is_given_back_by_operator(world, who, nth)))
}

/// Whether an operator's refund of the order, pending or ended, has given the kept charge back.
fn is_given_back_by_operator(world: &World, who: Who, nth: Nth) -> bool {
    world.order(who, nth).is_some_and(|order| {
        let attempt = order.attempts[order.attempt];
        let is_asked_for = order.returning || order.status == OrderStatus::Refunded;
        is_asked_for && attempt.status == Some(AttemptStatus::Kept) && attempt.book == Book::Refunded
    })
}

fn is_kept_or_given_back(attempt: Attempt) -> bool {
    match attempt.status {
        Some(AttemptStatus::Kept) => matches!(attempt.book, Book::Captured | Book::Charged),
        Some(AttemptStatus::Refunded) => attempt.book == Book::Refunded,
        Some(
            AttemptStatus::Started
            | AttemptStatus::Authorised
            | AttemptStatus::Charged
            | AttemptStatus::Refunding
            | AttemptStatus::Declined
            | AttemptStatus::Unavailable
            | AttemptStatus::GivenUp
            | AttemptStatus::Voided,
        )
        | None => true,
    }
}

fn is_paid(attempt: Attempt) -> bool {
    matches!(attempt.status, Some(AttemptStatus::Authorised | AttemptStatus::Charged | AttemptStatus::Kept))
}

fn has_unit(world: &World, who: Who, nth: Nth) -> bool {
    SHARDS.iter().any(|shard| world.shards[*shard].has(who, nth))
}

fn is_open(status: OrderStatus) -> bool {
    match status {
        OrderStatus::AwaitingPayment | OrderStatus::Pending => true,
        OrderStatus::Completed | OrderStatus::Failed | OrderStatus::Expired | OrderStatus::Refunded => false,
    }
}

fn has_what_it_did_not_buy(world: &World, who: Who) -> bool {
    SHARDS.iter().any(|shard| world.shards[*shard].sold[who].is_some_and(|nth| !is_completed(world, who, nth)))
}
