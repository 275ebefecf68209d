//! `cargo xtask down`: stops what `up` started, and only that.

use std::time::Instant;

use clap::Args;

use crate::stack::{self, Emulator};
use crate::{emulator, local, process};

/// Stop the stack that `up` started, and nothing else
///
/// A process is identified by its number and its start time, so no other process is ever touched. The stack's data stays on disk
/// for `up --keep`.
#[derive(Args)]
pub(crate) struct Down {}

/// Stops the stack, if one is up.
pub(crate) fn run() {
    let started = Instant::now();
    let running = Emulator::running();
    stop(running.as_ref());
    match running {
        Some(emulator) => println!("Stopped the stack (process {}) in {:.1} s.", emulator.pid, started.elapsed().as_secs_f32()),
        None => println!("Nothing to stop: no stack is up here."),
    }
}

/// Stops the emulator and its function workers, including workers that have lost the emulator, and forgets the stack.
pub(crate) fn stop(emulator: Option<&Emulator>) {
    // The file goes first, so that no command finds a stack that is being stopped.
    stack::forget();
    if let Some(emulator) = emulator {
        process::stop_group(emulator.pid);
    }
    process::stop_executables_under(&local(emulator::WORKERS));
}
