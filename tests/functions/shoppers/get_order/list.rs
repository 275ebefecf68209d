//! `GET /orders`: the caller's orders, page by page.

use domain::{OrderId, OrderStep, ProductId, SignedDuration};
use get_order::GetOrder;
use insta::assert_snapshot;
use kit::Response;
use test_aws::{Calls, RequestBuilder, event};
use test_shop::{Buyer, Shop, Stage, brief};

use crate::shoppers::get_order::function;

fn of_first(path: &str) -> RequestBuilder {
    test_aws::request("GET", path).shopper(Buyer::first().shopper.as_str())
}

#[tokio::test]
async fn the_list_has_the_callers_orders_only() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    shop.bring(&Buyer::second(), Stage::Waiting).await;
    assert_snapshot!(shop.told_with::<GetOrder>(&calls, "get-order/list").await, @r#"
    200 OK
    {"orders":[{"created_at":"2026-11-01T12:00:00Z","history":[{"at":"2026-11-01T12:00:00Z","event":"payment_started"},{"at":"2026-11-01T12:01:00Z","event":"completed"}],"inventory_status":"confirmed","order_id":"demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D","order_status":"completed","payment_status":"completed","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","quantity":1,"shipping_address":{"address_line1":"1 Market Street","city":"Springfield","country":"US","postal_code":"49007"},"transaction_id":"sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-1","updated_at":"2026-11-01T12:01:00Z"}]}
    "#);
    assert_eq!((calls.count("Query"), calls.total()), (1, 1));
}

#[tokio::test]
async fn whoever_has_no_orders_gets_an_empty_list() {
    let shop = Shop::with(Stage::Completed).await;
    let response = shop.ask::<GetOrder>("get-order/list-of-nobody").await;
    assert_eq!((brief(&response), test_shop::body(&response)), ("200".to_owned(), serde_json::json!({"orders": []})));
}

/// `count` orders of the first shopper, a second apart, the first one the oldest.
async fn with_orders(shop: &Shop, count: u32) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let product: ProductId = format!("product-{number:02}").parse().unwrap();
        let mut order = Buyer::first().order(OrderStep::Placed);
        order.id = OrderId::of(&product, &order.id.ulid()).unwrap();
        order.created_at = order.created_at.checked_add(SignedDuration::from_secs(i64::from(number))).unwrap();
        shop.uncounted().orders().place(&order).await.unwrap();
        ids.push(order.id.to_string());
    }
    ids
}

fn ids(response: &Response) -> Vec<String> {
    let body = test_shop::body(response);
    body["orders"].as_array().unwrap().iter().map(|order| order["order_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_have_twenty_orders_newest_first_and_lead_to_each_other() {
    let shop = Shop::empty().await;
    let mut expected = with_orders(&shop, 45).await;
    expected.reverse();
    let function = function(&shop, &Calls::new());
    let (mut found, mut pages, mut next) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let request = match &next {
            None => event("get-order/list.json"),
            Some(next) => of_first("/orders").query("next", next).build(),
        };
        let response = function.handle(request).await;
        let page = ids(&response);
        pages.push(page.len());
        found.extend(page);
        next = test_shop::body(&response)["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    assert_eq!((pages, found), (vec![20, 20, 5], expected));
}

#[tokio::test]
async fn a_page_starts_after_an_order_of_the_callers_own_or_not_at_all() {
    let shop = Shop::with(Stage::Completed).await;
    shop.bring(&Buyer::second(), Stage::Waiting).await;
    let function = function(&shop, &Calls::new());
    let response = function.handle(event("get-order/list-impossible-next.json")).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    400 Bad Request: malformed-request, The request cannot be read
    next must be the `next` of the previous page, unchanged
    {"pointer":""}
    "#);
    for next in [Buyer::second().id.to_string(), "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3E".to_owned(), String::new()] {
        let request = of_first("/orders").query("next", &next).build();
        assert_eq!(brief(&function.handle(request).await), "400 malformed-request", "{next}");
    }
}
