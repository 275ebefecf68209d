//! The example of a subscriber to the events of orders: a queue in a stack of its own.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{aws, local, process, up};

/// The stack, and its template.
const STACK: &str = "flash-sale-local-orders";
pub(crate) const TEMPLATE: &str = "infra/orders-to-queue/template.yaml";

/// Deploys the queue for the events on this bus. Returns the queue's URL.
pub(crate) fn deploy(stage: &Path, bus: &str) -> Result<String> {
    let mut sam = up::deployment(stage, TEMPLATE, STACK);
    sam.arg(format!("BusName={bus}"));
    process::run_logged(&mut sam, "sam deploy of the queue of orders", &local("sam-deploy-orders.log"))?;
    aws::stack_outputs(STACK)?.remove("QueueUrl").context("the queue of orders has no output QueueUrl")
}
