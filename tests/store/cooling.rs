//! The unpaid ends of a shopper's holds: counted once each, and forgotten in time.

use domain::{ReservationId, SignedDuration, Timestamp, UnpaidEnds};
use store::reservation_image;

use crate::shop::{A_DAY, NOW, Shop, at, clock, id, product, shopper};

fn ends(count: u32, last_at: Timestamp) -> UnpaidEnds {
    UnpaidEnds { count, last_at }
}

#[tokio::test]
async fn each_end_counts_once_however_often_and_late_its_record_comes() {
    let shop = Shop::open().await;
    assert_eq!(shop.cooling.get(&shopper(1), &product()).await.unwrap(), None);
    let (first, second) = (at("12:05:00"), at("12:10:00"));
    for _ in 0..2 {
        assert_eq!(shop.cooling.count(&shopper(1), &id(1), first).await.unwrap(), ends(1, first));
    }
    for (ended, when) in [(id(2), second), (id(2), at("12:11:00")), (id(1), at("12:12:00"))] {
        assert_eq!(shop.cooling.count(&shopper(1), &ended, when).await.unwrap(), ends(2, second), "{ended}");
    }
    assert_eq!(shop.cooling.get(&shopper(1), &product()).await.unwrap(), Some(ends(2, second)));
}

#[tokio::test]
async fn an_end_is_a_whole_second_and_never_earlier_than_it_was() {
    let shop = Shop::open().await;
    assert_eq!(shop.cooling.count(&shopper(1), &id(1), at("12:05:00.001")).await.unwrap(), ends(1, at("12:05:01")));
}

#[tokio::test]
async fn shoppers_and_sales_are_counted_apart() {
    let shop = Shop::open().await;
    let other = ReservationId::of(&"other".parse().unwrap(), &id(3).ulid()).unwrap();
    for (who, ended) in [(1, id(1)), (2, id(2)), (1, other)] {
        assert_eq!(shop.cooling.count(&shopper(who), &ended, at(NOW)).await.unwrap().count, 1, "{who} {ended}");
    }
}

/// The record of its deletion is not one of a reservation that ended.
#[tokio::test]
async fn the_count_is_forgotten_a_day_after_the_last_end() {
    let clock = clock();
    let shop = Shop::open_at(&clock).await;
    shop.cooling.count(&shopper(1), &id(1), at("12:05:00")).await.unwrap();
    clock.set_to(at("12:05:00") + A_DAY - SignedDuration::from_secs(1));
    assert_eq!(shop.dynamo.sweep_ttl(), 0);
    clock.advance_seconds(2);
    assert_eq!(shop.dynamo.sweep_ttl(), 1);
    assert_eq!(shop.cooling.get(&shopper(1), &product()).await.unwrap(), None);
    let records = shop.dynamo.reservation_records();
    let removed = records.iter().find(|record| record.event_name == "REMOVE").unwrap();
    assert!(removed.change.old_image.get("status").is_none(), "the stream's filter passes records with status HELD only");
    assert_eq!(reservation_image(&removed.change.old_image).unwrap(), None);
}
