//! After a roll-back, this version reads what a later one wrote. It ignores a member that it does not know, and its error names
//! a word that it does not know. The item keeps both.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Attempt, AttemptStatus, Availability, Extent, GatewayName, Order, OrderStep, ReleaseOutcome, SaleStatus, ShardLayout,
};
use store::{Ending, Entry, EntryState, Sales, StoreError, StoredSale, WriteOutcome};

use crate::{
    sales::listed,
    shop::{
        END, NOW, RawItem, SHARD, Shop, at, hold, id, key, method, pending_order, price, product, reservation, sale, shopper,
        text, units, waiting_order,
    },
};

/// A member that only a later version knows.
const LATER: &str = "later";

fn sandbox() -> GatewayName {
    GatewayName("sandbox".to_owned())
}

/// Changes the item with this key.
async fn rewrite(shop: &Shop, table: &str, (pk, sk): (&str, &str), change: impl FnOnce(&mut RawItem)) {
    let mut item = shop.raw(table, pk, sk).await.unwrap();
    change(&mut item);
    shop.dynamo.client().put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

/// Adds a member to the item and to every map in it, but not to those whose keys are shoppers.
fn add_members(item: &mut RawItem) {
    for (name, value) in item.iter_mut() {
        if let AttributeValue::M(map) = value
            && ["held", "sold"].contains(&name.as_str())
        {
            map.values_mut().for_each(add_members_within);
        } else {
            add_members_within(value);
        }
    }
    item.insert(LATER.to_owned(), text("of a later version"));
}

fn add_members_within(value: &mut AttributeValue) {
    if let AttributeValue::M(map) = value {
        add_members(map);
    } else if let AttributeValue::L(list) = value {
        list.iter_mut().for_each(add_members_within);
    }
}

/// A shop with this order, whose item was changed, and the item's partition key.
async fn with_rewritten(order: &Order, change: impl FnOnce(&mut RawItem)) -> (Shop, String) {
    let (shop, pk) = (Shop::open().await, format!("ORDER#{}", order.id));
    shop.orders.place(order).await.unwrap();
    rewrite(&shop, shop.dynamo.order_table(), (&pk, "ORDER"), change).await;
    (shop, pk)
}

/// Whether the item still has the member of the later version.
fn is_kept(item: &RawItem) -> bool {
    item.get(LATER) == Some(&text("of a later version"))
}

fn written(outcome: WriteOutcome) -> StoredSale {
    match outcome {
        WriteOutcome::Written(stored) => stored,
        WriteOutcome::Changed => panic!("somebody else wrote it"),
    }
}

/// An active sale with a restock, and one that is not finished.
async fn restocked(sales: &Sales) -> StoredSale {
    let prepared = written(sales.prepare(&sale(&product(), 100), None).await.unwrap());
    let mut stored = written(sales.activate(&prepared).await.unwrap());
    let extent = Extent { units: 25, shards: 1 };
    stored = written(sales.begin_restock(&stored, "first".parse().unwrap(), extent).await.unwrap());
    stored = written(sales.finish_restock(&stored).await.unwrap());
    written(sales.begin_restock(&stored, "second".parse().unwrap(), extent).await.unwrap())
}

#[tokio::test]
async fn a_sale_is_read_and_what_it_does_not_know_of_it_outlives_its_own_writes() {
    let shop = Shop::open().await;
    let before = restocked(&shop.sales).await;
    shop.sales.list(&product()).await.unwrap();
    let (table, item) = (shop.dynamo.stock_table(), ("SALE#demo", "META"));
    rewrite(&shop, table, item, add_members).await;
    assert_eq!(shop.sales.get(&product()).await.unwrap().as_ref(), Some(&before.sale));
    assert_eq!(listed(&shop).await, std::slice::from_ref(&before.sale));
    let read = shop.sales.get_for_write(&product()).await.unwrap().unwrap();
    assert_eq!((read.shards_made, read.revision), (before.shards_made, before.revision));
    assert_eq!((&read.restocks, &read.unfinished), (&before.restocks, &before.unfinished));

    let finished = written(shop.sales.finish_restock(&read).await.unwrap());
    for _ in 0..2 {
        let paused = shop.sales.change_status(&finished, SaleStatus::Paused, at(NOW)).await.unwrap();
        assert_eq!(written(paused).revision, before.revision + 2, "the second time as the SDK repeats it");
    }
    assert!(is_kept(&shop.raw(table, item.0, item.1).await.unwrap()));
}

#[tokio::test]
async fn a_shard_is_read_and_moved_in() {
    let shop = Shop::with_units(10).await;
    for number in [1, 2] {
        shop.stock.claim(SHARD, &shopper(number), &hold(number, 2)).await.unwrap();
    }
    shop.stock.sell(SHARD, &shopper(1), &id(1), units(2)).await.unwrap();
    let before = shop.shard().await;
    let (table, item) = (shop.dynamo.stock_table(), ("SHARD#demo#0", "STOCK"));
    rewrite(&shop, table, item, add_members).await;
    assert_eq!(shop.shard().await, before);
    let image = shop.raw(table, item.0, item.1).await.unwrap().into();
    assert_eq!(store::shard_image(&image).unwrap(), Some((product(), SHARD, before)));
    assert_eq!(shop.stock.release(SHARD, &shopper(2), &id(2)).await.unwrap(), ReleaseOutcome::Released);
    assert!(is_kept(&shop.raw(table, item.0, item.1).await.unwrap()));
}

/// Availability is derived anew from the shards, so a later version's part of the item may be lost.
#[tokio::test]
async fn an_availability_item_is_read() {
    let shop = Shop::open().await;
    let availability = Availability::untouched(&ShardLayout::new(60, 3), at(NOW));
    shop.availabilities.put(&product(), &availability, 0).await.unwrap();
    rewrite(&shop, shop.dynamo.stock_table(), ("SALE#demo", "AVAILABILITY"), add_members).await;
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap().as_ref(), Some(&availability));
    assert_eq!(shop.availabilities.get_all(&[product()]).await.unwrap(), [(product(), availability)].into());
}

