//! `docs/PERMISSIONS.md` as data: the actions that each function may perform on each resource.

use std::collections::{BTreeMap, BTreeSet};

use crate::markdown;

/// The file that contains the table.
pub const DOCUMENT: &str = "docs/PERMISSIONS.md";

/// The actions that a function may perform on a resource, by function and resource.
pub type Permissions = BTreeMap<(String, String), BTreeSet<String>>;

/// Reads the table. Also returns a fault for each row that is malformed or repeated.
#[must_use]
pub fn read(text: &str) -> (Permissions, Vec<String>) {
    let bare = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let (mut permissions, mut faults) = (Permissions::new(), Vec::new());
    for row in markdown::rows(text) {
        let [function, resource, actions, ..] = row.as_slice() else {
            faults.push(format!("{DOCUMENT}: a row is not | function | resource | actions |: {row:?}"));
            continue;
        };
        let actions = actions.split(',').map(bare).collect();
        if permissions.insert((bare(function), bare(resource)), actions).is_some() {
            faults.push(format!("{DOCUMENT}: {function} and {resource} stand there twice"));
        }
    }
    (permissions, faults)
}
