//! The steps that change a reservation and its order together, each one transaction. No reader sees one of the two
//! changes without the other, and no order is completed without its charge. Stock shards never take part in a
//! transaction.

mod late;
pub(crate) mod transaction;

use aws_sdk_dynamodb::{
    Client,
    types::{Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update, builders::UpdateBuilder},
};
use domain::{
    Address, AttemptStatus, IdempotencyKey, Notice, Order, OrderId, OrderStep, PaymentMethod, ReservationStatus, ShopperId,
    Timestamp,
};

use transaction::{Cancelled, Condition, unbuildable};

use crate::{
    StoreError, item,
    keys::{self, number, string},
    orders::{self, change::OrderChange},
    word::word,
};

/// Reservations and orders, changed together.
#[derive(Debug, Clone)]
pub struct Purchases {
    client: Client,
    reservation_table: String,
    order_table: String,
}

/// The outcome of starting a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartOutcome {
    /// The reservation is being paid, and the order is pending.
    Started,
    /// The order was not in the expected state; this is its current state.
    OrderIs(Order),
    /// The reservation has ended, or its time is over.
    ReservationEnded,
}

/// The outcome of ending a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advanced {
    /// The transaction was written.
    Done,
    /// The order was not pending with this attempt; this is its current state.
    OrderIs(Order),
    /// The order is pending, but its reservation is not being paid.
    ReservationLost,
    /// The order is pending and its reservation is being paid, but the payment attempt is not in a status that the step
    /// needs: it has no item yet, or another run has changed its status.
    AttemptChanged,
}

impl Purchases {
    /// The reservations and orders in these tables.
    #[must_use]
    pub fn new(client: Client, reservation_table: impl Into<String>, order_table: impl Into<String>) -> Self {
        Self { client, reservation_table: reservation_table.into(), order_table: order_table.into() }
    }

    /// Starts the payment of a held reservation with a new order. Two transactional writes.
    ///
    /// Guards: the reservation is held and its time is not over; the order is new.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn start(&self, order: &Order, now: Timestamp) -> Result<StartOutcome, StoreError> {
        let put = Put::builder()
            .table_name(&self.order_table)
            .set_item(Some(orders::form::to_item(order)?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = put.build().map_err(unbuildable)?;
        let order_write = TransactWriteItem::builder().put(put).build();
        self.start_with(order_write, &order.shopper, &order.id, now).await
    }

    /// Starts the payment of a held reservation and its waiting order again, as attempt `order.attempt + 1`.
    ///
    /// Guards: the reservation is held and its time is not over; the order waits, and no other run has started this
    /// attempt.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn start_again(&self, order: &Order, method: &PaymentMethod, now: Timestamp) -> Result<StartOutcome, StoreError> {
        self.start_waiting(order, method, None, now).await
    }

