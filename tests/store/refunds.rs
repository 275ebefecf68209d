//! Refunds in their order's item: each write applies to the refunds that it was decided on.

use domain::{AttemptStatus, Notice, Order, OrderStatus, OrderStep, Refund, RefundKey, RefundRequest, RefundStatus, Timestamp};

use crate::shop::{Shop, at, buyer, id, order_after, text};

fn asked(key: &str) -> RefundRequest {
    let key: RefundKey = key.parse().unwrap();
    RefundRequest { key, amount: Some(domain::Money::new(400, "USD".parse().unwrap()).unwrap()), return_unit: false }
}

fn refund(order: &Order, key: &str) -> Refund {
    order.new_refund(&asked(key), at("12:02:00")).unwrap()
}

/// A completed order of which its shopper was told.
async fn completed(shop: &Shop) -> Order {
    let order = order_after(1, OrderStep::Completed, 1);
    shop.orders.place(&order).await.unwrap();
    order
}

async fn begun(shop: &Shop, order: &Order, key: &str) -> Order {
    shop.orders.begin_refund(order, &refund(order, key), at("12:02:00")).await.unwrap().unwrap()
}

#[tokio::test]
async fn only_a_completed_order_takes_a_refund() {
    let shop = Shop::open().await;
    let refund = refund(&order_after(99, OrderStep::Completed, 1), "one");
    for (number, step) in (1..).zip(OrderStep::ALL) {
        let order = order_after(number, step, 1);
        shop.orders.place(&order).await.unwrap();
        let begun = shop.orders.begin_refund(&order, &refund, at("12:02:00")).await.unwrap();
        assert_eq!(begun.is_some(), order.status == OrderStatus::Completed, "{step:?}");
        let after = shop.orders.get(&order.id).await.unwrap().unwrap();
        assert_eq!(after, begun.unwrap_or(order), "{step:?}");
    }
}

#[tokio::test]
async fn a_refund_of_an_order_that_has_changed_is_not_begun() {
    let shop = Shop::open().await;
    let read = completed(&shop).await;
    let first = begun(&shop, &read, "one").await;
    assert_eq!((first.refunds.all.len(), first.refunds.revision), (1, 1));
    assert_eq!(first.refunds.all[0], refund(&read, "one"));
    assert_eq!(shop.orders.begin_refund(&read, &refund(&read, "two"), at("12:02:00")).await.unwrap(), None);
    let second = begun(&shop, &first, "two").await;
    assert_eq!(shop.orders.get(&read.id).await.unwrap(), Some(second.clone()));
    assert_eq!((second.refunds.all.len(), second.refunds.revision, second.history.len()), (2, 2, 3));
}

#[tokio::test]
async fn while_a_shopper_has_to_be_told_no_refund_begins() {
    let shop = Shop::open().await;
    let order = Order { untold: Some(Notice::OrderCompleted), ..order_after(1, OrderStep::Completed, 1) };
    shop.orders.place(&order).await.unwrap();
    assert_eq!(shop.orders.begin_refund(&order, &refund(&order, "one"), at("12:02:00")).await.unwrap(), None);
    assert!(shop.orders.told(&order.id, 1, Notice::OrderCompleted).await.unwrap());
    begun(&shop, &order, "one").await;
}

#[tokio::test]
async fn while_a_shopper_has_to_be_told_of_a_refund_the_next_one_begins() {
    let shop = Shop::open().await;
    let one = begun(&shop, &completed(&shop).await, "one").await;
    let part = shop.orders.end_refund(&one, 0, OrderStep::PartRefunded, None, at("12:03:00")).await.unwrap().unwrap();
    let two = begun(&shop, &part, "two").await;
    assert_eq!((two.untold, part.untold), (Some(Notice::OrderRefunded), Some(Notice::OrderRefunded)));
    assert!(!shop.orders.told_of_refunds(&one.id, &part.refunds).await.unwrap(), "another refund was requested since");
    assert!(shop.orders.told_of_refunds(&one.id, &two.refunds).await.unwrap());
    assert_eq!(listed(&shop).await, [id(1)], "one is pending");
    let two = shop.orders.get(&id(1)).await.unwrap().unwrap();
    assert_eq!(two.untold, None);
    // A refusal owes no notice.
    shop.orders.end_refund(&two, 1, OrderStep::RefundRefused, Some("too late"), at("12:04:00")).await.unwrap().unwrap();
    assert!(listed(&shop).await.is_empty());
}

