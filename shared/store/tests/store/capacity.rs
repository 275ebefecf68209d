//! What each access costs, in requests, read request units and write request units. docs/ACCESS_PATTERNS.md has the same
//! numbers.
//!
//! A write whose condition is false costs as much as if it were true; DynamoDB does not report it.

use std::future::Future;

use domain::{Availability, GatewayName, Order, OrderStep, Sale, SaleDraft, SaleStatus, ShardLayout};
use store::{Ending, Entry, EntryState, StoreError};

use crate::shop::{
    END, NOW, SHARD, Shop, at, hold, id, id_in, key, method, pending_order, price, product, reservation, shopper, units,
    uuid_shopper, waiting_order,
};

#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    requests: usize,
    read: f64,
    write: f64,
}

fn reads(requests: usize, read: f64) -> Cost {
    Cost { requests, read, write: 0.0 }
}

fn writes(requests: usize, write: f64) -> Cost {
    Cost { requests, read: 0.0, write }
}

async fn cost<T>(shop: &Shop, access: impl Future<Output = Result<T, StoreError>>) -> Cost {
    shop.calls.reset();
    access.await.unwrap();
    Cost { requests: shop.calls.total(), read: shop.calls.read_units(), write: shop.calls.write_units() }
}

#[tokio::test]
async fn a_move_is_one_write() {
    let shop = Shop::with_units(25).await;
    let (one, id) = (uuid_shopper(1), id(1));
    assert_eq!(cost(&shop, shop.stock.claim(SHARD, &one, &hold(1, 1))).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.stock.sell(SHARD, &one, &id, units(1))).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.stock.take_back(SHARD, &one, &id)).await, writes(1, 1.0));
    shop.stock.claim(SHARD, &one, &hold(1, 1)).await.unwrap();
    assert_eq!(cost(&shop, shop.stock.release(SHARD, &one, &id)).await, writes(1, 1.0));
}

#[tokio::test]
async fn a_claim_costs_a_unit_for_each_kilobyte_that_the_shard_has_grown_to() {
    let shop = Shop::with_units(25).await;
    let mut costs = Vec::new();
    for number in 1..=25 {
        costs.push(cost(&shop, shop.stock.claim(SHARD, &uuid_shopper(number), &hold(number, 1))).await.write);
    }
    println!("{costs:?}");
}

#[tokio::test]
async fn shards_cost_one_write_or_read_each() {
    let shop = Shop::open().await;
    let layout = ShardLayout { units: 1_000, shards: 40 };
    assert_eq!(cost(&shop, shop.stock.create(&product(), layout)).await, writes(40, 40.0));
    assert_eq!(cost(&shop, shop.stock.read_all(&product(), layout)).await, reads(1, 40.0));
    assert_eq!(cost(&shop, shop.stock.delete(&product(), 0, 40)).await, writes(40, 40.0));
}

#[tokio::test]
async fn a_winner_costs_two_writes() {
    let shop = Shop::with_units(25).await;
    let reservation = reservation(1);
    let win = async {
        shop.stock.claim(SHARD, &shopper(1), &hold(1, 1)).await?;
        shop.reservations.open(&reservation).await
    };
    assert_eq!(cost(&shop, win).await, writes(2, 2.0));
}

#[tokio::test]
async fn a_reservation_is_one_write_or_read() {
    let shop = Shop::open().await;
    let mine = reservation(1);
    assert_eq!(cost(&shop, shop.reservations.open(&mine)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.reservations.get(&shopper(1), &product())).await, reads(1, 1.0));
    assert_eq!(cost(&shop, shop.reservations.end(&shopper(1), &id(1), Ending::Cancelled)).await, writes(1, 1.0));
}

#[tokio::test]
async fn an_order_is_written_twice_itself_and_its_place_in_the_index() {
    let shop = Shop::open().await;
    let order = waiting_order(1);
    assert_eq!(cost(&shop, shop.orders.place(&order)).await, writes(1, 2.0));
    assert_eq!(cost(&shop, shop.orders.get(&id(1))).await, reads(1, 1.0));
    assert_eq!(cost(&shop, shop.orders.expire(&id(1), at(END))).await, writes(1, 2.0));
}

#[tokio::test]
async fn a_page_of_orders_is_one_query() {
    let shop = Shop::open().await;
    for number in 1..=25 {
        let id = id_in(&format!("sale-{number}").parse().unwrap(), number);
        shop.orders.place(&Order { id, ..waiting_order(1) }).await.unwrap();
    }
    println!("page {:?}", cost(&shop, shop.orders.of_shopper(&shopper(1), None)).await);
}

