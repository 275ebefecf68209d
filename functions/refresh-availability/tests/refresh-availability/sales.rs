//! Sales in other states than open: being made, marked sold out, described anew, unknown, several at once.

use domain::{Availability, Hold, Quantity, Sale, SaleDraft, SaleStatus, ShardLayout, ShardNumber};
use scene::{Buyer, Scene, Stage, demo, draft};
use store::WriteOutcome;
use testkit::Calls;

use crate::{as_the_shards_are, catch_up, handle, known, on};

/// A sale of one unit, which the first shopper holds, marked sold out by a loser.
async fn sold_out() -> Scene {
    let scene = Scene::empty().await;
    scene.sale(&demo(), SaleDraft { units: 1, ..draft() }).await;
    scene.bring(&Buyer::first(), Stage::Held).await;
    catch_up(&scene).await;
    let version = scene.availability(&demo()).await.version;
    assert!(scene.availabilities().mark_sold_out(&demo(), version, scene.now()).await.unwrap());
    scene
}

#[tokio::test]
async fn a_mark_stays_while_no_unit_is_there() {
    let scene = sold_out().await;
    let buyer = Buyer::first();
    scene.stock().sell(buyer.shard, &buyer.shopper, &buyer.id, buyer.quantity).await.unwrap();
    catch_up(&scene).await;
    let item = scene.availability(&demo()).await;
    assert!(item.sold_out_at.is_some());
    assert_eq!((item.available(), item.sold_units()), (0, 1));
}

#[tokio::test]
async fn a_mark_ends_when_units_come_back() {
    let scene = sold_out().await;
    let buyer = Buyer::first();
    scene.stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
    catch_up(&scene).await;
    let item = scene.availability(&demo()).await;
    assert_eq!((item.sold_out_at, item.available()), (None, 1));
    assert!(item.promises(Quantity::ONE));
}

/// A loser reads all shards empty before this function has taken in that they are: the mark is right, and what the item says
/// of the shards is not yet.
#[tokio::test]
async fn a_mark_outlives_records_that_are_older_than_it() {
    let scene = Scene::empty().await;
    scene.sale(&demo(), SaleDraft { units: 2, shards: Some(2), ..draft() }).await;
    catch_up(&scene).await;
    let in_shard = |number: u32, shopper: &str, ulid: &str| {
        let id: domain::ReservationId = format!("demo.{ulid}").parse().unwrap();
        (ShardNumber(number), shopper.parse::<domain::ShopperId>().unwrap(), Hold { reservation: id, ..Buyer::first().hold() })
    };
    for (shard, shopper, hold) in
        [in_shard(0, "ann", "01JD3V3Z5T8Q6W7X9Y0A1B2C3D"), in_shard(1, "bob", "01JD3V3Z5T8Q6W7X9Y0A1B2C3E")]
    {
        scene.stock().claim(shard, &shopper, &hold).await.unwrap();
    }
    let records = scene.dynamo.stock_event().records;
    let version = scene.availability(&demo()).await.version;
    assert!(scene.availabilities().mark_sold_out(&demo(), version, scene.now()).await.unwrap());
    // Two batches, as of two shards of the stream.
    for record in records {
        let mut batch = kit::workers::StreamEvent::default();
        batch.records = vec![record];
        assert_eq!(handle(&scene, &Calls::new(), batch).await, None);
        let item = scene.availability(&demo()).await;
        assert_eq!(item.available(), 0, "nothing has come back: {item:?}");
    }
}

/// `manage-sale` writes the item itself, last thing before the sale opens.
#[tokio::test]
async fn a_sale_that_is_being_made_is_left_to_its_maker() {
    let scene = Scene::empty().await;
    let sale = Sale { product: demo(), layout: draft().layout(), draft: draft(), status: SaleStatus::Active };
    scene.sales().prepare(&sale, None).await.unwrap();
    scene.stock().create(&demo(), &sale.layout, 1).await.unwrap();
    catch_up(&scene).await;
    assert_eq!(scene.availabilities().get(&demo(), true).await.unwrap(), None);
}

