//! How a sale admits shoppers.

use serde::{Deserialize, Serialize};

/// The mode in which a sale admits shoppers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Admission {
    /// First come, first served.
    #[default]
    Fcfs,
}
