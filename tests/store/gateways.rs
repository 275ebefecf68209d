//! What all environments know of a gateway: no two payments have the same turn, and no change of the breaker is lost unnoticed.

use domain::{Breaker, GatewayName, PaymentRate, SignedDuration, Timestamp};
use futures_util::future::join_all;
use store::GatewayStates;

use crate::{
    cost::{cost, reads, writes},
    shop::{Shop, at},
};

fn gateway() -> GatewayName {
    GatewayName("stripe".to_owned())
}

fn rate(per_second: u32) -> PaymentRate {
    PaymentRate::new(per_second).unwrap()
}

async fn shop() -> (Shop, GatewayStates) {
    let shop = Shop::open().await;
    let states = shop.parts(&shop.calls).gateway_states();
    (shop, states)
}

fn later(seconds: i64) -> Timestamp {
    at("12:00:00") + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn payments_at_once_have_turns_of_their_own_also_when_the_count_begins() {
    let (_shop, states) = shop().await;
    let gateway = gateway();
    for round in 0..3 {
        let now = later(round * 100);
        let turns = join_all((0..4).map(|_| states.take_turn(&gateway, rate(10), now))).await;
        let mut turns: Vec<Timestamp> = turns.into_iter().map(|turn| turn.unwrap().0).collect();
        turns.sort();
        turns.dedup();
        assert_eq!(turns.len(), 4, "{turns:?}");
        assert_eq!(turns[0], now, "a quiet gateway is asked at once");
        assert!(turns[3] <= now + SignedDuration::from_secs(1), "{turns:?}");
    }
}

#[tokio::test]
async fn gateways_have_counts_of_their_own() {
    let (_shop, states) = shop().await;
    for name in ["stripe", "stripe-eu", "sandbox"] {
        let (turn, breaker) = states.take_turn(&GatewayName(name.to_owned()), rate(1), later(0)).await.unwrap();
        assert_eq!((turn, breaker), (later(0), Breaker::default()), "{name}");
    }
}

#[tokio::test]
async fn of_two_changes_of_a_breaker_one_is_written() {
    let (_shop, states) = shop().await;
    let healthy = states.breaker(&gateway()).await.unwrap();
    assert_eq!(healthy, Breaker::default());
    let failed = healthy.failed(later(0));
    assert!(states.replace_breaker(&gateway(), &healthy, &failed).await.unwrap());
    assert!(!states.replace_breaker(&gateway(), &healthy, &healthy.failed(later(1))).await.unwrap());
    assert_eq!(states.breaker(&gateway()).await.unwrap(), failed);
    let open = (1..5).fold(failed, |breaker, second| breaker.failed(later(second)));
    assert!(states.replace_breaker(&gateway(), &failed, &open).await.unwrap());
    assert_eq!(states.breaker(&gateway()).await.unwrap(), open);
    // Two probes: one payment asks.
    let probed = open.probed(later(30));
    assert!(states.replace_breaker(&gateway(), &open, &probed).await.unwrap());
    assert!(!states.replace_breaker(&gateway(), &open, &probed).await.unwrap());
    // The count of tickets does not touch the breaker.
    assert_eq!(states.take_turn(&gateway(), rate(1), later(31)).await.unwrap().1, probed);
    assert!(states.replace_breaker(&gateway(), &probed, &Breaker::default()).await.unwrap());
    assert_eq!(states.breaker(&gateway()).await.unwrap(), Breaker::default());
    assert!(states.replace_breaker(&gateway(), &Breaker::default(), &failed).await.unwrap(), "and it may fail again");
}

#[tokio::test]
async fn a_turn_costs_a_write_and_the_breaker_half_a_read() {
    let (shop, states) = shop().await;
    assert_eq!(cost(&shop, states.take_turn(&gateway(), rate(10), later(0))).await, writes(2, 2.0), "the count begins");
    assert_eq!(cost(&shop, states.take_turn(&gateway(), rate(10), later(0))).await, writes(1, 1.0));
    assert_eq!(cost(&shop, states.breaker(&gateway())).await, reads(1, 0.5));
    let failed = Breaker::default().failed(later(0));
    assert_eq!(cost(&shop, states.replace_breaker(&gateway(), &Breaker::default(), &failed)).await, writes(1, 1.0));
}
