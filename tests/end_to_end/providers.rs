//! Payments at Stripe and PayPal, which are fakes on the local stack: what the shopper sees, and what the providers' own books hold.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::{Answer, Person, Stack, Units, eventually};

pub(crate) const PRICE: u64 = 99_900;
/// The card whose owner has to confirm each payment by 3-D Secure.
const CONFIRMED_CARD: &str = "stripe:pm_card_threeDSecure2Required";
/// Sooner than the end of a hold: the event or the shopper's return has let the payment go on.
const AT_ONCE: Duration = Duration::from_mins(1);

/// An order that is being paid at a provider.
pub(crate) struct Purchase {
    pub(crate) stack: Stack,
    pub(crate) shopper: Person,
    pub(crate) product: String,
    pub(crate) order: String,
}

impl Purchase {
    /// A sale of five units, one of which a new shopper pays with `method`.
    pub(crate) async fn begun(method: &str, changes: Value) -> Self {
        let stack = Stack::running();
        let product = stack.sale("provider", changes).await;
        let shopper = stack.new_shopper().await;
        let order = shopper.order(&product, method).await;
        Self { stack, shopper, product, order }
    }

    /// The order once the shopper has to act.
    pub(crate) async fn to_act(&self) -> Answer {
        eventually("an action", AT_ONCE, async || {
            let answer = self.shopper.get(&format!("/orders/{}", self.order)).await.expect(200);
            (answer.text("payment_status") == "requires_action").then_some(answer)
        })
        .await
    }

    /// The shopper confirms, or refuses, the payment by 3-D Secure. Returns Stripe's status of the intent.
    pub(crate) async fn confirms(&self, outcome: &str) -> String {
        let path = acting_at_stripe(&self.to_act().await);
        let answer = self.stack.fake("stripe", &path, &json!({"outcome": outcome})).await;
        answer["status"].as_str().unwrap_or_default().to_owned()
    }

    /// The shopper approves the payment at PayPal.
    pub(crate) async fn approves(&self) {
        let order = self.to_act().await;
        let url = order.body["action"]["url"].as_str().unwrap();
        let id = url.split_once("token=").unwrap().1;
        self.stack.fake("paypal", &format!("/_fake/orders/{id}/approve"), &json!({})).await;
    }

    pub(crate) async fn is_paid(&self) {
        let order = eventually("a completed order", AT_ONCE, async || {
            let answer = self.shopper.get(&format!("/orders/{}", self.order)).await.expect(200);
            (answer.text("order_status") == "completed").then_some(answer)
        })
        .await;
        assert_eq!((order.text("payment_status"), &order.body["action"]), ("completed", &Value::Null));
        assert_eq!(self.units().await, Units { available: 4, held: 0, sold: 1 });
    }

    pub(crate) async fn units(&self) -> Units {
        self.stack.units(&self.product).await
    }

    /// What Stripe holds, has captured and has given back for this order, in minor units, and the statuses of its intents.
    pub(crate) async fn at_stripe(&self) -> ((u64, u64, u64), Vec<String>) {
        let books = self.stack.fake_payments("stripe").await;
        let of_order = |it: &&Value| it["metadata"]["order_id"] == json!(self.order);
        let own: Vec<&Value> = books.iter().filter(of_order).collect();
        let sum = |member: &str| own.iter().map(|it| it[member].as_u64().unwrap()).sum();
        let statuses = own.iter().map(|it| it["status"].as_str().unwrap().to_owned()).collect();
        ((sum("capturable_minor"), sum("received_minor"), sum("refunded_minor")), statuses)
    }

    /// The same at PayPal.
    pub(crate) async fn at_paypal(&self) -> (u64, u64, u64) {
        let books = self.stack.fake_payments("paypal").await;
        let of_order = |it: &&Value| it["custom_id"].as_str().is_some_and(|id| id.starts_with(&self.order));
        let own: Vec<&Value> = books.iter().filter(of_order).collect();
        let sum = |member: &str| own.iter().map(|it| it[member].as_u64().unwrap()).sum();
        (sum("held_minor"), sum("captured_minor"), sum("refunded_minor"))
    }
}

fn succeeded() -> ((u64, u64, u64), Vec<String>) {
    ((0, PRICE, 0), vec!["succeeded".to_owned()])
}

/// Where a shopper acts at the fake Stripe, by the order's `action`.
fn acting_at_stripe(order: &Answer) -> String {
    let secret = order.body["action"]["client_secret"].as_str().unwrap();
    format!("/_fake/payment_intents/{}/authenticate", secret.split_once("_secret_").unwrap().0)
}

