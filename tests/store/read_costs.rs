//! What each read costs, in requests and read request units; `docs/ACCESS_PATTERNS.md` has the same numbers.
//!
//! These tests always run on dynoxide (`Shop::open_at`): ministack reports half a unit for a query or an eventually
//! consistent read of any size, and nothing for a batch.

use domain::{Availability, GatewayName, Order, SaleDraft, ShardLayout};
use store::{Catalogue, Entry, EntryState};

use crate::{
    cost::{cost, reads},
    shop::{NOW, Shop, at, clock, id, id_in, key, method, price, product, reservation, sale, shopper, waiting_order},
};

async fn shop() -> Shop {
    Shop::open_at(&clock()).await
}

#[tokio::test]
async fn all_shards_are_read_in_a_batch_for_each_hundred_at_a_unit_each() {
    for (units, shards, batches) in [(1_000, 40, 1), (2_500, 100, 1), (2_525, 101, 2)] {
        let (shop, layout) = (shop().await, ShardLayout::new(units, shards));
        shop.stock.create(&product(), &layout, .., 1).await.unwrap();
        assert_eq!(cost(&shop, shop.stock.read_all(&product(), &layout)).await, reads(batches, f64::from(shards)));
    }
}

#[tokio::test]
async fn a_survey_is_a_batch_for_each_hundred_items_at_half_a_unit_each() {
    for (units, shards, batches) in [(1_000, 40, 1), (2_475, 99, 1), (2_500, 100, 2)] {
        let (shop, layout) = (shop().await, ShardLayout::new(units, shards));
        shop.stock.create(&product(), &layout, .., 1).await.unwrap();
        shop.availabilities.put(&product(), &Availability::untouched(&layout, at(NOW)), 0).await.unwrap();
        let survey = async {
            for page in 0..batches {
                shop.stock.survey(&product(), &layout, page, false).await?;
            }
            Ok::<_, store::StoreError>(())
        };
        assert_eq!(cost(&shop, survey).await, reads(batches, f64::from(shards + 1) / 2.0), "{shards} shards");
    }
}

#[tokio::test]
async fn a_page_of_unsettled_orders_is_one_query_and_half_a_unit_when_there_are_none() {
    let shop = shop().await;
    assert_eq!(cost(&shop, shop.orders.unsettled(&product(), at(NOW), None)).await, reads(1, 0.5));
    for number in 1..=101 {
        shop.orders.place(&crate::shop::pending_order(number)).await.unwrap();
    }
    let page = cost(&shop, shop.orders.unsettled(&product(), at(NOW), None)).await;
    assert_eq!((page.requests, page.read), (1, 1.0));
}

#[tokio::test]
async fn some_shards_and_some_orders_are_a_batch_at_a_unit_each() {
    let shop = shop().await;
    shop.stock.create(&product(), &ShardLayout::new(10, 2), .., 1).await.unwrap();
    let both: Vec<_> = ShardLayout::new(10, 2).numbers().collect();
    assert_eq!(cost(&shop, shop.stock.read(&product(), &both)).await, reads(1, 2.0));
    let ids: Vec<_> = (1..=100).map(id).collect();
    for id in &ids {
        shop.orders.place(&Order { id: id.clone(), ..waiting_order(1) }).await.unwrap();
    }
    assert_eq!(cost(&shop, shop.orders.get_all(&ids)).await, reads(1, 100.0));
    assert_eq!(cost(&shop, shop.orders.get_all(&[])).await, reads(0, 0.0));
}

#[tokio::test]
async fn a_reservation_and_an_order_are_a_unit() {
    let shop = shop().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    assert_eq!(cost(&shop, shop.reservations.get(&shopper(1), &product())).await, reads(1, 1.0));
    shop.orders.place(&waiting_order(1)).await.unwrap();
    assert_eq!(cost(&shop, shop.orders.get(&id(1))).await, reads(1, 1.0));
}

#[tokio::test]
async fn the_unpaid_ends_of_a_shopper_are_half_a_unit() {
    let shop = shop().await;
    shop.cooling.count(&shopper(1), &id(1), at(NOW)).await.unwrap();
    assert_eq!(cost(&shop, shop.cooling.get(&shopper(1), &product())).await, reads(1, 0.5));
}

