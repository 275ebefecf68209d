//! `DELETE /admin/flash-sales/{product_id}`: a sale in which nothing is held or sold is deleted, and its product id is free again.

use change_sale_status::ChangeSaleStatus;
use domain::{Quantity, ShardLayout, SignedDuration};
use insta::assert_snapshot;
use kit::Request;
use reserve::UnitReservations;
use serde_json::{Value, json};
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, tells_that_a_table_fails};

use crate::operators::{
    manage_sale::{body, drop_id, function, is_made_of, put, state_of},
    refuses_without_asking,
};

fn of(product: &str) -> test_aws::RequestBuilder {
    let path = format!("/admin/flash-sales/{product}");
    test_aws::request("DELETE", &path).path_parameter("product_id", product)
}

fn delete(product: &str) -> Request {
    of(product).shopper("operator-1").group("ops").build()
}

/// A sale of 60 units that is open.
fn open() -> Value {
    let mut body = body(60);
    body["starts_at"] = json!("2026-11-01T12:00:00Z");
    body
}

/// A shop with this sale as its only one.
async fn with(sale: &Value) -> Shop {
    let shop = Shop::empty().await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(put(sale)).await), "201");
    shop
}

/// Asserts that nothing is left of the sale but its last revision and the version of its availability, and that its product id can be used again.
async fn is_gone(shop: &Shop, context: &str) {
    let left: Vec<String> = shop.everything().await.into_keys().collect();
    assert_eq!(left, ["SALE#winter-drop AVAILABILITY", "SALE#winter-drop DELETED"], "{context}");
    shop.clock.set(test_shop::NOW);
    let function = function(shop, &Calls::new());
    assert_eq!(brief(&function.handle(put(&body(110))).await), "201", "{context}");
    is_made_of(shop, 110, 5, context).await;
}

async fn close(shop: &Shop) {
    let change: Judged<ChangeSaleStatus> = shop.wire(&Calls::new());
    let close = test_aws::request("POST", "/admin/flash-sales/winter-drop/close").path_parameter("product_id", "winter-drop");
    assert_eq!(state_of(&change.handle(close.shopper("operator-1").group("ops").build()).await), "ended");
}

#[tokio::test]
async fn a_scheduled_sale_is_deleted_at_once_and_again_changes_nothing() {
    for is_closed in [false, true] {
        let shop = with(&body(60)).await;
        if is_closed {
            close(&shop).await;
        }
        let function = function(&shop, &Calls::new());
        for _ in 0..2 {
            assert_eq!(brief(&function.handle(delete("winter-drop")).await), "204");
        }
        is_gone(&shop, &format!("closed: {is_closed}")).await;
    }
}

#[tokio::test]
async fn an_open_sale_is_closed_and_deleted_when_no_reservation_can_be_under_way() {
    let shop = with(&open()).await;
    let function = function(&shop, &Calls::new());
    assert_snapshot!(test_aws::told(&function.handle(delete("winter-drop")).await), @r"
    503 Service Unavailable: try-again, Try again in a moment
    retry-after: 12
    The sale was closed a moment ago, and reservations may be under way. Send the same request again.
    ");
    assert_eq!(state_of(&function.handle(put(&open())).await), "ended");
    shop.clock.advance(SignedDuration::from_millis(11_999));
    assert_eq!(brief(&function.handle(delete("winter-drop")).await), "503 try-again");
    shop.clock.advance(SignedDuration::from_millis(1));
    assert_eq!(brief(&function.handle(delete("winter-drop")).await), "204");
    is_gone(&shop, "it was open").await;
}

#[tokio::test]
async fn a_sale_that_an_earlier_version_closed_is_deleted_after_the_same_wait() {
    let shop = with(&open()).await;
    shop.set_status(&drop_id(), "CLOSED").await;
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&function.handle(delete("winter-drop")).await), "503 try-again");
    shop.clock.advance_seconds(12);
    assert_eq!(brief(&function.handle(delete("winter-drop")).await), "204");
    is_gone(&shop, "nothing said when it was closed").await;
}

#[tokio::test]
async fn a_sale_that_is_over_is_deleted_twelve_seconds_after_its_end() {
    let shop = with(&open()).await;
    let function = function(&shop, &Calls::new());
    shop.clock.set("2026-11-01T13:00:11.999Z");
    assert_eq!(brief(&function.handle(delete("winter-drop")).await), "503 try-again");
    shop.clock.set("2026-11-01T13:00:12Z");
    assert_eq!(brief(&function.handle(delete("winter-drop")).await), "204");
    is_gone(&shop, "it is over").await;
}

#[tokio::test]
async fn a_sale_in_which_anything_is_held_or_sold_stays_as_it_is() {
    for stage in [Stage::Claimed, Stage::Held, Stage::Pending, Stage::Sold, Stage::Completed] {
        let shop = Shop::open().await;
        shop.bring(&Buyer::first(), stage).await;
        let before = shop.everything().await;
        let function = function(&shop, &Calls::new());
        assert_eq!(brief(&function.handle(delete("demo")).await), "409 sale-in-use", "{stage:?}");
        assert_eq!(shop.everything().await, before, "{stage:?}");
    }
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    assert_snapshot!(test_aws::told(&function(&shop, &Calls::new()).handle(delete("demo")).await), @r"
    409 Conflict: sale-in-use, The sale is in use
    Units of the sale are held or sold, or the end of a payment is still being worked on. Only a sale without holds, purchases and open payments can be deleted.
    ");
    let shop = Shop::open().await;
    let buyer = Buyer::first();
    shop.bring(&buyer, Stage::Pending).await;
    shop.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
    let manage = function(&shop, &Calls::new());
    assert_eq!(brief(&manage.handle(delete("demo")).await), "503 try-again", "its units are free");
    shop.clock.advance_seconds(12);
    assert_eq!(brief(&manage.handle(delete("demo")).await), "409 sale-in-use", "only reconcile finishes its order");

    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Expired).await;
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&function.handle(delete("demo")).await), "503 try-again", "the hold is over");
    shop.clock.advance_seconds(12);
    assert_eq!(brief(&function.handle(delete("demo")).await), "204");
}

