//! The tools from Python's package index, at pinned versions. Each has its own virtual environment under
//! `target/tools`, because SAM and ministack need different versions of boto3. Nothing is installed outside `target`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::run_logged;
use crate::{local, root};

/// One virtual environment; its requirements are `infra/local/requirements-<name>.txt`.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    /// AWS SAM CLI and cfn-lint.
    Sam,
    /// checkov, which looks for what is unsafe in a template.
    Checkov,
    /// The emulator.
    Ministack,
    /// Schemathesis, which tests an API by its description.
    Schemathesis,
    /// Stripe's official client, which checks the fake Stripe.
    Stripe,
    /// PayPal's official SDK, which checks the fake PayPal.
    Paypal,
    /// ALTCHA's official widget, which solves challenges in a browser. It is in a package for Django.
    Altcha,
}

impl Tool {
    /// All tools, the largest first.
    pub(crate) const ALL: [Self; 7] =
        [Self::Sam, Self::Checkov, Self::Ministack, Self::Schemathesis, Self::Stripe, Self::Paypal, Self::Altcha];

    fn name(self) -> &'static str {
        match self {
            Self::Sam => "sam",
            Self::Checkov => "checkov",
            Self::Ministack => "ministack",
            Self::Schemathesis => "schemathesis",
            Self::Stripe => "stripe",
            Self::Paypal => "paypal",
            Self::Altcha => "altcha",
        }
    }

    /// A program of the virtual environment. `install` must have made it.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        self.folder().join("bin").join(name)
    }

    fn folder(self) -> PathBuf {
        root().join("target/tools").join(self.name())
    }

    /// A file of one of the environment's Python packages. `install` must have made it.
    ///
    /// # Errors
    /// When there is no such package.
    pub(crate) fn file_of(self, package: &str, path: &str) -> Result<PathBuf> {
        let script = format!("import importlib.util; print(importlib.util.find_spec('{package}').submodule_search_locations[0])");
        let found = Command::new(self.program("python")).args(["-c", &script]).output()?;
        if !found.status.success() {
            bail!("{} has no package {package}", self.name());
        }
        Ok(PathBuf::from(String::from_utf8(found.stdout)?.trim()).join(path))
    }

    /// Makes the virtual environment unless it exists and fits the requirements.
    pub(crate) fn install(self, python: &Python) -> Result<()> {
        let requirements = root().join(format!("infra/local/requirements-{}.txt", self.name()));
        let wanted = std::fs::read_to_string(&requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))
            .map(|text| format!("# {}\n{text}", python.version))?;
        let stamp = self.folder().join("installed.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        let started = Instant::now();
        println!("  {}: installing (once, about a minute) …", self.name());
        std::fs::create_dir_all(local(""))?;
        let log = local(&format!("install-{}.log", self.name()));
        let what = format!("making a virtual environment for {}", self.name());
        run_logged(Command::new(&python.program).args(["-m", "venv"]).arg(self.folder()), &what, &log).with_context(|| {
            format!("{} needs its modules venv and ensurepip (Debian: apt install python3-venv)", python.program)
        })?;
        let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement"];
        run_logged(
            Command::new(self.program("python")).args(pip).arg(&requirements),
            &format!("installing {}", self.name()),
            &log,
        )?;
        std::fs::write(&stamp, wanted)?;
        println!("  {}: installed in {:.0} s", self.name(), started.elapsed().as_secs_f32());
        Ok(())
    }
}

/// A Python interpreter on this machine that is new enough.
pub(crate) struct Python {
    program: String,
    version: String,
}

impl Python {
    const OLDEST: (u32, u32) = (3, 11);
    /// A plain `python3` comes first, then the newest version with which every pinned package was tried, then other
    /// versions.
    const NAMES: [&str; 6] = ["python3", "python3.13", "python3.12", "python3.11", "python3.14", "python"];

    /// Finds the first interpreter on the path that is new enough.
    pub(crate) fn find() -> Result<Self> {
        let (oldest_major, oldest_minor) = Self::OLDEST;
        let mut too_old = None;
        for program in Self::NAMES {
            let Some(version) = version(program) else { continue };
            if parsed(&version).is_some_and(|version| version >= Self::OLDEST) {
                return Ok(Self { program: program.to_owned(), version });
            }
            too_old.get_or_insert(format!("{program} is Python {version}"));
        }
        match too_old {
            Some(found) => bail!("Python {oldest_major}.{oldest_minor} or newer is needed, but {found}"),
            None => bail!("Python {oldest_major}.{oldest_minor} or newer is needed, and there is none on the path"),
        }
    }
}

fn version(program: &str) -> Option<String> {
    let script = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
    let shown = Command::new(program).args(["-c", script]).stderr(std::process::Stdio::null()).output().ok()?;
    let version = String::from_utf8(shown.stdout).ok()?.trim().to_owned();
    (shown.status.success() && !version.is_empty()).then_some(version)
}

fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parsed("3.9.18").unwrap() < Python::OLDEST);
        assert!(parsed("2.7.18").unwrap() < Python::OLDEST);
        assert!(parsed("3.10.19").unwrap() < Python::OLDEST);
        assert!(parsed("3.11.0").unwrap() >= Python::OLDEST);
        assert!(parsed("3.13.0").unwrap() >= Python::OLDEST);
        assert_eq!(parsed("nonsense"), None);
    }
}
