//! A shopper's token bucket: all environments together admit no more of its requests than the rate, what is refused for free
//! takes no token, and an outage of the bucket stops no sale.

use domain::{Admission, SaleDraft, SignedDuration};
use insta::assert_snapshot;
use place_order::PlaceOrder;
use reserve::Reserve;
use serde_json::json;
use store::Ending;
use test_aws::{Calls, Fault, request};
use test_shop::{Judged, START, brief, guarded};

use crate::shoppers::reserve::world::{Environment, World, draft, shopper};

/// Requests that a bucket admits at once: the tests' rate is that of production.
const FULL: usize = 20;

/// What `ann` hears when she asks for a unit through HTTP: the status, the code of a problem, and what is left of her bucket.
async fn ann(function: &Judged<Reserve>) -> String {
    said(&function.handle(asked()).await)
}

fn asked() -> kit::Request {
    request("POST", "/reserve-inventory").shopper("ann").json(&json!({"product_id": "demo"})).build()
}

fn said(response: &kit::Response) -> String {
    let left = response.headers().get("ratelimit").map_or("no bucket", |value| value.to_str().unwrap());
    format!("{} {left}", brief(response))
}

#[tokio::test]
async fn answers_say_what_is_left_of_the_bucket() {
    let world = World::with_units(5).await;
    let function: Judged<Reserve> = world.shop.wire(&Calls::new());
    let first = function.handle(asked()).await;
    assert_eq!(first.headers()["ratelimit-policy"], r#""shopper";q=20;w=1"#);
    assert_eq!(said(&first), r#"201 "shopper";r=19;t=1"#);
    for left in (0..FULL - 1).rev() {
        assert_eq!(ann(&function).await, format!(r#"200 "shopper";r={left};t=1"#));
    }
    let refused = function.handle(asked()).await;
    assert_eq!(said(&refused), r#"429 rate-limited "shopper";r=0;t=1"#);
    assert_snapshot!(test_aws::told(&refused), @r#"
    429 Too Many Requests: rate-limited, Too many requests
    ratelimit: "shopper";r=0;t=1
    ratelimit-policy: "shopper";q=20;w=1
    retry-after: 1
    You send requests faster than this shop admits them from one shopper. Wait, then send one.
    "#);
}

#[tokio::test]
async fn requests_to_many_environments_take_from_one_bucket() {
    let world = World::with_units(5).await;
    let mut admitted = 0;
    for _ in 0..3 * FULL {
        admitted += usize::from(world.environment().one(&shopper("ann")).await.is_ok());
    }
    assert_eq!(admitted, FULL);
    world.shop.clock.advance(SignedDuration::from_millis(49));
    assert_eq!(world.environment().refused(&shopper("ann")).await, "rate-limited");
    world.shop.clock.advance(SignedDuration::from_millis(1));
    assert!(world.environment().one(&shopper("ann")).await.is_ok());
    assert!(world.environment().one(&shopper("bob")).await.is_ok(), "another shopper has another bucket");
}

#[tokio::test]
async fn an_environment_that_knows_that_the_bucket_is_empty_refuses_without_a_call() {
    let world = World::with_units(5).await;
    for _ in 0..FULL {
        world.environment().got(&shopper("ann")).await;
    }
    let environment = world.environment();
    assert_eq!(environment.refused(&shopper("ann")).await, "rate-limited");
    environment.calls.reset();
    for _ in 0..1_000 {
        assert_eq!(environment.refused(&shopper("ann")).await, "rate-limited");
    }
    assert_eq!(environment.calls.total(), 0);
    assert_eq!(world.units().await, (4, 1));
}

/// In whichever environment: many of them remember the winner, and none of them counts alone.
#[tokio::test]
async fn a_winners_repetitions_take_tokens_from_the_same_bucket() {
    let world = World::with_units(5).await;
    let environments = [world.environment(), world.environment()];
    for environment in &environments {
        environment.got(&shopper("ann")).await;
    }
    for turn in 2..FULL {
        environments[turn % 2].got(&shopper("ann")).await;
    }
    for environment in &environments {
        assert_eq!(environment.refused(&shopper("ann")).await, "rate-limited");
        environment.calls.reset();
        for _ in 0..100 {
            assert_eq!(environment.refused(&shopper("ann")).await, "rate-limited");
        }
        assert_eq!(environment.calls.total(), 0);
    }
}

/// Hammers with requests that `sale` refuses for free, then asks at a time when it does not.
async fn hammer(sale: SaleDraft, at: &str, refusal: &str) -> World {
    let world = World::with(sale).await;
    world.shop.clock.set(at);
    let environment = world.environment();
    for _ in 0..10 * FULL {
        assert_eq!(environment.refused(&shopper("ann")).await, refusal);
    }
    world
}

async fn has_a_full_bucket(world: &World) {
    let function: Judged<Reserve> = world.shop.wire(&Calls::new());
    assert_eq!(ann(&function).await, r#"201 "shopper";r=19;t=1"#);
}

#[tokio::test]
async fn what_is_refused_for_free_takes_no_token() {
    let early = hammer(draft(5), "2026-11-01T11:59:59.999Z", "sale-not-started").await;
    early.shop.clock.set(START);
    has_a_full_bucket(&early).await;

    let drawn = SaleDraft { admission: Admission::Draw { ramp_seconds: 1 }, ..draft(5) };
    let drawn = hammer(drawn, START, "not-yet-admitted").await;
    drawn.shop.clock.set_to(drawn.now() + SignedDuration::from_secs(1));
    has_a_full_bucket(&drawn).await;

    hammer(guarded(), START, "proof-of-work-required").await;

    let sold_out = World::with_units(1).await;
    sold_out.sell_out().await;
    let environment: Environment = sold_out.environment();
    environment.refused(&shopper("bob")).await;
    environment.calls.reset();
    for _ in 0..10 * FULL {
        assert_eq!(environment.refused(&shopper("ann")).await, "sold-out");
    }
    assert_eq!(environment.calls.total(), 0);
}

#[tokio::test]
async fn a_shopper_who_has_to_cool_down_hears_so_without_a_token() {
    let world = World::with_units(5).await;
    for _ in 0..2 {
        let (reservation, _) = world.environment().got(&shopper("ann")).await;
        world.end(&reservation, Ending::Cancelled).await;
        // A full bucket again.
        world.shop.clock.advance_seconds(1);
    }
    let environment = world.environment();
    assert_eq!(environment.refused(&shopper("ann")).await, "cooling-down");
    environment.calls.reset();
    for _ in 0..10 * FULL {
        assert_eq!(environment.refused(&shopper("ann")).await, "cooling-down");
    }
    assert_eq!(environment.calls.total(), 0);
}

#[tokio::test]
async fn both_routes_take_from_one_bucket() {
    let world = World::with_units(5).await;
    let reserve: Judged<Reserve> = world.shop.wire(&Calls::new());
    let order = async || {
        let place: Judged<PlaceOrder> = world.shop.wire(&Calls::new());
        let asked = request("POST", "/api/flash-sales/{product_id}/order").path_parameter("product_id", "demo");
        said(&place.handle(asked.shopper("ann").build()).await)
    };
    assert_eq!(ann(&reserve).await, r#"201 "shopper";r=19;t=1"#);
    assert_eq!(order().await, r#"202 "shopper";r=18;t=1"#);
    for _ in 0..FULL {
        world.environment().one(&shopper("ann")).await.ok();
    }
    // It refuses for a second, and the bucket needs another one to fill.
    assert_eq!(order().await, r#"429 rate-limited "shopper";r=0;t=2"#);
}

/// The environment's clock goes on, so a token would be back after 50 ms.
#[tokio::test]
async fn an_environment_that_finds_the_bucket_empty_pays_one_refused_write_a_second() {
    let world = World::with_units(5).await;
    for _ in 0..FULL {
        world.environment().got(&shopper("ann")).await;
    }
    let environment = world.environment();
    environment.refused(&shopper("ann")).await;
    environment.calls.reset();
    for _ in 0..99 {
        world.shop.clock.advance(SignedDuration::from_millis(10));
        assert_eq!(environment.refused(&shopper("ann")).await, "rate-limited");
    }
    assert_eq!(environment.calls.total(), 0);
    world.shop.clock.advance(SignedDuration::from_millis(10));
    environment.got(&shopper("ann")).await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_does_not_answer_costs_a_sale_less_than_half_a_second() {
    let world = World::with_units(5).await;
    let environment = world.environment();
    // The read of the sale comes before.
    environment.calls.hang_at(1);
    let started = tokio::time::Instant::now();
    assert!(environment.got(&shopper("ann")).await.1);
    assert!(started.elapsed() < std::time::Duration::from_millis(500), "{:?}", started.elapsed());
    assert_eq!(world.units().await, (4, 1));
}

#[tokio::test]
async fn a_refusal_of_the_checkout_says_what_is_left_of_the_bucket() {
    let world = World::with_units(5).await;
    let place: Judged<PlaceOrder> = world.shop.wire(&Calls::new());
    let order = async |city: &str| {
        let address = json!({"address_line1": "1 Market Street", "city": city, "postal_code": "49007", "country": "US"});
        let body = json!({"payment_method": "sandbox:ok", "shipping_address": address});
        let asked = request("POST", "/api/flash-sales/{product_id}/order").path_parameter("product_id", "demo");
        said(&place.handle(asked.shopper("ann").json(&body).build()).await)
    };
    assert_eq!(order("Springfield").await, r#"202 "shopper";r=19;t=1"#);
    assert_eq!(order("Shelbyville").await, r#"409 address-fixed "shopper";r=18;t=1"#);
}

#[tokio::test]
async fn an_environment_that_cannot_reach_the_bucket_counts_alone() {
    for fault in [Fault::LostRequest, Fault::LostAnswer, Fault::Throttled, Fault::Denied] {
        let world = World::with_units(5).await;
        let environment = world.environment();
        environment.calls.fail_always_for("UpdateItem", "BUCKET", fault);
        let mut admitted = 0;
        for _ in 0..2 * FULL {
            admitted += usize::from(environment.one(&shopper("ann")).await.is_ok());
        }
        assert_eq!(admitted, FULL, "{fault:?}");
        assert_eq!(world.units().await, (4, 1), "{fault:?}");
    }
}
