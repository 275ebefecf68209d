//! The repository as the drift tests compare it: template, state machines, crates, events, documents.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use test_cases::Case;

use crate::{linked, samconfig, yaml};

/// The folder in a group that lists the functions of its program.
const BOOTSTRAP: &str = "bootstrap";

/// The folder of the program that has the functions of a group. Those of `webhooks` are in the gate's (ADR 11).
#[must_use]
pub fn bootstrap_of(group: &Path) -> PathBuf {
    let group = if group.ends_with("webhooks") { group.with_file_name("gate") } else { group.to_owned() };
    group.join(BOOTSTRAP)
}

/// Everything that can drift apart. To prove that a check can fail, a test changes a copy and runs the check on it.
#[derive(Debug, Clone)]
pub struct Repository {
    /// `template.yaml`.
    pub template: Value,
    /// `infra/edge/template.yaml`.
    pub edge: Value,
    /// `infra/edge/gate/gate.js`.
    pub gate: String,
    /// `infra/checkov.yaml`.
    pub checkov: String,
    /// `fuzz/Cargo.toml`.
    pub fuzz: String,
    /// `samconfig.toml`, by section.
    pub samconfig: samconfig::Sections,
    /// `statemachines/*.json`, by file name.
    pub state_machines: BTreeMap<String, Value>,
    /// The crates of `functions/<group>/`, by folder, without the bootstraps.
    pub functions: BTreeMap<String, Crate>,
    /// The crates of `shared/`, by folder.
    pub shared: BTreeMap<String, Crate>,
    /// Every crate of the workspace with its dependencies, by package name.
    pub packages: linked::Packages,
    /// `events/<function>/<case>.json`, by function and case.
    pub events: BTreeMap<String, BTreeMap<String, Value>>,
    /// The tables that the events are made from.
    pub cases: Vec<Case>,
    /// The text of `docs/openapi.json`.
    pub openapi: String,
    /// Markdown, by path from the root.
    pub documents: BTreeMap<PathBuf, String>,
    /// Every Rust file, by path from the root.
    pub rust: BTreeMap<PathBuf, String>,
}

/// The text of a crate.
#[derive(Debug, Clone, Default)]
pub struct Crate {
    /// Its folder, from the root: `functions/shoppers/reserve`.
    pub folder: PathBuf,
    /// `Cargo.toml`.
    pub manifest: String,
    /// `src/**/*.rs`, by path from `src`, without the tests that have their own files.
    pub sources: BTreeMap<PathBuf, String>,
}

impl Repository {
    /// Reads the repository that contains this crate.
    #[must_use]
    pub fn read() -> Self {
        let root = root();
        Self {
            template: yaml::read(&text(&root.join("template.yaml"))),
            edge: yaml::read(&text(&root.join("infra/edge/template.yaml"))),
            gate: text(&root.join("infra/edge/gate/gate.js")),
            checkov: text(&root.join("infra/checkov.yaml")),
            fuzz: text(&root.join("fuzz/Cargo.toml")),
            samconfig: samconfig::read(&text(&root.join("samconfig.toml"))),
            state_machines: files(&root.join("statemachines"), "json").iter().map(|file| (name(file), json(file))).collect(),
            functions: folders(&root.join("functions"))
                .iter()
                .flat_map(|group| crates(group))
                .filter(|(folder, _)| folder != BOOTSTRAP)
                .collect(),
            shared: crates(&root.join("shared")),
            packages: linked::packages(),
            events: folders(&root.join("events"))
                .iter()
                .map(|folder| (name(folder), files(folder, "json").iter().map(|file| (stem(file), json(file))).collect()))
                .collect(),
            cases: test_cases::cases(),
            openapi: text(&root.join("docs/openapi.json")),
            documents: files(&root, "md")
                .into_iter()
                .chain(["docs", "infra", "events", "tests"].iter().flat_map(|folder| files_below(&root.join(folder), "md")))
                .map(|file| (file.strip_prefix(&root).unwrap().to_owned(), text(&file)))
                .collect(),
            rust: ["bench", "functions", "shared", "tests", "xtask"]
                .iter()
                .flat_map(|folder| files_below(&root.join(folder), "rs"))
                .map(|file| (file.strip_prefix(&root).unwrap().to_owned(), text(&file)))
                .collect(),
        }
    }

    /// The sources that the functions are built from: `functions/` and `shared/`.
    pub fn product_sources(&self) -> impl Iterator<Item = &str> {
        self.functions.values().chain(self.shared.values()).flat_map(|one| one.sources.values().map(String::as_str))
    }
}

impl Crate {
    /// Its sources, joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.sources.values().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The text of a file that must exist.
#[must_use]
pub fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

/// The JSON of a file that must exist.
#[must_use]
pub fn json(file: &Path) -> Value {
    serde_json::from_str(&text(file)).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

fn crates(folder: &Path) -> BTreeMap<String, Crate> {
    let read = |folder: &PathBuf| Crate {
        folder: folder.strip_prefix(root()).unwrap().to_owned(),
        manifest: text(&folder.join("Cargo.toml")),
        sources: files_below(&folder.join("src"), "rs")
            .into_iter()
            .filter(|file| stem(file) != "tests")
            .map(|file| (file.strip_prefix(folder.join("src")).unwrap().to_owned(), text(&file)))
            .collect(),
    };
    folders(folder).iter().map(|folder| (name(folder), read(folder))).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_file() && path.extension().is_some_and(|one| one == extension)).collect()
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let below = folders(folder).into_iter().flat_map(|folder| files_below(&folder, extension));
    files(folder, extension).into_iter().chain(below).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
