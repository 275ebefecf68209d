//! The answer to a write is lost and the SDK sends the write again. For every write, the second run changes nothing.
//!
//! The caller learns what the store can know. The writes of a claim, a sale and a reservation recognise their own earlier run.
//! A release only learns that nothing is held any more.

use std::future::Future;

use domain::{
    Attempt, AttemptStatus, Availability, ClaimOutcome, GatewayName, OrderStep, ReleaseOutcome, SaleStatus, SellOutcome,
    ShardLayout, StockShard, TakeBackOutcome,
};
use store::{Advanced, EndOutcome, Ending, Entry, EntryState, OpenOutcome, PlaceOutcome, StartOutcome, WriteOutcome};
use test_aws::Fault;

use crate::{
    sales::listed,
    shop::{
        END, NOW, SHARD, Shop, at, hold, id, key, key_of, method, pending_order, price, product, reservation, sale, shopper,
        units, waiting_order,
    },
};

/// Makes `write`, loses the first answer to its `operation`, and checks that the SDK sends the request twice.
async fn losing_the_answer<T>(shop: &Shop, operation: &str, write: impl Future<Output = T>) -> T {
    shop.calls.reset();
    shop.calls.fail_next(operation, Fault::LostAnswer);
    let outcome = write.await;
    assert_eq!(shop.calls.count(operation), 2, "{operation} is sent twice");
    outcome
}

#[tokio::test]
async fn a_move_is_made_once() {
    let shop = Shop::with_units(5).await;
    let (one, id) = (shopper(1), id(1));
    let mut model = StockShard::new(5);

    let claimed = losing_the_answer(&shop, "UpdateItem", shop.stock.claim(SHARD, &one, &hold(1, 2))).await;
    assert_eq!(claimed.unwrap(), ClaimOutcome::Claimed);
    model.claim(&one, hold(1, 2));
    assert_eq!(shop.shard().await, model);

    let sold = losing_the_answer(&shop, "UpdateItem", shop.stock.sell(SHARD, &one, &id, units(2))).await;
    assert_eq!(sold.unwrap(), SellOutcome::Sold);
    model.sell(&one, &id);
    assert_eq!(shop.shard().await, model);

    let taken_back = losing_the_answer(&shop, "UpdateItem", shop.stock.take_back(SHARD, &one, &id)).await;
    assert_eq!(taken_back.unwrap(), TakeBackOutcome::NotSold, "not any more");
    assert_eq!(shop.shard().await, StockShard::new(5));

    shop.stock.claim(SHARD, &one, &hold(1, 2)).await.unwrap();
    let released = losing_the_answer(&shop, "UpdateItem", shop.stock.release(SHARD, &one, &id)).await;
    assert_eq!(released.unwrap(), ReleaseOutcome::NotHeld, "not any more");
    assert_eq!(shop.shard().await, StockShard::new(5));
}

#[tokio::test]
async fn shards_are_made_and_deleted_once() {
    let shop = Shop::open().await;
    let one = ShardLayout::new(25, 1);
    losing_the_answer(&shop, "PutItem", shop.stock.create(&product(), &one, .., 1)).await.unwrap();
    assert_eq!(shop.shard().await, StockShard::new(25));
    losing_the_answer(&shop, "DeleteItem", shop.stock.delete(&product(), 0, 1, 1)).await.unwrap();
    assert!(shop.stock.read_all(&product(), &one).await.is_err());
}

