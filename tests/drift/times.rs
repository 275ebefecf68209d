//! No time that the calendar overtakes: what is ahead today and behind tomorrow, while a test or a function compares it with the
//! real clock.

use std::path::{Path, PathBuf};

use domain::{Clock as _, Timestamp};
use kit::SystemClock;
use serde_json::json;
use system_tests::Repository;

use crate::{Faults, none, notices};

/// Where the clock stands still or time is virtual, or where nothing is run. Everywhere else a test meets the real clock: its own,
/// the local stack's, a function's.
const ON_A_CLOCK_OF_THEIR_OWN: [&str; 8] = [
    "tests/drift",
    "tests/functions",
    "tests/model",
    "tests/payments",
    "tests/repository",
    "tests/saga",
    "tests/simulation",
    "tests/support",
];

/// From this year on, a time is far enough away.
fn far() -> Timestamp {
    "2099-01-01T00:00:00Z".parse().unwrap()
}

/// What is written in `text` for a time from 2020 on (versions of AWS interfaces are older dates): days such as `2026-11-20`, by
/// their last second, and seconds or milliseconds since 1970.
fn times(text: &str) -> impl Iterator<Item = (&str, Timestamp)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.split(move |c| !is_part(c)).filter_map(|word| Some((word, day(word).or_else(|| since_1970(word))?)))
}

fn day(word: &str) -> Option<Timestamp> {
    let day = word.get(..10).filter(|day| *day >= "2020")?;
    format!("{day}T23:59:59Z").parse().ok()
}

fn since_1970(word: &str) -> Option<Timestamp> {
    let digits = word.trim_end_matches("i64").trim_end_matches("u64").replace('_', "");
    let (number, earliest): (i64, Timestamp) = (digits.parse().ok()?, "2020-01-01T00:00:00Z".parse().ok()?);
    let as_time = [Timestamp::from_second(number), Timestamp::from_millisecond(number)];
    as_time.into_iter().flatten().find(|time| (earliest..far()).contains(time))
}

/// Tests on the real clock count from now.
fn written_in_tests(repository: &Repository) -> Faults {
    let meets_the_real_clock = |file: &Path| !ON_A_CLOCK_OF_THEIR_OWN.iter().any(|folder| file.starts_with(folder));
    let mut faults = Faults::new();
    for (file, source) in repository.tests.iter().filter(|(file, _)| meets_the_real_clock(file)) {
        for (number, line) in (1..).zip(source.lines()).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            faults.extend(times(line).map(|(time, _)| {
                format!("{}:{number}: {time} is behind some day; a test on the real clock counts from now", file.display())
            }));
        }
    }
    faults
}

/// Built functions answer sample events by the real clock: what such an event says is over already, or far away.
fn written_in_events(repository: &Repository) -> Faults {
    let now = SystemClock.now();
    let mut faults = Faults::new();
    for (function, cases) in &repository.events {
        for (case, event) in cases {
            let event = event.to_string();
            let ahead = times(&event).filter(|(_, time)| (now..far()).contains(time));
            faults
                .extend(ahead.map(|(time, _)| format!("events/{function}/{case}.json: {time} is ahead now and behind some day")));
        }
    }
    faults
}

#[test]
fn tests_on_the_real_clock_write_no_dates() {
    let repository = Repository::read();
    for file in ["tests/store/shop.rs", "tests/bootstraps/main.rs", "tests/end_to_end/stack.rs", "xtask/src/demo.rs"] {
        assert!(repository.tests.contains_key(Path::new(file)), "{file} is looked at");
    }
    none(&written_in_tests(&repository));
}

#[test]
fn a_date_in_a_test_on_the_real_clock_is_noticed() {
    for (file, line) in [
        ("tests/store/shop.rs", r#"const END: &str = "2026-11-20T12:05:00Z";"#),
        ("tests/bootstraps/main.rs", r#"let far = "2098-12-01T12:00:00Z";"#),
        ("tests/end_to_end/expiry.rs", "let end = Timestamp::from_second(1_795_176_300);"),
        ("tests/a_new_one/main.rs", "let end = 1795176300000_i64;"),
        ("xtask/src/demo.rs", r#""ends_at": "2026-11-20","#),
    ] {
        notices(written_in_tests, file, |repository| {
            let source = repository.tests.entry(PathBuf::from(file)).or_default();
            source.push('\n');
            source.push_str(line);
        });
    }
}

#[test]
fn sample_events_say_nothing_that_the_calendar_overtakes() {
    none(&written_in_events(&Repository::read()));
}

#[test]
fn a_time_ahead_in_a_sample_event_is_noticed() {
    let next_year = SystemClock.now() + domain::SignedDuration::from_hours(24 * 365);
    for time in [json!(next_year.to_string()), json!(next_year.as_second()), json!(next_year.as_millisecond().to_string())] {
        notices(written_in_events, "events/reserve/ok.json", |repository| {
            repository.events.get_mut("reserve").unwrap().get_mut("ok").unwrap()["at"] = time;
        });
    }
}