#[tokio::test]
async fn a_reservation_is_read_and_taken_to_payment() {
    let shop = Shop::open().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    let (table, item) = (shop.dynamo.reservation_table(), ("SHOPPER#shopper-1", "SALE#demo"));
    rewrite(&shop, table, item, add_members).await;
    assert_eq!(shop.reservations.get(&shopper(1), &product()).await.unwrap(), Some(reservation(1)));
    let image = shop.raw(table, item.0, item.1).await.unwrap().into();
    assert_eq!(store::reservation_image(&image).unwrap(), Some(reservation(1)));
    shop.purchases.start(&pending_order(1), at(NOW)).await.unwrap();
    assert!(is_kept(&shop.raw(table, item.0, item.1).await.unwrap()));
}

#[tokio::test]
async fn an_order_is_read_and_takes_its_steps() {
    let order = pending_order(1);
    let (shop, pk) = with_rewritten(&order, add_members).await;
    assert_eq!(shop.orders.get(&id(1)).await.unwrap().as_ref(), Some(&order));
    let all = shop.orders.get_all(&[id(1)]).await.unwrap();
    assert!(matches!(&all[..], [(found, Ok(read))] if *found == id(1) && *read == order));
    assert_eq!(shop.orders.of_shopper(&shopper(1), None).await.unwrap().orders, std::slice::from_ref(&order));
    assert_eq!(shop.orders.unsettled(&product(), at(END), None).await.unwrap().orders.len(), 1);
    shop.purchases.end_order(&order, 1, OrderStep::RefundFailed, at(NOW)).await.unwrap();
    let after = shop.raw(shop.dynamo.order_table(), &pk, "ORDER").await.unwrap();
    assert!(is_kept(&after));
    assert_eq!(after["history"].as_l().unwrap().len(), 2);
}

/// Only shoppers read the history. No decision depends on it.
#[tokio::test]
async fn a_line_of_history_that_it_does_not_know_is_left_out_for_readers_and_kept_in_the_item() {
    let order = waiting_order(1);
    let (shop, pk) = with_rewritten(&order, |item| {
        let Some(AttributeValue::L(history)) = item.get_mut("history") else { panic!("no history") };
        let mut line = history[0].clone();
        let AttributeValue::M(members) = &mut line else { panic!("{line:?}") };
        members.insert("event".to_owned(), text("authorised"));
        history.push(line);
    })
    .await;
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(order));
    assert!(shop.orders.expire(&id(1), None, at(END)).await.unwrap());
    let after = shop.raw(shop.dynamo.order_table(), &pk, "ORDER").await.unwrap();
    let events = after["history"].as_l().unwrap().iter().map(|line| line.as_m().unwrap()["event"].as_s().unwrap().as_str());
    assert_eq!(events.collect::<Vec<_>>(), ["placed", "authorised", "expired"]);
    assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().history.len(), 2);
}

#[tokio::test]
async fn an_attempt_is_read_and_what_it_does_not_know_of_it_outlives_its_own_writes() {
    let shop = Shop::open().await;
    let charged = shop.attempt(&key(1), AttemptStatus::Charged).await;
    let pk = format!("ORDER#{}", id(1));
    let (table, item) = (shop.dynamo.order_table(), (pk.as_str(), "PAYMENT#1"));
    rewrite(&shop, table, item, add_members).await;
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap().as_ref(), Some(&charged));
    assert_eq!(shop.attempts.begin(&key(1), &sandbox()).await.unwrap(), (charged.clone(), false));
    let refunding = Attempt { status: AttemptStatus::Refunding, ..charged.clone() };
    assert!(shop.attempts.replace(&charged, &refunding).await.unwrap());
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(refunding));
    assert!(is_kept(&shop.raw(table, item.0, item.1).await.unwrap()));
}

