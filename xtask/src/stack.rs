//! The stack on this machine, as `target/local/stack.json` describes it to tests and people.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{local, process};

/// `target/local/stack.json`: written when the stack is ready, removed when it is stopped.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Stack {
    /// The endpoint for every AWS client.
    pub(crate) endpoint_url: String,
    pub(crate) region: String,
    /// Base of every route of the HTTP contract.
    pub(crate) api_url: String,
    /// The host name of CloudFront: requests to the endpoint with this `Host` go through the edge.
    pub(crate) edge_host: String,
    pub(crate) user_pool_id: String,
    pub(crate) client_id: String,
    /// The pool of the operators and its app client.
    pub(crate) operator_pool_id: String,
    pub(crate) operator_client_id: String,
    /// The demo sale that opens a little after `up`.
    pub(crate) product_id: String,
    /// The demo sale with short holds.
    pub(crate) expiry_product_id: String,
    pub(crate) tables: Tables,
    pub(crate) state_machine_arn: String,
    pub(crate) orders_queue_url: String,
    pub(crate) orders_dead_letter_queue_url: String,
    pub(crate) expiry_queue_url: String,
    pub(crate) expiry_dead_letter_queue_url: String,
    pub(crate) payment_events_queue_url: String,
    pub(crate) payment_events_dead_letter_queue_url: String,
    pub(crate) stream_failures_queue_url: String,
    /// The queue of the example subscriber to the events of orders.
    pub(crate) order_changes_queue_url: String,
    pub(crate) notifications_topic_arn: String,
    /// The fake Stripe and the fake PayPal.
    pub(crate) stripe_url: String,
    pub(crate) paypal_url: String,
    /// The emulator, leader of its process group.
    pub(crate) pid: u32,
}

/// The physical names of the tables. Their keys are `pk` and `sk`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Tables {
    pub(crate) stock: String,
    pub(crate) reservation: String,
    pub(crate) order: String,
}

impl Stack {
    /// Writes `stack.json` atomically.
    pub(crate) fn write(&self) -> Result<()> {
        write(&file(), self)
    }

    /// The stack that is up, if there is one.
    pub(crate) fn running() -> Option<Self> {
        let emulator = Emulator::running()?;
        let stack: Self = serde_json::from_str(&std::fs::read_to_string(file()).ok()?).ok()?;
        (stack.pid == emulator.pid).then_some(stack)
    }
}

/// `target/local/emulator.json`: the process that `up` has started, written as soon as it runs.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Emulator {
    pub(crate) pid: u32,
    /// The start time, which distinguishes this process from a later one with the same number.
    pub(crate) started: String,
}

impl Emulator {
    /// Records a process that has just been started.
    pub(crate) fn remember(pid: u32) -> Result<()> {
        let started = process::started(pid).context("the emulator ended at once")?;
        write(&emulator_file(), &Self { pid, started })
    }

    /// The emulator that `up` started here, if it still runs.
    pub(crate) fn running() -> Option<Self> {
        let emulator: Self = serde_json::from_str(&std::fs::read_to_string(emulator_file()).ok()?).ok()?;
        (process::started(emulator.pid)? == emulator.started).then_some(emulator)
    }
}

/// Forgets the stack and its emulator.
pub(crate) fn forget() {
    for file in [file(), emulator_file()] {
        let _ = std::fs::remove_file(file); // it may not have been written yet
    }
}

fn file() -> PathBuf {
    local("stack.json")
}

fn emulator_file() -> PathBuf {
    local("emulator.json")
}

fn write(file: &PathBuf, content: &impl Serialize) -> Result<()> {
    let written = || -> Result<()> {
        let whole = file.with_extension("json.new");
        std::fs::write(&whole, serde_json::to_string_pretty(content)? + "\n")?;
        Ok(std::fs::rename(whole, file)?)
    };
    written().with_context(|| format!("cannot write {}", file.display()))
}
