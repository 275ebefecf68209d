//! A process dies at any one request of the saga. The saga reaches the same end with the same charges and refunds.

use test_aws::every_crash;

use crate::{end_after_trouble, end_of, machine::Machine, methods, pending};

async fn survives(method: &str) {
    let (_, expected) = methods().into_iter().find(|(known, _)| *known == method).unwrap();
    every_crash(async |calls| {
        let (shop, buyer) = pending(method).await;
        let machine = Machine::with_calls(&shop, calls);
        machine.run(&buyer, 1).await;
        calls.heal();
        let expected = end_after_trouble(&shop, &buyer, method, expected.clone()).await;
        assert_eq!(end_of(&shop, &buyer, 1, &machine).await, expected, "{method}: {:?}", machine.path());
        assert_eq!(shop.order(&buyer).await.history.len(), 2, "{method}");
    })
    .await;
}

#[tokio::test]
async fn a_saga_that_completes_survives_every_crash() {
    survives("sandbox:ok").await;
}

#[tokio::test]
async fn a_saga_that_charges_at_once_survives_every_crash() {
    survives("sandbox:charged-at-once").await;
}

#[tokio::test]
async fn a_saga_whose_capture_is_refused_survives_every_crash() {
    survives("sandbox:capture-refused").await;
}

#[tokio::test]
async fn a_saga_whose_answer_to_an_authorisation_or_a_capture_is_lost_survives_every_crash() {
    survives("sandbox:authorised-but-answer-lost").await;
    survives("sandbox:captured-but-answer-lost").await;
}

#[tokio::test]
async fn a_saga_whose_charge_times_out_survives_every_crash() {
    survives("sandbox:timeout-then-ok").await;
}

#[tokio::test]
async fn a_saga_whose_answer_is_lost_survives_every_crash() {
    survives("sandbox:charged-but-answer-lost").await;
}

#[tokio::test]
async fn a_saga_on_the_standby_survives_every_crash() {
    survives("sandbox:primary-down").await;
}

#[tokio::test]
async fn a_saga_whose_gateways_are_down_survives_every_crash() {
    survives("sandbox:down").await;
    survives("sandbox:down-at-first").await;
}

#[tokio::test]
async fn a_saga_that_is_declined_survives_every_crash() {
    survives("sandbox:declined").await;
}

#[tokio::test]
async fn a_saga_that_is_undone_survives_every_crash() {
    survives("sandbox:refund-fails-once").await;
}
