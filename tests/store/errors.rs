//! Errors that are not lost races: which of them a caller may try again, and their messages.

use domain::{OrderStep, ShardLayout};
use store::StoreError;
use test_aws::Fault;

use crate::shop::{NOW, SHARD, Shop, at, hold, pending_order, product, reservation, shopper, text};

#[tokio::test]
async fn what_may_pass_is_told_from_what_will_not() {
    let shop = Shop::with_units(5).await;
    for (fault, passes) in [
        (Fault::Throttled, true),
        (Fault::ServerError, true),
        (Fault::LostRequest, true),
        (Fault::LostAnswer, true),
        (Fault::Denied, false),
    ] {
        for operation in ["GetItem", "PutItem", "UpdateItem", "BatchGetItem", "Query", "TransactWriteItems"] {
            shop.calls.fail_always(operation, fault);
            let error = call(&shop, operation).await.unwrap_err();
            assert_eq!(error.is_passing(), passes, "{operation} {fault:?}: {error:?}");
            match error {
                StoreError::Unavailable { operation: named, .. } | StoreError::Refused { operation: named, .. } => {
                    assert_eq!(named, operation);
                }
                StoreError::Corrupt { .. } => panic!("{operation} {fault:?}: {error:?}"),
            }
            shop.calls.heal();
        }
    }
}

async fn call(shop: &Shop, operation: &str) -> Result<(), StoreError> {
    match operation {
        "GetItem" => shop.sales.get(&product()).await.map(drop),
        "PutItem" => shop.reservations.open(&reservation(1)).await.map(drop),
        "UpdateItem" => shop.stock.claim(SHARD, &shopper(1), &hold(1, 1)).await.map(drop),
        "BatchGetItem" => shop.stock.read_all(&product(), &ShardLayout::new(5, 1)).await.map(drop),
        "Query" => shop.orders.of_shopper(&shopper(1), None).await.map(drop),
        _ => shop.purchases.start(&pending_order(1), at(NOW)).await.map(drop),
    }
}

#[tokio::test]
async fn a_request_that_is_throttled_or_lost_now_and_then_is_sent_again() {
    let shop = Shop::with_units(5).await;
    for (number, fault) in (1..).zip([Fault::Throttled, Fault::ServerError, Fault::LostRequest]) {
        shop.calls.reset();
        shop.calls.fail_next("UpdateItem", fault);
        shop.stock.claim(SHARD, &shopper(number), &hold(number, 1)).await.unwrap();
        assert_eq!(shop.calls.count("UpdateItem"), 2, "{fault:?}");
    }
    assert_eq!(shop.shard().await.available(), 2);
}

#[tokio::test]
async fn a_table_that_is_not_there_is_refused_and_one_that_is_answers() {
    let shop = Shop::open().await;
    store::touch(&shop.client, shop.dynamo.stock_table()).await.unwrap();
    let error = store::touch(&shop.client, "no-such-table").await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { operation: "GetItem", .. }), "{error:?}");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_named_and_not_guessed_at() {
    let shop = Shop::open().await;
    let order = pending_order(1);
    let order_pk = format!("ORDER#{}", order.id);
    for (table, pk, sk) in [
        (shop.dynamo.stock_table(), "SALE#demo", "META"),
        (shop.dynamo.stock_table(), "SALE#demo", "AVAILABILITY"),
        (shop.dynamo.stock_table(), "SHARD#demo#0", "STOCK"),
        (shop.dynamo.reservation_table(), "SHOPPER#shopper-1", "SALE#demo"),
        (shop.dynamo.order_table(), order_pk.as_str(), "ORDER"),
    ] {
        let put = shop.client.put_item().table_name(table).item("pk", text(pk)).item("sk", text(sk));
        put.item("status", text("half-baked")).send().await.unwrap();
        let error = match sk {
            "META" => shop.sales.get(&product()).await.map(drop),
            "AVAILABILITY" => shop.availabilities.get(&product(), true).await.map(drop),
            "STOCK" => shop.stock.claim(SHARD, &shopper(1), &hold(1, 1)).await.map(drop),
            "ORDER" => shop.purchases.end(&order, 1, OrderStep::Failed, at(NOW)).await.map(drop),
            _ => shop.reservations.get(&shopper(1), &product()).await.map(drop),
        };
        let Err(StoreError::Corrupt { key, .. }) = error else { panic!("{pk} {sk}: {error:?}") };
        assert_eq!(key, format!("{pk} / {sk}"));
    }
}
