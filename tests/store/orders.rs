//! Orders: placed once, expired only while they wait, listed page by page.

use domain::{Address, Notice, Order, OrderStatus, OrderStep, SignedDuration, Timestamp};
use store::{AddressOutcome, PlaceOutcome, UnsettledOrder};

use crate::shop::{
    END, NOW, Shop, at, id, id_in, key, method, order_after, pending_order, price, product, reservation, shopper, waiting_order,
};

#[tokio::test]
async fn an_order_reads_back_as_it_was_placed() {
    let shop = Shop::open().await;
    assert_eq!(shop.orders.get(&id(1)).await.unwrap(), None);
    for order in [
        waiting_order(1),
        pending_order(2),
        Order { shipping_address: None, transaction_id: Some("sandbox_3".into()), ..order_after(3, OrderStep::Completed, 3) },
    ] {
        assert_eq!(shop.orders.place(&order).await.unwrap(), PlaceOutcome::Placed);
        assert_eq!(shop.orders.get(&order.id).await.unwrap(), Some(order));
    }
}

#[tokio::test]
async fn the_first_of_two_orders_stays() {
    let shop = Shop::open().await;
    let first = waiting_order(1);
    shop.orders.place(&first).await.unwrap();
    let second = Order { shipping_address: None, ..first.clone() };
    assert_eq!(shop.orders.place(&second).await.unwrap(), PlaceOutcome::Exists(first.clone()));
    assert_eq!(shop.orders.get(&first.id).await.unwrap(), Some(first));
}

#[tokio::test]
async fn only_an_order_that_waits_gets_another_address() {
    let (shop, now) = (Shop::open().await, at("12:01:00"));
    let address = Address { city: "Shelbyville".to_owned(), ..test_shop::address() };
    assert!(shop.orders.replace_address(&waiting_order(99), &address, now).await.is_err(), "no such order");
    assert_eq!(shop.orders.get(&id(99)).await.unwrap(), None, "and none is made");
    for (number, step) in (1..).zip(OrderStep::ALL) {
        let order = order_after(number, step, 1);
        shop.orders.place(&order).await.unwrap();
        let outcome = shop.orders.replace_address(&order, &address, now).await.unwrap();
        let after = shop.orders.get(&order.id).await.unwrap().unwrap();
        if order.status == OrderStatus::AwaitingPayment {
            assert_eq!(outcome, AddressOutcome::Replaced, "{step:?}");
            assert_eq!(
                after,
                Order { revision: 2, shipping_address: Some(address.clone()), updated_at: now, ..order },
                "{step:?}"
            );
        } else {
            assert_eq!((outcome, after), (AddressOutcome::OrderIs(order.clone()), order), "{step:?}");
        }
    }
}

#[tokio::test]
async fn an_address_that_comes_late_or_twice_replaces_no_later_one() {
    let (shop, read) = Shop::with_waiting_order().await;
    let to = |city: &str| Address { city: city.to_owned(), ..test_shop::address() };
    for (address, time) in [(to("Shelbyville"), "12:00:01"), (to("Ogdenville"), "12:00:02")] {
        let before = shop.orders.get(&read.id).await.unwrap().unwrap();
        assert_eq!(shop.orders.replace_address(&before, &address, at(time)).await.unwrap(), AddressOutcome::Replaced);
    }
    let last = shop.orders.get(&read.id).await.unwrap().unwrap();
    let late = shop.orders.replace_address(&read, &to("Shelbyville"), at("12:00:01")).await.unwrap();
    assert_eq!(late, AddressOutcome::OrderIs(last.clone()));
    assert_eq!(shop.orders.get(&read.id).await.unwrap(), Some(last));
}

#[tokio::test]
async fn only_a_pending_order_is_sent_again_and_once() {
    let (shop, now) = (Shop::open().await, at("12:01:00"));
    assert!(!shop.orders.send_again(&pending_order(99), now).await.unwrap(), "no such order");
    assert_eq!(shop.orders.get(&id(99)).await.unwrap(), None, "and none is made");
    for (number, step) in (1..).zip(OrderStep::ALL) {
        for (number, sent_at) in [(number, None), (100 + number, Some(at("12:00:00")))] {
            let order = Order { sent_at, ..order_after(number, step, 1) };
            shop.orders.place(&order).await.unwrap();
            let is_pending = order.status == OrderStatus::Pending;
            let younger = Order { attempt: 2, ..order.clone() };
            assert!(!shop.orders.send_again(&younger, now).await.unwrap(), "{step:?}: another attempt");
            assert_eq!(shop.orders.send_again(&order, now).await.unwrap(), is_pending, "{step:?}");
            assert!(!shop.orders.send_again(&order, now).await.unwrap(), "{step:?}, again");
            let after = shop.orders.get(&order.id).await.unwrap().unwrap();
            let (sent_at, revision) = if is_pending { (Some(now), 2) } else { (sent_at, 1) };
            let expected = Order { sent_at, revision, ..order };
            assert_eq!(after, expected, "{step:?}: nothing else changes");
        }
    }
}