#[tokio::test]
async fn a_reservation_is_opened_and_ended_once() {
    let shop = Shop::open().await;
    let opened = losing_the_answer(&shop, "PutItem", shop.reservations.open(&reservation(1))).await;
    assert_eq!(opened.unwrap(), OpenOutcome::Opened);
    assert_eq!(shop.reservations.get(&shopper(1), &product()).await.unwrap(), Some(reservation(1)));
    for (number, ending) in [(1, Ending::Cancelled), (2, Ending::Overdue(at(END)))] {
        shop.reservations.open(&reservation(number)).await.unwrap();
        let ended = losing_the_answer(&shop, "DeleteItem", shop.reservations.end(&shopper(number), &id(number), ending)).await;
        assert_eq!(ended.unwrap(), EndOutcome::Gone, "by the first of the two");
        assert_eq!(shop.reservations.get(&shopper(number), &product()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_order_is_placed_and_expired_once() {
    let shop = Shop::open().await;
    let order = waiting_order(1);
    let placed = losing_the_answer(&shop, "PutItem", shop.orders.place(&order)).await;
    assert_eq!(placed.unwrap(), PlaceOutcome::Exists(order.clone()), "by the first of the two");
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(order));
    let expired = losing_the_answer(&shop, "UpdateItem", shop.orders.expire(&id(1), None, at(END))).await;
    assert!(!expired.unwrap(), "it does not wait any more");
    assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().history.len(), 2);
}

/// The SDK gives each transaction a token, so the second run gets the first run's answer.
#[tokio::test]
async fn each_step_of_a_purchase_is_taken_once() {
    const WRITE: &str = "TransactWriteItems";
    let shop = Shop::open().await;
    let history = async |number| shop.orders.get(&id(number)).await.unwrap().unwrap().history.len();

    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    let started = losing_the_answer(&shop, WRITE, shop.purchases.start(&order, at(NOW))).await;
    assert_eq!((started.unwrap(), history(1).await), (StartOutcome::Started, 1));
    shop.attempt(&key_of(1, 1), AttemptStatus::Declined).await;
    let failed = losing_the_answer(&shop, WRITE, shop.purchases.payment_failed(&order, 1, at(END), "no", at(NOW))).await;
    assert_eq!((failed.unwrap(), history(1).await), (Advanced::Done, 2));
    let waiting = shop.orders.get(&id(1)).await.unwrap().unwrap();
    let other = method("sandbox:other");
    let again = losing_the_answer(&shop, WRITE, shop.purchases.start_again(&waiting, &other, at(NOW))).await;
    assert_eq!((again.unwrap(), history(1).await), (StartOutcome::Started, 3));
    assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().attempt, 2);
    shop.attempt(&key_of(1, 2), AttemptStatus::Charged).await;
    let completed = losing_the_answer(&shop, WRITE, shop.purchases.complete(&order, 2, "sandbox_1", at(NOW))).await;
    assert_eq!((completed.unwrap(), history(1).await), (Advanced::Done, 4));

    for (number, step) in [(2, OrderStep::Failed), (3, OrderStep::Refunded)] {
        shop.reservations.open(&reservation(number)).await.unwrap();
        let order = pending_order(number);
        shop.purchases.start(&order, at(NOW)).await.unwrap();
        let ended = losing_the_answer(&shop, WRITE, shop.purchases.end(&order, 1, step, at(NOW))).await;
        assert_eq!((ended.unwrap(), history(number).await), (Advanced::Done, 2));
        assert_eq!(shop.reservations.get(&shopper(number), &product()).await.unwrap(), None);
    }
    let order = pending_order(4);
    shop.orders.place(&order).await.unwrap();
    let ended = losing_the_answer(&shop, WRITE, shop.purchases.end_order(&order, 1, OrderStep::RefundFailed, at(NOW))).await;
    assert_eq!((ended.unwrap(), history(4).await), (Advanced::Done, 2));
}

#[tokio::test]
async fn a_payment_attempt_is_written_once() {
    let shop = Shop::open().await;
    let sandbox = GatewayName("sandbox".into());
    // The answer says that the attempt existed before. A caller that gets this answer looks the charge up first.
    let (begun, is_new) = losing_the_answer(&shop, "PutItem", shop.attempts.begin(&key(1), &sandbox)).await.unwrap();
    assert_eq!((&begun, is_new), (&Attempt::started(key(1), sandbox), false));
    // The caller then asks the gateway again. The store writes this once, whatever it answers.
    let again = Attempt { asked_again: true, ..begun.clone() };
    assert!(!losing_the_answer(&shop, "UpdateItem", shop.attempts.replace(&begun, &again)).await.unwrap());
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(again.clone()));
    let declined = Attempt { status: AttemptStatus::Declined, ..again.clone() };
    assert!(!losing_the_answer(&shop, "UpdateItem", shop.attempts.replace(&again, &declined)).await.unwrap());
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap().as_ref(), Some(&declined));
    let elsewhere = Attempt::started(key(1), GatewayName("sandbox-standby".into()));
    assert!(!losing_the_answer(&shop, "PutItem", shop.attempts.replace(&declined, &elsewhere)).await.unwrap());
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(elsewhere));
    let ruled_out = losing_the_answer(&shop, "PutItem", shop.attempts.rule_out(&key(2), &begun.gateway)).await.unwrap();
    assert_eq!(ruled_out.status, AttemptStatus::Voided);
}

