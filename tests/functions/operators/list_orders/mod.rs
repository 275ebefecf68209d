//! `GET /admin/orders?status=refund_pending`: every order with a refund that is not confirmed, and no other.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod of_sale;

use domain::{OrderStep, ShardNumber, SignedDuration};
use insta::assert_snapshot;
use list_orders::ListOrders;
use serde_json::Value;
use store::Advanced;
use test_aws::{Calls, RequestBuilder};
use test_shop::{Buyer, Judged, Shop, Stage, brief, draft, tells_that_a_table_fails};

fn function(shop: &Shop, calls: &Calls) -> Judged<ListOrders> {
    shop.wire(calls)
}

fn request(parameters: &[(&str, &str)]) -> RequestBuilder {
    let asked = test_aws::request("GET", "/admin/orders").shopper("operator-1").group("ops");
    parameters.iter().fold(asked, |asked, (name, value)| asked.query(name, value))
}

async fn listed(shop: &Shop, parameters: &[(&str, &str)]) -> Value {
    let all: Vec<_> = [("status", "refund_pending")].iter().chain(parameters).copied().collect();
    let response = function(shop, &Calls::new()).handle(request(&all).build()).await;
    assert_eq!(brief(&response), "200", "{parameters:?}");
    test_shop::body(&response)
}

fn ids(page: &Value) -> Vec<String> {
    page["orders"].as_array().unwrap().iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
}

/// An order whose refund failed at the present time.
async fn kept(shop: &Shop, buyer: &Buyer) {
    let order = Buyer { made_at: shop.now(), ..buyer.clone() }.order(OrderStep::PaymentStarted);
    shop.uncounted().orders().place(&order).await.unwrap();
    let ended = shop.uncounted().purchases().end_order(&order, 1, OrderStep::RefundFailed, shop.now()).await.unwrap();
    assert_eq!(ended, Advanced::Done);
}

#[tokio::test]
async fn an_order_is_listed_with_all_that_a_person_needs() {
    let (shop, calls) = (Shop::with(Stage::RefundPending).await, Calls::new());
    assert_snapshot!(shop.told_with::<ListOrders>(&calls, "list-orders/ok").await, @r#"
    200 OK
    {"orders":[{"created_at":"2026-11-01T12:00:00Z","history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"refund_failed"}],"inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"failed","payment_status":"refund_pending","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","quantity":1,"revision":3,"shipping_address":{"address_line1":"1 Market Street","city":"Springfield","country":"US","postal_code":"49007"},"updated_at":"2026-11-01T12:01:00Z","user_id":"5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01"}]}
    "#);
    assert_eq!((calls.count("Query"), calls.count("BatchGetItem"), calls.total()), (2, 1, 3));
}

#[tokio::test]
async fn an_operators_pending_refund_is_listed_with_its_amount_and_its_next_try() {
    let shop = Shop::with(Stage::Completed).await;
    shop.request_refund(&Buyer::first(), "one", 400).await;
    let page = listed(&shop, &[]).await;
    assert_snapshot!(page["orders"][0]["refunds"], @r#"[{"amount":{"amount_minor":400,"currency":"USD"},"at":"2026-11-01T12:01:00Z","next_try_at":"2026-11-01T12:02:00Z","status":"pending"}]"#);
    let order = &page["orders"][0];
    assert_eq!((order["order_status"].as_str(), order["payment_status"].as_str()), (Some("completed"), Some("completed")));
    assert_eq!((ids(&page), &page["next"]), (vec![Buyer::first().id.to_string()], &Value::Null));
}

#[tokio::test]
async fn an_operators_refund_that_has_ended_is_not_listed_also_before_its_shopper_is_told() {
    let shop = Shop::with(Stage::Completed).await;
    let order = shop.request_refund(&Buyer::first(), "one", 400).await;
    let orders = shop.uncounted().orders();
    let ended = orders.end_refund(&order, 0, OrderStep::PartRefunded, None, shop.now()).await.unwrap().unwrap();
    assert!(ended.untold.is_some());
    assert!(ids(&listed(&shop, &[]).await).is_empty());
    // One that is pending beside it is.
    shop.request_refund(&Buyer::first(), "two", 500).await;
    let page = listed(&shop, &[]).await;
    let shown: Vec<_> = page["orders"][0]["refunds"].as_array().unwrap().iter().map(|it| it["next_try_at"].is_string()).collect();
    assert_eq!(shown, [false, true]);
}

/// A completed order with an operator's pending refund.
async fn requested(shop: &Shop, number: u32) -> String {
    let buyer = Buyer::number(number);
    shop.uncounted().orders().place(&buyer.order_after(OrderStep::Completed, 1)).await.unwrap();
    shop.request_refund(&buyer, "one", 400).await;
    buyer.id.to_string()
}

/// The orders of all pages.
async fn pages(shop: &Shop) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), None::<String>);
    loop {
        let parameters: Vec<_> = next.iter().map(|next| ("next", next.as_str())).collect();
        let page = listed(shop, &parameters).await;
        pages.push(ids(&page));
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn operators_refunds_follow_the_others_and_the_next_to_be_asked_for_comes_first() {
    let shop = Shop::open().await;
    let mut expected = Vec::new();
    for number in 1..=60 {
        kept(&shop, &Buyer::number(number)).await;
        expected.push(Buyer::number(number).id.to_string());
        shop.clock.advance_seconds(1);
    }
    for number in 61..=150 {
        expected.push(requested(&shop, number).await);
        shop.clock.advance_seconds(1);
    }
    let pages = pages(&shop).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 50]);
    assert_eq!(pages.concat(), expected);
}

