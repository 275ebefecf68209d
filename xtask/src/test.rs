//! `cargo xtask test`: every check, in the order in which a mistake is cheapest to find.

use std::process::Command;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::conformance::Conformance;
use crate::simulate::Simulate;
use crate::stack::Stack;
use crate::tools::{Python, Tool};
use crate::up::Up;
use crate::{aws, down, providers, root, subscriber};

/// The template of the edge.
const EDGE: &str = "infra/edge/template.yaml";
/// The templates of the stacks beside the API's.
const OTHERS: [&str; 2] = [EDGE, subscriber::TEMPLATE];

/// Every check
#[derive(Args)]
pub(crate) struct Test {
    /// Leave out what needs the running stack
    #[arg(long)]
    fast: bool,
}

/// One step and how long it took.
struct Timed(&'static str, Duration);

impl Test {
    /// Runs the checks until one fails. If this command started the stack, it also stops it, even after a failure.
    pub(crate) fn run(self) -> Result<()> {
        let started = Instant::now();
        let mut steps = Vec::new();
        // pip waits for the package index and unpacks, while cargo compiles. The scope ends when pip has ended, whatever failed.
        let result = thread::scope(|scope| self.steps(&mut steps, scope.spawn(install)));
        println!("\nDurations:");
        for Timed(step, took) in &steps {
            println!("  {:>6.1} s  {step}", took.as_secs_f64());
        }
        println!("  {:>6.1} s  in all", started.elapsed().as_secs_f64());
        result
    }

    fn steps(self, steps: &mut Vec<Timed>, installing: ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
        timed(steps, "format", || cargo(&["fmt", "--all", "--check"]))?;
        timed(steps, "clippy", || {
            cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
            // `--all-targets` leaves these targets out, because they run only where they are named.
            cargo(&["clippy", "--workspace", "--test", "end_to_end", "--test", "browser", "--", "--deny", "warnings"])
        })?;
        timed(steps, "units, properties, store, functions, drift", || cargo(&["test", "--workspace"]))?;
        timed(steps, "simulation", || Simulate::fresh()?.run())?;
        timed(steps, "tools from Python's package index", || {
            installing.join().unwrap_or_else(|_| bail!("the installation panicked"))
        })?;
        timed(steps, "the fake payment providers by their official clients", providers::check)?;
        timed(steps, "in a browser", || {
            let widget = Tool::Altcha.file_of("altcha_django", "static/altcha_django/altcha.min.js")?;
            passes(test_binary("browser", &[]).env("ALTCHA_WIDGET", widget))
        })?;
        timed(steps, "sam validate --lint, cfn-lint after the transform", || {
            let mut sam = Command::new(Tool::Sam.program("sam"));
            sam.current_dir(root()).args(["validate", "--lint", "--template", "template.yaml"]);
            passes(sam.env("SAM_CLI_TELEMETRY", "0").envs(aws::environment()))?;
            let mut lint = Command::new(Tool::Sam.program("python"));
            lint.current_dir(root()).args(["infra/local/lint.py", "template.yaml"]).arg(Tool::Sam.program("cfn-lint"));
            passes(lint.envs(aws::environment()))
        })?;
        timed(steps, "the other stacks: cfn-lint", || {
            let mut lint = Command::new(Tool::Sam.program("cfn-lint"));
            passes(lint.current_dir(root()).args(["--regions", "us-east-1", "--"]).args(OTHERS).envs(aws::environment()))
        })?;
        timed(steps, "checkov", || {
            for other in OTHERS {
                passes(&mut checkov(other))?;
            }
            passes(checkov("template.yaml").args(["--config-file", "infra/checkov.yaml"]))
        })?;
        if self.fast {
            return Ok(());
        }
        let was_up = Stack::running().is_some();
        let result = Self::on_the_stack(steps, was_up);
        if !was_up {
            timed(steps, "down", || {
                down::run();
                Ok(())
            })?;
        }
        result
    }

    fn on_the_stack(steps: &mut Vec<Timed>, was_up: bool) -> Result<()> {
        timed(steps, "up", || Up::detached(was_up).run())?;
        timed(steps, "store on the stack's DynamoDB", || {
            let mut store = test_binary("store", &[]);
            store.env("FLASH_SALE_STORE_ENDPOINT", &Stack::running().context("the stack is not up")?.endpoint_url);
            passes(&mut store)
        })?;
        timed(steps, "events on the built functions", || passes(&mut test_binary("bootstraps", &["--include-ignored"])))?;
        timed(steps, "end to end", || passes(&mut test_binary("end_to_end", &["--nocapture"])))?;
        timed(steps, "the API's description against the stack", || Conformance::repeatable().run())?;
        timed(steps, "faults on the stack", || {
            passes(&mut test_binary("end_to_end", &["faults::", "--ignored", "--nocapture", "--test-threads=1"]))
        })?;
        timed(steps, "nothing of a person in any log line of all this", || {
            passes(&mut test_binary("end_to_end", &["logs::", "--ignored", "--nocapture"]))
        })
    }
}

/// Installs every tool that is not there.
fn install() -> Result<()> {
    let python = Python::find()?;
    Tool::ALL.into_iter().try_for_each(|tool| tool.install(&python))
}

/// checkov on one template, without the network: neither newer checks nor explanations of the findings.
fn checkov(template: &str) -> Command {
    let mut checkov = Command::new(Tool::Checkov.program("checkov"));
    checkov.current_dir(root()).args(["--framework", "cloudformation", "--compact", "--quiet", "--skip-download"]);
    checkov.args(["--file", template]);
    checkov
}

/// One test binary. `--workspace` selects the same features as everywhere else, so that nothing is compiled again.
fn test_binary(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(["test", "--workspace", "--test", name, "--"]).args(arguments).envs(aws::environment());
    command
}

fn cargo(arguments: &[&str]) -> Result<()> {
    passes(Command::new("cargo").current_dir(root()).args(arguments))
}

fn passes(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} cannot be started"))?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}

fn timed(steps: &mut Vec<Timed>, step: &'static str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n== {step}");
    let started = Instant::now();
    let result = run();
    steps.push(Timed(step, started.elapsed()));
    result.with_context(|| step.to_owned())
}
