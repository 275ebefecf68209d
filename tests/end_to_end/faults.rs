//! Function processes die during a rush, and unreadable messages arrive. Every unit is sold, and no shopper pays for nothing.
//! Only unreadable messages end in a dead-letter queue. And what can be counted only while nothing else runs.
//!
//! Ignored unless named, because these tests and the others would disturb each other. `cargo xtask test` runs them alone, after
//! the others.

use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;

use crate::{
    providers::Purchase,
    stack::{Answer, Books, Person, Stack, Units, checkout, eventually, now},
};

const SHOPPERS: usize = 100;
const UNITS: usize = 20;
/// How long a shopper comes back for. The reconciler may have to run first, a minute after a process abandoned the order.
const PATIENCE: Duration = Duration::from_mins(6);
/// How long the test kills processes, one at a time.
const KILLING: Duration = Duration::from_secs(20);

/// Function processes of the stack, by id.
fn function_processes(stack: &Stack) -> Vec<u32> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid=", "-o", "comm="]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let emulator = stack.pid().to_string();
    listed
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            let (pid, parent, command) = (columns.next()?, columns.next()?, columns.next()?);
            (parent == emulator && command.ends_with("bootstrap")).then(|| pid.parse().unwrap())
        })
        .collect()
}

/// Kills a random function process every few hundred milliseconds. Returns how many it has killed.
async fn kill_functions(stack: &Stack) -> usize {
    let mut choice = now().as_millisecond().unsigned_abs();
    println!("faults: killing function processes, starting from {choice}");
    let (mut killed, started) = (0, Instant::now());
    while started.elapsed() < KILLING {
        // The linear congruential generator of Numerical Recipes. Any generator would do.
        choice = choice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let processes = function_processes(stack);
        if let Some(pid) = processes.get(usize::try_from(choice >> 16).unwrap() % processes.len().max(1)) {
            let done = Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
            killed += usize::from(done.success());
        }
        tokio::time::sleep(Duration::from_millis(100 + (choice >> 40) % 200)).await;
    }
    killed
}

/// Repeats a request while its answer is a server error: a function may have died before it answered.
async fn known(ask: impl AsyncFn() -> Answer) -> Answer {
    eventually("an answer", PATIENCE, async || Some(ask().await).filter(|answer| answer.status < 500)).await
}

/// Buys one unit, with as many tries as it takes. `None` means that the sale is sold out.
async fn buy(shopper: &Person, product: &str) -> Option<String> {
    let reserve = json!({"product_id": product});
    let bought = async || {
        let reserved = known(async || shopper.post("/reserve-inventory", &reserve).await).await;
        match (reserved.status, reserved.code()) {
            (200 | 201, _) => {}
            // Units that other shoppers hold may come back.
            (409, "sold-out") if reserved.body["holds"]["count"] != 0 => return None,
            (409, "sold-out") => return Some(None),
            (429, _) => return None,
            _ => panic!("{reserved:?}"),
        }
        let id = reserved.text("reservation_id");
        let ordered = known(async || shopper.check_out(id, "sandbox:ok").await).await;
        if ordered.status == 410 {
            return None;
        }
        assert!(matches!(ordered.status, 200 | 202), "{ordered:?}");
        let ended = eventually("an end of an order", PATIENCE, async || {
            let order = known(async || shopper.get(&format!("/orders/{id}")).await).await.expect(200);
            (order.text("order_status") != "pending").then_some(order)
        })
        .await;
        // If the order ended otherwise, because a hold ran out first, the shopper tries again.
        (ended.text("order_status") == "completed").then(|| Some(id.to_owned()))
    };
    eventually("an end of the sale for a shopper", PATIENCE, bought).await
}

#[tokio::test]
#[ignore = "kills processes of the stack: cargo xtask test runs it alone"]
async fn functions_that_die_lose_nothing() {
    let stack = Stack::running();
    let dead_letters = stack.dead_letters().await;
    let product = stack.sale("faults", json!({"units": UNITS, "hold_seconds": 30})).await;
    let shoppers: Vec<Person> = stream::iter(0..SHOPPERS).map(|_| stack.new_shopper()).buffer_unordered(16).collect().await;

    let started = Instant::now();
    let (killed, bought) = tokio::join!(kill_functions(&stack), join_all(shoppers.iter().map(|shopper| buy(shopper, &product))));
    println!("faults: {killed} processes killed, over after {:.1} s", started.elapsed().as_secs_f64());
    assert!(killed >= 20, "{killed} processes killed");

    let orders: BTreeSet<String> = bought.into_iter().flatten().collect();
    assert_eq!(orders.len(), UNITS, "as many completed orders as units");
    let units = u64::try_from(UNITS).unwrap();
    let all = eventually("a quiet sale", PATIENCE, async || Some(stack.units(&product).await).filter(|units| units.held == 0));
    assert_eq!(all.await, Units { available: 0, held: 0, sold: units });
    let Books { charges, refunds } = stack.books(&format!("{product}.")).await;
    assert_eq!(charges - refunds, units, "{charges} charged, {refunds} given back");
    assert_eq!(stack.order_statuses(&product).await.get("completed"), Some(&UNITS));
    assert_eq!(stack.order_statuses(&product).await.get("pending"), None);
    assert_eq!(stack.dead_letters().await, dead_letters, "no message was given up");
}

