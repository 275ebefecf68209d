//! Processes die or hang between any two requests: a request with the same key, or with another one, finishes the restock.

use change_sale_status::ChangeSaleStatus;
use domain::{Quantity, SaleDraft, SignedDuration};
use kit::Response;
use test_aws::{Calls, Interleaving, every_crash, every_interleaving, passing_faults};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo, draft, tells_that_a_table_fails};

use crate::operators::restock_sale::{function, has, restock};

#[tokio::test]
async fn a_restock_that_was_cut_off_is_finished_once_by_the_same_key() {
    every_crash(async |calls| {
        let shop = Shop::open().await;
        let first = brief(&function(&shop, calls).handle(restock("one", 60)).await);
        assert!(matches!(first.as_str(), "200" | "503 try-again"), "{first}");
        calls.heal();
        for _ in 0..2 {
            assert_eq!(brief(&function(&shop, calls).handle(restock("one", 60)).await), "200", "{first}");
            has(&shop, &[60], &first).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_restock_that_was_cut_off_is_finished_by_another_key_before_its_own() {
    every_crash(async |calls| {
        let shop = Shop::open().await;
        let first = brief(&function(&shop, calls).handle(restock("one", 60)).await);
        let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
        let was_begun = stored.unfinished.is_some() || !stored.restocks.is_empty();
        calls.heal();
        assert_eq!(brief(&function(&shop, calls).handle(restock("two", 30)).await), "200", "{first}");
        has(&shop, if was_begun { &[60, 30] } else { &[30] }, &first).await;
        assert_eq!(brief(&function(&shop, calls).handle(restock("one", 60)).await), "200", "{first}");
        has(&shop, if was_begun { &[60, 30] } else { &[30, 60] }, &first).await;
    })
    .await;
}

/// A restock that was cut off is not part of the sale until a request finishes it: the stock is unchanged.
#[tokio::test]
async fn while_a_restock_is_unfinished_the_sale_is_as_it_was() {
    every_crash(async |calls| {
        let shop = Shop::open().await;
        shop.bring(&Buyer::first(), Stage::Held).await;
        let first = brief(&function(&shop, calls).handle(restock("one", 60)).await);
        let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
        let (units, shards) = if sale.layout.shards() == 4 { (100, 4) } else { (160, 7) };
        assert_eq!((sale.layout.units(), sale.layout.shards()), (units, shards), "{first}");
        assert_eq!(shop.units(&demo()).await, (units - 1, 1, 0), "{first}");
    })
    .await;
}

#[tokio::test]
async fn one_fault_is_overcome() {
    for (operation, fault) in passing_faults(&["GetItem", "PutItem"]) {
        let (shop, calls) = (Shop::open().await, Calls::new());
        calls.fail_next(operation, fault);
        let line = brief(&function(&shop, &calls).handle(restock("one", 60)).await);
        assert_eq!(line, "200", "{operation} {fault:?}");
        has(&shop, &[60], &format!("{operation} {fault:?}")).await;
    }
}

#[tokio::test]
async fn a_fault_that_stays_is_503_and_one_that_is_for_good_500() {
    let calls = Calls::new();
    let ask = async || function(&Shop::open().await, &calls).handle(restock("one", 60)).await;
    tells_that_a_table_fails(&calls, &["GetItem", "PutItem"], ask).await;
}

#[tokio::test]
async fn a_restock_that_takes_longer_than_one_request_advances_with_each_and_makes_no_shard_twice() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    // One unit per shard. In 15 s a run makes 300 requests.
    shop.sale(&demo(), SaleDraft { units: 4, shards: Some(4), max_per_shopper: Quantity::ONE, ..draft() }).await;
    calls.slow_down(&shop.clock, SignedDuration::from_millis(50));
    let function = function(&shop, &calls);
    let mut came_to = Vec::new();
    while brief(&function.handle(restock("one", 900)).await) == "503 try-again" {
        let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
        came_to.push(stored.unfinished.unwrap().shards_ready);
    }
    assert_eq!(came_to, [320, 640]);
    assert_eq!(shop.units(&demo()).await, (904, 0, 0));
    // The shards, and the sale: described, noted twice, finished; its availability.
    assert_eq!(calls.count("PutItem"), 900 + 4 + 1);
}

/// The answers to a restock of 60 units that hangs, and to another request meanwhile.
async fn beside_a_restock(hangs: &Interleaving, shop: &Shop, other: impl Future<Output = Response>) -> [String; 2] {
    let restocking = function(shop, &hangs.calls);
    let (restocked, other) = hangs.run(restocking.handle(restock("one", 60)), other).await;
    [brief(&restocked), brief(&other)]
}

/// An operator clicks twice.
#[tokio::test]
async fn the_same_key_twice_at_once_adds_its_units_once() {
    every_interleaving(async |interleaving| {
        let shop = Shop::open().await;
        let other = function(&shop, &Calls::new());
        assert_eq!(beside_a_restock(interleaving, &shop, other.handle(restock("one", 60))).await, ["200", "200"]);
        has(&shop, &[60], "twice").await;
    })
    .await;
}

#[tokio::test]
async fn two_operators_at_once_add_the_units_of_both() {
    every_interleaving(async |interleaving| {
        let shop = Shop::open().await;
        let other = function(&shop, &Calls::new());
        assert_eq!(beside_a_restock(interleaving, &shop, other.handle(restock("two", 30))).await, ["200", "200"]);
        let first = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap().restocks[0].extent.units;
        has(&shop, if first == 60 { &[60, 30] } else { &[30, 60] }, "both").await;
    })
    .await;
}

fn change_status(shop: &Shop, calls: &Calls) -> Judged<ChangeSaleStatus> {
    shop.wire(calls)
}

fn to(action: &str) -> kit::Request {
    let path = format!("/admin/flash-sales/demo/{action}");
    test_aws::request("POST", &path).path_parameter("product_id", "demo").shopper("operator-2").group("ops").build()
}

#[tokio::test]
async fn a_sale_that_is_paused_meanwhile_is_restocked_and_stays_paused() {
    every_interleaving(async |interleaving| {
        let shop = Shop::open().await;
        let pausing = change_status(&shop, &Calls::new());
        assert_eq!(beside_a_restock(interleaving, &shop, pausing.handle(to("pause"))).await, ["200", "200"]);
        let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
        assert_eq!(sale.status, domain::SaleStatus::Paused);
        has(&shop, &[60], "paused").await;
    })
    .await;
}

#[tokio::test]
async fn a_sale_that_is_closed_meanwhile_is_restocked_before_or_not_at_all() {
    every_interleaving(async |interleaving| {
        let shop = Shop::open().await;
        let closing = change_status(&shop, &Calls::new());
        let [restocked, closed] = beside_a_restock(interleaving, &shop, closing.handle(to("close"))).await;
        assert_eq!(closed, "200");
        let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
        let units = if restocked == "200" { 160 } else { 100 };
        assert!(matches!(restocked.as_str(), "200" | "409 sale-ended"), "{restocked}");
        assert_eq!((sale.status, sale.layout.units()), (domain::SaleStatus::Closed, units));
        assert_eq!(shop.units(&demo()).await, (units, 0, 0));
    })
    .await;
}
