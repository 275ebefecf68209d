//! `feed-edge` on a real DynamoDB engine and a store that counts its versions as CloudFront's does: the gate knows what is
//! true, whatever run dies, hangs or comes twice.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use contract::GateValue;
use domain::{Exhausted, Quantity, SaleDraft, SaleStatus, ShardNumber, SignedDuration};
use feed_edge::{EdgeFeed, FeedEdge};
use kit::workers::StreamEvent;
use parts::FromParts;
use reconcile::Reconcile;
use test_aws::{Calls, Fault, event_as, every_crash, every_interleaving, passing_faults};
use test_shop::{Buyer, Shop, Stage, demo, draft};

const STORE: &str = "arn:aws:cloudfront::123456789012:key-value-store/gate";
/// The requests to the gate's store.
const TELLING: [&str; 3] = ["DescribeKeyValueStore", "PutKey", "DeleteKey"];

fn wire<F: FromParts>(shop: &Shop, calls: &Calls, store: &str) -> F {
    F::wire(&mut shop.parts_with(calls, &[("EDGE_STORE_ARN", store)])).unwrap()
}

/// Hands a sample event to the function. Returns the sequence number from which the stream continues.
async fn hand(shop: &Shop, calls: &Calls, event: &str) -> Option<String> {
    let event: StreamEvent = event_as(&format!("feed-edge/{event}.json"));
    test_shop::stream_batch(&wire::<FeedEdge>(shop, calls, STORE), event).await
}

/// Feeds the gate with `demo`, which must succeed. Returns the number of requests to its store.
async fn feed(shop: &Shop) -> usize {
    let calls = Calls::new();
    wire::<EdgeFeed>(shop, &calls, STORE).feed(&demo()).await.unwrap();
    TELLING.iter().map(|operation| calls.count(operation)).sum()
}

/// What the gate knows of `demo`.
fn known(shop: &Shop) -> Option<GateValue> {
    shop.edge.value("demo").map(|text| GateValue::read(&text).unwrap())
}

fn stock(shop: &Shop) -> Option<Exhausted> {
    known(shop)?.stock()
}

/// The holder of one of the two units.
fn holder(number: u32) -> Buyer {
    Buyer { quantity: Quantity::ONE, shard: ShardNumber(0), ..Buyer::number(number) }
}

/// A sale of two units, both of which are held.
async fn held() -> Shop {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: 2, shards: Some(1), ..draft() }).await;
    for number in 0..2 {
        shop.bring(&holder(number), Stage::Held).await;
    }
    shop.refresh_availability(&demo()).await;
    shop
}

/// The first holder's unit is available again.
async fn release_one(shop: &Shop) {
    let holder = holder(0);
    shop.uncounted().stock().release(holder.shard, &holder.shopper, &holder.id).await.unwrap();
    shop.refresh_availability(&demo()).await;
}

async fn set_status(shop: &Shop, status: SaleStatus) {
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    shop.uncounted().sales().change_status(&stored, status, shop.now()).await.unwrap();
}

#[tokio::test]
async fn without_a_stack_at_the_edge_it_makes_no_request() {
    let (shop, calls) = (held().await, Calls::new());
    let event: StreamEvent = event_as("feed-edge/several.json");
    assert_eq!(test_shop::stream_batch(&shop.wire::<FeedEdge>(&calls), event).await, None);
    assert_eq!((calls.total(), shop.edge.writes()), (0, 0));
}

#[tokio::test]
async fn the_gate_is_told_once_of_each_change() {
    let shop = Shop::open().await;
    assert_eq!(feed(&shop).await, 2, "its version, then the value");
    let open = known(&shop).unwrap();
    assert_eq!((open.stock(), feed(&shop).await), (None, 0), "it knows");
    for (status, requests) in [(SaleStatus::Paused, 2), (SaleStatus::Active, 2), (SaleStatus::Closed, 2), (SaleStatus::Closed, 0)]
    {
        set_status(&shop, status).await;
        assert_eq!(feed(&shop).await, requests, "{status:?}");
        let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
        assert_eq!(known(&shop), Some(GateValue::new(&sale, None)), "{status:?}");
    }
}

#[tokio::test]
async fn the_gate_knows_that_a_sale_is_sold_out_until_the_first_hold_ends_at_most() {
    let shop = held().await;
    feed(&shop).await;
    let told = stock(&shop).unwrap();
    let ends = shop.shards(&demo()).await.iter().filter_map(domain::StockShard::next_hold_ends_at).min().unwrap();
    assert_eq!((told.held, told.next_ends_at), (2, Some(ends)));
    assert_eq!(told.until, ends.min(shop.now() + Exhausted::LASTS));
    // One hold is paid, and the other one is prolonged or paid: the end moves on.
    for number in 0..2 {
        let holder = holder(number);
        shop.uncounted().stock().sell(holder.shard, &holder.shopper, &holder.id, Quantity::ONE).await.unwrap();
    }
    shop.refresh_availability(&demo()).await;
    shop.clock.set_to(told.until);
    feed(&shop).await;
    let told = stock(&shop).unwrap();
    assert_eq!((told.held, told.next_ends_at, told.until), (0, None, shop.now() + Exhausted::LASTS_WHEN_SOLD));
}

#[tokio::test]
async fn a_unit_that_comes_back_opens_the_gate_at_once() {
    let shop = held().await;
    feed(&shop).await;
    assert!(stock(&shop).is_some());
    release_one(&shop).await;
    assert_eq!(feed(&shop).await, 2);
    assert_eq!(stock(&shop), None);
}

