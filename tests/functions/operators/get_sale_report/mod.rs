//! `GET /admin/flash-sales/{product_id}/report` on sample events.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use domain::{Extent, ProductId, Quantity, SaleDraft, ShardNumber, SignedDuration};
use get_sale_report::GetSaleReport;
use insta::assert_snapshot;
use kit::Response;
use store::WriteOutcome;
use test_aws::{Calls, RequestBuilder};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft, tells_that_a_table_fails};

fn function(shop: &Shop, calls: &Calls) -> Judged<GetSaleReport> {
    shop.wire(calls)
}

fn reading_for(shop: &Shop, calls: &Calls, orders_read_for: SignedDuration) -> Judged<GetSaleReport> {
    let mut function = function(shop, calls);
    function.reports.orders_read_for = orders_read_for;
    function
}

fn of(product: &ProductId) -> RequestBuilder {
    let path = format!("/admin/flash-sales/{product}/report");
    test_aws::request("GET", &path).path_parameter("product_id", product.as_str()).shopper("operator-1").group("ops")
}

async fn report(shop: &Shop) -> Response {
    function(shop, &Calls::new()).handle(of(&demo()).build()).await
}

/// A buyer of two units with a number of its own, in a shard of the demo sale.
fn buyer(number: u32) -> Buyer {
    Buyer { shard: ShardNumber(number % 4), quantity: Quantity::new(2).unwrap(), ..Buyer::number(number) }
}

/// The demo sale with a purchase at every stage.
async fn busy() -> Shop {
    let shop = Shop::open().await;
    for (number, stage) in (0..).zip(Stage::ALL) {
        shop.bring(&buyer(number), stage).await;
    }
    shop
}

