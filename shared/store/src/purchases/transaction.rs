//! Runs a transaction and says which of its conditions cancelled it.

use aws_sdk_dynamodb::{
    Client, error::SdkError, operation::transact_write_items::TransactWriteItemsError, types::TransactWriteItem,
};

use super::Purchases;
use crate::{StoreError, item::Item};

/// The conditions of a cancelled transaction, each with the item that it saw if it was false.
pub(super) struct Cancelled {
    pub(super) reservation: Condition,
    pub(super) order: Condition,
    /// `True` if no attempt takes part.
    pub(super) attempt: Condition,
}

/// One condition of a cancelled transaction.
pub(crate) enum Condition {
    True,
    /// With the item that the condition saw.
    False(Option<Item>),
}

impl Purchases {
    /// Writes a reservation, its order and, in some steps, an attempt; in this order.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Result<(), Cancelled>, StoreError> {
        Ok(self.transact_all(writes).await?.map_err(|reasons| {
            let mut reasons = reasons.into_iter();
            let mut next = || reasons.next().unwrap_or(Condition::True);
            Cancelled { reservation: next(), order: next(), attempt: next() }
        }))
    }

    /// Runs a transaction. The inner error contains the condition of each write.
    pub(super) async fn transact_all(&self, writes: Vec<TransactWriteItem>) -> Result<Result<(), Vec<Condition>>, StoreError> {
        transact(&self.client, writes).await
    }
}

/// Runs a transaction. The inner error contains the condition of each write.
pub(crate) async fn transact(client: &Client, writes: Vec<TransactWriteItem>) -> Result<Result<(), Vec<Condition>>, StoreError> {
    match client.transact_write_items().set_transact_items(Some(writes)).send().await {
        Ok(_) => Ok(Ok(())),
        Err(error) => match false_conditions(&error) {
            Some(reasons) => Ok(Err(reasons)),
            None => Err(StoreError::call("TransactWriteItems", error)),
        },
    }
}

/// The conditions of a cancelled transaction; `None` when something other than conditions helped to cancel it.
fn false_conditions(error: &SdkError<TransactWriteItemsError>) -> Option<Vec<Condition>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.as_service_error()? else { return None };
    let reasons = cancelled.cancellation_reasons.as_deref().unwrap_or_default();
    let mut found = Vec::with_capacity(reasons.len());
    for reason in reasons {
        match reason.code.as_deref() {
            None | Some("None") => found.push(Condition::True),
            Some("ConditionalCheckFailed") => found.push(Condition::False(reason.item.clone())),
            Some(_) => return None,
        }
    }
    found.iter().any(|condition| matches!(condition, Condition::False(_))).then_some(found)
}

pub(crate) fn unbuildable(error: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::corrupt("(transaction)", error)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        config::http::HttpResponse,
        error::ErrorMetadata,
        types::{CancellationReason, error::TransactionCanceledException},
    };

    use super::*;

    /// A transaction that was cancelled for these reasons. Emulators have no conflicts.
    fn cancelled(codes: &[&str]) -> SdkError<TransactWriteItemsError> {
        let reasons: Vec<_> = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        let code = ErrorMetadata::builder().code("TransactionCanceledException").build();
        let cancelled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).meta(code).build();
        let response = HttpResponse::new(400.try_into().unwrap(), "".into());
        SdkError::service_error(TransactWriteItemsError::TransactionCanceledException(cancelled), response)
    }

    #[test]
    fn only_false_conditions_are_a_lost_race_and_a_conflict_may_be_tried_again() {
        const FALSE: &str = "ConditionalCheckFailed";
        for (codes, expected) in [
            (&[FALSE, "None"][..], Some(&[true, false][..])),
            (&["None", FALSE], Some(&[false, true])),
            (&[FALSE, FALSE], Some(&[true, true])),
            (&["None", "None", FALSE], Some(&[false, false, true])),
            (&["TransactionConflict", "None"], None),
            (&[FALSE, "TransactionConflict"], None),
            (&["None", "ThrottlingError"], None),
            (&["None", "None", "TransactionConflict"], None),
        ] {
            let error = cancelled(codes);
            let is_false = |condition: &Condition| matches!(condition, Condition::False(_));
            let found = false_conditions(&error).map(|found| found.iter().map(is_false).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{codes:?}");
            if expected.is_none() {
                assert!(StoreError::call("TransactWriteItems", error).is_passing(), "{codes:?}");
            }
        }
    }
}
