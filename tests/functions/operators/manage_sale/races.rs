//! A slow run, and another operator who finishes first: the sale that the second has made and opened stays as it is.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use domain::{SaleStatus, ShardNumber};
use kit::Response;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, brief};

use crate::operators::manage_sale::{body, drop_id, function, is_made_of, put, shards};

/// Runs `slow` until it has made `most` requests, and then suspends it. `Some` if it has ended before.
async fn runs_until(calls: &Calls, most: usize, mut slow: Pin<&mut impl Future<Output = Response>>) -> Option<Response> {
    std::future::poll_fn(|context: &mut Context<'_>| match slow.as_mut().poll(context) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        Poll::Pending if calls.total() >= most => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// A sale of `units` units that opens at once, in `shards` shards.
fn open(units: u32, shards: u32) -> Value {
    let mut body = body(units);
    body["starts_at"] = json!("2026-11-01T12:00:00Z");
    body["shards"] = json!(shards);
    body
}

/// Suspends the request `slow` after its first `most` requests to the tables, answers the request `fast`, and then lets `slow`
/// go on. Returns the shop and both answers. `None` if `slow` had ended before.
async fn overtaken(most: usize, slow: &Value, fast: &Value) -> Option<(Shop, String, String)> {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let (one, two) = (function(&shop, &calls), function(&shop, &Calls::new()));
    let mut slow_run = pin!(one.handle(put(slow)));
    if runs_until(&calls, most, slow_run.as_mut()).await.is_some() {
        return None;
    }
    let fast = brief(&two.handle(put(fast)).await);
    let slow = brief(&slow_run.await);
    Some((shop, slow, fast))
}

#[tokio::test]
async fn what_another_operator_has_opened_is_not_written_over_by_a_slow_run() {
    let mut overtook = 0;
    for most in 1.. {
        let Some((shop, slow, fast)) = overtaken(most, &open(12, 12), &open(20, 4)).await else { break };
        let context = format!("{most}: {slow}, {fast}");
        if fast == "409 sale-started" {
            assert_eq!(slow, "201", "{context}");
            is_made_of(&shop, 12, 12, &context).await;
            continue;
        }
        overtook += 1;
        assert!(matches!(fast.as_str(), "200" | "201"), "{context}");
        assert!(matches!(slow.as_str(), "503 try-again" | "409 sale-started"), "{context}");
        let sale = shop.uncounted().sales().get(&drop_id()).await.unwrap().unwrap();
        assert_eq!((sale.status, sale.layout.units(), sale.layout.shards()), (SaleStatus::Active, 20, 4), "{context}");
        assert_eq!(shop.units(&drop_id()).await, (20, 0, 0), "{context}");
        let availability = shop.availability(&drop_id()).await;
        assert_eq!((availability.units, availability.available(), availability.free.len()), (20, 20, 4), "{context}");
    }
    assert!(overtook > 3, "it was overtaken {overtook} times");
}

#[tokio::test]
async fn shards_that_another_operator_has_added_are_not_deleted_by_a_slow_run() {
    for most in 1.. {
        let Some((shop, slow, fast)) = overtaken(most, &open(10, 1), &open(12, 12)).await else { break };
        let (units, shards) = if slow == "201" { (10, 1) } else { (12, 12) };
        is_made_of(&shop, units, shards, &format!("{most}: {slow}, {fast}")).await;
    }
}

/// The second run finishes what the first is still doing, and shoppers reserve at once.
#[tokio::test]
async fn a_slow_run_leaves_what_shoppers_have_reserved_since_alone() {
    let buyers = [0, 1, 2].map(|shard| Buyer {
        shopper: format!("shopper-{shard}").parse().unwrap(),
        shard: ShardNumber(shard),
        ..Buyer::first().of(&drop_id())
    });
    for most in 1.. {
        let (shop, calls) = (Shop::empty().await, Calls::new());
        let (one, two) = (function(&shop, &calls), function(&shop, &Calls::new()));
        let request = || put(&open(30, 3));
        let mut slow_run = pin!(one.handle(request()));
        if runs_until(&calls, most, slow_run.as_mut()).await.is_some() {
            assert!(most > 5, "it was overtaken {most} times");
            break;
        }
        let fast = brief(&two.handle(request()).await);
        for buyer in &buyers {
            shop.bring(buyer, Stage::Claimed).await;
        }
        let slow = brief(&slow_run.await);
        let context = format!("{most}: {slow}, {fast}");
        assert!(matches!(fast.as_str(), "200" | "201"), "{context}");
        assert!(matches!(slow.as_str(), "200" | "201" | "503 try-again"), "{context}");
        assert_eq!(shop.units(&drop_id()).await, (27, 3, 0), "{context}");
    }
}

/// An operator clicks twice.
#[tokio::test]
async fn the_same_request_twice_at_once_makes_one_sale_and_neither_is_an_internal_error() {
    for most in 1.. {
        let Some((shop, slow, fast)) = overtaken(most, &open(40, 4), &open(40, 4)).await else { break };
        let context = format!("{most}: {slow}, {fast}");
        for line in [slow, fast] {
            assert!(matches!(line.as_str(), "200" | "201" | "503 try-again"), "{context}");
        }
        is_made_of(&shop, 40, 4, &context).await;
        assert_eq!(shards(&shop, &drop_id()).await.len(), 4, "{context}");
    }
}
