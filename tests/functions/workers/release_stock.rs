//! `release-stock` on a real DynamoDB engine: however a hold ended, its units come back once, and its order expires. Units that
//! are being paid or bought stay.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use domain::{OrderStatus, OrderStep, PaymentStatus, StockStatus};
use kit::workers::StreamEvent;
use release_stock::ReleaseStock;
use store::{EndOutcome, Ending};
use test_aws::{Calls, Fault, event_as, every_crash};
use test_shop::{Buyer, END, Shop, Stage, demo};

use super::{at, hand_records};

async fn on(shop: &Shop, event: &str) -> Option<String> {
    hand_records::<ReleaseStock>(shop, &Calls::new(), &format!("release-stock/{event}")).await
}

/// Hands over these records. Returns the sequence number from which the stream continues.
async fn handle(shop: &Shop, event: StreamEvent) -> Option<String> {
    test_shop::stream(&shop.wire::<ReleaseStock>(&Calls::new()), event).await
}

#[tokio::test]
async fn the_units_of_a_removed_hold_come_back_once() {
    for event in ["ok", "deleted-by-ttl", "delivered-twice"] {
        let (shop, _) = at(Stage::Held).await;
        for _ in 0..2 {
            assert_eq!(on(&shop, event).await, None, "{event}");
            assert_eq!(shop.units(&demo()).await, (100, 0, 0), "{event}");
        }
    }
}

#[tokio::test]
async fn the_units_of_several_holds_come_back_each_to_its_shard() {
    let (shop, first) = at(Stage::Held).await;
    let second = Buyer::second();
    shop.bring(&second, Stage::Held).await;
    assert_eq!(on(&shop, "several").await, None);
    assert_eq!((shop.shard(&first).await.available(), shop.shard(&second).await.available()), (25, 25));
}

/// The engine writes the record of the removal, whichever component removed the item.
#[tokio::test]
async fn every_road_that_ends_a_hold_releases_its_units() {
    for road in ["expired", "cancelled", "ttl"] {
        let (shop, buyer) = at(Stage::Waiting).await;
        shop.clock.set(END);
        let end = async |ending| {
            let ended = shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, ending).await.unwrap();
            assert_eq!(ended, EndOutcome::Ended);
        };
        match road {
            "expired" => end(Ending::Overdue(shop.now())).await,
            "cancelled" => end(Ending::Cancelled).await,
            _ => {
                // TTL deletes an item that ended before now, not one that ends now.
                shop.clock.advance_seconds(1);
                assert_eq!(shop.dynamo.sweep_ttl(), 1);
            }
        }
        let event = shop.dynamo.reservation_event();
        let removal = event.records.last().unwrap();
        assert_eq!((removal.event_name.as_str(), removal.user_identity.is_some()), ("REMOVE", road == "ttl"));
        assert_eq!(handle(&shop, event).await, None, "{road}");
        assert_eq!(shop.units(&demo()).await, (100, 0, 0), "{road}");
        assert_eq!(shop.order(&buyer).await.status, OrderStatus::Expired, "{road}");
    }
}

#[tokio::test]
async fn an_order_that_waited_expires_once_and_any_other_stays() {
    for stage in Stage::ALL {
        let (shop, buyer) = at(stage).await;
        let before = shop.uncounted().orders().get(&buyer.id).await.unwrap();
        for _ in 0..2 {
            assert_eq!(on(&shop, "ok").await, None, "{stage:?}");
        }
        let after = shop.uncounted().orders().get(&buyer.id).await.unwrap();
        if matches!(stage, Stage::Waiting | Stage::WaitingAgain) {
            let (order, steps) = (after.unwrap(), before.unwrap().history.len());
            assert_eq!((order.status, order.history.len()), (OrderStatus::Expired, steps + 1), "{stage:?}");
            assert_eq!(order.history.last().unwrap().event, OrderStep::Expired, "{stage:?}");
            let payment = if stage == Stage::WaitingAgain { PaymentStatus::Failed } else { PaymentStatus::None };
            assert_eq!((order.payment_status, order.stock_status), (payment, StockStatus::Released), "{stage:?}");
        } else {
            assert_eq!(after, before, "{stage:?}");
        }
    }
}

