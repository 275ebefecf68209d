//! A crowd pays at once at a provider with a limit: payments take turns, and all are made in little more than the time that the
//! limit allows. Time is virtual: it passes when every execution waits.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use domain::{Clock, OrderStatus, SaleDraft, ShardNumber, Timestamp};
use fake_stripe::{FakeStripe, Options};
use futures_util::future::join_all;
use kit::Function;
use serde_json::{Value, json};
use test_asl::{Ended, Host, Invoked, Machine};
use test_aws::Calls;
use test_shop::{Buyer, Shop, Stage, demo, draft};
use tokio::time::Instant;

/// What the provider's limit allows. A payment makes three requests: the intent, its confirmation, the capture.
const PAYMENTS_PER_SECOND: u32 = 100;
const ORDERS: u32 = 1_000;

/// Executions that share one environment of each function.
struct Crowd {
    shop: Shop,
    functions: BTreeMap<&'static str, Function>,
    since: (Timestamp, Instant),
    refused_by_provider: AtomicU32,
}

impl Crowd {
    /// The shop's clock follows the runtime's.
    fn tell_time(&self) {
        let (began, instant) = self.since;
        self.shop.clock.set_to(began + jiff::SignedDuration::try_from(instant.elapsed()).unwrap());
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.tell_time();
    }
}

impl Host for Crowd {
    async fn moves(&self, _from: Option<&str>, _to: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    async fn invoke(&self, function: &'static str, payload: Value, _longest: Duration) -> Invoked {
        self.tell_time();
        let Function::Task(handle) = &self.functions[function] else { panic!("{function} is no task") };
        handle(payload).await.map_or_else(|error| Invoked::Failed(error.error_type), Invoked::Answered)
    }

    /// Half of the longest wait is the mean of full jitter.
    async fn retries(&self, _function: &'static str, error: &str, longest: Duration) -> bool {
        self.refused_by_provider.fetch_add(u32::from(error == "GatewayBusy"), Ordering::Relaxed);
        self.pass(longest / 2).await;
        true
    }

    fn token(&self) -> String {
        String::new()
    }

    async fn called_back(&self, _token: &str, longest: Duration) -> Invoked {
        self.pass(longest).await;
        Invoked::Failed("States.Timeout".to_owned())
    }

    async fn waits(&self, time: Duration) {
        self.pass(time).await;
    }
}

/// A thousand orders that are about to be paid by card, and the provider.
async fn crowd(per_second: u32) -> (Crowd, Vec<Buyer>, Arc<Mutex<FakeStripe>>) {
    let mut shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: ORDERS, ..draft() }).await;
    let options = Options { requests_per_second: Some(3 * PAYMENTS_PER_SECOND), ..Options::default() };
    let fake = Arc::new(Mutex::new(FakeStripe::new(options)));
    shop.providers = test_shop::calls_to(&fake, &shop.clock);
    shop.vault.put("shop/payments/stripe", r#"{"secret_key": "sk_test_local"}"#);
    let shards = u32::try_from(shop.shards(&demo()).await.len()).unwrap();
    let mut buyers = Vec::new();
    for number in 1..=ORDERS {
        let shard = ShardNumber(number % shards);
        let buyer = Buyer { shard, ..Buyer::number(number) }.paying("stripe:pm_card_visa");
        shop.bring(&buyer, Stage::Pending).await;
        buyers.push(buyer);
    }
    let rate = per_second.to_string();
    let variables = [
        ("PAYMENT_GATEWAYS", "stripe=pk_test_local"),
        ("STRIPE_URL", "http://stripe.test"),
        ("PAYMENTS_PER_SECOND", rate.as_str()),
    ];
    let wire = |(name, wire): &(&'static str, parts::Wire)| {
        (*name, wire(&mut shop.parts_with(&Calls::new(), &variables)).unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    let functions = saga_tasks::FUNCTIONS.iter().map(wire).collect();
    let since = (shop.clock.now(), Instant::now());
    (Crowd { functions, since, refused_by_provider: AtomicU32::new(0), shop }, buyers, fake)
}

#[tokio::test(start_paused = true)]
async fn a_thousand_orders_are_paid_in_little_more_than_the_time_that_the_providers_limit_allows() {
    let (crowd, buyers, fake) = crowd(PAYMENTS_PER_SECOND).await;
    let saga = Machine::payment_saga();
    let begun = Instant::now();
    let ended = join_all(
        buyers.iter().map(|buyer| saga.run(&crowd, json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": 1}))),
    );
    let ended = ended.await;
    let took = begun.elapsed();
    assert!(ended.iter().all(|end| *end == Ended::Succeeded(json!({"ending": "completed"}))));
    for buyer in &buyers {
        assert_eq!(crowd.shop.order(buyer).await.status, OrderStatus::Completed);
    }
    let paid = fake.lock().unwrap().payments();
    assert_eq!(paid.len(), buyers.len());
    assert!(paid.iter().all(|payment| payment.received_minor == 99_900 && payment.refunded_minor == 0));
    assert_eq!(crowd.refused_by_provider.load(Ordering::Relaxed), 0, "turns, not retries");
    let ideal = Duration::from_secs(u64::from(ORDERS / PAYMENTS_PER_SECOND));
    assert!(took <= ideal.mul_f64(1.3) && took >= ideal.mul_f64(0.9), "{took:?}, not {ideal:?}");
}

/// Nobody has set the rate: the provider refuses, the saga waits, and no order is refused for good.
#[tokio::test(start_paused = true)]
async fn without_a_rate_the_providers_refusals_are_waited_out() {
    let (crowd, buyers, fake) = crowd(0).await;
    let saga = Machine::payment_saga();
    let ended = join_all(
        buyers
            .iter()
            .take(500)
            .map(|buyer| saga.run(&crowd, json!({"order_id": buyer.id, "shopper": buyer.shopper, "attempt": 1}))),
    );
    let ended = ended.await;
    assert!(ended.iter().all(|end| *end == Ended::Succeeded(json!({"ending": "completed"}))), "{ended:?}");
    assert!(crowd.refused_by_provider.load(Ordering::Relaxed) > 0);
    let paid = fake.lock().unwrap().payments();
    assert_eq!(paid.iter().filter(|payment| payment.received_minor == 99_900).count(), 500);
}