#[tokio::test]
async fn an_entry_in_the_sandboxs_books_is_read_and_refunded() {
    let shop = Shop::open().await;
    let charged = Entry::asked(EntryState::Charged, price(), price(), &method("sandbox:ok"));
    shop.books.settle(&sandbox(), &key(1), &charged).await.unwrap();
    let pk = format!("ORDER#{}", id(1));
    let (table, item) = (shop.dynamo.order_table(), (pk.as_str(), "SANDBOX#sandbox#1"));
    rewrite(&shop, table, item, add_members).await;
    assert_eq!(shop.books.get(&sandbox(), &key(1)).await.unwrap().as_ref(), Some(&charged));
    assert_eq!(shop.books.settle(&sandbox(), &key(1), &charged).await.unwrap(), charged);
    let refunded = shop.books.refund(&sandbox(), &key(1)).await.unwrap().unwrap();
    assert_eq!(refunded, Entry { state: EntryState::Refunded, refunds: 1, ..charged });
    assert!(is_kept(&shop.raw(table, item.0, item.1).await.unwrap()));
}

/// Writes `word` into the attribute at this path.
fn write_word(item: &mut RawItem, path: &[&str], word: &str) {
    let (first, rest) = path.split_first().unwrap();
    let value = item.get_mut(*first).unwrap();
    if let AttributeValue::M(map) = value {
        write_word(map, rest, word);
    } else {
        *value = text(word);
    }
}

/// A decision by a value that this version does not know could sell or give back twice. The read fails, and the item stays.
#[tokio::test]
async fn a_word_that_it_does_not_know_is_named_and_kept() {
    let shop = Shop::open().await;
    written(shop.sales.prepare(&sale(&product(), 100), None).await.unwrap());
    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    shop.orders.place(&order).await.unwrap();
    let attempt = shop.attempt(&key(1), AttemptStatus::Charged).await;
    let charged = Entry::asked(EntryState::Charged, price(), price(), &method("sandbox:ok"));
    shop.books.settle(&sandbox(), &key(1), &charged).await.unwrap();
    let pk = format!("ORDER#{}", id(1));
    let tables = (shop.dynamo.stock_table(), shop.dynamo.reservation_table(), shop.dynamo.order_table());
    for (table, item, path, said) in [
        (tables.0, ("SALE#demo", "META"), &["status"][..], "status of a sale"),
        (tables.0, ("SALE#demo", "META"), &["admission", "mode"], "mode of admission"),
        (tables.1, ("SHOPPER#shopper-1", "SALE#demo"), &["status"], "status of a reservation"),
        (tables.2, (pk.as_str(), "ORDER"), &["status"], "status of an order"),
        (tables.2, (pk.as_str(), "ORDER"), &["payment_status"], "payment status"),
        (tables.2, (pk.as_str(), "ORDER"), &["inventory_status"], "inventory status"),
        (tables.2, (pk.as_str(), "PAYMENT#1"), &["status"], "status of a payment attempt"),
        (tables.2, (pk.as_str(), "SANDBOX#sandbox#1"), &["state"], "state in the sandbox's books"),
    ] {
        let known = shop.raw(table, item.0, item.1).await.unwrap();
        rewrite(&shop, table, item, |item| write_word(item, path, "of_a_later_version")).await;
        let unknown = shop.raw(table, item.0, item.1).await.unwrap();
        let error = match item.1 {
            "META" => shop.sales.get_for_write(&product()).await.map(drop),
            "SALE#demo" => shop.reservations.get(&shopper(1), &product()).await.map(drop),
            "ORDER" => shop.orders.get(&id(1)).await.map(drop),
            "PAYMENT#1" => shop.attempts.get(&key(1)).await.map(drop),
            _ => shop.books.get(&sandbox(), &key(1)).await.map(drop),
        };
        let Err(error) = error else { panic!("{path:?} was taken for a word that is known") };
        assert!(matches!(error, StoreError::Corrupt { .. }) && !error.is_passing(), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("item {} / {} cannot be read: this version knows no {said} \"of_a_later_version\"", item.0, item.1)
        );
        // Every write is conditional on a word that this version knows.
        match item.1 {
            "META" => {}
            "SALE#demo" => drop(shop.reservations.end(&shopper(1), &id(1), Ending::Overdue(at(END))).await),
            "ORDER" => assert!(!shop.orders.expire(&id(1), None, at(END)).await.unwrap()),
            "PAYMENT#1" => {
                let refunding = Attempt { status: AttemptStatus::Refunding, ..attempt.clone() };
                assert!(!shop.attempts.replace(&attempt, &refunding).await.unwrap());
            }
            _ => drop(shop.books.refund(&sandbox(), &key(1)).await),
        }
        assert_eq!(shop.raw(table, item.0, item.1).await.unwrap(), unknown, "{path:?}");
        shop.dynamo.client().put_item().table_name(table).set_item(Some(known)).send().await.unwrap();
    }
}
