//! `POST /admin/flash-sales/{product_id}/end-holds`: the holds of a sale that is over end; what is being paid or bought stays.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

use cancel_reservation::CancelReservation;
use domain::{ProductId, Quantity, SaleDraft, SaleStatus, ShardNumber, SignedDuration};
use end_holds::EndHolds;
use insta::assert_snapshot;
use kit::{Request, StreamFunction};
use release_stock::ReleaseStock;
use reserve::UnitReservations;
use store::WriteOutcome;
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft, tells_that_a_table_fails};

use super::refuses_without_asking;

fn function(shop: &Shop, calls: &Calls) -> Judged<EndHolds> {
    shop.wire(calls)
}

fn of(product: &str) -> test_aws::RequestBuilder {
    let path = format!("/admin/flash-sales/{product}/end-holds");
    test_aws::request("POST", &path).path_parameter("product_id", product)
}

fn end(product: &str) -> Request {
    of(product).shopper("operator-1").group("ops").build()
}

/// Ends the holds of the demo sale. Returns the number of holds that were ended, and whether there may be more.
async fn ended(shop: &Shop, calls: &Calls) -> (u64, bool) {
    let response = function(shop, calls).handle(end("demo")).await;
    assert_eq!(brief(&response), "200");
    let body = test_shop::body(&response);
    (body["ended"].as_u64().unwrap(), body["more"].as_bool().unwrap())
}

async fn close(shop: &Shop) {
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    let closed = shop.uncounted().sales().change_status(&stored, SaleStatus::Closed, shop.now()).await.unwrap();
    assert!(matches!(closed, WriteOutcome::Written(_)));
}

/// Hands the records of removed reservations to `release-stock`.
async fn streams(shop: &Shop) {
    let release: ReleaseStock = shop.wire(&Calls::new());
    for record in shop.dynamo.reservation_records() {
        release.handle(record).await.unwrap();
    }
}

/// The demo sale and one that is over.
pub(super) async fn shop() -> Shop {
    let shop = Shop::open().await;
    let ends_at = shop.now() - SignedDuration::from_secs(12);
    shop.sale(&"ended".parse().unwrap(), SaleDraft { ends_at, ..draft() }).await;
    shop
}

#[tokio::test]
async fn every_hold_ends_and_its_units_return_through_the_stream() {
    let shop = Shop::open().await;
    for number in 1..=5 {
        shop.bring(&Buyer::number(number), if number == 5 { Stage::Waiting } else { Stage::Held }).await;
    }
    close(&shop).await;
    assert_eq!(ended(&shop, &Calls::new()).await, (5, true), "reservations may be under way");
    streams(&shop).await;
    assert_eq!(shop.units(&demo()).await, (100, 0, 0));
    assert_eq!(shop.order(&Buyer::number(5)).await.status, domain::OrderStatus::Expired);
    shop.clock.advance_seconds(12);
    let response = function(&shop, &Calls::new()).handle(end("demo")).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    200 OK
    {"ended":0,"more":false,"product_id":"demo"}
    "#);
}

#[tokio::test]
async fn what_is_being_paid_or_was_bought_stays_as_it_is() {
    for stage in Stage::ALL {
        let (shop, buyer) = (Shop::open().await, Buyer::first());
        shop.bring(&buyer, stage).await;
        close(&shop).await;
        let status = shop.reservation(&buyer).await.map(|reservation| reservation.status);
        let is_held = status == Some(domain::ReservationStatus::Held);
        let before = shop.everything().await;
        assert_eq!(ended(&shop, &Calls::new()).await.0, u64::from(is_held), "{stage:?}");
        if is_held {
            assert_eq!(shop.reservation(&buyer).await, None, "{stage:?}");
        } else {
            assert_eq!(shop.everything().await, before, "{stage:?}");
        }
    }
}

#[tokio::test]
async fn a_sale_that_is_not_over_keeps_its_holds() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    for status in ["ACTIVE", "PAUSED", "PREPARING"] {
        shop.set_status(&demo(), status).await;
        let before = shop.everything().await;
        let response = function(&shop, &Calls::new()).handle(end("demo")).await;
        assert_eq!((brief(&response), shop.everything().await), ("409 sale-not-over".to_owned(), before), "{status}");
    }
    assert_snapshot!(test_aws::told(&function(&shop, &Calls::new()).handle(end("demo")).await), @r"
    409 Conflict: sale-not-over, The sale is not over
    The sale is not over. Close it before you end its holds.
    ");
    shop.set_status(&demo(), "ACTIVE").await;
    shop.clock.set("2026-11-02T12:00:00Z");
    assert_eq!(ended(&shop, &Calls::new()).await, (1, true), "it has ended by its time");
}

