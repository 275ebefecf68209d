//! What each write costs, in requests and write request units; `docs/ACCESS_PATTERNS.md` has the same numbers.
//!
//! A write whose condition is false costs as much as if it were true; DynamoDB does not report it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Attempt, AttemptStatus, Availability, GatewayName, Hold, Notice, OrderStep, Quantity, SaleDraft, ShardLayout, ShardNumber,
    ShopperRate, SignedDuration, TokenBucket,
};
use store::{Ending, Entry, EntryState, Rounds};

use crate::{
    cost::{Cost, cost, writes},
    shop::{
        END, NOW, RawItem, SHARD, Shop, at, hold, id, id_in, key, key_of, method, pending_order, price, product, reservation,
        sale, shopper, units, uuid_shopper, waiting_order,
    },
};

#[tokio::test]
async fn a_move_is_one_write() {
    let shop = Shop::with_units(25).await;
    let (one, id) = (uuid_shopper(1), id(1));
    assert_eq!(cost(&shop, shop.stock.claim(SHARD, &one, &hold(1, 1))).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.stock.sell(SHARD, &one, &id, units(1))).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.stock.take_back(SHARD, &one, &id)).await, writes(1, 1.0));
    shop.stock.claim(SHARD, &one, &hold(1, 1)).await.unwrap();
    assert_eq!(cost(&shop, shop.stock.release(SHARD, &one, &id)).await, writes(1, 1.0));
}

#[tokio::test]
async fn a_claim_costs_a_unit_for_each_kilobyte_that_the_shard_grows_to() {
    let longest = "x".repeat(64);
    for (product, within_one, within_two, size) in [("demo", 12, 24, 2_061), (longest.as_str(), 11, 24, 2_121)] {
        let (costs, size_of_the_last) = fill(product).await;
        let count = |units: f64| costs.iter().filter(|cost| **cost <= units).count();
        assert!(costs.is_sorted(), "{costs:?}");
        // The 25th hold makes a full shard a few bytes larger than two kilobytes.
        assert_eq!((count(1.0), count(2.0), count(3.0)), (within_one, within_two, 25), "{costs:?}");
        assert_eq!(size_of_the_last, size);
    }
}

/// The cost of 25 claims of one unit each in one shard of a sale of 1,000 units, with UUIDs for shoppers. Also the size of the
/// shard after them, in bytes.
async fn fill(product: &str) -> (Vec<f64>, usize) {
    let shop = Shop::open().await;
    let (product, last) = (product.parse().unwrap(), ShardNumber(39));
    shop.stock.create(&product, &ShardLayout::new(1_000, 40), .., 1).await.unwrap();
    let mut costs = Vec::new();
    for number in 1..=25 {
        // DynamoDB does not charge for a number's trailing zeros, and most times in seconds have none.
        let hold = Hold { reservation: id_in(&product, number), quantity: Quantity::ONE, expires_at: at("12:04:59") };
        costs.push(cost(&shop, shop.stock.claim(last, &uuid_shopper(number), &hold)).await.write);
    }
    let item = shop.raw(shop.dynamo.stock_table(), &format!("SHARD#{product}#{last}"), "STOCK").await.unwrap();
    (costs, item_size(&item))
}

/// The size of an item in bytes, by the developer guide's "`DynamoDB` item sizes and formats".
fn item_size(item: &RawItem) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    if let Ok(map) = value.as_m() {
        return 3 + map.iter().map(|(name, value)| 1 + name.len() + value_size(value)).sum::<usize>();
    }
    match (value.as_s(), value.as_n()) {
        (Ok(text), _) => text.len(),
        (_, Ok(number)) => 1 + number.trim_end_matches('0').len().div_ceil(2),
        _ => panic!("a shard has no {value:?}"),
    }
}

#[tokio::test]
async fn a_shard_is_made_and_deleted_in_one_write() {
    let shop = Shop::open().await;
    let layout = ShardLayout::new(1_000, 40);
    assert_eq!(cost(&shop, shop.stock.create(&product(), &layout, .., 1)).await, writes(40, 40.0));
    assert_eq!(cost(&shop, shop.stock.delete(&product(), 0, 40, 1)).await, writes(40, 40.0));
}

