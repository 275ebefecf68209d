//! Every parser of outside input has a fuzz target, and every target can be run with libFuzzer.

use std::{collections::BTreeSet, path::Path};

use fuzz_targets::TARGETS;
use system_tests::{Repository, repository::bootstrap_of};

use crate::{Faults, none, notices};

/// The sources of the targets.
const SOURCES: &str = "tests/fuzz/src";

/// Types that are read as a part of something, and the target that reads that.
const WITHIN: [(&str, &str); 16] = [
    ("Line", "message"),
    ("ShippingAddress", "checkout_body"),
    ("SaleState", "event"),
    ("Notice", "event"),
    ("OrderStatus", "event"),
    ("PaymentStatus", "event"),
    ("StockStatus", "event"),
    ("AttemptStatus", "event"),
    ("RefundStatus", "stripe_answer"),
    ("Intent", "stripe_answer"),
    ("NextAction", "stripe_answer"),
    ("PaymentError", "stripe_answer"),
    ("Refund", "stripe_answer"),
    ("Refunds", "stripe_answer"),
    ("Order", "paypal_answer"),
    ("Movement", "paypal_answer"),
];

/// The public types of a source that are read from a text, or by serde.
fn parsed_types(source: &str) -> BTreeSet<String> {
    let product = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let word = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned();
    let mut types = BTreeSet::new();
    let mut is_deserialized = false;
    for line in product.lines() {
        if let Some(derived) = line.strip_prefix("#[derive(") {
            is_deserialized = derived.trim_end_matches(")]").split(", ").any(|name| name == "Deserialize");
        } else if let Some(named) = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")) {
            if std::mem::take(&mut is_deserialized) {
                types.insert(word(named));
            }
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            is_deserialized = false;
        }
        let by_text = ["impl FromStr for ", "short_text!(", "text_form!("].iter().find_map(|start| line.strip_prefix(start));
        types.extend(by_text.map(word));
    }
    types
}

fn has_word(text: &str, word: &str) -> bool {
    let is_apart = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| is_apart(text[..at].chars().next_back()) && is_apart(text[at + word.len()..].chars().next()))
}

fn without_target(repository: &Repository) -> Faults {
    let sources = repository.rust.iter().filter(|(path, _)| path.starts_with(SOURCES));
    let targets: String = sources.map(|(_, text)| text.as_str()).collect();
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    let mut faults = Faults::new();
    for (name, one) in &repository.shared {
        for parsed in one.sources.values().flat_map(|source| parsed_types(source)) {
            let within = WITHIN.iter().find(|(part, _)| *part == parsed).map(|(_, target)| target);
            if !within.map_or_else(|| has_word(&targets, &parsed), |target| names.contains(target)) {
                faults.push(format!("shared/{name}: {parsed} is parsed, and no fuzz target reads it"));
            }
        }
    }
    // The target `event` has every function of these registries.
    for group in repository.functions.values().filter_map(|function| function.folder.parent()).collect::<BTreeSet<_>>() {
        let package = repository.packages.iter().find(|(_, package)| package.folder == bootstrap_of(group));
        let registry = package.map(|(name, _)| format!("{}::FUNCTIONS", name.replace('-', "_"))).unwrap_or_default();
        if registry.is_empty() || !targets.contains(&registry) {
            faults.push(format!("{}: no fuzz target has the functions of {registry}", group.display()));
        }
    }
    faults
}

/// The targets of `cargo fuzz run` are the targets of `cargo test`.
fn libfuzzer(repository: &Repository) -> Faults {
    let bins: BTreeSet<&str> =
        repository.fuzz.split("[[bin]]").skip(1).filter_map(|bin| bin.split("name = \"").nth(1)?.split('"').next()).collect();
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    let differ = bins.symmetric_difference(&names);
    differ.map(|name| format!("{name} is not a target both in fuzz/Cargo.toml and in {SOURCES}/targets.rs")).collect()
}

#[test]
fn every_parser_of_outside_input_has_a_fuzz_target() {
    none(&without_target(&Repository::read()));
}

#[test]
fn a_parser_without_a_target_is_noticed() {
    let add = |krate: &'static str, text: &'static str| {
        move |repository: &mut Repository| {
            let source = repository.shared.get_mut(krate).and_then(|one| one.sources.values_mut().next()).expect("a source");
            source.insert_str(0, text);
        }
    };
    let request = "#[derive(Debug, Deserialize)]\n#[serde(deny_unknown_fields)]\n/// A body.\npub struct GiftRequest {\n}\n";
    notices(without_target, "shared/contract: GiftRequest is parsed", add("contract", request));
    notices(without_target, "shared/domain: Voucher is parsed", add("domain", "impl FromStr for Voucher {\n}\n"));
    notices(without_target, "shared/domain: GiftKey is parsed", add("domain", "short_text!(GiftKey, E: E::X, is_printable);\n"));
    notices(without_target, "functions/shoppers: no fuzz target has", |repository| {
        let source = repository.rust.get_mut(Path::new("tests/fuzz/src/functions.rs")).expect("a source");
        *source = source.replace("shoppers::FUNCTIONS", "");
    });
    // What is not parsed needs none.
    assert_eq!(
        parsed_types("#[derive(Debug, Serialize)]\npub struct View;\n#[derive(Deserialize)]\nstruct Private;\n"),
        [].into()
    );
}

#[test]
fn every_target_can_be_run_with_libfuzzer() {
    none(&libfuzzer(&Repository::read()));
    notices(libfuzzer, "key_set is not a target", |repository| {
        repository.fuzz = repository.fuzz.replace("name = \"key_set\"", "name = \"key_sets\"").replace("key_sets", "token");
    });
    let root = system_tests::repository::root();
    for target in TARGETS {
        let source = system_tests::repository::text(&root.join(format!("fuzz/fuzz_targets/{}.rs", target.name)));
        assert_eq!(source, "#![no_main]\nfuzz::target!();\n", "{}", target.name);
    }
}
