//! The shop itself: every stage is what it says.

use domain::{AttemptStatus, OrderStatus, PaymentStatus, ReservationStatus};

use super::{Buyer, Shop, Stage, demo};

#[tokio::test]
async fn every_stage_is_what_it_says() {
    for stage in Stage::ALL {
        let shop = Shop::open().await;
        let buyer = Buyer::second();
        shop.bring(&buyer, stage).await;
        let order = shop.orders().get(&buyer.id).await.unwrap();
        let reservation = shop.reservation(&buyer).await;
        let (held, sold) = ((98, 2, 0), (98, 0, 2));
        let expected = match stage {
            Stage::Held => (None, Some(ReservationStatus::Held), held),
            Stage::Waiting | Stage::Declined => (Some(OrderStatus::AwaitingPayment), Some(ReservationStatus::Held), held),
            Stage::Pending | Stage::Charged | Stage::PayingAgain => {
                (Some(OrderStatus::Pending), Some(ReservationStatus::Paying), held)
            }
            Stage::Sold => (Some(OrderStatus::Pending), Some(ReservationStatus::Paying), sold),
            Stage::Completed => (Some(OrderStatus::Completed), Some(ReservationStatus::Purchased), sold),
            Stage::Failed => (Some(OrderStatus::Failed), None, (100, 0, 0)),
            Stage::Refunded => (Some(OrderStatus::Refunded), None, (100, 0, 0)),
            Stage::RefundPending => (Some(OrderStatus::Failed), Some(ReservationStatus::Paying), sold),
            Stage::Expired => (Some(OrderStatus::Expired), None, (100, 0, 0)),
        };
        let status = order.as_ref().map(|order| order.status);
        assert_eq!((status, reservation.map(|it| it.status), shop.units(&demo()).await), expected, "{stage:?}");
        let money = match stage {
            Stage::Charged | Stage::Sold | Stage::Completed | Stage::RefundPending => (1, 0),
            Stage::Refunded => (1, 1),
            Stage::Held
            | Stage::Waiting
            | Stage::Pending
            | Stage::Declined
            | Stage::PayingAgain
            | Stage::Failed
            | Stage::Expired => (0, 0),
        };
        assert_eq!(shop.money(&buyer, 1, "sandbox").await, money, "{stage:?}");
        let attempt = match stage {
            Stage::Held | Stage::Waiting | Stage::Pending | Stage::Expired => None,
            Stage::Charged | Stage::Sold => Some(AttemptStatus::Charged),
            Stage::Completed => Some(AttemptStatus::Kept),
            Stage::Declined | Stage::PayingAgain => Some(AttemptStatus::GivenUp),
            Stage::Failed => Some(AttemptStatus::Voided),
            Stage::Refunded => Some(AttemptStatus::Refunded),
            Stage::RefundPending => Some(AttemptStatus::Refunding),
        };
        assert_eq!(shop.attempt_status(&buyer, 1).await, attempt, "{stage:?}");
        let is_kept = order.is_some_and(|order| order.payment_status == PaymentStatus::RefundPending);
        assert_eq!(is_kept, stage == Stage::RefundPending);
    }
}

#[tokio::test]
async fn both_buyers_of_the_events_may_be_there_at_once() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Completed).await;
    shop.bring(&Buyer::second(), Stage::Pending).await;
    assert_eq!(shop.units(&demo()).await, (97, 2, 1));
}
