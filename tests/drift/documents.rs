//! Documents: the targets of their links exist, and so do the commands that they name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex},
};

use system_tests::{Repository, markdown, repository};

use crate::{Faults, none, notices};

fn links(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (file, text) in &repository.documents {
        for link in markdown::links(text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { resolved(file, path) };
            if !path.is_empty() && !repository::root().join(&target).exists() {
                faults.push(format!("{}: {link} leads nowhere", file.display()));
            } else if !anchor.is_empty() {
                let found =
                    repository.documents.get(&target).is_some_and(|text| markdown::anchors(text).iter().any(|one| one == anchor));
                if !found {
                    faults.push(format!("{}: {link} leads to no heading", file.display()));
                }
            }
        }
    }
    faults
}

/// `link` as seen from `file`, from the root.
fn resolved(file: &Path, link: &str) -> PathBuf {
    let mut path = file.parent().unwrap_or(Path::new("")).to_owned();
    for part in link.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            path.pop();
        } else {
            path.push(part);
        }
    }
    path
}

/// Paths such as `events/….json` or `functions/…` in code: files that the reader opens or passes to a command.
fn files(repository: &Repository) -> Faults {
    let ours = ["bench/", "docs/", "events/", "functions/", "infra/", "shared/", "statemachines/", "tests/", "xtask/"];
    let mut faults = Faults::new();
    for (file, text) in &repository.documents {
        for code in markdown::code(text) {
            let words = code.split(|c: char| c.is_whitespace() || "'\"=,;()".contains(c));
            for word in words.filter(|word| ours.iter().any(|folder| word.starts_with(folder))) {
                let word = word.trim_end_matches(['.', ':']);
                let is_pattern = word.contains(['<', '*', '{', '…', '$']);
                if !is_pattern && !repository::root().join(word).exists() {
                    faults.push(format!("{}: there is no {word}", file.display()));
                }
            }
        }
    }
    faults
}

fn commands(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (file, text) in &repository.documents {
        for code in markdown::code(text) {
            for (_, after) in code.match_indices("cargo xtask").map(|(place, found)| code.split_at(place + found.len())) {
                let words: Vec<&str> =
                    after.split_whitespace().take_while(|word| !["#", "|", "&&", "--"].contains(word)).collect();
                let Some((command, options)) = words.split_first() else { continue };
                let names: Vec<&str> = command.split('|').map(|name| name.trim_matches(['`', '.', ',', '(', ')'])).collect();
                for name in names.into_iter().filter(|name| !name.starts_with(['<', '…', '-']) && !name.is_empty()) {
                    let Some(help) = help(name) else {
                        faults.push(format!("{}: there is no `cargo xtask {name}`", file.display()));
                        continue;
                    };
                    let options = options.iter().map(|option| option.trim_matches(['[', ']', '`']));
                    for option in options.filter(|option| option.starts_with("--")) {
                        let option = option.split('=').next().unwrap_or_default();
                        if !help.contains(option) {
                            faults.push(format!("{}: `cargo xtask {name}` has no {option}", file.display()));
                        }
                    }
                }
            }
        }
    }
    faults
}

/// `docs/THREATS.md` shows each claim by a test. A word in code marks that has three underscores and nothing else is a test's name.
fn tests_that_are_not_there(repository: &Repository) -> Faults {
    let path = Path::new("docs/THREATS.md");
    let Some(text) = repository.documents.get(path) else { return vec!["docs/THREATS.md is not there".to_owned()] };
    let is_name = |word: &&str| {
        word.matches('_').count() >= 3
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let names = text.split('`').skip(1).step_by(2).filter(is_name);
    let is_there = |name: &str| {
        let declared = format!("fn {name}(");
        repository.rust.values().any(|rust| rust.contains(&declared))
    };
    names
        .filter(|name| !is_there(name))
        .map(|name| format!("docs/THREATS.md names the test {name}, which is not there"))
        .collect()
}

/// The output of `cargo xtask <name> --help`. `None` if the command does not exist.
fn help(name: &str) -> Option<String> {
    static KNOWN: LazyLock<Mutex<BTreeMap<String, Option<String>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap();
    let ask = || {
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--package", "xtask", "--", name, "--help"])
            .current_dir(repository::root())
            .output()
            .expect("cargo runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    known.entry(name.to_owned()).or_insert_with(ask).clone()
}

#[test]
fn every_link_leads_somewhere() {
    none(&links(&Repository::read()));
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    notices(links, "nothing.md leads nowhere", with_a_document("[x](nothing.md)"));
    notices(links, "../../nothing.md leads nowhere", with_a_document("[x](../../nothing.md) [y](../../template.yaml)"));
    notices(links, "#below leads to no heading", with_a_document("# Above\n[x](#above) [y](#below)"));
}

#[test]
fn every_file_that_a_document_names_is_there() {
    none(&files(&Repository::read()));
    let text =
        "`events/<function>/<case>.json`\n```\nsam local invoke -e events/reserve/nothing.json -e events/reserve/ok.json\n```\n";
    notices(files, "there is no events/reserve/nothing.json", with_a_document(text));
}

#[test]
fn every_command_that_a_document_names_exists() {
    none(&commands(&Repository::read()));
}

#[test]
fn a_command_or_an_option_that_does_not_exist_is_noticed() {
    notices(commands, "no `cargo xtask oversell`", with_a_document("Type `cargo xtask oversell` and `cargo xtask up`."));
    notices(commands, "has no --sideways", with_a_document("```\ncargo xtask up --sideways # not so\n```\n"));
}

fn with_a_document(text: &str) -> impl FnOnce(&mut Repository) {
    move |repository| _ = repository.documents.insert("docs/x/y.md".into(), text.to_owned())
}

#[test]
fn every_test_that_shows_how_a_threat_is_stopped_is_there() {
    none(&tests_that_are_not_there(&Repository::read()));
}

#[test]
fn a_threat_that_no_test_stops_is_noticed() {
    notices(tests_that_are_not_there, "names the test nobody_gets_in_ever, which is not there", |repository| {
        repository.documents.get_mut(Path::new("docs/THREATS.md")).unwrap().push_str("Shown by `nobody_gets_in_ever`.");
    });
}
