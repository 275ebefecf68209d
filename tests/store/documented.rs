//! `docs/ACCESS_PATTERNS.md` lists every access that the store has, and no other.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The methods of the store that ask `DynamoDB`, as `Type::method`; a function of the crate as `function`.
fn accesses() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/store/src")) {
        let source = fs::read_to_string(file).unwrap();
        let mut of = None;
        for line in source.lines() {
            if let Some(rest) = line.strip_prefix("impl ") {
                of = rest.split(' ').next();
            }
            let Some((before, rest)) = line.split_once("pub async fn ") else { continue };
            let name = rest.split(['(', '<']).next().unwrap();
            found.insert(match of {
                Some(of) if !before.is_empty() => format!("{of}::{name}"),
                Some(_) | None => name.to_owned(),
            });
        }
    }
    found
}

/// All files below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The first two cells of every row whose first cell is code: the access and its callers.
fn rows() -> Vec<(String, Vec<String>)> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ACCESS_PATTERNS.md");
    let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let document = fs::read_to_string(document).unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `").map(|_| line.split('|').collect::<Vec<_>>()));
    rows.map(|cells| (code(cells[1]).remove(0), code(cells[2]))).collect()
}

#[test]
fn every_access_is_documented_once_and_nothing_else_is() {
    let documented: Vec<String> = rows().into_iter().map(|(access, _)| access).collect();
    let once: BTreeSet<String> = documented.iter().cloned().collect();
    assert_eq!(once.len(), documented.len(), "{documented:?}");
    assert_eq!(once, accesses());
}

#[test]
fn every_caller_is_a_function() {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let groups: Vec<_> = fs::read_dir(functions).unwrap().map(|entry| entry.unwrap().path()).collect();
    for (access, callers) in rows() {
        assert!(!callers.is_empty(), "{access}");
        for caller in callers {
            let is_function = groups.iter().any(|group| group.join(&caller).is_dir());
            assert!(is_function, "{access}: there is no function {caller}");
        }
    }
}
