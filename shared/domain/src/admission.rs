//! How shoppers are let into a sale.

use serde::{Deserialize, Serialize};

/// How shoppers are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Admission {
    /// First come, first served.
    #[default]
    Fcfs,
}
