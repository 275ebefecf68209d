//! An operator's report of a sale: figures added up from its shards and from the orders of the purchases in them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{Order, OrderStatus, PaymentStatus, Quantity, StockShard, StockStatus};

/// Where the units of a purchase are in their shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the shard's held units.
    Held,
    /// In the shard's sold units.
    Sold,
}

/// A number of orders and their total amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Number of orders.
    pub orders: u32,
    /// Their total amount, in the minor units of the sale's currency.
    pub amount_minor: i64,
}

/// The figures of a sale. The stock figures add up whenever they are read, because each shard adds up by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SaleReport {
    /// Shards that were read.
    pub shards: u32,
    /// Shards whose units do not add up to their capacity.
    pub unbalanced_shards: u32,
    /// Units that can be claimed.
    pub available: u32,
    /// Units held.
    pub held: u32,
    /// Units sold.
    pub sold: u32,
    /// Units held although the end of the hold has passed: being paid, or about to be released.
    pub overdue: u32,
    /// The earliest end of a hold that has not passed.
    pub next_hold_ends_at: Option<Timestamp>,
    /// Purchases whose order was looked up.
    pub purchases: u32,
    /// Holds without an order.
    pub without_order: u32,
    /// Number of orders by order status.
    pub orders: BTreeMap<OrderStatus, u32>,
    /// Orders and amounts by payment status.
    pub payments: BTreeMap<PaymentStatus, Tally>,
    /// Sold units without an order that is completed, waits for the confirmation of its refund, or keeps its units after one.
    pub sold_unpaid: u32,
    /// Units of completed orders that are held instead of sold.
    pub paid_unsold: u32,
}

impl SaleReport {
    /// Adds a shard as it was read at `now`.
    pub fn count_shard(&mut self, shard: &StockShard, now: Timestamp) {
        self.shards += 1;
        self.unbalanced_shards += u32::from(!shard.is_balanced());
        self.available += shard.available();
        self.held += shard.held_units();
        self.sold += shard.sold_units();
        for hold in shard.held().values() {
            if hold.expires_at <= now {
                self.overdue += hold.quantity.units();
            } else {
                let earliest = self.next_hold_ends_at.map_or(hold.expires_at, |known| known.min(hold.expires_at));
                self.next_hold_ends_at = Some(earliest);
            }
        }
    }

    /// Adds a purchase of `quantity` units with the status of its order at `now`.
    pub fn count_purchase(&mut self, place: Place, quantity: Quantity, order: Option<&Order>, now: Timestamp) {
        self.purchases += 1;
        let Some(order) = order else {
            match place {
                Place::Held => self.without_order += 1,
                Place::Sold => self.sold_unpaid += quantity.units(),
            }
            return;
        };
        let (status, payment, stock) = order.statuses(now);
        *self.orders.entry(status).or_default() += 1;
        let tally = self.payments.entry(payment).or_default();
        tally.orders += 1;
        tally.amount_minor += order.amount.amount_minor();
        let is_paid = match payment {
            PaymentStatus::Completed | PaymentStatus::RefundPending => true,
            // An operator refunded the price, and the shopper keeps the units.
            PaymentStatus::Refunded => stock == StockStatus::Confirmed,
            PaymentStatus::None | PaymentStatus::Pending | PaymentStatus::Failed => false,
        };
        match place {
            Place::Sold if !is_paid => self.sold_unpaid += quantity.units(),
            Place::Held if status == OrderStatus::Completed => self.paid_unsold += quantity.units(),
            Place::Held | Place::Sold => {}
        }
    }

    /// The units in the shards minus `units`: above zero the sale is oversold, below zero it has lost units.
    #[must_use]
    pub fn difference(&self, units: u32) -> i64 {
        [self.available, self.held, self.sold].map(i64::from).iter().sum::<i64>() - i64::from(units)
    }

