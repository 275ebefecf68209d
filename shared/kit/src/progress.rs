//! Work in many small parts that stops when its time is over. A later run continues there.

use std::{future::Future, ops::Range};

/// How far a run came.
#[derive(Debug)]
pub struct Progress<E> {
    /// Parts that are done, counted from the first.
    pub done: u32,
    /// Why the run stopped before the last part; `None`: all are done.
    pub stopped: Option<Stopped<E>>,
}

/// Why a run stopped before the last part.
#[derive(Debug)]
pub enum Stopped<E> {
    /// Its time is over.
    OutOfTime,
    /// Another run has taken the work over.
    Overtaken,
    /// A part failed.
    Failed(E),
}

impl<E> Progress<E> {
    /// Does the parts `todo`, at most `at_once` at a time, while `has_time` says so. `each` does some parts; it returns
    /// false if another run has taken the work over.
    pub async fn through<R>(todo: Range<u32>, at_once: u32, has_time: impl Fn() -> bool, each: impl Fn(Range<u32>) -> R) -> Self
    where
        R: Future<Output = Result<bool, E>>,
    {
        let Range { start: mut done, end } = todo;
        while done < end {
            if !has_time() {
                return Self { done, stopped: Some(Stopped::OutOfTime) };
            }
            let next = end.min(done.saturating_add(at_once));
            match each(done..next).await {
                Ok(true) => done = next,
                Ok(false) => return Self { done, stopped: Some(Stopped::Overtaken) },
                Err(error) => return Self { done, stopped: Some(Stopped::Failed(error)) },
            }
        }
        Self { done, stopped: None }
    }
}
