//! `GET /api/flash-sales` on sample events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{SaleDraft, SignedDuration};
use insta::assert_snapshot;
use kit::Response;
use list_sales::ListSales;
use test_aws::{Calls, Fault, event};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft, tells_that_a_table_fails};

use super::a_second_later;

fn function(shop: &Shop, calls: &Calls) -> Judged<ListSales> {
    shop.wire(calls)
}

/// Product and state of every sale listed, in order.
fn listed(response: &Response) -> Vec<String> {
    let body = test_shop::body(response);
    let sales = body["sales"].as_array().unwrap().iter();
    sales.map(|sale| format!("{} {}", sale["product_id"].as_str().unwrap(), sale["state"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_sale_is_listed_with_its_stock_and_its_holds() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    assert_snapshot!(shop.told::<ListSales>("list-sales/ok").await, @r#"
    200 OK
    cache-control: public, max-age=1
    {"sales":[{"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":99,"ends_at":"2026-11-02T12:00:00Z","hold_seconds":300,"holds":{"count":1,"next_ends_at":"2026-11-01T12:05:00Z"},"max_hold_seconds":600,"max_per_shopper":2,"name":"Phone","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","server_time":"2026-11-01T12:01:00Z","starts_at":"2026-11-01T12:00:00Z","state":"open","units":100}],
     "server_time":"2026-11-01T12:01:00Z"}
    "#);
}

#[tokio::test]
async fn before_the_first_sale_the_list_is_empty() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    assert_snapshot!(shop.told_with::<ListSales>(&calls, "list-sales/ok").await, @r#"
    200 OK
    cache-control: public, max-age=1
    {"sales":[],"server_time":"2026-11-01T12:01:00Z"}
    "#);
    assert_eq!(calls.total(), 1, "there is nothing more to ask for");
}

#[tokio::test]
async fn sales_are_listed_by_product_and_each_follows_its_own_times() {
    let shop = Shop::empty().await;
    let ten_past = "2026-11-01T12:10:00Z".parse().unwrap();
    let sales = [
        ("scheduled", SaleDraft { starts_at: ten_past, ..draft() }, None),
        ("open", draft(), None),
        ("paused", draft(), Some("PAUSED")),
        ("closed", draft(), Some("CLOSED")),
        ("being-prepared", draft(), Some("PREPARING")),
        ("a-short-one", SaleDraft { ends_at: ten_past, ..draft() }, None),
    ];
    for (product, draft, status) in sales {
        let product = product.parse().unwrap();
        shop.sale(&product, draft).await;
        if let Some(status) = status {
            shop.set_status(&product, status).await;
        }
    }
    let function = function(&shop, &Calls::new());
    assert_eq!(
        listed(&function.handle(event("list-sales/ok.json")).await),
        [
            "a-short-one open",
            "being-prepared in_preparation",
            "closed ended",
            "open open",
            "paused paused",
            "scheduled scheduled"
        ]
    );
    shop.clock.set("2026-11-01T12:10:00Z");
    assert_eq!(
        listed(&function.handle(event("list-sales/ok.json")).await),
        ["a-short-one ended", "being-prepared in_preparation", "closed ended", "open open", "paused paused", "scheduled open"]
    );
}

#[tokio::test]
async fn a_second_is_answered_from_memory_and_its_time_goes_on() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let first = function.handle(event("list-sales/ok.json")).await;
    assert_eq!((calls.count("Query"), calls.count("BatchGetItem"), calls.total()), (1, 2, 3));
    shop.sale(&"another".parse().unwrap(), draft()).await;
    shop.clock.advance(SignedDuration::from_millis(999));
    let second = function.handle(event("list-sales/ok.json")).await;
    assert_eq!((calls.total(), listed(&second)), (3, listed(&first)));
    assert_eq!(test_shop::body(&second)["server_time"], "2026-11-01T12:01:00.999Z");
    shop.clock.advance(SignedDuration::from_millis(1));
    let third = function.handle(event("list-sales/ok.json")).await;
    assert_eq!((calls.total(), listed(&third)), (6, vec!["another open".to_owned(), "demo open".to_owned()]));
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500_and_neither_is_remembered() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let ask = async || a_second_later(&shop, &function, "list-sales/ok").await;
    tells_that_a_table_fails(&calls, &["Query", "BatchGetItem"], ask).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_once_is_asked_for_again() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    for operation in ["Query", "BatchGetItem"] {
        calls.fail_next(operation, Fault::LostAnswer);
        let response = function(&shop, &calls).handle(event("list-sales/ok.json")).await;
        assert_eq!((brief(&response), listed(&response)), ("200".to_owned(), vec!["demo open".to_owned()]), "{operation}");
    }
}

/// After a roll-back: a later version has made a sale of a kind that this version does not know.
#[tokio::test]
async fn a_sale_that_cannot_be_read_hides_no_other() {
    let shop = Shop::open().await;
    shop.sale(&"later".parse().unwrap(), draft()).await;
    let update = shop.dynamo.client().update_item().table_name(shop.dynamo.stock_table());
    let update = update.key("pk", AttributeValue::S("SALE#later".into())).key("sk", AttributeValue::S("META".into()));
    let update = update.update_expression("SET admission.#mode = :lottery").expression_attribute_names("#mode", "mode");
    update.expression_attribute_values(":lottery", AttributeValue::S("lottery".into())).send().await.unwrap();
    let response = shop.ask::<ListSales>("list-sales/ok").await;
    assert_eq!(listed(&response), ["demo open"]);
}