/// What was told before the other refund was confirmed does not count for that one.
#[tokio::test]
async fn a_notice_counts_for_the_refunds_that_were_read() {
    let shop = Shop::open().await;
    let one = begun(&shop, &completed(&shop).await, "one").await;
    let both = begun(&shop, &one, "two").await;
    let first = shop.orders.end_refund(&both, 0, OrderStep::PartRefunded, None, at("12:03:00")).await.unwrap().unwrap();
    let second = shop.orders.end_refund(&first, 1, OrderStep::PartRefunded, None, at("12:03:00")).await.unwrap().unwrap();
    assert!(!shop.orders.told_of_refunds(&one.id, &first.refunds).await.unwrap());
    assert!(!shop.orders.told(&one.id, 1, Notice::OrderRefunded).await.unwrap(), "not as a payment's notice");
    assert_eq!(listed(&shop).await, [id(1)]);
    assert!(shop.orders.told_of_refunds(&one.id, &second.refunds).await.unwrap());
    assert!(listed(&shop).await.is_empty());
}

/// The orders for whose refunds something is left to do.
async fn listed(shop: &Shop) -> Vec<domain::OrderId> {
    shop.orders.refunds_due(None).await.unwrap().orders.into_iter().map(|order| order.id).collect()
}

#[tokio::test]
async fn each_end_is_written_once_and_once_the_last_one_is_told_the_order_leaves_the_index() {
    for (step, status) in [
        (OrderStep::PartRefunded, RefundStatus::Refunded),
        (OrderStep::PriceRefunded, RefundStatus::Refunded),
        (OrderStep::RefundRefused, RefundStatus::Failed),
    ] {
        let shop = Shop::open().await;
        let read = begun(&shop, &completed(&shop).await, "one").await;
        let both = begun(&shop, &read, "two").await;
        let reason = (step == OrderStep::RefundRefused).then_some("too late");
        assert_eq!(shop.orders.end_refund(&read, 0, step, reason, at("12:03:00")).await.unwrap(), None, "{step:?}: late");
        let one = shop.orders.end_refund(&both, 1, OrderStep::PartRefunded, None, at("12:03:00")).await.unwrap().unwrap();
        assert_eq!(one.refunds.pending().collect::<Vec<_>>(), [0], "{step:?}");
        assert_eq!(listed(&shop).await, [id(1)], "{step:?}");
        let done = shop.orders.end_refund(&one, 0, step, reason, at("12:04:00")).await.unwrap().unwrap();
        assert_eq!((done.refunds.all[0].status, done.refunds.all[0].reason.as_deref()), (status, reason), "{step:?}");
        assert_eq!((done.status, done.payment_status, done.stock_status), step.leads_to(), "{step:?}");
        assert_eq!(done.history.last().map(|line| (line.event, line.reason.clone())), Some((step.into(), None)), "{step:?}");
        // The other refund is confirmed, and has to be told.
        assert_eq!((done.untold, listed(&shop).await), (Some(Notice::OrderRefunded), vec![id(1)]), "{step:?}");
        assert!(shop.orders.told_of_refunds(&done.id, &done.refunds).await.unwrap(), "{step:?}");
        assert!(listed(&shop).await.is_empty(), "{step:?}");
        assert!(!shop.orders.told_of_refunds(&done.id, &done.refunds).await.unwrap(), "{step:?}, again");
        assert_eq!(shop.orders.end_refund(&one, 0, step, reason, at("12:04:00")).await.unwrap(), None, "{step:?}, again");
    }
}

