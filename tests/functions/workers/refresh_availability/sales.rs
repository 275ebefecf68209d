//! Sales in other states than open: being made, marked sold out, changed, unknown, several at once.

use domain::{Availability, Hold, Quantity, Sale, SaleDraft, ShardLayout, ShardNumber};
use store::WriteOutcome;
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, demo, draft};

use crate::workers::refresh_availability::{as_the_shards_are, catch_up, handle, known, on};

/// A sale of one unit, which the first shopper holds, marked sold out by a loser.
async fn sold_out() -> Shop {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: 1, ..draft() }).await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    catch_up(&shop).await;
    let version = shop.availability(&demo()).await.version;
    assert!(shop.uncounted().availabilities().mark_sold_out(&demo(), version, shop.now()).await.unwrap());
    shop
}

#[tokio::test]
async fn a_mark_stays_while_no_unit_is_there() {
    let shop = sold_out().await;
    let buyer = Buyer::first();
    shop.uncounted().stock().sell(buyer.shard, &buyer.shopper, &buyer.id, buyer.quantity).await.unwrap();
    catch_up(&shop).await;
    let item = shop.availability(&demo()).await;
    assert!(item.sold_out_at.is_some());
    assert_eq!((item.available(), item.sold_units()), (0, 1));
}

#[tokio::test]
async fn a_mark_ends_when_units_come_back() {
    let shop = sold_out().await;
    let buyer = Buyer::first();
    shop.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
    catch_up(&shop).await;
    let item = shop.availability(&demo()).await;
    assert_eq!((item.sold_out_at, item.available()), (None, 1));
    assert!(item.promises(Quantity::ONE));
}

/// A loser reads all shards as empty before this function has taken in their records. The mark is right, and the item's figures
/// are not yet.
#[tokio::test]
async fn a_mark_outlives_records_that_are_older_than_it() {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: 2, shards: Some(2), ..draft() }).await;
    catch_up(&shop).await;
    let in_shard = |number: u32, shopper: &str, ulid: &str| {
        let id: domain::ReservationId = format!("demo.{ulid}").parse().unwrap();
        (ShardNumber(number), shopper.parse::<domain::ShopperId>().unwrap(), Hold { reservation: id, ..Buyer::first().hold() })
    };
    for (shard, shopper, hold) in
        [in_shard(0, "ann", "01JD3V3Z5T8Q6W7X9Y0A1B2C3D"), in_shard(1, "bob", "01JD3V3Z5T8Q6W7X9Y0A1B2C3E")]
    {
        shop.uncounted().stock().claim(shard, &shopper, &hold).await.unwrap();
    }
    let records = shop.dynamo.stock_event().records;
    let version = shop.availability(&demo()).await.version;
    assert!(shop.uncounted().availabilities().mark_sold_out(&demo(), version, shop.now()).await.unwrap());
    // Two batches, as from two shards of the stream.
    for record in records {
        let mut batch = kit::workers::StreamEvent::default();
        batch.records = vec![record];
        assert_eq!(handle(&shop, &Calls::new(), batch).await, None);
        let item = shop.availability(&demo()).await;
        assert_eq!(item.available(), 0, "nothing has come back: {item:?}");
    }
}

/// `manage-sale` writes the item itself, in its last step before the sale opens.
#[tokio::test]
async fn a_sale_that_is_being_made_is_left_to_its_maker() {
    let shop = Shop::empty().await;
    let sale = Sale::of(demo(), draft());
    shop.uncounted().sales().prepare(&sale, None).await.unwrap();
    shop.uncounted().stock().create(&demo(), &sale.layout, .., 1).await.unwrap();
    catch_up(&shop).await;
    assert_eq!(shop.uncounted().availabilities().get(&demo(), true).await.unwrap(), None);
}

#[tokio::test]
async fn an_item_that_is_not_there_is_made() {
    let shop = Shop::empty().await;
    let sale = Sale::of(demo(), draft());
    let WriteOutcome::Written(prepared) = shop.uncounted().sales().prepare(&sale, None).await.unwrap() else { unreachable!() };
    shop.uncounted().sales().activate(&prepared).await.unwrap();
    assert_eq!(on(&shop, "ok").await, None);
    let item = shop.availability(&demo()).await;
    assert_eq!((item.version, item.free), (1, vec![24, 25, 25, 25]));
}

/// The sale was changed to fewer units before it started. Shards of the earlier description are deleted, or about to be.
#[tokio::test]
async fn shards_above_the_layout_are_left_out() {
    let shop = Shop::open().await;
    shop.uncounted().stock().create(&demo(), &ShardLayout::new(175, 7), .., 1).await.unwrap();
    catch_up(&shop).await;
    assert_eq!(known(&shop).await, (100, 0, 0));
    shop.uncounted().stock().delete(&demo(), 4, 7, 1).await.unwrap();
    catch_up(&shop).await;
    let Availability { free, units, .. } = shop.availability(&demo()).await;
    assert_eq!((free.len(), units), (4, 100));
}

/// A run took a restock into the sale and then died. The next move of any shard updates the availability item.
#[tokio::test]
async fn shards_of_a_restock_are_taken_in_with_the_next_move() {
    let shop = Shop::open().await;
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    let extent = stored.sale.restock(60).unwrap();
    let begun = shop.uncounted().sales().begin_restock(&stored, "one".parse().unwrap(), extent).await.unwrap();
    let WriteOutcome::Written(begun) = begun else { unreachable!() };
    shop.uncounted().stock().restock(&demo(), 4, extent, .., begun.revision).await.unwrap();
    catch_up(&shop).await;
    assert_eq!(known(&shop).await, (100, 0, 0), "they are not in the layout yet");
    let version = shop.availability(&demo()).await.version;
    assert!(shop.uncounted().availabilities().mark_sold_out(&demo(), version, shop.now()).await.unwrap());

    shop.uncounted().sales().finish_restock(&begun).await.unwrap();
    let buyer = Buyer { shard: ShardNumber(5), ..Buyer::second() };
    shop.bring(&buyer, Stage::Held).await;
    catch_up(&shop).await;
    let item = shop.availability(&demo()).await;
    assert_eq!((item.units, item.sold_out_at, known(&shop).await), (160, None, (158, 2, 0)));
    assert_eq!((item.free, item.held), as_the_shards_are(&shop, &demo()).await);
}

#[tokio::test]
async fn records_of_a_sale_that_is_unknown_are_done() {
    let shop = Shop::open().await;
    let before = shop.everything().await;
    assert_eq!(on(&shop, "unknown-sale").await, None);
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn one_batch_may_be_about_several_sales() {
    let shop = Shop::open().await;
    let other: domain::ProductId = "other".parse().unwrap();
    shop.sale(&other, SaleDraft { units: 30, ..draft() }).await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    shop.bring(&Buyer::second().of(&other), Stage::Held).await;
    catch_up(&shop).await;
    for product in [demo(), other] {
        let item = shop.availability(&product).await;
        assert_eq!((item.free, item.held), as_the_shards_are(&shop, &product).await, "{product}");
    }
}
