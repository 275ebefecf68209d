//! A pause while others act: shoppers who reserve, shoppers who check out, another operator.

use checkout::Checkout;
use contract::Refusal;
use domain::{NotReservable, Quantity, SaleStatus};
use manage_sale::ManageSale;
use reserve::UnitReservations;
use serde_json::json;
use test_aws::{Calls, every_interleaving};
use test_shop::{Buyer, Judged, Shop, Stage, brief, demo};

use crate::operators::change_sale_status::{function, state_after, to};

/// An execution environment of `reserve`.
fn reserve(shop: &Shop, calls: &Calls) -> UnitReservations {
    shop.wire(calls)
}

/// Reserves one unit of the demo sale for a shopper.
async fn one(units: &UnitReservations) -> Result<(), Refusal> {
    units.reserve(&"somebody".parse().unwrap(), &demo(), Some(Quantity::ONE), None).await.map(drop)
}

fn is_paused(refused: &Result<(), Refusal>) -> bool {
    matches!(refused, Err(Refusal::NotReservable(NotReservable::Paused)))
}

async fn status(shop: &Shop) -> SaleStatus {
    shop.uncounted().sales().get(&demo()).await.unwrap().unwrap().status
}

#[tokio::test]
async fn an_environment_notices_a_pause_within_a_second() {
    let shop = Shop::open().await;
    let believes = reserve(&shop, &Calls::new());
    one(&believes).await.unwrap();
    state_after(&shop, "pause").await;
    one(&believes).await.unwrap();
    shop.clock.advance(domain::SignedDuration::from_secs(1));
    assert!(is_paused(&one(&believes).await));
    state_after(&shop, "resume").await;
    shop.clock.advance(domain::SignedDuration::from_secs(1));
    one(&believes).await.unwrap();
}

#[tokio::test]
async fn whoever_reserves_while_the_sale_is_paused_gets_a_unit_or_is_told() {
    every_interleaving(async |interleaving| {
        let shop = Shop::open().await;
        let (hung, operator) = (reserve(&shop, &interleaving.calls), function(&shop, &Calls::new()));
        let (reserved, paused) = interleaving.run(one(&hung), operator.handle(to("pause"))).await;
        assert_eq!(brief(&paused), "200");
        let held = u32::from(reserved.is_ok());
        assert!(reserved.is_ok() || is_paused(&reserved), "{reserved:?}");
        assert_eq!((shop.units(&demo()).await, status(&shop).await), ((100 - held, held, 0), SaleStatus::Paused));
        assert!(is_paused(&one(&reserve(&shop, &Calls::new())).await), "from now on nobody gets one");
    })
    .await;
}

#[tokio::test]
async fn what_was_reserved_before_a_pause_can_be_checked_out() {
    for action in ["pause", "close"] {
        let (shop, calls) = (Shop::open().await, Calls::new());
        let buyer = Buyer::first();
        shop.bring(&buyer, Stage::Held).await;
        state_after(&shop, action).await;
        let checkout: Judged<Checkout> = shop.wire(&calls);
        let address = json!({"address_line1": "1 Market Street", "city": "Springfield", "postal_code": "49007", "country": "US"});
        let body = json!({"cart_id": buyer.id, "payment_method": "sandbox:ok", "shipping_address": address});
        let request = test_aws::request("POST", "/checkout").shopper(buyer.shopper.as_str()).json(&body).build();
        assert_eq!(brief(&checkout.handle(request).await), "202", "{action}");
        assert_eq!(shop.orders_sent().len(), 1);
    }
}

#[tokio::test]
async fn of_two_operators_both_are_told_what_is_true() {
    every_interleaving(async |interleaving| {
        let shop = Shop::open().await;
        let (one, two) = (function(&shop, &interleaving.calls), function(&shop, &Calls::new()));
        let (paused, closed) = interleaving.run(one.handle(to("pause")), two.handle(to("close"))).await;
        assert_eq!(brief(&closed), "200");
        assert_eq!(status(&shop).await, SaleStatus::Closed, "a pause does not open what was closed");
        assert!(matches!(brief(&paused).as_str(), "200" | "409 sale-ended"), "{}", brief(&paused));
    })
    .await;
}

/// A sale of 30 units that starts in ten minutes. `hold_seconds` tells its descriptions apart.
fn put(hold_seconds: u32) -> kit::Request {
    let body = json!({
        "name": "Phone", "price": {"amount_minor": 99_900, "currency": "USD"}, "units": 30, "hold_seconds": hold_seconds,
        "starts_at": "2026-11-01T12:11:00Z", "ends_at": "2026-11-01T13:00:00Z",
    });
    let request = test_aws::request("PUT", "/admin/flash-sales/demo").path_parameter("product_id", "demo");
    request.shopper("operator-2").group("ops").json(&body).build()
}

fn manage_sale(shop: &Shop, calls: &Calls) -> Judged<ManageSale> {
    shop.wire(calls)
}

async fn scheduled() -> Shop {
    let shop = Shop::empty().await;
    assert_eq!(brief(&manage_sale(&shop, &Calls::new()).handle(put(300)).await), "201");
    shop
}

#[tokio::test]
async fn a_pause_that_was_granted_is_not_undone_by_a_change_at_the_same_time() {
    every_interleaving(async |interleaving| {
        let shop = scheduled().await;
        let (changing, pausing) = (manage_sale(&shop, &interleaving.calls), function(&shop, &Calls::new()));
        let (changed, paused) = interleaving.run(changing.handle(put(60)), pausing.handle(to("pause"))).await;
        let context = format!("{}, {}", brief(&changed), brief(&paused));
        match brief(&paused).as_str() {
            "200" => assert_eq!(status(&shop).await, SaleStatus::Paused, "{context}"),
            refused => assert_eq!((refused, status(&shop).await), ("409 sale-in-preparation", SaleStatus::Active), "{context}"),
        }
        assert!(matches!(brief(&changed).as_str(), "200" | "409 sale-paused" | "503 try-again"), "{context}");
    })
    .await;
}

#[tokio::test]
async fn a_pause_that_hangs_while_the_sale_is_changed_pauses_what_is_there_then() {
    every_interleaving(async |interleaving| {
        let shop = scheduled().await;
        let (pausing, changing) = (function(&shop, &interleaving.calls), manage_sale(&shop, &Calls::new()));
        let (paused, changed) = interleaving.run(pausing.handle(to("pause")), changing.handle(put(60))).await;
        let context = format!("{}, {}", brief(&paused), brief(&changed));
        assert_eq!((brief(&paused).as_str(), status(&shop).await), ("200", SaleStatus::Paused), "{context}");
        let sale = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap();
        let hold_seconds = if brief(&changed) == "200" { 60 } else { 300 };
        assert_eq!(sale.draft.hold_seconds, hold_seconds, "{context}");
    })
    .await;
}
