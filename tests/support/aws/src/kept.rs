//! A service in this process that keeps everything that it receives.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{calls::Calls, wire::Wire};

/// Everything that a service received, and whether the service is broken. Clones share both.
pub(crate) struct Kept<T> {
    all: Arc<Mutex<Vec<T>>>,
    is_broken: Arc<AtomicBool>,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { all: Arc::clone(&self.all), is_broken: Arc::clone(&self.is_broken) }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { all: Arc::default(), is_broken: Arc::default() }
    }
}

impl<T: Clone + Send + 'static> Kept<T> {
    /// A wire to this service. `serve` answers an operation and the request's body with a status and a body; `broken` is the
    /// body of every answer while the service is broken.
    pub(crate) fn wire(
        &self,
        calls: &Calls,
        serve: impl Fn(&mut Vec<T>, &str, &[u8]) -> (u16, String) + Send + Sync + 'static,
        broken: &'static str,
    ) -> Wire {
        let kept = self.clone();
        let service = move |operation: &str, body: &[u8]| {
            if kept.is_broken.load(Ordering::Relaxed) {
                return (500, broken.to_owned());
            }
            serve(&mut kept.all.lock().unwrap(), operation, body)
        };
        Wire::in_process(Arc::new(service), calls)
    }

    /// Everything, in the order of its arrival.
    pub(crate) fn all(&self) -> Vec<T> {
        self.all.lock().unwrap().clone()
    }

    /// Gives `what` access to everything.
    pub(crate) fn with<R>(&self, what: impl FnOnce(&mut Vec<T>) -> R) -> R {
        what(&mut self.all.lock().unwrap())
    }

    /// Breaks the service, so that every request fails. False: repairs it.
    pub(crate) fn fail(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }
}

/// Which entries of batches a service refuses, by their number among those that come next. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Refused(Arc<Mutex<Range<usize>>>);

impl Refused {
    /// Refuses these of the entries that come next; 0 is the first.
    pub(crate) fn set(&self, entries: Range<usize>) {
        *self.0.lock().unwrap() = entries;
    }

    /// Whether the entry that has come is refused.
    pub(crate) fn takes_next(&self) -> bool {
        let mut coming = self.0.lock().unwrap();
        let is_refused = coming.contains(&0);
        *coming = coming.start.saturating_sub(1)..coming.end.saturating_sub(1);
        is_refused
    }
}

/// A service of this process that keeps records: its clients, and how tests break it. `serve` and `BROKEN` are next to it.
macro_rules! service {
    ($(#[$doc:meta])* $service:ident($record:ty), $sdk:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $service($crate::kept::Kept<$record>);

        impl $service {
            /// A client that counts its requests in `calls`.
            pub fn client_with(&self, calls: &$crate::calls::Calls) -> $sdk::Client {
                $crate::wire::client!($sdk, self.0.wire(calls, serve, BROKEN), calls, $crate::wire::NOWHERE)
            }

            /// Breaks the service, so that every request fails. False: repairs it.
            pub fn fail(&self, broken: bool) {
                self.0.fail(broken);
            }
        }
    };
}
pub(crate) use service;