#[tokio::test]
async fn a_hundred_of_the_one_kind_fill_a_page_and_the_other_kind_follows() {
    let shop = Shop::open().await;
    for number in 1..=100 {
        kept(&shop, &Buyer::number(number)).await;
    }
    let last = requested(&shop, 101).await;
    let pages = pages(&shop).await;
    assert_eq!((pages.len(), pages[0].len(), &pages[1]), (2, 100, &vec![last]));
}

/// An order that is asked for again moves in its list. The place of a page does not.
#[tokio::test]
async fn a_page_misses_no_order_when_the_last_one_of_the_page_before_has_moved() {
    let shop = Shop::open().await;
    let mut all = Vec::new();
    for number in 1..=102 {
        all.push(requested(&shop, number).await);
        shop.clock.advance_seconds(1);
    }
    let first = listed(&shop, &[]).await;
    let last = shop.order(&Buyer::number(100)).await;
    assert!(shop.uncounted().orders().postpone_refunds(&last, shop.now()).await.unwrap());
    let second = listed(&shop, &[("next", first["next"].as_str().unwrap())]).await;
    assert_eq!(ids(&first), all[..100]);
    assert_eq!(ids(&second).iter().collect::<Vec<_>>(), [&all[100], &all[101], &all[99]]);
}

#[tokio::test]
async fn sale_and_since_leave_out_other_orders_with_operators_refunds() {
    let shop = Shop::open().await;
    let one = requested(&shop, 1).await;
    shop.clock.advance_seconds(10);
    let two = requested(&shop, 2).await;
    for (parameters, expected) in [
        (vec![("sale", "demo")], vec![&one, &two]),
        (vec![("sale", "other")], vec![]),
        (vec![("since", "2026-11-01T12:01:00Z")], vec![&one, &two]),
        (vec![("since", "2026-11-01T12:01:01Z")], vec![&two]),
        (vec![("since", "2026-11-01T12:01:11Z")], vec![]),
    ] {
        assert_eq!(ids(&listed(&shop, &parameters).await).iter().collect::<Vec<_>>(), expected, "{parameters:?}");
    }
}

#[tokio::test]
async fn only_an_order_whose_refund_is_pending_is_listed() {
    for stage in Stage::ALL {
        let shop = Shop::with(stage).await;
        let is_pending = matches!(stage, Stage::RefundPending | Stage::GivenBackLater);
        assert_eq!(listed(&shop, &[]).await["orders"].as_array().unwrap().len(), usize::from(is_pending), "{stage:?}");
    }
}

#[tokio::test]
async fn a_confirmed_refund_ends_it() {
    let (shop, buyer) = (Shop::with(Stage::GivenBackLater).await, Buyer::first());
    let order = shop.order(&buyer).await;
    let ended = shop.uncounted().purchases().end(&order, 1, OrderStep::RefundConfirmed, shop.now()).await.unwrap();
    assert_eq!(ended, Advanced::Done);
    assert!(ids(&listed(&shop, &[]).await).is_empty());
}

