//! Operators' refunds in their order's item. The order is the one place that says how much may still go back, so every
//! change is conditional on the revision of the refunds that it was decided on.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::{Notice, Order, OrderId, OrderStep, Refund, RefundStatus, Refunds, Timestamp};

use super::{Orders, UNSETTLED_PAGE, UnsettledOrder, UnsettledPage, change::OrderChange, form};
use crate::{
    StoreError,
    error::{Written, conditional},
    item::Item,
    keys::{number, string},
    word::word,
};

impl Orders {
    /// Records a refund before its gateway is asked, and so reserves its amount. One write. Returns the order after it; `None`:
    /// the order has changed since it was read, or its shopper has still to be told that it is completed.
    ///
    /// Guards: the order is completed, and its refunds are as they were read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn begin_refund(&self, order: &Order, refund: &Refund, now: Timestamp) -> Result<Option<Order>, StoreError> {
        let mut after = order.refunds.clone();
        after.all.push(refund.clone());
        let change = OrderChange::new(OrderStep::RefundRequested, &order.id, Some(order.attempt), now, None, None)?
            .assign("refunds", "list_append(if_not_exists(refunds, :no_refunds), :refund)", ":refund", form::refund_line(refund)?)
            .with(":no_refunds", AttributeValue::L(Vec::new()))
            .with(":due", string(form::REFUND_DUE))
            .unsettled(form::REFUND_DUE, after.asked_again_at(now))
            .with(":of_refunds", word(Notice::OrderRefunded))
            // `told` takes an order out of the index, and `told_of_refunds` knows its pending refunds.
            .only_if(
                "(attribute_not_exists(untold) OR untold = :of_refunds) \
                 AND (attribute_not_exists(unsettled) OR unsettled = :due)",
            );
        self.change_refunds(order, of_revision(change, order)).await
    }

    /// Records how a pending refund ended: by [`OrderStep::PartRefunded`], [`OrderStep::PriceRefunded`], or
    /// [`OrderStep::RefundRefused`] with the gateway's reason. One write. Returns the order after it; `None`: the refunds have
    /// changed since they were read.
    ///
    /// Guards: the order is completed, and its refunds are as they were read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn end_refund(
        &self,
        order: &Order,
        place: usize,
        step: OrderStep,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Order>, StoreError> {
        self.change_refunds(order, ended(order, place, step, reason, now)?).await
    }

    async fn change_refunds(&self, order: &Order, change: OrderChange) -> Result<Option<Order>, StoreError> {
        let answer = self.change(&order.id, change).return_values(ReturnValue::AllNew).send().await;
        let after: Option<Item> = answer.as_ref().ok().and_then(|answer| answer.attributes.clone());
        match conditional("UpdateItem", answer)? {
            Written::Done => after.as_ref().map(form::from_item).transpose(),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Records when the gateway of the order's pending refunds is asked again, and the shopper told again who has to be. One write.
    /// False: the refunds have changed since they were read.
    ///
    /// Guards: something is left to do for the order's refunds, and they are as they were read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn postpone_refunds(&self, order: &Order, now: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .update(&order.id, "SET unsettled_since = :next")
            .condition_expression("unsettled = :due AND refunds_revision = :read")
            .expression_attribute_values(":next", number(order.refunds.asked_again_at(now).as_second()))
            .expression_attribute_values(":due", string(form::REFUND_DUE))
            .expression_attribute_values(":read", number(order.refunds.revision));
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }

    /// Records that the shopper was told of the refunds as they are in `read`. One write. Takes the order out of the index of
    /// unsettled orders, unless a refund is pending. False: this was recorded before, or the refunds have changed since they were
    /// read, and the shopper is told again.
    ///
    /// Guards: the notice is owed, and the refunds are as they were read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn told_of_refunds(&self, id: &OrderId, read: &Refunds) -> Result<bool, StoreError> {
        let is_pending = read.pending().next().is_some();
        let remove = if is_pending { "untold" } else { "untold, unsettled, unsettled_since" };
        let update = self
            .update(id, &format!("SET refunds_revision = :next REMOVE {remove}"))
            .condition_expression("untold = :notice AND refunds_revision = :read")
            .expression_attribute_values(":next", number(read.revision.saturating_add(1)))
            .expression_attribute_values(":notice", word(Notice::OrderRefunded))
            .expression_attribute_values(":read", number(read.revision));
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }

    /// At most a hundred orders of all sales with operators' refunds that something is left to do for: a refund is pending, or the
    /// shopper has still to be told of one. Those for which it is to be done first come first; eventually consistent. With `after`:
    /// the page that follows this order.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn refunds_due(&self, after: Option<&UnsettledOrder>) -> Result<UnsettledPage, StoreError> {
        self.refunds_due_within(after, UNSETTLED_PAGE).await
    }

    /// As [`Self::refunds_due`], with at most `most` orders, of which there is one at least.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn refunds_due_within(&self, after: Option<&UnsettledOrder>, most: i32) -> Result<UnsettledPage, StoreError> {
        self.unsettled_page(form::REFUND_DUE, "unsettled_since <= :time", Timestamp::MAX, after, most).await
    }
}

/// The change of an order when its pending refund at `place` has ended.
pub(crate) fn ended(
    order: &Order,
    place: usize,
    step: OrderStep,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<OrderChange, StoreError> {
    let status = if step == OrderStep::RefundRefused { RefundStatus::Failed } else { RefundStatus::Refunded };
    // The gateway's reason is for operators, and the history for shoppers, too.
    let mut change = OrderChange::new(step, &order.id, Some(order.attempt), now, None, step.notice())?.assign(
        &format!("refunds[{place}].#status"),
        ":ended",
        ":ended",
        word(status),
    );
    if let Some(reason) = reason {
        change = change.assign(&format!("refunds[{place}].reason"), ":reason", ":reason", string(reason));
    }
    // The order stays in the index until each refund has ended and the shopper was told of those that are confirmed.
    if step.notice().is_some() {
        change = change.unsettled(form::REFUND_DUE, now.checked_add(Refunds::SHORTEST_PAUSE).unwrap_or(Timestamp::MAX));
    } else if order.untold.is_none() && order.refunds.pending().all(|pending| pending == place) {
        change = change.settled();
    }
    Ok(of_revision(change, order))
}

/// Applies only to the refunds as they are in `order`.
fn of_revision(change: OrderChange, order: &Order) -> OrderChange {
    let read = order.refunds.revision;
    let change = change.set("refunds_revision", number(read.saturating_add(1)));
    if read == 0 {
        change.only_if("attribute_not_exists(refunds_revision)")
    } else {
        change.only_if("refunds_revision = :revision").with(":revision", number(read))
    }
}