#[tokio::test]
async fn what_is_not_there_costs_as_much() {
    let shop = shop().await;
    assert_eq!(cost(&shop, shop.cooling.get(&shopper(1), &product())).await, reads(1, 0.5));
    assert_eq!(cost(&shop, shop.reservations.get(&shopper(1), &product())).await, reads(1, 1.0));
    assert_eq!(cost(&shop, shop.sales.get(&product())).await, reads(1, 0.5));
}

#[tokio::test]
async fn a_page_of_orders_is_one_query() {
    let shop = shop().await;
    for number in 1..=25 {
        let id = id_in(&format!("sale-{number}").parse().unwrap(), number);
        shop.orders.place(&Order { id, ..waiting_order(1) }).await.unwrap();
    }
    // Twenty orders of some 600 bytes are 12 KB, at half a unit for each 4 KB.
    assert_eq!(cost(&shop, shop.orders.of_shopper(&shopper(1), None)).await, reads(1, 1.5));
}

#[tokio::test]
async fn an_attempt_and_the_sandboxs_books_are_a_unit() {
    let shop = shop().await;
    let sandbox = GatewayName("sandbox".into());
    shop.attempts.begin(&key(1), &sandbox).await.unwrap();
    assert_eq!(cost(&shop, shop.attempts.get(&key(1))).await, reads(1, 1.0));
    let charged = Entry::asked(EntryState::Charged, price(), price(), &method("sandbox:ok"));
    shop.books.settle(&sandbox, &key(1), &charged).await.unwrap();
    assert_eq!(cost(&shop, shop.books.get(&sandbox, &key(1))).await, reads(1, 1.0));
}

#[tokio::test]
async fn a_sale_is_half_a_unit_and_a_whole_one_to_write_it() {
    let shop = shop().await;
    shop.sales.prepare(&sale(&product(), 1_000), None).await.unwrap();
    assert_eq!(cost(&shop, shop.sales.get(&product())).await, reads(1, 0.5));
    assert_eq!(cost(&shop, shop.sales.get_for_write(&product())).await, reads(1, 1.0));
}

#[tokio::test]
async fn the_catalogue_is_one_query_and_one_batch_and_its_stock_another() {
    let shop = shop().await;
    assert_eq!(cost(&shop, shop.sales.page(Catalogue::Live, None)).await, reads(1, 0.5), "nothing is listed");
    for number in 0..100 {
        let sale = sale(&format!("sale-{number}").parse().unwrap(), 1_000);
        shop.sales.prepare(&sale, None).await.unwrap();
        shop.sales.list(&sale.product).await.unwrap();
    }
    assert_eq!(cost(&shop, shop.sales.page(Catalogue::Live, None)).await, reads(2, 50.5));

    let products: Vec<_> =
        shop.sales.page(Catalogue::Live, None).await.unwrap().sales.into_iter().map(|(product, _)| product).collect();
    for product in &products {
        let untouched = Availability::untouched(&ShardLayout::new(1_000, 40), at(NOW));
        shop.availabilities.put(product, &untouched, 0).await.unwrap();
    }
    assert_eq!(cost(&shop, shop.availabilities.get_all(&products)).await, reads(1, 50.0));
}

#[tokio::test]
async fn availability_is_half_a_unit_up_to_2_000_shards() {
    let shop = shop().await;
    for (shards, units) in [(1, 0.5), (40, 0.5), (400, 0.5), (SaleDraft::MOST_SHARDS, 1.0)] {
        let product = format!("sale-{shards}").parse().unwrap();
        let untouched = Availability::untouched(&ShardLayout::new(shards * 25, shards), at(NOW));
        shop.availabilities.put(&product, &untouched, 0).await.unwrap();
        assert_eq!(cost(&shop, shop.availabilities.get(&product, false)).await, reads(1, units), "{shards} shards");
        assert_eq!(cost(&shop, shop.availabilities.get(&product, true)).await, reads(1, 2.0 * units), "{shards} shards");
    }
}

#[tokio::test]
async fn health_costs_half_a_unit_a_table() {
    let shop = shop().await;
    assert_eq!(cost(&shop, store::touch(&shop.client, shop.dynamo.order_table())).await, reads(1, 0.5));
}
