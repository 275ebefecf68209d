//! `GET /api/flash-sales` on sample events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ProductId, SaleDraft, SignedDuration};
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
    {"next":"ended",
     "sales":[{"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":99,"ends_at":"2026-11-02T12:00:00Z","hold_seconds":300,"holds":{"count":1,"half_end_at":"2026-11-01T12:05:00Z","next_ends_at":"2026-11-01T12:05:00Z"},"max_hold_seconds":600,"max_per_shopper":2,"name":"Phone","price":{"amount_minor":99900,"currency":"USD"},"product_id":"demo","server_time":"2026-11-01T12:01:00Z","starts_at":"2026-11-01T12:00:00Z","state":"open","units":100}],
     "server_time":"2026-11-01T12:01:00Z"}
    "#);
}

#[tokio::test]
async fn before_the_first_sale_the_list_is_empty() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    assert_snapshot!(shop.told_with::<ListSales>(&calls, "list-sales/ok").await, @r#"
    200 OK
    cache-control: public, max-age=1
    {"next":"ended","sales":[],"server_time":"2026-11-01T12:01:00Z"}
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
            "open open",
            "paused paused",
            "scheduled scheduled",
            "closed ended"
        ]
    );
    shop.clock.set("2026-11-01T12:10:00Z");
    assert_eq!(
        listed(&function.handle(event("list-sales/ok.json")).await),
        ["being-prepared in_preparation", "open open", "paused paused", "scheduled open", "a-short-one ended", "closed ended"]
    );
}

/// Reads the list with these parameters, page by page, to its end. Returns the products with their states, and the pages.
async fn every_page(shop: &Shop, state: Option<&str>) -> (Vec<String>, usize) {
    let function = function(shop, &Calls::new());
    let (mut all, mut next, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let mut request = test_aws::request("GET", "/api/flash-sales");
        for (name, value) in [("state", state), ("next", next.as_deref())] {
            request = if let Some(value) = value { request.query(name, value) } else { request };
        }
        let response = function.handle(request.build()).await;
        assert_eq!(brief(&response), "200");
        all.extend(listed(&response));
        pages += 1;
        match test_shop::body(&response)["next"].as_str() {
            Some(following) => next = Some(following.to_owned()),
            None => return (all, pages),
        }
    }
}

/// Makes a sale in the state that its name says. Settled sales are in the ended catalogue.
async fn sale_in_state(shop: &Shop, state: &str, number: u32) {
    let product: ProductId = format!("{state}-{number:03}").parse().unwrap();
    let ten_past = "2026-11-01T12:10:00Z".parse().unwrap();
    let starts_at = if state == "scheduled" { ten_past } else { draft().starts_at };
    shop.sale(&product, SaleDraft { starts_at, units: 1, ..draft() }).await;
    if matches!(state, "ended" | "settled") {
        shop.set_status(&product, "CLOSED").await;
    }
    if state == "settled" {
        let stored = shop.uncounted().sales().get_for_write(&product).await.unwrap().unwrap();
        assert!(shop.uncounted().sales().retire(&stored).await.unwrap());
    }
}

#[tokio::test]
async fn every_sale_is_on_one_page_and_what_is_settled_comes_last() {
    let shop = Shop::empty().await;
    for (state, count) in [("open", 70), ("scheduled", 60), ("ended", 3), ("settled", 120)] {
        for number in 0..count {
            sale_in_state(&shop, state, number).await;
        }
    }
    let (all, pages) = every_page(&shop, None).await;
    assert_eq!(pages, 4, "133 live sales, 120 settled ones");
    let first_settled = all.iter().position(|sale| sale.starts_with("settled")).unwrap();
    assert!(all[first_settled..].iter().all(|sale| sale.starts_with("settled")), "{all:?}");
    assert_eq!((all.len(), all.iter().collect::<std::collections::BTreeSet<_>>().len()), (253, 253));
    for (state, count, pages) in [("open", 70, 2), ("scheduled", 60, 2), ("ended", 123, 4), ("paused", 0, 2), ("sold_out", 0, 2)]
    {
        let (found, read) = every_page(&shop, Some(state)).await;
        assert!(found.iter().all(|sale| sale.ends_with(&format!(" {state}"))), "{found:?}");
        assert_eq!((found.len(), read), (count, pages), "{state}");
    }
}

#[tokio::test]
async fn a_state_or_a_page_that_does_not_exist_is_400() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let ask = async |name: &str, value: &str| {
        function.handle(test_aws::request("GET", "/api/flash-sales").query(name, value).build()).await
    };
    assert_snapshot!(test_aws::told(&ask("state", "closed").await), @r#"
    400 Bad Request: malformed-request, The request cannot be read
    state is one of in_preparation, scheduled, open, paused, sold_out or ended
    {"pointer":""}
    "#);
    for state in ["", "Open", "open ", "open,ended", "soldout"] {
        assert_eq!(brief(&ask("state", state).await), "400 malformed-request", "{state:?}");
    }
    for next in ["", "live.", "ended.A", "live.a.b", "dead", "demo", ".demo", "live.demo "] {
        assert_eq!(brief(&ask("next", next).await), "400 malformed-request", "{next:?}");
    }
    assert_eq!(calls.total(), 0);
    assert_eq!(listed(&ask("next", "live.a").await), ["demo open"]);
    assert_eq!(listed(&ask("next", "live.demo").await), Vec::<String>::new());
}

#[tokio::test]
async fn pages_that_clients_make_up_do_not_fill_the_memory() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    for number in 0..50 {
        function.handle(test_aws::request("GET", "/api/flash-sales").query("next", &format!("live.a{number}")).build()).await;
    }
    calls.reset();
    for _ in 0..2 {
        function.handle(event("list-sales/ok.json")).await;
    }
    assert_eq!(calls.count("Query"), 1, "a page is still remembered");
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
