//! Tests of the shop itself: every stage is what it claims to be.

use domain::{AttemptStatus, OrderStatus, PaymentStatus, ReservationStatus, SignedDuration};

use super::{Buyer, Given, Shop, Stage, demo};

#[tokio::test]
async fn every_stage_is_what_it_says() {
    for stage in Stage::ALL {
        let shop = Shop::open().await;
        let buyer = Buyer::second();
        shop.bring(&buyer, stage).await;
        let order = shop.uncounted().orders().get(&buyer.id).await.unwrap();
        let reservation = shop.reservation(&buyer).await;
        let (held, sold) = ((98, 2, 0), (98, 0, 2));
        let expected = match stage {
            Stage::Claimed => (None, None, held),
            Stage::Held => (None, Some(ReservationStatus::Held), held),
            Stage::Waiting | Stage::WaitingAgain => (Some(OrderStatus::AwaitingPayment), Some(ReservationStatus::Held), held),
            Stage::Pending
            | Stage::Unavailable
            | Stage::Declined
            | Stage::Authorised
            | Stage::Charged
            | Stage::GivenBack
            | Stage::PayingAgain => (Some(OrderStatus::Pending), Some(ReservationStatus::Paying), held),
            Stage::Uncaptured | Stage::Sold | Stage::Mischarged | Stage::Refunding => {
                (Some(OrderStatus::Pending), Some(ReservationStatus::Paying), sold)
            }
            Stage::Completed => (Some(OrderStatus::Completed), Some(ReservationStatus::Purchased), sold),
            Stage::Failed => (Some(OrderStatus::Failed), None, (100, 0, 0)),
            Stage::Refunded => (Some(OrderStatus::Refunded), None, (100, 0, 0)),
            Stage::RefundPending | Stage::GivenBackLater => (Some(OrderStatus::Failed), Some(ReservationStatus::Paying), sold),
            Stage::Expired => (Some(OrderStatus::Expired), None, (100, 0, 0)),
        };
        let status = order.as_ref().map(|order| order.status);
        assert_eq!((status, reservation.map(|it| it.status), shop.units(&demo()).await), expected, "{stage:?}");
        let (money, attempt) = match stage {
            Stage::Claimed | Stage::Held | Stage::Waiting | Stage::Pending | Stage::Expired => ((0, 0), None),
            Stage::Unavailable => ((0, 0), Some(AttemptStatus::Unavailable)),
            Stage::Declined => ((0, 0), Some(AttemptStatus::Declined)),
            Stage::Authorised | Stage::Uncaptured => ((0, 0), Some(AttemptStatus::Authorised)),
            Stage::Charged | Stage::Sold | Stage::Mischarged => ((1, 0), Some(AttemptStatus::Charged)),
            Stage::Completed => ((1, 0), Some(AttemptStatus::Kept)),
            Stage::WaitingAgain | Stage::PayingAgain => ((0, 0), Some(AttemptStatus::GivenUp)),
            Stage::Failed => ((0, 0), Some(AttemptStatus::Voided)),
            Stage::GivenBack | Stage::Refunded | Stage::GivenBackLater => ((1, 1), Some(AttemptStatus::Refunded)),
            Stage::Refunding | Stage::RefundPending => ((1, 0), Some(AttemptStatus::Refunding)),
        };
        assert_eq!(shop.money(&buyer, 1, "sandbox").await, money, "{stage:?}");
        let known = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap();
        assert_eq!(known.as_ref().map(|attempt| attempt.status), attempt, "{stage:?}");
        let confirmed = known.and_then(|attempt| attempt.confirmed).filter(|_| money.0 > 0);
        let is_right = stage != Stage::Mischarged;
        assert_eq!(confirmed.is_some_and(|confirmed| confirmed == buyer.amount()), money.0 > 0 && is_right, "{stage:?}");
        let is_kept = order.is_some_and(|order| order.payment_status == PaymentStatus::RefundPending);
        assert_eq!(is_kept, matches!(stage, Stage::RefundPending | Stage::GivenBackLater), "{stage:?}");
    }
}

#[tokio::test]
async fn both_buyers_of_the_events_may_be_there_at_once() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Completed).await;
    shop.bring(&Buyer::second(), Stage::Pending).await;
    assert_eq!(shop.units(&demo()).await, (97, 2, 1));
}

#[tokio::test]
async fn everything_that_is_given_is_what_it_says() {
    for given in Given::ALL {
        let shop = Shop::empty().await;
        shop.give(given).await;
        let (now, buyer) = (shop.now(), Buyer::first());
        let reservation = shop.reservation(&buyer).await;
        assert_eq!(reservation.is_some(), given.stage().is_some() && given != Given::Abandoned, "{given:?}");
        let is_over = shop.shard(&buyer).await.held().get(&buyer.shopper).is_some_and(|hold| hold.expires_at <= now);
        assert_eq!(is_over, matches!(given, Given::Overdue | Given::Waited | Given::Abandoned), "{given:?}");
        let order = shop.uncounted().orders().get(&buyer.id).await.unwrap();
        let is_young = order.is_none_or(|order| order.updated_at + SignedDuration::from_secs(60) > now);
        assert_eq!(is_young, !matches!(given, Given::Unpaid | Given::Waited | Given::Untold), "{given:?}");

        let known = async |product: &str| shop.availability(&product.parse().unwrap()).await;
        let is_as_old = known("demo").await.as_of == now - SignedDuration::from_secs(60);
        assert_eq!(is_as_old, given == Given::Unknown, "{given:?}");
        let sold_out = known("sold-out").await;
        assert_eq!((sold_out.available() == 0), given != Given::Stale, "{given:?}");
        assert_eq!(shop.units(&"sold-out".parse().unwrap()).await, (0, 1, 0), "{given:?}");
        for (product, starts, ends) in [("not-started", false, false), ("demo", true, false), ("ended", true, true)] {
            let draft = shop.uncounted().sales().get(&product.parse().unwrap()).await.unwrap().unwrap().draft;
            assert_eq!((draft.starts_at <= now, draft.ends_at <= now), (starts, ends), "{product}");
        }
    }
}
