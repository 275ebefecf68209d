//! `await-action` on a real DynamoDB engine and the sandbox: a token is stored before the payment is read, so no change is missed.
#![expect(clippy::unnecessary_wraps, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

use await_action::AwaitAction;
use domain::{AttemptStatus, SandboxMethod};
use refund_payment::RefundPayment;
use serde_json::json;
use store::{Entry, EntryState};
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, Shop, Stage};

use super::{Answer, changes_nothing, error, input, on, run};

fn waits() -> Answer {
    Ok(json!({}))
}

/// An attempt whose shopper has to act.
async fn to_act() -> (Shop, Buyer) {
    let (shop, buyer) = (Shop::with(Stage::Pending).await, Buyer::first());
    shop.waits_for_shopper(&buyer).await;
    (shop, buyer)
}

async fn token(shop: &Shop, buyer: &Buyer) -> Option<String> {
    shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap().unwrap().waiting?.task_token
}

/// The shopper acts: the sandbox authorises.
async fn acts(shop: &Shop, buyer: &Buyer) {
    let method = SandboxMethod::ActionAbandoned.as_str().parse().unwrap();
    let entry = Entry::asked(EntryState::Authorised, buyer.amount(), buyer.amount(), &method);
    let name = domain::GatewayName("sandbox".to_owned());
    assert_eq!(shop.uncounted().books().settle(&name, &buyer.key(1), &entry).await.unwrap().state, EntryState::Authorised);
}

#[tokio::test]
async fn the_token_is_stored_and_a_later_one_replaces_it() {
    let (shop, buyer) = to_act().await;
    for one in ["token", "another"] {
        let mut input = input("await-action/ok");
        input["task_token"] = json!(one);
        assert_eq!(run::<AwaitAction>(&shop, &Calls::new(), input).await, waits());
        assert_eq!(token(&shop, &buyer).await.as_deref(), Some(one));
    }
}

#[tokio::test]
async fn a_shopper_who_has_acted_already_is_not_waited_for() {
    let (shop, buyer) = to_act().await;
    acts(&shop, &buyer).await;
    assert_eq!(on::<AwaitAction>(&shop, "await-action/ok").await, error("ActionTaken"));
}

/// The shopper acts while the function hangs at each of its requests: the function finds the action, or the code that handles
/// the action finds the token.
#[tokio::test]
async fn a_shopper_who_acts_meanwhile_is_found_here_or_by_who_has_the_token() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = to_act().await;
        let waiting = run::<AwaitAction>(&shop, &interleaving.calls, input("await-action/ok"));
        let acting = async {
            acts(&shop, &buyer).await;
            token(&shop, &buyer).await
        };
        let (answer, token) = interleaving.run(waiting, acting).await;
        assert!(answer == error("ActionTaken") || token.is_some(), "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_does_not_wait_takes_no_token() {
    for stage in Stage::ALL {
        let shop = Shop::with(stage).await;
        let attempt = shop.attempt_status(&Buyer::first(), 1).await;
        let order = shop.uncounted().orders().get(&Buyer::first().id).await.unwrap();
        let is_pending = order.is_some_and(|order| order.status == domain::OrderStatus::Pending && order.attempt == 1);
        let expected = if is_pending && attempt.is_some() { "ActionTaken" } else { "OrderNotPending" };
        changes_nothing::<AwaitAction>(&shop, input("await-action/ok"), error(expected), stage).await;
    }
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_made_up_for_by_the_next() {
    every_crash(async |calls| {
        let (shop, buyer) = to_act().await;
        let died = run::<AwaitAction>(&shop, calls, input("await-action/ok")).await;
        assert_eq!(on::<AwaitAction>(&shop, "await-action/ok").await, waits(), "after {died:?}");
        assert_eq!(token(&shop, &buyer).await.as_deref(), Some("token"));
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_is_being_undone_takes_no_token() {
    every_interleaving(async |interleaving| {
        let (shop, buyer) = to_act().await;
        let calls = Calls::new();
        let waiting = run::<AwaitAction>(&shop, &interleaving.calls, input("await-action/ok"));
        let (answer, undone) = interleaving.run(waiting, run::<RefundPayment>(&shop, &calls, input("refund-payment/ok"))).await;
        assert!([waits(), error("ActionTaken"), error("StoreUnavailable")].contains(&answer), "{answer:?}, {undone:?}");
        let undone = if undone.is_ok() { undone } else { on::<RefundPayment>(&shop, "refund-payment/ok").await };
        assert_eq!(undone, Ok(json!({"refunded": false})));
        assert_eq!(shop.attempt_status(&buyer, 1).await, Some(AttemptStatus::Voided));
        let late = on::<AwaitAction>(&shop, "await-action/ok").await;
        assert_eq!(late, error("ActionTaken"));
    })
    .await;
}
