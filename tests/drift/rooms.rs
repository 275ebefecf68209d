//! No Rust file is longer than a reader keeps in mind.

use system_tests::Repository;

use crate::{Faults, none, notices};

/// About 300 lines is a room. Past this, a wall is missing.
const MOST_LINES: usize = 500;

fn long_files(repository: &Repository) -> Faults {
    let lengths = repository.rust.iter().map(|(file, text)| (file, text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > MOST_LINES);
    long.map(|(file, lines)| format!("{} has {lines} lines: look for the missing wall", file.display())).collect()
}

#[test]
fn no_file_is_longer_than_500_lines() {
    none(&long_files(&Repository::read()));
}

#[test]
fn the_check_notices_a_line_too_many_and_reads_every_folder() {
    for file in ["shared/domain/src/sale.rs", "functions/workers/reconcile/src/lib.rs", "tests/drift/main.rs", "xtask/src/up.rs"]
    {
        notices(long_files, &format!("{file} has 501 lines"), |repository| {
            let text = repository.rust.get_mut(std::path::Path::new(file)).expect("a file of this name");
            let missing = MOST_LINES + 1 - text.lines().count();
            text.push_str(&"//\n".repeat(missing));
        });
    }
}
