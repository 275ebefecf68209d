//! Every minute: finds and finishes whatever was left half-way, in every sale that may still have something to finish.
//!
//! It decides by what it reads and acts by conditional moves only, so it may be late, cut off, or run beside itself and
//! everybody else. In a sale where nothing is wrong it reads its shards and one index, and writes nothing.

mod executions;
mod holds;
mod payments;
mod stock;

use std::{future::Future, sync::Arc};

use domain::{Clock, ProductId, Sale, SaleStatus, SignedDuration, Timestamp};
use futures_util::future::join_all;
use kit::{Failure, ScheduledFunction, metrics};
use parts::{FromParts, Parts};
use release_stock::ReleaseStock;
use store::{Availabilities, Orders, Reservations, Sales, Stock};

pub use executions::Executions;

/// From a sale's end until nothing in it moves any more: its last hold takes an hour, and each of 20 payments that fail, of
/// some minutes, prolongs it by two.
const SALE_SETTLES_AFTER: SignedDuration = SignedDuration::from_hours(8);
/// Things that are looked at the same time; most of the time is waiting.
const AT_ONCE: usize = 16;
/// After so many failures in one sale's payments, or in its stock, the rest of them waits for the next run: whatever it is that
/// fails, it fails for all.
const MOST_FAILURES: usize = 5;

/// The Lambda handler and its dependencies.
pub struct Reconcile {
    /// Tests make it hurry.
    pub clock: Arc<dyn Clock>,
    sales: Sales,
    stock: Stock,
    availabilities: Availabilities,
    reservations: Reservations,
    orders: Orders,
    releases: ReleaseStock,
    executions: Executions,
}

/// What a run found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Units in shards beyond those that their sales have.
    pub oversold_units: u64,
    /// Units of sales that are in no shard.
    pub undersold_units: u64,
    /// Orders whose payment was started again as often as it may be, and is still under way: for a person.
    pub orders_stuck: usize,
    /// Holds that somebody else should have ended; ended now.
    pub holds_overdue: usize,
    /// Payments that were started, for the first time or again.
    pub payments_started: usize,
    /// Availability items that did not say what the shards do; written anew.
    pub availabilities_mended: usize,
    /// Sales with something that could not be looked at, or not be finished.
    pub failed: Vec<ProductId>,
    /// Sales that time was too short for, wholly or in part.
    pub not_reached: Vec<ProductId>,
}

impl FromParts for Reconcile {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            sales: parts.sales(),
            stock: parts.stock(),
            availabilities: parts.availabilities(),
            reservations: parts.reservations(),
            orders: parts.orders(),
            releases: ReleaseStock::from_parts(parts),
            executions: Executions::from_parts(parts),
        }
    }
}

impl ScheduledFunction for Reconcile {
    /// One run, which should stop at `until`.
    ///
    /// # Errors
    /// When something could not be looked at or not be finished. Everything else was.
    async fn handle(&self, until: Timestamp) -> Result<(), Failure> {
        let found = self.run(until).await?;
        // A sale that could not be looked at must not say that all is well.
        let has_seen_all = found.failed.is_empty() && found.not_reached.is_empty();
        #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
        for (name, value) in [("OversoldUnits", found.oversold_units as f64), ("UndersoldUnits", found.undersold_units as f64)] {
            if has_seen_all || value > 0.0 {
                metrics::record(name, value, "Count", &[]);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
        for (name, value) in [("OrdersStuck", found.orders_stuck as f64), ("HoldsOverdue", found.holds_overdue as f64)] {
            metrics::record(name, value, "Count", &[]);
        }
        if !found.not_reached.is_empty() {
            tracing::warn!(sales = ?found.not_reached, "time was too short for these sales; the next run begins with another");
        }
        if found.failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("something failed in {:?}", found.failed))) }
    }
}

impl Reconcile {
    /// As [`Self::handle`], with what was found.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn run(&self, until: Timestamp) -> Result<Findings, Failure> {
        let mut sales = Vec::new();
        let mut after = None;
        loop {
            let page = self.sales.page(after.as_ref()).await?;
            sales.extend(page.sales);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        // Each minute another one comes first, so that no sale waits for ever when time is short.
        let minute = usize::try_from(self.clock.now().as_second() / 60).unwrap_or(0);
        if let Some(first) = minute.checked_rem(sales.len()) {
            sales.rotate_left(first);
        }
        let mut found = Findings::default();
        for (product, sale) in sales {
            match sale {
                Ok(sale) => self.look_at(Look { sale, until, failures: 0, out_of_time: false }, &mut found).await,
                Err(error) => {
                    tracing::error!(sale = %product, cause = kit::chain(&error), "a sale cannot be read");
                    found.failed.push(product);
                }
            }
        }
        Ok(found)
    }

    /// Looks at one sale, money first. Payments have half of the time and failures of their own: what ails Step Functions must
    /// not keep the stock from being looked at.
    async fn look_at(&self, mut look: Look, found: &mut Findings) {
        let (now, until) = (self.clock.now(), look.until);
        if now < look.sale.draft.starts_at {
            return;
        }
        look.until = now.checked_add(until.duration_since(now) / 2).unwrap_or(until);
        let has_unsettled = self.settle_payments(&mut look, found).await;
        let payments = (std::mem::take(&mut look.failures), std::mem::take(&mut look.out_of_time));
        look.until = until;
        let settled_at = look.sale.draft.ends_at.checked_add(SALE_SETTLES_AFTER).unwrap_or(Timestamp::MAX);
        if look.sale.status != SaleStatus::Preparing && (has_unsettled || now < settled_at) {
            self.check_stock(&mut look, found).await;
        }
        look.failures += payments.0;
        look.out_of_time |= payments.1;
        if look.failures > 0 {
            found.failed.push(look.sale.product.clone());
        }
        if look.out_of_time {
            found.not_reached.push(look.sale.product);
        }
    }

    /// Does `each` of many things, some at a time, until time is short or too much fails. What went wrong is counted.
    async fn each<T, O, R>(&self, look: &mut Look, things: Vec<T>, each: impl Fn(T) -> R) -> Vec<O>
    where
        R: Future<Output = Result<O, Failure>>,
    {
        let mut things = things.into_iter().peekable();
        let mut outcomes = Vec::new();
        while things.peek().is_some() && self.goes_on(look) {
            for outcome in join_all(things.by_ref().take(AT_ONCE).map(&each)).await {
                outcomes.extend(look.note(outcome));
            }
        }
        outcomes
    }

    /// Whether there is time for more of this sale, and a point in it.
    fn goes_on(&self, look: &mut Look) -> bool {
        look.out_of_time = look.out_of_time || look.until <= self.clock.now();
        !look.out_of_time && look.failures < MOST_FAILURES
    }
}

/// A look at one sale.
struct Look {
    sale: Sale,
    /// When the run should stop.
    until: Timestamp,
    /// What went wrong so far.
    failures: usize,
    out_of_time: bool,
}

impl Look {
    /// What came of something, if it did not fail. A failure is written down here, and ends nothing but itself.
    fn note<T>(&mut self, outcome: Result<T, impl Into<Failure>>) -> Option<T> {
        outcome
            .map_err(|failure| {
                let failure: Failure = failure.into();
                tracing::error!(sale = %self.sale.product, %failure, "something could not be looked at or not be finished");
                self.failures += 1;
            })
            .ok()
    }
}
