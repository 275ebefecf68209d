//! The project's own commands: `cargo xtask <command>`. One module per command; the modules below contain what commands
//! share. Paths are relative to the repository's root, regardless of the current directory.

#![expect(
    clippy::disallowed_methods,
    reason = "a command-line tool measures real time and reads its own environment; the product does neither"
)]

mod aws;
mod bench;
mod conformance;
mod demo;
mod down;
mod edge;
mod emulator;
mod events;
mod fakes;
mod functions;
mod marks;
mod measure;
mod openapi;
mod process;
mod providers;
mod redrive;
mod sam_local;
mod simulate;
mod stack;
mod subscriber;
mod test;
mod tools;
mod up;
mod verify_draw;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own commands", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Up),
    Bench(bench::Bench),
    Conformance(conformance::Conformance),
    Down(down::Down),
    Edge(edge::Edge),
    Events(events::Events),
    Measure(measure::Measure),
    Openapi(openapi::Openapi),
    Redrive(redrive::Redrive),
    SamLocal(sam_local::SamLocal),
    Simulate(simulate::Simulate),
    Test(test::Test),
    VerifyDraw(verify_draw::VerifyDraw),
}

fn main() -> std::process::ExitCode {
    let done = match Arguments::parse().command {
        Command::Up(up) => up.run(),
        Command::Bench(bench) => bench.run(),
        Command::Conformance(conformance) => conformance.run(),
        Command::Down(down::Down {}) => {
            down::run();
            Ok(())
        }
        Command::Edge(edge::Edge {}) => edge::run(),
        Command::Events(events::Events {}) => events::Events::run(),
        Command::Measure(measure) => measure.run(),
        Command::Openapi(openapi::Openapi {}) => openapi::run(),
        Command::Redrive(redrive) => redrive.run(),
        Command::SamLocal(sam_local) => sam_local.run(),
        Command::Simulate(simulate) => simulate.run(),
        Command::Test(test) => test.run(),
        Command::VerifyDraw(verify) => verify.run(),
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// The repository's root.
fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// A path in the folder of the stack on this machine.
fn local(name: &str) -> PathBuf {
    root().join("target/local").join(name)
}
