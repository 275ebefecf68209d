//! A sale that asks for a proof of work: without one, a request costs nothing and gets nothing.

use domain::{Admission, ProofOfWork, SaleDraft, SignedDuration};
use get_challenge::GetChallenge;
use insta::assert_snapshot;
use place_order::PlaceOrder;
use reserve::Reserve;
use serde_json::{Value, json};
use test_aws::{Calls, request, told};
use test_shop::{CHALLENGE_SECRET, Judged, START, Shop, body, brief, demo, guarded, solved};

/// The demo sale at its start, with a proof of work.
async fn shop() -> Shop {
    let shop = Shop::empty().await;
    shop.sale(&demo(), guarded()).await;
    shop.clock.set(START);
    shop
}

/// A challenge for a shopper.
async fn challenge(shop: &Shop, name: &str) -> Value {
    let function: Judged<GetChallenge> = shop.wire(&Calls::new());
    let ask = request("GET", "/api/flash-sales/{product_id}/challenge").path_parameter("product_id", "demo").shopper(name);
    body(&function.handle(ask.build()).await)
}

/// A request to reserve with this header.
fn reserve(name: &str, work: Option<&str>) -> kit::Request {
    let ask = request("POST", "/reserve-inventory").shopper(name).json(&json!({"product_id": "demo"}));
    work.into_iter().fold(ask, |ask, work| ask.header("Proof-Of-Work", work)).build()
}

async fn asked(function: &Judged<Reserve>, name: &str, work: Option<&str>) -> String {
    brief(&function.handle(reserve(name, work)).await)
}

#[tokio::test]
async fn who_has_done_the_work_gets_units_and_may_show_it_again() {
    let shop = shop().await;
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    let work = solved(&challenge(&shop, "ann").await);
    assert_eq!(asked(&function, "ann", Some(&work)).await, "201");
    assert_eq!(asked(&function, "ann", Some(&work)).await, "200");
    let order: Judged<PlaceOrder> = shop.wire(&Calls::new());
    let ask = request("POST", "/api/flash-sales/{product_id}/order").path_parameter("product_id", "demo").shopper("bob");
    assert_eq!(brief(&order.handle(ask.clone().build()).await), "428 proof-of-work-required");
    let work = solved(&challenge(&shop, "bob").await);
    assert_eq!(brief(&order.handle(ask.header("proof-of-work", &work).build()).await), "202");
}

