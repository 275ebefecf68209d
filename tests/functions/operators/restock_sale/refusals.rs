//! Every refusal of a restock. A refused request writes nothing.

use domain::{Quantity, RestockKey, SaleDraft, ShardLayout};
use insta::assert_snapshot;
use restock_sale::RestockSale;
use serde_json::json;
use test_aws::{Calls, event};
use test_shop::{Body, Shop, brief, demo, draft, refuses_what_every_route_refuses};

use crate::operators::restock_sale::{function, has, of_operator, restock, shop};

#[tokio::test]
async fn what_every_route_refuses() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let good = test_aws::request("POST", "/admin/flash-sales/demo/restock").path_parameter("product_id", "demo");
    let good = good.header("idempotency-key", "one");
    refuses_what_every_route_refuses::<RestockSale>(&shop, &good, Body::Required).await;
    let nobody_in_particular = good.shopper("shopper-1").json(&json!({"units": 1}));
    assert_eq!(brief(&function.handle(nobody_in_particular.build()).await), "403 forbidden");
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn without_a_key_that_can_be_kept_it_is_400() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    let response = function.handle(event("restock-sale/no-key.json")).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    400 Bad Request: malformed-request, The request cannot be read
    header Idempotency-Key: an idempotency key is 1 to 64 printable ASCII characters, such as a UUID
    {"pointer":""}
    "#);
    for key in ["", " ", &"x".repeat(65), "\u{e9}"] {
        assert_eq!(brief(&function.handle(restock(key, 1)).await), "400 malformed-request", "{key:?}");
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn units_out_of_their_limits_are_pointed_at() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    let function = function(&shop, &calls);
    for (units, expected) in [
        (json!(0), "422 invalid-request /units"),
        (json!(SaleDraft::MOST_UNITS + 1), "422 invalid-request /units"),
        (json!(-1), "400 malformed-request /units"),
        (json!(1.5), "400 malformed-request /units"),
        (json!("1"), "400 malformed-request /units"),
        (json!(null), "400 malformed-request /units"),
    ] {
        let request = of_operator().header("idempotency-key", "one").json(&json!({"units": units}));
        assert_eq!(brief(&function.handle(request.build()).await), expected, "{units}");
    }
    assert_eq!(calls.total(), 0);
    let with_the_hundred_too_many = SaleDraft::MOST_UNITS - 99;
    assert_eq!(brief(&function.handle(restock("one", with_the_hundred_too_many)).await), "422 invalid-request /units");
    has(&shop, &[], "refused").await;
}

#[tokio::test]
async fn the_same_key_with_other_units_is_422() {
    let shop = Shop::open().await;
    let function = function(&shop, &Calls::new());
    function.handle(restock("one", 30)).await;
    let before = shop.everything().await;
    let response = function.handle(restock("one", 31)).await;
    assert_snapshot!(test_aws::told(&response), @r"
    422 Unprocessable Entity: idempotency-key-reused, The key belongs to another request
    This Idempotency-Key was sent with other units before. A new restock has a new key.
    ");
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn the_same_key_with_other_units_is_422_also_while_the_restock_is_unfinished() {
    let shop = Shop::open().await;
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    let extent = stored.sale.restock(30).unwrap();
    shop.uncounted().sales().begin_restock(&stored, "one".parse().unwrap(), extent).await.unwrap();
    let before = shop.everything().await;
    let response = function(&shop, &Calls::new()).handle(restock("one", 31)).await;
    assert_eq!((brief(&response), shop.everything().await), ("422 idempotency-key-reused".to_owned(), before));
}

#[tokio::test]
async fn a_sale_that_is_over_closed_or_being_prepared_is_not_restocked() {
    let shop = shop().await;
    let before = shop.everything().await;
    let response = shop.ask::<RestockSale>("restock-sale/over").await;
    assert_eq!((brief(&response), shop.everything().await), ("409 sale-ended".to_owned(), before));
    for (status, expected) in [("CLOSED", "409 sale-ended"), ("PREPARING", "409 sale-in-preparation")] {
        shop.set_status(&demo(), status).await;
        let before = shop.everything().await;
        let response = function(&shop, &Calls::new()).handle(restock("one", 30)).await;
        assert_eq!((brief(&response).as_str(), shop.everything().await), (expected, before), "{status}");
    }
}

#[tokio::test]
async fn what_was_restocked_is_still_answered_when_the_sale_is_over() {
    let shop = Shop::open().await;
    function(&shop, &Calls::new()).handle(restock("one", 30)).await;
    shop.set_status(&demo(), "CLOSED").await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(restock("one", 30)).await), "200");
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(restock("two", 30)).await), "409 sale-ended");
}

#[tokio::test]
async fn a_sale_remembers_so_many_restocks_and_no_more() {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: 1, ..draft() }).await;
    let function = function(&shop, &Calls::new());
    for number in 0..RestockKey::MOST {
        assert_eq!(brief(&function.handle(restock(&number.to_string(), 1)).await), "200", "{number}");
    }
    let response = function.handle(restock("one more", 1)).await;
    assert_snapshot!(test_aws::told(&response), @r"
    409 Conflict: too-many-restocks, The sale was restocked too often
    A sale can be restocked 50 times.
    ");
    assert_eq!(brief(&function.handle(restock("0", 1)).await), "200");
    assert_eq!(shop.units(&demo()).await, (51, 0, 0));
}

/// The availability item has two bytes for each shard.
#[tokio::test]
async fn more_shards_than_a_sale_may_have_are_not_begun() {
    let shop = Shop::empty().await;
    let draft = SaleDraft { units: 10, shards: Some(10), max_per_shopper: Quantity::ONE, ..draft() };
    shop.sale(&demo(), draft).await;
    let before = shop.everything().await;
    let function = function(&shop, &Calls::new());
    let fill_every_shard = (SaleDraft::MOST_SHARDS - 10) * ShardLayout::MAX_UNITS_PER_SHARD;
    let response = function.handle(restock("one", fill_every_shard + 1)).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    422 Unprocessable Entity: invalid-request, A value is not allowed
    a sale has at most 4000 shards of at most 100 units, and this sale has too few left for this restock
    {"pointer":"/units"}
    "#);
    assert_eq!(shop.everything().await, before, "and the sale can still be restocked by less");
}
