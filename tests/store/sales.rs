//! Sales: prepared, opened and listed. Of two writers, one learns that the other was faster.

use domain::{Sale, SaleStatus};
use store::{Catalogue, Rounds, StoredSale, WriteOutcome};

use crate::shop::{NOW, Shop, at, product, sale};

fn demo(units: u32) -> Sale {
    sale(&product(), units)
}

fn written(outcome: WriteOutcome) -> StoredSale {
    match outcome {
        WriteOutcome::Written(stored) => stored,
        WriteOutcome::Changed => panic!("somebody else wrote it"),
    }
}

/// The first page of the catalogue.
pub(crate) async fn listed(shop: &Shop) -> Vec<Sale> {
    let page = shop.sales.page(Catalogue::Live, None).await.unwrap();
    page.sales.into_iter().map(|(_, sale)| sale.unwrap()).collect()
}

async fn prepare(shop: &Shop, sale: &Sale, before: Option<&StoredSale>) -> StoredSale {
    written(shop.sales.prepare(sale, before).await.unwrap())
}

#[tokio::test]
async fn a_sale_reads_back_as_it_was_written() {
    let shop = Shop::open().await;
    assert_eq!(shop.sales.get(&product()).await.unwrap(), None);
    assert!(shop.sales.get_for_write(&product()).await.unwrap().is_none());
    let mut plain = demo(100);
    (plain.draft.description, plain.draft.image_url) = (None, None);
    let mut with_chosen_shards = sale(&"other".parse().unwrap(), 100);
    with_chosen_shards.draft.shards = Some(50);
    with_chosen_shards.layout = with_chosen_shards.draft.layout();
    for sale in [demo(100), plain, with_chosen_shards] {
        let before = shop.sales.get_for_write(&sale.product).await.unwrap();
        prepare(&shop, &sale, before.as_ref()).await;
        assert_eq!(shop.sales.get(&sale.product).await.unwrap(), Some(sale));
    }
}

#[tokio::test]
async fn a_sale_is_prepared_and_then_active() {
    let shop = Shop::open().await;
    let prepared = prepare(&shop, &Sale { status: SaleStatus::Active, ..demo(100) }, None).await;
    assert_eq!((prepared.sale.status, prepared.revision, prepared.shards_made), (SaleStatus::Preparing, 1, 4));
    let active = written(shop.sales.activate(&prepared).await.unwrap());
    assert_eq!((active.sale.status, active.revision), (SaleStatus::Active, 2));
    assert_eq!(shop.sales.get(&product()).await.unwrap(), Some(active.sale));
}

#[tokio::test]
async fn a_smaller_sale_remembers_the_shards_that_are_left_over_until_it_is_active() {
    let shop = Shop::open().await;
    let large = prepare(&shop, &demo(250), None).await;
    let small = prepare(&shop, &demo(50), Some(&large)).await;
    assert_eq!((small.sale.layout.shards(), small.shards_made), (2, 10));
    let read = shop.sales.get_for_write(&product()).await.unwrap().unwrap();
    assert_eq!((read.shards_made, read.revision), (10, 2));
    let active = written(shop.sales.activate(&read).await.unwrap());
    assert_eq!(active.shards_made, 2, "by now they are deleted");
}

#[tokio::test]
async fn of_two_writers_the_second_finds_that_the_sale_has_changed() {
    let shop = Shop::open().await;
    let first = prepare(&shop, &demo(100), None).await;
    let changed = |outcome| matches!(outcome, WriteOutcome::Changed);
    assert!(changed(shop.sales.prepare(&demo(50), None).await.unwrap()), "it is there by now");
    let second = prepare(&shop, &demo(200), Some(&first)).await;
    assert!(changed(shop.sales.prepare(&demo(300), Some(&first)).await.unwrap()), "it is another by now");
    assert!(changed(shop.sales.activate(&first).await.unwrap()), "what was prepared is another by now");
    let stored = shop.sales.get_for_write(&product()).await.unwrap().unwrap();
    assert_eq!((stored.sale.draft.units, stored.revision), (200, second.revision));

    for _ in 0..2 {
        let active = written(shop.sales.activate(&second).await.unwrap());
        assert_eq!(active.revision, 3, "once");
    }
}

#[tokio::test]
async fn a_sale_that_was_never_prepared_is_not_activated() {
    let shop = Shop::open().await;
    let never = StoredSale::new(demo(100), 4, 1);
    assert!(matches!(shop.sales.activate(&never).await.unwrap(), WriteOutcome::Changed));
    assert_eq!(shop.sales.get(&product()).await.unwrap(), None);
}

#[tokio::test]
async fn the_catalogue_lists_sales_by_product_and_once() {
    let shop = Shop::open().await;
    assert_eq!(listed(&shop).await, []);
    let mut expected = Vec::new();
    for name in ["c", "a", "b"] {
        let sale = sale(&name.parse().unwrap(), 10);
        prepare(&shop, &sale, None).await;
        shop.sales.list(&sale.product).await.unwrap();
        shop.sales.list(&sale.product).await.unwrap();
        expected.push(sale);
    }
    prepare(&shop, &sale(&"not-listed".parse().unwrap(), 10), None).await;
    shop.sales.list(&"not-there".parse().unwrap()).await.unwrap();
    expected.sort_by(|a, b| a.product.cmp(&b.product));
    assert_eq!(listed(&shop).await, expected, "neither what is not listed nor what is not there");
}

