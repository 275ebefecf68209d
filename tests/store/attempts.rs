//! Payment attempts: begun once, and changed only by a caller that has read their current state.

use domain::{Action, Attempt, AttemptStatus, GatewayName, IdempotencyKey, SignedDuration, Waiting};

use crate::shop::{Shop, at, id, key, price};

fn gateway(name: &str) -> GatewayName {
    GatewayName(name.to_owned())
}

/// The first attempt to pay order `number`, begun at the sandbox.
async fn begin(shop: &Shop, number: u32) -> Attempt {
    let (begun, is_new) = shop.attempts.begin(&key(number), &gateway("sandbox")).await.unwrap();
    assert!(is_new);
    begun
}

fn charged(before: &Attempt) -> Attempt {
    Attempt { status: AttemptStatus::Charged, reference: Some("sandbox_1".into()), confirmed: Some(price()), ..before.clone() }
}

#[tokio::test]
async fn an_attempt_is_begun_once_and_then_known() {
    let shop = Shop::open().await;
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), None);
    let begun = begin(&shop, 1).await;
    assert_eq!(begun, Attempt::started(key(1), gateway("sandbox")));
    let again = shop.attempts.begin(&key(1), &gateway("standby")).await.unwrap();
    assert_eq!(again, (begun.clone(), false), "the first gateway stays");
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(begun.clone()));

    let after = charged(&begun);
    assert!(shop.attempts.replace(&begun, &after).await.unwrap());
    let again = shop.attempts.begin(&key(1), &gateway("sandbox")).await.unwrap();
    assert_eq!(again, (after, false), "what came of it stays");
}

#[tokio::test]
async fn an_attempt_that_is_ruled_out_is_never_begun_and_one_that_was_begun_is_not_ruled_out() {
    let shop = Shop::open().await;
    let void = Attempt { status: AttemptStatus::Voided, ..Attempt::started(key(1), gateway("sandbox")) };
    for _ in 0..2 {
        assert_eq!(shop.attempts.rule_out(&key(1), &gateway("sandbox")).await.unwrap(), void);
        assert_eq!(shop.attempts.begin(&key(1), &gateway("standby")).await.unwrap(), (void.clone(), false));
    }
    let begun = begin(&shop, 2).await;
    assert_eq!(shop.attempts.rule_out(&key(2), &gateway("standby")).await.unwrap(), begun);
    assert_eq!(shop.attempts.get(&key(2)).await.unwrap(), Some(begun));
}

#[tokio::test]
async fn every_attempt_of_an_order_is_kept() {
    let shop = Shop::open().await;
    let second = IdempotencyKey { attempt: 2, ..key(1) };
    let first = begin(&shop, 1).await;
    shop.attempts.begin(&second, &gateway("standby")).await.unwrap();
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(first));
    assert_eq!(shop.attempts.get(&second).await.unwrap().map(|attempt| attempt.gateway), Some(gateway("standby")));
}

#[tokio::test]
async fn an_attempt_is_replaced_only_as_it_was_read() {
    let shop = Shop::open().await;
    let begun = begin(&shop, 1).await;
    let moved_on = Attempt { gateway: gateway("standby"), ..begun.clone() };
    assert!(shop.attempts.replace(&begun, &moved_on).await.unwrap());

    let declined = Attempt { status: AttemptStatus::Declined, reason: Some("no".into()), ..begun.clone() };
    assert!(!shop.attempts.replace(&begun, &declined).await.unwrap(), "another gateway is asked by now");
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(moved_on.clone()));

    let after = charged(&moved_on);
    assert!(shop.attempts.replace(&moved_on, &after).await.unwrap());
    let unavailable = Attempt { status: AttemptStatus::Unavailable, ..moved_on.clone() };
    assert!(!shop.attempts.replace(&moved_on, &unavailable).await.unwrap(), "it is charged by now");
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(after));
}

/// One run finds the gateway down while another is about to ask it again: the store accepts the first write.
#[tokio::test]
async fn an_attempt_that_was_asked_again_is_not_replaced_by_who_did_not_know() {
    let shop = Shop::open().await;
    for number in [1, 2] {
        let begun = begin(&shop, number).await;
        let unavailable = Attempt { status: AttemptStatus::Unavailable, ..begun.clone() };
        let asked_again = Attempt { asked_again: true, ..begun.clone() };
        let (first, second) = if number == 1 { (unavailable, asked_again) } else { (asked_again, unavailable) };
        assert!(shop.attempts.replace(&begun, &first).await.unwrap());
        assert!(!shop.attempts.replace(&begun, &second).await.unwrap(), "{first:?}, then {second:?}");
        assert_eq!(shop.attempts.get(&key(number)).await.unwrap(), Some(first));
    }
    let asked_again = shop.attempts.get(&key(2)).await.unwrap().unwrap();
    let after = charged(&asked_again);
    assert!(shop.attempts.replace(&asked_again, &after).await.unwrap(), "who knows it may write");
    assert_eq!(shop.attempts.get(&key(2)).await.unwrap(), Some(after));
}

