//! The steps of an order as updates.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Notice, OrderEvent, OrderId, OrderStep, Timestamp};

use super::form;
use crate::{
    StoreError, item,
    keys::{number, string},
    word::word,
};

/// One step of an order as an update: its expression, its condition and their values.
pub(crate) struct OrderChange {
    set: String,
    remove: &'static str,
    pub(crate) condition: String,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: HashMap<String, AttributeValue>,
}

impl OrderChange {
    /// The update of the order `of` for `step`, after which its shopper has to be told `notice`. With `attempt`, it applies only
    /// while this attempt is the order's current one.
    pub(crate) fn new(
        step: OrderStep,
        of: &OrderId,
        attempt: Option<u32>,
        now: Timestamp,
        reason: Option<&str>,
        notice: Option<Notice>,
    ) -> Result<Self, StoreError> {
        let (status, payment, stock) = step.leads_to();
        let event = OrderEvent { at: now, event: step.into(), reason: reason.map(str::to_owned) };
        let names = HashMap::from([("#status".to_owned(), "status".to_owned())]);
        let values = HashMap::from([
            (":from".to_owned(), word(step.starts_from())),
            (":status".to_owned(), word(status)),
            (":stock".to_owned(), word(stock)),
            (":now".to_owned(), item::value(&now)?),
            (":event".to_owned(), form::history_line(&event)?),
            (form::ONE.to_owned(), number(1)),
        ]);
        let set = "SET #status = :status, inventory_status = :stock, updated_at = :now, \
                   history = list_append(history, :event)";
        let mut change = Self { set: set.to_owned(), remove: "", condition: "#status = :from".to_owned(), names, values };
        // An order whose payment has ended, or whose refund is confirmed, stays in the index until its shopper is told.
        match step {
            OrderStep::PaymentStarted | OrderStep::PaidLate => {
                change.remove = " REMOVE untold";
                change = change.unsettled(of.product().as_str(), now);
            }
            OrderStep::RefundFailed => change = change.unsettled(form::REFUND_PENDING, now),
            OrderStep::PaymentFailed
            | OrderStep::Completed
            | OrderStep::Refunded
            | OrderStep::Failed
            | OrderStep::RefundConfirmed
            | OrderStep::Placed
            | OrderStep::Expired
            | OrderStep::RefundRequested
            | OrderStep::PartRefunded
            | OrderStep::RefundRefused
            | OrderStep::PriceRefunded
            | OrderStep::PurchaseReturned => {}
        }
        if let Some(notice) = notice {
            change = change.set("untold", word(notice));
        }
        if step.is_about_payment() {
            change = change.set("payment_status", word(payment));
        }
        if let Some(attempt) = attempt {
            change.condition.push_str(" AND attempt = :attempt");
            change.values.insert(":attempt".to_owned(), number(attempt));
        }
        Ok(change)
    }

    /// Also puts the order into this partition of the index of unsettled orders.
    pub(super) fn unsettled(self, partition: &str, since: Timestamp) -> Self {
        self.set("unsettled", string(partition)).set("unsettled_since", number(since.as_second()))
    }

    /// Also takes the order out of the index of unsettled orders.
    pub(super) fn settled(mut self) -> Self {
        self.remove = " REMOVE unsettled, unsettled_since";
        self
    }

    /// Also assigns `expression`, in which `placeholder` stands for `value`, to the attribute at `path`.
    pub(super) fn assign(mut self, path: &str, expression: &str, placeholder: &str, value: AttributeValue) -> Self {
        self.set = format!("{}, {path} = {expression}", self.set);
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Gives a placeholder of another expression its value.
    pub(super) fn with(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Applies only if `condition` is true, too.
    pub(super) fn only_if(mut self, condition: &str) -> Self {
        self.condition = format!("{} AND {condition}", self.condition);
        self
    }

    /// Also sets `attribute`.
    pub(crate) fn set(mut self, attribute: &str, value: AttributeValue) -> Self {
        self.set = format!("{}, {attribute} = :{attribute}_new", self.set);
        self.values.insert(format!(":{attribute}_new"), value);
        self
    }

    /// The `SET` and `REMOVE` clauses, with the new revision.
    pub(crate) fn update(&self) -> String {
        format!("{}{}{}", self.set, self.remove, form::REVISE)
    }
}
