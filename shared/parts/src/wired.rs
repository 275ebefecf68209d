//! How a function is wired from its parts.

use kit::ConfigurationError;

use crate::Parts;

/// A function, or a use case that several functions share, that is made of parts.
pub trait FromParts: Sized {
    /// Asks for each part. If a part is not available, `parts` records the fault and returns a placeholder.
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
