//! The orders of a sale, by an index of their keys.

use domain::{Attempt, AttemptStatus, IdempotencyKey, Order, SignedDuration, Timestamp};
use store::{Orders, PlacedOrder};

use crate::{
    cost::{cost, reads},
    shop::{NOW, Shop, at, clock, id, id_in, key, key_of, product, waiting_order},
};

/// Order `number`, placed so many milliseconds after the first.
fn order(number: u32) -> Order {
    Order { created_at: at(NOW) + SignedDuration::from_millis(i64::from(number)), ..waiting_order(number) }
}

fn placed(number: u32) -> PlacedOrder {
    PlacedOrder { id: id(number), at: order(number).created_at }
}

/// An empty store in this process, with these orders of the sale and one of another.
async fn with_orders(numbers: std::ops::RangeInclusive<u32>) -> Shop {
    let shop = Shop::open_at(&clock()).await;
    for number in numbers {
        shop.orders.place(&order(number)).await.unwrap();
    }
    shop.orders.place(&Order { id: id_in(&"other".parse().unwrap(), 9_999), ..order(9_999) }).await.unwrap();
    shop
}

#[tokio::test]
async fn the_orders_of_a_sale_are_paged_oldest_first_and_each_once() {
    let shop = with_orders(1..=250).await;
    let (mut found, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = shop.orders.of_sale(&product(), Timestamp::MIN, after.as_ref()).await.unwrap();
        sizes.push(page.orders.len());
        found.extend(page.orders.clone());
        after = page.orders.last().cloned();
        if !page.more {
            break;
        }
    }
    assert_eq!((found, sizes), ((1..=250).map(placed).collect::<Vec<_>>(), vec![100, 100, 50]));
}

#[tokio::test]
async fn orders_placed_before_a_time_are_left_out_also_after_a_place_before_it() {
    let shop = with_orders(1..=5).await;
    let found = async |since: Timestamp, after: Option<PlacedOrder>| {
        shop.orders.of_sale(&product(), since, after.as_ref()).await.unwrap().orders
    };
    let third = placed(3).at;
    assert_eq!(found(third, None).await, [3, 4, 5].map(placed));
    assert_eq!(found(third + SignedDuration::from_micros(999), None).await, [3, 4, 5].map(placed), "to the millisecond");
    assert_eq!(found(third + SignedDuration::from_millis(1), None).await, [4, 5].map(placed));
    assert_eq!(found(third, Some(placed(1))).await, [3, 4, 5].map(placed));
    assert_eq!(found(third, Some(placed(4))).await, [placed(5)]);
    assert_eq!(found(Timestamp::MAX, None).await, []);
    assert_eq!(shop.orders.of_sale(&"none".parse().unwrap(), Timestamp::MIN, None).await.unwrap().orders, []);
}

#[tokio::test]
async fn a_page_is_one_query_and_later_steps_leave_the_index_as_it_is() {
    let shop = with_orders(1..=100).await;
    assert_eq!(cost(&shop, shop.orders.of_sale(&product(), Timestamp::MIN, None)).await, reads(1, 1.5));
    assert!(shop.orders.expire(&id(1), None, at("12:05:01")).await.unwrap());
    assert_eq!(shop.orders.of_sale(&product(), Timestamp::MIN, None).await.unwrap().orders[0], placed(1));
    assert_eq!(Orders::READ_AT_ONCE, 100);
}

#[tokio::test]
async fn the_attempts_of_an_order_are_read_in_their_order_in_one_batch() {
    let shop = Shop::open_at(&clock()).await;
    assert_eq!(cost(&shop, shop.attempts.of_order(&id(1), 0)).await, reads(0, 0.0));
    let mut expected: Vec<Attempt> = Vec::new();
    for attempt in [1, 2, 10, 11] {
        expected.push(shop.attempt(&key_of(1, attempt), AttemptStatus::Started).await);
    }
    shop.attempt(&key(2), AttemptStatus::Started).await;
    assert_eq!(shop.attempts.of_order(&id(1), 11).await.unwrap(), expected);
    assert_eq!(shop.attempts.of_order(&id(1), 10).await.unwrap(), expected[..3]);
    assert_eq!(shop.attempts.of_order(&id(1), 99).await.unwrap(), expected, "an order has twenty at most");
    assert_eq!(expected[2].key, IdempotencyKey { order: id(1), attempt: 10 });
    let batch = cost(&shop, shop.attempts.of_order(&id(1), 11)).await;
    assert_eq!(batch.requests, 1);
}
