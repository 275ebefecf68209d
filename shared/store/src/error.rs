//! Failures of DynamoDB that no caller expects. Lost races are not errors: they are outcomes.

use std::{error::Error, fmt::Display};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError},
};

use crate::item::Item;

/// A call that failed, or an item that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB could not be reached or did not answer in time. It may have performed the operation. Repeating the call
    /// helps.
    #[error("{operation} was not answered")]
    Unavailable {
        /// The operation as DynamoDB names it, such as `PutItem`.
        operation: &'static str,
        /// The SDK's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// DynamoDB refused the call. Repeating the call does not help.
    #[error("{operation} was refused")]
    Refused {
        /// The operation as DynamoDB names it, such as `PutItem`.
        operation: &'static str,
        /// The SDK's error.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The item is not one that this product writes.
    #[error("item {key} cannot be read: {why}")]
    Corrupt {
        /// Partition and sort key.
        key: String,
        /// What is wrong with the item.
        why: String,
    },
}

impl StoreError {
    /// Whether a repetition of the same call may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused { .. } | Self::Corrupt { .. } => false,
        }
    }

    /// Classifies a failed call by whether repeating it helps.
    pub(crate) fn call<E>(operation: &'static str, source: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let refused = match &source {
            // A response that did not come from DynamoDB, such as a load balancer's 503, has no code.
            SdkError::ServiceError(failure) => !is_passing_code(failure.err().code()) && failure.raw().status().as_u16() < 500,
            SdkError::ConstructionFailure(_) => true,
            // DynamoDB may have performed the operation. The SDK's enum may grow: a variant that it adds is as
            // uncertain.
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | _ => false,
        };
        let source: Box<dyn Error + Send + Sync> = Box::new(source);
        if refused { Self::Refused { operation, source } } else { Self::Unavailable { operation, source } }
    }

    pub(crate) fn corrupt(key: impl Into<String>, why: impl Display) -> Self {
        Self::Corrupt { key: key.into(), why: why.to_string() }
    }
}

/// Error codes after which DynamoDB's documentation says to retry.
fn is_passing_code(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "InternalServerError"
                | "InternalServerErrorException"
                | "ServiceUnavailable"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "ThrottlingException"
                | "TransactionConflictException"
                | "TransactionInProgressException"
                | "TransactionCanceledException"
                | "LimitExceededException"
        )
    )
}

/// An error that may be a failed condition.
pub(crate) trait MayBeCondition: Sized {
    /// If a condition failed: the refusal with the item as it was.
    fn refused(&self) -> Option<Written>;
}

macro_rules! may_be_condition {
    ($($error:ident),*) => {$(
        impl MayBeCondition for $error {
            fn refused(&self) -> Option<Written> {
                match self {
                    $error::ConditionalCheckFailedException(failure) => Some(Written::Refused(failure.item.clone())),
                    _ => None,
                }
            }
        }
    )*};
}
may_be_condition!(DeleteItemError, PutItemError, UpdateItemError);

/// The outcome of a conditional write: done, or refused by its condition with the item that the condition saw.
pub(crate) enum Written {
    Done,
    Refused(Option<Item>),
}

/// Turns a failed condition into a value.
pub(crate) fn conditional<T, E>(operation: &'static str, result: Result<T, SdkError<E>>) -> Result<Written, StoreError>
where
    E: MayBeCondition + ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok(Written::Done),
        Err(error) => match error.as_service_error().and_then(MayBeCondition::refused) {
            Some(refused) => Ok(refused),
            None => Err(StoreError::call(operation, error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{config::http::HttpResponse, error::ErrorMetadata, types::error::TransactionConflictException};

    use super::*;

    /// A transaction that uses one of the items is a conflict, not a lost race. Emulators have no conflicts.
    #[test]
    fn a_write_that_meets_a_transaction_may_be_tried_again() {
        let code = ErrorMetadata::builder().code("TransactionConflictException").build();
        let conflict = PutItemError::TransactionConflictException(TransactionConflictException::builder().meta(code).build());
        let response = HttpResponse::new(400.try_into().unwrap(), "".into());
        let answer: Result<(), _> = Err(SdkError::service_error(conflict, response));
        assert!(conditional("PutItem", answer).is_err_and(|error| error.is_passing()));
    }
}
