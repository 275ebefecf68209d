//! Logging: the Lambda runtime's own subscriber, which follows the function's log format and level. The level TRACE is compiled out
//! (feature `max_level_debug` of `tracing`), because it would show bodies.

use std::{
    error::Error,
    fmt::{Display, Write},
    sync::Once,
};

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

/// The items that could be read, and the number of the others. Each of the others is logged: `kind` is its name in the log, and
/// its key says which one it is.
#[must_use]
pub fn readable<K: Display, T, E: Error + 'static>(
    kind: &str,
    found: impl IntoIterator<Item = (K, Result<T, E>)>,
) -> (Vec<T>, usize) {
    let (mut items, mut unreadable) = (Vec::new(), 0);
    for (key, item) in found {
        match item {
            Ok(item) => items.push(item),
            Err(error) => {
                unreadable += 1;
                tracing::error!(kind, %key, cause = chain(&error), "an item cannot be read");
            }
        }
    }
    (items, unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the store did not answer")]
    struct Outer(#[source] std::io::Error);

    /// At the level TRACE, the Lambda runtime writes every event with its body, before any function sees it.
    #[test]
    fn no_level_of_the_log_shows_bodies() {
        assert!(tracing::level_filters::STATIC_MAX_LEVEL < tracing::level_filters::LevelFilter::TRACE);
    }

    #[test]
    fn the_log_names_every_cause() {
        let error = Outer(std::io::Error::other("connection reset"));
        assert_eq!(chain(&error), "the store did not answer: connection reset");
    }

    #[test]
    fn items_that_cannot_be_read_are_counted_and_the_others_keep_their_order() {
        let unreadable = || Err(Outer(std::io::Error::other("not an order")));
        let found = [("a", Ok(1)), ("b", unreadable()), ("c", Ok(3)), ("d", unreadable())];
        assert_eq!(readable("order", found), (vec![1, 3], 2));
    }
}