/// When the saga undoes a purchase, it moves the units itself and then deletes the reservation, which is PAYING.
#[tokio::test]
async fn what_was_being_paid_or_bought_is_not_released() {
    let (shop, buyer) = at(Stage::Sold).await;
    assert_eq!(on(&shop, "purchased").await, None);
    assert_eq!(shop.units(&demo()).await, (99, 0, 1));

    let (shop, paying) = at(Stage::Pending).await;
    let order = shop.order(&buyer).await;
    shop.uncounted().purchases().end(&order, 1, OrderStep::Failed, shop.now()).await.unwrap();
    assert_eq!(shop.reservation(&paying).await, None);
    assert_eq!(handle(&shop, shop.dynamo.reservation_event()).await, None);
    assert_eq!(shop.units(&demo()).await, (99, 1, 0), "its saga has released them, or will");
}

/// The stream's filter drops these records. If it did not, the function would change nothing.
#[tokio::test]
async fn what_was_inserted_or_changed_releases_nothing() {
    let (shop, _) = at(Stage::PayingAgain).await;
    let event = shop.dynamo.reservation_event();
    assert_eq!(event.records.len(), 4, "made, paid, handed back, paid again");
    let before = shop.everything().await;
    assert_eq!(handle(&shop, event).await, None);
    assert_eq!(shop.everything().await, before);
}

/// The shopper now holds units of the same shard under another reservation.
#[tokio::test]
async fn a_stale_reservation_releases_nothing_of_the_next() {
    let (shop, _) = at(Stage::Held).await;
    assert_eq!(on(&shop, "stale-reservation").await, None);
    assert_eq!(shop.units(&demo()).await, (99, 1, 0));
}

