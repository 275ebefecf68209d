//! A refund whose outcome the gateway does not tell stays pending, until the same request or `reconcile` asks again.

use domain::{Clock, RefundStatus, Timestamp};
use insta::assert_snapshot;
use reconcile::Reconcile;
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, brief};

use crate::operators::refund_order::{PRICE, function, given_back, part, state, statuses, whole, with_unit};

/// The gateway refunds, and its answer is lost.
async fn lost() -> Shop {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first().paying("sandbox:refunded-but-answer-lost"), Stage::Completed).await;
    shop
}

async fn reconciled(shop: &Shop) -> usize {
    let reconcile: Reconcile = shop.wire(&Calls::new());
    let found = reconcile.run(Timestamp::MAX).await.unwrap();
    assert!(found.failed.is_empty(), "{found:?}");
    found.refunds_finished
}

#[tokio::test]
async fn it_is_202_and_the_same_request_finishes_it() {
    let shop = lost().await;
    let function = function(&shop, &Calls::new());
    let first = function.handle(with_unit("one")).await;
    assert_snapshot!(test_aws::told(&first), @r#"
    202 Accepted
    {"created_at":"2026-11-01T12:00:00Z",
     "history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"completed"},{"at":"2026-11-01T12:01:00Z","event":"refund_requested"}],
     "inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"completed",
     "payment_status":"completed","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo",
     "quantity":1,
     "refunds":[{"amount":{"amount_minor":99900,"currency":"USD"},"at":"2026-11-01T12:01:00Z","status":"pending"}],
     "shipping_address":{"address_line1":"1 Market Street","city":"Springfield","country":"US","postal_code":"49007"},
     "transaction_id":"sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1","updated_at":"2026-11-01T12:01:00Z",
     "user_id":"5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01"}
    "#);
    assert_snapshot!(state(&shop).await, @"(Completed, Completed, Confirmed), 99900 back, 1 sold");
    assert_eq!(brief(&function.handle(part("two", 1)).await), "409 refund-too-large", "its amount is reserved");
    assert_eq!(brief(&function.handle(with_unit("one")).await), "200");
    assert_snapshot!(state(&shop).await, @"(Refunded, Refunded, Released), 99900 back, 0 sold");
}

#[tokio::test]
async fn reconcile_finishes_it_after_a_minute() {
    let shop = lost().await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(with_unit("one")).await), "202");
    shop.clock.advance_seconds(59);
    assert_eq!(reconciled(&shop).await, 0, "counted, and not asked again yet");
    shop.clock.advance_seconds(1);
    assert_eq!(reconciled(&shop).await, 1);
    assert_snapshot!(state(&shop).await, @"(Refunded, Refunded, Released), 99900 back, 0 sold");
    assert_eq!((reconciled(&shop).await, given_back(&shop).await), (0, PRICE));
}

#[tokio::test]
async fn reconcile_finishes_all_refunds_of_an_order_and_then_forgets_it() {
    let shop = lost().await;
    let refunding = function(&shop, &Calls::new());
    for (key, expected) in [("one", "202"), ("two", "202")] {
        assert_eq!(brief(&refunding.handle(part(key, 10)).await), expected);
    }
    shop.clock.advance_seconds(60);
    assert_eq!(reconciled(&shop).await, 2);
    assert_eq!(statuses(&shop).await, [(10, RefundStatus::Refunded); 2]);
    assert!(shop.uncounted().orders().refunds_due(None).await.unwrap().orders.is_empty());
    assert_eq!(brief(&refunding.handle(whole("three")).await), "202");
    assert_eq!(brief(&refunding.handle(whole("three")).await), "200");
}

/// The account was taken out of the configuration: nobody can be asked.
#[tokio::test]
async fn the_pauses_between_two_runs_that_ask_grow() {
    let shop = lost().await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(whole("one")).await), "202");
    let mut asked_after = Vec::new();
    let begun = shop.clock.now();
    for _ in 0..8 {
        let due = shop.uncounted().orders().refunds_due(None).await.unwrap().orders.remove(0).since;
        asked_after.push(due.duration_since(begun).as_secs() / 60);
        shop.clock.advance_seconds(due.duration_since(shop.clock.now()).as_secs());
        let parts = &mut shop.parts_with(&Calls::new(), &[("PAYMENT_GATEWAYS", "sandbox-standby")]);
        let reconcile = <Reconcile as parts::FromParts>::wire(parts).unwrap();
        // It is counted in every run, for the alarm, and asked for once in a pause.
        for _ in 0..2 {
            let found = reconcile.run(Timestamp::MAX).await.unwrap();
            assert_eq!((found.refunds_finished, found.operator_refunds_pending), (0, 1));
        }
    }
    assert_eq!(asked_after, [1, 2, 4, 8, 16, 32, 64, 128]);
    assert_eq!(statuses(&shop).await, [(PRICE, RefundStatus::Pending)]);
}

/// A new refund of an order with an old pending one does not wait for the pause of the old one.
#[tokio::test]
async fn a_second_refund_is_asked_for_after_a_minute_too() {
    let shop = lost().await;
    let refunding = function(&shop, &Calls::new());
    assert_eq!(brief(&refunding.handle(part("one", 10)).await), "202");
    shop.clock.advance_seconds(3_600);
    assert_eq!(brief(&refunding.handle(part("two", 10)).await), "202");
    let begun = shop.clock.now();
    let due = shop.uncounted().orders().refunds_due(None).await.unwrap().orders.remove(0).since;
    assert_eq!(due.duration_since(begun).as_secs(), 60);
}

/// Providers that do not answer do not take the time that is meant for the sales.
#[tokio::test]
async fn a_run_whose_time_is_over_asks_no_gateway() {
    let shop = lost().await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(whole("one")).await), "202");
    shop.clock.advance_seconds(60);
    let reconcile: Reconcile = shop.wire(&Calls::new());
    let found = reconcile.run(shop.clock.now()).await.unwrap();
    assert_eq!((found.refunds_finished, found.operator_refunds_pending), (0, 1));
    shop.clock.advance_seconds(60);
    assert_eq!(reconciled(&shop).await, 1);
}

/// Nothing says that the refunds of an order that cannot be read have ended.
#[tokio::test]
async fn an_order_that_cannot_be_read_counts_as_pending() {
    let shop = lost().await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(whole("one")).await), "202");
    shop.spoil_order(&Buyer::first()).await;
    let reconcile: Reconcile = shop.wire(&Calls::new());
    assert_eq!(reconcile.run(Timestamp::MAX).await.unwrap().operator_refunds_pending, 1);
}
