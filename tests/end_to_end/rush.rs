//! Three hundred shoppers compete for thirty units at once.

use std::{collections::BTreeSet, time::Instant};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;

use crate::stack::{Books, Person, Stack, Units};

const SHOPPERS: usize = 300;
const UNITS: usize = 30;

/// How the sale ends for one shopper.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Bought { order: String },
    SoldOut,
}

async fn shop(shopper: &Person, product: &str) -> Ending {
    let reserved = shopper.reserve(product).await;
    if reserved.status == 409 {
        reserved.refuses(409, "sold-out");
        return Ending::SoldOut;
    }
    // 200 answers a repeated request whose first answer said to try again.
    assert!(matches!(reserved.status, 200 | 201), "{reserved:?}");
    let ordered = shopper.check_out(reserved.text("reservation_id"), "sandbox:ok").await;
    assert!(matches!(ordered.status, 200 | 202), "{ordered:?}");
    let order = ordered.text("order_id").to_owned();
    shopper.order_becomes(&order, "completed").await;
    Ending::Bought { order }
}

#[tokio::test]
async fn exactly_thirty_of_three_hundred_buy_and_nobody_pays_for_nothing() {
    let stack = Stack::running();
    let dead_letters = stack.dead_letters().await;
    let product = stack.sale("rush", json!({"units": UNITS})).await;
    let shoppers: Vec<Person> = stream::iter(0..SHOPPERS).map(|_| stack.new_shopper()).buffer_unordered(16).collect().await;

    let started = Instant::now();
    let endings = join_all(shoppers.iter().map(|shopper| shop(shopper, &product))).await;
    println!("rush: {SHOPPERS} shoppers, {UNITS} units, over after {:.1} s", started.elapsed().as_secs_f64());

    let orders: BTreeSet<&Ending> = endings.iter().filter(|ending| **ending != Ending::SoldOut).collect();
    assert_eq!(orders.len(), UNITS, "as many different orders as units");
    assert_eq!(endings.iter().filter(|ending| **ending == Ending::SoldOut).count(), SHOPPERS - UNITS);
    let units = u64::try_from(UNITS).unwrap();
    assert_eq!(stack.units(&product).await, Units { available: 0, held: 0, sold: units });
    assert_eq!(stack.books(&format!("{product}.")).await, Books { charges: units, refunds: 0 });
    assert_eq!(stack.dead_letters().await, dead_letters, "no message was given up");
}