#[tokio::test]
async fn a_request_stops_when_its_time_is_over_and_the_next_ones_reach_the_end() {
    let shop = Shop::empty().await;
    // 300 shards are read a hundred at a time; a request to the tables takes 200 ms.
    shop.sale(&demo(), SaleDraft { units: 300, shards: Some(300), max_per_shopper: Quantity::ONE, ..draft() }).await;
    for number in 0..300 {
        let (shopper, id) = (format!("shopper-{number}"), Buyer::number(number + 1).id);
        let buyer = Buyer { shopper: shopper.parse().unwrap(), shard: ShardNumber(number), id, ..Buyer::first() };
        shop.bring(&buyer, Stage::Held).await;
    }
    close(&shop).await;
    let calls = Calls::new();
    calls.slow_down(&shop.clock, SignedDuration::from_millis(200));
    let (mut all, mut requests) = (0, 0);
    loop {
        let (count, more) = ended(&shop, &calls).await;
        (all, requests) = (all + count, requests + 1);
        streams(&shop).await;
        if !more {
            break;
        }
        assert!(requests < 10, "{all} holds ended");
    }
    assert_eq!((all, shop.units(&demo()).await), (300, (300, 0, 0)));
    assert!(requests > 2, "{requests}");
}

#[tokio::test]
async fn a_request_that_died_is_continued_by_the_next() {
    every_crash(async |calls| {
        let shop = Shop::open().await;
        for number in 1..=3 {
            shop.bring(&Buyer::number(number), Stage::Held).await;
        }
        close(&shop).await;
        _ = function(&shop, calls).handle(end("demo")).await;
        calls.heal();
        ended(&shop, calls).await;
        streams(&shop).await;
        assert_eq!(shop.units(&demo()).await, (100, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_its_shopper_cancels_at_the_same_time_is_released_once() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = (Shop::open().await, Buyer::first());
        shop.bring(&buyer, Stage::Held).await;
        close(&shop).await;
        let ending = function(&shop, &interleaving.calls);
        let cancelling: Judged<CancelReservation> = shop.wire(&Calls::new());
        let path = format!("/reservations/{}", buyer.id);
        let cancel = test_aws::request("DELETE", &path).path_parameter("reservation_id", &buyer.id.to_string());
        let cancel = cancel.shopper(buyer.shopper.as_str()).build();
        let (one, two) = interleaving.run(ending.handle(end("demo")), cancelling.handle(cancel)).await;
        assert_eq!((brief(&one), brief(&two)), ("200".to_owned(), "204".to_owned()));
        streams(&shop).await;
        assert_eq!(shop.units(&demo()).await, (100, 0, 0), "released once");
    })
    .await;
}

/// The shopper's environment believes for a second that the sale is open.
#[tokio::test]
async fn a_reservation_that_comes_late_is_ended_by_the_request_after_it() {
    let shop = Shop::open().await;
    let units: UnitReservations = shop.wire(&Calls::new());
    let product: ProductId = demo();
    units.reserve(&"shopper-1".parse().unwrap(), &product, Some(Quantity::ONE), None).await.unwrap();
    close(&shop).await;
    assert_eq!(ended(&shop, &Calls::new()).await, (1, true));
    units.reserve(&"shopper-2".parse().unwrap(), &product, Some(Quantity::ONE), None).await.unwrap();
    shop.clock.advance_seconds(12);
    assert_eq!(ended(&shop, &Calls::new()).await, (1, false));
}

#[tokio::test]
async fn nobody_but_an_operator_ends_holds_and_a_table_that_fails_is_told() {
    let (shop, calls) = (shop().await, Calls::new());
    let function_ = function(&shop, &calls);
    refuses_without_asking(&function_, &calls, of).await;
    assert_eq!(brief(&function_.handle(end("no-such-product")).await), "404 unknown-product");
    let ask = async || {
        let shop = Shop::open().await;
        shop.bring(&Buyer::first(), Stage::Held).await;
        close(&shop).await;
        function(&shop, &calls).handle(end("demo")).await
    };
    tells_that_a_table_fails(&calls, &["GetItem", "BatchGetItem", "DeleteItem"], ask).await;
}
