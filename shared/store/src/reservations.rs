//! Reservations: one item per shopper and sale.
//!
//! Every road that ends a hold deletes its item; the table's stream releases the units. TTL is one of those roads, so only
//! a held reservation carries the TTL attribute.

pub(crate) mod form;

use aws_sdk_dynamodb::{Client, types::ReturnValuesOnConditionCheckFailure};
use domain::{ProductId, Reservation, ReservationId, ReservationStatus, ShopperId, Timestamp};

use crate::{
    StoreError,
    error::{Written, conditional},
    item,
    keys::{self, number},
    word::word,
};

/// All reservations.
#[derive(Debug, Clone)]
pub struct Reservations {
    client: Client,
    table: String,
}

/// What came of opening a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenOutcome {
    /// It is there, by this call or by an earlier run of it.
    Opened,
    /// The shopper has another one in this sale.
    Exists(Reservation),
}

/// Why a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The shopper gave it up.
    Cancelled,
    /// Its time was over at this moment.
    Overdue(Timestamp),
}

/// What came of ending a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOutcome {
    /// It is gone; the stream releases its units.
    Ended,
    /// It was gone already.
    Gone,
    /// It stays: not overdue yet, being paid, or purchased.
    Kept(Reservation),
}

impl Reservations {
    /// The reservations in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Writes a reservation. One write.
    ///
    /// Guards: one per shopper and sale, the first stays.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn open(&self, reservation: &Reservation) -> Result<OpenOutcome, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(form::to_item(reservation)?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(OpenOutcome::Opened),
            Written::Refused(Some(item)) => {
                let found = form::from_item(&item)?;
                Ok(if found.id == reservation.id { OpenOutcome::Opened } else { OpenOutcome::Exists(found) })
            }
            Written::Refused(None) => Err(StoreError::corrupt(reservation.id.to_string(), "there and not there")),
        }
    }

    /// Reads a shopper's reservation in a sale, strongly consistent.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, shopper: &ShopperId, product: &ProductId) -> Result<Option<Reservation>, StoreError> {
        let key = keys::reservation(shopper, product);
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        let answer = get.send().await.map_err(|error| StoreError::call("GetItem", error))?;
        answer.item.as_ref().map(form::from_item).transpose()
    }

    /// Ends a hold. One write.
    ///
    /// Guards: ends this reservation only; never one that is being paid or is paid; an overdue one only once it is.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn end(&self, shopper: &ShopperId, id: &ReservationId, ending: Ending) -> Result<EndOutcome, StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::reservation(shopper, id.product())))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":id", item::id(id))
            .expression_attribute_values(":held", word(ReservationStatus::Held))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let delete = match ending {
            Ending::Cancelled => delete.condition_expression("reservation_id = :id AND #status = :held"),
            Ending::Overdue(now) => delete
                .condition_expression("reservation_id = :id AND #status = :held AND expires_at <= :now")
                .expression_attribute_values(":now", number(now.as_second())),
        };
        match conditional("DeleteItem", delete.send().await)? {
            Written::Done => Ok(EndOutcome::Ended),
            Written::Refused(None) => Ok(EndOutcome::Gone),
            Written::Refused(Some(item)) => {
                let found = form::from_item(&item)?;
                Ok(if found.id == *id { EndOutcome::Kept(found) } else { EndOutcome::Gone })
            }
        }
    }
}