#[tokio::test]
async fn a_winner_costs_three_writes() {
    let shop = Shop::with_units(25).await;
    let reservation = reservation(1);
    let win = async {
        shop.buckets.take(&shopper(1), ShopperRate::DEFAULT, TokenBucket::FULL, at(NOW)).await?;
        shop.stock.claim(SHARD, &shopper(1), &hold(1, 1)).await?;
        shop.reservations.open(&reservation).await
    };
    assert_eq!(cost(&shop, win).await, writes(3, 3.0));
}

#[tokio::test]
async fn a_reservation_is_opened_and_ended_in_one_write() {
    let shop = Shop::open().await;
    let mine = reservation(1);
    assert_eq!(cost(&shop, shop.reservations.open(&mine)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.reservations.end(&shopper(1), &id(1), Ending::Cancelled)).await, writes(1, 1.0));
}

#[tokio::test]
async fn an_order_is_written_itself_and_its_places_in_the_indexes() {
    let shop = Shop::open().await;
    let order = waiting_order(1);
    assert_eq!(cost(&shop, shop.orders.place(&order)).await, writes(1, 3.0), "the index of its sale has only its keys");
    let address = test_shop::address();
    assert_eq!(cost(&shop, shop.orders.replace_address(&order, &address, at("12:01:00"))).await, writes(1, 2.0));
    assert_eq!(cost(&shop, shop.orders.expire(&id(1), None, at(END))).await, writes(1, 2.0));
    shop.orders.place(&pending_order(2)).await.unwrap();
    assert_eq!(cost(&shop, shop.orders.send_again(&pending_order(2), at(END))).await, writes(1, 2.0));
}

/// Two units for the reservation, two for the order, and one for the order in each index that the step changes: a new order comes
/// into the index of its sale, which later steps leave as it is. DynamoDB writes the
/// indexes later, not as part of the transaction. The index of unsettled orders gains the order with a start and loses it with
/// an end. A step that decides about the attempt costs two more.
#[tokio::test]
async fn a_step_of_a_purchase_is_one_transaction_of_two_writes_at_twice_the_price() {
    let both = writes(1, 6.0);
    let shop = Shop::open().await;
    let purchases = &shop.purchases;
    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    assert_eq!(cost(&shop, purchases.start(&order, at(NOW))).await, writes(1, 7.0));
    shop.attempt(&key_of(1, 1), AttemptStatus::Declined).await;
    let failed = purchases.payment_failed(&order, 1, at(END), "The card was declined.", at(NOW));
    assert_eq!(cost(&shop, failed).await, writes(1, 7.0));
    assert_eq!(cost(&shop, shop.orders.told(&id(1), 1, Notice::PaymentFailed)).await, writes(1, 3.0));
    let waiting = shop.orders.get(&id(1)).await.unwrap().unwrap();
    assert_eq!(cost(&shop, purchases.start_again(&waiting, &method("sandbox:ok"), at(NOW))).await, both);
    shop.attempt(&key_of(1, 2), AttemptStatus::Charged).await;
    let complete = purchases.complete(&order, 2, "sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A000001-2", at(NOW));
    assert_eq!(cost(&shop, complete).await, writes(1, 7.0));
    assert_eq!(cost(&shop, shop.orders.told(&id(1), 2, Notice::OrderCompleted)).await, writes(1, 3.0));

    shop.reservations.open(&reservation(2)).await.unwrap();
    let order = pending_order(2);
    purchases.start(&order, at(NOW)).await.unwrap();
    assert_eq!(cost(&shop, purchases.end(&order, 1, OrderStep::Refunded, at(NOW))).await, writes(1, 5.0));

    let order = pending_order(3);
    shop.orders.place(&order).await.unwrap();
    assert_eq!(cost(&shop, purchases.end_order(&order, 1, OrderStep::RefundFailed, at(NOW))).await, writes(1, 5.0));
    assert_eq!(cost(&shop, shop.orders.told(&id(3), 1, Notice::RefundFailed)).await, writes(1, 2.0));
    let order = pending_order(4);
    shop.orders.place(&order).await.unwrap();
    assert_eq!(cost(&shop, purchases.end_order(&order, 1, OrderStep::Failed, at(NOW))).await, writes(1, 3.0));
}

