//! Virtual time: tokio's paused clock, which jumps to the next timer when every task waits. So back-offs, delays and
//! days cost nothing. Every environment has its own clock, which is slightly off. Nothing else in a history reads a
//! clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::{Clock, Timestamp};
use jiff::SignedDuration;
use tokio::time::Instant;

/// The time at which every history begins.
const BEGINNING: &str = "2026-11-20T12:00:00Z";

/// The true time of a history, which the services use.
#[derive(Debug, Clone)]
pub(crate) struct Time {
    beginning: Timestamp,
    started: Instant,
}

impl Time {
    /// Begins a history, inside its runtime.
    pub(crate) fn begin() -> Self {
        Self { beginning: BEGINNING.parse().unwrap(), started: Instant::now() }
    }

    /// The time since the history began.
    pub(crate) fn elapsed(&self) -> Duration {
        Instant::now() - self.started
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        self.beginning.checked_add(SignedDuration::try_from(self.elapsed()).unwrap()).unwrap()
    }
}

/// The clock of one execution environment.
#[derive(Debug, Clone)]
pub(crate) struct SkewedClock {
    time: Time,
    skew_milliseconds: Arc<AtomicI64>,
}

impl SkewedClock {
    /// A clock that is ahead of the true time by this much.
    pub(crate) fn ahead(time: &Time, skew_milliseconds: i64) -> Self {
        Self { time: time.clone(), skew_milliseconds: Arc::new(AtomicI64::new(skew_milliseconds)) }
    }

    /// Makes the clock jump.
    pub(crate) fn jump_to(&self, skew_milliseconds: i64) {
        self.skew_milliseconds.store(skew_milliseconds, Ordering::Relaxed);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let skew = SignedDuration::from_millis(self.skew_milliseconds.load(Ordering::Relaxed));
        self.time.now().checked_add(skew).unwrap()
    }
}
