//! The largest sale: 400,000 units in 4,000 shards. The code that serves a sale of ten units makes, reads and sells them.

use std::collections::BTreeMap;

use domain::{Availability, ClaimOutcome, ReservationId, SaleDraft, SellOutcome, ShardLayout, ShardNumber};
use futures_util::{StreamExt, stream};

use crate::shop::{NOW, Shop, at, hold, id, product, shopper, units};

const LARGE: ShardLayout = ShardLayout::new(SaleDraft::MOST_UNITS, SaleDraft::MOST_SHARDS);

#[tokio::test]
async fn the_largest_sale_is_made_read_and_sold_across() {
    let shop = Shop::open().await;
    shop.stock.create(&product(), &LARGE, .., 1).await.unwrap();
    assert_eq!(shop.calls.count("PutItem"), 4_000);
    assert!((shop.calls.write_units() - 4_000.0).abs() < f64::EPSILON, "one write each");

    shop.calls.reset();
    let shards = shop.stock.read_all(&product(), &LARGE).await.unwrap();
    assert_eq!((shards.len(), shop.calls.count("BatchGetItem")), (4_000, 40));
    assert_eq!(shards.iter().map(|(_, shard)| shard.available()).sum::<u32>(), 400_000);
    assert!(shards.iter().zip(LARGE.numbers()).all(|((number, _), expected)| *number == expected));

    let bought = buy(&shop, 400).await;
    let mut availability = Availability::untouched(&LARGE, at(NOW));
    let mut sold = 0;
    for (number, shard) in shop.stock.read_all(&product(), &LARGE).await.unwrap() {
        assert!(shard.is_balanced(), "{number}: {shard:?}");
        availability.fold(number, &shard);
        for sale in shard.sold().values() {
            sold += 1;
            assert_eq!(bought.get(&sale.reservation.to_string()), Some(&number));
        }
    }
    assert_eq!((sold, availability.available(), availability.sold_units()), (400, 399_600, 400));
    assert!(bought.values().collect::<std::collections::BTreeSet<_>>().len() > 350, "home shards are spread");
}

/// `count` shoppers each buy a unit on their home shard. Returns the shard of each reservation.
async fn buy(shop: &Shop, count: u32) -> BTreeMap<String, ShardNumber> {
    let buy_one = |number: u32| async move {
        let (shopper, reservation): (_, ReservationId) = (shopper(number), id(number));
        let home = LARGE.home_of(&product(), &shopper);
        assert_eq!(shop.stock.claim(home, &shopper, &hold(number, 1)).await.unwrap(), ClaimOutcome::Claimed);
        assert_eq!(shop.stock.sell(home, &shopper, &reservation, units(1)).await.unwrap(), SellOutcome::Sold);
        (reservation.to_string(), home)
    };
    stream::iter(1..=count).map(buy_one).buffer_unordered(16).collect().await
}