#[tokio::test]
async fn only_an_order_that_waits_expires_and_once() {
    let shop = Shop::open().await;
    let now = at("12:05:01");
    assert!(!shop.orders.expire(&id(99), None, now).await.unwrap(), "no such order");
    assert_eq!(shop.orders.get(&id(99)).await.unwrap(), None, "and none is made");
    for (number, step) in (1..).zip(OrderStep::ALL) {
        let order = order_after(number, step, 1);
        shop.orders.place(&order).await.unwrap();
        let waits = order.status == OrderStatus::AwaitingPayment;
        assert_eq!(shop.orders.expire(&order.id, None, now).await.unwrap(), waits, "{step:?}");
        let after = shop.orders.get(&order.id).await.unwrap().unwrap();
        if !waits {
            assert_eq!(after, order, "{step:?}");
            continue;
        }
        let (status, _, stock_status) = OrderStep::Expired.leads_to();
        let expected = (status, order.payment_status, stock_status);
        assert_eq!((after.status, after.payment_status, after.stock_status), expected, "{step:?}");
        assert_eq!(order.statuses(order.pay_by), expected, "{step:?}: as a shopper saw it before it was written down");
        assert_eq!((after.updated_at, after.history.len()), (now, 2), "{step:?}");
        assert!(!shop.orders.expire(&order.id, None, now).await.unwrap(), "{step:?}, again");
        assert_eq!(shop.orders.get(&order.id).await.unwrap(), Some(after), "{step:?}, again");
    }
}

/// `count` orders of shopper 1, each in a sale of its own; the times they were placed at are `apart` from each other.
async fn orders_of_one_shopper(shop: &Shop, count: u32, apart: SignedDuration) -> Vec<Order> {
    let mut placed = Vec::new();
    let mut created_at = at(NOW);
    for number in 1..=count {
        let id = id_in(&format!("sale-{number}").parse().unwrap(), number);
        let order = Order { id, created_at, ..waiting_order(1) };
        shop.orders.place(&order).await.unwrap();
        placed.push(order);
        created_at = created_at.checked_add(apart).unwrap();
    }
    placed
}

/// All of shopper 1's orders, page by page, and the sizes of the pages.
async fn listed(shop: &Shop) -> (Vec<Order>, Vec<usize>) {
    let (mut orders, mut sizes): (Vec<Order>, Vec<usize>) = (Vec::new(), Vec::new());
    loop {
        let page = shop.orders.of_shopper(&shopper(1), orders.last()).await.unwrap();
        assert!(page.orders.len() <= 20);
        sizes.push(page.orders.len());
        orders.extend(page.orders);
        assert!(sizes.len() <= 10, "the pages come to an end");
        match page.next {
            Some(next) => assert_eq!(Some(&next), orders.last().map(|order| &order.id)),
            None => return (orders, sizes),
        }
    }
}

#[tokio::test]
async fn a_shoppers_orders_are_listed_newest_first_twenty_to_a_page() {
    let shop = Shop::open().await;
    let mut expected = orders_of_one_shopper(&shop, 45, SignedDuration::from_millis(1)).await;
    expected.reverse();
    let (orders, sizes) = listed(&shop).await;
    assert_eq!(orders, expected);
    assert_eq!(sizes, [20, 20, 5]);
}

#[tokio::test]
async fn orders_placed_in_the_same_millisecond_are_listed_once_each() {
    let shop = Shop::open().await;
    let expected = orders_of_one_shopper(&shop, 41, SignedDuration::ZERO).await;
    let (mut orders, sizes) = listed(&shop).await;
    orders.sort_unstable_by_key(|order| order.id.ulid());
    assert_eq!(orders, expected);
    assert_eq!(sizes, [20, 20, 1]);
}

