//! `cargo xtask down`: stops what `up` started, and only that.

use std::time::Instant;

use clap::Args;

use crate::stack::{self, Emulator};
use crate::{emulator, local, process};

/// Stop the stack that `up` started, and only that.
///
/// The process is known by its number and by when it started, so nothing else is ever touched. What the stack held is
/// kept on disk for `up --keep`.
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

/// Stops the emulator and its function workers, also those that have lost it, and forgets the stack.
pub(crate) fn stop(emulator: Option<&Emulator>) {
    // First, so that nobody finds a stack that is going away.
    stack::forget();
    if let Some(emulator) = emulator {
        process::stop_group(emulator.pid);
    }
    process::stop_executables_under(&local(emulator::WORKERS));
}
