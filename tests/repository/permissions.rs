//! `docs/PERMISSIONS.md` as data: what each function may do on which resource.

use std::collections::{BTreeMap, BTreeSet};

use crate::markdown;

/// Where the table stands.
pub const DOCUMENT: &str = "docs/PERMISSIONS.md";

/// Function and resource, and the actions that the one may do on the other.
pub type Permissions = BTreeMap<(String, String), BTreeSet<String>>;

/// Reads the table, and says which of its rows are not what they should be.
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
