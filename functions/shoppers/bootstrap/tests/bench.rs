//! `cargo xtask bench` finds the product as it expects it: every case of `reserve` on the built bootstrap gives its answer, and
//! makes the calls that the case is about. Nothing here depends on speed.
#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::unwrap_used, reason = "tests of real processes, in real time")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bench::{
    cases::{Case, Program, WINNERS},
    host::{Bootstrap, Host},
    load::{Load, Target, Until},
    stage::{Calls, RUSH, Stage},
};
use serde_json::Value;

const REQUESTS: u64 = 20;

/// One environment of `reserve` with the load of a case. It logs into the folder `logs`.
async fn started(case: Case, stage: &Stage, logs: &Path) -> (Host, Load) {
    let (program, handler) = case.program();
    assert_eq!(program, Program::Shoppers);
    std::fs::create_dir_all(logs).unwrap();
    let bootstrap = Bootstrap { program: env!("CARGO_BIN_EXE_shoppers").into(), handler };
    let host = Host::start(&bootstrap, &stage.variables(), 1, logs).await.unwrap();
    let load = Load { target: Target::new(&host.url()).unwrap(), traffic: case.traffic(), interrupted: Arc::default() };
    (host, load)
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The calls that one environment makes for the answers of a case, after a first request.
async fn calls_of(case: Case, stage: &Stage) -> Calls {
    let (_host, load) = started(case, stage, &folder(case.name())).await;
    load.closed(1, Until::Requests(WINNERS)).await.unwrap();
    let before = stage.calls();
    let answers = load.closed(1, Until::Requests(REQUESTS)).await.unwrap();
    assert_eq!((answers.failure, answers.statuses), (None, [(case.status(), REQUESTS)].into()), "{case}");
    let made = stage.calls().into_iter().map(|(operation, count)| {
        let count = count - before.get(&operation).copied().unwrap_or_default();
        (operation, count)
    });
    made.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_reserve_gives_its_answer() {
    let stage = Stage::open(8).await.unwrap();
    let winner = calls_of(Case::Winner, &stage).await;
    let (updates, puts) = (winner.get("UpdateItem"), winner.get("PutItem"));
    assert_eq!((updates, puts), (Some(&(2 * REQUESTS)), Some(&REQUESTS)), "a token, a claim and a reservation each");
    let is_due = |operation: &String| ["UpdateItem", "PutItem", "GetItem"].contains(&operation.as_str());
    assert!(winner.keys().all(is_due), "nothing else but a read of the sale once a second: {winner:?}");
    let winners = u32::try_from(WINNERS).unwrap();
    let won = u32::try_from(REQUESTS).unwrap() + winners;
    assert_eq!(stage.held(RUSH).await.unwrap(), won);
    for (case, tokens) in [(Case::SoldOut, None), (Case::Repeat, Some(&REQUESTS))] {
        let calls = calls_of(case, &stage).await;
        assert_eq!((calls.get("UpdateItem"), calls.get("PutItem")), (tokens, None), "{case}: {calls:?}");
    }
    assert_eq!(stage.held(RUSH).await.unwrap(), won + winners, "winners who asked again won once");
}

fn lines(log: &Path) -> Vec<Value> {
    std::fs::read_to_string(log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines of a log, and the refusals that they count.
fn lines_and_refusals(log: &Path) -> (u64, u64) {
    let lines = lines(log);
    (lines.len().try_into().unwrap(), lines.iter().map(|line| line["Refusals"].as_u64().unwrap_or_default()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_refusals_are_timed() {
    let stage = Stage::open(8).await.unwrap();
    let logs = folder("timed");
    let (_host, load) = started(Case::Winner, &stage, &logs).await;
    let (begun, mut made) = (Instant::now(), 150);
    load.closed(1, Until::Requests(made)).await.unwrap();
    let took: Vec<f64> = loop {
        let lines = lines(&logs.join("reserve-0.log"));
        assert!(lines.iter().all(|line| line["function"] == "reserve" && line["Refusals"].is_null()), "{lines:?}");
        let values = lines.iter().filter_map(|line| line["AnswerMilliseconds"].as_array()).flatten();
        let values: Vec<f64> = values.map(|value| value.as_f64().unwrap()).collect();
        if values.len() >= 150 {
            break values;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "only {} of {made} answers are timed", values.len());
        load.closed(1, Until::Requests(1)).await.unwrap();
        made += 1;
    };
    let in_all = begun.elapsed().as_secs_f64() * 1_000.0;
    assert!(took.len() <= usize::try_from(made).unwrap() && took.iter().all(|one| *one > 0.0), "{took:?}");
    // One environment answers one request after the other, and most of its time goes into that.
    let sum: f64 = took.iter().sum();
    assert!((in_all / 1_000.0..in_all).contains(&sum), "{sum} ms of answers in {in_all} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_has_no_line_of_its_own_and_every_refusal_is_counted() {
    let stage = Stage::open(8).await.unwrap();
    let logs = folder("counted");
    let (_host, load) = started(Case::SoldOut, &stage, &logs).await;
    let log = logs.join("reserve-0.log");
    let (begun, mut refusals) = (Instant::now(), 500);
    let answers = load.closed(1, Until::Requests(refusals)).await.unwrap();
    assert_eq!((answers.failure, answers.statuses), (None, [(409, refusals)].into()));
    // Later requests write what came before them. The last second's refusals wait for the next one.
    let (lines, counted) = loop {
        let (lines, counted) = lines_and_refusals(&log);
        if counted >= 500 {
            break (lines, counted);
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "only {counted} of {refusals} refusals are counted");
        load.closed(1, Until::Requests(1)).await.unwrap();
        refusals += 1;
    };
    assert!(counted <= refusals, "{counted} counted, {refusals} made");
    // A write has at most two lines of each code: what a pause held back, and what came now.
    let most = 2 * (begun.elapsed().as_secs() + 2);
    assert!(lines <= most, "{lines} lines for {refusals} refusals in {:?}", begun.elapsed());
}
