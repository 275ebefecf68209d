//! `cargo xtask edge`: writes the gate's code into the template of the edge. CloudFormation takes the code of a CloudFront
//! Function only as a text of the template.

use anyhow::{Context, Result};
use clap::Args;

use crate::{marks, root};

const GATE: &str = "infra/edge/gate/gate.js";
const TEMPLATE: &str = "infra/edge/template.yaml";
const CODE_BEGINS: &str = "      FunctionCode: |\n";
const CODE_ENDS: &str = "\n  # ---- Policies of CloudFront\n";

/// Write the gate's code into infra/edge/template.yaml
#[derive(Args)]
pub(crate) struct Edge {}

/// Replaces the code in the template.
pub(crate) fn run() -> Result<()> {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).with_context(|| format!("cannot read {name}"));
    let (gate, template) = (read(GATE)?, read(TEMPLATE)?);
    let indented = |line: &str| if line.trim().is_empty() { line.to_owned() } else { format!("        {line}") };
    let code: String = gate.split_inclusive('\n').map(indented).collect();
    let text = marks::with_part(TEMPLATE, &template, [CODE_BEGINS, CODE_ENDS], &code)?;
    std::fs::write(root().join(TEMPLATE), text).with_context(|| format!("cannot write {TEMPLATE}"))?;
    println!("{TEMPLATE} has the code of {GATE}");
    Ok(())
}
