//! Logging: the Lambda runtime's own subscriber, which follows the function's log format and level.

use std::{error::Error, fmt::Write, sync::Once};

/// Starts logging. Only the first call in a process has an effect.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(lambda_runtime::tracing::init_default_subscriber);
}

/// An error and all its causes, for the log and never for a client. The text of an SDK error alone is only "service
/// error".
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the store did not answer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_log_names_every_cause() {
        let error = Outer(std::io::Error::other("connection reset"));
        assert_eq!(chain(&error), "the store did not answer: connection reset");
    }
}
