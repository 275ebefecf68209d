//! The shop gets its orders: from the queue of the example subscriber, and as CSV.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, eventually};

#[tokio::test]
async fn an_order_is_read_from_the_queue_by_its_id_and_as_csv() {
    let stack = Stack::running();
    let product = stack.sale("warehouse", json!({})).await;
    let shopper = stack.shopper(3).await;
    let order = shopper.order(&product, "sandbox:ok").await;
    shopper.order_becomes(&order, "completed").await;
    let operator = stack.sign_in("ops@example.com").await;
    let read = async || operator.get(&format!("/admin/orders/{order}")).await.expect(200);
    // The shopper is told after the order is completed, and that is a change, too.
    let settled = eventually("order that stays as it is", Duration::from_mins(1), async || {
        let (one, other) = (read().await, read().await);
        let is_settled = one.body["revision"] == other.body["revision"] && one.body["revision"].as_u64() >= Some(3);
        is_settled.then_some(other)
    })
    .await;

    // Other tests' orders go to the same queue.
    let revisions = RefCell::new(BTreeMap::<u64, Value>::new());
    let newest = || revisions.borrow().last_key_value().map(|(revision, _)| *revision);
    eventually("last event of the order", Duration::from_mins(2), async || {
        for event in stack.receive("order_changes").await {
            assert_eq!((event["source"].as_str(), event["detail-type"].as_str()), (Some("flash-sale"), Some("OrderChanged")));
            let detail = &event["detail"];
            if detail["order_id"] == order {
                revisions.borrow_mut().insert(detail["revision"].as_u64().unwrap(), detail.clone());
            }
        }
        (newest() == settled.body["revision"].as_u64()).then_some(())
    })
    .await;
    let revisions = revisions.into_inner();
    let (_, last) = revisions.last_key_value().unwrap();
    for member in ["order_status", "payment_status", "inventory_status", "quantity", "price", "transaction_id", "created_at"] {
        assert_eq!(last[member], settled.body[member], "{member}");
    }
    assert_eq!((&last["order_status"], &last["version"]), (&json!("completed"), &json!(1)));
    assert!(!last.to_string().contains("Infinite Loop"), "an event has no address");
    assert_eq!(settled.body["attempts"][0]["status"], "kept");

    let path = format!("/admin/orders?sale={product}&status=completed");
    let csv = operator.send(Method::GET, &path, &[("Accept", "text/csv")], None).await.expect(200);
    let lines: Vec<&str> = csv.raw.lines().collect();
    assert_eq!((lines.len(), csv.next), (2, None), "{}", csv.raw);
    assert!(lines[0].starts_with("order_id,revision,product_id,") && lines[1].starts_with(&order), "{}", csv.raw);
    assert!(lines[1].contains(",1 Infinite Loop,"), "{}", csv.raw);
}