#[tokio::test]
async fn orders_are_sorted_by_time_and_not_by_how_it_is_written() {
    let shop = Shop::open().await;
    // RFC 3339 text leaves trailing zeros out, so "…00Z" would sort after "…00.5Z".
    let times = ["12:00:00", "12:00:00.05", "12:00:00.5", "12:00:01"];
    for (number, time) in (1..).zip(times) {
        let id = id_in(&format!("sale-{number}").parse().unwrap(), number);
        shop.orders.place(&Order { id, created_at: at(time), ..waiting_order(1) }).await.unwrap();
    }
    let (orders, _) = listed(&shop).await;
    let listed: Vec<Timestamp> = orders.iter().rev().map(|order| order.created_at).collect();
    assert_eq!(listed, times.map(at));
}

#[tokio::test]
async fn after_a_last_full_page_there_may_be_an_empty_one() {
    let shop = Shop::open().await;
    orders_of_one_shopper(&shop, 20, SignedDuration::from_secs(1)).await;
    let (orders, sizes) = listed(&shop).await;
    assert_eq!(orders.len(), 20);
    assert!(matches!(sizes[..], [20] | [20, 0]), "{sizes:?}");
}

#[tokio::test]
async fn only_ones_own_orders_are_listed_and_nothing_else_of_them() {
    let shop = Shop::open().await;
    assert!(shop.orders.of_shopper(&shopper(1), None).await.unwrap().orders.is_empty());
    for number in [1, 2, 11] {
        shop.orders.place(&waiting_order(number)).await.unwrap();
    }
    // An order's payment attempts and the sandbox's books lie beside it.
    let gateway = domain::GatewayName("sandbox".into());
    shop.attempts.begin(&key(1), &gateway).await.unwrap();
    let charged = store::Entry::asked(store::EntryState::Charged, price(), price(), &crate::shop::method("sandbox:ok"));
    shop.books.settle(&gateway, &key(1), &charged).await.unwrap();
    assert_eq!(listed(&shop).await.0, [waiting_order(1)]);
}

/// Orders of the demo sale whose payment was started before the end of all holds, page by page.
async fn unsettled(shop: &Shop) -> Vec<UnsettledOrder> {
    let mut found: Vec<UnsettledOrder> = Vec::new();
    loop {
        let page = shop.orders.unsettled(&product(), at(END), found.last()).await.unwrap();
        let is_empty = page.orders.is_empty();
        found.extend(page.orders);
        if !page.more || is_empty {
            return found;
        }
    }
}

#[tokio::test]
async fn an_order_is_unsettled_from_the_start_of_its_payment_until_its_shopper_is_told_how_it_ended() {
    let shop = Shop::open().await;
    let since = |time| vec![UnsettledOrder { id: id(1), since: at(time) }];
    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    shop.purchases.start(&order, at(NOW)).await.unwrap();
    assert_eq!(unsettled(&shop).await, since("12:00:00"));
    let a_second_before = shop.orders.unsettled(&product(), at("11:59:59.999"), None).await.unwrap();
    assert_eq!((a_second_before.orders, a_second_before.more), (vec![], false));
    shop.attempt(&crate::shop::key_of(1, 1), domain::AttemptStatus::Declined).await;
    shop.purchases.payment_failed(&order, 1, at(END), "The card was declined.", at(NOW)).await.unwrap();
    assert_eq!(unsettled(&shop).await, since("12:00:00"), "its shopper has to be told");
    assert!(shop.orders.told(&id(1), 1, Notice::PaymentFailed).await.unwrap());
    assert_eq!(unsettled(&shop).await, []);
    let waiting = shop.orders.get(&id(1)).await.unwrap().unwrap();
    shop.purchases.start_again(&waiting, &method("sandbox:ok"), at("12:01:30.9")).await.unwrap();
    assert_eq!(unsettled(&shop).await, since("12:01:30"), "since this attempt");
    shop.attempt(&crate::shop::key_of(1, 2), domain::AttemptStatus::Charged).await;
    shop.purchases.complete(&order, 2, "sandbox_1", at(NOW)).await.unwrap();
    assert_eq!(unsettled(&shop).await, since("12:01:30"));
    assert!(shop.orders.told(&id(1), 2, Notice::OrderCompleted).await.unwrap());
    assert_eq!(unsettled(&shop).await, []);

    for step in [OrderStep::Refunded, OrderStep::Failed] {
        let shop = Shop::open().await;
        shop.reservations.open(&reservation(1)).await.unwrap();
        shop.purchases.start(&order, at(NOW)).await.unwrap();
        shop.purchases.end(&order, 1, step, at(NOW)).await.unwrap();
        assert_eq!(unsettled(&shop).await, since("12:00:00"), "{step:?}");
        assert!(shop.orders.told(&id(1), 1, Notice::OrderFailed).await.unwrap());
        assert_eq!(unsettled(&shop).await, [], "{step:?}");
    }
    let shop = Shop::open().await;
    shop.orders.place(&order).await.unwrap();
    shop.orders.place(&waiting_order(2)).await.unwrap();
    assert_eq!(unsettled(&shop).await.len(), 1, "the one that waits is not among them");
    shop.purchases.end_order(&order, 1, OrderStep::RefundFailed, at(NOW)).await.unwrap();
    shop.orders.expire(&id(2), None, at(END)).await.unwrap();
    assert_eq!(unsettled(&shop).await, []);
    shop.purchases.end(&order, 1, OrderStep::RefundConfirmed, at("12:01:00")).await.unwrap();
    assert_eq!(unsettled(&shop).await, []);
}