#[tokio::test]
async fn every_refusal_says_what_to_do() {
    let shop = shop().await;
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    let of_ann = challenge(&shop, "ann").await;
    let work = solved(&of_ann);
    assert_snapshot!(told(&function.handle(reserve("ann", None)).await), @"
    428 Precondition Required: proof-of-work-required, Proof of work required
    This sale asks for a proof of work. Solve a challenge of GET /api/flash-sales/{product_id}/challenge, and send its solution in the header Proof-Of-Work.
    ");
    assert_snapshot!(told(&function.handle(reserve("ann", Some("nonsense"))).await), @r#"
    422 Unprocessable Entity: proof-of-work-invalid, Proof of work invalid
    The header Proof-Of-Work is not a challenge of this shop with its solution, in base 64, as ALTCHA sends it.
    {"reason":"forged"}
    "#);
    assert_snapshot!(told(&function.handle(reserve("bob", Some(&work))).await), @r#"
    422 Unprocessable Entity: proof-of-work-invalid, Proof of work invalid
    This challenge was issued to another shopper, or for another sale.
    {"reason":"foreign"}
    "#);
    let mut other = solved_json(&work);
    other["solution"]["derivedKey"] = json!("00".repeat(32));
    assert_snapshot!(told(&function.handle(reserve("ann", Some(&header(&other)))).await), @r#"
    422 Unprocessable Entity: proof-of-work-invalid, Proof of work invalid
    This does not solve the challenge.
    {"reason":"wrong"}
    "#);
    shop.clock.set("2026-11-01T12:00:10.001Z");
    assert_snapshot!(told(&function.handle(reserve("ann", Some(&work))).await), @"
    428 Precondition Required: proof-of-work-expired, Proof of work expired
    This challenge is too old. Solve a new one.
    ");
}

#[tokio::test]
async fn a_request_without_work_costs_no_call() {
    let (shop, calls) = (shop().await, Calls::new());
    let function: Judged<Reserve> = shop.wire(&calls);
    let of_ann = solved(&challenge(&shop, "ann").await);
    let mut wrong = solved_json(&of_ann);
    wrong["solution"]["derivedKey"] = json!("00".repeat(32));
    let wrong = header(&wrong);
    assert_eq!(asked(&function, "ann", Some(&wrong)).await, "422 proof-of-work-invalid");
    calls.reset();
    for n in 0..200 {
        let stranger = format!("shopper-{n}");
        assert_eq!(asked(&function, &stranger, None).await, "428 proof-of-work-required");
        assert_eq!(asked(&function, &stranger, Some("e30=")).await, "422 proof-of-work-invalid");
        assert_eq!(asked(&function, &stranger, Some(&of_ann)).await, "422 proof-of-work-invalid");
        assert_eq!(asked(&function, "ann", Some(&wrong)).await, "422 proof-of-work-invalid");
    }
    assert_eq!(calls.total(), 0, "sale and keys are known");
}

#[tokio::test]
async fn a_winner_who_cancelled_costs_two_calls_more_and_then_none() {
    let (shop, calls) = (shop().await, Calls::new());
    let function: Judged<Reserve> = shop.wire(&calls);
    let work = solved(&challenge(&shop, "ann").await);
    assert_eq!(asked(&function, "ann", Some(&work)).await, "201");
    let ann = "ann".parse().unwrap();
    let reservation = shop.uncounted().reservations().get(&ann, &demo()).await.unwrap().unwrap();
    shop.uncounted().reservations().end(&ann, &reservation.id, store::Ending::Cancelled).await.unwrap();
    calls.reset();
    for _ in 0..100 {
        assert_eq!(asked(&function, "ann", None).await, "428 proof-of-work-required");
    }
    assert_eq!(calls.total(), 2, "a token, and whether the reservation is over");
}

#[tokio::test]
async fn a_header_that_is_no_solution_is_refused_whatever_it_is() {
    let shop = shop().await;
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    let good = solved_json(&solved(&challenge(&shop, "ann").await));
    let mut bad: Vec<String> = ["", " ", "e30", "e30=", "bnVsbA==", "W10=", "%", &"A".repeat(5_000)].map(str::to_owned).into();
    let changes: [fn(&mut Value); 9] = [
        |it| it["challenge"]["parameters"]["algorithm"] = json!("SHA-256"),
        |it| it["challenge"]["parameters"]["keyLength"] = json!(16),
        |it| it["challenge"]["parameters"]["cost"] = json!(1),
        |it| it["challenge"]["parameters"]["cost"] = json!(-1),
        |it| it["challenge"]["parameters"]["expiresAt"] = json!("never"),
        |it| it["challenge"]["parameters"]["memoryCost"] = json!(1),
        |it| it["challenge"]["parameters"]["data"]["more"] = json!(1),
        |it| it["challenge"]["signature"] = json!(null),
        |it| it["solution"] = json!({"counter": 1}),
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed);
        bad.push(header(&changed));
    }
    for header in bad {
        assert_eq!(asked(&function, "ann", Some(&header)).await, "422 proof-of-work-invalid", "{header}");
    }
    assert_eq!(asked(&function, "ann", Some(&header(&good))).await, "201", "the unchanged one");
}

#[tokio::test]
async fn the_draw_comes_first_so_no_solution_has_to_last_until_ones_turn() {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { admission: Admission::Draw { ramp_seconds: 60 }, ..guarded() }).await;
    shop.clock.set(START);
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    assert_eq!(asked(&function, "ann", None).await, "409 not-yet-admitted");
    shop.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(asked(&function, "ann", None).await, "428 proof-of-work-required");
    let work = solved(&challenge(&shop, "ann").await);
    assert_eq!(asked(&function, "ann", Some(&work)).await, "201");
}

#[tokio::test]
async fn a_sale_that_is_known_to_be_sold_out_says_so_first() {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units: 1, ..guarded() }).await;
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    for (name, answer) in [("ann", "201"), ("bob", "409 sold-out")] {
        let work = solved(&challenge(&shop, name).await);
        assert_eq!(asked(&function, name, Some(&work)).await, answer);
    }
    assert_eq!(asked(&function, "carl", None).await, "409 sold-out");
}

/// The three steps of docs/deploying.md, five minutes apart. At each step, some environments know the newer secret and others do not.
#[tokio::test]
async fn while_the_keys_are_replaced_nobody_is_refused_and_afterwards_the_old_key_is_worth_nothing() {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { proof_of_work: Some(ProofOfWork { cost: 1, window_seconds: 60 }), ..guarded() }).await;
    let [old, new] = ["an old key of tests 0123456789 0123456789", "a new key of tests 0123456789 0123456789"];
    let steps = [(old, None), (old, Some(new)), (new, Some(old)), (new, None)].map(|(key, accepted): (_, Option<&str>)| {
        let accepted: Vec<&str> = accepted.into_iter().collect();
        json!({"key": key, "accepted": accepted}).to_string()
    });
    shop.vault.put(CHALLENGE_SECRET, &steps[0]);
    let (early, late) = (Environments::of(&shop), Environments::of(&shop));
    let first = early.work_of("first").await;
    // The late environments read their keys later.
    shop.clock.advance(SignedDuration::from_secs(60));
    late.work_of("first").await;
    for (step, secret) in steps.iter().enumerate().skip(1) {
        shop.vault.put(CHALLENGE_SECRET, secret);
        // The early environments read it, the late ones do not yet.
        shop.clock.advance(SignedDuration::from_secs(240));
        for (from, to, name) in [(&early, &late, "early"), (&late, &early, "late")] {
            let shopper = format!("{name}-{step}");
            let work = from.work_of(&shopper).await;
            assert_eq!(asked(&to.reserve, &shopper, Some(&work)).await, "201", "{shopper}");
        }
        shop.clock.advance(SignedDuration::from_secs(60));
        late.work_of("first").await;
        shop.clock.advance(SignedDuration::from_secs(120));
    }
    for environments in [&early, &late] {
        assert_eq!(asked(&environments.reserve, "first", Some(&first)).await, "422 proof-of-work-invalid");
    }
}

