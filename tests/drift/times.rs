//! No test or function compares a time with the real clock that is in the future today and in the past tomorrow.

use std::path::{Path, PathBuf};

use domain::{Clock as _, Timestamp};
use kit::SystemClock;
use serde_json::json;
use system_tests::Repository;

use crate::{Faults, none, notices};

/// Folders where the clock stands still, time is virtual, or nothing runs. All other tests meet the real clock: their own, the
/// local stack's or a function's.
const ON_A_CLOCK_OF_THEIR_OWN: [&str; 10] = [
    "tests/drift",
    "tests/functions",
    "tests/fuzz",
    "tests/gate",
    "tests/model",
    "tests/payments",
    "tests/repository",
    "tests/saga",
    "tests/simulation",
    "tests/support",
];

/// The start of the year from which a time is far enough in the future.
fn far() -> Timestamp {
    "2099-01-01T00:00:00Z".parse().unwrap()
}

/// The times in `text` from 2020 on (versions of AWS interfaces are older dates): days such as `2026-11-20`, by their last
/// second, and seconds or milliseconds since 1970.
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

/// Whether a source belongs to a test program or to the project's own tools: `bench/`, `tests/`, `xtask/`, and in every other
/// crate the folder `tests` beside `src`. Unit tests in `src` have times of their own.
fn is_of_tests(file: &Path) -> bool {
    let is_a_tool = ["bench", "tests", "xtask"].iter().any(|folder| file.starts_with(folder));
    is_a_tool || file.iter().take_while(|part| *part != "src").any(|part| part == "tests")
}

/// The sources of the tests on the real clock.
fn on_the_real_clock(repository: &Repository) -> impl Iterator<Item = (&Path, &str)> {
    let has_its_own = |file: &Path| ON_A_CLOCK_OF_THEIR_OWN.iter().any(|folder| file.starts_with(folder));
    let meets_it = move |file: &Path| is_of_tests(file) && !has_its_own(file);
    let sources = repository.rust.iter().map(|(file, source)| (file.as_path(), source.as_str()));
    sources.filter(move |(file, _)| meets_it(file))
}

/// Tests on the real clock count from now.
fn written_in_tests(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (file, source) in on_the_real_clock(repository) {
        for (number, line) in (1..).zip(source.lines()).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            faults.extend(times(line).map(|(time, _)| {
                format!("{}:{number}: {time} is behind some day; a test on the real clock counts from now", file.display())
            }));
        }
    }
    faults
}

/// Files that take the first buyer from `test_shop`, but no time of that buyer.
const WITHOUT_THE_TIMES: [(&str, &str); 1] =
    [("tests/bootstraps/left.rs", "looks the buyer's shard and reservation up by the ids in the sample events")];

/// Tests on the real clock take no dates from `test_shop` either: not `START`, `NOW` or `END`, no buyer with the hold of the
/// sample events, no sale on their days.
fn taken_from_the_shop(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (file, source) in on_the_real_clock(repository) {
        if WITHOUT_THE_TIMES.iter().any(|(safe, _)| file == Path::new(safe)) {
            continue;
        }
        faults.extend(taken(source).map(|(line, what)| {
            format!("{}:{line}: {what} has a date of the sample events; a test on the real clock counts from now", file.display())
        }));
    }
    faults
}

/// The line and the name of each date that a source takes from `test_shop`.
fn taken(source: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let code: String = source.lines().flat_map(|line| [if is_comment(line) { "" } else { line }, "\n"]).collect();
    let mut found = Vec::new();
    for (start, path) in words(&code, "test_shop").filter_map(|start| Some((start, code[start..].strip_prefix("test_shop::")?))) {
        // `test_shop` begins a path or a list of imports.
        let end = if path.starts_with('{') { path.find('}') } else { path.find(|c: char| !is_part_of_a_path(c)) };
        let path = &path[..end.unwrap_or(path.len())];
        let dates = ["START", "NOW", "END"].into_iter().filter(|name| words(path, name).next().is_some());
        found.extend(dates.map(|name| (start, name)));
    }
    for name in ["Buyer::first", "Buyer::second", "Buyer::number"] {
        let dated = words(&code, name).filter(|start| !methods(&code[start + name.len()..]).contains(&"holding"));
        found.extend(dated.map(|start| (start, name)));
    }
    for (name, call) in [("draft", "draft()"), ("guarded", "guarded()")] {
        let sales = words(&code, name).filter(|start| code[*start..].starts_with(call));
        let dated = sales.filter(|start| {
            let fields = code[..*start].rsplit_once('{').map_or("", |(_, fields)| fields);
            !["starts_at:", "ends_at:"].iter().all(|field| fields.contains(field))
        });
        found.extend(dated.map(|start| (start, call)));
    }
    found.into_iter().map(move |(start, what)| (code[..start].matches('\n').count() + 1, what))
}

fn is_part_of_a_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':')
}