/// An attempt that was begun before this attribute existed also counts as asked once.
#[tokio::test]
async fn only_an_attempt_that_was_asked_again_says_so() {
    let shop = Shop::open().await;
    let begun = begin(&shop, 1).await;
    let item = async || shop.raw(shop.dynamo.order_table(), &format!("ORDER#{}", id(1)), "PAYMENT#1").await.unwrap();
    assert_eq!(item().await.get("asked_again"), None);
    let asked_again = Attempt { asked_again: true, ..begun.clone() };
    assert!(shop.attempts.replace(&begun, &asked_again).await.unwrap());
    assert_eq!(item().await["asked_again"].as_bool(), Ok(&true));
}

#[tokio::test]
async fn an_attempt_that_was_never_begun_is_not_replaced() {
    let shop = Shop::open().await;
    let never = Attempt::started(key(1), gateway("sandbox"));
    assert!(!shop.attempts.replace(&never, &charged(&never)).await.unwrap());
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), None);
}

#[tokio::test]
async fn an_attempt_lies_beside_its_order_under_its_number() {
    let shop = Shop::open().await;
    shop.attempts.begin(&IdempotencyKey { attempt: 3, ..key(1) }, &gateway("sandbox")).await.unwrap();
    let item = shop.raw(shop.dynamo.order_table(), &format!("ORDER#{}", id(1)), "PAYMENT#3").await.unwrap();
    assert_eq!(item["idempotency_key"].as_s().unwrap(), &format!("{}-3", id(1)));
    assert_eq!(item["status"].as_s().unwrap(), "started");
}

/// Two runs read the attempt before one of them stores the provider's id. The other one's decision is out of date: it must not
/// undo, or charge again, as if the provider had not been asked.
#[tokio::test]
async fn a_run_that_does_not_know_the_providers_id_changes_nothing() {
    let shop = Shop::open().await;
    let (read, _) = shop.attempts.begin(&key(1), &gateway("stripe")).await.unwrap();
    let identified = Attempt { provider_id: Some("pi_1".to_owned()), ..read.clone() };
    assert!(shop.attempts.replace(&read, &identified).await.unwrap());
    for late in [
        Attempt { status: AttemptStatus::Refunding, ..read.clone() },
        Attempt { asked_again: true, ..read.clone() },
        Attempt { provider_id: Some("pi_2".to_owned()), ..read.clone() },
        Attempt::started(key(1), gateway("sandbox")),
    ] {
        assert!(!shop.attempts.replace(&read, &late).await.unwrap(), "{late:?}");
        assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(identified.clone()));
    }
    let other = Attempt { provider_id: Some("pi_2".to_owned()), ..identified.clone() };
    assert!(!shop.attempts.replace(&other, &Attempt { status: AttemptStatus::Charged, ..other.clone() }).await.unwrap());
    let undone = Attempt { status: AttemptStatus::Refunding, ..identified.clone() };
    assert!(shop.attempts.replace(&identified, &undone).await.unwrap());
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(undone));
}

/// A run that does not know the token does not lose it, whatever it writes.
#[tokio::test]
async fn nobody_who_has_not_read_the_task_token_changes_the_attempt() {
    let shop = Shop::open().await;
    let begun = begin(&shop, 1).await;
    let action = Action::Redirect { url: "https://paypal.example/approve".to_owned() };
    let waits = |task_token: Option<&str>| {
        let waiting = Waiting { action: action.clone(), until: at("12:05:00"), task_token: task_token.map(str::to_owned) };
        Attempt { waiting: Some(waiting), ..begun.clone() }
    };
    assert!(shop.attempts.replace(&begun, &waits(None)).await.unwrap());
    assert!(shop.attempts.replace(&waits(None), &waits(Some("one"))).await.unwrap());
    assert!(!shop.attempts.replace(&waits(None), &waits(Some("two"))).await.unwrap());
    assert!(!shop.attempts.replace(&begun, &charged(&begun)).await.unwrap());
    assert!(!shop.attempts.replace(&waits(Some("two")), &charged(&begun)).await.unwrap());
    assert!(shop.attempts.replace(&waits(Some("one")), &charged(&begun)).await.unwrap());
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(charged(&begun)));
}

/// However often a page asks, and in however many environments: one of the callers tells the worker.
#[tokio::test]
async fn a_return_is_noted_once_in_two_seconds_and_only_of_a_payment_that_waits() {
    let shop = Shop::open().await;
    let every = SignedDuration::from_secs(2);
    let noted = async |when: &str| shop.attempts.note_return(&key(1), every, at(when)).await.unwrap();
    assert!(!noted("12:00:00").await, "never begun");
    let begun = begin(&shop, 1).await;
    assert!(!noted("12:00:00").await, "waits for nothing");
    let action = Action::Redirect { url: "https://paypal.example/approve".to_owned() };
    let waiting = Waiting { action, until: at("12:05:00"), task_token: Some("one".to_owned()) };
    let waits = Attempt { waiting: Some(waiting), ..begun.clone() };
    assert!(shop.attempts.replace(&begun, &waits).await.unwrap());
    assert!(noted("12:00:00").await);
    assert!(!noted("12:00:00").await, "the same again");
    assert!(!noted("12:00:01").await);
    assert!(!noted("11:59:59").await, "another machine's clock is behind");
    assert!(noted("12:00:02").await);
    assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(waits.clone()), "nothing else has changed");
    let after = charged(&Attempt { waiting: None, ..waits.clone() });
    assert!(shop.attempts.replace(&waits, &after).await.unwrap());
    assert!(!noted("12:00:10").await, "paid by now");
}
