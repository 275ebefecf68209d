//! The interpreter of `statemachines/payment-saga.asl.json`. The simulation and the saga's tests run executions of the
//! file itself, and differ only in their [`Host`].
//!
//! The interpreter implements the part of the Amazon States Language that the file uses. It refuses everything else
//! when it reads a definition, so that the file cannot outgrow it unnoticed.
// This is test code that several crates share: a panic here fails the test.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc)]
#![allow(clippy::must_use_candidate)]

mod definition;
mod execution;
mod jsonata;
mod template;

use std::{path::PathBuf, sync::LazyLock};

use serde_json::Value;

pub use definition::Machine;
pub use execution::{Ended, Host, Invoked};

/// The functions that the payment saga invokes.
pub const TASKS: [&str; 9] = [
    "await-action",
    "capture-payment",
    "charge-payment",
    "complete-order",
    "fail-order",
    "notify-shopper",
    "refund-payment",
    "sell-stock",
    "take-back-stock",
];

static PAYMENT_SAGA: LazyLock<Machine> =
    LazyLock::new(|| Machine::read(&payment_saga(), &TASKS).unwrap_or_else(|error| panic!("the payment saga: {error}")));

impl Machine {
    /// The payment saga.
    pub fn payment_saga() -> &'static Self {
        &PAYMENT_SAGA
    }
}

/// The payment saga from its file.
pub fn payment_saga() -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../statemachines/payment-saga.asl.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
