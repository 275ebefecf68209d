//! A property of the gate: whatever it refuses, the API refuses two seconds later, with clocks that differ as much as they may.

use contract::GateValue;
use domain::{
    Exhausted, Hold, ProductId, Quantity, ReservationId, Sale, SaleDraft, SaleStatus, ShardNumber, SignedDuration, StockShard,
    Timestamp,
};
use reserve::Reserve;
use serde_json::{Value, json};
use store::Ending;
use test_aws::Calls;
use test_shop::{Shop, brief, demo, draft};

use crate::{
    answers::feed,
    node::{Asked, Judged, judge},
};

/// Requests of every kind.
const REQUESTS: u64 = 10_000;
/// Histories of real requests, one sale each.
const HISTORIES: u64 = 300;
/// A clock is off by at most this, either way.
const SKEW_MS: i64 = 2_000;
/// The gate looks ahead by this.
const AHEAD_MS: i64 = 2_000;
/// The most CPU that a decision takes, in microseconds.
const MOST_CPU_US: f64 = 1_000.0;

/// A generator of test cases (xorshift64*, Vigna 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % most
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.below(u64::try_from(most - least + 1).unwrap())).unwrap()
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// A time in milliseconds of the test.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
}

/// A sale with its stock, as the gate was told of it at one time and as the API sees it later.
struct World {
    sale: Sale,
    shards: Vec<StockShard>,
    told_at: Timestamp,
}

impl World {
    /// Times are around 0, where the request comes.
    fn any(chance: &mut Chance) -> Self {
        let near = |chance: &mut Chance| match chance.below(4) {
            0 => chance.between(-15_000, 15_000),
            1 => chance.between(-1_000, 1_000) + 4_000 * chance.between(-2, 2),
            _ => chance.between(-400_000, 400_000),
        };
        let starts = if chance.one_in(3) { -chance.between(31_000, 400_000) } else { near(chance) };
        let ends = starts + if chance.one_in(2) { chance.between(1, 30_000) } else { chance.between(30_000, 900_000) };
        let fraction = SignedDuration::from_nanos(if chance.one_in(3) { chance.between(0, 999_999) } else { 0 });
        let starts_at = at(starts).checked_add(fraction).unwrap();
        let ends_at = at(ends).checked_add(fraction).unwrap();
        let visible_from = chance.one_in(4).then(|| at(near(chance).min(starts)));
        let draft = SaleDraft { starts_at, ends_at, visible_from, ..draft() };
        let statuses = [
            SaleStatus::Active,
            SaleStatus::Active,
            SaleStatus::Active,
            SaleStatus::Preparing,
            SaleStatus::Paused,
            SaleStatus::Closed,
        ];
        let status = statuses[usize::try_from(chance.below(6)).unwrap()];
        let product: ProductId = "demo".parse().unwrap();
        let has_units = chance.one_in(4);
        let oldest = if chance.one_in(3) { 200_000 } else { 30_000 };
        let shards = (0..chance.between(1, 4)).map(|number| shard(chance, number, has_units)).collect();
        Self { sale: Sale { status, ..Sale::of(product, draft) }, shards, told_at: at(-chance.between(0, oldest)) }
    }

    /// The value that `feed-edge` writes.
    fn value(&self) -> GateValue {
        let is_open = self.sale.accepts(Quantity::ONE, self.told_at).is_ok();
        let stock = Exhausted::of(&self.shards, self.told_at).filter(|_| is_open && self.sale.is_prepared());
        GateValue::new(&self.sale, stock.as_ref())
    }

    /// Whether the API grants a unit at `now`: the first holds have ended by then, if nobody has paid.
    fn grants(&self, now: Timestamp) -> bool {
        let has_unit = |shard: &StockShard| shard.available() > 0 || shard.held().values().any(|hold| hold.expires_at <= now);
        self.sale.is_visible(now) && self.sale.accepts(Quantity::ONE, now).is_ok() && self.shards.iter().any(has_unit)
    }
}

fn shard(chance: &mut Chance, number: i64, has_units: bool) -> StockShard {
    let available = u32::from(has_units && chance.one_in(2));
    let least = if chance.one_in(5) { -250_000 } else { 5_000 };
    let ends = (0..chance.between(0, 3)).map(|_| chance.between(least, 400_000));
    let holds: Vec<i64> = ends.collect();
    let hold = |(shopper, end): (usize, &i64)| {
        let reservation: ReservationId = "demo.01M7Z4KHS4233X24KK9C8AC5JJ".parse().unwrap();
        let hold = Hold { reservation, quantity: Quantity::ONE, expires_at: domain::ceil_to_second(at(*end)) };
        (format!("shopper-{number}-{shopper}").parse().unwrap(), hold)
    };
    StockShard::from_parts(25, available, holds.iter().enumerate().map(hold).collect(), [].into())
}