/// All writes from the checkout on, in a shard with few holds.
#[tokio::test]
async fn a_purchase_with_one_payment_costs_twenty_units() {
    let shop = Shop::with_units(25).await;
    let (order, sandbox) = (pending_order(1), GatewayName("sandbox".into()));
    shop.stock.claim(SHARD, &shopper(1), &hold(1, 1)).await.unwrap();
    shop.reservations.open(&reservation(1)).await.unwrap();
    let bought = id(1);
    let purchase = async {
        shop.purchases.start(&order, at(NOW)).await?;
        let (begun, _) = shop.attempts.begin(&key(1), &sandbox).await?;
        let (reference, confirmed) = (Some("sandbox_1".to_owned()), Some(price()));
        let charged = Attempt { status: AttemptStatus::Charged, reference, confirmed, ..begun.clone() };
        assert!(shop.attempts.replace(&begun, &charged).await?);
        shop.stock.sell(SHARD, &shopper(1), &bought, units(1)).await?;
        shop.purchases.complete(&order, 1, "sandbox_1", at(NOW)).await?;
        shop.orders.told(&id(1), 1, Notice::OrderCompleted).await
    };
    assert_eq!(cost(&shop, purchase).await, writes(6, 20.0));
}

#[tokio::test]
async fn an_order_whose_reservation_is_gone_ends_in_a_second_transaction() {
    let shop = Shop::open().await;
    let order = pending_order(1);
    shop.orders.place(&order).await.unwrap();
    // DynamoDB cancels the first transaction. Its writes cost as much as any, but DynamoDB does not report them.
    assert_eq!(cost(&shop, shop.purchases.end(&order, 1, OrderStep::Failed, at(NOW))).await, writes(2, 3.0));
}

#[tokio::test]
async fn a_token_is_a_write_of_a_unit_and_another_one_if_another_environment_took_the_last() {
    let (shop, rate, now) = (Shop::open().await, ShopperRate::new(2).unwrap(), at(NOW));
    let ann = shopper(1);
    let take = |known: TokenBucket| shop.buckets.take(&ann, rate, known, now);
    let after_one = TokenBucket { full_at: now + rate.interval() };
    let after_two = TokenBucket { full_at: after_one.full_at + rate.interval() };
    assert_eq!(cost(&shop, take(TokenBucket::FULL)).await, writes(1, 1.0));
    // DynamoDB does not report what the refused write costs.
    assert_eq!(cost(&shop, take(TokenBucket::FULL)).await, writes(2, 1.0));
    assert_eq!(cost(&shop, take(after_two)).await, writes(1, 0.0), "none is left");
    assert_eq!(cost(&shop, take(TokenBucket::FULL)).await, writes(1, 0.0), "none is left");
    let second = now + SignedDuration::from_secs(10);
    assert_eq!(cost(&shop, shop.buckets.take(&ann, rate, after_two, second)).await, writes(1, 1.0));
    let known = TokenBucket { full_at: second + rate.interval() };
    assert_eq!(cost(&shop, shop.buckets.take(&ann, rate, known, second)).await, writes(1, 1.0));
}

#[tokio::test]
async fn an_unpaid_end_and_the_note_in_its_sale_are_a_write_of_a_unit_each() {
    let shop = Shop::with_units(25).await;
    for number in 1..=3 {
        assert_eq!(cost(&shop, shop.cooling.count(&shopper(1), &id(number), at(NOW))).await, writes(1, 1.0));
    }
    assert_eq!(cost(&shop, shop.sales.note_cooling(&product())).await, writes(1, 1.0));
}

#[tokio::test]
async fn an_attempt_and_the_sandboxs_books_are_one_write() {
    let shop = Shop::open().await;
    let sandbox = GatewayName("sandbox".into());
    assert_eq!(cost(&shop, shop.attempts.begin(&key(1), &sandbox)).await, writes(1, 1.0));
    let attempt = shop.attempts.get(&key(1)).await.unwrap().unwrap();
    assert_eq!(cost(&shop, shop.attempts.replace(&attempt, &attempt)).await, writes(1, 1.0));
    let asked_again = Attempt { asked_again: true, ..attempt.clone() };
    assert_eq!(cost(&shop, shop.attempts.replace(&attempt, &asked_again)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.attempts.rule_out(&key(3), &sandbox)).await, writes(1, 1.0));
    let action = domain::Action::Redirect { url: "https://paypal.example/approve".to_owned() };
    let waits = domain::Attempt {
        waiting: Some(domain::Waiting { action, until: at("12:05:00"), task_token: None }),
        ..asked_again.clone()
    };
    assert!(shop.attempts.replace(&asked_again, &waits).await.unwrap());
    let every = domain::SignedDuration::from_secs(2);
    assert_eq!(cost(&shop, shop.attempts.note_return(&key(1), every, at("12:00:00"))).await, writes(1, 1.0));

    let charged = Entry::asked(EntryState::Charged, price(), price(), &method("sandbox:ok"));
    assert_eq!(cost(&shop, shop.books.settle(&sandbox, &key(1), &charged)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.books.count_refund_call(&sandbox, &key(1))).await, writes(1, 1.0));
    let refund = cost(&shop, shop.books.refund(&sandbox, &key(1))).await;
    assert_eq!((refund.requests, refund.write), (2, 1.0), "and a read");
    assert_eq!(cost(&shop, shop.books.void(&sandbox, &key(2))).await, writes(1, 1.0));
}

