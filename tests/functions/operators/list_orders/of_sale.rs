//! `GET /admin/orders` of a sale or by an id, as JSON and CSV, and `GET /admin/orders/{order_id}`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use contract::csv::COLUMNS;
use domain::{Address, AttemptStatus, Order, OrderStep};
use insta::assert_snapshot;
use kit::Response;
use list_orders::ListOrders;
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, brief, draft, tells_that_a_table_fails};

use super::{function, ids, request};

/// The answer as CSV.
async fn csv(shop: &Shop, calls: &Calls, parameters: &[(&str, &str)]) -> Response {
    let response = function(shop, calls).handle(request(parameters).header("accept", "text/csv").build()).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
        (200, "text/csv; charset=utf-8")
    );
    response
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body().as_ref().to_vec()).unwrap()
}

/// The parameters of the page that the answer links to.
fn next(response: &Response) -> Option<Vec<(String, String)>> {
    let link = response.headers().get("link")?.to_str().unwrap();
    let query = link.strip_prefix("<?").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    Some(pairs.map(|(name, value)| (name.to_owned(), value.replace("%3A", ":"))).collect())
}

/// The rows of all pages in one file, as a client writes it that follows the links.
async fn export(shop: &Shop, calls: &Calls, parameters: &[(&str, &str)]) -> (String, usize) {
    let (mut file, mut pages) = (String::new(), 1);
    let mut page = csv(shop, calls, parameters).await;
    loop {
        file.push_str(&text(&page));
        let Some(parameters) = next(&page) else { return (file, pages) };
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        page = csv(shop, calls, &parameters).await;
        pages += 1;
    }
}

async fn place(shop: &Shop, order: Order) {
    shop.uncounted().orders().place(&order).await.unwrap();
}

/// Order `number`, completed, placed so many milliseconds after the first.
fn completed(number: u32) -> Order {
    let order = Buyer::number(number).order_after(OrderStep::Completed, 1);
    Order { created_at: order.created_at + domain::SignedDuration::from_millis(i64::from(number)), ..order }
}

/// Places completed orders, 25 in a request: as copies of the first, with the members in which they differ.
async fn place_many(shop: &Shop, numbers: std::ops::RangeInclusive<u32>) {
    let (client, table) = (shop.dynamo.client(), shop.dynamo.order_table());
    let text = |text: String| AttributeValue::S(text);
    let key = |order: &Order| {
        HashMap::from([("pk".to_owned(), text(format!("ORDER#{}", order.id))), ("sk".to_owned(), text("ORDER".to_owned()))])
    };
    let first = completed(*numbers.start());
    place(shop, first.clone()).await;
    let item = client.get_item().table_name(table).set_key(Some(key(&first))).send().await.unwrap().item.unwrap();
    let numbers: Vec<u32> = numbers.skip(1).collect();
    for some in numbers.chunks(25) {
        let put = |number: &u32| {
            let (order, mut item) = (completed(*number), item.clone());
            item.extend(key(&order));
            item.insert("order_id".to_owned(), text(order.id.to_string()));
            item.insert("shopper".to_owned(), text(order.shopper.to_string()));
            item.insert("created_at".to_owned(), text(format!("{:.3}", order.created_at)));
            WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
        };
        let request = client.batch_write_item().request_items(table, some.iter().map(put).collect());
        assert!(request.send().await.unwrap().unprocessed_items.unwrap_or_default().is_empty());
    }
}

#[tokio::test]
async fn ten_thousand_orders_are_exported_a_hundred_to_a_page_without_a_scan() {
    let shop = Shop::open().await;
    place_many(&shop, 1..=10_000).await;
    let calls = Calls::new();
    let (file, pages) = export(&shop, &calls, &[("sale", "demo"), ("status", "completed")]).await;
    // After a full last page comes an empty one.
    assert_eq!((pages, calls.count("Query"), calls.count("BatchGetItem"), calls.total()), (101, 101, 100, 201));
    let lines: Vec<&str> = file.split_terminator("\r\n").collect();
    assert_eq!(lines[0], COLUMNS.join(","), "the names come once");
    let found: Vec<&str> = lines[1..].iter().map(|line| line.split(',').next().unwrap()).collect();
    let expected: Vec<String> = (1..=10_000).map(|number| Buyer::number(number).id.to_string()).collect();
    assert_eq!(found, expected, "each once, oldest first");
}

