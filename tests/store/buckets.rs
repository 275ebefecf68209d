//! The token buckets of shoppers: all environments together take no more tokens than the rate allows.

use std::collections::BTreeSet;

use domain::{ShopperRate, SignedDuration, Timestamp, TokenBucket};
use futures_util::future::join_all;
use store::{TakeOutcome, reservation_image};

use crate::shop::{NOW, Shop, at, clock, shopper};

/// A bucket of five tokens, of which one comes back in 200 ms.
fn five() -> ShopperRate {
    ShopperRate::new(5).unwrap()
}

fn after(start: Timestamp, millis: i64) -> Timestamp {
    start + SignedDuration::from_millis(millis)
}

impl Shop {
    /// Whether an environment that knows `known` gets a token.
    async fn gets_token(&self, known: TokenBucket, now: Timestamp) -> bool {
        match self.buckets.take(&shopper(1), five(), known, now).await.unwrap() {
            TakeOutcome::Taken(bucket) => bucket.full_at > now,
            TakeOutcome::Empty(bucket) => {
                assert!(bucket.take(five(), now).is_err(), "{bucket:?} has a token");
                false
            }
        }
    }
}

#[tokio::test]
async fn requests_at_once_get_as_many_tokens_as_there_are() {
    let (shop, now) = (Shop::open().await, at(NOW));
    for (millis, tokens) in [(0, 5), (0, 0), (199, 0), (200, 1), (1_000, 4), (10_000, 5)] {
        let at_once = (0..12).map(|_| shop.gets_token(TokenBucket::FULL, after(now, millis)));
        let taken = join_all(at_once).await.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, tokens, "after {millis} ms");
    }
}

#[tokio::test]
async fn two_environments_that_take_turns_get_what_one_would() {
    let (shop, start) = (Shop::open().await, at(NOW));
    let (mut known, mut alone, mut taken) = ([TokenBucket::FULL; 2], TokenBucket::FULL, 0);
    for step in 0..100 {
        let now = after(start, step * 37);
        let outcome = shop.buckets.take(&shopper(1), five(), known[usize::from(step % 2 == 1)], now).await.unwrap();
        assert_eq!(matches!(outcome, TakeOutcome::Taken(_)), alone.take(five(), now).is_ok(), "step {step}");
        let (TakeOutcome::Taken(bucket) | TakeOutcome::Empty(bucket)) = outcome;
        (alone, known[usize::from(step % 2 == 1)]) = (alone.take(five(), now).unwrap_or(alone), bucket);
        assert_eq!(bucket, alone, "step {step}");
        taken += u32::from(matches!(outcome, TakeOutcome::Taken(_)));
    }
    assert!((20..=24).contains(&taken), "{taken} in 3.7 s: five, and five in each second");
}

#[tokio::test]
async fn an_environment_that_knows_of_a_bucket_which_is_gone_gets_a_token() {
    let (shop, now) = (Shop::open().await, at(NOW));
    assert!(shop.gets_token(TokenBucket { full_at: after(now, 300) }, now).await);
    assert_eq!(
        shop.buckets.take(&shopper(1), five(), TokenBucket::FULL, now).await.unwrap(),
        TakeOutcome::Taken(TokenBucket { full_at: after(now, 400) })
    );
}

/// The environment's clock was hours ahead.
#[tokio::test]
async fn a_bucket_that_a_wrong_clock_wrote_shuts_nobody_out() {
    let (shop, now) = (Shop::open().await, at(NOW));
    assert!(shop.gets_token(TokenBucket::FULL, now + SignedDuration::from_hours(3)).await);
    for tokens_left in [true, true, true, true, true, false] {
        assert_eq!(shop.gets_token(TokenBucket::FULL, now).await, tokens_left);
    }
}

#[tokio::test]
async fn shoppers_have_a_bucket_each() {
    let (shop, now) = (Shop::open().await, at(NOW));
    let mut ends = BTreeSet::new();
    for number in 1..=2 {
        ends.insert(format!("{:?}", shop.buckets.take(&shopper(number), five(), TokenBucket::FULL, now).await.unwrap()));
    }
    assert_eq!(ends.len(), 1, "{ends:?}");
}

/// The record of its deletion is not one of a reservation that ended.
#[tokio::test]
async fn a_bucket_is_forgotten_an_hour_after_its_last_token() {
    let clock = clock();
    let shop = Shop::open_at(&clock).await;
    clock.set_to(at(NOW));
    assert!(shop.gets_token(TokenBucket::FULL, at(NOW)).await);
    clock.set_to(at(NOW) + SignedDuration::from_hours(1));
    assert_eq!(shop.dynamo.sweep_ttl(), 0);
    clock.advance_seconds(2);
    assert_eq!(shop.dynamo.sweep_ttl(), 1);
    let records = shop.dynamo.reservation_records();
    let removed = records.iter().find(|record| record.event_name == "REMOVE").unwrap();
    assert!(removed.change.old_image.get("status").is_none(), "the stream's filter passes records with status HELD only");
    assert_eq!(reservation_image(&removed.change.old_image).unwrap(), None);
}