#[tokio::test]
async fn units_that_were_sold_are_not_released() {
    let (shop, _) = at(Stage::Completed).await;
    assert_eq!(on(&shop, "ok").await, None);
    assert_eq!(shop.units(&demo()).await, (99, 0, 1));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_from_being_released() {
    let (shop, _) = at(Stage::Held).await;
    let mut event = event_as::<StreamEvent>("release-stock/malformed-image.json");
    event.records.reverse();
    assert_eq!(handle(&shop, event).await, None, "it would read no better again");
    assert_eq!(shop.units(&demo()).await, (100, 0, 0));
}

#[tokio::test]
async fn the_stream_goes_on_from_the_record_whose_units_could_not_be_released() {
    let both = async || {
        let (shop, _) = at(Stage::Held).await;
        shop.bring(&Buyer::second(), Stage::Held).await;
        shop
    };
    let calls = Calls::new();
    let shop = both().await;
    calls.fail_always("UpdateItem", Fault::LostRequest);
    let first = Some("4421584500000000017450439001".to_owned());
    assert_eq!(hand_records::<ReleaseStock>(&shop, &calls, "release-stock/several").await, first);
    assert_eq!(shop.units(&demo()).await, (97, 3, 0));
    calls.heal();

    // Three updates for each record: the order, the shard and the unpaid ends.
    let shop = both().await;
    calls.crash_at(3, Fault::LostRequest);
    let second = Some("4421584500000000017450439092".to_owned());
    assert_eq!(hand_records::<ReleaseStock>(&shop, &calls, "release-stock/several").await, second);
    assert_eq!(shop.units(&demo()).await, (98, 2, 0), "the first came back");
    calls.heal();
    let mut rest: StreamEvent = event_as("release-stock/several.json");
    rest.records.remove(0);
    assert_eq!(handle(&shop, rest).await, None);
    assert_eq!(shop.units(&demo()).await, (100, 0, 0));
}

#[tokio::test]
async fn a_release_that_was_cut_off_is_made_once_and_its_order_expires() {
    every_crash(async |calls| {
        let (shop, buyer) = at(Stage::Waiting).await;
        let died = hand_records::<ReleaseStock>(&shop, calls, "release-stock/ok").await;
        calls.heal();
        assert_eq!(hand_records::<ReleaseStock>(&shop, calls, "release-stock/ok").await, None, "after {died:?}");
        assert_eq!(shop.units(&demo()).await, (100, 0, 0), "after {died:?}");
        let order = shop.order(&buyer).await;
        assert_eq!((order.status, order.history.len()), (OrderStatus::Expired, 2), "after {died:?}");
    })
    .await;
}

/// The number of the buyer's unpaid ends, and whether the sale item notes that a shopper has to cool down.
async fn counted(shop: &Shop, buyer: &Buyer) -> (u32, bool) {
    let ends = shop.uncounted().cooling_shoppers().get(&buyer.shopper, &demo()).await.unwrap();
    let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
    (ends.map_or(0, |ends| ends.count), sale.has_cooling_shoppers)
}

#[tokio::test]
async fn an_unpaid_end_counts_once_and_the_second_is_noted_in_the_sale() {
    for event in ["ok", "deleted-by-ttl", "delivered-twice"] {
        let (shop, buyer) = at(Stage::Held).await;
        for _ in 0..2 {
            assert_eq!(on(&shop, event).await, None, "{event}");
            assert_eq!(counted(&shop, &buyer).await, (1, false), "{event}");
        }
        let earlier = Buyer::number(1).id;
        shop.uncounted().cooling_shoppers().count(&buyer.shopper, &earlier, shop.now()).await.unwrap();
        assert_eq!(counted(&shop, &buyer).await.0, 1, "{event}: its record comes late");
    }
    let (shop, buyer) = at(Stage::Held).await;
    let earlier = domain::ReservationId::of(&demo(), "01JD3V3Z5T0000000000000000").unwrap();
    shop.uncounted().cooling_shoppers().count(&buyer.shopper, &earlier, shop.now()).await.unwrap();
    assert_eq!(on(&shop, "ok").await, None);
    assert_eq!(counted(&shop, &buyer).await, (2, true));
}

#[tokio::test]
async fn what_was_paid_or_given_up_by_its_saga_counts_for_nothing() {
    let (shop, buyer) = at(Stage::Refunded).await;
    assert_eq!(handle(&shop, shop.dynamo.reservation_event()).await, None);
    assert_eq!(on(&shop, "purchased").await, None);
    assert_eq!(counted(&shop, &buyer).await, (0, false));
}

#[tokio::test]
async fn an_end_that_cannot_be_counted_releases_its_units() {
    for fault in Fault::ALL {
        let (shop, buyer) = at(Stage::Waiting).await;
        let calls = Calls::new();
        calls.crash_at(2, fault);
        assert_eq!(hand_records::<ReleaseStock>(&shop, &calls, "release-stock/ok").await, None, "{fault:?}");
        assert_eq!(shop.units(&demo()).await, (100, 0, 0), "{fault:?}");
        assert_eq!(shop.order(&buyer).await.status, OrderStatus::Expired, "{fault:?}");
    }
}

/// A run that dies between the count and the note in the sale is repeated with the same record.
#[tokio::test]
async fn a_second_end_that_was_cut_off_is_noted_by_the_next_run() {
    every_crash(async |calls| {
        let (shop, buyer) = at(Stage::Held).await;
        let earlier = domain::ReservationId::of(&demo(), "01JD3V3Z5T0000000000000000").unwrap();
        shop.uncounted().cooling_shoppers().count(&buyer.shopper, &earlier, shop.now()).await.unwrap();
        let died = hand_records::<ReleaseStock>(&shop, calls, "release-stock/ok").await;
        calls.heal();
        assert_eq!(on(&shop, "ok").await, None, "after {died:?}");
        assert_eq!(counted(&shop, &buyer).await, (2, true), "after {died:?}");
    })
    .await;
}

/// The items of the same table that are not reservations: TTL deletes them, too.
#[tokio::test]
async fn forgotten_unpaid_ends_release_nothing() {
    let (shop, buyer) = at(Stage::Held).await;
    shop.uncounted().cooling_shoppers().count(&buyer.shopper, &buyer.id, shop.now()).await.unwrap();
    shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
    shop.clock.advance_seconds(2 * 86_400);
    assert_eq!(shop.dynamo.sweep_ttl(), 1);
    let mut event = shop.dynamo.reservation_event();
    event.records.retain(|record| record.event_name == "REMOVE" && record.user_identity.is_some());
    assert_eq!(event.records.len(), 1);
    let before = shop.everything().await;
    assert_eq!(handle(&shop, event).await, None);
    assert_eq!(shop.everything().await, before);
}