/// An environment of each function.
struct Environments {
    challenges: Judged<GetChallenge>,
    reserve: Judged<Reserve>,
}

impl Environments {
    fn of(shop: &Shop) -> Self {
        Self { challenges: shop.wire(&Calls::new()), reserve: shop.wire(&Calls::new()) }
    }

    /// A challenge for a shopper, solved.
    async fn work_of(&self, name: &str) -> String {
        let ask = request("GET", "/api/flash-sales/{product_id}/challenge").path_parameter("product_id", "demo").shopper(name);
        solved(&body(&self.challenges.handle(ask.build()).await))
    }
}

#[tokio::test]
async fn without_the_keys_a_shopper_who_has_done_the_work_tries_again() {
    let shop = shop().await;
    let work = solved(&challenge(&shop, "ann").await);
    shop.vault.put(CHALLENGE_SECRET, "");
    let function: Judged<Reserve> = shop.wire(&Calls::new());
    assert_eq!(asked(&function, "ann", Some(&work)).await, "503 try-again");
    assert_eq!(asked(&function, "ann", None).await, "428 proof-of-work-required");
}

fn solved_json(work: &str) -> Value {
    use base64::{Engine, prelude::BASE64_STANDARD};
    serde_json::from_slice(&BASE64_STANDARD.decode(work).unwrap()).unwrap()
}

fn header(json: &Value) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(json.to_string())
}