fn redrive(queue: &str) {
    let done = Command::new("cargo").args(["xtask", "redrive", queue]).status().unwrap();
    assert!(done.success(), "cargo xtask redrive {queue}");
}

#[tokio::test]
#[ignore = "makes queues impatient: cargo xtask test runs it alone"]
async fn a_message_that_nobody_can_read_ends_as_a_dead_letter_and_no_other_does() {
    let stack = Stack::running();
    let (buyer, holder) = (stack.shopper(1).await, stack.shopper(2).await);
    for queue in ["orders", "expiry"] {
        let dead = async |count| {
            let is_so = async || (stack.dead_letters_of(queue).await == count).then_some(());
            eventually(&format!("{count} dead letter(s) of {queue}"), Duration::from_mins(2), is_so).await;
        };
        assert_eq!(stack.dead_letters_of(queue).await, 0);
        let patience = stack.make_visible_after(queue, "1").await;
        stack.send(queue, "nobody can read this").await;
        // The functions handle the messages around it: an order is paid, and a hold ends.
        let product = stack.sale("poison", json!({"units": 5, "hold_seconds": 5})).await;
        let (order, held) = tokio::join!(buyer.order(&product, "sandbox:ok"), holder.reserve(&product));
        held.expect(201);
        buyer.order_becomes(&order, "completed").await;
        let back = async || (stack.units(&product).await == Units { available: 4, held: 0, sold: 1 }).then_some(());
        eventually("the held unit back", Duration::from_mins(1), back).await;
        dead(1).await;

        redrive(queue);
        dead(0).await;
        // The message is still unreadable, so it ends in the dead-letter queue again, and alone.
        dead(1).await;
        stack.forget_dead_letters(queue).await;
        stack.make_visible_after(queue, &patience).await;
    }
}

/// API Gateway keeps the authorizer's answer for the token. Here nobody else invokes the authorizer, so the count is exact.
#[tokio::test]
#[ignore = "counts every invocation: cargo xtask test runs it alone"]
async fn a_kept_answer_of_the_authorizer_costs_no_invocation() {
    let stack = Stack::running();
    let shopper = stack.new_shopper().await;
    let none = stack.invocations("authorize").await;
    shopper.get("/orders").await.expect(200);
    eventually("the invocation for the token", PATIENCE, async || (stack.invocations("authorize").await > none).then_some(()))
        .await;
    let one = stack.invocations("authorize").await;
    for _ in 0..50 {
        shopper.get("/orders").await.expect(200);
        shopper.get("/reservations?product_id=demo").await.refuses(404, "unknown-reservation");
        shopper.get("/orders/demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D").await.refuses(404, "unknown-order");
    }
    assert_eq!(stack.invocations("authorize").await, one);
}

/// No event of Stripe arrives. The shopper comes back to the shop's page, which sends the request again.
#[tokio::test]
#[ignore = "changes how events are delivered: cargo xtask test runs it alone"]
async fn a_payment_goes_on_without_any_event_when_its_shopper_comes_back() {
    let stack = Stack::running();
    stack.deliver_events("stripe", json!({"lose": 1_000})).await;
    let purchase = Purchase::begun("stripe:pm_card_threeDSecure2Required", json!({})).await;
    assert_eq!(purchase.confirms("passed").await, "requires_capture");
    let again = checkout(&purchase.order, "stripe:pm_card_threeDSecure2Required");
    eventually("a completed order", Duration::from_mins(1), async || {
        let answer = purchase.shopper.post("/checkout", &again).await;
        (answer.text("order_status") == "completed").then_some(())
    })
    .await;
    purchase.is_paid().await;
    stack.deliver_events("stripe", json!({})).await;
}

/// Events come twice, the latest first.
#[tokio::test]
#[ignore = "changes how events are delivered: cargo xtask test runs it alone"]
async fn events_that_come_twice_and_in_the_wrong_order_charge_once() {
    let stack = Stack::running();
    stack.deliver_events("stripe", json!({"duplicate": true, "reverse": true})).await;
    let purchase = Purchase::begun("stripe:pm_card_threeDSecure2Required", json!({})).await;
    assert_eq!(purchase.confirms("passed").await, "requires_capture");
    purchase.is_paid().await;
    let ((reserved, moved, back), intents) = purchase.at_stripe().await;
    assert_eq!((reserved, moved, back, intents.len()), (0, 99_900, 0, 1));
    stack.deliver_events("stripe", json!({})).await;
}
