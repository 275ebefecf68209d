//! Runs every minute: finds and finishes interrupted operations, in every sale of the live catalogue. A sale that is over
//! and settled leaves that catalogue.
//!
//! It decides by what it reads and acts only through conditional writes. So a run may be late, be cut off, or overlap
//! with another run or any other function. In a sale without faults it reads the shards and one index, and writes
//! nothing.

mod executions;
mod holds;
mod payments;
mod refunds;
mod settled;
mod stock;

use std::{future::Future, sync::Arc};

use domain::{Clock, ProductId, Sale, Timestamp};
use feed_edge::EdgeFeed;
use futures_util::future::join_all;
use kit::{Failure, ScheduledFunction, metrics};
use notify_shopper::NotifyShopper;
use parts::{FromParts, Parts};
use refund_order::OrderRefunds;
use release_stock::ReleaseStock;
use store::{Attempts, Availabilities, Catalogue, Orders, Reservations, Rounds, Sales, Stock, StoreError};

pub use executions::Executions;

/// Checks that run at the same time; they mostly wait.
const AT_ONCE: usize = 16;
/// After this many failures in one sale's payments, or in its stock, the remaining checks wait for the next run,
/// because the cause probably affects all of them.
const MOST_FAILURES: usize = 5;

/// The Lambda handler and its dependencies.
pub struct Reconcile {
    /// Public, so that tests can speed it up.
    pub clock: Arc<dyn Clock>,
    sales: Sales,
    rounds: Rounds,
    stock: Stock,
    availabilities: Availabilities,
    reservations: Reservations,
    orders: Orders,
    attempts: Attempts,
    order_refunds: OrderRefunds,
    releases: ReleaseStock,
    executions: Executions,
    notices: NotifyShopper,
    edge: EdgeFeed,
}

/// The findings of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Units in shards beyond the units of their sales.
    pub oversold_units: u64,
    /// Units of sales that are in no shard.
    pub undersold_units: u64,
    /// Orders whose payment is still in progress although it was restarted as often as allowed: an operator must look
    /// at them.
    pub orders_stuck: usize,
    /// Holds that should have ended before; this run ended them.
    pub holds_overdue: usize,
    /// Payments that this run started, for the first time or again.
    pub payments_started: usize,
    /// Shoppers whom this run told how their payment ended, or of an operator's refund.
    pub shoppers_told: usize,
    /// Availability items that differed from the shards; this run wrote them again.
    pub availabilities_mended: usize,
    /// Operators' refunds that this run finished.
    pub refunds_finished: usize,
    /// Orders with refunds that an operator requested and no gateway had confirmed when this run began, at most a hundred.
    pub operator_refunds_pending: usize,
    /// Orders of all sales whose refund is not confirmed: an operator must look at them.
    pub refunds_pending: usize,
    /// These orders could not be counted.
    pub refunds_unknown: bool,
    /// Sales with a check that failed or an operation that could not be finished.
    pub failed: Vec<ProductId>,
    /// Sales for which the time was too short, wholly or in part.
    pub not_reached: Vec<ProductId>,
}

impl Findings {
    /// The metrics of the run.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        // Zero must not be reported while a sale could not be checked.
        let has_seen_all = self.failed.is_empty() && self.not_reached.is_empty();
        let mut metrics = vec![("OversoldUnits", self.oversold_units as f64), ("UndersoldUnits", self.undersold_units as f64)];
        metrics.retain(|(_, units)| has_seen_all || *units > 0.0);
        metrics.extend([
            ("OrdersStuck", self.orders_stuck as f64),
            ("HoldsOverdue", self.holds_overdue as f64),
            ("SalesNotReached", self.not_reached.len() as f64),
        ]);
        if !self.refunds_unknown {
            metrics.push(("RefundsPending", self.refunds_pending as f64));
            metrics.push(("OperatorRefundsPending", self.operator_refunds_pending as f64));
        }
        metrics
    }
}

impl FromParts for Reconcile {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            sales: parts.sales(),
            rounds: parts.rounds(),
            stock: parts.stock(),
            availabilities: parts.availabilities(),
            reservations: parts.reservations(),
            orders: parts.orders(),
            attempts: parts.attempts(),
            order_refunds: OrderRefunds::from_parts(parts),
            releases: ReleaseStock::from_parts(parts),
            executions: Executions::from_parts(parts),
            notices: NotifyShopper::from_parts(parts),
            edge: EdgeFeed::from_parts(parts),
        }
    }
}

impl ScheduledFunction for Reconcile {
    /// Runs once, and should stop at `until`.
    ///
    /// # Errors
    /// When a check failed or an operation could not be finished. The run has done everything else.
    async fn handle(&self, until: Timestamp) -> Result<(), Failure> {
        let found = self.run(until).await?;
        for (name, value) in found.metrics() {
            metrics::record(name, value, "Count");
        }
        if !found.not_reached.is_empty() {
            tracing::warn!(sales = ?found.not_reached, "time was too short for these sales; the next run begins with them");
        }
        if found.refunds_unknown {
            Err(Failure::new("the orders whose refund is pending could not be counted"))
        } else if found.failed.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!("checks failed in these sales: {:?}", found.failed)))
        }
    }
}

