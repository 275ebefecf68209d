//! `GET /health` and `GET /admin/health`: shallow, deep, and with each dependency failing.

use health::Health;
use insta::assert_snapshot;
use kit::Request;
use parts::FromParts;
use test_aws::{Calls, Fault};
use test_shop::{Judged, Shop, brief};

fn deep() -> Request {
    test_aws::event("health/deep.json")
}

#[tokio::test]
async fn a_shallow_answer_asks_nobody() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let health: Judged<Health> = shop.wire(&calls);
    let request = test_aws::event("health/ok.json");
    assert_snapshot!(test_aws::told(&health.handle(request).await), @r#"
    200 OK
    {"status":"ok","version":"0.1.0"}
    "#);
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn the_deep_check_is_for_operators() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let health: Judged<Health> = shop.wire(&calls);
    for (event, expected) in [
        ("health/deep-for-anyone.json", "403 forbidden"),
        ("health/deep-not-an-operator.json", "403 forbidden"),
        ("health/deep-no-identity.json", "401 unauthenticated"),
    ] {
        assert_eq!(brief(&health.handle(test_aws::event(event)).await), expected, "{event}");
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn a_deep_answer_asks_three_tables_and_the_queue() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let health: Judged<Health> = shop.wire(&calls);
    assert_eq!(health.handle(deep()).await.status(), 200);
    assert_eq!((calls.count("GetItem"), calls.count("GetQueueAttributes"), calls.total()), (3, 1, 4));
}

#[tokio::test]
async fn what_failed_is_named_and_why_is_not_told() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let health: Judged<Health> = shop.wire(&calls);
    calls.fail_always("GetQueueAttributes", Fault::Denied);
    assert_snapshot!(test_aws::told(&health.handle(deep()).await), @r#"
    503 Service Unavailable: unhealthy, A dependency does not answer
    {"failed":["orders queue"]}
    "#);
}

#[tokio::test]
async fn each_table_is_named_by_what_it_holds() {
    let shop = Shop::empty().await;
    let mut parts = shop.parts_with(&Calls::new(), &[("RESERVATION_TABLE", "no-such-table")]);
    let health = Judged::<Health>::wire(&mut parts).unwrap();
    shop.queue.fail(true);
    let response = test_aws::response(&health.handle(deep()).await);
    assert!(response.contains("\"reservation table\",\n    \"orders queue\""), "{response}");
    assert!(!response.contains("no-such-table"), "{response}");
}
