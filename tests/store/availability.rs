//! The availability item: every write is conditional on the version that it was derived from.

use domain::{Availability, ProductId, ShardLayout, ShardNumber, SignedDuration, StockShard};
use store::WriteOutcome;

use crate::shop::{END, NOW, SHARD, Shop, at, hold, product, sale, shopper};

fn untouched() -> Availability {
    Availability::untouched(&ShardLayout::new(60, 3), at(NOW))
}

#[tokio::test]
async fn it_reads_back_as_it_was_written() {
    let shop = Shop::open().await;
    for consistent in [false, true] {
        assert_eq!(shop.availabilities.get(&product(), consistent).await.unwrap(), None);
    }
    let mut availability = untouched();
    assert!(shop.availabilities.put(&product(), &availability, 0).await.unwrap());
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), Some(availability.clone()));

    let mut shard = StockShard::new(20);
    shard.claim(&shopper(1), hold(1, 3));
    availability.fold(ShardNumber(1), &shard);
    availability.stamp(at("12:00:01"));
    assert!(shop.availabilities.put(&product(), &availability, 1).await.unwrap());
    let read = shop.availabilities.get(&product(), false).await.unwrap().unwrap();
    // The end of half of the holds is rounded up, here to two seconds.
    assert!((at(END)..=at(END) + SignedDuration::from_secs(1)).contains(&read.half_end_at().unwrap()), "{read:?}");
    assert_eq!(read, Availability { half_ends: read.half_ends.clone(), ..availability });
    assert_eq!((read.available(), read.held_units(), read.next_hold_ends_at), (57, 3, Some(at(END))));
}

#[tokio::test]
async fn those_of_many_sales_are_read_at_once() {
    let shop = Shop::open().await;
    assert!(shop.availabilities.get_all(&[]).await.unwrap().is_empty());
    let products: Vec<ProductId> = (0..100).map(|number| format!("sale-{number}").parse().unwrap()).collect();
    for (product, units) in products.iter().zip(1..).skip(1) {
        let availability = Availability::untouched(&ShardLayout::new(units, 1), at(NOW));
        shop.availabilities.put(product, &availability, 0).await.unwrap();
    }
    shop.calls.reset();
    let found = shop.availabilities.get_all(&products).await.unwrap();
    assert_eq!(shop.calls.total(), 1);
    assert_eq!(found.len(), 99, "the first has none");
    assert!(products.iter().zip(1..).skip(1).all(|(product, units)| found[product].units == units));
}

#[tokio::test]
async fn what_was_derived_from_another_version_is_not_written() {
    let shop = Shop::open().await;
    let first = untouched();
    let mut second = first.clone();
    second.stamp(at("12:00:01"));
    assert!(!shop.availabilities.put(&product(), &second, 1).await.unwrap(), "there is no version 1");
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), None);

    assert!(shop.availabilities.put(&product(), &first, 0).await.unwrap());
    assert!(!shop.availabilities.put(&product(), &first, 0).await.unwrap(), "there is a version 1 by now");
    assert!(shop.availabilities.put(&product(), &second, 1).await.unwrap());
    assert!(!shop.availabilities.put(&product(), &second, 1).await.unwrap(), "it is version 2 by now");
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), Some(second));
}

#[tokio::test]
async fn a_sale_is_marked_sold_out_only_as_it_was_read() {
    let shop = Shop::open().await;
    let now = at("12:00:02");
    assert!(!shop.availabilities.mark_sold_out(&product(), 1, now).await.unwrap(), "there is no version 1");
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), None, "and none is made");

    let first = untouched();
    shop.availabilities.put(&product(), &first, 0).await.unwrap();
    assert!(!shop.availabilities.mark_sold_out(&product(), 2, now).await.unwrap(), "it is version 1");
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), Some(first.clone()));

    assert!(shop.availabilities.mark_sold_out(&product(), 1, now).await.unwrap());
    let marked = shop.availabilities.get(&product(), true).await.unwrap().unwrap();
    assert_eq!(marked, Availability { version: 2, sold_out_at: Some(now), ..first });
    assert_eq!(marked.available(), 0);
    assert!(!shop.availabilities.mark_sold_out(&product(), 1, now).await.unwrap(), "it is version 2 by now");
}