#[tokio::test]
async fn a_preparation_is_deleted_wherever_it_stopped() {
    for is_closed in [false, true] {
        let (shop, calls) = (Shop::empty().await, Calls::new());
        calls.slow_down(&shop.clock, SignedDuration::from_millis(50));
        let mut large = open();
        (large["units"], large["shards"]) = (json!(900), json!(900));
        assert_eq!(brief(&function(&shop, &calls).handle(put(&large)).await), "503 try-again");
        if is_closed {
            close(&shop).await;
        }
        let mut requests = 1;
        while brief(&function(&shop, &calls).handle(delete("winter-drop")).await) == "503 try-again" {
            requests += 1;
            assert!(requests < 5, "each request advances");
        }
        assert!(requests > 1, "900 shards take longer than one request");
        is_gone(&shop, &format!("closed: {is_closed}")).await;
    }
}

#[tokio::test]
async fn a_deletion_that_died_is_finished_by_the_same_request() {
    for sale in [body(60), open()] {
        every_crash(async |calls| {
            let shop = with(&sale).await;
            let first = brief(&function(&shop, calls).handle(delete("winter-drop")).await);
            assert!(matches!(first.as_str(), "204" | "503 try-again"), "{first}");
            calls.heal();
            _ = function(&shop, calls).handle(delete("winter-drop")).await;
            shop.clock.advance_seconds(12);
            assert_eq!(brief(&function(&shop, calls).handle(delete("winter-drop")).await), "204", "{first}");
            is_gone(&shop, &first).await;
        })
        .await;
    }
}

#[tokio::test]
async fn of_two_deletions_at_once_one_finishes() {
    every_interleaving(async |interleaving| {
        let shop = with(&body(60)).await;
        let (hung, other) = (function(&shop, &interleaving.calls), function(&shop, &Calls::new()));
        let (one, two) = interleaving.run(hung.handle(delete("winter-drop")), other.handle(delete("winter-drop"))).await;
        assert_eq!(brief(&two), "204");
        assert!(matches!(brief(&one).as_str(), "204" | "503 try-again"), "{}", brief(&one));
        is_gone(&shop, &brief(&one)).await;
    })
    .await;
}

/// The shopper's environment has read the sale before it was closed, and a second later it still believes it.
#[tokio::test]
async fn a_shopper_who_reserves_at_the_same_time_keeps_the_units_and_the_sale() {
    every_interleaving(async |interleaving| {
        let shop = with(&open()).await;
        let (deleting, units): (_, UnitReservations) = (function(&shop, &interleaving.calls), shop.wire(&Calls::new()));
        let (shopper, product) = ("shopper-1".parse().unwrap(), drop_id());
        let reserve = units.reserve(&shopper, &product, Some(Quantity::ONE), None);
        let (first, reserved) = interleaving.run(deleting.handle(delete("winter-drop")), reserve).await;
        shop.clock.advance_seconds(12);
        let then = brief(&function(&shop, &Calls::new()).handle(delete("winter-drop")).await);
        let context = format!("{}, then {then}", brief(&first));
        if reserved.is_ok() {
            assert_eq!(then, "409 sale-in-use", "{context}");
            assert_eq!(shop.units(&drop_id()).await, (59, 1, 0), "{context}");
        } else {
            assert_eq!(then, "204", "{context}");
            is_gone(&shop, &context).await;
        }
    })
    .await;
}

/// A slow run of an earlier `PUT` writes shards after the sale was deleted.
#[tokio::test]
async fn shards_that_a_slow_run_has_left_over_do_not_disturb_the_next_sale() {
    let shop = with(&body(60)).await;
    let revision = shop.uncounted().sales().get_for_write(&drop_id()).await.unwrap().unwrap().revision;
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&function.handle(delete("winter-drop")).await), "204");
    shop.uncounted().stock().create(&drop_id(), &ShardLayout::new(60, 3), .., revision).await.unwrap();
    assert_eq!(brief(&function.handle(put(&body(110))).await), "201");
    is_made_of(&shop, 110, 5, "over the rest of the deleted one").await;
}

#[tokio::test]
async fn what_is_refused_writes_nothing() {
    let shop = Shop::open().await;
    let (before, calls) = (shop.everything().await, Calls::new());
    let function = function(&shop, &calls);
    refuses_without_asking(&function, &calls, of).await;
    assert_eq!(brief(&function.handle(delete("no-such-product")).await), "204", "it is not there");
    assert_eq!(shop.everything().await, before);
    assert_eq!(shop.units(&demo()).await, (100, 0, 0));
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let calls = Calls::new();
    let ask = async || function(&with(&body(60)).await, &calls).handle(delete("winter-drop")).await;
    tells_that_a_table_fails(&calls, &["GetItem", "BatchGetItem", "PutItem", "DeleteItem", "TransactWriteItems"], ask).await;
}
