//! Stream records: taken in, repeated, unreadable, and processed while other writers change the item.

use domain::{Availability, Quantity};
use kit::workers::StreamEvent;
use test_aws::{Calls, Fault, every_crash};
use test_shop::{Buyer, END, NOW, Shop, Stage, demo};

use crate::workers::refresh_availability::{as_the_shards_are, catch_up, event_of, handle, known, on, unstamped};

#[tokio::test]
async fn a_claim_is_taken_in() {
    let shop = Shop::open().await;
    shop.clock.set("2026-11-01T12:01:07Z");
    assert_eq!(on(&shop, "ok").await, None);
    let expected = Availability {
        as_of: "2026-11-01T12:01:07Z".parse().unwrap(),
        version: 2,
        free: vec![24, 25, 25, 25],
        held: vec![1, 0, 0, 0],
        half_ends: vec![Some(END.parse().unwrap()), None, None, None],
        units: 100,
        next_hold_ends_at: Some(END.parse().unwrap()),
        sold_out_at: None,
    };
    assert_eq!(shop.availability(&demo()).await, expected);
}

#[tokio::test]
async fn of_each_shard_the_last_record_counts() {
    let shop = Shop::open().await;
    assert_eq!(on(&shop, "claim-sell-release").await, None);
    assert_eq!(known(&shop).await, (99, 0, 1));
    assert_eq!(shop.availability(&demo()).await.free, [24, 25, 25, 25]);
}

#[tokio::test]
async fn units_that_are_taken_back_are_available() {
    let shop = Shop::open().await;
    on(&shop, "claim-sell-release").await;
    assert_eq!(on(&shop, "taken-back").await, None);
    assert_eq!(known(&shop).await, (100, 0, 0));
}

#[tokio::test]
async fn new_shards_are_taken_in() {
    let shop = Shop::open().await;
    assert_eq!(on(&shop, "shards-created").await, None);
    assert_eq!(known(&shop).await, (100, 0, 0));
}

/// The stream of the real engine: a sale is made, and purchases reach every stage.
#[tokio::test]
async fn whatever_purchases_do_to_the_shards_is_taken_in() {
    for stage in Stage::ALL {
        let shop = Shop::open().await;
        shop.bring(&Buyer::first(), stage).await;
        shop.bring(&Buyer::second(), Stage::Held).await;
        catch_up(&shop).await;
        assert_eq!(known(&shop).await, shop.units(&demo()).await, "{stage:?}");
        let (free, held) = as_the_shards_are(&shop, &demo()).await;
        let item = shop.availability(&demo()).await;
        assert_eq!((item.free, item.held), (free, held), "{stage:?}");
    }
}

#[tokio::test]
async fn a_batch_that_comes_again_ends_the_same() {
    for event in ["ok", "claim-sell-release", "shards-created", "taken-back"] {
        let shop = Shop::open().await;
        on(&shop, event).await;
        let once = unstamped(shop.availability(&demo()).await);
        for _ in 0..2 {
            assert_eq!(on(&shop, event).await, None, "{event}");
        }
        assert_eq!(unstamped(shop.availability(&demo()).await), once, "{event}");
    }
}

/// The first run had taken in only a part of the batch when it died.
#[tokio::test]
async fn a_batch_that_was_taken_in_by_half_ends_the_same() {
    let whole = event_of("claim-sell-release");
    for half in 1..whole.records.len() {
        let shop = Shop::open().await;
        let mut part = StreamEvent::default();
        part.records = whole.records[..half].to_vec();
        handle(&shop, &Calls::new(), part).await;
        assert_eq!(handle(&shop, &Calls::new(), whole.clone()).await, None);
        assert_eq!(known(&shop).await, (99, 0, 1), "after {half} records");
    }
}

#[tokio::test]
async fn a_batch_costs_one_write_to_each_sale() {
    let shop = Shop::open().await;
    let calls = Calls::new();
    handle(&shop, &calls, event_of("claim-sell-release")).await;
    assert_eq!((calls.count("PutItem"), calls.count("GetItem"), calls.total()), (1, 2, 3));
}

