//! The gate's refusals are the API's own, member by member and header by header.

use std::collections::BTreeMap;

use domain::{ProductId, SaleDraft, SaleStatus, SignedDuration, Timestamp};
use feed_edge::EdgeFeed;
use kit::HttpFunction;
use parts::FromParts;
use place_order::PlaceOrder;
use reserve::Reserve;
use serde_json::{Value, json};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, demo, draft};

use crate::node::{Asked, Judged, judge_one};

/// The KeyValueStore of the shop.
const STORE: &str = "arn:aws:cloudfront::123456789012:key-value-store/gate";

/// Status, headers and body, without what names the request.
type Answer = (u64, BTreeMap<String, String>, Value);

fn of_the_gate(judged: &Judged) -> Answer {
    let response = &judged.response;
    let headers = response["headers"].as_object().unwrap();
    let header = |name: &str| headers[name]["value"].as_str().unwrap().to_owned();
    let mut body: Value = serde_json::from_str(response["body"]["data"].as_str().unwrap()).unwrap();
    assert_eq!(body["instance"], json!(header("x-request-id")), "the instance is the request's id");
    body.as_object_mut().unwrap().remove("instance");
    let headers = headers.keys().filter(|name| *name != "x-request-id").map(|name| (name.clone(), header(name))).collect();
    (response["statusCode"].as_u64().unwrap(), headers, body)
}

/// Without what the shopper's bucket has left: the gate knows no shopper, and takes no token.
fn of_the_api(response: &kit::Response) -> Answer {
    let is_compared = |name: &str| name != "x-request-id" && !name.starts_with("ratelimit");
    let named = response.headers().iter().filter(|(name, _)| is_compared(name.as_str()));
    let headers = named.map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned())).collect();
    let mut body = test_shop::body(response);
    body.as_object_mut().unwrap().remove("instance");
    (response.status().as_u16().into(), headers, body)
}

/// Feeds the gate's store with the sale `demo`.
pub(crate) async fn feed(shop: &Shop) {
    let mut parts = shop.parts_with(&Calls::new(), &[("EDGE_STORE_ARN", STORE)]);
    EdgeFeed::wire(&mut parts).unwrap().feed(&demo()).await.unwrap();
}

/// Asks the gate and the API at the same time in both ways to reserve, and compares. Returns the code of the refusal.
async fn compare(shop: &Shop) -> String {
    let now = shop.now();
    let asked = Asked::post("/reserve-inventory", now).of("demo").told("demo", shop.edge.value("demo"));
    let gate = of_the_gate(&judge_one(&asked));
    let request = test_aws::request("POST", "/reserve-inventory").shopper("stranger").query("product_id", "demo");
    let reserve = shop.wire::<Reserve>(&Calls::new()).handle(request.json(&json!({"product_id": "demo"})).build()).await;
    assert_eq!(gate, of_the_api(&reserve), "reserve");

    let asked = Asked::post("/api/flash-sales/demo/order", now).told("demo", shop.edge.value("demo"));
    let gate = of_the_gate(&judge_one(&asked));
    let request =
        test_aws::request("POST", "/api/flash-sales/demo/order").shopper("stranger").path_parameter("product_id", "demo");
    let order = shop.wire::<PlaceOrder>(&Calls::new()).handle(request.build()).await;
    assert_eq!(gate, of_the_api(&order), "place-order");
    gate.2["code"].as_str().unwrap().to_owned()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn with(draft: SaleDraft) -> Shop {
    let shop = Shop::empty().await;
    shop.sale(&demo(), draft).await;
    shop
}

#[tokio::test]
async fn not_started_is_refused_with_the_apis_own_words_and_seconds() {
    for (starts_at, now) in [
        ("2026-11-01T12:02:00Z", "2026-11-01T12:01:00Z"),
        ("2026-11-01T12:02:00.5Z", "2026-11-01T12:01:00.001Z"),
        ("2026-11-03T00:00:00.25Z", "2026-11-01T12:01:00.999Z"),
    ] {
        let shop = with(SaleDraft { starts_at: time(starts_at), ends_at: time("2026-12-01T00:00:00Z"), ..draft() }).await;
        shop.clock.set(now);
        feed(&shop).await;
        assert_eq!(compare(&shop).await, "sale-not-started", "{starts_at} at {now}");
    }
}

#[tokio::test]
async fn ended_is_refused_with_the_apis_own_words() {
    let shop = with(draft()).await;
    feed(&shop).await;
    shop.clock.set_to(draft().ends_at + SignedDuration::from_secs(5));
    assert_eq!(compare(&shop).await, "sale-ended");

    let shop = with(draft()).await;
    let stored = shop.uncounted().sales().get_for_write(&demo()).await.unwrap().unwrap();
    shop.uncounted().sales().change_status(&stored, SaleStatus::Closed, shop.now()).await.unwrap();
    feed(&shop).await;
    assert_eq!(compare(&shop).await, "sale-ended");
}

#[tokio::test]
async fn sold_out_is_refused_with_the_apis_own_members() {
    let shop = with(SaleDraft { units: 2, shards: Some(1), ..draft() }).await;
    for number in 0..2 {
        let buyer = Buyer { quantity: domain::Quantity::ONE, shard: domain::ShardNumber(0), ..Buyer::number(number) };
        shop.bring(&buyer, Stage::Held).await;
    }
    shop.refresh_availability(&demo()).await;
    feed(&shop).await;
    assert_eq!(compare(&shop).await, "sold-out");
}

/// The gate lets a request for an open sale through, and one for a sale that nobody told it of.
#[tokio::test]
async fn nothing_else_is_refused() {
    let shop = with(draft()).await;
    let order = || Asked::post("/api/flash-sales/demo/order", shop.now());
    assert!(judge_one(&order()).passed);
    feed(&shop).await;
    let value = shop.edge.value("demo");
    assert!(value.is_some());
    assert!(judge_one(&order().told("demo", value)).passed);
    let other: ProductId = "other".parse().unwrap();
    assert_eq!(shop.edge.value(other.as_str()), None);
}