#[tokio::test]
async fn a_sale_is_written_in_one_write() {
    let shop = Shop::open().await;
    let sale = sale(&product(), 1_000);
    let prepared = cost(&shop, shop.sales.prepare(&sale, None)).await;
    assert_eq!(prepared, Cost { requests: 2, read: 1.0, write: 1.0 }, "it asks whether a sale of the product was deleted");
    let prepared = shop.sales.get_for_write(&sale.product).await.unwrap().unwrap();
    assert_eq!(cost(&shop, shop.sales.activate(&prepared)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.sales.list(&sale.product)).await, writes(1, 1.0));
    let active = shop.sales.get_for_write(&sale.product).await.unwrap().unwrap();
    assert_eq!(cost(&shop, shop.sales.retire(&active)).await, writes(1, 6.0), "three items in a transaction");
    let active = shop.sales.get_for_write(&sale.product).await.unwrap().unwrap();
    assert_eq!(cost(&shop, shop.sales.shorten(&active, active.sale.draft.ends_at)).await, writes(1, 1.0));
    let active = shop.sales.get_for_write(&sale.product).await.unwrap().unwrap();
    assert_eq!(cost(&shop, shop.sales.begin_deletion(&active)).await, writes(1, 1.0));
    let deleting = shop.sales.get_for_write(&sale.product).await.unwrap().unwrap();
    assert_eq!(cost(&shop, shop.sales.delete(&deleting)).await, writes(1, 10.0), "five items in a transaction");
    let rounds = Rounds::new(shop.client.clone(), shop.dynamo.stock_table());
    assert_eq!(cost(&shop, rounds.begin_next_at(&sale.product)).await, writes(1, 1.0));
}

#[tokio::test]
async fn availability_is_written_in_a_unit_for_500_shards() {
    let shop = Shop::open().await;
    for (shards, units) in [(1, 1.0), (40, 1.0), (200, 1.0), (400, 1.0), (SaleDraft::MOST_SHARDS, 8.0)] {
        let product = format!("sale-{shards}").parse().unwrap();
        let untouched = Availability::untouched(&ShardLayout::new(shards * 25, shards), at(NOW));
        if shards <= 200 {
            let held = Availability { half_ends: vec![Some(at(END)); untouched.free.len()], ..untouched.clone() };
            let product = format!("held-{shards}").parse().unwrap();
            assert_eq!(cost(&shop, shop.availabilities.put(&product, &held, 0)).await, writes(1, 1.0), "{shards} held shards");
        }
        let put = cost(&shop, shop.availabilities.put(&product, &untouched, 0)).await;
        assert_eq!(put, writes(1, units), "{shards} shards");
        let mark = cost(&shop, shop.availabilities.mark_sold_out(&product, 1, at(NOW))).await;
        assert_eq!(mark, writes(1, units), "{shards} shards");
    }
}

#[tokio::test]
async fn the_largest_availability_item_is_a_little_less_than_12_kb() {
    let shop = Shop::open().await;
    let layout = ShardLayout::new(SaleDraft::MOST_UNITS, SaleDraft::MOST_SHARDS);
    let (product, time) = ("x".repeat(64).parse().unwrap(), Some(at("12:00:00.123456789")));
    let untouched = Availability::untouched(&layout, at(NOW));
    let half_ends = vec![Some(at(END)); untouched.free.len()];
    let largest = Availability { next_hold_ends_at: time, sold_out_at: time, half_ends, ..untouched };
    assert_eq!(cost(&shop, shop.availabilities.put(&product, &largest, 0)).await, writes(1, 12.0));
}
