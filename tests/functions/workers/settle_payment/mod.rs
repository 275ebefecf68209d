//! `settle-payment` on a real DynamoDB engine, with the sandbox and with a fake Stripe: it believes the provider and not the
//! event, wakes who waits, and uses or returns late money.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod late;

use std::sync::{Arc, Mutex};

use await_action::AwaitAction;
use charge_payment::ChargePayment;
use domain::{Attempt, AttemptStatus, GatewayName, LateMoney, OrderEvent, OrderLine, SandboxMethod};
use fake_stripe::{FakeStripe, Options, Status};
use kit::workers::SqsEvent;
use parts::{FromParts, Parts};
use serde_json::{Value, json};
use settle_payment::SettlePayment;
use store::{Entry, EntryState};
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Shop, Stage};

fn returned() -> Value {
    json!({"event": "shopper_returned", "order_id": Buyer::first().id, "shopper": Buyer::first().shopper, "attempt": 1})
}

fn told(kind: &str, object: &str) -> Value {
    json!({"event": "provider_told", "account": "stripe", "event_id": "evt_1", "kind": kind, "object_id": object})
}

/// Hands one message to the worker. True: the queue delivers it again.
async fn fails(function: &SettlePayment, body: &Value) -> bool {
    let event: SqsEvent = serde_json::from_value(json!({"Records": [{"messageId": "1", "body": body.to_string()}]})).unwrap();
    !test_shop::queue(function, event).await.is_empty()
}

/// An execution waits with `token` for the first buyer.
async fn waiting() -> (Shop, Buyer) {
    let (shop, buyer) = (Shop::with(Stage::Pending).await, Buyer::first());
    shop.waits_for_shopper(&buyer).await;
    let waits = test_shop::task(&shop.wire::<AwaitAction>(&Calls::new()), test_aws::event_value("await-action/ok.json")).await;
    assert_eq!(waits, Ok(json!({})));
    (shop, buyer)
}

/// The shopper acts: the sandbox authorises.
async fn acts(shop: &Shop, buyer: &Buyer) {
    let method = SandboxMethod::ActionAbandoned.as_str().parse().unwrap();
    let entry = Entry::asked(EntryState::Authorised, buyer.amount(), buyer.amount(), &method);
    shop.uncounted().books().settle(&GatewayName("sandbox".to_owned()), &buyer.key(1), &entry).await.unwrap();
}

#[tokio::test]
async fn a_shopper_who_has_acted_wakes_the_execution_and_one_who_has_not_does_not() {
    let (shop, buyer) = waiting().await;
    let function = shop.wire(&Calls::new());
    assert!(!fails(&function, &returned()).await);
    assert_eq!(shop.machines.tokens_sent(), [""; 0], "the shopper has only come back");
    acts(&shop, &buyer).await;
    for sent in 1..=2 {
        assert!(!fails(&function, &returned()).await);
        assert_eq!(shop.machines.tokens_sent(), vec!["token"; sent]);
    }
}

#[tokio::test]
async fn nobody_is_woken_for_another_shopper_order_or_attempt_or_where_nothing_waits() {
    let (shop, buyer) = waiting().await;
    acts(&shop, &buyer).await;
    let function = shop.wire(&Calls::new());
    for (member, value) in
        [("shopper", json!("somebody")), ("attempt", json!(2)), ("order_id", json!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3F"))]
    {
        let mut body = returned();
        body[member] = value;
        assert!(!fails(&function, &body).await, "{body}");
    }
    assert_eq!(shop.machines.tokens_sent(), [""; 0]);
    for stage in Stage::ALL {
        let shop = Shop::with(stage).await;
        let before = shop.everything().await;
        assert!(!fails(&shop.wire(&Calls::new()), &returned()).await, "{stage:?}");
        assert_eq!((shop.machines.tokens_sent().len(), shop.everything().await == before), (0, true), "{stage:?}");
    }
}

#[tokio::test]
async fn a_run_that_was_cut_off_or_whose_token_was_not_taken_is_delivered_again() {
    every_crash(async |calls| {
        let (shop, buyer) = waiting().await;
        acts(&shop, &buyer).await;
        let failed = fails(&shop.wire(calls), &returned()).await;
        assert!(failed || shop.machines.tokens_sent().len() == 1);
        assert!(!fails(&shop.wire(&Calls::new()), &returned()).await);
        assert!(shop.machines.tokens_sent().iter().all(|token| token == "token") && !shop.machines.tokens_sent().is_empty());
    })
    .await;
    let (shop, buyer) = waiting().await;
    acts(&shop, &buyer).await;
    shop.machines.fail(true);
    assert!(fails(&shop.wire(&Calls::new()), &returned()).await);
}

/// The shopper acts and the event comes while an execution begins to wait: it finds the change, or it is woken.
#[tokio::test]
async fn an_event_that_comes_while_the_execution_begins_to_wait_is_not_lost() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = (Shop::with(Stage::Pending).await, Buyer::first());
        shop.waits_for_shopper(&buyer).await;
        let begins = shop.wire::<AwaitAction>(&interleaving.calls);
        let waits = test_shop::task(&begins, test_aws::event_value("await-action/ok.json"));
        let comes = async {
            acts(&shop, &buyer).await;
            assert!(!fails(&shop.wire(&Calls::new()), &returned()).await);
        };
        let (answer, ()) = interleaving.run(waits, comes).await;
        assert!(answer == Err("ActionTaken".to_owned()) || shop.machines.tokens_sent() == ["token"], "{answer:?}");
    })
    .await;
}

