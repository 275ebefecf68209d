//! What is wired from parts.

use kit::ConfigurationError;

use crate::Parts;

/// A function, or a use case that several functions share, which is made of parts.
pub trait FromParts: Sized {
    /// Asks for each part. One that cannot be had is recorded in `parts`, and something stands in for it.
    fn from_parts(parts: &mut Parts) -> Self;

    /// Wires it from its parts. The bootstrap, the simulation and the tests call this.
    ///
    /// # Errors
    /// Names every variable that is missing or wrong.
    fn wire(parts: &mut Parts) -> Result<Self, ConfigurationError> {
        let wired = Self::from_parts(parts);
        parts.finish(wired)
    }
}