/// A request for the sale at the edge's time `now`, in one of the ways in which clients reserve, or not for it.
fn any_request(chance: &mut Chance, now: Timestamp) -> Asked {
    match chance.below(8) {
        0 | 1 => Asked::post("/api/flash-sales/demo/order", now),
        2 | 3 => Asked::post("/reserve-inventory", now).of("demo"),
        4 => Asked::post("/add-to-cart/", now).of("demo"),
        5 => Asked::post("/reserve-inventory", now),
        6 => Asked::post("/api/flash-sales/other/order", now),
        _ => Asked { method: "GET", ..Asked::post("/api/flash-sales/demo", now) },
    }
}

fn code(judged: &Judged) -> Option<String> {
    let body: Value = serde_json::from_str(judged.response["body"]["data"].as_str()?).unwrap();
    body["code"].as_str().map(str::to_owned)
}

#[test]
fn the_gate_refuses_nothing_that_the_api_would_grant_two_seconds_later_and_decides_in_less_than_a_millisecond() {
    let seed = 0x9e37_79b9_7f4a_7c15;
    let mut chance = Chance(seed);
    let worlds: Vec<World> = (0..REQUESTS).map(|_| World::any(&mut chance)).collect();
    let asked: Vec<Asked> = worlds
        .iter()
        .map(|world| {
            let edge_now = at(chance.between(-SKEW_MS, SKEW_MS));
            any_request(&mut chance, edge_now).told("demo", Some(world.value().text()))
        })
        .collect();
    let judged = judge(&asked);

    let mut refusals = std::collections::BTreeMap::<String, u64>::new();
    for ((world, asked), judged) in worlds.iter().zip(&asked).zip(&judged) {
        let Some(code) = code(judged) else { continue };
        *refusals.entry(code.clone()).or_default() += 1;
        for skew in [-SKEW_MS, 0, SKEW_MS] {
            let api_now = at(AHEAD_MS + skew);
            assert!(!world.grants(api_now), "{code}, but the API grants at {api_now}: {asked:?}");
        }
    }
    for code in ["sale-not-started", "sale-ended", "sold-out"] {
        assert!(refusals.get(code).is_some_and(|times| *times > 200), "the cases are too few: {refusals:?}");
    }

    let mut cpu: Vec<f64> = judged.iter().map(|judged| judged.cpu_us).collect();
    cpu.sort_by(f64::total_cmp);
    let percentile = |percent: usize| cpu[(cpu.len() - 1) * percent / 100];
    println!(
        "{REQUESTS} requests, refused: {refusals:?}; CPU p50 {} µs, p99 {} µs, most {} µs",
        percentile(50),
        percentile(99),
        percentile(100)
    );
    assert!(percentile(100) < MOST_CPU_US, "the slowest decision took {} µs", percentile(100));
}

/// The gate is of use: what the API certainly refuses, it refuses.
#[test]
fn the_gate_refuses_what_is_certain() {
    let sale = Sale::of("demo".parse().unwrap(), SaleDraft { starts_at: at(0), ends_at: at(600_000), ..draft() });
    let empty = [StockShard::from_parts(25, 0, [].into(), [].into())];
    let sold = Exhausted::of(&empty, at(100_000)).unwrap();
    let with = |status: SaleStatus| GateValue::new(&Sale { status, ..sale.clone() }, None).text();
    let cases = [
        (SaleStatus::Active, -6_001, Some("sale-not-started")),
        (SaleStatus::Active, -6_000, None),
        (SaleStatus::Active, 0, None),
        (SaleStatus::Active, 603_999, None),
        (SaleStatus::Active, 604_000, Some("sale-ended")),
        (SaleStatus::Preparing, -6_001, Some("sale-not-started")),
        (SaleStatus::Preparing, 0, None),
        (SaleStatus::Paused, -6_001, None),
        (SaleStatus::Paused, 604_000, Some("sale-ended")),
        (SaleStatus::Closed, -6_001, Some("sale-ended")),
        (SaleStatus::Closed, 1, Some("sale-ended")),
    ];
    let post = |now: i64, value: String| Asked::post("/api/flash-sales/demo/order", at(now)).told("demo", Some(value));
    let mut asked: Vec<Asked> = cases.iter().map(|(status, now, _)| post(*now, with(*status))).collect();
    // Until six seconds before the mark ends, 300 s after it was made.
    let marked = GateValue::new(&sale, Some(&sold)).text();
    asked.extend([100_000, 393_999, 394_000].map(|now| post(now, marked.clone())));
    let expected = cases.iter().map(|(.., code)| *code).chain([Some("sold-out"), Some("sold-out"), None]);
    for ((judged, expected), asked) in judge(&asked).iter().zip(expected).zip(&asked) {
        assert_eq!(code(judged).as_deref(), expected, "{asked:?}");
    }
}