#[tokio::test]
async fn a_row_has_everything_needed_to_ship() {
    let shop = Shop::with(Stage::Completed).await;
    assert_snapshot!(text(&csv(&shop, &Calls::new(), &[("sale", "demo")]).await).replace("\r\n", "|\n"), @"
    order_id,revision,product_id,quantity,order_status,payment_status,inventory_status,amount_minor,currency,refunded_minor,transaction_id,created_at,updated_at,user_id,name,address_line1,address_line2,city,state,postal_code,country,phone|
    demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D,3,demo,1,completed,completed,confirmed,99900,USD,0,sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1,2026-11-01T12:00:00Z,2026-11-01T12:01:00Z,5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01,,1 Market Street,,Springfield,,49007,US,|
    ");
    let whole = Address {
        name: Some("Ann \"A.\" Example, Esq.".to_owned()),
        address_line2: Some("=HYPERLINK(\"http://evil.example\")".to_owned()),
        state: Some("MI".to_owned()),
        phone: Some("+1 517 555 0100".to_owned()),
        ..test_shop::address()
    };
    place(&shop, Order { shipping_address: Some(whole), ..completed(2) }).await;
    place(&shop, Order { shipping_address: None, ..completed(3) }).await;
    let (two, three) = (Buyer::number(2).id.to_string(), Buyer::number(3).id.to_string());
    for (id, ends) in [
        (
            two,
            r#","Ann ""A."" Example, Esq.",1 Market Street,"'=HYPERLINK(""http://evil.example"")",Springfield,MI,49007,US,+1 517 555 0100"#,
        ),
        (three, ",,,,,,,,"),
    ] {
        let file = text(&csv(&shop, &Calls::new(), &[("order_id", &id)]).await);
        let row = file.split_terminator("\r\n").nth(1).unwrap();
        assert!(row.starts_with(&id) && row.ends_with(ends), "{row}");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_has_a_row_of_its_own() {
    let shop = Shop::open().await;
    for number in 1..=3 {
        place(&shop, completed(number)).await;
    }
    shop.spoil_order(&Buyer::number(2)).await;
    let (file, _) = export(&shop, &Calls::new(), &[("sale", "demo")]).await;
    let rows: Vec<Vec<&str>> = file.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let mut found: Vec<_> = rows.iter().map(|row| (row[0].to_owned(), row[4])).collect();
    found.sort();
    let expected = [(1, "completed"), (2, "unreadable"), (3, "completed")];
    assert_eq!(found, expected.map(|(number, status)| (Buyer::number(number).id.to_string(), status)));
}

#[tokio::test]
async fn the_orders_of_a_sale_are_listed_by_status_and_time() {
    let shop = Shop::open().await;
    shop.sale(&"other".parse().unwrap(), draft()).await;
    for number in 1..=3 {
        place(&shop, completed(number)).await;
    }
    place(&shop, Buyer::number(4).order_after(OrderStep::Expired, 0)).await;
    place(&shop, Buyer::number(5).of(&"other".parse().unwrap()).order_after(OrderStep::Completed, 1)).await;
    let id = |number: u32| Buyer::number(number).id.to_string();
    let waiting = Buyer::number(6).order_after(OrderStep::Placed, 0);
    place(&shop, waiting.clone()).await;
    for (parameters, expected) in [
        (vec![("sale", "demo"), ("status", "completed")], vec![1, 2, 3]),
        (vec![("sale", "demo"), ("status", "expired")], vec![4]),
        (vec![("sale", "demo"), ("status", "awaiting_payment")], vec![6]),
        (vec![("sale", "demo"), ("status", "failed")], vec![]),
        (vec![("sale", "no-such-sale")], vec![]),
        (vec![("sale", "demo"), ("status", "completed"), ("since", "2026-11-01T12:00:00.002Z")], vec![2, 3]),
        (vec![("sale", "demo"), ("status", "completed"), ("since", "2026-11-01T13:00:00.003+01:00")], vec![3]),
        (vec![("sale", "demo"), ("since", "2026-11-01T12:00:00.004Z")], vec![]),
        (vec![("sale", "demo"), ("status", "completed"), ("since", "1969-01-01T00:00:00Z")], vec![1, 2, 3]),
    ] {
        let response = function(&shop, &Calls::new()).handle(request(&parameters).build()).await;
        let mut found = ids(&test_shop::body(&response));
        found.sort();
        assert_eq!(found, expected.into_iter().map(id).collect::<Vec<_>>(), "{parameters:?}");
    }
    // Shoppers see that its time is over before a worker records it, and so do operators.
    shop.clock.set("2026-11-01T12:30:00Z");
    let response = function(&shop, &Calls::new()).handle(request(&[("sale", "demo"), ("status", "expired")]).build()).await;
    assert_eq!(ids(&test_shop::body(&response)).len(), 2);
}

#[tokio::test]
async fn an_order_is_found_by_its_id() {
    let shop = Shop::with(Stage::Completed).await;
    let id = Buyer::first().id.to_string();
    for (parameters, found) in [
        (vec![("order_id", id.as_str())], 1),
        (vec![("order_id", &id), ("status", "completed")], 1),
        (vec![("order_id", &id), ("status", "failed")], 0),
        (vec![("order_id", &id), ("status", "refund_pending")], 0),
        (vec![("order_id", "demo.01JD3V3Z5T0000000000000000")], 0),
    ] {
        let response = function(&shop, &Calls::new()).handle(request(&parameters).build()).await;
        assert_eq!((brief(&response), ids(&test_shop::body(&response)).len()), ("200".to_owned(), found), "{parameters:?}");
    }
}

#[tokio::test]
async fn one_order_has_its_attempts_and_its_history() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    assert_snapshot!(shop.told_with::<ListOrders>(&calls, "list-orders/one").await, @r#"
    200 OK
    {"attempts":[{"attempt":1,"confirmed":{"amount_minor":99900,"currency":"USD"},"gateway":"sandbox","idempotency_key":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1","status":"kept","transaction_id":"sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1"}],
     "created_at":"2026-11-01T12:00:00Z",
     "history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"completed"}],
     "inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"completed",
     "payment_status":"completed","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo",
     "quantity":1,"revision":3,
     "shipping_address":{"address_line1":"1 Market Street","city":"Springfield","country":"US","postal_code":"49007"},
     "transaction_id":"sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1","updated_at":"2026-11-01T12:01:00Z",
     "user_id":"5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01"}
    "#);
    assert_eq!((calls.count("GetItem"), calls.count("BatchGetItem"), calls.total()), (1, 1, 2));
}

#[tokio::test]
async fn attempts_are_listed_in_their_order_and_show_nothing_to_pay_with() {
    let (shop, buyer) = (Shop::open().await, Buyer::first());
    place(&shop, buyer.order_after(OrderStep::PaymentStarted, 12)).await;
    for (attempt, status) in [(12, AttemptStatus::Started), (2, AttemptStatus::GivenUp), (1, AttemptStatus::Voided)] {
        shop.attempt(&buyer, attempt, "sandbox", status).await;
    }
    let path = format!("/admin/orders/{}", buyer.id);
    let asked =
        test_aws::request("GET", &path).path_parameter("order_id", &buyer.id.to_string()).shopper("operator-1").group("ops");
    let response = function(&shop, &Calls::new()).handle(asked.build()).await;
    let body = test_shop::body(&response);
    let attempts: Vec<_> =
        body["attempts"].as_array().unwrap().iter().map(|it| (it["attempt"].as_u64(), it["status"].clone())).collect();
    assert_eq!(attempts, [(Some(1), "voided".into()), (Some(2), "given_up".into()), (Some(12), "started".into())]);
}

#[tokio::test]
async fn an_order_that_does_not_exist_is_unknown_and_only_an_operator_reads_one() {
    let shop = Shop::with(Stage::Completed).await;
    let id = Buyer::first().id.to_string();
    let ask = |id: &str| test_aws::request("GET", &format!("/admin/orders/{id}")).path_parameter("order_id", id);
    for unknown in ["demo.01JD3V3Z5T0000000000000000", "no-id"] {
        let response = function(&shop, &Calls::new()).handle(ask(unknown).shopper("operator-1").group("ops").build()).await;
        assert_eq!(brief(&response), "404 unknown-order", "{unknown}");
    }
    let calls = Calls::new();
    let function = function(&shop, &calls);
    assert_eq!(brief(&function.handle(ask(&id).build()).await), "401 unauthenticated");
    assert_eq!(brief(&function.handle(ask(&id).shopper("ann").build()).await), "403 forbidden");
    assert_eq!(calls.total(), 0);
    let asked = async || function.handle(ask(&id).shopper("operator-1").group("ops").build()).await;
    tells_that_a_table_fails(&calls, &["GetItem", "BatchGetItem"], asked).await;
}

#[tokio::test]
async fn a_place_of_another_list_or_sale_is_refused() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    let function = function(&shop, &calls);
    let id = Buyer::first().id.to_string();
    let placed = format!("placed.1793534400000.{id}");
    for parameters in [
        vec![("sale", "demo"), ("next", "requested")],
        vec![("sale", "other"), ("next", &placed)],
        vec![("status", "refund_pending"), ("next", &placed)],
        vec![("order_id", id.as_str()), ("next", &placed)],
        vec![("order_id", "no-id")],
        vec![("order_id", "")],
    ] {
        let response = function.handle(request(&parameters).build()).await;
        assert_eq!(brief(&response), "400 malformed-request", "{parameters:?}");
    }
    assert_eq!(calls.total(), 0);
}