#[tokio::test]
async fn a_sale_that_is_retired_is_in_the_ended_catalogue_only_unless_it_was_written_since_it_was_read() {
    let shop = Shop::open().await;
    let [first, second] = ["first", "second"].map(|name| sale(&name.parse().unwrap(), 10));
    let products = async |catalogue| {
        let sales = shop.sales.page(catalogue, None).await.unwrap().sales;
        sales.into_iter().map(|(product, _)| product.to_string()).collect::<Vec<_>>()
    };
    let prepared = prepare(&shop, &first, None).await;
    prepare(&shop, &second, None).await;
    for sale in [&first, &second] {
        shop.sales.list(&sale.product).await.unwrap();
    }
    let closed = shop.sales.change_status(&prepared, SaleStatus::Closed, at(NOW)).await.unwrap();
    let WriteOutcome::Written(closed) = closed else { unreachable!() };
    assert!(!shop.sales.retire(&prepared).await.unwrap(), "it was closed since");
    assert_eq!((products(Catalogue::Live).await.len(), products(Catalogue::Ended).await.len()), (2, 0));
    for _ in 0..2 {
        assert!(shop.sales.retire(&closed).await.unwrap());
        assert_eq!(
            (products(Catalogue::Live).await, products(Catalogue::Ended).await),
            (vec!["second".into()], vec!["first".into()])
        );
    }
    assert!(shop.sales.get(&first.product).await.unwrap().is_some());
}

#[tokio::test]
async fn a_sale_is_deleted_with_all_that_is_in_its_partition_unless_it_was_written_since_it_was_read() {
    let shop = Shop::open().await;
    let prepared = prepare(&shop, &demo(100), None).await;
    shop.sales.list(&product()).await.unwrap();
    let untouched = domain::Availability::untouched(&demo(100).layout, at(NOW));
    shop.availabilities.put(&product(), &untouched, 0).await.unwrap();
    let WriteOutcome::Written(closed) = shop.sales.change_status(&prepared, SaleStatus::Closed, at(NOW)).await.unwrap() else {
        unreachable!()
    };
    let WriteOutcome::Written(deleting) = shop.sales.begin_deletion(&closed).await.unwrap() else { unreachable!() };
    assert!(!deleting.sale.is_prepared());
    assert!(!shop.sales.delete(&closed).await.unwrap(), "it was written since");
    assert!(shop.sales.delete(&deleting).await.unwrap());
    assert!(!shop.sales.delete(&deleting).await.unwrap(), "it is gone");
    assert!(shop.sales.get(&product()).await.unwrap().is_none());
    assert!(shop.availabilities.get(&product(), true).await.unwrap().is_none());
    assert_eq!(listed(&shop).await, []);
    let again = prepare(&shop, &demo(100), None).await;
    assert_eq!(again.revision, deleting.revision + 1, "later than any shard of the deleted sale");
}

#[tokio::test]
async fn the_place_where_the_next_run_begins_is_kept() {
    let shop = Shop::open().await;
    let rounds = Rounds::new(shop.client.clone(), shop.dynamo.stock_table());
    assert_eq!(rounds.start().await.unwrap(), None);
    for name in ["a", "b"] {
        rounds.begin_next_at(&name.parse().unwrap()).await.unwrap();
        assert_eq!(rounds.start().await.unwrap(), Some(name.parse().unwrap()));
    }
}

#[tokio::test]
async fn the_catalogue_lists_a_hundred_sales_at_most() {
    let shop = Shop::open().await;
    for number in 0..105 {
        let sale = sale(&format!("sale-{number:03}").parse().unwrap(), 10);
        prepare(&shop, &sale, None).await;
        shop.sales.list(&sale.product).await.unwrap();
    }
    let sales = listed(&shop).await;
    let products: Vec<&str> = sales.iter().map(|sale| sale.product.as_str()).collect();
    assert_eq!((products.len(), products[0], products[99]), (100, "sale-000", "sale-099"));
}

#[tokio::test]
async fn the_whole_catalogue_is_read_page_by_page_and_a_sale_that_cannot_be_read_hides_no_other() {
    let shop = Shop::open().await;
    for number in 0..150 {
        let sale = sale(&format!("sale-{number:03}").parse().unwrap(), 10);
        shop.sales.prepare(&sale, None).await.unwrap();
        shop.sales.list(&sale.product).await.unwrap();
    }
    shop.spoil_sale(&"sale-120".parse().unwrap()).await;
    let first = shop.sales.page(Catalogue::Live, None).await.unwrap();
    assert_eq!((first.sales.len(), first.next.as_ref().map(domain::ProductId::as_str)), (100, Some("sale-099")));
    let second = shop.sales.page(Catalogue::Live, first.next.as_ref()).await.unwrap();
    assert_eq!((second.sales.len(), second.next), (50, None));
    let unread = second.sales.iter().filter(|(_, sale)| sale.is_err()).map(|(product, _)| product.as_str());
    assert_eq!(unread.collect::<Vec<_>>(), ["sale-120"]);
}
