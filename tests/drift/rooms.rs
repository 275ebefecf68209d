//! No Rust file is longer than a reader keeps in mind, and no constant's name has two meanings.

use std::collections::BTreeSet;

use system_tests::Repository;

use crate::{Faults, none, notices};

/// About 300 lines is a room. Past this, a wall is missing.
const MOST_LINES: usize = 500;

fn long_files(repository: &Repository) -> Faults {
    let lengths = repository.rust.iter().map(|(file, text)| (file, text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > MOST_LINES);
    long.map(|(file, lines)| format!("{} has {lines} lines: look for the missing wall", file.display())).collect()
}

/// The constants of the product's modules, without those of tests and without those that a type's name qualifies.
fn repeated_constants(repository: &Repository) -> Faults {
    let mut names = BTreeSet::new();
    let product =
        repository.product_sources().flat_map(|source| source.split("#[cfg(test)]\nmod ").next().unwrap_or_default().lines());
    let constants = product.filter_map(|line| {
        let declared = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        declared.strip_prefix("const ")?.split_once(": ").map(|(name, _)| name)
    });
    constants.filter(|name| !names.insert(*name)).map(|name| format!("there are two constants {name}")).collect()
}

#[test]
fn every_constant_has_a_name_of_its_own() {
    none(&repeated_constants(&Repository::read()));
}

#[test]
fn the_check_notices_a_constant_that_is_there_already() {
    notices(repeated_constants, "there are two constants PAYMENT_SETTLES_AFTER", |repository| {
        let source = repository.shared.get_mut("domain").and_then(|one| one.sources.values_mut().next()).expect("a source");
        source.insert_str(0, "const PAYMENT_SETTLES_AFTER: u32 = 1;\n");
    });
}

#[test]
fn no_file_is_longer_than_500_lines() {
    none(&long_files(&Repository::read()));
}

#[test]
fn the_check_notices_a_line_too_many_and_reads_every_folder() {
    for file in [
        "bench/src/load.rs",
        "shared/domain/src/sale.rs",
        "functions/workers/reconcile/src/lib.rs",
        "tests/drift/main.rs",
        "xtask/src/up.rs",
    ] {
        notices(long_files, &format!("{file} has 501 lines"), |repository| {
            let text = repository.rust.get_mut(std::path::Path::new(file)).expect("a file of this name");
            let missing = MOST_LINES + 1 - text.lines().count();
            text.push_str(&"//\n".repeat(missing));
        });
    }
}
