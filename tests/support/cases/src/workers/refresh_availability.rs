//! Records of the Stock table's stream: shards have changed.

use crate::prelude::*;

pub(crate) fn cases() -> Vec<Case> {
    let shard = |change| {
        let new = json!({"pk": "SHARD#demo#0", "sk": "STOCK", "capacity": 25, "available": 25, "held": {}, "sold": {}});
        but(new, change)
    };
    let new = |pk: &str| insert(shard(json!({"pk": pk})));
    let (untouched, first, second) = (shard(json!({})), ulid(RESERVATION), ulid(OTHER_RESERVATION));
    let held_by_first = json!({"r": first, "q": 1, "x": END_SECONDS});
    let held_by_second = json!({"r": second, "q": 2, "x": END_SECONDS + 1});
    let sold_to_first = json!({FIRST.id: {"r": first, "q": 1}});
    let claimed = shard(json!({"available": 24, "held": {FIRST.id: held_by_first}}));
    let both = shard(json!({"available": 22, "held": {FIRST.id: held_by_first, SECOND.id: held_by_second}}));
    let one_sold = shard(json!({"available": 22, "held": {SECOND.id: held_by_second}, "sold": sold_to_first}));
    let released = shard(json!({"available": 24, "sold": sold_to_first}));
    let known = |available: u32, held: u32| json!({"pk": "SALE#demo", "sk": "AVAILABILITY", "available": available, "held": held, "sold": 0});
    let spoiled = but(claimed.clone(), json!({"available": "twenty-four"}));
    let shards = ["SHARD#demo#0", "SHARD#demo#1", "SHARD#demo#2", "SHARD#demo#3"];
    let of_purchase = vec![
        modify(untouched.clone(), claimed.clone()),
        modify(claimed.clone(), both.clone()),
        modify(both, one_sold.clone()),
        modify(one_sold, released.clone()),
    ];
    vec![
        changed("ok", vec![modify(untouched.clone(), claimed)]),
        changed("shards-created", shards.map(new).into()),
        changed("claim-sell-release", of_purchase),
        changed("taken-back", vec![modify(released, untouched.clone())]),
        // The function's own item is in the same table.
        changed("own-write", vec![modify(known(100, 0), known(99, 1))]),
        changed("unknown-sale", vec![new("SHARD#no-such-product#0")]),
        changed("malformed-image", vec![modify(untouched, spoiled)]),
    ]
}

/// No record comes again, not even one that cannot be read: the function leaves it out.
fn changed(name: &'static str, changes: Vec<Change>) -> Case {
    case(name, Event::Stream { table: "StockTable", changes }, [done()])
}

/// The part of a reservation's id that a shard stores.
fn ulid(reservation: &str) -> &str {
    reservation.rsplit('.').next().unwrap()
}
