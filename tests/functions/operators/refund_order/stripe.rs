//! Refunds of a payment that a fake Stripe has captured.

use std::sync::{Arc, Mutex};

use charge_payment::ChargePayment;
use domain::{Attempt, AttemptStatus, OrderStatus, RefundStatus};
use fake_stripe::{FakeStripe, Options};
use parts::FromParts;
use refund_order::RefundOrder;
use serde_json::json;
use test_aws::{Calls, every_crash};
use test_shop::{Buyer, Judged, Shop, Stage, brief};

use crate::operators::refund_order::{PRICE, part, statuses, whole};

const ACCOUNT: [(&str, &str); 2] = [("PAYMENT_GATEWAYS", "stripe=pk_test_local"), ("STRIPE_URL", "http://stripe.test")];

/// A completed order that was paid at a fake Stripe.
async fn paid() -> (Shop, Arc<Mutex<FakeStripe>>) {
    let (mut shop, buyer) = (Shop::open().await, Buyer::first().paying("stripe:pm_card_visa"));
    let fake = Arc::new(Mutex::new(FakeStripe::new(Options::default())));
    shop.providers = test_shop::calls_to(&fake, &shop.clock);
    shop.vault.put("shop/payments/stripe", r#"{"secret_key": "sk_test_local"}"#);
    shop.bring(&buyer, Stage::Pending).await;
    let calls = Calls::new();
    let charge = ChargePayment::wire(&mut shop.parts_with(&calls, &ACCOUNT)).unwrap();
    assert_eq!(test_shop::task(&charge, test_aws::event_value("charge-payment/ok.json")).await.unwrap()["outcome"], "authorised");
    let capture = capture_payment::CapturePayment::wire(&mut shop.parts_with(&calls, &ACCOUNT)).unwrap();
    test_shop::task(&capture, test_aws::event_value("capture-payment/ok.json")).await.unwrap();
    let stock = shop.uncounted().stock();
    stock.sell(buyer.shard, &buyer.shopper, &buyer.id, buyer.quantity).await.unwrap();
    let complete = complete_order::CompleteOrder::wire(&mut shop.parts_with(&calls, &ACCOUNT)).unwrap();
    test_shop::task(&complete, test_aws::event_value("complete-order/ok.json")).await.unwrap();
    let order = shop.order(&buyer).await;
    assert!(shop.uncounted().orders().told(&order.id, 1, order.untold.unwrap()).await.unwrap());
    let kept: Attempt = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap().unwrap();
    assert_eq!(kept.status, AttemptStatus::Kept);
    (shop, fake)
}

fn function(shop: &Shop, calls: &Calls) -> Judged<RefundOrder> {
    Judged::wire(&mut shop.parts_with(calls, &ACCOUNT)).unwrap()
}

/// What Stripe has given back, in minor units.
fn given_back(fake: &Mutex<FakeStripe>) -> i64 {
    fake.lock().unwrap().payments().iter().map(|payment| payment.refunded_minor).sum()
}

#[tokio::test]
async fn parts_go_back_once_each_and_together_no_more_than_was_captured() {
    let (shop, fake) = paid().await;
    let function = function(&shop, &Calls::new());
    for (request, expected, back) in [
        (part("one", 400), "200", 400),
        (part("one", 400), "200", 400),
        (part("two", PRICE - 399), "409 refund-too-large", 400),
        (part("three", 100), "200", 500),
        (whole("four"), "200", PRICE),
        (part("five", 1), "409 not-refundable", PRICE),
    ] {
        assert_eq!((brief(&function.handle(request).await).as_str(), given_back(&fake)), (expected, back));
    }
    assert_eq!(shop.order(&Buyer::first()).await.status, OrderStatus::Refunded);
}

#[tokio::test]
async fn a_refund_that_was_cut_off_goes_back_once() {
    every_crash(async |calls| {
        let (shop, fake) = paid().await;
        let first = brief(&function(&shop, calls).handle(part("one", 400)).await);
        calls.heal();
        // Stripe has forgotten the idempotency key.
        shop.clock.advance_seconds(25 * 3_600);
        assert_eq!(brief(&function(&shop, calls).handle(part("one", 400)).await), "200", "{first}");
        assert_eq!((given_back(&fake), statuses(&shop).await), (400, vec![(400, RefundStatus::Refunded)]), "{first}");
    })
    .await;
}

#[tokio::test]
async fn money_that_went_back_at_stripe_itself_is_refused_and_the_order_stays_completed() {
    let (shop, fake) = paid().await;
    let intent = shop.uncounted().attempts().get(&Buyer::first().key(1)).await.unwrap().unwrap().provider_id.unwrap();
    let gateways = shop.parts_with(&Calls::new(), &ACCOUNT).gateways();
    let order = shop.order(&Buyer::first()).await;
    let payment = payments::Payment {
        key: order.key(),
        amount: order.amount,
        method: order.payment_method.clone().unwrap(),
        provider_id: Some(intent),
        reference: None,
        began_at: order.created_at,
    };
    let gateway = gateways.named(&domain::GatewayName("stripe".to_owned())).unwrap();
    assert_eq!(gateway.refund(&payment).await, domain::RefundOutcome::Refunded);
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(part("one", 400)).await), "409 refund-refused");
    assert_eq!((given_back(&fake), statuses(&shop).await), (PRICE, vec![(400, RefundStatus::Failed)]));
    assert_eq!(shop.order(&Buyer::first()).await.status, OrderStatus::Completed);
    let body = json!({"order_status": "completed"});
    assert_eq!(test_shop::body(&shop.ask::<get_order::GetOrder>("get-order/ok").await)["order_status"], body["order_status"]);
}
