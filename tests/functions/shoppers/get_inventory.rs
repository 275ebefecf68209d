//! `GET /inventory/{product_id}` on sample events. The tests of get-sale cover how sales are known and remembered.

use domain::SignedDuration;
use get_inventory::GetInventory;
use insta::assert_snapshot;
use test_aws::{Calls, event};
use test_shop::{Buyer, Judged, Shop, Stage, demo, tells_that_a_table_fails};

use super::UNKNOWN_PRODUCT;

fn function(shop: &Shop, calls: &Calls) -> Judged<GetInventory> {
    shop.wire(calls)
}

#[tokio::test]
async fn stock_is_shown_with_the_time_that_it_was_true_at() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::second(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    shop.clock.advance_seconds(20);
    assert_snapshot!(shop.told::<GetInventory>("get-inventory/ok").await, @r#"
    200 OK
    cache-control: public, max-age=1
    {"as_of":"2026-11-01T12:01:00Z","available_quantity":98,"product_id":"demo"}
    "#);
}

#[tokio::test]
async fn an_unknown_product_is_404() {
    let shop = Shop::open().await;
    assert_eq!(shop.told::<GetInventory>("get-inventory/unknown-product").await, UNKNOWN_PRODUCT);
}

#[tokio::test]
async fn less_than_a_second_is_answered_from_memory() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let first = test_aws::told(&function.handle(event("get-inventory/ok.json")).await);
    assert_eq!(calls.total(), 2);
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.refresh_availability(&demo()).await;
    shop.clock.advance(SignedDuration::from_millis(999));
    assert_eq!(test_aws::told(&function.handle(event("get-inventory/ok.json")).await), first);
    assert_eq!(calls.total(), 2);
    shop.clock.advance(SignedDuration::from_millis(1));
    let later = function.handle(event("get-inventory/ok.json")).await;
    assert_eq!(test_shop::body(&later)["available_quantity"], 99);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let ask = async || function(&shop, &calls).handle(event("get-inventory/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem"], ask).await;
}
