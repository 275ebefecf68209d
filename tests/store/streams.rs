//! The items in stream records, and the items that TTL may delete.
//!
//! These tests always run on dynoxide (`Shop::open_at`), also when the others run on a server. On a server, a Lambda trigger
//! reads the stream, and TTL follows the server's own clock. ministack's TTL writes no stream record at all.

use domain::{Availability, Reservation, ReservationStatus, ShardLayout, ShardNumber};
use store::{Ending, reservation_image, shard_image};

use crate::shop::{END, NOW, SHARD, Shop, at, clock, hold, id, product, reservation, shopper, units};

#[tokio::test]
async fn each_record_of_a_shard_shows_it_after_one_move() {
    let shop = Shop::open_at(&clock()).await;
    shop.stock.create(&product(), &ShardLayout::new(5, 1), .., 1).await.unwrap();
    let mut states = vec![shop.shard().await];
    shop.stock.claim(SHARD, &shopper(1), &hold(1, 2)).await.unwrap();
    states.push(shop.shard().await);
    shop.stock.sell(SHARD, &shopper(1), &id(1), units(2)).await.unwrap();
    states.push(shop.shard().await);
    shop.stock.claim(SHARD, &shopper(2), &hold(2, 9)).await.unwrap();
    shop.stock.take_back(SHARD, &shopper(1), &id(1)).await.unwrap();
    states.push(shop.shard().await);

    let records = shop.dynamo.stock_records();
    let images: Vec<_> = records.iter().map(|record| shard_image(&record.change.new_image).unwrap().unwrap()).collect();
    let expected: Vec<_> = states.into_iter().map(|shard| (product(), SHARD, shard)).collect();
    assert_eq!(images, expected, "a refused claim writes no record");
}

#[tokio::test]
async fn a_record_of_another_item_of_the_stock_table_is_no_shard() {
    let shop = Shop::open_at(&clock()).await;
    let layout = ShardLayout::new(5, 1);
    shop.availabilities.put(&product(), &Availability::untouched(&layout, at(NOW)), 0).await.unwrap();
    shop.sales.list(&product()).await.unwrap();
    let records = shop.dynamo.stock_records();
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(shard_image(&record.change.new_image).unwrap(), None);
    }
}

#[tokio::test]
async fn a_shard_in_a_record_that_cannot_be_read_is_an_error() {
    let record = serde_json::from_value(serde_json::json!({"pk": {"S": "SHARD#demo#7"}, "sk": {"S": "STOCK"}})).unwrap();
    let error = shard_image(&record).unwrap_err();
    assert_eq!(error.to_string().split(" cannot").next(), Some("item SHARD#demo#7 / STOCK"));
}

#[tokio::test]
async fn a_reservation_that_ended_is_told_with_its_shard_and_units() {
    let shop = Shop::open_at(&clock()).await;
    let opened = Reservation { shard: ShardNumber(17), quantity: units(3), ..reservation(1) };
    shop.reservations.open(&opened).await.unwrap();
    shop.reservations.end(&shopper(1), &id(1), Ending::Cancelled).await.unwrap();
    let mut records = shop.dynamo.reservation_records();
    records.retain(|record| record.event_name == "REMOVE");
    assert_eq!(records.len(), 1);
    assert_eq!(reservation_image(&records[0].change.old_image).unwrap(), Some(opened));
    assert!(records[0].user_identity.is_none());
}

#[tokio::test]
async fn time_deletes_held_reservations_only_and_the_record_says_so() {
    let clock = clock();
    let shop = Shop::open_at(&clock).await;
    let statuses = [ReservationStatus::Held, ReservationStatus::Paying, ReservationStatus::Purchased];
    for (number, status) in (1..).zip(statuses) {
        shop.reservations.open(&Reservation { status, ..reservation(number) }).await.unwrap();
    }
    clock.set_to(at("12:04:59"));
    assert_eq!(shop.dynamo.sweep_ttl(), 0);
    clock.set_to(at(END));
    clock.advance_seconds(3_600);
    assert_eq!(shop.dynamo.sweep_ttl(), 1);

    let mut records = shop.dynamo.reservation_records();
    records.retain(|record| record.event_name == "REMOVE");
    assert_eq!(records.len(), 1);
    assert_eq!(reservation_image(&records[0].change.old_image).unwrap(), Some(reservation(1)));
    let identity = records[0].user_identity.as_ref().unwrap();
    assert_eq!((identity.type_.as_str(), identity.principal_id.as_str()), ("Service", "dynamodb.amazonaws.com"));
    assert!(shop.reservations.get(&shopper(2), &product()).await.unwrap().is_some(), "it is being paid");
    assert!(shop.reservations.get(&shopper(3), &product()).await.unwrap().is_some(), "it is paid for");
}