#[tokio::test]
async fn the_sandbox_charges_refunds_and_voids_once() {
    let shop = Shop::open().await;
    let sandbox = GatewayName("sandbox".into());
    let charged = Entry::asked(EntryState::Charged, price(), price(), &method("sandbox:ok"));
    let settled = losing_the_answer(&shop, "PutItem", shop.books.settle(&sandbox, &key(1), &charged)).await;
    assert_eq!(settled.unwrap(), charged);
    let refunded = losing_the_answer(&shop, "UpdateItem", shop.books.refund(&sandbox, &key(1))).await;
    assert_eq!(refunded.unwrap(), Some(Entry { state: EntryState::Refunded, refunds: 1, ..charged }));
    // Only the sandbox uses this count, and it may be too high: the sandbox's first refund then does not fail.
    let calls = losing_the_answer(&shop, "UpdateItem", shop.books.count_refund_call(&sandbox, &key(1))).await;
    assert_eq!(calls.unwrap(), 2);
    let voided = losing_the_answer(&shop, "PutItem", shop.books.void(&sandbox, &key(2))).await;
    assert_eq!(voided.unwrap().state, EntryState::Voided);
}

#[tokio::test]
async fn a_sale_is_written_once() {
    let shop = Shop::open().await;
    let sale = sale(&product(), 100);
    // If a preparation recognised its own earlier run, the second of two runs of one request could take itself for the first and
    // also write shards. So it does not. When the request is repeated, it finishes the preparation that it finds.
    let prepared = losing_the_answer(&shop, "PutItem", shop.sales.prepare(&sale, None)).await.unwrap();
    assert!(matches!(prepared, WriteOutcome::Changed), "{prepared:?}");
    let stored = shop.sales.get_for_write(&product()).await.unwrap().unwrap();
    assert_eq!((&stored.sale, stored.revision), (&sale, 1));

    let activated = losing_the_answer(&shop, "PutItem", shop.sales.activate(&stored)).await.unwrap();
    assert!(matches!(activated, WriteOutcome::Written(_)), "{activated:?}");
    let stored = shop.sales.get_for_write(&product()).await.unwrap().unwrap();
    assert_eq!((stored.sale.status, stored.revision), (SaleStatus::Active, 2));

    losing_the_answer(&shop, "PutItem", shop.sales.list(&product())).await.unwrap();
    assert_eq!(listed(&shop).await.len(), 1);
}

#[tokio::test]
async fn availability_is_written_once() {
    let shop = Shop::open().await;
    let availability = Availability::untouched(&ShardLayout::new(10, 1), at(NOW));
    // Both writes answer false, as after another caller's write. The caller reads the item again and derives it anew.
    let put = losing_the_answer(&shop, "PutItem", shop.availabilities.put(&product(), &availability, 0)).await;
    assert!(!put.unwrap());
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), Some(availability));
    let marked = losing_the_answer(&shop, "UpdateItem", shop.availabilities.mark_sold_out(&product(), 1, at(NOW))).await;
    assert!(!marked.unwrap());
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap().unwrap().version, 2);
}

#[tokio::test]
async fn an_unpaid_end_counts_once() {
    let shop = Shop::open().await;
    for number in 1..=2 {
        let counted = losing_the_answer(&shop, "UpdateItem", shop.cooling.count(&shopper(1), &id(number), at(END))).await;
        assert_eq!(counted.unwrap().count, number);
    }
}

/// `release-stock` may note it between the two runs of an operator's write.
#[tokio::test]
async fn a_sale_keeps_the_note_about_its_cooling_shoppers() {
    let shop = Shop::with_units(5).await;
    let noted = async || shop.sales.get(&product()).await.unwrap().unwrap().has_cooling_shoppers;
    assert!(!noted().await);
    for _ in 0..2 {
        losing_the_answer(&shop, "UpdateItem", shop.sales.note_cooling(&product())).await.unwrap();
        assert!(noted().await);
    }
    let before = shop.sales.get_for_write(&product()).await.unwrap().unwrap();
    let paused = losing_the_answer(&shop, "PutItem", shop.sales.change_status(&before, SaleStatus::Paused, at(NOW))).await;
    assert!(matches!(paused.unwrap(), WriteOutcome::Written(stored) if stored.revision == before.revision + 1));
    assert!(noted().await, "an operator's write keeps it");
    let nowhere = "no-such-sale".parse().unwrap();
    shop.sales.note_cooling(&nowhere).await.unwrap();
    assert!(shop.sales.get(&nowhere).await.unwrap().is_none());
}
