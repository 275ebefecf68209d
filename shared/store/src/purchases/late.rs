//! Money that came after its attempt had ended: it pays for units that were claimed again, or it goes back. The attempt's item
//! takes one of the two decisions, once, in the transaction that carries it out.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::{Attempt, LateMoney, Order, OrderEvent, OrderLine, OrderStep, Reservation, Timestamp};

use super::{
    Purchases,
    transaction::{Condition, unbuildable},
};
use crate::{
    StoreError, attempts, item,
    keys::{self, number},
    orders::{self, change::OrderChange},
    reservations,
    word::word,
};

impl Purchases {
    /// Starts the payment of an order again whose hold has ended, with the late money of its attempt `ended`, as attempt
    /// `order.attempt + 1`. Four transactional writes. False: a condition was false.
    ///
    /// `reservation` is for the units that the caller has claimed again under the order's id.
    ///
    /// Guards: the shopper has no reservation of this sale; the order has expired, with its last attempt as it was read; nothing
    /// was decided about the late money before.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn start_late(
        &self,
        order: &Order,
        reservation: &Reservation,
        ended: &Attempt,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let next = order.attempt + 1;
        let put = Put::builder()
            .table_name(&self.reservation_table)
            .set_item(Some(reservations::form::to_item(reservation)?))
            .condition_expression("attribute_not_exists(pk)");
        let held = TransactWriteItem::builder().put(put.build().map_err(unbuildable)?).build();
        let change = OrderChange::new(OrderStep::PaidLate, &order.id, Some(order.attempt), now, None, None)?
            .set("attempt", number(next))
            .set("pay_by", number(reservation.expires_at.as_second()))
            .set("sent_at", item::value(&now)?);
        let put = Put::builder()
            .table_name(&self.order_table)
            .set_item(Some(attempts::form::to_item(&ended.paid_late_by(next))?))
            .condition_expression("attribute_not_exists(pk)");
        let attempt = TransactWriteItem::builder().put(put.build().map_err(unbuildable)?).build();
        let decided = self.decide(ended, LateMoney::PaysBy(next))?;
        Ok(self.transact_all(vec![held, self.order_update(&order.id, change)?, attempt, decided]).await?.is_ok())
    }

    /// Records that the late money of the order's attempt `ended` goes back, before its gateway is asked, and tells it in the
    /// order's history. Two transactional writes. False: something was decided before.
    ///
    /// # Errors
    /// When DynamoDB does not answer, or another write to one of the items conflicts.
    pub async fn return_late_money(&self, order: &Order, ended: &Attempt, now: Timestamp) -> Result<bool, StoreError> {
        let line = OrderEvent { at: now, event: OrderLine::LateMoneyReturned, reason: None };
        // The time of its last change stays: of a pending order, that is the start of its attempt.
        let update = Update::builder()
            .table_name(&self.order_table)
            .set_key(Some(keys::order(&order.id)))
            .update_expression(format!("SET history = list_append(history, :event){}", orders::form::REVISE))
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(orders::form::ONE, number(1))
            .expression_attribute_values(":event", orders::form::history_line(&line)?);
        let told = TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build();
        match self.transact_all(vec![self.decide(ended, LateMoney::GoesBack)?, told]).await? {
            Ok(()) => Ok(true),
            Err(reasons) => match reasons.into_iter().next() {
                Some(Condition::False(_)) => Ok(false),
                Some(Condition::True) | None => Err(super::no_such_order(&order.id)),
            },
        }
    }

    /// Records the decision in the attempt, if it still has the status in which it was read and nothing is decided.
    fn decide(&self, ended: &Attempt, late: LateMoney) -> Result<TransactWriteItem, StoreError> {
        let (attribute, value): (&str, AttributeValue) = attempts::form::decide(late);
        let update = Update::builder()
            .table_name(&self.order_table)
            .set_key(Some(keys::attempt(&ended.key)))
            .update_expression(format!("SET {attribute} = :decided"))
            .condition_expression(format!("#status = :status AND {}", attempts::form::UNDECIDED))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", word(ended.status))
            .expression_attribute_values(":decided", value);
        Ok(TransactWriteItem::builder().update(update.build().map_err(unbuildable)?).build())
    }
}