#[tokio::test]
async fn a_refund_is_due_after_a_minute_and_after_growing_pauses() {
    let shop = Shop::open().await;
    let order = begun(&shop, &completed(&shop).await, "one").await;
    let due = async |time| {
        let all = shop.orders.refunds_due(None).await.unwrap().orders;
        all.into_iter().filter(|due| due.since <= at(time)).map(|due| due.id).collect::<Vec<_>>()
    };
    assert_eq!((due("12:02:59").await, due("12:03:00").await), (vec![], vec![id(1)]));
    assert!(shop.orders.postpone_refunds(&order, at("12:12:00")).await.unwrap());
    assert_eq!((due("12:21:59").await, due("12:22:00").await), (vec![], vec![id(1)]));
    // Neither a shopper's payment nor a refund of the saga is due.
    assert!(shop.orders.refunds_pending(Timestamp::MIN, None).await.unwrap().orders.is_empty());
    assert!(shop.orders.unsettled(order.product(), Timestamp::MAX, None).await.unwrap().orders.is_empty());
    let ended = shop.orders.end_refund(&order, 0, OrderStep::PartRefunded, None, at("12:13:00")).await.unwrap().unwrap();
    assert!(!shop.orders.postpone_refunds(&order, at("12:14:00")).await.unwrap());
    // The shopper has still to be told.
    assert_eq!((due("12:13:59").await, due("12:14:00").await), (vec![], vec![id(1)]));
    assert!(shop.orders.postpone_refunds(&ended, at("12:14:00")).await.unwrap());
    assert_eq!((due("12:14:59").await, due("12:15:00").await), (vec![], vec![id(1)]));
    assert!(shop.orders.told_of_refunds(&ended.id, &ended.refunds).await.unwrap());
    assert!(!shop.orders.postpone_refunds(&ended, at("12:14:00")).await.unwrap());
}

/// With the last refund, the reservation goes, and only that of this purchase.
#[tokio::test]
async fn a_purchase_is_returned_with_its_reservation_and_once() {
    let shop = Shop::with_units(10).await;
    test_shop::Shop::bring(&shop, &buyer(1), test_shop::Stage::Completed).await;
    let read = shop.orders.get(&id(1)).await.unwrap().unwrap();
    let order = begun(&shop, &read, "one").await;
    assert!(!shop.purchases.return_purchase(&read, 0, at("12:03:00")).await.unwrap(), "as it was read before");
    assert!(shop.reservations.get(&order.shopper, order.product()).await.unwrap().is_some());
    assert!(shop.purchases.return_purchase(&order, 0, at("12:03:00")).await.unwrap());
    let after = shop.orders.get(&id(1)).await.unwrap().unwrap();
    assert_eq!((after.status, after.payment_status, after.stock_status), OrderStep::PurchaseReturned.leads_to());
    assert_eq!(after.refunds.all[0].status, RefundStatus::Refunded);
    assert_eq!(shop.reservations.get(&order.shopper, order.product()).await.unwrap(), None);
    assert!(!shop.purchases.return_purchase(&order, 0, at("12:03:00")).await.unwrap(), "again");
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), Some(after));
    assert_eq!(shop.attempts.get(&read.key()).await.unwrap().map(|attempt| attempt.status), Some(AttemptStatus::Kept));
}

/// A later version may add members to a refund. A status that this version does not know makes the order unreadable, so that no
/// amount is refunded twice.
#[tokio::test]
async fn what_a_later_version_writes_into_a_refund_stays_or_is_an_error() {
    let shop = Shop::open().await;
    let order = begun(&shop, &completed(&shop).await, "one").await;
    let set = async |path: &str, value: &str| {
        let update = shop.client.update_item().table_name(shop.dynamo.order_table());
        let update = update.key("pk", text(&format!("ORDER#{}", order.id))).key("sk", text("ORDER"));
        let update = update.update_expression(format!("SET refunds[0].{path} = :value"));
        let update = update.expression_attribute_names("#status", "status").expression_attribute_names("#new", "new_member");
        update
            .condition_expression("attribute_exists(refunds[0].#status) AND attribute_not_exists(refunds[1].#new)")
            .expression_attribute_values(":value", text(value))
            .send()
            .await
            .unwrap();
    };
    set("#new", "kept").await;
    assert_eq!(shop.orders.get(&order.id).await.unwrap(), Some(order.clone()));
    shop.orders.end_refund(&order, 0, OrderStep::PartRefunded, None, at("12:03:00")).await.unwrap().unwrap();
    let raw = shop.raw(shop.dynamo.order_table(), &format!("ORDER#{}", order.id), "ORDER").await.unwrap();
    assert_eq!(raw["refunds"].as_l().unwrap()[0].as_m().unwrap()["new_member"], text("kept"));
    set("#status", "half_refunded").await;
    assert!(shop.orders.get(&order.id).await.is_err());
}