/// A hidden sale does not exist for shoppers, at the edge either.
#[test]
fn the_gate_says_nothing_of_a_hidden_sale() {
    let draft = SaleDraft { visible_from: Some(at(0)), starts_at: at(60_000), ends_at: at(600_000), ..draft() };
    let value = GateValue::new(&Sale::of("demo".parse().unwrap(), draft), None).text();
    let asked =
        [-1, 0, 1_999, 2_000].map(|now| Asked::post("/api/flash-sales/demo/order", at(now)).told("demo", Some(value.clone())));
    let passed: Vec<bool> = judge(&asked).iter().map(|judged| judged.passed).collect();
    assert_eq!(passed, [true, true, true, false]);
}

/// The same of the functions themselves: sales by real requests, the gate's value as `feed-edge` writes it, and the answer of
/// `reserve` two seconds later. Holds end when their time is over, as the workers see to it.
#[tokio::test]
async fn what_the_gate_refuses_reserve_refuses_two_seconds_later() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    let mut refusals = std::collections::BTreeMap::<String, u64>::new();
    for history in 0..HISTORIES {
        let shop = Shop::empty().await;
        let start = shop.now();
        let seconds = |many: i64| SignedDuration::from_secs(many);
        let units = u32::try_from(chance.between(1, 3)).unwrap();
        let hold_seconds = u32::try_from(chance.between(5, 30)).unwrap();
        let starts_at = start + seconds(if chance.one_in(3) { chance.between(20, 90) } else { chance.between(-5, 5) });
        let ends_at = starts_at + seconds(chance.between(10, 60));
        let draft = SaleDraft { units, hold_seconds, max_hold_seconds: 60, starts_at, ends_at, shards: Some(1), ..draft() };
        shop.sale(&demo(), SaleDraft { max_per_shopper: Quantity::ONE, ..draft }).await;
        // People reserve one after the other, some before the start and some after the last unit is gone.
        for shopper in 0..chance.between(0, 5) {
            shop.clock.advance(SignedDuration::from_millis(chance.between(0, 6_000)));
            ask_to_reserve(&shop, &format!("shopper-{history}-{shopper}")).await;
        }
        feed(&shop).await;
        let value = shop.edge.value("demo");
        let fed_at = shop.now();
        let asked_at = fed_at + SignedDuration::from_millis(chance.between(0, 45_000));
        let skew = SignedDuration::from_millis(chance.between(-SKEW_MS, SKEW_MS));
        let asked = Asked::post("/reserve-inventory", asked_at + skew).of("demo").told("demo", value);
        let judged = judge(&[asked]);
        let Some(code) = code(&judged[0]) else { continue };
        *refusals.entry(code.clone()).or_default() += 1;
        shop.clock.set_to(asked_at + SignedDuration::from_millis(AHEAD_MS));
        end_holds(&shop).await;
        let answer = ask_to_reserve(&shop, "a-stranger").await;
        assert!(answer.starts_with('4'), "history {history}: the gate says {code}, and reserve {answer}");
    }
    assert!(refusals.len() >= 3 && refusals.values().sum::<u64>() >= HISTORIES / 4, "{refusals:?}");
}

/// A request of a new environment, in brief.
async fn ask_to_reserve(shop: &Shop, shopper: &str) -> String {
    let ask = test_aws::request("POST", "/reserve-inventory").shopper(shopper).json(&json!({"product_id": "demo"}));
    brief(&shop.wire::<test_shop::Judged<Reserve>>(&Calls::new()).handle(ask.build()).await)
}

/// Ends every hold whose time is over.
async fn end_holds(shop: &Shop) {
    let parts = || shop.uncounted();
    for (number, shard) in (0..).zip(shop.shards(&demo()).await) {
        for (shopper, hold) in shard.held().iter().filter(|(_, hold)| hold.expires_at <= shop.now()) {
            parts().reservations().end(shopper, &hold.reservation, Ending::Overdue(shop.now())).await.unwrap();
            parts().stock().release_ended(ShardNumber(number), shopper, &hold.reservation, hold.expires_at).await.unwrap();
        }
    }
}
