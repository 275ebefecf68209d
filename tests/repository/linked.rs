//! The workspace's crates and their dependencies, from `cargo metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

use crate::repository::root;

/// The crates of the workspace, by package name.
pub type Packages = BTreeMap<String, Package>;

/// A crate of the workspace.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its folder, from the root: `functions/shoppers/reserve`.
    pub folder: PathBuf,
    /// The names of its binaries.
    pub binaries: BTreeSet<String>,
    /// Its dependencies on any target, as `cargo tree -e normal` shows them: without those for tests and build scripts.
    pub dependencies: BTreeSet<String>,
}

/// Every crate of the workspace.
pub(crate) fn packages() -> Packages {
    static READ: LazyLock<Packages> = LazyLock::new(read);
    READ.clone()
}

fn read() -> Packages {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata answers with JSON");
    let packages = metadata["packages"].as_array().expect("the workspace has packages");
    packages.iter().map(|package| (text(&package["name"]), parse(package))).collect()
}

fn parse(package: &Value) -> Package {
    let items = |name: &str| package[name].as_array().into_iter().flatten();
    let is_binary = |target: &&Value| target["kind"].as_array().is_some_and(|kinds| kinds.contains(&"bin".into()));
    Package {
        folder: folder(Path::new(&text(&package["manifest_path"]))),
        binaries: items("targets").filter(is_binary).map(|target| text(&target["name"])).collect(),
        // Cargo gives the kind as "dev" or "build", or not at all for a normal dependency.
        dependencies: items("dependencies").filter(|one| one["kind"].is_null()).map(|one| text(&one["name"])).collect(),
    }
}

/// The folder of a manifest, from the root. Cargo names both as the file system does, so links are resolved.
fn folder(manifest: &Path) -> PathBuf {
    let root = root().canonicalize().expect("the root is a folder");
    let folder = manifest.parent().expect("a manifest is in a folder").canonicalize().expect("the folder is there");
    folder.strip_prefix(root).expect("a member is below the root").to_owned()
}

/// The workspace crates that `name` is linked with, including `name`.
#[must_use]
pub fn reachable<'p>(packages: &'p Packages, name: &'p str) -> BTreeSet<&'p str> {
    let mut found = BTreeSet::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        if let (Some(package), true) = (packages.get(name), found.insert(name)) {
            open.extend(package.dependencies.iter().filter(|one| packages.contains_key(*one)).map(String::as_str));
        }
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_for_tests_are_not_linked() {
        let package = serde_json::json!({
            "name": "x",
            "manifest_path": root().join("xtask/Cargo.toml"),
            "targets": [{"name": "x", "kind": ["bin"]}, {"name": "y", "kind": ["lib"]}],
            "dependencies": [{"name": "a", "kind": null}, {"name": "b", "kind": "dev"}, {"name": "c", "kind": "build"}],
        });
        let parsed = parse(&package);
        assert_eq!(parsed.folder, Path::new("xtask"));
        assert_eq!((parsed.binaries, parsed.dependencies), (["x".to_owned()].into(), ["a".to_owned()].into()));
    }
}
