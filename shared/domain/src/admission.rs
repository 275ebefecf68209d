//! How a sale admits shoppers.

/// The mode in which a sale admits shoppers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Admission {
    /// First come, first served.
    #[default]
    Fcfs,
}
