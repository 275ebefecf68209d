//! The queued events of payment providers: each is remembered by account and id, and forgotten in time.

use domain::{GatewayName, SignedDuration};

use crate::{
    cost::{cost, reads, writes},
    shop::{A_DAY, Shop, clock},
};

fn account(name: &str) -> GatewayName {
    GatewayName(name.to_owned())
}

#[tokio::test]
async fn an_event_is_known_once_it_was_queued_by_its_account_and_its_id() {
    let shop = Shop::open().await;
    let events = shop.parts(&shop.calls).provider_events();
    assert!(!events.is_queued(&account("stripe"), "evt_1").await.unwrap());
    for _ in 0..2 {
        events.queued(&account("stripe"), "evt_1", shop.now()).await.unwrap();
        assert!(events.is_queued(&account("stripe"), "evt_1").await.unwrap());
    }
    for (name, id) in [("stripe", "evt_2"), ("stripe-eu", "evt_1"), ("stripe", "evt"), ("stripe", "evt_1#"), ("paypal", "evt_1")]
    {
        assert!(!events.is_queued(&account(name), id).await.unwrap(), "{name} {id}");
    }
    assert_eq!(shop.everything().await.len(), 1);
}

#[tokio::test]
async fn the_longest_id_is_a_key() {
    let shop = Shop::open().await;
    let events = shop.parts(&shop.calls).provider_events();
    let (name, id) = (account(&format!("stripe-{}", "x".repeat(33))), "y".repeat(255));
    events.queued(&name, &id, shop.now()).await.unwrap();
    assert!(events.is_queued(&name, &id).await.unwrap());
}

/// `tests/functions/webhooks` shows that nothing else of the table is forgotten.
#[tokio::test]
async fn an_event_is_forgotten_after_thirty_days() {
    let clock = clock();
    let shop = Shop::open_at(&clock).await;
    let events = shop.parts(&shop.calls).provider_events();
    events.queued(&account("stripe"), "evt_1", shop.now()).await.unwrap();
    clock.advance(A_DAY.checked_mul(30).unwrap() - SignedDuration::from_secs(1));
    assert_eq!(shop.dynamo.sweep_ttl(), 0);
    assert!(events.is_queued(&account("stripe"), "evt_1").await.unwrap());
    // To the second after the next whole one.
    clock.advance_seconds(3);
    assert_eq!(shop.dynamo.sweep_ttl(), 1);
    assert!(!events.is_queued(&account("stripe"), "evt_1").await.unwrap());
}

#[tokio::test]
async fn an_event_costs_half_a_read_and_a_write() {
    let shop = Shop::open_at(&clock()).await;
    let events = shop.parts(&shop.calls).provider_events();
    assert_eq!(cost(&shop, events.is_queued(&account("stripe"), "evt_1")).await, reads(1, 0.5));
    assert_eq!(cost(&shop, events.queued(&account("stripe"), "evt_1", shop.now())).await, writes(1, 1.0));
    assert_eq!(cost(&shop, events.is_queued(&account("stripe"), "evt_1")).await, reads(1, 0.5));
}