/// An order whose first payment has ended with this step.
async fn ended(shop: &Shop, step: OrderStep, pay_by: Timestamp) -> Order {
    let order = pending_order(1);
    shop.reservations.open(&reservation(1)).await.unwrap();
    shop.purchases.start(&order, at(NOW)).await.unwrap();
    let purchases = &shop.purchases;
    let done = match step {
        OrderStep::PaymentFailed => {
            shop.attempt(&key(1), domain::AttemptStatus::Declined).await;
            purchases.payment_failed(&order, 1, pay_by, "The card was declined.", at(NOW)).await
        }
        OrderStep::Completed => {
            shop.attempt(&key(1), domain::AttemptStatus::Charged).await;
            purchases.complete(&order, 1, "sandbox_1", at(NOW)).await
        }
        OrderStep::RefundFailed => purchases.end_order(&order, 1, step, at(NOW)).await,
        OrderStep::RefundConfirmed => {
            purchases.end_order(&order, 1, OrderStep::RefundFailed, at(NOW)).await.unwrap();
            purchases.end(&order, 1, step, at(NOW)).await
        }
        OrderStep::Refunded | OrderStep::Failed => purchases.end(&order, 1, step, at(NOW)).await,
        OrderStep::Placed
        | OrderStep::PaymentStarted
        | OrderStep::Expired
        | OrderStep::RefundRequested
        | OrderStep::PartRefunded
        | OrderStep::RefundRefused
        | OrderStep::PriceRefunded
        | OrderStep::PurchaseReturned
        | OrderStep::PaidLate => panic!("{step:?} ends no payment"),
    };
    assert_eq!(done.unwrap(), store::Advanced::Done, "{step:?}");
    shop.orders.get(&id(1)).await.unwrap().unwrap()
}

const NOTICES: [Notice; 5] =
    [Notice::OrderCompleted, Notice::PaymentFailed, Notice::OrderFailed, Notice::RefundFailed, Notice::OrderRefunded];

#[tokio::test]
async fn what_is_owed_to_a_shopper_is_recorded_by_its_own_notice_and_once() {
    let is_of_payment = |step: &OrderStep| step.notice().is_some_and(|notice| notice != Notice::OrderRefunded);
    for step in OrderStep::ALL.into_iter().filter(is_of_payment) {
        for notice in NOTICES {
            let shop = Shop::open().await;
            let order = ended(&shop, step, at(END)).await;
            assert_eq!(order.untold, step.notice(), "{step:?}");
            assert!(!shop.orders.told(&id(1), 2, notice).await.unwrap(), "{step:?}: another attempt");
            // That the order failed says also that its payment did.
            let says_it = Some(notice) == order.untold || (notice, step) == (Notice::OrderFailed, OrderStep::PaymentFailed);
            assert_eq!(shop.orders.told(&id(1), 1, notice).await.unwrap(), says_it, "{step:?} {notice:?}");
            assert!(!shop.orders.told(&id(1), 1, notice).await.unwrap(), "{step:?} {notice:?}, again");
            let after = shop.orders.get(&id(1)).await.unwrap().unwrap();
            let untold = if says_it { None } else { order.untold };
            let revision = order.revision + u64::from(says_it);
            assert_eq!(after, Order { untold, revision, ..order }, "{step:?} {notice:?}: nothing else changes");
            let listed = shop.orders.refunds_pending(at(NOW), None).await.unwrap().orders.len();
            let is_listed = step == OrderStep::RefundFailed || (step == OrderStep::RefundConfirmed && !says_it);
            assert_eq!(listed, usize::from(is_listed), "{step:?} {notice:?}");
        }
    }
    assert!(!Shop::open().await.orders.told(&id(1), 1, Notice::OrderFailed).await.unwrap(), "no such order");
}

