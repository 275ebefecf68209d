//! `cargo xtask conformance`: holds the running stack to docs/openapi.json. Schemathesis makes valid and invalid requests from
//! the description and compares every answer with it.
//!
//! infra/local/schemathesis.toml says what is checked. This command makes the sales, reservations and orders that the requests
//! find. It fails when an operation never succeeded, because such a comparison shows nothing, and when Schemathesis does not
//! notice a wrong description.

mod answers;
mod world;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::stack::Stack;
use crate::tools::{Python, Tool};
use crate::{local, process, root};
use answers::Answers;
use world::World;

const DESCRIPTION: &str = "docs/openapi.json";
const CONFIGURATION: &str = "infra/local/schemathesis.toml";
const HOOKS: &str = "infra/local/schemathesis_hooks.py";
/// What Schemathesis calls a body that does not fit its schema.
const SCHEMA_VIOLATED: &str = "Response violates schema";

/// Hold the running stack to docs/openapi.json, with valid and invalid requests that Schemathesis makes from it
#[derive(Args)]
pub(crate) struct Conformance {
    /// Make the requests of an earlier run again; the stack must have been started afresh
    #[arg(long)]
    seed: Option<u32>,
    /// Another description, for example a wrong one
    #[arg(long)]
    description: Option<PathBuf>,
}

/// One run of the command.
struct Run<'a> {
    stack: &'a Stack,
    world: World,
    /// The dictionaries, the record of the requests, logs.
    folder: PathBuf,
    seed: u32,
}

impl Conformance {
    /// The run of `cargo xtask test`. Its seed is always the same: on a fresh stack the seed alone decides the requests, and a
    /// test that fails must fail again. `cargo xtask conformance` takes a new seed.
    pub(crate) fn repeatable() -> Self {
        Self { seed: Some(1), description: None }
    }

    pub(crate) fn run(self) -> Result<()> {
        process::catch_interruption()?;
        let Some(stack) = Stack::running() else {
            bail!("no stack is up; `cargo xtask up --detach` starts one");
        };
        Tool::Schemathesis.install(&Python::find()?)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        let seed = self.seed.unwrap_or(now.subsec_nanos());
        println!("seed {seed}: on a fresh stack, `cargo xtask conformance --seed {seed}` makes the same requests");
        let description = match self.description {
            Some(given) => std::path::absolute(given)?,
            None => root().join(DESCRIPTION),
        };

        let folder = local("conformance");
        std::fs::create_dir_all(&folder)?;
        let world = World::make(&stack, now.as_millis())?;
        world.write(&folder)?;
        let run = Run { stack: &stack, world, folder, seed };
        run.notices_a_wrong_description(&description)?;
        run.agrees(&description)
    }
}

impl Run<'_> {
    /// Fails when an answer does not fit the description, or an operation never succeeded.
    fn agrees(&self, description: &Path) -> Result<()> {
        let record = self.folder.join("requests.har");
        let _ = std::fs::remove_file(&record); // no earlier run may have left one
        let mut schemathesis = self.schemathesis(description);
        let ran = process::run(schemathesis.arg("--report-har-path").arg(&record), "schemathesis");
        if !record.exists() {
            return ran;
        }
        let answers = Answers::read(description, &record, &self.stack.api_url)?;
        println!("{answers}");
        ran.with_context(|| format!("the stack does not do what {} says (seed {})", description.display(), self.seed))?;
        answers.every_operation_succeeded()
    }

    /// Fails unless Schemathesis misses a member that no answer has.
    fn notices_a_wrong_description(&self, description: &Path) -> Result<()> {
        let description = serde_json::from_str(&std::fs::read_to_string(description)?)?;
        let wrong = self.folder.join("wrong.json");
        std::fs::write(&wrong, wrong_description(description)?.to_string())?;
        let log = self.folder.join("wrong.log");
        let mut schemathesis = self.schemathesis(&wrong);
        schemathesis.args(["--include-operation-id", "health", "--phases", "coverage"]);
        let ran = process::run_logged(&mut schemathesis, "schemathesis", &log);
        if ran.is_ok() || !std::fs::read_to_string(&log)?.contains(SCHEMA_VIOLATED) {
            bail!("schemathesis does not notice a wrong description; see {}", log.display());
        }
        Ok(())
    }

    /// The program on one description. It writes to the run's folder only.
    fn schemathesis(&self, description: &Path) -> Command {
        let mut schemathesis = Command::new(Tool::Schemathesis.program("schemathesis"));
        schemathesis
            .current_dir(&self.folder)
            .arg("--config-file")
            .arg(root().join(CONFIGURATION))
            .arg("run")
            .arg(description)
            .args(["--url", &self.stack.api_url, "--seed", &self.seed.to_string(), "--no-color"])
            .env("SCHEMATHESIS_HOOKS", root().join(HOOKS))
            .env("SHOPPER_TOKEN", &self.world.shopper_token)
            .env("OPERATOR_TOKEN", &self.world.operator_token)
            .env("NO_PROXY", "127.0.0.1")
            // The seed alone decides, not the order in which Python happens to keep a set.
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        schemathesis
    }
}

/// Adds a required member to the answer of `GET /health`.
fn wrong_description(mut description: Value) -> Result<Value> {
    let required = description.pointer_mut("/components/schemas/Health/required").and_then(Value::as_array_mut);
    required.context("the description has no schema Health with required members")?.push("colour".into());
    Ok(description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_description_differs_from_the_generated_one() {
        let text = std::fs::read_to_string(root().join(DESCRIPTION)).unwrap();
        let right: Value = serde_json::from_str(&text).unwrap();
        let wrong = wrong_description(right.clone()).unwrap();
        assert_ne!(wrong, right);
        assert!(wrong_description(serde_json::json!({})).is_err());
    }
}
