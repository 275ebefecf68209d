//! What an operator can do with an existing sale: pause, resume or close it.

use jiff::Timestamp;

use crate::{Sale, SaleStatus};

/// A change of a sale's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChange {
    /// Stop for now.
    Pause,
    /// Follow its start and end again.
    Resume,
    /// Stop for good.
    Close,
}

/// Why a sale is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotChangeable {
    /// Its shards are being written.
    InPreparation,
    /// The sale is over.
    Ended,
}

impl StatusChange {
    /// The status after the change.
    #[must_use]
    pub fn leads_to(self) -> SaleStatus {
        match self {
            Self::Pause => SaleStatus::Paused,
            Self::Resume => SaleStatus::Active,
            Self::Close => SaleStatus::Closed,
        }
    }
}

impl Sale {
    /// Whether operators can still change the sale at `now`: it is prepared and not over.
    ///
    /// # Errors
    /// Why not.
    pub fn is_operable(&self, now: Timestamp) -> Result<(), NotChangeable> {
        match self.status {
            SaleStatus::Preparing => Err(NotChangeable::InPreparation),
            SaleStatus::Closed => Err(NotChangeable::Ended),
            SaleStatus::Active | SaleStatus::Paused if now >= self.draft.ends_at => Err(NotChangeable::Ended),
            SaleStatus::Active | SaleStatus::Paused => Ok(()),
        }
    }

    /// The sale after an operator gave it `status` at `now`.
    #[must_use]
    pub fn with_status(&self, status: SaleStatus, now: Timestamp) -> Self {
        let is_closing = status == SaleStatus::Closed;
        Self {
            status,
            closed_at: is_closing.then(|| self.closed_at.unwrap_or(now)),
            is_unfinished: is_closing && !self.is_prepared(),
            ..self.clone()
        }
    }

    /// The sale's status after `change` at `now`. A change to the status that the sale already has is allowed at any
    /// time. Every sale can be closed.
    ///
    /// # Errors
    /// Why the sale is not changed.
    pub fn status_after(&self, change: StatusChange, now: Timestamp) -> Result<SaleStatus, NotChangeable> {
        let wanted = change.leads_to();
        if self.status == wanted {
            return Ok(wanted);
        }
        match self.is_operable(now) {
            Ok(()) => Ok(wanted),
            Err(_) if change == StatusChange::Close => Ok(wanted),
            Err(why) => Err(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn sale(status: SaleStatus) -> Sale {
        let draft = samples::draft("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z");
        Sale { status, ..Sale::of("demo".parse().unwrap(), draft) }
    }

    #[test]
    fn a_change_leads_where_it_says_or_tells_why_not() {
        use NotChangeable::{Ended, InPreparation};
        use SaleStatus::{Active, Closed, Paused, Preparing};
        use StatusChange::{Close, Pause, Resume};

        let (before, during, over) = ("2026-11-20T11:00:00Z", "2026-11-20T12:30:00Z", "2026-11-20T13:00:00Z");
        for (status, change, before_it, during_it, after_it) in [
            (Preparing, Pause, Err(InPreparation), Err(InPreparation), Err(InPreparation)),
            (Preparing, Resume, Err(InPreparation), Err(InPreparation), Err(InPreparation)),
            (Preparing, Close, Ok(Closed), Ok(Closed), Ok(Closed)),
            (Active, Pause, Ok(Paused), Ok(Paused), Err(Ended)),
            (Active, Resume, Ok(Active), Ok(Active), Ok(Active)),
            (Active, Close, Ok(Closed), Ok(Closed), Ok(Closed)),
            (Paused, Pause, Ok(Paused), Ok(Paused), Ok(Paused)),
            (Paused, Resume, Ok(Active), Ok(Active), Err(Ended)),
            (Paused, Close, Ok(Closed), Ok(Closed), Ok(Closed)),
            (Closed, Pause, Err(Ended), Err(Ended), Err(Ended)),
            (Closed, Resume, Err(Ended), Err(Ended), Err(Ended)),
            (Closed, Close, Ok(Closed), Ok(Closed), Ok(Closed)),
        ] {
            for (now, expected) in [(before, before_it), (during, during_it), (over, after_it)] {
                let outcome = sale(status).status_after(change, now.parse().unwrap());
                assert_eq!(outcome, expected, "{change:?} of a sale that is {status:?} at {now}");
            }
        }
    }

    #[test]
    fn a_closed_sale_remembers_when_it_was_closed_and_whether_it_was_prepared() {
        use SaleStatus::{Active, Closed, Paused, Preparing};

        let (first, later) = ("2026-11-20T12:30:00Z".parse().unwrap(), "2026-11-20T12:40:00Z".parse().unwrap());
        for (status, is_prepared) in [(Preparing, false), (Active, true), (Paused, true)] {
            let closed = sale(status).with_status(Closed, first);
            assert_eq!((closed.closed_at, closed.is_prepared()), (Some(first), is_prepared), "{status:?}");
            assert_eq!(closed.with_status(Closed, later), closed, "{status:?}: the same again");
        }
        let paused = sale(Active).with_status(Paused, first);
        assert_eq!((paused.closed_at, paused.is_prepared()), (None, true));
    }
}
