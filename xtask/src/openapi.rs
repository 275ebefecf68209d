//! `cargo xtask openapi`: writes what is generated from the HTTP contract's route table.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{functions, marks, root};

/// The description of the API.
const OPENAPI: &str = "docs/openapi.json";
/// The file with the request models, which are between two marks.
const TEMPLATE: &str = "template.yaml";
const MODELS_BEGIN: &str = "      Models: # written by `cargo xtask openapi`\n";
const MODELS_END: &str = "      # end of Models\n";

/// Write docs/openapi.json and the request models of template.yaml from the route table
#[derive(Args)]
pub(crate) struct Openapi {}

/// Builds the generator, and writes what it prints.
pub(crate) fn run() -> Result<()> {
    let built = functions::build_targets(&["--example", "openapi"])?;
    let generator = built.get("openapi").context("the generator is not an example any more")?;
    write(OPENAPI, &printed(&generator.executable, "openapi")?)?;
    let template = std::fs::read_to_string(root().join(TEMPLATE)).context("cannot read the template")?;
    let models: Vec<String> =
        printed(&generator.executable, "models")?.lines().map(|line| ["        ", line, "\n"].concat()).collect();
    write(TEMPLATE, &marks::with_part(TEMPLATE, &template, [MODELS_BEGIN, MODELS_END], &models.concat())?)
}

fn printed(generator: &Path, what: &str) -> Result<String> {
    let output = Command::new(generator).arg(what).stderr(Stdio::inherit()).output().context("cannot start the generator")?;
    if !output.status.success() {
        bail!("the generator failed ({})", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn write(name: &str, text: &str) -> Result<()> {
    let file = root().join(name);
    let is_current = std::fs::read_to_string(&file).is_ok_and(|before| before == text);
    if !is_current {
        std::fs::write(&file, text).with_context(|| format!("cannot write {name}"))?;
    }
    println!("{name} {}", if is_current { "was up to date" } else { "written" });
    Ok(())
}
