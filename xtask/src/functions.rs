//! The functions of the local stack: built with the dev profile and laid out as `sam deploy` wants them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::process::wait;
use crate::{local, root};

/// What is deployed: the template, byte for byte, beside what its paths point at.
pub(crate) const STAGE: &str = "sam";
const COPIED: [&str; 3] = ["template.yaml", "samconfig.toml", "statemachines/payment-saga.asl.json"];
const STRIPPING_THREADS: usize = 4;

/// Every function by its name, with its folder from the root: `functions/<group>/<name>`.
pub(crate) fn folders() -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for group in entries(Path::new("functions"))? {
        for folder in entries(&group)? {
            if root().join(&folder).join("Cargo.toml").is_file() {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                found.insert(name, folder);
            }
        }
    }
    Ok(found)
}

/// What is in a folder, both by their paths from the root.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(root().join(folder)).with_context(|| format!("cannot read {}", folder.display()))?;
    read.map(|entry| Ok(folder.join(entry?.file_name())))
        .filter(|path| path.as_ref().map_or(true, |path| root().join(path).is_dir()))
        .collect()
}

/// Builds every binary of the workspace, and returns where they are.
pub(crate) fn build() -> Result<BTreeMap<String, PathBuf>> {
    build_targets(&["--bins"])
}

/// Any test: cargo takes the features that test-only dependencies ask for when, and only when, a test is among the targets.
const WITH_THE_FEATURES_OF_TESTS: [&str; 2] = ["--test", "drift"];

/// Builds targets of the whole workspace with the features that its tests are compiled with, so that nothing is compiled twice,
/// and returns where the programs are.
pub(crate) fn build_targets(targets: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
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
    // Read beside waiting, so that Ctrl-C is seen at once.
    let reader = std::thread::spawn(move || std::io::read_to_string(output));
    let status = wait(&mut child)?;
    let Ok(messages) = reader.join() else { bail!("cargo's output was lost") };
    if !status.success() {
        bail!("the workspace does not build");
    }
    Ok(messages?.lines().filter_map(executable).collect())
}

fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let name = message.pointer("/target/name")?.as_str()?;
    Some((name.to_owned(), PathBuf::from(message.get("executable")?.as_str()?)))
}

/// Lays out what is deployed. A function that has not changed is left as it is.
pub(crate) fn stage(executables: &BTreeMap<String, PathBuf>) -> Result<PathBuf> {
    let stage = local(STAGE);
    for name in COPIED {
        let to = stage.join(name);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(root().join(name), &to).with_context(|| format!("cannot copy {name}"))?;
    }
    let changed = Mutex::new(Vec::new());
    for (name, folder) in folders()? {
        let executable = executables.get(&name).with_context(|| format!("{} has no binary named {name}", folder.display()))?;
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

/// Copies an executable without its symbols: half the size, and so of what is zipped and uploaded.
fn strip(objcopy: Option<&Objcopy>, executable: &Path, bootstrap: &Path) -> Result<()> {
    if let Some(folder) = bootstrap.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if !objcopy.is_some_and(|objcopy| objcopy.strip(executable, bootstrap)) {
        std::fs::copy(executable, bootstrap).with_context(|| format!("cannot copy {}", executable.display()))?;
    }
    Ok(())
}

/// The toolchain's own objcopy. Without it, functions are deployed with their symbols.
struct Objcopy {
    program: PathBuf,
    /// Where the libraries are that it is linked with.
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
