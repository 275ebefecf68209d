//! Processes die or hang between any two requests, and two operators refund at once: money goes back once for each key, and never
//! more than the price.

use domain::{OrderStatus, PaymentStatus, StockStatus};
use kit::Response;
use test_aws::{Calls, Interleaving, every_crash, every_interleaving, passing_faults};
use test_shop::{Buyer, Shop, Stage, brief, demo, tells_that_a_table_fails};

use crate::operators::refund_order::{PRICE, function, given_back, part, statuses, whole, with_unit};

/// The order is refunded, its unit is back, and its price went back once.
async fn is_returned(shop: &Shop, context: &str) {
    let order = shop.order(&Buyer::first()).await;
    let expected = (OrderStatus::Refunded, PaymentStatus::Refunded, StockStatus::Released);
    assert_eq!((order.status, order.payment_status, order.stock_status), expected, "{context}");
    assert_eq!((given_back(shop).await, shop.units(&demo()).await), (PRICE, (100, 0, 0)), "{context}");
    assert!(shop.reservation(&Buyer::first()).await.is_none(), "{context}");
    assert!(shop.uncounted().orders().refunds_due(None).await.unwrap().orders.is_empty(), "{context}");
}

#[tokio::test]
async fn a_refund_that_was_cut_off_is_finished_once_by_the_same_key() {
    every_crash(async |calls| {
        let shop = Shop::with(Stage::Completed).await;
        let first = brief(&function(&shop, calls).handle(with_unit("one")).await);
        assert!(matches!(first.as_str(), "200" | "202" | "503 try-again"), "{first}");
        calls.heal();
        for _ in 0..2 {
            assert_eq!(brief(&function(&shop, calls).handle(with_unit("one")).await), "200", "{first}");
            is_returned(&shop, &first).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_part_that_was_cut_off_is_refunded_once_by_the_same_key() {
    every_crash(async |calls| {
        let shop = Shop::with(Stage::Completed).await;
        let first = brief(&function(&shop, calls).handle(part("one", 7)).await);
        calls.heal();
        // What it may still refund is reserved.
        let rest = brief(&function(&shop, &Calls::new()).handle(part("two", PRICE - 6)).await);
        let second = brief(&function(&shop, calls).handle(part("one", 7)).await);
        let expected = if rest == "200" { (PRICE - 6, "409 refund-too-large") } else { (7, "200") };
        assert_eq!((given_back(&shop).await, second.as_str()), expected, "{first}, {rest}");
    })
    .await;
}

#[tokio::test]
async fn one_fault_is_overcome() {
    for (operation, fault) in passing_faults(&["GetItem", "UpdateItem", "TransactWriteItems"]) {
        let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
        calls.fail_next(operation, fault);
        let line = brief(&function(&shop, &calls).handle(with_unit("one")).await);
        if line != "200" {
            assert_eq!(brief(&function(&shop, &calls).handle(with_unit("one")).await), "200", "{operation} {fault:?}: {line}");
        }
        is_returned(&shop, &format!("{operation} {fault:?}")).await;
    }
}

#[tokio::test]
async fn a_fault_that_stays_is_503_and_one_that_is_for_good_500() {
    let calls = Calls::new();
    let ask = async || function(&Shop::with(Stage::Completed).await, &calls).handle(with_unit("one")).await;
    tells_that_a_table_fails(&calls, &["GetItem", "UpdateItem", "TransactWriteItems"], ask).await;
}

/// The answers to a request that hangs, and to another one meanwhile.
async fn at_once(hangs: &Interleaving, shop: &Shop, one: kit::Request, other: impl Future<Output = Response>) -> [String; 2] {
    let refunding = function(shop, &hangs.calls);
    let (one, other) = hangs.run(refunding.handle(one), other).await;
    [brief(&one), brief(&other)]
}

/// An operator clicks twice.
#[tokio::test]
async fn the_same_key_twice_at_once_refunds_once() {
    every_interleaving(async |interleaving| {
        let shop = Shop::with(Stage::Completed).await;
        let other = function(&shop, &Calls::new());
        assert_eq!(at_once(interleaving, &shop, with_unit("one"), other.handle(with_unit("one"))).await, ["200", "200"]);
        is_returned(&shop, "twice").await;
    })
    .await;
}

#[tokio::test]
async fn two_operators_at_once_refund_no_more_than_the_price() {
    every_interleaving(async |interleaving| {
        let shop = Shop::with(Stage::Completed).await;
        let other = function(&shop, &Calls::new());
        let answers = at_once(interleaving, &shop, part("one", 60_000), other.handle(part("two", 60_000))).await;
        assert_eq!(answers.iter().filter(|answer| *answer == "200").count(), 1, "{answers:?}");
        assert!(answers.contains(&"409 refund-too-large".to_owned()), "{answers:?}");
        assert_eq!((given_back(&shop).await, statuses(&shop).await.len()), (60_000, 1));
    })
    .await;
}

#[tokio::test]
async fn two_parts_at_once_that_make_it_whole_end_the_order() {
    every_interleaving(async |interleaving| {
        let shop = Shop::with(Stage::Completed).await;
        let other = function(&shop, &Calls::new());
        let answers = at_once(interleaving, &shop, part("one", PRICE - 5), other.handle(whole("two"))).await;
        let order = shop.order(&Buyer::first()).await;
        if answers == ["200", "200"] {
            assert_eq!((order.status, order.stock_status), (OrderStatus::Refunded, StockStatus::Confirmed));
        } else {
            // All was left when the other one came.
            assert!(answers[0].starts_with("409"), "{answers:?}");
        }
        assert_eq!(given_back(&shop).await, PRICE, "{answers:?}");
    })
    .await;
}