#[tokio::test]
async fn who_read_it_before_the_mark_writes_nothing_and_who_read_it_after_can_end_the_mark() {
    let shop = Shop::open().await;
    let before = untouched();
    shop.availabilities.put(&product(), &before, 0).await.unwrap();
    shop.availabilities.mark_sold_out(&product(), 1, at(NOW)).await.unwrap();

    let mut derived = before;
    derived.stamp(at("12:00:01"));
    assert!(!shop.availabilities.put(&product(), &derived, 1).await.unwrap());
    let mut read_after = shop.availabilities.get(&product(), true).await.unwrap().unwrap();
    read_after.fold(SHARD, &StockShard::new(1));
    read_after.stamp(at("12:00:01"));
    assert!(shop.availabilities.put(&product(), &read_after, 2).await.unwrap());
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap().unwrap().sold_out_at, None);
}

#[tokio::test]
async fn the_numbers_lie_in_the_item_for_people_to_read() {
    let shop = Shop::open().await;
    shop.availabilities.put(&product(), &untouched(), 0).await.unwrap();
    let item = shop.raw(shop.dynamo.stock_table(), "SALE#demo", "AVAILABILITY").await.unwrap();
    let number = |name: &str| item[name].as_n().unwrap().as_str();
    assert_eq!((number("available"), number("held"), number("sold"), number("units")), ("60", "0", "0", "60"));
    assert_eq!(item["free"].as_b().unwrap().as_ref(), [20, 20, 20], "one byte per shard");
}

#[tokio::test]
async fn an_update_begins_again_after_a_write_that_came_between_and_gives_up_after_eight() {
    let shop = Shop::open().await;
    let mut update = shop.availabilities.update(&product());
    for from in 0..8 {
        assert!(update.read().await.unwrap(), "{from}");
        assert_eq!(update.known().map(|known| known.version), (from > 0).then_some(from));
        let faster = Availability { version: from + 1, ..untouched() };
        assert!(shop.availabilities.put(&product(), &faster, from).await.unwrap());
        assert_eq!(update.write(untouched()).await.unwrap(), None, "{from}");
    }
    assert!(!update.read().await.unwrap(), "eight times");

    let mut update = shop.availabilities.update(&product());
    assert!(update.read().await.unwrap());
    let written = update.write(untouched()).await.unwrap();
    assert_eq!(written, Some(Availability { version: 9, ..untouched() }));
    assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), written);
}

/// A run of `refresh-availability` may be seconds late.
#[tokio::test]
async fn a_late_run_of_a_deleted_sale_writes_nothing_and_the_versions_of_its_product_go_on() {
    let shop = Shop::open().await;
    let prepared = async || match shop.sales.prepare(&sale(&product(), 60), None).await.unwrap() {
        WriteOutcome::Written(stored) => stored,
        WriteOutcome::Changed => unreachable!(),
    };
    let write = async || {
        let mut update = shop.availabilities.update(&product());
        assert!(update.read().await.unwrap());
        assert!(update.known().is_none_or(|known| known.units == 60));
        update.write(untouched()).await.unwrap().unwrap()
    };
    let mut last = 0;
    for round in 0..3 {
        let stored = prepared().await;
        let (first, second) = (write().await, write().await);
        assert!(last < first.version && first.version < second.version, "round {round}");
        let mut late = shop.availabilities.update(&product());
        assert!(late.read().await.unwrap());
        last = second.version;
        assert!(shop.sales.delete(&stored).await.unwrap());

        for consistent in [false, true] {
            assert_eq!(shop.availabilities.get(&product(), consistent).await.unwrap(), None);
        }
        assert!(shop.availabilities.get_all(&[product()]).await.unwrap().is_empty());
        let survey = shop.stock.survey(&product(), &ShardLayout::new(60, 3), 0, true).await.unwrap();
        assert_eq!(survey.availability, None);
        assert_eq!(late.write(untouched()).await.unwrap(), None, "there is no sale");
        assert!(!shop.availabilities.mark_sold_out(&product(), last, at(NOW)).await.unwrap());

        let next = prepared().await;
        let (first, second) = (write().await, write().await);
        assert!(last < first.version);
        assert_eq!(late.write(untouched()).await.unwrap(), None, "it is of the next sale by now");
        assert_eq!(shop.availabilities.get(&product(), true).await.unwrap(), Some(second.clone()));
        last = second.version;
        assert!(shop.sales.delete(&next).await.unwrap());
    }
}