#[tokio::test]
async fn orders_are_listed_oldest_first_a_hundred_to_a_page_and_each_once() {
    let shop = Shop::open().await;
    let mut expected = Vec::new();
    for number in 1..=201 {
        let buyer = Buyer::number(number);
        kept(&shop, &buyer).await;
        expected.push(buyer.id.to_string());
        shop.clock.advance_seconds(1);
    }
    let (mut found, mut sizes, mut next) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let page = match &next {
            Some(next) => listed(&shop, &[("next", next)]).await,
            None => listed(&shop, &[]).await,
        };
        sizes.push(ids(&page).len());
        found.extend(ids(&page));
        next = page["next"].as_str().map(str::to_owned);
        // The last order of the first page is settled before the second is read.
        if sizes.len() == 1 {
            let settled = Buyer::number(100);
            let order = shop.order(&settled).await;
            shop.uncounted().purchases().end(&order, 1, OrderStep::RefundConfirmed, shop.now()).await.unwrap();
        }
        if next.is_none() {
            break;
        }
    }
    assert_eq!((found, sizes), (expected, vec![100, 100, 1]));
}

#[tokio::test]
async fn sale_and_since_leave_out_other_orders() {
    let shop = Shop::open().await;
    shop.sale(&"other".parse().unwrap(), draft()).await;
    let (first, second) = (Buyer::number(1), Buyer::number(2).of(&"other".parse().unwrap()));
    kept(&shop, &first).await;
    shop.clock.advance(SignedDuration::from_millis(10_500));
    kept(&shop, &second).await;
    let (first, second) = (first.id.to_string(), second.id.to_string());
    for (parameters, expected) in [
        (vec![], vec![&first, &second]),
        (vec![("sale", "demo")], vec![&first]),
        (vec![("sale", "other")], vec![&second]),
        (vec![("sale", "no-such-sale")], vec![]),
        (vec![("since", "2026-11-01T12:01:00Z")], vec![&first, &second]),
        (vec![("since", "2026-11-01T12:01:00.001Z")], vec![&second]),
        (vec![("since", "2026-11-01T13:01:10.5+01:00")], vec![&second]),
        (vec![("since", "2026-11-01T12:01:10.501Z")], vec![]),
        (vec![("sale", "demo"), ("since", "2026-11-01T12:01:01Z")], vec![]),
    ] {
        assert_eq!(ids(&listed(&shop, &parameters).await).iter().collect::<Vec<_>>(), expected, "{parameters:?}");
    }
}

/// The name of the index's partition is a product's, too.
#[tokio::test]
async fn a_payment_in_a_sale_with_the_name_of_the_list_is_not_listed() {
    let shop = Shop::open().await;
    let product = "refund_pending".parse().unwrap();
    shop.sale(&product, draft()).await;
    shop.bring(&Buyer { shard: ShardNumber(0), ..Buyer::first() }.of(&product), Stage::Pending).await;
    kept(&shop, &Buyer::second()).await;
    assert_eq!(ids(&listed(&shop, &[]).await), [Buyer::second().id.to_string()]);
}