/// A shop whose only account is at a fake Stripe.
struct StripeShop {
    shop: Shop,
    buyer: Buyer,
    fake: Arc<Mutex<FakeStripe>>,
}

impl StripeShop {
    /// The first attempt to pay with `method` is under way.
    async fn paying(method: &str) -> Self {
        let (mut shop, buyer) = (Shop::open().await, Buyer::first().paying(method));
        let fake = Arc::new(Mutex::new(FakeStripe::new(Options::default())));
        shop.providers = test_shop::calls_to(&fake, &shop.clock);
        shop.vault.put("shop/payments/stripe", r#"{"secret_key": "sk_test_local"}"#);
        shop.bring(&buyer, Stage::Pending).await;
        Self { shop, buyer, fake }
    }

    fn parts(&self) -> Parts {
        self.parts_with(&Calls::new())
    }

    fn parts_with(&self, calls: &Calls) -> Parts {
        self.shop.parts_with(calls, &[("PAYMENT_GATEWAYS", "stripe=pk_test_local"), ("STRIPE_URL", "http://stripe.test")])
    }

    async fn charge(&self) -> Result<Value, String> {
        let function = ChargePayment::wire(&mut self.parts()).unwrap();
        test_shop::task(&function, test_aws::event_value("charge-payment/ok.json")).await
    }

    async fn fails(&self, body: &Value) -> bool {
        fails(&SettlePayment::wire(&mut self.parts()).unwrap(), body).await
    }

    async fn attempt(&self) -> Attempt {
        self.shop.uncounted().attempts().get(&self.buyer.key(1)).await.unwrap().unwrap()
    }

    fn status(&self) -> Status {
        self.fake.lock().unwrap().payments().first().unwrap().status
    }
}

#[tokio::test]
async fn three_d_secure_that_is_passed_wakes_the_execution_which_then_finds_it_authorised() {
    let stripe = StripeShop::paying("stripe:pm_card_threeDSecure2Required").await;
    assert_eq!(stripe.charge().await.unwrap()["outcome"], "requires_action");
    let intent = stripe.attempt().await.provider_id.unwrap();
    let waits = AwaitAction::wire(&mut stripe.parts()).unwrap();
    assert_eq!(test_shop::task(&waits, test_aws::event_value("await-action/ok.json")).await, Ok(json!({})));
    // Whatever the event says, Stripe says that nothing has happened.
    assert!(!stripe.fails(&told("payment_intent.succeeded", &intent)).await);
    assert_eq!(stripe.shop.machines.tokens_sent(), [""; 0]);
    let now = domain::Clock::now(&stripe.shop.clock);
    assert_eq!(stripe.fake.lock().unwrap().authenticate(&intent, true, now), Some(Status::RequiresCapture));
    assert!(!stripe.fails(&told("payment_intent.amount_capturable_updated", &intent)).await);
    assert_eq!(stripe.shop.machines.tokens_sent(), ["token"]);
    assert_eq!(stripe.charge().await.unwrap()["outcome"], "authorised");
}

/// The shopper's page still has the client secret, and could pay with another card after the order has ended.
#[tokio::test]
async fn an_intent_at_which_its_shopper_has_failed_is_cancelled() {
    let stripe = StripeShop::paying("stripe:pm_card_threeDSecure2Required").await;
    assert_eq!(stripe.charge().await.unwrap()["outcome"], "requires_action");
    let intent = stripe.attempt().await.provider_id.unwrap();
    let now = domain::Clock::now(&stripe.shop.clock);
    assert_eq!(stripe.fake.lock().unwrap().authenticate(&intent, false, now), Some(Status::RequiresPaymentMethod));
    let charged = stripe.charge().await.unwrap();
    let expected = json!({"outcome": "declined", "reason": "The card's owner did not confirm the payment."});
    assert_eq!((charged, stripe.status()), (expected, Status::Canceled));
}

#[tokio::test]
async fn events_of_nothing_that_the_shop_follows_change_nothing() {
    let stripe = StripeShop::paying("stripe:pm_card_visa").await;
    stripe.charge().await.unwrap();
    let before = stripe.shop.everything().await;
    let intent = stripe.attempt().await.provider_id.unwrap();
    let mut other_account = told("payment_intent.succeeded", &intent);
    other_account["account"] = json!("stripe-eu");
    let mut no_object = told("balance.available", "");
    no_object["object_id"] = Value::Null;
    for body in [
        told("payment_intent.succeeded", &intent),
        told("payment_intent.succeeded", "pi_unknown"),
        told("charge.succeeded", "ch_1"),
        told("never.heard.of", "x_1"),
        other_account,
        no_object,
    ] {
        assert!(!stripe.fails(&body).await, "{body}");
    }
    assert!(stripe.shop.everything().await == before && stripe.shop.machines.tokens_sent().is_empty());
    assert_eq!(stripe.status(), Status::RequiresCapture, "an authorised payment is the saga's");
}

/// The attempt has ended without money by the shop's books, and then the provider has some.
#[tokio::test]
async fn late_money_is_given_back_once() {
    for status in [AttemptStatus::Declined, AttemptStatus::Unavailable, AttemptStatus::GivenUp, AttemptStatus::Voided] {
        let stripe = StripeShop::paying("stripe:pm_card_visa").await;
        stripe.charge().await.unwrap();
        let attempt = stripe.attempt().await;
        let intent = attempt.provider_id.clone().unwrap();
        let ended = Attempt { status, ..attempt.clone() };
        assert!(stripe.shop.uncounted().attempts().replace(&attempt, &ended).await.unwrap());
        let before = stripe.shop.order(&stripe.buyer).await;
        for _ in 0..3 {
            assert!(!stripe.fails(&told("payment_intent.amount_capturable_updated", &intent)).await);
            assert_eq!(stripe.status(), Status::Canceled, "{status:?}");
        }
        assert_eq!(stripe.attempt().await, Attempt { late_money: Some(LateMoney::GoesBack), ..ended });
        let mut told = before;
        told.history.push(OrderEvent { at: stripe.shop.now(), event: OrderLine::LateMoneyReturned, reason: None });
        told.revision += 1;
        assert_eq!(stripe.shop.order(&stripe.buyer).await, told, "told once, and otherwise unchanged");
    }
}

/// A shopper's word, however late it comes, gives no money back. Nor is money late that another attempt of the order uses.
#[tokio::test]
async fn money_of_an_attempt_that_needs_it_stays() {
    let stripe = StripeShop::paying("stripe:pm_card_visa").await;
    stripe.charge().await.unwrap();
    let authorised = stripe.attempt().await;
    let intent = authorised.provider_id.clone().unwrap();
    let ended = Attempt { status: AttemptStatus::GivenUp, ..authorised.clone() };
    assert!(stripe.shop.uncounted().attempts().replace(&authorised, &ended).await.unwrap());
    assert!(!stripe.fails(&returned()).await);
    assert_eq!(stripe.status(), Status::RequiresCapture);

    // The order's second attempt has the same payment.
    let attempts = stripe.shop.uncounted().attempts();
    let second = domain::IdempotencyKey { attempt: 2, ..authorised.key.clone() };
    let started = attempts.begin(&second, &authorised.gateway).await.unwrap().0;
    let used = Attempt { key: second, ..authorised.clone() };
    assert!(attempts.replace(&started, &used).await.unwrap());
    stripe.shop.set_attempts(&stripe.buyer, 2).await;
    let mut first = told("payment_intent.amount_capturable_updated", &intent);
    first["account"] = json!("stripe");
    assert!(!stripe.fails(&first).await);
    assert_eq!(stripe.status(), Status::RequiresCapture);
    // Once nobody needs it any more, it goes back.
    assert!(attempts.replace(&used, &Attempt { status: AttemptStatus::Voided, ..used.clone() }).await.unwrap());
    assert!(!stripe.fails(&first).await);
    assert_eq!(stripe.status(), Status::Canceled);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_asked_again_later() {
    let mut stripe = StripeShop::paying("stripe:pm_card_visa").await;
    stripe.charge().await.unwrap();
    let intent = stripe.attempt().await.provider_id.unwrap();
    stripe.shop.providers = test_shop::nobody();
    assert!(stripe.fails(&told("payment_intent.succeeded", &intent)).await);
}
