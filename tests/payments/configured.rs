//! Which gateways take an order's token, when they may be asked, and what all environments know of them.

use std::sync::Arc;

use domain::{Accounts, ChargeOutcome, Clock, GatewayName, Order, OrderStep, PaymentRate};
use futures_util::future::{self, BoxFuture};
use payments::{Admission, Gateways, PaymentGateway, Providers, Secret, SecretStore};
use test_shop::{Buyer, Shop};

/// No account has keys.
struct NoKeys;

impl SecretStore for NoKeys {
    fn read<'a>(&'a self, _account: &'a GatewayName) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(future::ready(None))
    }
}

fn gateways(shop: &Shop, entries: &[&str], per_second: u32) -> Gateways {
    let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
    let mut parts = shop.uncounted();
    let providers = Providers {
        books: parts.books(),
        http: test_shop::nobody(),
        secrets: Arc::new(NoKeys),
        stripe_url: "http://stripe.test".to_owned(),
        paypal_url: "http://paypal.test".to_owned(),
        return_url: "https://shop.example.com".to_owned(),
        clock: parts.clock(),
    };
    Gateways::new(Accounts::read(&entries).unwrap(), &providers, parts.gateway_states(), PaymentRate::new(per_second))
}

fn order(method: &str, accounts: &[&str]) -> Order {
    let accounts = accounts.iter().map(|&name| GatewayName(name.to_owned())).collect();
    Order { payment_method: Some(method.parse().unwrap()), accounts, ..Buyer::first().order(OrderStep::PaymentStarted) }
}

fn names(gateways: &[&dyn PaymentGateway]) -> Vec<String> {
    gateways.iter().map(|gateway| gateway.name().to_string()).collect()
}

const ALL: [&str; 5] = ["sandbox", "stripe-a=pk_a", "stripe-b=pk_b", "sandbox-standby", "paypal=client"];

#[tokio::test]
async fn a_token_goes_to_the_account_of_its_order_and_to_no_other() {
    let shop = Shop::open().await;
    let gateways = gateways(&shop, &ALL, 0);
    for (method, accounts, expected) in [
        ("sandbox:ok", &["stripe-b", "paypal"][..], &["sandbox", "sandbox-standby"][..]),
        ("stripe:pm_1", &["stripe-b", "paypal"], &["stripe-b"]),
        ("stripe:pm_1", &["stripe-gone"], &[]),
        ("paypal:checkout", &["stripe-b", "paypal"], &["paypal"]),
        ("adyen:1", &["stripe-b"], &[]),
    ] {
        let order = order(method, accounts);
        assert_eq!(names(&gateways.that_take(&order)), expected, "{method} {accounts:?}");
    }
    assert_eq!(gateways.named(&GatewayName("stripe-a".to_owned())).unwrap().name().0, "stripe-a");
    assert!(gateways.named(&GatewayName("stripe".to_owned())).is_none());
    let unpaid = Order { payment_method: None, ..order("sandbox:ok", &[]) };
    assert!(gateways.that_take(&unpaid).is_empty());
}

/// Payments of all environments take turns: of a crowd, no second has more than the rate.
#[tokio::test]
async fn payments_take_turns_at_the_rate_and_a_quiet_gateway_begins_at_once() {
    let shop = Shop::empty().await;
    let environments = [gateways(&shop, &["sandbox"], 10), gateways(&shop, &["sandbox"], 10)];
    let now = shop.clock.now();
    let mut turns = Vec::new();
    for number in 0..35 {
        let gateways = &environments[number % 2];
        let gateway = gateways.named(&GatewayName("sandbox".to_owned())).unwrap();
        turns.push(match gateways.admit(gateway, false).await.unwrap() {
            Admission::Now => 0,
            Admission::At(turn) => turn.duration_since(now).as_millis(),
            Admission::Down => panic!("the sandbox has no breaker"),
        });
    }
    assert_eq!(turns, (0..35).map(|number| number * 100).collect::<Vec<i128>>());
    let gateway = environments[0].named(&GatewayName("sandbox".to_owned())).unwrap();
    assert_eq!(environments[0].admit(gateway, true).await.unwrap(), Admission::Now, "it has waited");
    // Turns that nobody used are not saved up.
    shop.clock.advance_seconds(60);
    let mut at_once = 0;
    for _ in 0..10 {
        at_once += u32::from(environments[1].admit(gateway, false).await.unwrap() == Admission::Now);
    }
    assert_eq!(at_once, 1);
}

#[tokio::test]
async fn without_a_rate_every_payment_may_ask_and_nothing_is_written() {
    let shop = Shop::empty().await;
    let gateways = gateways(&shop, &["sandbox", "stripe=pk"], 0);
    for name in ["sandbox", "stripe"] {
        let gateway = gateways.named(&GatewayName(name.to_owned())).unwrap();
        for _ in 0..100 {
            assert_eq!(gateways.admit(gateway, false).await.unwrap(), Admission::Now);
        }
    }
    assert!(shop.everything().await.is_empty());
}

/// Five failures in a short time, seen by different environments, and nobody asks; then one at a time, until one succeeds.
#[tokio::test]
async fn a_gateway_that_is_down_is_left_alone_by_all_environments_and_then_asked_by_one() {
    let shop = Shop::empty().await;
    let environments = [gateways(&shop, &["stripe=pk"], 0), gateways(&shop, &["stripe=pk"], 20)];
    let name = GatewayName("stripe".to_owned());
    for number in 0..5 {
        let gateways = &environments[number % 2];
        assert_eq!(gateways.admit(gateways.named(&name).unwrap(), true).await.unwrap(), Admission::Now);
        let outcome = if number % 2 == 0 { ChargeOutcome::Unavailable } else { ChargeOutcome::Unknown };
        gateways.tell(gateways.named(&name).unwrap(), &outcome).await;
    }
    let admitted = async || {
        let mut all = Vec::new();
        for gateways in &environments {
            all.push(gateways.admit(gateways.named(&name).unwrap(), true).await.unwrap());
        }
        all
    };
    assert_eq!(admitted().await, [Admission::Down, Admission::Down]);
    shop.clock.advance_seconds(15);
    assert_eq!(admitted().await, [Admission::Now, Admission::Down], "one asks whether it is back");
    environments[0].tell(environments[0].named(&name).unwrap(), &ChargeOutcome::Unavailable).await;
    assert_eq!(admitted().await, [Admission::Down, Admission::Down]);
    shop.clock.advance_seconds(15);
    assert_eq!(admitted().await, [Admission::Now, Admission::Down]);
    environments[0].tell(environments[0].named(&name).unwrap(), &crate::declined("The card was declined.")).await;
    assert_eq!(admitted().await, [Admission::Now, Admission::Now], "it answers");
}

#[tokio::test]
async fn outcomes_that_are_no_outage_and_the_sandbox_open_no_breaker() {
    let shop = Shop::empty().await;
    let gateways = gateways(&shop, &["sandbox", "stripe=pk"], 0);
    for (name, outcome) in [
        ("sandbox", ChargeOutcome::Unavailable),
        ("stripe", ChargeOutcome::Busy),
        ("stripe", ChargeOutcome::Pending),
        ("stripe", crate::declined("no")),
    ] {
        let gateway = gateways.named(&GatewayName(name.to_owned())).unwrap();
        for _ in 0..10 {
            gateways.tell(gateway, &outcome).await;
        }
        assert_eq!(gateways.admit(gateway, false).await.unwrap(), Admission::Now, "{name} {outcome:?}");
    }
    assert!(shop.everything().await.is_empty());
}