    /// As [`Self::start_again`]. A given address replaces the order's address.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn start_waiting(
        &self,
        order: &Order,
        method: &PaymentMethod,
        shipping_address: Option<&Address>,
        now: Timestamp,
    ) -> Result<StartOutcome, StoreError> {
        let mut change = OrderChange::new(OrderStep::PaymentStarted, &order.id, Some(order.attempt), now, None, None)?
            .set("attempt", number(order.attempt + 1))
            .set("payment_method", item::value(method)?)
            .set("sent_at", item::value(&now)?);
        if let Some(address) = shipping_address {
            change = change.set("shipping_address", orders::form::address(address)?);
        }
        let order_write = self.order_update(&order.id, change)?;
        self.start_with(order_write, &order.shopper, &order.id, now).await
    }

    async fn start_with(
        &self,
        order_write: TransactWriteItem,
        shopper: &ShopperId,
        id: &OrderId,
        now: Timestamp,
    ) -> Result<StartOutcome, StoreError> {
        let update = self
            .reservation_update(shopper, id, ReservationStatus::Held)
            .update_expression("SET #status = :to REMOVE #ttl")
            .expression_attribute_names("#ttl", "ttl")
            .condition_expression("reservation_id = :id AND #status = :from AND expires_at > :now")
            .expression_attribute_values(":to", word(ReservationStatus::Paying))
            .expression_attribute_values(":now", number(now.as_second()));
        match self.write(update, order_write).await? {
            Ok(()) => Ok(StartOutcome::Started),
            Err(Cancelled { order: Condition::False(Some(item)), .. }) => {
                Ok(StartOutcome::OrderIs(orders::form::from_item(&item)?))
            }
            Err(Cancelled { order: Condition::False(None), .. }) => Err(no_such_order(id)),
            Err(Cancelled { order: Condition::True, .. }) => Ok(StartOutcome::ReservationEnded),
        }
    }

    /// Ends an attempt that was not paid. The order waits again until `pay_by`, and the reservation is held until then.
    /// Three transactional writes.
    ///
    /// Guards: the attempt is declined or unavailable, and no run has begun to undo it. A run that tries to undo it
    /// later finds it given up.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn payment_failed(
        &self,
        order: &Order,
        attempt: u32,
        pay_by: Timestamp,
        reason: &str,
        now: Timestamp,
    ) -> Result<Advanced, StoreError> {
        let step = OrderStep::PaymentFailed;
        // No other method can be tried when the time is over.
        let notice = if pay_by <= now { Some(Notice::OrderFailed) } else { step.notice() };
        let change = OrderChange::new(step, &order.id, Some(attempt), now, Some(reason), notice)?
            .set("pay_by", number(pay_by.as_second()));
        let update = self
            .reservation_update(&order.shopper, &order.id, ReservationStatus::Paying)
            .update_expression("SET #status = :to, expires_at = :end, #ttl = :end")
            .expression_attribute_names("#ttl", "ttl")
            .condition_expression("reservation_id = :id AND #status = :from")
            .expression_attribute_values(":to", word(ReservationStatus::Held))
            .expression_attribute_values(":end", number(pay_by.as_second()));
        let reservation = TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build();
        let key = IdempotencyKey { order: order.id.clone(), attempt };
        let given_up =
            self.attempt_update(&key, &[AttemptStatus::Declined, AttemptStatus::Unavailable], AttemptStatus::GivenUp)?;
        let result = self.transact(vec![reservation, self.order_update(&order.id, change)?, given_up]).await?;
        advanced(&order.id, result)
    }

    /// Ends an attempt with a purchase, and keeps its charge. Three transactional writes.
    ///
    /// Guards: the attempt is charged, and no run has decided to refund it. A run that decides so later finds it kept.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn complete(
        &self,
        order: &Order,
        attempt: u32,
        transaction_id: &str,
        now: Timestamp,
    ) -> Result<Advanced, StoreError> {
        let step = OrderStep::Completed;
        let change = OrderChange::new(step, &order.id, Some(attempt), now, None, step.notice())?
            .set("transaction_id", string(transaction_id));
        let update = self
            .reservation_update(&order.shopper, &order.id, ReservationStatus::Paying)
            .update_expression("SET #status = :to")
            .condition_expression("reservation_id = :id AND #status = :from")
            .expression_attribute_values(":to", word(ReservationStatus::Purchased));
        let reservation = TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build();
        let key = IdempotencyKey { order: order.id.clone(), attempt };
        let kept = self.attempt_update(&key, &[AttemptStatus::Charged], AttemptStatus::Kept)?;
        let result = self.transact(vec![reservation, self.order_update(&order.id, change)?, kept]).await?;
        advanced(&order.id, result)
    }

    /// Ends an order without a purchase, by [`OrderStep::Failed`], [`OrderStep::Refunded`] or
    /// [`OrderStep::RefundConfirmed`], and deletes its reservation. The caller must have returned the units before:
    /// only the saga, not the stream, releases a reservation that is being paid.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn end(&self, order: &Order, attempt: u32, step: OrderStep, now: Timestamp) -> Result<Advanced, StoreError> {
        let delete = self.reservation_delete(order, ReservationStatus::Paying)?;
        let change = OrderChange::new(step, &order.id, Some(attempt), now, None, step.notice())?;
        let result = self.transact(vec![delete, self.order_update(&order.id, change)?]).await?;
        match advanced(&order.id, result)? {
            // There is no reservation left to delete, but the order must still end.
            Advanced::ReservationLost => self.end_order(order, attempt, step, now).await,
            done @ (Advanced::Done | Advanced::OrderIs(_) | Advanced::AttemptChanged) => Ok(done),
        }
    }

    /// Ends an order alone. Its reservation stays unchanged, and so do its units.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to the order conflicts.
    pub async fn end_order(&self, order: &Order, attempt: u32, step: OrderStep, now: Timestamp) -> Result<Advanced, StoreError> {
        let change = OrderChange::new(step, &order.id, Some(attempt), now, None, step.notice())?;
        let result = self.transact_all(vec![self.order_update(&order.id, change)?]).await?;
        // The order is the only item of this transaction, so its reason comes first.
        match result {
            Ok(()) => Ok(Advanced::Done),
            Err(reasons) => match reasons.into_iter().next() {
                Some(Condition::False(Some(item))) => Ok(Advanced::OrderIs(orders::form::from_item(&item)?)),
                Some(Condition::False(None) | Condition::True) | None => Err(no_such_order(&order.id)),
            },
        }
    }

    /// Records that all of a completed order's price is refunded by the pending refund at `place`, and deletes its reservation: its
    /// shopper may buy again. The caller must have taken the units back before. Two transactional writes. False: another run has
    /// changed the order's refunds, or the reservation.
    ///
    /// Guards: the refunds are as they were read; the reservation is the one that was bought.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn return_purchase(&self, order: &Order, place: usize, now: Timestamp) -> Result<bool, StoreError> {
        let delete = self.reservation_delete(order, ReservationStatus::Purchased)?;
        let change = orders::refunds::ended(order, place, OrderStep::PurchaseReturned, None, now)?;
        Ok(self.transact(vec![delete, self.order_update(&order.id, change)?]).await?.is_ok())
    }

    fn order_update(&self, id: &OrderId, change: OrderChange) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.order_table)
            .set_key(Some(keys::order(id)))
            .update_expression(change.update())
            .condition_expression(change.condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build())
    }

    /// An attempt goes from one of the statuses `from` to the status `to`.
    fn attempt_update(
        &self,
        key: &IdempotencyKey,
        from: &[AttemptStatus],
        to: AttemptStatus,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.order_table)
            .set_key(Some(keys::attempt(key)))
            .update_expression("SET #status = :to")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":to", word(to));
        let mut names = Vec::new();
        for (n, status) in from.iter().enumerate() {
            let name = format!(":from{n}");
            update = update.expression_attribute_values(&name, word(*status));
            names.push(name);
        }
        let update = update.condition_expression(format!("#status IN ({})", names.join(", ")));
        Ok(TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build())
    }

    /// An update of the reservation `id` while it has status `from`. The caller supplies expression and condition.
    fn reservation_update(&self, shopper: &ShopperId, id: &OrderId, from: ReservationStatus) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.reservation_table)
            .set_key(Some(keys::reservation(shopper, id.product())))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":id", item::id(id))
            .expression_attribute_values(":from", word(from))
    }

    /// Deletes the order's reservation while it has status `from`.
    fn reservation_delete(&self, order: &Order, from: ReservationStatus) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.reservation_table)
            .set_key(Some(keys::reservation(&order.shopper, order.product())))
            .condition_expression("reservation_id = :id AND #status = :from")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":id", item::id(&order.id))
            .expression_attribute_values(":from", word(from));
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(unbuildable)?).build())
    }

    async fn write(&self, reservation: UpdateBuilder, order: TransactWriteItem) -> Result<Result<(), Cancelled>, StoreError> {
        let reservation = TransactWriteItem::builder().update(reservation.build().map_err(unbuildable)?).build();
        self.transact(vec![reservation, order]).await
    }
}

fn advanced(id: &OrderId, result: Result<(), Cancelled>) -> Result<Advanced, StoreError> {
    match result {
        Ok(()) => Ok(Advanced::Done),
        Err(Cancelled { order: Condition::False(Some(item)), .. }) => Ok(Advanced::OrderIs(orders::form::from_item(&item)?)),
        Err(Cancelled { order: Condition::False(None), .. }) => Err(no_such_order(id)),
        Err(Cancelled { order: Condition::True, reservation: Condition::False(_), .. }) => Ok(Advanced::ReservationLost),
        Err(Cancelled { order: Condition::True, reservation: Condition::True, attempt: Condition::False(_) }) => {
            Ok(Advanced::AttemptChanged)
        }
        Err(Cancelled { order: Condition::True, reservation: Condition::True, attempt: Condition::True }) => {
            Err(StoreError::corrupt(keys::order_pk(id), "its transaction was cancelled, but no condition was false"))
        }
    }
}

fn no_such_order(id: &OrderId) -> StoreError {
    StoreError::corrupt(keys::order_pk(id), "there is no such order")
}