#[tokio::test]
async fn an_item_that_is_not_there_is_made() {
    let scene = Scene::empty().await;
    let sale = Sale { product: demo(), layout: draft().layout(), draft: draft(), status: SaleStatus::Active };
    let WriteOutcome::Written(prepared) = scene.sales().prepare(&sale, None).await.unwrap() else { unreachable!() };
    scene.sales().activate(&prepared).await.unwrap();
    assert_eq!(on(&scene, "ok").await, None);
    let item = scene.availability(&demo()).await;
    assert_eq!((item.version, item.free), (1, vec![24, 25, 25, 25]));
}

/// A sale was described with fewer units before it started: shards of the earlier description are deleted, or about to be.
#[tokio::test]
async fn shards_above_the_layout_are_left_out() {
    let scene = Scene::open().await;
    scene.stock().create(&demo(), &ShardLayout::new(175, 7), 1).await.unwrap();
    catch_up(&scene).await;
    assert_eq!(known(&scene).await, (100, 0, 0));
    scene.stock().delete(&demo(), 4, 7, 1).await.unwrap();
    catch_up(&scene).await;
    let Availability { free, units, .. } = scene.availability(&demo()).await;
    assert_eq!((free.len(), units), (4, 100));
}

/// A restock that was taken into the sale by a run that then died: the next move of any shard tells the readers.
#[tokio::test]
async fn shards_of_a_restock_are_taken_in_with_the_next_move() {
    let scene = Scene::open().await;
    let stored = scene.sales().get_for_write(&demo()).await.unwrap().unwrap();
    let extent = draft().restock(60);
    let begun = scene.sales().begin_restock(&stored, "one".parse().unwrap(), extent).await.unwrap();
    let WriteOutcome::Written(begun) = begun else { unreachable!() };
    scene.stock().restock(&demo(), 4, extent, begun.revision).await.unwrap();
    catch_up(&scene).await;
    assert_eq!(known(&scene).await, (100, 0, 0), "they are not in the layout yet");
    let version = scene.availability(&demo()).await.version;
    assert!(scene.availabilities().mark_sold_out(&demo(), version, scene.now()).await.unwrap());

    scene.sales().finish_restock(&begun).await.unwrap();
    let buyer = Buyer { shard: ShardNumber(5), ..Buyer::second() };
    scene.bring(&buyer, Stage::Held).await;
    catch_up(&scene).await;
    let item = scene.availability(&demo()).await;
    assert_eq!((item.units, item.sold_out_at, known(&scene).await), (160, None, (158, 2, 0)));
    assert_eq!((item.free, item.held), as_the_shards_are(&scene, &demo()).await);
}

#[tokio::test]
async fn records_of_a_sale_that_is_unknown_are_done() {
    let scene = Scene::open().await;
    let before = scene.everything().await;
    assert_eq!(on(&scene, "unknown-sale").await, None);
    assert_eq!(scene.everything().await, before);
}

#[tokio::test]
async fn one_batch_may_be_about_several_sales() {
    let scene = Scene::open().await;
    let other: domain::ProductId = "other".parse().unwrap();
    scene.sale(&other, SaleDraft { units: 30, ..draft() }).await;
    scene.bring(&Buyer::first(), Stage::Held).await;
    let id = domain::ReservationId::of(&other, "01JD3V3Z5T8Q6W7X9Y0A1B2C3D").unwrap();
    scene.bring(&Buyer { id, ..Buyer::second() }, Stage::Held).await;
    catch_up(&scene).await;
    for product in [demo(), other] {
        let item = scene.availability(&product).await;
        assert_eq!((item.free, item.held), as_the_shards_are(&scene, &product).await, "{product}");
    }
}
