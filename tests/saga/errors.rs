//! The error names that the state machine matches, and how a task finds its order and its reservation.

use domain::ReservationStatus;
use kit::workers::TaskError;
use saga::{SagaError, Task};
use store::StoreError;
use test_shop::{Buyer, Shop, Stage};

fn task() -> Task {
    let buyer = Buyer::first();
    Task { order_id: buyer.id, shopper: buyer.shopper, attempt: 1 }
}

#[test]
fn every_error_has_the_name_that_the_state_machine_matches() {
    for (error, name) in [
        (SagaError::PaymentOutcomeUnknown, "PaymentOutcomeUnknown"),
        (SagaError::RefundUnconfirmed, "RefundUnconfirmed"),
        (SagaError::HoldLost, "HoldLost"),
        (SagaError::ChargeMismatch, "ChargeMismatch"),
        (SagaError::OrderNotPending, "OrderNotPending"),
        (SagaError::StoreUnavailable(String::new()), "StoreUnavailable"),
        (SagaError::StoreFailed(String::new()), "StoreFailed"),
        (SagaError::changed("it"), "StoreUnavailable"),
    ] {
        assert_eq!(error.name(), name);
    }
}

#[test]
fn a_store_that_may_answer_later_is_unavailable_and_any_other_has_failed() {
    let unavailable = StoreError::Unavailable { operation: "GetItem", source: "time-out".into() };
    let refused = StoreError::Refused { operation: "GetItem", source: "access denied".into() };
    let corrupt = StoreError::Corrupt { key: "ORDER#1".into(), why: "no status".into() };
    for (error, name) in [(unavailable, "StoreUnavailable"), (refused, "StoreFailed"), (corrupt, "StoreFailed")] {
        assert_eq!(SagaError::from(error).name(), name);
    }
}

#[test]
fn a_key_is_that_of_the_attempt() {
    assert_eq!(task().key(), Buyer::first().key(1));
}

#[tokio::test]
async fn an_order_is_found_for_its_shopper_only() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Pending).await;
    assert_eq!(saga::order(&shop.uncounted().orders(), &task()).await.unwrap().id, Buyer::first().id);
    let others = Task { shopper: Buyer::second().shopper, ..task() };
    let unknown = Task { order_id: Buyer::second().id, ..task() };
    for wrong in [others, unknown] {
        assert!(matches!(saga::order(&shop.uncounted().orders(), &wrong).await, Err(SagaError::OrderNotPending)));
    }
}

#[tokio::test]
async fn a_reservation_is_found_while_it_is_that_of_the_order() {
    let shop = Shop::open().await;
    assert_eq!(saga::reservation(&shop.uncounted().reservations(), &task()).await.unwrap(), None);
    shop.bring(&Buyer::first(), Stage::Pending).await;
    let found = saga::reservation(&shop.uncounted().reservations(), &task()).await.unwrap().unwrap();
    assert_eq!((found.id, found.status), (Buyer::first().id, ReservationStatus::Paying));
    let of_the_next_order = Task { order_id: Buyer::second().id, ..task() };
    assert_eq!(saga::reservation(&shop.uncounted().reservations(), &of_the_next_order).await.unwrap(), None);
}
