//! Why a message or a record could not be handled. The kit logs it, and the queue or the stream delivers the event
//! again.

use std::{error::Error, fmt};

use crate::telemetry::chain;

/// Any error, so that `?` works in a worker. It reaches the log, never a client.
pub struct Failure(Box<dyn Error + Send + Sync>);

impl Failure {
    /// A failure without a cause of its own.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }
}

// As in anyhow: possible because `Failure` itself is not an `Error`.
impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self.0.as_ref()))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