#[tokio::test]
async fn a_payment_that_failed_when_the_time_was_over_is_an_order_that_failed() {
    for (pay_by, notice) in [(at(NOW), Notice::OrderFailed), (at("12:00:01"), Notice::PaymentFailed)] {
        let shop = Shop::open().await;
        assert_eq!(ended(&shop, OrderStep::PaymentFailed, pay_by).await.untold, Some(notice));
    }
}

#[tokio::test]
async fn the_next_attempt_has_a_notice_of_its_own() {
    let shop = Shop::open().await;
    let order = ended(&shop, OrderStep::PaymentFailed, at(END)).await;
    shop.purchases.start_again(&order, &method("sandbox:ok"), at("12:01:00")).await.unwrap();
    assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().untold, None);
    assert!(!shop.orders.told(&id(1), 1, Notice::PaymentFailed).await.unwrap());
    assert_eq!(unsettled(&shop).await, [UnsettledOrder { id: id(1), since: at("12:01:00") }]);
}

#[tokio::test]
async fn an_order_is_among_the_pending_refunds_from_the_step_that_fails_until_its_shopper_is_told_that_it_is_confirmed() {
    let shop = Shop::open().await;
    let pending = async |since| shop.orders.refunds_pending(at(since), None).await.unwrap().orders;
    let (one, other) = (pending_order(1), Order { id: id_in(&"another".parse().unwrap(), 2), ..pending_order(2) });
    for order in [&one, &other] {
        shop.orders.place(order).await.unwrap();
    }
    assert_eq!(pending("00:00:00").await, []);
    shop.purchases.end_order(&one, 1, OrderStep::RefundFailed, at("12:01:00.9")).await.unwrap();
    shop.purchases.end_order(&other, 1, OrderStep::RefundFailed, at("12:02:00")).await.unwrap();
    let (first, second) = (
        UnsettledOrder { id: one.id.clone(), since: at("12:01:00") },
        UnsettledOrder { id: other.id.clone(), since: at("12:02:00") },
    );
    assert_eq!(pending("00:00:00").await, [first.clone(), second.clone()]);
    assert_eq!(pending("12:01:00.9").await, [first.clone(), second.clone()], "to the second");
    assert_eq!(pending("12:01:01").await, std::slice::from_ref(&second));
    let rest = shop.orders.refunds_pending(at("00:00:00"), Some(&first)).await.unwrap();
    assert_eq!((rest.orders, rest.more), (vec![second.clone()], false));
    shop.purchases.end(&one, 1, OrderStep::RefundConfirmed, at("12:03:00")).await.unwrap();
    assert_eq!(pending("00:00:00").await, [first, second.clone()], "its shopper has to be told");
    assert!(shop.orders.told(&one.id, 1, Notice::OrderFailed).await.unwrap());
    assert_eq!(pending("00:00:00").await, [second]);
}

#[tokio::test]
async fn unsettled_orders_are_listed_oldest_first_once_each_and_by_sale() {
    let shop = Shop::open().await;
    let another_sale = id_in(&"another".parse().unwrap(), 1);
    shop.orders.place(&Order { id: another_sale, ..pending_order(1) }).await.unwrap();
    let started = |number: u32| at(NOW) + SignedDuration::from_secs(i64::from(number / 50));
    for number in (1..=210).rev() {
        shop.orders.place(&Order { updated_at: started(number), ..pending_order(number) }).await.unwrap();
    }
    let found = unsettled(&shop).await;
    assert!(found.is_sorted_by_key(|order| order.since));
    let mut ids: Vec<String> = found.iter().map(|order| order.id.ulid()).collect();
    ids.sort();
    assert_eq!(ids, (1..=210).map(|number| id(number).ulid()).collect::<Vec<_>>());
    let page = shop.orders.unsettled(&product(), at(END), None).await.unwrap();
    assert_eq!((page.orders.len(), page.more), (100, true));
}