/// The positions of `name` in `code`, as a word of its own.
fn words<'c>(code: &'c str, name: &'c str) -> impl Iterator<Item = usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_whole = move |start: usize| {
        let (before, after) = (&code[..start], &code[start + name.len()..]);
        let is_method = before.ends_with('.') && !before.ends_with("..");
        !before.ends_with(is_part) && !is_method && !after.starts_with(is_part)
    };
    code.match_indices(name).map(|(start, _)| start).filter(move |start| is_whole(*start))
}

/// The names of the methods in `(…).one(…).another(…)`, with which `code` begins.
fn methods(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = after_arguments(code);
    while let Some(call) = rest.and_then(|rest| rest.trim_start().strip_prefix('.')) {
        let end = call.find(|c: char| !is_part_of_a_path(c)).unwrap_or(call.len());
        found.push(&call[..end]);
        rest = if call[end..].starts_with('(') { after_arguments(&call[end..]) } else { Some(&call[end..]) };
    }
    found
}

/// The rest of `code` after the arguments that it begins with.
fn after_arguments(code: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (place, letter) in code.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return code[place..].strip_prefix(')');
        }
    }
    None
}

/// Built functions answer sample events by the real clock: the times in such an event are in the past, or far in the future.
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
    for file in [
        "tests/store/shop.rs",
        "tests/bootstraps/main.rs",
        "tests/end_to_end/stack.rs",
        "xtask/src/demo.rs",
        "functions/shoppers/bootstrap/tests/bench.rs",
        "bench/yardsticks/tests/host.rs",
    ] {
        assert!(on_the_real_clock(&repository).any(|(read, _)| read == Path::new(file)), "{file} is looked at");
    }
    for file in ["tests/functions/main.rs", "shared/domain/src/sale.rs", "shared/payments/src/stripe/tests.rs"] {
        assert!(repository.rust.contains_key(Path::new(file)), "{file}");
        assert!(!on_the_real_clock(&repository).any(|(read, _)| read == Path::new(file)), "{file} has times of its own");
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
        ("functions/shoppers/bootstrap/tests/bench.rs", r#"let end = "2026-11-20T12:05:00Z";"#),
        ("shared/store/tests/a_new_one/main.rs", "let end = 1_795_176_300;"),
    ] {
        notices(written_in_tests, file, |repository| {
            let source = repository.rust.entry(PathBuf::from(file)).or_default();
            source.push('\n');
            source.push_str(line);
        });
    }
}

#[test]
fn tests_on_the_real_clock_take_no_dates_from_the_shop() {
    let repository = Repository::read();
    none(&taken_from_the_shop(&repository));
    for (file, reason) in WITHOUT_THE_TIMES {
        assert!(taken(&repository.rust[Path::new(file)]).next().is_some(), "{file} needs no exception any more: {reason}");
    }
}

#[test]
fn a_date_that_a_test_on_the_real_clock_takes_from_the_shop_is_noticed() {
    for (file, line, what) in [
        ("tests/store/shop.rs", "use test_shop::{Buyer, NOW, Shop};", "NOW"),
        ("tests/store/shop.rs", "use test_shop::{\n    Buyer,\n    END as LATEST,\n};", "END"),
        ("tests/end_to_end/expiry.rs", "let start = test_shop::START.parse().unwrap();", "START"),
        ("tests/bootstraps/main.rs", "shop.bring(&Buyer::first(), Stage::Held).await;", "Buyer::first"),
        ("functions/shoppers/bootstrap/tests/bench.rs", "let end = test_shop::END;", "END"),
        ("tests/a_new_one/main.rs", "let other = Buyer::second().paying(\"sandbox:ok\"); // .holding(", "Buyer::second"),
        ("tests/store/shop.rs", "let (one, other) = (Buyer::number(1), buyer(2).holding(at(NOW), at(END)));", "Buyer::number"),
        ("tests/store/shop.rs", "let all = (1..9).map(Buyer::number);", "Buyer::number"),
        ("tests/store/shop.rs", "shop.sale(&demo(), draft()).await;", "draft()"),
        ("tests/store/shop.rs", "let ended = SaleDraft { ends_at: at(END), ..draft() };", "draft()"),
    ] {
        notices(taken_from_the_shop, &format!("{what} has a date"), |repository| {
            let source = repository.rust.entry(PathBuf::from(file)).or_default();
            source.push('\n');
            source.push_str(line);
        });
    }
}

#[test]
fn a_buyer_and_a_sale_with_times_of_their_own_are_no_dates_of_the_shop() {
    for line in [
        "// as test_shop::NOW, and Buyer::first()",
        "use test_shop::{Buyer, Shop, demo};\nuse crate::shop::{END, NOW};",
        "Buyer::number(number(1)).paying(\"sandbox:ok\")\n    .holding(at(NOW), at(END))",
        "SaleDraft { starts_at: at(NOW), ends_at: at(END), ..draft() }",
        "let draft = sale.draft();",
    ] {
        assert_eq!(taken(line).collect::<Vec<_>>(), [], "{line}");
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
