//! A group's functions by name, and the choice of the one that a bootstrap serves.

use kit::{ConfigurationError, EdgeSecrets, Error, Function};

use crate::Parts;

/// Wires one function.
pub type Wire = fn(&mut Parts) -> Result<Function, ConfigurationError>;

/// Functions by name. A function's crate and its resource in the template have the same name.
pub type Registry = &'static [(&'static str, Wire)];

/// The variable in which Lambda passes the function's `Handler`.
const HANDLER: &str = "_HANDLER";

/// Serves the function that Lambda's `Handler` names, until Lambda ends the environment. This is all that a bootstrap
/// does.
///
/// # Errors
/// When the registry has no such function, a variable is missing or wrong, or Lambda's runtime interface cannot be
/// reached.
pub async fn serve(registry: Registry) -> Result<(), Error> {
    let mut parts = Parts::deployed().await;
    let edge_secrets = parts.edge_secrets();
    let function = chosen(registry, &mut parts)?;
    kit::serve(function, edge_secrets, &parts.origins).await
}

/// As [`serve`], for functions whose callers prove by signatures who they are: the functions take requests from anywhere.
///
/// # Errors
/// As [`serve`].
pub async fn serve_from_anywhere(registry: Registry) -> Result<(), Error> {
    let mut parts = Parts::deployed().await;
    let function = chosen(registry, &mut parts)?;
    kit::serve(function, EdgeSecrets::none(), &parts.origins).await
}

/// The wiring of the function of this name; `None`: the registry has no such function.
#[must_use]
pub fn find(registry: Registry, name: &str) -> Option<Wire> {
    registry.iter().find(|(listed, _)| *listed == name).map(|(_, wire)| *wire)
}

/// The function that `Handler` names, wired.
pub(crate) fn chosen(registry: Registry, parts: &mut Parts) -> Result<Function, ConfigurationError> {
    let handler: Option<String> = parts.configuration.optional(HANDLER);
    let wire = handler.as_deref().and_then(|name| find(registry, name)).ok_or_else(|| {
        let fault = handler.map_or_else(|| "missing".to_owned(), |name| format!("{name:?}"));
        let names: Vec<&str> = registry.iter().map(|(name, _)| *name).collect();
        ConfigurationError::new(format!("{HANDLER} is {fault}: this bootstrap serves {}", names.join(", ")))
    })?;
    wire(parts)
}
