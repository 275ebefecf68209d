//! The functions of a group by name.

use kit::{ConfigurationError, Function};

use crate::Parts;

/// Wires one function.
pub type Wire = fn(&mut Parts) -> Result<Function, ConfigurationError>;

/// Functions by the name that their crate and their resource in the template share.
pub type Registry = &'static [(&'static str, Wire)];

/// How the function of this name is wired; `None`: the registry has no such function.
#[must_use]
pub fn find(registry: Registry, name: &str) -> Option<Wire> {
    registry.iter().find(|(listed, _)| *listed == name).map(|(_, wire)| *wire)
}