impl Reconcile {
    /// As [`Self::handle`], and returns the findings.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn run(&self, until: Timestamp) -> Result<Findings, Failure> {
        let sales = self.live_sales().await?;
        let products: Vec<ProductId> = sales.iter().map(|(product, _)| product.clone()).collect();
        let mut found = Findings::default();
        self.look_at_refunds(&mut found).await;
        self.finish_refunds(&mut found, until).await;
        for (product, sale) in sales {
            match sale {
                Ok(sale) => self.look_at(Look { sale, until, failures: 0, out_of_time: false }, &mut found).await,
                Err(error) => {
                    tracing::error!(sale = %product, cause = kit::chain(&error), "a sale cannot be read");
                    found.failed.push(product);
                }
            }
        }
        self.begin_next_at_what_is_left(&products, &found).await;
        self.renew_at_the_edge(&products, until).await;
        Ok(found)
    }

    /// All sales of the live catalogue, beginning where the last run stopped.
    async fn live_sales(&self) -> Result<Vec<(ProductId, Result<Sale, StoreError>)>, Failure> {
        let start = self.rounds.start().await?;
        let mut sales = Vec::new();
        let mut after = None;
        loop {
            let page = self.sales.page(Catalogue::Live, after.as_ref()).await?;
            sales.extend(page.sales);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let first = start.map_or(0, |start| sales.partition_point(|(product, _)| *product < start));
        sales.rotate_left(first);
        Ok(sales)
    }

    /// Tells the gate at the edge which sales are still sold out, before what it was told ends by itself, and what a run of
    /// `feed-edge` could not tell it. It comes last and stops at the first failure: an edge that is slow delays nothing else.
    async fn renew_at_the_edge(&self, products: &[ProductId], until: Timestamp) {
        for product in products {
            if until <= self.clock.now() {
                return;
            }
            if let Err(failure) = self.edge.feed(product).await {
                tracing::error!(sale = %product, %failure, "the gate at the edge could not be told of a sale");
                return;
            }
        }
    }

    /// Notes the first of `products`, in the order of this run, for which the time was too short. If that is the one with
    /// which this run began, the next run begins after it, so that a sale that takes longer than a run delays no other.
    async fn begin_next_at_what_is_left(&self, products: &[ProductId], found: &Findings) {
        let Some(left) = found.not_reached.first() else { return };
        let next = if products.first() == Some(left) { products.get(1) } else { Some(left) };
        let Some(next) = next else { return };
        if let Err(error) = self.rounds.begin_next_at(next).await {
            // The metric of what was not reached calls a person if this goes on.
            tracing::error!(cause = kit::chain(&error), "the next run does not know where to begin");
        }
    }

    /// Checks one sale, payments first. Payments get half of the time and their own failure count, so that trouble with
    /// Step Functions does not prevent the check of the stock.
    async fn look_at(&self, mut look: Look, found: &mut Findings) {
        let (now, until) = (self.clock.now(), look.until);
        // Nothing can have begun in it. A sale that was closed before its start is settled like any other.
        if now < look.sale.draft.starts_at.min(look.sale.over_at()) {
            return;
        }
        look.until = now.checked_add(until.duration_since(now) / 2).unwrap_or(until);
        let has_unsettled = self.settle_payments(&mut look, found).await;
        let payments = (std::mem::take(&mut look.failures), std::mem::take(&mut look.out_of_time));
        look.until = until;
        let is_quiet = if look.sale.is_prepared() { self.check_stock(&mut look, found).await } else { look.sale.is_unfinished };
        look.failures += payments.0;
        look.out_of_time |= payments.1;
        if is_quiet && !has_unsettled && look.failures == 0 {
            self.retire(&mut look).await;
        }
        if look.failures > 0 {
            found.failed.push(look.sale.product.clone());
        }
        if look.out_of_time {
            found.not_reached.push(look.sale.product);
        }
    }

    /// Calls `each` for every item of `things`, several at a time, until time is short or too many calls fail. Counts
    /// failures.
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

    /// Whether time is left for this sale, and it has not failed too often.
    fn goes_on(&self, look: &mut Look) -> bool {
        look.out_of_time = look.out_of_time || look.until <= self.clock.now();
        !look.out_of_time && look.failures < MOST_FAILURES
    }
}

/// The check of one sale, with its progress.
struct Look {
    sale: Sale,
    /// When the run should stop.
    until: Timestamp,
    /// Failures so far.
    failures: usize,
    out_of_time: bool,
}

impl Look {
    /// The value of an outcome, if it did not fail. A failure is logged and counted, and the check continues.
    fn note<T>(&mut self, outcome: Result<T, impl Into<Failure>>) -> Option<T> {
        outcome
            .map_err(|failure| {
                let failure: Failure = failure.into();
                tracing::error!(sale = %self.sale.product, %failure, "a check failed or was not finished");
                self.failures += 1;
            })
            .ok()
    }
}
