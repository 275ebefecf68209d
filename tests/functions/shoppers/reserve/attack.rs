//! An attack on a sale, on virtual time, against the admission code that is deployed: `reserve`'s use case with its draw, its
//! proof of work and its token buckets, in several environments with memories of their own. `docs/fairness.md` has the figures.
//!
//! Two accounts in a hundred are scripts. Each sends a hundred requests a second, and all scripts together as many as all people.
//! People send about two requests a second, at random times, and nobody acts on the time that a refusal names.

use std::{cmp::Reverse, collections::BTreeMap, collections::BinaryHeap, path::Path};

use contract::Refusal;
use domain::{Admission, ProofOfWork, Quantity, SaleDraft, ShopperId, SignedDuration, Timestamp};
use get_challenge::GetChallenge;
use reserve::{Entrance, UnitReservations};
use test_aws::{Calls, request};
use test_shop::{Judged, START, demo, solved};

use crate::shoppers::reserve::world::{World, draft, shopper};

const ACCOUNTS: u32 = 3_000;
/// One account in fifty is a script: 2 %.
const SCRIPTS_EVERY: u32 = 50;
/// A tenth of the accounts can get a unit.
const UNITS: u32 = 300;
const RAMP_SECONDS: u32 = 60;
const ENVIRONMENTS: i64 = 8;
/// Between two requests of a script.
const SCRIPT_PERIOD_US: i64 = 10_000;
/// Between two requests of a person: all people together send what all scripts send.
const PERSON_PERIOD_US: i64 = SCRIPT_PERIOD_US * (SCRIPTS_EVERY as i64 - 1);
/// The attack goes on so long after the last unit is held.
const GOES_ON_US: i64 = 5_000_000;

/// What a sale has against scripts.
struct Defence {
    name: &'static str,
    draws: bool,
    works: bool,
    /// Shoppers have token buckets, of 20 requests a second.
    limits: bool,
    /// How often the sale is held, each time with other accounts.
    sales: u32,
}

const DEFENCES: [Defence; 3] = [
    Defence { name: "none: `fcfs`, no limit of one shopper", draws: false, works: false, limits: false, sales: 1 },
    Defence { name: "`fcfs` with token buckets", draws: false, works: false, limits: true, sales: 1 },
    Defence { name: "draw, proof of work and token buckets", draws: true, works: true, limits: true, sales: 5 },
];

/// What a kind of accounts sent and got.
#[derive(Debug, Default, Clone, Copy)]
struct Side {
    requests: u32,
    units: u32,
    /// Calls to AWS that its requests made.
    calls: usize,
}

impl Side {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.units += other.units;
        self.calls += other.calls;
    }
}

/// One execution environment.
struct Environment {
    units: UnitReservations,
    entrance: Entrance,
    calls: Calls,
}

/// `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap() % bound
    }
}

fn is_script(account: u32) -> bool {
    account.is_multiple_of(SCRIPTS_EVERY)
}

fn name(sale: u32, account: u32) -> ShopperId {
    shopper(&format!("account-{sale}-{account}"))
}

/// The solution of every account, made before the start.
async fn solutions(world: &World, sale: u32) -> Vec<String> {
    let function: Judged<GetChallenge> = world.shop.wire(&Calls::new());
    let mut solutions = Vec::new();
    for account in 0..ACCOUNTS {
        let asked = request("GET", "/api/flash-sales/{product_id}/challenge").path_parameter("product_id", "demo");
        let challenge = function.handle(asked.shopper(name(sale, account).as_str()).build()).await;
        solutions.push(solved(&test_shop::body(&challenge)));
    }
    solutions
}