#[tokio::test]
async fn a_parameter_at_fault_is_named_and_refusing_it_reads_nothing() {
    let (shop, calls) = (Shop::with(Stage::RefundPending).await, Calls::new());
    let function = function(&shop, &calls);
    for (parameters, name) in [
        (vec![], "status"),
        (vec![("status", "")], "status"),
        (vec![("status", "pending")], "status"),
        (vec![("status", "REFUND_PENDING")], "status"),
        (vec![("status", "refund_pending"), ("sale", "")], "sale"),
        (vec![("status", "refund_pending"), ("sale", "DEMO")], "sale"),
        (vec![("status", "refund_pending"), ("since", "")], "since"),
        (vec![("status", "refund_pending"), ("since", "2026-11-01")], "since"),
        (vec![("status", "refund_pending"), ("since", "2026-11-01T12:00:00 01:00")], "since"),
        (vec![("status", "refund_pending"), ("next", "")], "next"),
        (vec![("status", "refund_pending"), ("next", "demo")], "next"),
        (vec![("status", "refund_pending"), ("next", "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D")], "next"),
    ] {
        let response = function.handle(request(&parameters).build()).await;
        assert_eq!(brief(&response), "400 malformed-request", "{parameters:?}");
        let detail = test_shop::body(&response)["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(&format!("parameter {name}: ")), "{parameters:?}: {detail}");
    }
    assert_eq!(calls.total(), 0);
    assert_snapshot!(shop.told::<ListOrders>("list-orders/another-status").await, @r#"
    400 Bad Request: malformed-request, The request cannot be read
    parameter status: without order_id and sale, only orders with the status refund_pending can be listed
    {"pointer":""}
    "#);
}

/// The place may be that of an order that was never listed, or is not any more.
#[tokio::test]
async fn a_page_starts_at_any_place() {
    let shop = Shop::with(Stage::RefundPending).await;
    let (id, other) = (Buyer::first().id.to_string(), "demo.01JD3V3Z5T0000000000000000");
    for (next, expected) in [
        (format!("failed.0.{other}"), vec![&id]),
        (format!("failed.1793534400.{id}"), vec![&id]),
        (format!("failed.1793534460.{id}"), vec![]),
        (format!("failed.1793534461.{other}"), vec![]),
        (format!("requested.0.{other}"), vec![]),
        ("requested".to_owned(), vec![]),
        ("failed".to_owned(), vec![&id]),
    ] {
        assert_eq!(ids(&listed(&shop, &[("next", &next)]).await).iter().collect::<Vec<_>>(), expected, "{next}");
    }
}

/// A client may send the `next` of a page with another `since`.
#[tokio::test]
async fn a_place_before_since_leaves_nothing_out() {
    let shop = Shop::with(Stage::RefundPending).await;
    let place = format!("failed.1.{}", Buyer::first().id);
    for (since, found) in [("2026-11-01T12:01:00Z", 1), ("2026-11-01T12:01:01Z", 0)] {
        assert_eq!(ids(&listed(&shop, &[("since", since), ("next", &place)]).await).len(), found, "{since}");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_hides_no_other_and_the_page_says_that_it_is_missing() {
    let shop = Shop::open().await;
    for number in 1..=3 {
        kept(&shop, &Buyer::number(number)).await;
        shop.clock.advance_seconds(1);
    }
    assert_eq!(listed(&shop, &[]).await["unreadable"], Value::Null);
    shop.spoil_order(&Buyer::number(2)).await;
    let page = listed(&shop, &[]).await;
    assert_eq!(ids(&page), [Buyer::number(1).id.to_string(), Buyer::number(3).id.to_string()]);
    assert_eq!((page["unreadable"].as_u64(), &page["next"]), (Some(1), &Value::Null));
    assert_eq!(listed(&shop, &[("sale", "no-such-sale")]).await["unreadable"], Value::Null, "it is of another sale");
}

#[tokio::test]
async fn a_page_starts_also_after_an_order_that_cannot_be_read() {
    let shop = Shop::open().await;
    for number in 1..=101 {
        kept(&shop, &Buyer::number(number)).await;
        shop.clock.advance_seconds(1);
    }
    shop.spoil_order(&Buyer::number(100)).await;
    let first = listed(&shop, &[]).await;
    let next = first["next"].as_str().unwrap();
    assert!(next.ends_with(&Buyer::number(100).id.to_string()), "{next}");
    assert_eq!((ids(&first).len(), first["unreadable"].as_u64()), (99, Some(1)));
    let second = listed(&shop, &[("next", next)]).await;
    assert_eq!((ids(&second), &second["unreadable"]), (vec![Buyer::number(101).id.to_string()], &Value::Null));
}

#[tokio::test]
async fn only_an_operator_is_answered() {
    let (shop, calls) = (Shop::with(Stage::RefundPending).await, Calls::new());
    let function = function(&shop, &calls);
    let asked = || test_aws::request("GET", "/admin/orders").query("status", "refund_pending");
    assert_eq!(brief(&function.handle(asked().build()).await), "401 unauthenticated");
    assert_eq!(brief(&function.handle(asked().shopper("ann").build()).await), "403 forbidden");
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (shop, calls) = (Shop::with(Stage::RefundPending).await, Calls::new());
    let function = function(&shop, &calls);
    let ask = async || function.handle(request(&[("status", "refund_pending")]).build()).await;
    tells_that_a_table_fails(&calls, &["Query", "BatchGetItem"], ask).await;
}
