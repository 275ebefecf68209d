//! Work in many small parts that stops when its time is over. A later run continues there.

use std::{future::Future, ops::Range};

use domain::{Clock, SignedDuration, Timestamp};

/// When a request stops its work in parts.
pub struct Deadline<'a> {
    clock: &'a dyn Clock,
    at: Timestamp,
}

impl<'a> Deadline<'a> {
    /// Time for the parts of one request. After it, a part that is under way may take eight seconds more and the note of the
    /// progress four; a function has 28.
    pub const WORKS_FOR: SignedDuration = SignedDuration::from_secs(15);

    /// The deadline of a request that began at `begun_at`.
    #[must_use]
    pub fn of_request(clock: &'a dyn Clock, begun_at: Timestamp) -> Self {
        Self { clock, at: begun_at.checked_add(Self::WORKS_FOR).unwrap_or(Timestamp::MAX) }
    }

    /// Whether the time is over.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.clock.now() >= self.at
    }
}

/// How far a run came.
#[derive(Debug)]
#[must_use = "the run may have stopped before the last part"]
pub struct Progress<E> {
    /// The parts that this run has done, counted from the first of all.
    done: Range<u32>,
    /// All parts.
    all: u32,
    /// Why the run stopped; `None`: all parts are done.
    stopped: Option<Stopped<E>>,
}

/// Why a run stopped.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped<E> {
    /// Its time is over. The same request continues.
    #[error("{done} of {all} parts are done")]
    OutOfTime {
        /// Parts that are done, counted from the first.
        done: u32,
        /// All parts.
        all: u32,
    },
    /// Another run has taken the work over.
    #[error("another run has taken the work over")]
    Overtaken,
    /// A part failed.
    #[error(transparent)]
    Failed(#[from] E),
}

impl<E> Progress<E> {
    /// Does the parts `todo`, at most `at_once` at a time, until the deadline has passed. `each` does some parts; it returns
    /// false if another run has taken the work over.
    pub async fn through<R>(todo: Range<u32>, at_once: u32, deadline: &Deadline<'_>, each: impl Fn(Range<u32>) -> R) -> Self
    where
        R: Future<Output = Result<bool, E>>,
    {
        let Range { start, end: all } = todo;
        let mut done = start;
        let stopped = loop {
            if done >= all {
                break None;
            }
            if deadline.has_passed() {
                break Some(Stopped::OutOfTime { done, all });
            }
            let next = all.min(done.saturating_add(at_once));
            match each(done..next).await {
                Ok(true) => done = next,
                Ok(false) => break Some(Stopped::Overtaken),
                Err(error) => break Some(Stopped::Failed(error)),
            }
        };
        Self { done: start..done, all, stopped }
    }

    /// Stops a run that has done the last part when its deadline has passed: the work that follows the parts takes time, too. A
    /// run that found all parts done goes on.
    pub fn leaving_time(mut self, deadline: &Deadline<'_>) -> Self {
        if self.stopped.is_none() && !self.done.is_empty() && deadline.has_passed() {
            self.stopped = Some(Stopped::OutOfTime { done: self.done.end, all: self.all });
        }
        self
    }

    /// How many parts are done, if this run has to note that for the next one.
    pub fn to_note(&self) -> Option<u32> {
        match self.stopped {
            Some(Stopped::OutOfTime { .. } | Stopped::Failed(_)) if !self.done.is_empty() => Some(self.done.end),
            Some(Stopped::OutOfTime { .. } | Stopped::Failed(_) | Stopped::Overtaken) | None => None,
        }
    }

    /// Whether all parts are done.
    ///
    /// # Errors
    /// Why the run stopped.
    pub fn finished(self) -> Result<(), Stopped<E>> {
        self.stopped.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// Each look takes a second.
    struct Hurrying(AtomicI64);

    impl Clock for Hurrying {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + SignedDuration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
        }
    }

    /// A run through parts, ten at a time, that begins `seconds` before its deadline. `each` gets the first of each ten.
    async fn run(
        todo: Range<u32>,
        seconds: i64,
        each: impl Fn(u32) -> Result<bool, &'static str>,
    ) -> (Option<u32>, Result<(), Stopped<&'static str>>) {
        let clock = Hurrying(AtomicI64::new(Deadline::WORKS_FOR.as_secs() - seconds));
        let deadline = Deadline::of_request(&clock, Timestamp::UNIX_EPOCH);
        let each = |some: Range<u32>| std::future::ready(each(some.start));
        let progress = Progress::through(todo, 10, &deadline, each).await.leaving_time(&deadline);
        (progress.to_note(), progress.finished())
    }

    #[tokio::test]
    async fn a_run_does_every_part_and_stops_when_its_time_is_over() {
        for (todo, seconds, expected) in [
            (0..25, 4, (None, Ok(()))),
            (0..25, 3, (Some(25), Err(Stopped::OutOfTime { done: 25, all: 25 }))),
            (0..25, 2, (Some(20), Err(Stopped::OutOfTime { done: 20, all: 25 }))),
            (20..25, 2, (None, Ok(()))),
            (20..25, 0, (None, Err(Stopped::OutOfTime { done: 20, all: 25 }))),
            (25..25, 0, (None, Ok(()))),
        ] {
            assert_eq!(run(todo.clone(), seconds, |_| Ok(true)).await, expected, "{todo:?} in {seconds} s");
        }
    }

    #[tokio::test]
    async fn a_run_that_fails_notes_what_it_has_done_and_one_that_was_overtaken_notes_nothing() {
        let failing = |from| move |part| if part < from { Ok(true) } else { Err("broken") };
        let overtaken = |from| move |part| Ok(part < from);
        assert_eq!(run(0..25, 9, failing(20)).await, (Some(20), Err(Stopped::Failed("broken"))));
        assert_eq!(run(0..25, 9, failing(0)).await, (None, Err(Stopped::Failed("broken"))));
        assert_eq!(run(0..25, 9, overtaken(20)).await, (None, Err(Stopped::Overtaken)));
    }
}
