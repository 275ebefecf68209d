//! What the payments at one account tell each other of whether it is up.

use std::sync::{Arc, Mutex};

use charge_payment::ChargePayment;
use domain::{Breaker, ChargeOutcome, GatewayName};
use fake_stripe::{FakeStripe, Options};
use parts::{FromParts, Parts};
use payments::Admission;
use serde_json::Value;
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage};

const ACCOUNT: [(&str, &str); 2] = [("PAYMENT_GATEWAYS", "stripe=pk_test_local"), ("STRIPE_URL", "http://stripe.test")];

/// A payment with `method` is under way at a fake Stripe.
async fn paying(method: &str) -> Shop {
    let mut shop = Shop::open().await;
    let fake = Arc::new(Mutex::new(FakeStripe::new(Options::default())));
    shop.providers = test_shop::calls_to(&fake, &shop.clock);
    shop.vault.put("shop/payments/stripe", r#"{"secret_key": "sk_test_local"}"#);
    shop.bring(&Buyer::first().paying(method), Stage::Pending).await;
    shop
}

fn parts(shop: &Shop) -> Parts {
    shop.parts_with(&Calls::new(), &ACCOUNT)
}

async fn outcome(shop: &Shop) -> Value {
    let function = ChargePayment::wire(&mut parts(shop)).unwrap();
    test_shop::task(&function, test_aws::event_value("charge-payment/ok.json")).await.unwrap()["outcome"].clone()
}

/// Other payments have failed so often that none asks, until the next one probes.
async fn goes_down(shop: &Shop) {
    let gateways = parts(shop).gateways();
    let gateway = gateways.named(&GatewayName("stripe".to_owned())).unwrap();
    for _ in 0..Breaker::FAILURES {
        gateways.tell(gateway, &ChargeOutcome::Unavailable).await;
    }
    assert_eq!(gateways.admit(gateway, false).await.unwrap(), Admission::Down);
    shop.clock.advance_seconds(Breaker::PAUSE.as_secs());
}

async fn admission(shop: &Shop) -> Admission {
    let gateways = parts(shop).gateways();
    gateways.admit(gateways.named(&GatewayName("stripe".to_owned())).unwrap(), false).await.unwrap()
}

#[tokio::test]
async fn a_payment_that_only_looks_up_tells_the_others_that_the_account_is_back() {
    let shop = paying("stripe:pm_card_threeDSecure2Required").await;
    assert_eq!(outcome(&shop).await, "requires_action");
    goes_down(&shop).await;
    assert_eq!(outcome(&shop).await, "requires_action");
    assert_eq!([admission(&shop).await, admission(&shop).await], [Admission::Now, Admission::Now]);
}

/// A shopper can send such a payment method at will.
#[tokio::test]
async fn a_payment_method_that_is_refused_neither_opens_nor_closes_the_breaker() {
    let shop = paying("stripe:pm_nonsense").await;
    goes_down(&shop).await;
    assert_eq!(outcome(&shop).await, "declined");
    assert_eq!(admission(&shop).await, Admission::Down);
}