#[tokio::test]
async fn a_step_of_a_purchase_is_one_transaction_at_twice_the_price() {
    let shop = Shop::open().await;
    shop.reservations.open(&reservation(1)).await.unwrap();
    let order = pending_order(1);
    let purchases = &shop.purchases;
    println!("start {:?}", cost(&shop, purchases.start(&order, at(NOW))).await);
    println!("failed {:?}", cost(&shop, purchases.payment_failed(&order, 1, at(END), "The card was declined.", at(NOW))).await);
    let waiting = shop.orders.get(&id(1)).await.unwrap().unwrap();
    println!("again {:?}", cost(&shop, purchases.start_again(&waiting, &method("sandbox:ok"), at(NOW))).await);
    println!(
        "complete {:?}",
        cost(&shop, purchases.complete(&order, 2, "sandbox_demo.01JD3V3Z5T8Q6W7X9Y0A000001-2", at(NOW))).await
    );
    let item = shop.raw(shop.dynamo.order_table(), &format!("ORDER#{}", id(1)), "ORDER").await;
    println!("{item:?}");
    shop.reservations.open(&reservation(2)).await.unwrap();
    let order = pending_order(2);
    purchases.start(&order, at(NOW)).await.unwrap();
    println!("end {:?}", cost(&shop, purchases.end(&order, 1, OrderStep::Failed, at(NOW))).await);
    let order = pending_order(3);
    shop.orders.place(&order).await.unwrap();
    println!("end_order {:?}", cost(&shop, purchases.end_order(&order, 1, OrderStep::RefundFailed, at(NOW))).await);
}

#[tokio::test]
async fn an_attempt_and_the_sandboxs_books_are_one_write_or_read() {
    let shop = Shop::open().await;
    let sandbox = GatewayName("sandbox".into());
    let attempt = shop.attempts.begin(&key(1), &sandbox).await.unwrap();
    assert_eq!(cost(&shop, shop.attempts.begin(&key(2), &sandbox)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.attempts.get(&key(1))).await, reads(1, 1.0));
    assert_eq!(cost(&shop, shop.attempts.replace(&attempt, &attempt)).await, writes(1, 1.0));

    let charged = Entry::asked(EntryState::Charged, price(), price(), &method("sandbox:ok"));
    assert_eq!(cost(&shop, shop.ledger.settle(&sandbox, &key(1), &charged)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.ledger.get(&sandbox, &key(1))).await, reads(1, 1.0));
    assert_eq!(cost(&shop, shop.ledger.count_refund_call(&sandbox, &key(1))).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.ledger.refund(&sandbox, &key(1))).await, Cost { requests: 2, read: 1.0, write: 1.0 });
    assert_eq!(cost(&shop, shop.ledger.void(&sandbox, &key(2))).await, writes(1, 1.0));
}

#[tokio::test]
async fn a_sale_is_one_write_and_half_a_read() {
    let shop = Shop::open().await;
    let sale = sale(1);
    assert_eq!(cost(&shop, shop.sales.prepare(&sale, None)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.sales.get(&sale.product)).await, reads(1, 0.5));
    assert_eq!(cost(&shop, shop.sales.get_for_write(&sale.product)).await, reads(1, 1.0));
    let prepared = shop.sales.get_for_write(&sale.product).await.unwrap().unwrap();
    assert_eq!(cost(&shop, shop.sales.activate(&prepared)).await, writes(1, 1.0));
    assert_eq!(cost(&shop, shop.sales.list(&sale.product)).await, writes(1, 1.0));
}

fn sale(number: u32) -> Sale {
    let draft = SaleDraft {
        name: "Phone".into(),
        description: Some("A phone.".into()),
        image_url: Some("https://example.com/phone.png".into()),
        price: price(),
        units: 1_000,
        starts_at: at(NOW),
        ends_at: at(END),
        hold_seconds: 300,
        max_per_shopper: units(1),
        admission: domain::Admission::Fcfs,
        shards: None,
    };
    Sale { product: format!("sale-{number}").parse().unwrap(), layout: draft.layout(), draft, status: SaleStatus::Preparing }
}

#[tokio::test]
async fn the_catalogue_is_one_query_and_one_batch() {
    let shop = Shop::open().await;
    assert_eq!(cost(&shop, shop.sales.catalogue()).await, reads(1, 0.5), "nothing is listed");
    for number in 0..100 {
        let sale = sale(number);
        shop.sales.prepare(&sale, None).await.unwrap();
        shop.sales.list(&sale.product).await.unwrap();
    }
    println!("catalogue {:?}", cost(&shop, shop.sales.catalogue()).await);
}

#[tokio::test]
async fn availability_costs_by_the_number_of_shards() {
    let shop = Shop::open().await;
    for (shards, read, write) in [(1, 0.5, 1.0), (40, 0.5, 1.0), (400, 0.5, 1.0), (4_000, 1.5, 9.0), (40_000, 10.0, 79.0)] {
        let product = format!("sale-{shards}").parse().unwrap();
        let untouched = Availability::untouched(ShardLayout { units: shards * 25, shards }, at(NOW));
        println!("{shards} put {:?}", cost(&shop, shop.availabilities.put(&product, &untouched, 0)).await);
        println!("{shards} get {:?}", cost(&shop, shop.availabilities.get(&product, false)).await);
        println!("{shards} cons {:?}", cost(&shop, shop.availabilities.get(&product, true)).await);
        println!("{shards} mark {:?}", cost(&shop, shop.availabilities.mark_sold_out(&product, 1, at(NOW))).await);
        let _ = (read, write);
    }
}

#[tokio::test]
async fn health_costs_half_a_read() {
    let shop = Shop::open().await;
    assert_eq!(cost(&shop, store::touch(&shop.client, shop.dynamo.order_table())).await, reads(1, 0.5));
}
