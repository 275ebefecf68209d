//! The saga undid the purchase: the order and its reservation end, unless a refund is still unconfirmed.

use domain::{AttemptStatus, OrderStatus, PaymentStatus, ReservationStatus, StockStatus};
use fail_order::FailOrder;
use test_shop::{Stage, demo};

use crate::{
    saga::{
        changes_nothing,
        fail_order::{at, error, on, stage_read, status, statuses},
        input,
    },
    scheduled,
};

#[tokio::test]
async fn an_order_whose_money_went_back_is_refunded_and_its_reservation_is_gone() {
    let (shop, buyer) = stage_read(Stage::Pending).await;
    shop.attempt(&buyer, 1, "sandbox", AttemptStatus::Refunded).await;
    shop.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
    for _ in 0..3 {
        assert_eq!(on(&shop, "refunded").await, status("refunded"));
        let order = shop.order(&buyer).await;
        assert_eq!(statuses(&order), (OrderStatus::Refunded, PaymentStatus::Refunded, StockStatus::Released));
        assert_eq!(order.history.len(), 2);
        assert_eq!(shop.reservation(&buyer).await, None);
    }
    assert!(shop.queue.sent().is_empty() && scheduled(&shop).await.is_empty(), "there is no hold that could end");
}

#[tokio::test]
async fn an_order_that_was_never_charged_has_failed() {
    for attempt in [None, Some(AttemptStatus::Voided), Some(AttemptStatus::Declined), Some(AttemptStatus::Unavailable)] {
        let (shop, buyer) = at(Stage::Pending).await;
        if let Some(status) = attempt {
            shop.attempt(&buyer, 1, "sandbox", status).await;
        }
        for _ in 0..2 {
            assert_eq!(on(&shop, "refunded").await, status("failed"), "{attempt:?}");
        }
        let order = shop.order(&buyer).await;
        assert_eq!(statuses(&order), (OrderStatus::Failed, PaymentStatus::Failed, StockStatus::Released), "{attempt:?}");
        assert_eq!(shop.reservation(&buyer).await, None, "{attempt:?}");
    }
}

#[tokio::test]
async fn an_order_is_not_ended_while_its_money_may_be_out() {
    for attempt in [AttemptStatus::Started, AttemptStatus::Charged, AttemptStatus::Refunding] {
        let (shop, buyer) = at(Stage::Pending).await;
        shop.attempt(&buyer, 1, "sandbox", attempt).await;
        changes_nothing::<FailOrder>(&shop, input("fail-order/refunded"), error("RefundUnconfirmed"), attempt).await;
    }
}

#[tokio::test]
async fn an_order_without_a_reservation_ends_all_the_same() {
    let (shop, buyer) = at(Stage::Pending).await;
    shop.attempt(&buyer, 1, "sandbox", AttemptStatus::Refunded).await;
    shop.remove_reservation(&buyer).await;
    for _ in 0..2 {
        assert_eq!(on(&shop, "refunded").await, status("refunded"));
    }
    assert_eq!(shop.order(&buyer).await.status, OrderStatus::Refunded);
}

/// The order says that a person has to look at it, and keeps its units until then.
#[tokio::test]
async fn an_order_whose_refund_is_not_confirmed_is_kept_for_review() {
    let (shop, buyer) = stage_read(Stage::Sold).await;
    for _ in 0..3 {
        assert_eq!(on(&shop, "refund-pending").await, status("failed"));
    }
    let order = shop.order(&buyer).await;
    assert_eq!(statuses(&order), (OrderStatus::Failed, PaymentStatus::RefundPending, StockStatus::Confirmed));
    assert_eq!(order.history.len(), 2);
    let reservation = shop.reservation(&buyer).await.unwrap();
    assert_eq!(reservation.status, ReservationStatus::Paying);
    assert_eq!(shop.ttl(&buyer).await, None, "time does not give its units away");
    assert_eq!(shop.units(&demo()).await, (99, 0, 1));
    assert!(shop.queue.sent().is_empty() && scheduled(&shop).await.is_empty());
}
