//! The bootstraps of the local stack: built with the dev profile and laid out as `sam deploy` expects them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::process::{run, wait};
use crate::{fakes, local, root};

/// The folder to deploy: the template, byte for byte, beside the files that its paths name.
pub(crate) const STAGE: &str = "sam";
const COPIED: [&str; 3] = ["template.yaml", "samconfig.toml", "statemachines/payment-saga.asl.json"];
const STRIPPING_THREADS: usize = 4;

/// The crate of a group's bootstrap, beside the group's functions: `functions/<group>/bootstrap`.
const BOOTSTRAP: &str = "bootstrap";

/// Programs that cargo has built, by the names of their targets.
pub(crate) type Programs = BTreeMap<String, Program>;

/// A program that cargo has built.
pub(crate) struct Program {
    /// The folder of its crate, relative to the repository's root.
    folder: PathBuf,
    pub(crate) executable: PathBuf,
}

/// The names of all functions: their folders are `functions/<group>/<name>`.
pub(crate) fn names() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for group in entries(Path::new("functions"))? {
        for folder in entries(&group)?.iter().filter(|folder| !folder.ends_with(BOOTSTRAP)) {
            if root().join(folder).join("Cargo.toml").is_file() {
                names.extend(folder.file_name().map(|name| name.to_string_lossy().into_owned()));
            }
        }
    }
    Ok(names)
}

/// The folders in `folder`. All paths are relative to the repository's root.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(root().join(folder)).with_context(|| format!("cannot read {}", folder.display()))?;
    read.map(|entry| Ok(folder.join(entry?.file_name())))
        .filter(|path| path.as_ref().map_or(true, |path| root().join(path).is_dir()))
        .collect()
}

/// Builds the bootstraps of all groups and the fake payment providers, and nothing that only tests need, so that a first `up`
/// compiles less.
pub(crate) fn build() -> Result<Programs> {
    let bootstraps = bootstraps()?;
    let programs = bootstraps.iter().map(String::as_str).chain(fakes::PROGRAMS);
    let targets: Vec<&str> = programs.flat_map(|name| ["--bin", name]).collect();
    build_targets(&targets)
}

/// The names of the bootstraps' programs, which are those of their crates.
fn bootstraps() -> Result<Vec<String>> {
    let manifests =
        entries(Path::new("functions"))?.into_iter().map(|group| root().join(group).join(BOOTSTRAP).join("Cargo.toml"));
    // The functions of a group without one are in another group's.
    let manifests = manifests.filter(|manifest| manifest.is_file());
    let name = |manifest: PathBuf| {
        let text = std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        name.map(str::to_owned).with_context(|| format!("{} has no name", manifest.display()))
    };
    manifests.map(name).collect()
}

/// A small test target. Cargo activates the features that test-only dependencies ask for only when a test is among the
/// targets.
const WITH_THE_FEATURES_OF_TESTS: [&str; 2] = ["--test", "executions"];

/// Builds targets of the whole workspace with the features with which its tests are compiled, so that nothing is
/// compiled twice.
pub(crate) fn build_targets(targets: &[&str]) -> Result<Programs> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .args(["build", "--workspace", "--message-format", "json-render-diagnostics"])
        .args(targets)
        .args(WITH_THE_FEATURES_OF_TESTS)
        .current_dir(root())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    // A thread reads the output while this one waits, so that Ctrl-C takes effect at once.
    let reader = std::thread::spawn(move || std::io::read_to_string(output));
    let status = wait(&mut child)?;
    let Ok(messages) = reader.join() else { bail!("cargo's output was lost") };
    if !status.success() {
        bail!("the workspace does not build");
    }
    Ok(messages?.lines().filter_map(program).collect())
}

/// Builds programs for release, and returns their folder. A bootstrap is built as `sam build` does it, without other programs: with
/// them, its dependencies would get features that only the others need.
pub(crate) fn build_released(names: &[&str]) -> Result<PathBuf> {
    println!("building {} for release (minutes when dependencies have not been built yet) …", names.join(" and "));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release"]).current_dir(root());
    build.args(names.iter().flat_map(|name| ["--package", name, "--bin", name]));
    run(&mut build, "cargo build --release")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release"))
}