    /// Adds the figures of other shards.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.shards += other.shards;
        self.unbalanced_shards += other.unbalanced_shards;
        self.available += other.available;
        self.held += other.held;
        self.sold += other.sold;
        self.overdue += other.overdue;
        self.next_hold_ends_at = match (self.next_hold_ends_at, other.next_hold_ends_at) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.purchases += other.purchases;
        self.without_order += other.without_order;
        for (status, orders) in other.orders {
            *self.orders.entry(status).or_default() += orders;
        }
        for (status, tally) in other.payments {
            let sum = self.payments.entry(status).or_default();
            sum.orders += tally.orders;
            sum.amount_minor += tally.amount_minor;
        }
        self.sold_unpaid += other.sold_unpaid;
        self.paid_unsold += other.paid_unsold;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hold, Money, OrderEvent, OrderStep, Sold};

    const NOW: &str = "2026-11-20T12:04:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn shard() -> StockShard {
        let id = |n: u32| format!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2C0{n}").parse().unwrap();
        let hold = |n, end: &str| Hold { reservation: id(n), quantity: Quantity::new(2).unwrap(), expires_at: at(end) };
        let held = [
            ("ann".parse().unwrap(), hold(1, "2026-11-20T12:03:59Z")),
            ("bob".parse().unwrap(), hold(2, "2026-11-20T12:04:01Z")),
            ("cid".parse().unwrap(), hold(3, "2026-11-20T12:04:05Z")),
        ];
        let sold = [("dan".parse().unwrap(), Sold { reservation: id(4), quantity: Quantity::ONE })];
        StockShard::from_parts(25, 18, held.into(), sold.into())
    }

    fn order(step: OrderStep) -> Order {
        let (status, payment_status, stock_status) = step.leads_to();
        Order {
            id: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse().unwrap(),
            shopper: "ann".parse().unwrap(),
            quantity: Quantity::ONE,
            amount: Money::new(500, "USD".parse().unwrap()).unwrap(),
            status,
            payment_status,
            stock_status,
            attempt: 1,
            payment_method: None,
            accounts: Vec::new(),
            shipping_address: None,
            pay_by: at("2026-11-20T12:05:00Z"),
            transaction_id: None,
            created_at: at(NOW),
            updated_at: at(NOW),
            sent_at: None,
            untold: None,
            history: vec![OrderEvent { at: at(NOW), event: step.into(), reason: None }],
            refunds: crate::Refunds::default(),
            revision: Order::FIRST_REVISION,
        }
    }

    #[test]
    fn shards_add_up() {
        let mut report = SaleReport::default();
        report.count_shard(&shard(), at(NOW));
        let twice = report.clone().and(report);
        assert_eq!((twice.shards, twice.available, twice.held, twice.sold), (2, 36, 12, 2));
        assert_eq!((twice.overdue, twice.next_hold_ends_at), (4, Some(at("2026-11-20T12:04:01Z"))));
        assert_eq!((twice.unbalanced_shards, twice.difference(50)), (0, 0));
        assert_eq!((twice.difference(49), twice.difference(51)), (1, -1));
    }

    #[test]
    fn a_shard_that_does_not_add_up_is_counted() {
        let mut report = SaleReport::default();
        report.count_shard(&StockShard::from_parts(25, 26, [].into(), [].into()), at(NOW));
        assert_eq!((report.unbalanced_shards, report.difference(25)), (1, 1));
    }

    #[test]
    fn units_and_money_that_do_not_go_together_are_counted() {
        for (place, step, sold_unpaid, paid_unsold) in [
            (Place::Held, None, 0, 0),
            (Place::Sold, None, 1, 0),
            (Place::Held, Some(OrderStep::PaymentStarted), 0, 0),
            (Place::Sold, Some(OrderStep::PaymentStarted), 1, 0),
            (Place::Held, Some(OrderStep::Completed), 0, 1),
            (Place::Sold, Some(OrderStep::Completed), 0, 0),
            (Place::Sold, Some(OrderStep::RefundFailed), 0, 0),
            (Place::Sold, Some(OrderStep::Refunded), 1, 0),
        ] {
            let (mut report, order) = (SaleReport::default(), step.map(order));
            report.count_purchase(place, Quantity::ONE, order.as_ref(), at(NOW));
            assert_eq!((report.sold_unpaid, report.paid_unsold), (sold_unpaid, paid_unsold), "{place:?} {step:?}");
            assert_eq!(report.purchases, 1);
        }
    }

    #[test]
    fn orders_are_counted_as_their_shoppers_see_them() {
        let mut report = SaleReport::default();
        for now in [NOW, "2026-11-20T12:05:00Z"] {
            report.count_purchase(Place::Held, Quantity::ONE, Some(&order(OrderStep::Placed)), at(now));
        }
        assert_eq!(report.orders, [(OrderStatus::AwaitingPayment, 1), (OrderStatus::Expired, 1)].into());
        assert_eq!(report.payments, [(PaymentStatus::None, Tally { orders: 2, amount_minor: 1_000 })].into());
    }
}