/// The availability item may be wrong for a moment. The shards are not.
#[tokio::test]
async fn the_gate_is_told_of_no_sold_out_that_the_shards_do_not_show() {
    let shop = Shop::open().await;
    let version = shop.availability(&demo()).await.version;
    assert!(shop.uncounted().availabilities().mark_sold_out(&demo(), version, shop.now()).await.unwrap());
    feed(&shop).await;
    assert_eq!(stock(&shop), None);
    assert_eq!(feed(&shop).await, 0);
}

#[tokio::test]
async fn a_sale_that_is_deleted_is_forgotten() {
    let shop = Shop::open().await;
    feed(&shop).await;
    set_status(&shop, SaleStatus::Closed).await;
    let delete = shop.uncounted().dynamodb().delete_item().table_name(shop.dynamo.stock_table());
    let key = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    delete.key("pk", key("SALE#demo")).key("sk", key("META")).send().await.unwrap();
    feed(&shop).await;
    assert_eq!((shop.edge.value("demo"), feed(&shop).await), (None, 0));
    // Nobody ever told the gate of this one.
    let calls = Calls::new();
    assert_eq!(hand(&shop, &calls, "sale-deleted").await, None);
    assert_eq!(TELLING.map(|operation| calls.count(operation)), [0, 0, 0]);
}

#[tokio::test]
async fn each_sample_event_is_handled_and_its_sales_are_known() {
    for (event, products) in [
        ("ok", &["sold-out"][..]),
        ("sale-made", &["demo"]),
        ("sale-closed", &["demo"]),
        ("sale-deleted", &[]),
        ("several", &["demo", "sold-out"]),
        ("shard", &[]),
    ] {
        let shop = Shop::open().await;
        shop.sold_out(draft(), &Buyer::first()).await;
        assert_eq!(hand(&shop, &Calls::new(), event).await, None, "{event}");
        let known: Vec<&str> = ["demo", "sold-out"].into_iter().filter(|product| shop.edge.value(product).is_some()).collect();
        assert_eq!(known, products, "{event}");
    }
}

/// The run dies at any of its requests. The stream delivers the batch again, even if the sale is as it was before by then.
#[tokio::test]
async fn a_run_that_dies_leaves_nothing_that_the_next_one_does_not_mend() {
    for comes_back in [false, true] {
        every_crash(async |calls| {
            let shop = held().await;
            release_one(&shop).await;
            feed(&shop).await;
            shop.bring(&Buyer { id: Buyer::number(5).id, ..holder(5) }, Stage::Held).await;
            shop.refresh_availability(&demo()).await;
            let run = wire::<EdgeFeed>(&shop, calls, STORE).feed(&demo()).await;
            assert_eq!(run.is_err(), calls.has_crashed());
            calls.heal();
            if comes_back {
                let last = holder(5);
                shop.uncounted().stock().release(last.shard, &last.shopper, &last.id).await.unwrap();
                shop.refresh_availability(&demo()).await;
            }
            feed(&shop).await;
            assert_eq!(stock(&shop).is_none(), comes_back);
            assert_eq!(feed(&shop).await, 0, "its record is right");
        })
        .await;
    }
}

/// A run hangs before one of its requests. Meanwhile the sale changes, and another run tells the gate. Then the first run goes
/// on with what it has read before.
#[tokio::test]
async fn a_run_that_hangs_never_has_the_last_word_with_old_news() {
    every_interleaving(async |interleaving| {
        let shop = held().await;
        let hung = wire::<EdgeFeed>(&shop, &interleaving.calls, STORE);
        let (hung, ()) = interleaving
            .run(hung.feed(&demo()), async {
                release_one(&shop).await;
                feed(&shop).await;
            })
            .await;
        hung.unwrap();
        assert_eq!(stock(&shop), None, "a unit is available");
        assert_eq!(feed(&shop).await, 0, "its record is right");
    })
    .await;
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for (operation, fault) in passing_faults(&["GetItem", "PutItem", "UpdateItem", "DescribeKeyValueStore", "PutKey"]) {
        let (shop, calls) = (Shop::open().await, Calls::new());
        calls.fail_next(operation, fault);
        wire::<EdgeFeed>(&shop, &calls, STORE).feed(&demo()).await.unwrap();
        assert!(known(&shop).is_some(), "{operation} {fault:?}");
        assert_eq!(feed(&shop).await, 0, "{operation} {fault:?}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_makes_the_stream_deliver_again() {
    let (shop, calls) = (Shop::open().await, Calls::new());
    calls.fail_always("PutKey", Fault::ServerError);
    assert!(hand(&shop, &calls, "sale-made").await.is_some());
    calls.heal();
    assert_eq!(hand(&shop, &calls, "sale-made").await, None);
    assert!(known(&shop).is_some());
}

/// The minute's run of `reconcile` renews what is about to end, tells a new store of every sale, and is silent otherwise.
#[tokio::test]
async fn reconcile_renews_what_ends_and_feeds_a_new_store() {
    let shop = held().await;
    for number in 0..2 {
        let holder = holder(number);
        shop.uncounted().stock().sell(holder.shard, &holder.shopper, &holder.id, Quantity::ONE).await.unwrap();
    }
    shop.refresh_availability(&demo()).await;
    let run = async |store: &str| {
        let reconcile = wire::<Reconcile>(&shop, &Calls::new(), store);
        let found = reconcile.run(shop.now() + SignedDuration::from_secs(40)).await.unwrap();
        assert!(!found.failed.contains(&demo()), "{found:?}");
        shop.edge.writes()
    };
    assert_eq!(run(STORE).await, 1);
    let first = stock(&shop).unwrap().until;
    for (minute, writes) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)] {
        shop.clock.advance_seconds(60);
        assert_eq!(run(STORE).await, writes, "minute {minute}");
    }
    assert!(stock(&shop).unwrap().until > first);
    assert_eq!(run("arn:aws:cloudfront::123456789012:key-value-store/other").await, 3, "a new stack at the edge");
}