#[tokio::test]
async fn its_own_writes_and_those_of_the_sale_are_not_taken_in() {
    let shop = Shop::open().await;
    let (calls, before) = (Calls::new(), shop.everything().await);
    assert_eq!(handle(&shop, &calls, event_of("own-write")).await, None);
    assert_eq!(handle(&shop, &calls, StreamEvent::default()).await, None);
    assert_eq!(calls.total(), 0, "or it would write for ever");
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_from_being_taken_in() {
    let (with, without) = (Shop::open().await, Shop::open().await);
    let mut event = event_of("malformed-image");
    event.records.extend(event_of("claim-sell-release").records);
    assert_eq!(handle(&with, &Calls::new(), event).await, None, "it would read no better again");
    assert_eq!(on(&without, "claim-sell-release").await, None);
    assert_eq!(with.availability(&demo()).await, without.availability(&demo()).await);
}

#[tokio::test]
async fn a_batch_that_could_not_be_taken_in_comes_again() {
    for (operation, fault) in [
        ("GetItem", Fault::LostRequest),
        ("PutItem", Fault::Throttled),
        ("PutItem", Fault::LostAnswer),
        ("PutItem", Fault::Denied),
    ] {
        let shop = Shop::open().await;
        let calls = Calls::new();
        calls.fail_always(operation, fault);
        let first = Some("4421584500000000017450439001".to_owned());
        assert_eq!(handle(&shop, &calls, event_of("ok")).await, first, "{operation} {fault:?}");
        calls.heal();
        assert_eq!(handle(&shop, &calls, event_of("ok")).await, None, "{operation} {fault:?}");
        assert_eq!(known(&shop).await, (99, 1, 0), "{operation} {fault:?}");
    }
}

/// The answer to the write is lost. The SDK sends the write again and finds its own version, not the one that the function read.
#[tokio::test]
async fn a_version_that_was_written_in_between_is_read_and_the_fold_made_again() {
    let shop = Shop::open().await;
    let calls = Calls::new();
    calls.fail_next("PutItem", Fault::LostAnswer);
    assert_eq!(handle(&shop, &calls, event_of("ok")).await, None);
    assert_eq!(calls.failed("ConditionalCheckFailedException"), 1);
    assert_eq!((calls.count("PutItem"), shop.availability(&demo()).await.version), (3, 3));
    assert_eq!(known(&shop).await, (99, 1, 0));
}

/// Two runs take in two parts of the stream side by side, while losers mark the sale. No run's fold is lost.
#[tokio::test]
async fn writers_beside_each_other_lose_nothing() {
    let shop = Shop::open().await;
    catch_up(&shop).await;
    shop.bring(&Buyer::first(), Stage::Held).await;
    let first = shop.dynamo.stock_event();
    shop.bring(&Buyer::second(), Stage::Completed).await;
    let second = shop.dynamo.stock_event();
    let calls = Calls::new();
    let mark = async {
        for _ in 0..5 {
            let version = shop.availability(&demo()).await.version;
            let _ = shop.uncounted().availabilities().mark_sold_out(&demo(), version, shop.now()).await.unwrap();
        }
    };
    let (one, other, ()) = tokio::join!(handle(&shop, &calls, first), handle(&shop, &calls, second), mark);
    assert_eq!((one, other), (None, None));
    // The last mark may stay until the next record.
    shop.bring(&Buyer::number(3), Stage::Held).await;
    catch_up(&shop).await;
    assert_eq!(known(&shop).await, (96, 2, 2));
}

#[tokio::test]
async fn a_fold_that_was_cut_off_is_made() {
    every_crash(async |calls| {
        let shop = Shop::open().await;
        let died = handle(&shop, calls, event_of("claim-sell-release")).await;
        calls.heal();
        assert_eq!(handle(&shop, calls, event_of("claim-sell-release")).await, None, "after {died:?}");
        assert_eq!(known(&shop).await, (99, 0, 1), "after {died:?}");
    })
    .await;
}

/// A reader of the item shows an end that is too early, never one that is too late.
#[tokio::test]
async fn no_hold_ends_before_the_end_that_is_known() {
    let shop = Shop::open().await;
    shop.bring(&Buyer { quantity: Quantity::ONE, ..Buyer::second() }, Stage::Held).await;
    catch_up(&shop).await;
    assert_eq!(shop.availability(&demo()).await.next_hold_ends_at, Some(END.parse().unwrap()));
    shop.clock.set(END);
    on(&shop, "shards-created").await;
    assert_eq!(shop.availability(&demo()).await.next_hold_ends_at, None, "it has passed");
    shop.clock.set(NOW);
}
