//! A small Lambda host that measures release bootstraps under load, on one machine and without AWS.
//!
//! `stage` has the tables and counts the calls to AWS, `host` runs a bootstrap's environments, `load` sends requests,
//! `accounts` asks the kernel for CPU time, `tokens` measures the verification of tokens, `work` that of proofs of work,
//! `measuring` combines them into one measurement per case and round, and
//! `report` prints and judges the medians.
#![expect(
    clippy::disallowed_methods,
    reason = "a measurement needs real time and reads its own environment; the product does neither"
)]

pub mod accounts;
pub mod cases;
pub mod event;
pub mod host;
pub mod judgement;
pub mod load;
pub mod measuring;
pub mod options;
pub mod report;
mod runtime_api;
mod serving;
pub mod stage;
pub mod tokens;
pub mod work;