/// The program that a message of cargo names, if any.
fn program(message: &str) -> Option<(String, Program)> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let name = message.pointer("/target/name")?.as_str()?.to_owned();
    let folder = Path::new(message.get("manifest_path")?.as_str()?).parent()?.strip_prefix(root()).ok()?.to_owned();
    Some((name, Program { folder, executable: message.get("executable")?.as_str()?.into() }))
}

/// Prepares the folder to deploy. A bootstrap that has not changed stays unchanged.
pub(crate) fn stage(programs: &Programs) -> Result<PathBuf> {
    let stage = local(STAGE);
    for name in COPIED {
        let to = stage.join(name);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(root().join(name), &to).with_context(|| format!("cannot copy {name}"))?;
    }
    let changed = Mutex::new(Vec::new());
    for Program { folder, executable } in programs.values().filter(|program| program.folder.ends_with(BOOTSTRAP)) {
        let bootstrap = stage.join(folder).join("bootstrap");
        if modified(&bootstrap) < modified(executable) {
            changed.lock().map_err(|_| anyhow::anyhow!("a thread failed"))?.push((executable.clone(), bootstrap));
        }
    }
    let objcopy = Objcopy::find();
    let next = || changed.lock().ok().and_then(|mut changed| changed.pop());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..STRIPPING_THREADS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while let Some((executable, bootstrap)) = next() {
                        strip(objcopy.as_ref(), &executable, &bootstrap)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread failed"))?)
    })?;
    Ok(stage)
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// Copies an executable without its symbols: it is half as large, and so is the uploaded archive.
fn strip(objcopy: Option<&Objcopy>, executable: &Path, bootstrap: &Path) -> Result<()> {
    if let Some(folder) = bootstrap.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if !objcopy.is_some_and(|objcopy| objcopy.strip(executable, bootstrap)) {
        std::fs::copy(executable, bootstrap).with_context(|| format!("cannot copy {}", executable.display()))?;
    }
    Ok(())
}

/// The toolchain's own objcopy. Without it, bootstraps are deployed with their symbols.
struct Objcopy {
    program: PathBuf,
    /// The folder of the libraries that it is linked with.
    libraries: PathBuf,
}

impl Objcopy {
    fn find() -> Option<Self> {
        let shown = Command::new("rustc").args(["--print", "target-libdir"]).current_dir(root()).output().ok()?;
        // <sysroot>/lib/rustlib/<target>/lib
        let target = PathBuf::from(String::from_utf8(shown.stdout).ok()?.trim()).parent()?.to_owned();
        let program = target.join("bin/rust-objcopy");
        let libraries = target.parent()?.parent()?.to_owned();
        program.is_file().then_some(Self { program, libraries })
    }

    fn strip(&self, executable: &Path, bootstrap: &Path) -> bool {
        let mut command = Command::new(&self.program);
        command.arg("--strip-all").args([executable, bootstrap]).stderr(Stdio::null());
        command.env("LD_LIBRARY_PATH", &self.libraries).env("DYLD_FALLBACK_LIBRARY_PATH", &self.libraries);
        command.status().is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bootstrap_of_a_group_is_no_function() {
        let names = names().unwrap();
        assert!(names.contains("reserve") && names.contains("reconcile") && !names.contains(BOOTSTRAP), "{names:?}");
    }

    #[test]
    fn a_program_is_told_from_a_library() {
        let manifest = root().join("functions/saga/bootstrap/Cargo.toml");
        let message = |executable| serde_json::json!({"target": {"name": "saga-tasks"}, "manifest_path": manifest, "executable": executable});
        let (name, found) = program(&message(Some("/x/saga-tasks")).to_string()).unwrap();
        assert_eq!((name.as_str(), found.folder.to_str()), ("saga-tasks", Some("functions/saga/bootstrap")));
        assert!(program(&message(None).to_string()).is_none());
    }
}
