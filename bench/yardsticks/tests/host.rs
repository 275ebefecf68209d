//! The host, the stage and the load on the yardsticks: counts and calls, and nothing that depends on speed.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this is test code")]

use std::{path::PathBuf, sync::Arc, time::Duration};

#[cfg(target_os = "linux")]
use bench::accounts;
use bench::{
    cases::{Case, Program},
    host::{Bootstrap, Host},
    load::{Load, Target, Until},
    stage::{BARE, Stage},
};

const ENVIRONMENTS: usize = 2;
const CONNECTIONS: usize = 3;
const SHARDS: u32 = 4;

/// The environments of a yardstick, and a load for them.
async fn started(case: Case, stage: &Stage) -> (Host, Load) {
    let (program, handler) = case.program();
    assert_eq!(program, Program::Yardsticks);
    let logs = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(case.name());
    std::fs::create_dir_all(&logs).unwrap();
    let bootstrap = Bootstrap { program: env!("CARGO_BIN_EXE_yardsticks").into(), handler };
    let host = Host::start(&bootstrap, &stage.variables(), ENVIRONMENTS, &logs).await.unwrap();
    let load = Load { target: Target::new(&host.url()).unwrap(), traffic: case.traffic(), interrupted: Arc::default() };
    (host, load)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_handler_answers_and_calls_nothing() {
    let stage = Stage::open(SHARDS).await.unwrap();
    let (host, load) = started(Case::Empty, &stage).await;
    let closed = load.closed(CONNECTIONS, Until::Requests(50)).await.unwrap();
    assert_eq!((closed.failure, closed.statuses), (None, [(200, 50)].into()));
    assert_eq!(closed.latencies.len(), 50);
    assert!(closed.latencies.is_sorted());
    let open = load.open(CONNECTIONS, 200.0, Duration::from_millis(100)).await.unwrap();
    assert_eq!(open.statuses, [(200, 20)].into(), "as many as are due");
    #[cfg(target_os = "linux")]
    assert!(accounts::processor_times(&host.processes()).unwrap() > Duration::ZERO);
    assert_eq!(host.processes().len(), ENVIRONMENTS);
    assert!(stage.calls().is_empty(), "{:?}", stage.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bare_writes_are_three_a_request() {
    let stage = Stage::open(SHARDS).await.unwrap();
    let (_host, load) = started(Case::Writes, &stage).await;
    let answers = load.closed(CONNECTIONS, Until::Requests(50)).await.unwrap();
    assert_eq!((answers.failure, answers.statuses), (None, [(201, 50)].into()));
    assert_eq!(stage.calls(), [("PutItem".to_owned(), 50), ("UpdateItem".to_owned(), 100)].into());
    assert_eq!(stage.held(BARE).await.unwrap(), 50, "every write has an effect");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_does_not_start_says_why() {
    let bootstrap = Bootstrap { program: env!("CARGO_BIN_EXE_yardsticks").into(), handler: "oversell" };
    let logs = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let error = Host::start(&bootstrap, &[].into(), 1, &logs).await.err().expect("it does not start").to_string();
    assert!(error.contains("there is no yardstick oversell"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_process_outlives_its_host() {
    let stage = Stage::open(SHARDS).await.unwrap();
    let (host, _) = started(Case::Empty, &stage).await;
    let processes = host.processes();
    assert_eq!(processes.len(), ENVIRONMENTS);
    drop(host);
    for process in processes {
        assert!(accounts::processor_time(process).is_err(), "{process} still runs");
    }
}
