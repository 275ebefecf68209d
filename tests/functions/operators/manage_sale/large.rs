//! A preparation that takes longer than one request: each request advances, and the same request reaches the end.

use change_sale_status::ChangeSaleStatus;
use domain::{SaleDraft, SignedDuration};
use get_sale::GetSale;
use insta::assert_snapshot;
use reserve::Reserve;
use serde_json::{Value, json};
use test_aws::{Calls, Fault};
use test_shop::{Judged, Shop, brief};

use crate::operators::manage_sale::{drop_id, function, is_made_of, put, state_of};

/// A request to the tables takes this long, one after the other: in 15 s a run makes 300 of them.
const SLOW: SignedDuration = SignedDuration::from_millis(50);

/// A sale of one unit per shard that should be open.
fn in_shards(shards: u32) -> Value {
    let mut body = super::body(shards);
    body["shards"] = json!(shards);
    body["starts_at"] = json!("2026-11-01T12:00:00Z");
    body["ends_at"] = json!("2026-11-02T12:00:00Z");
    body
}

/// A shop whose tables answer slowly to the functions that use these calls.
async fn slow_shop() -> (Shop, Calls) {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    calls.slow_down(&shop.clock, SLOW);
    (shop, calls)
}

/// Shards that are ready, by the stored sale.
async fn ready(shop: &Shop) -> u32 {
    shop.uncounted().sales().get_for_write(&drop_id()).await.unwrap().unwrap().shards_ready
}

#[tokio::test]
async fn each_request_advances_and_the_same_one_reaches_the_end() {
    let (shop, calls) = slow_shop().await;
    let function = function(&shop, &calls);
    let mut came_to = Vec::new();
    loop {
        let start = shop.now();
        let response = function.handle(put(&in_shards(900))).await;
        assert!(shop.now().duration_since(start) < SignedDuration::from_secs(28), "the function's time-out");
        if brief(&response) != "503 try-again" {
            assert_eq!((brief(&response), state_of(&response)), ("200".to_owned(), "open".to_owned()));
            break;
        }
        assert_eq!(response.headers()["retry-after"], "1");
        came_to.push(ready(&shop).await);
    }
    assert_eq!(came_to, [320, 640], "and 900 with the third request");
    is_made_of(&shop, 900, 900, "in the end").await;
    // The shards, and the sale: prepared, noted twice, activated; listed three times; its availability.
    assert_eq!(calls.count("PutItem"), 900 + 4 + 3 + 1, "no shard was made twice");
}

#[tokio::test]
async fn the_largest_sale_is_reached() {
    let (shop, calls) = slow_shop().await;
    let function = function(&shop, &calls);
    let mut body = in_shards(SaleDraft::MOST_SHARDS);
    body["units"] = json!(SaleDraft::MOST_UNITS);
    let mut requests = 1;
    while brief(&function.handle(put(&body)).await) == "503 try-again" {
        requests += 1;
        assert!(requests < 20, "it came to {}", ready(&shop).await);
    }
    is_made_of(&shop, SaleDraft::MOST_UNITS, SaleDraft::MOST_SHARDS, "the largest").await;
}

#[tokio::test]
async fn meanwhile_operators_and_shoppers_read_what_is_true() {
    let (shop, calls) = slow_shop().await;
    let response = function(&shop, &calls).handle(put(&in_shards(900))).await;
    assert_snapshot!(test_aws::told(&response), @r"
    503 Service Unavailable: try-again, Try again in a moment
    retry-after: 1
    320 of 900 shards are ready. The same request continues there.
    ");
    let get: Judged<GetSale> = shop.wire(&Calls::new());
    let request = test_aws::request("GET", "/api/flash-sales/winter-drop").path_parameter("product_id", "winter-drop");
    assert_eq!(state_of(&get.handle(request.build()).await), "in_preparation");

    let reserve = async || {
        let function: Judged<Reserve> = shop.wire(&Calls::new());
        let request = test_aws::request("POST", "/reserve-inventory").shopper("shopper-1");
        function.handle(request.json(&json!({"product_id": "winter-drop"})).build()).await
    };
    assert_snapshot!(test_aws::told(&reserve().await), @r"
    409 Conflict: sale-in-preparation, The sale is being prepared
    retry-after: 10
    The sale should have started, but is still being prepared. It opens when that is done.
    ");
    shop.clock.set("2026-11-01T11:59:00Z");
    assert_eq!(brief(&reserve().await), "409 sale-not-started", "its start is still to come");
}

#[tokio::test]
async fn a_write_that_fails_keeps_the_shards_before_it() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    calls.fail_always_for("PutItem", "SHARD#winter-drop#200\"", Fault::Throttled);
    assert_eq!(brief(&function.handle(put(&in_shards(300))).await), "503 try-again");
    assert_eq!(ready(&shop).await, 192);
    assert_eq!(brief(&function.handle(put(&in_shards(300))).await), "503 try-again", "it fails again");
    calls.heal();
    calls.reset();
    assert_eq!(brief(&function.handle(put(&in_shards(300))).await), "200");
    assert_eq!(calls.count("PutItem"), 108 + 3);
    is_made_of(&shop, 300, 300, "healed").await;
}

#[tokio::test]
async fn shards_that_are_left_over_are_deleted_in_several_requests_too() {
    let (shop, calls) = slow_shop().await;
    let mut scheduled = in_shards(700);
    scheduled["starts_at"] = json!("2026-11-02T11:00:00Z");
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(put(&scheduled)).await), "201");
    scheduled["shards"] = json!(70);
    let slow = function(&shop, &calls);
    let mut requests = 1;
    while brief(&slow.handle(put(&scheduled)).await) == "503 try-again" {
        requests += 1;
        assert!(requests < 5, "it came to {}", ready(&shop).await);
    }
    assert_eq!((requests, calls.count("DeleteItem")), (3, 630));
    is_made_of(&shop, 700, 70, "fewer").await;
}

#[tokio::test]
async fn another_description_starts_over() {
    let (shop, calls) = slow_shop().await;
    let function = function(&shop, &calls);
    assert_eq!(brief(&function.handle(put(&in_shards(900))).await), "503 try-again");
    let mut other = in_shards(900);
    other["name"] = json!("Another name");
    assert_eq!(brief(&function.handle(put(&other)).await), "503 try-again");
    assert_eq!(ready(&shop).await, 320);
    assert_eq!(brief(&function.handle(put(&in_shards(5))).await), "503 try-again", "it has 895 shards to delete");
    while brief(&function.handle(put(&in_shards(5))).await) == "503 try-again" {}
    is_made_of(&shop, 5, 5, "the last description").await;
}

#[tokio::test]
async fn a_preparation_that_was_closed_is_not_continued() {
    let (shop, calls) = slow_shop().await;
    let function = function(&shop, &calls);
    assert_eq!(brief(&function.handle(put(&in_shards(900))).await), "503 try-again");
    let change: Judged<ChangeSaleStatus> = shop.wire(&Calls::new());
    let close = test_aws::request("POST", "/admin/flash-sales/winter-drop/close").path_parameter("product_id", "winter-drop");
    let close = || close.clone().shopper("operator-1").group("ops").build();
    assert_eq!(state_of(&change.handle(close()).await), "ended");
    let before = shop.everything().await;
    assert_eq!(state_of(&function.handle(put(&in_shards(900))).await), "ended", "the same again tells what is true");
    assert_eq!(brief(&function.handle(put(&in_shards(10))).await), "409 sale-ended");
    assert_eq!(shop.everything().await, before);
}
