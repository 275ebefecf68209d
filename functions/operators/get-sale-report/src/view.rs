//! The report as an operator sees it.

use std::collections::BTreeMap;

use contract::time;
use domain::{Currency, OrderStatus, PaymentStatus, SaleState, Tally, Timestamp};
use serde::Serialize;
use store::Stored;

use crate::Reported;

/// The report of a sale.
#[derive(Serialize)]
pub(crate) struct ReportView {
    product_id: String,
    state: SaleState,
    as_of: String,
    units: u32,
    available: u32,
    held: u32,
    sold: u32,
    differences: Differences,
    shards: Shards,
    holds: Holds,
    orders: Orders,
    payments: BTreeMap<PaymentStatus, Payments>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished_restock: Option<UnfinishedRestock>,
}

#[derive(Serialize)]
struct Differences {
    /// Units of the shards above those of the sale.
    units: i64,
    sold_unpaid: u32,
    paid_unsold: u32,
}

#[derive(Serialize)]
struct Shards {
    count: u32,
    missing: u32,
    unbalanced: u32,
}

#[derive(Serialize)]
struct Holds {
    count: u32,
    overdue: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_ends_at: Option<String>,
}

#[derive(Serialize)]
struct Orders {
    complete: bool,
    counted: u32,
    holds_without_order: u32,
    by_status: BTreeMap<OrderStatus, u32>,
}

#[derive(Serialize)]
struct Payments {
    orders: u32,
    amount: Amount,
}

/// Money of many orders: more than one order can come to.
#[derive(Serialize)]
struct Amount {
    amount_minor: i64,
    currency: Currency,
}

#[derive(Serialize)]
struct UnfinishedRestock {
    idempotency_key: String,
    units: u32,
}

impl ReportView {
    /// The figures of a sale as they were read until `now`.
    pub(crate) fn new(stored: &Stored, reported: &Reported, now: Timestamp) -> Self {
        let (sale, figures) = (&stored.sale, &reported.figures);
        let currency = sale.draft.price.currency();
        let payments =
            |tally: &Tally| Payments { orders: tally.orders, amount: Amount { amount_minor: tally.amount_minor, currency } };
        let (units, shards) = (sale.layout.units(), sale.layout.shards());
        Self {
            product_id: sale.product.to_string(),
            state: sale.state(now, figures.available),
            as_of: time(now),
            units,
            available: figures.available,
            held: figures.held,
            sold: figures.sold,
            differences: Differences {
                units: figures.difference(units),
                sold_unpaid: figures.sold_unpaid,
                paid_unsold: figures.paid_unsold,
            },
            shards: Shards {
                count: shards,
                missing: shards.saturating_sub(figures.shards),
                unbalanced: figures.unbalanced_shards,
            },
            holds: Holds { count: figures.held, overdue: figures.overdue, next_ends_at: figures.next_hold_ends_at.map(time) },
            orders: Orders {
                complete: reported.has_all_orders,
                counted: figures.orders.values().sum(),
                holds_without_order: figures.without_order,
                by_status: figures.orders.clone(),
            },
            payments: figures.payments.iter().map(|(status, tally)| (*status, payments(tally))).collect(),
            unfinished_restock: stored
                .unfinished
                .as_ref()
                .map(|restock| UnfinishedRestock { idempotency_key: restock.key.to_string(), units: restock.extent.units }),
        }
    }
}