#[tokio::test]
async fn a_sale_that_nobody_has_touched_has_all_its_units() {
    let shop = Shop::open().await;
    assert_snapshot!(shop.told::<GetSaleReport>("get-sale-report/ok").await, @r#"
    200 OK
    {"as_of":"2026-11-01T12:01:00Z","available":100,"differences":{"paid_unsold":0,"sold_unpaid":0,"units":0},
     "held":0,"holds":{"count":0,"overdue":0},
     "orders":{"by_status":{},"complete":true,"counted":0,"holds_without_order":0},"payments":{},
     "product_id":"demo","shards":{"count":4,"missing":0,"unbalanced":0},"sold":0,"state":"open","units":100}
    "#);
}

#[tokio::test]
async fn purchases_are_counted_at_every_stage_for_a_batch_of_shards_and_one_of_orders() {
    let (shop, calls) = (busy().await, Calls::new());
    let before = shop.everything().await;
    let response = function(&shop, &calls).handle(of(&demo()).build()).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    200 OK
    {"as_of":"2026-11-01T12:01:00Z","available":64,"differences":{"paid_unsold":0,"sold_unpaid":8,"units":0},
     "held":22,"holds":{"count":22,"next_ends_at":"2026-11-01T12:05:00Z","overdue":0},
     "orders":{"by_status":{"awaiting_payment":2,"completed":1,"failed":2,"pending":11},"complete":true,"counted":16,"holds_without_order":2},
     "payments":{"completed":{"amount":{"amount_minor":199800,"currency":"USD"},"orders":1},"failed":{"amount":{"amount_minor":199800,"currency":"USD"},"orders":1},"none":{"amount":{"amount_minor":199800,"currency":"USD"},"orders":1},"pending":{"amount":{"amount_minor":2197800,"currency":"USD"},"orders":11},"refund_pending":{"amount":{"amount_minor":399600,"currency":"USD"},"orders":2}},
     "product_id":"demo","shards":{"count":4,"missing":0,"unbalanced":0},"sold":14,"state":"open","units":100}
    "#);
    assert_eq!((calls.count("GetItem"), calls.count("BatchGetItem"), calls.total()), (1, 2, 3));
    assert_eq!(shop.everything().await, before, "a report changes nothing");
}

#[tokio::test]
async fn the_figures_of_the_stock_are_exact_whatever_readers_know() {
    let shop = busy().await;
    let shown = test_shop::body(&report(&shop).await);
    let (available, held, sold) = shop.units(&demo()).await;
    let figures = [&shown["available"], &shown["held"], &shown["sold"], &shown["differences"]["units"]];
    assert_eq!(figures.map(|figure| figure.as_i64().unwrap()), [available.into(), held.into(), sold.into(), 0]);
}

#[tokio::test]
async fn holds_that_were_to_have_ended_are_overdue() {
    let shop = Shop::open().await;
    shop.bring(&buyer(1), Stage::Held).await;
    assert_snapshot!(test_shop::body(&report(&shop).await)["holds"], @r#"{"count":2,"next_ends_at":"2026-11-01T12:05:00Z","overdue":0}"#);
    shop.clock.set(test_shop::END);
    assert_snapshot!(test_shop::body(&report(&shop).await)["holds"], @r#"{"count":2,"overdue":2}"#);
}

#[tokio::test]
async fn a_shard_that_is_missing_is_a_difference_and_no_error() {
    let shop = Shop::open().await;
    shop.uncounted().stock().delete(&demo(), 1, 2, 1).await.unwrap();
    let shown = test_shop::body(&report(&shop).await);
    assert_snapshot!(shown["shards"], @r#"{"count":4,"missing":1,"unbalanced":0}"#);
    assert_snapshot!(shown["differences"], @r#"{"paid_unsold":0,"sold_unpaid":0,"units":-25}"#);
}

#[tokio::test]
async fn a_sale_of_many_shards_is_read_a_hundred_at_a_time() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    shop.sale(&demo(), SaleDraft { units: 250, shards: Some(125), ..draft() }).await;
    let response = function(&shop, &calls).handle(of(&demo()).build()).await;
    assert_snapshot!(test_shop::body(&response)["shards"], @r#"{"count":125,"missing":0,"unbalanced":0}"#);
    assert_eq!((calls.count("BatchGetItem"), calls.total()), (2, 3));
}

#[tokio::test]
async fn when_orders_take_too_long_the_report_says_so_and_the_stock_is_exact() {
    let (shop, calls) = (busy().await, Calls::new());
    let response = reading_for(&shop, &calls, SignedDuration::ZERO).handle(of(&demo()).build()).await;
    let shown = test_shop::body(&response);
    assert_snapshot!(shown["orders"], @r#"{"by_status":{},"complete":false,"counted":0,"holds_without_order":0}"#);
    assert_eq!((brief(&response).as_str(), shown["differences"]["units"].as_i64()), ("200", Some(0)));
    assert_eq!(calls.count("BatchGetItem"), 1);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_not_counted_and_the_report_says_that_it_is_not_complete() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Pending).await;
    shop.bring(&Buyer::second(), Stage::Pending).await;
    shop.spoil_order(&Buyer::second()).await;
    let response = report(&shop).await;
    let shown = test_shop::body(&response);
    assert_eq!((brief(&response).as_str(), shown["held"].as_u64()), ("200", Some(3)));
    assert_snapshot!(shown["orders"], @r#"{"by_status":{"pending":1},"complete":false,"counted":1,"holds_without_order":0}"#);
}

#[tokio::test]
async fn a_hidden_sale_is_shown_with_the_time_from_which_it_is_visible() {
    let shop = Shop::empty().await;
    let (visible_from, starts_at) = ("2026-11-01T12:05:00Z".parse().unwrap(), "2026-11-01T12:06:00Z".parse().unwrap());
    shop.sale(&demo(), SaleDraft { visible_from: Some(visible_from), starts_at, ..draft() }).await;
    assert_eq!(test_shop::body(&report(&shop).await)["visible_from"], "2026-11-01T12:05:00Z");
}

#[tokio::test]
async fn a_restock_that_is_not_finished_is_shown_and_not_counted() {
    let shop = Shop::open().await;
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    let (key, extent) = ("8e03978e".parse().unwrap(), Extent { units: 50, shards: 2 });
    let begun = shop.uncounted().sales().begin_restock(&stored, key, extent).await.unwrap();
    let shown = test_shop::body(&report(&shop).await);
    assert_snapshot!(shown["unfinished_restock"], @r#"{"idempotency_key":"8e03978e","units":50}"#);
    assert_eq!((shown["units"].as_u64(), shown["differences"]["units"].as_i64()), (Some(100), Some(0)));

    let WriteOutcome::Written(begun) = begun else { unreachable!() };
    shop.uncounted().stock().restock(&demo(), 4, extent, .., begun.revision).await.unwrap();
    shop.uncounted().sales().finish_restock(&begun).await.unwrap();
    let shown = test_shop::body(&report(&shop).await);
    assert!(shown["unfinished_restock"].is_null());
    assert_eq!((shown["units"].as_u64(), shown["available"].as_u64()), (Some(150), Some(150)));
}

#[tokio::test]
async fn the_report_of_a_sale_in_preparation_counts_the_shards_that_exist() {
    let shop = Shop::open().await;
    shop.set_status(&demo(), "PREPARING").await;
    shop.uncounted().stock().delete(&demo(), 2, 3, 2).await.unwrap();
    let shown = test_shop::body(&report(&shop).await);
    assert_snapshot!(shown["state"], @r#""in_preparation""#);
    assert_snapshot!(shown["shards"], @r#"{"count":4,"missing":1,"unbalanced":0}"#);
    assert_eq!((shown["available"].as_u64(), shown["differences"]["units"].as_i64()), (Some(75), Some(-25)));
}

#[tokio::test]
async fn nobody_but_an_operator_sees_it_and_asking_costs_nothing() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let anybody = test_aws::request("GET", "/admin/flash-sales/demo/report").path_parameter("product_id", "demo");
    for (request, expected) in [
        (anybody.clone(), "401 unauthenticated"),
        (anybody.clone().shopper("shopper-1"), "403 forbidden"),
        (anybody.clone().shopper("shopper-1").group("opsies"), "403 forbidden"),
    ] {
        assert_eq!(brief(&function.handle(request.build()).await), expected);
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn a_fault_that_stays_is_503_and_one_that_is_for_good_500() {
    let calls = Calls::new();
    let ask = async || function(&Shop::open().await, &calls).handle(of(&demo()).build()).await;
    tells_that_a_table_fails(&calls, &["GetItem", "BatchGetItem"], ask).await;
}
