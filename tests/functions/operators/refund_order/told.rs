//! The shopper is told of every confirmed refund, at least once, whenever a process dies, and of no other.

use domain::{Notice, SignedDuration, Timestamp};
use reconcile::{Findings, Reconcile};
use serde_json::{Value, json};
use test_aws::{Calls, Fault, every_crash, every_interleaving};
use test_shop::{Buyer, Shop, Stage, brief};

use crate::operators::refund_order::{PRICE, function, part, whole, with_unit};

/// The notices that the topic took.
fn published(shop: &Shop) -> Vec<Value> {
    shop.topic.published().iter().map(|it| serde_json::from_str(&it.message).unwrap()).collect()
}

fn notice() -> Value {
    json!({"order_id": Buyer::first().id, "shopper": Buyer::first().shopper, "message": "order-refunded"})
}

async fn untold(shop: &Shop) -> Option<Notice> {
    shop.order(&Buyer::first()).await.untold
}

/// Whether `reconcile` has something left to do for the order's refunds.
async fn is_unsettled(shop: &Shop) -> bool {
    !shop.uncounted().orders().refunds_due(None).await.unwrap().orders.is_empty()
}

async fn reconciled(shop: &Shop) -> Findings {
    shop.wire::<Reconcile>(&Calls::new()).run(Timestamp::MAX).await.unwrap()
}

async fn sold_by(method: &str) -> Shop {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first().paying(method), Stage::Completed).await;
    shop
}

#[tokio::test]
async fn a_confirmed_refund_is_told_once_whole_or_in_part_and_its_order_leaves_the_index() {
    for request in [|| part("one", 5), || whole("one"), || with_unit("one")] {
        let shop = Shop::with(Stage::Completed).await;
        let function = function(&shop, &Calls::new());
        for _ in 0..2 {
            assert_eq!(brief(&function.handle(request()).await), "200");
            assert_eq!((published(&shop), untold(&shop).await, is_unsettled(&shop).await), (vec![notice()], None, false));
        }
    }
}

#[tokio::test]
async fn a_refund_that_is_refused_or_pending_is_not_told() {
    for (method, expected) in [("sandbox:refund-refused", "409 refund-refused"), ("sandbox:refunded-but-answer-lost", "202")] {
        let shop = sold_by(method).await;
        assert_eq!(brief(&function(&shop, &Calls::new()).handle(part("one", 5)).await), expected);
        assert_eq!((published(&shop), untold(&shop).await), (vec![], None), "{method}");
        assert_eq!(is_unsettled(&shop).await, expected == "202", "{method}");
    }
}

/// `reconcile` alone finishes what the request has begun.
#[tokio::test]
async fn whenever_the_request_is_cut_off_its_shopper_is_told_of_what_went_back() {
    for request in [|| part("one", 5), || with_unit("one")] {
        every_crash(async |calls| {
            let shop = Shop::with(Stage::Completed).await;
            let answer = brief(&function(&shop, calls).handle(request()).await);
            let has_begun = !shop.order(&Buyer::first()).await.refunds.all.is_empty();
            for _ in 0..2 {
                shop.clock.advance(SignedDuration::from_mins(2));
                let found = reconciled(&shop).await;
                assert!(found.failed.is_empty(), "{answer}: {found:?}");
            }
            let told = published(&shop);
            assert_eq!(!told.is_empty(), has_begun, "{answer}");
            assert!(told.len() <= 2 && told.iter().all(|it| *it == notice()), "{answer}: {told:?}");
            assert_eq!((untold(&shop).await, is_unsettled(&shop).await), (None, false), "{answer}");
        })
        .await;
    }
}

/// `reconcile` dies at each of its own requests, and its next run ends it.
#[tokio::test]
async fn whenever_reconcile_is_cut_off_its_next_run_tells() {
    every_crash(async |calls| {
        let shop = sold_by("sandbox:refunded-but-answer-lost").await;
        assert_eq!(brief(&function(&shop, &Calls::new()).handle(with_unit("one")).await), "202");
        shop.clock.advance(SignedDuration::from_mins(2));
        // It may fail: its process is dead.
        _ = shop.wire::<Reconcile>(calls).run(Timestamp::MAX).await;
        for _ in 0..2 {
            shop.clock.advance(SignedDuration::from_mins(5));
            assert!(reconciled(&shop).await.failed.is_empty());
        }
        let told = published(&shop);
        assert!((1..=2).contains(&told.len()) && told.iter().all(|it| *it == notice()), "{told:?}");
        assert_eq!((untold(&shop).await, is_unsettled(&shop).await), (None, false));
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_does_not_take_it_changes_no_answer_and_reconcile_tells_later() {
    let shop = Shop::with(Stage::Completed).await;
    shop.topic.fail(true);
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(part("one", 5)).await), "200");
    assert_eq!((published(&shop), untold(&shop).await), (vec![], Some(Notice::OrderRefunded)));
    let found = reconciled(&shop).await;
    assert_eq!((found.shoppers_told, found.operator_refunds_pending), (0, 0), "it is not due, and no refund is pending");
    shop.clock.advance(SignedDuration::from_mins(1));
    let found = reconciled(&shop).await;
    assert_eq!((found.failed.len(), found.shoppers_told, found.operator_refunds_pending), (1, 0, 0));
    shop.topic.fail(false);
    // Another refund can be made meanwhile, and one notice tells of both.
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(part("two", 7)).await), "200");
    assert_eq!((published(&shop), untold(&shop).await, is_unsettled(&shop).await), (vec![notice()], None, false));
}

#[tokio::test]
async fn the_notice_of_the_purchase_and_that_of_the_refund_are_both_told() {
    let shop = Shop::untold(Stage::Completed).await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(whole("one")).await), "503 try-again");
    assert_eq!(untold(&shop).await, Some(Notice::OrderCompleted));
    shop.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(reconciled(&shop).await.shoppers_told, 1);
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(whole("one")).await), "200");
    let told: Vec<_> = published(&shop).iter().map(|it| it["message"].clone()).collect();
    assert_eq!(told, ["order-completed", "order-refunded"]);
}

/// A notice that was published before the other refund was confirmed does not count for it.
#[tokio::test]
async fn two_refunds_at_once_are_both_told() {
    every_interleaving(async |interleaving| {
        let shop = Shop::with(Stage::Completed).await;
        let (hangs, other) = (function(&shop, &interleaving.calls), function(&shop, &Calls::new()));
        let mut before = 0;
        let second = async {
            let answer = other.handle(part("two", 7)).await;
            before = published(&shop).len();
            answer
        };
        let (one, two) = interleaving.run(hangs.handle(part("one", 5)), second).await;
        assert_eq!((brief(&one), brief(&two)), ("200".to_owned(), "200".to_owned()));
        assert!((1..=2).contains(&published(&shop).len()) && before >= 1);
        assert_eq!((untold(&shop).await, is_unsettled(&shop).await), (None, false));
    })
    .await;
}

#[tokio::test]
async fn a_notice_that_is_not_recorded_is_told_again() {
    for fault in [Fault::LostRequest, Fault::Denied] {
        let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
        calls.fail_always_for("UpdateItem", "untold, unsettled", fault);
        assert_eq!(brief(&function(&shop, &calls).handle(part("one", PRICE - 1)).await), "200", "{fault:?}");
        shop.clock.advance(SignedDuration::from_mins(1));
        assert_eq!(reconciled(&shop).await.shoppers_told, 1, "{fault:?}");
        assert_eq!((published(&shop).len(), untold(&shop).await), (2, None), "{fault:?}");
    }
}