/// Runs the attack until five seconds after the last unit is held. Returns what scripts and people got.
async fn attack(defence: &Defence, sale: u32) -> (Side, Side) {
    let described = SaleDraft {
        admission: if defence.draws { Admission::Draw { ramp_seconds: RAMP_SECONDS } } else { Admission::Fcfs },
        proof_of_work: defence.works.then_some(ProofOfWork { cost: 1, window_seconds: 10 }),
        ..draft(UNITS)
    };
    let world = World::with(described).await;
    let start: Timestamp = START.parse().unwrap();
    world.shop.clock.set_to(start - SignedDuration::from_secs(30));
    let solutions = if defence.works { solutions(&world, sale).await } else { Vec::new() };
    let environments: Vec<Environment> = (0..ENVIRONMENTS)
        .map(|_| {
            let calls = Calls::new();
            let mut parts = world.shop.parts_with(&calls, &[("SHOPPER_RATE", "20")]);
            let (units, entrance) = (parts::FromParts::wire(&mut parts).unwrap(), parts::FromParts::wire(&mut parts).unwrap());
            Environment { units, entrance, calls }
        })
        .collect();
    let mut random = Random(u64::from(sale));
    let period = |account| if is_script(account) { SCRIPT_PERIOD_US } else { PERSON_PERIOD_US };
    let mut due: BinaryHeap<Reverse<(i64, u32)>> =
        (0..ACCOUNTS).map(|account| Reverse((random.below(period(account)), account))).collect();
    let (mut scripts, mut people) = (Side::default(), Side::default());
    let (mut ends_at, mut refreshed_at) = (i64::MAX, 0);
    while let Some(Reverse((at_us, account))) = due.pop().filter(|Reverse((at_us, _))| *at_us < ends_at) {
        world.shop.clock.set_to(start + SignedDuration::from_micros(at_us));
        if at_us - refreshed_at > 500_000 {
            world.refresh_availability().await;
            refreshed_at = at_us;
        }
        let environment = environments.get(usize::try_from(random.below(ENVIRONMENTS)).unwrap()).unwrap();
        let before = environment.calls.total();
        let entrant = defence.limits.then(|| environment.entrance.showing(solutions.get(account as usize).map(String::as_str)));
        let answer = environment.units.reserve(&name(sale, account), &demo(), Some(Quantity::ONE), entrant.as_ref()).await;
        let side = if is_script(account) { &mut scripts } else { &mut people };
        side.requests += 1;
        side.calls += environment.calls.total() - before;
        let is_new = answer.as_ref().is_ok_and(|reserved| reserved.is_new);
        side.units += u32::from(is_new);
        if scripts.units + people.units == UNITS && ends_at == i64::MAX {
            ends_at = at_us + GOES_ON_US;
        }
        // A person who has a unit stops; a script goes on.
        let is_content = answer.is_ok() && !is_script(account);
        assert!(!matches!(answer, Err(Refusal::Store(_))), "{answer:?}");
        if !is_content {
            due.push(Reverse((at_us + period(account), account)));
        }
    }
    assert_eq!(world.units().await, (0, UNITS), "no unit is left, and none is held twice");
    (scripts, people)
}

/// The standard deviation of the units that scripts get, if every account has the same chance.
fn deviation(units: u32) -> f64 {
    let share = 1.0 / f64::from(SCRIPTS_EVERY);
    (f64::from(units) * share * (1.0 - share)).sqrt()
}

#[tokio::test]
async fn scripts_that_send_half_of_all_requests_get_at_most_their_share_of_a_defended_sale() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fairness.md");
    let document = std::fs::read_to_string(document).unwrap();
    let (mut got, mut missing) = (BTreeMap::new(), Vec::new());
    for defence in &DEFENCES {
        let (mut scripts, mut people) = (Side::default(), Side::default());
        for sale in 1..=defence.sales {
            let (of_scripts, of_people) = attack(defence, sale).await;
            scripts.add(of_scripts);
            people.add(of_people);
        }
        let units = UNITS * defence.sales;
        let sent = f64::from(scripts.requests) / f64::from(scripts.requests + people.requests);
        assert!((0.4..0.6).contains(&sent) || !defence.draws, "scripts send {sent} of all requests");
        let share = f64::from(100 * scripts.units) / f64::from(units);
        let per_request = |side: Side| f64::from(u32::try_from(side.calls).unwrap()) / f64::from(side.requests);
        let row = format!(
            "| {} | {} of {units} | {share:.1} % | {:.2} | {:.2} |",
            defence.name,
            scripts.units,
            per_request(scripts),
            per_request(people)
        );
        if !document.lines().any(|line| line == row) {
            missing.push(row);
        }
        let fair = f64::from(units) / f64::from(SCRIPTS_EVERY);
        got.insert(defence.name, (f64::from(scripts.units) - fair) / deviation(units));
    }
    assert!(missing.is_empty(), "docs/fairness.md has not these rows:\n{}", missing.join("\n"));
    let [undefended, _, defended] = &DEFENCES;
    assert!(got[defended.name].abs() <= 3.0, "standard deviations from a fair share: {got:?}");
    assert!(got[undefended.name] > 3.0, "the attack is one: {got:?}");
}
