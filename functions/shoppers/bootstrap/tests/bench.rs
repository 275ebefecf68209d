//! `cargo xtask bench` finds the product as it expects it: every case of `reserve` on the built bootstrap gives its answer, and
//! makes the calls that the case is about. Nothing here depends on speed.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this is test code")]

use std::{path::PathBuf, sync::Arc};

use bench::{
    cases::{Case, Program},
    host::{Bootstrap, Host},
    load::{Load, Target, Until},
    stage::{Calls, RUSH, Stage},
};

const REQUESTS: u64 = 20;

/// The calls that one environment makes for the answers of a case, after a first request.
async fn calls_of(case: Case, stage: &Stage) -> Calls {
    let (program, handler) = case.program();
    assert_eq!(program, Program::Shoppers);
    let logs = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(case.name());
    std::fs::create_dir_all(&logs).unwrap();
    let bootstrap = Bootstrap { program: env!("CARGO_BIN_EXE_shoppers").into(), handler };
    let host = Host::start(&bootstrap, &stage.variables(), 1, &logs).await.unwrap();
    let load = Load { target: Target::new(&host.url()).unwrap(), traffic: case.traffic(), interrupted: Arc::default() };
    load.closed(1, Until::Requests(1)).await.unwrap();
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
    assert_eq!((winner.get("UpdateItem"), winner.get("PutItem")), (Some(&REQUESTS), Some(&REQUESTS)), "{winner:?}");
    let is_due = |operation: &String| ["UpdateItem", "PutItem", "GetItem"].contains(&operation.as_str());
    assert!(winner.keys().all(is_due), "nothing else but a read of the sale once a second: {winner:?}");
    let won = u32::try_from(REQUESTS).unwrap() + 1;
    assert_eq!(stage.held(RUSH).await.unwrap(), won);
    for case in [Case::SoldOut, Case::Repeat] {
        let calls = calls_of(case, &stage).await;
        assert!(!calls.contains_key("UpdateItem") && !calls.contains_key("PutItem"), "{case}: {calls:?}");
    }
    assert_eq!(stage.held(RUSH).await.unwrap(), won + 1, "the winner who asked again won once");
}
