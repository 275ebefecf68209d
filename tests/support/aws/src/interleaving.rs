//! Two processes, one of which hangs: it stops before one of its requests while the other one runs, and then continues
//! with the data that it has read before.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

use crate::calls::{Calls, MOST_REQUESTS};

/// The place where a process hangs.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    is_reached: AtomicBool,
    reached: Notify,
    over: Notify,
}

impl Pause {
    /// Called by the request that hangs: waits until the other process has ended.
    pub(crate) async fn wait(&self) {
        self.is_reached.store(true, Ordering::Relaxed);
        self.reached.notify_one();
        self.over.notified().await;
    }
}

/// A process that hangs before one of its requests, and that place.
#[derive(Debug)]
pub struct Interleaving {
    /// The requests of the process that hangs.
    pub calls: Calls,
    request: usize,
    pause: Arc<Pause>,
}

impl Interleaving {
    /// Runs `hung` up to the place where it hangs, then `other` to its end, then the rest of `hung`. If `hung` ends
    /// before that place, `other` runs after it.
    pub async fn run<A, B>(&self, hung: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
        self.calls.set_pause(Some((self.request, Arc::clone(&self.pause))));
        let hung = async {
            let answer = hung.await;
            self.calls.set_pause(None);
            self.pause.reached.notify_one();
            answer
        };
        let other = async {
            self.pause.reached.notified().await;
            let answer = other.await;
            self.pause.over.notify_one();
            answer
        };
        tokio::join!(hung, other)
    }
}

/// Runs `test` once for every place where a process can hang: before its first request, its second, …, and finally
/// nowhere.
pub async fn every_interleaving(test: impl AsyncFn(&Interleaving)) {
    for request in 0.. {
        assert!(request < MOST_REQUESTS, "it does not end after {MOST_REQUESTS} requests: does it use these calls?");
        let interleaving = Interleaving { calls: Calls::new(), request, pause: Arc::default() };
        test(&interleaving).await;
        if !interleaving.pause.is_reached.load(Ordering::Relaxed) {
            assert!(request > 0, "it makes no request");
            break;
        }
    }
}
