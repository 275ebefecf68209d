//! The report of a sale as an operator sees it.

use std::collections::BTreeMap;

use domain::{Currency, OrderStatus, PaymentStatus, SaleReport, SaleState, Tally, Timestamp};
use serde::Serialize;
use store::StoredSale;
use utoipa::ToSchema;

use crate::{schemas, sent_time, time};

/// The report of a sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SaleReport)]
pub struct ReportView {
    #[schema(value_type = schemas::ProductId)]
    product_id: String,
    #[schema(value_type = schemas::SaleState)]
    state: SaleState,
    /// Before this time, shoppers do not learn of the sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    visible_from: Option<String>,
    #[schema(value_type = schemas::Time)]
    as_of: String,
    #[schema(value_type = schemas::SaleUnits)]
    units: u32,
    available: u32,
    held: u32,
    sold: u32,
    differences: Differences,
    shards: Shards,
    holds: Holds,
    orders: Orders,
    /// By payment status.
    #[schema(value_type = BTreeMap<schemas::PaymentStatus, Payments>)]
    payments: BTreeMap<PaymentStatus, Payments>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = UnfinishedRestock)]
    unfinished_restock: Option<UnfinishedRestock>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportedDifferences)]
struct Differences {
    /// Units of all shards minus the units of the sale.
    units: i64,
    sold_unpaid: u32,
    paid_unsold: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportedShards)]
struct Shards {
    count: u32,
    missing: u32,
    unbalanced: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportedHolds)]
struct Holds {
    /// Units held.
    count: u32,
    /// Units whose hold should have ended.
    overdue: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Time)]
    next_ends_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportedOrders)]
struct Orders {
    /// The function read the order of every held and sold unit, or found that there is none.
    complete: bool,
    counted: u32,
    holds_without_order: u32,
    #[schema(value_type = BTreeMap<schemas::OrderStatus, u32>)]
    by_status: BTreeMap<OrderStatus, u32>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportedPayments)]
struct Payments {
    orders: u32,
    amount: Amount,
}

/// The sum of many orders, which may be more than one order can cost.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportedAmount)]
struct Amount {
    amount_minor: i64,
    #[schema(value_type = schemas::Currency)]
    currency: Currency,
}

/// An interrupted restock. The same request finishes it.
#[derive(Debug, Serialize, ToSchema)]
struct UnfinishedRestock {
    #[schema(value_type = schemas::IdempotencyKey)]
    idempotency_key: String,
    #[schema(value_type = schemas::SaleUnits)]
    units: u32,
}

impl ReportView {
    /// The figures of a sale, read until `now`. `is_complete`: the function read the orders of all held and sold units.
    #[must_use]
    pub fn new(stored: &StoredSale, figures: &SaleReport, is_complete: bool, now: Timestamp) -> Self {
        let sale = &stored.sale;
        let currency = sale.draft.price.currency();
        let payments =
            |tally: &Tally| Payments { orders: tally.orders, amount: Amount { amount_minor: tally.amount_minor, currency } };
        let (units, shards) = (sale.layout.units(), sale.layout.shards());
        Self {
            product_id: sale.product.to_string(),
            state: sale.state(now, figures.available),
            visible_from: sale.draft.visible_from.map(sent_time),
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
                complete: is_complete,
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