#[tokio::test]
async fn a_card_pays_at_stripe() {
    let purchase = Purchase::begun("stripe:pm_card_visa", json!({})).await;
    purchase.is_paid().await;
    assert_eq!(purchase.at_stripe().await, succeeded());
}

#[tokio::test]
async fn a_card_that_stripe_declines_leaves_time_to_pay_at_paypal() {
    let purchase = Purchase::begun("stripe:pm_card_chargeDeclined", json!({})).await;
    let waiting = purchase.shopper.order_becomes(&purchase.order, "awaiting_payment").await;
    let options = waiting.body["payment_options"].as_array().unwrap();
    assert!(options.iter().any(|option| option["provider"] == "paypal" && option["public_key"].is_string()), "{options:?}");
    let pay = json!({"order_id": purchase.order, "payment_method": "paypal:checkout", "amount": "999.00"});
    purchase.shopper.post("/payment", &pay).await.expect(202);
    purchase.approves().await;
    purchase.is_paid().await;
    assert_eq!((purchase.at_stripe().await.0, purchase.at_paypal().await), ((0, 0, 0), (0, PRICE, 0)));
}

#[tokio::test]
async fn three_d_secure_that_is_passed_pays_as_soon_as_stripe_says_so() {
    let purchase = Purchase::begun(CONFIRMED_CARD, json!({})).await;
    assert_eq!(purchase.confirms("passed").await, "requires_capture");
    purchase.is_paid().await;
    assert_eq!(purchase.at_stripe().await, succeeded());
}

#[tokio::test]
async fn three_d_secure_that_fails_leaves_the_order_waiting_for_another_payment() {
    let purchase = Purchase::begun(CONFIRMED_CARD, json!({})).await;
    purchase.confirms("failed").await;
    let waiting = purchase.shopper.order_becomes(&purchase.order, "awaiting_payment").await;
    assert_eq!((waiting.text("payment_status"), waiting.text("inventory_status")), ("failed", "held"));
    assert_eq!(purchase.at_stripe().await.0, (0, 0, 0));
}

/// The shopper closes the window and comes back when the hold is over: the intent was cancelled before the unit went back.
#[tokio::test]
async fn three_d_secure_that_is_abandoned_ends_with_the_hold_and_cannot_be_paid_later() {
    let purchase = Purchase::begun(CONFIRMED_CARD, json!({"hold_seconds": 5, "max_hold_seconds": 8})).await;
    let acting = purchase.to_act().await;
    purchase.shopper.order_becomes(&purchase.order, "expired").await;
    assert_eq!(purchase.at_stripe().await, ((0, 0, 0), vec!["canceled".to_owned()]));
    eventually("the unit back", AT_ONCE, async || {
        (purchase.units().await == Units { available: 5, held: 0, sold: 0 }).then_some(())
    })
    .await;
    let order = purchase.shopper.get(&format!("/orders/{}", purchase.order)).await.expect(200);
    assert_eq!(order.body["action"], Value::Null);
    // The window is still open somewhere, and the shopper acts in it.
    let (status, _) = purchase.stack.ask_fake("stripe", &acting_at_stripe(&acting), &json!({"outcome": "passed"})).await;
    assert_eq!(status, 409, "the intent waits for nobody");
    assert_eq!(purchase.at_stripe().await, ((0, 0, 0), vec!["canceled".to_owned()]));
}

#[tokio::test]
async fn a_shopper_who_approves_at_paypal_has_paid() {
    let purchase = Purchase::begun("paypal:checkout", json!({})).await;
    purchase.approves().await;
    purchase.is_paid().await;
    assert_eq!(purchase.at_paypal().await, (0, PRICE, 0));
}

#[tokio::test]
async fn a_token_of_a_provider_that_the_shop_does_not_have_is_refused_before_anything_is_held() {
    let stack = Stack::running();
    let product = stack.sale("provider", json!({})).await;
    let shopper = stack.new_shopper().await;
    let path = format!("/api/flash-sales/{product}/order");
    let refused = shopper.post(&path, &json!({"payment_method": "adyen:1"})).await;
    let refused = refused.refuses(409, "payment-method-unavailable");
    assert_eq!(refused.body["methods"], json!(["sandbox", "stripe", "paypal"]));
    assert_eq!(stack.units(&product).await, Units { available: 5, held: 0, sold: 0 });
}

#[tokio::test]
async fn nobody_but_a_provider_can_tell_the_shop_of_an_event() {
    let stack = Stack::running();
    let forged =
        json!({"id": "evt_forged", "type": "payment_intent.succeeded", "created": 0, "data": {"object": {"id": "pi_1"}}});
    for path in ["/webhooks/stripe", "/webhooks/paypal"] {
        stack.nobody().post(path, &forged).await.refuses(400, "webhook-refused");
    }
}
