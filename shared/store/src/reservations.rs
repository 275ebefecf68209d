//! Reservations: one item per shopper and sale.
//!
//! Every way to end a hold deletes its item, and the table's stream then triggers the release of its units. TTL is one
//! of these ways, so only a held reservation has the TTL attribute.

pub(crate) mod form;

use aws_sdk_dynamodb::{Client, types::ReturnValuesOnConditionCheckFailure};
use domain::{ProductId, Reservation, ReservationId, ReservationStatus, ShopperId, Timestamp};

use crate::{
    StoreError,
    error::{Written, conditional},
    item,
    keys::{self, number},
    single::{get_item, put_first},
    word::word,
};

/// The reservations of all sales.
#[derive(Debug, Clone)]
pub struct Reservations {
    client: Client,
    table: String,
}

/// The outcome of opening a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenOutcome {
    /// The reservation is stored, by this call or by an earlier run of it.
    Opened,
    /// The shopper has another reservation in this sale.
    Exists(Reservation),
}

/// Why a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The shopper cancelled it.
    Cancelled,
    /// Its time was over at this moment.
    Overdue(Timestamp),
}

/// The outcome of ending a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOutcome {
    /// The item was deleted; the stream triggers the release of its units.
    Ended,
    /// The item was deleted before.
    Gone,
    /// The item stays: it is not overdue yet, is being paid, or is purchased.
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
    /// Guards: a shopper has one reservation per sale; the first stays.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn open(&self, reservation: &Reservation) -> Result<OpenOutcome, StoreError> {
        let Some(first) =
            put_first(&self.client, &self.table, form::to_item(reservation)?, || reservation.id.to_string()).await?
        else {
            return Ok(OpenOutcome::Opened);
        };
        let found = form::from_item(&first)?;
        Ok(if found.id == reservation.id { OpenOutcome::Opened } else { OpenOutcome::Exists(found) })
    }

    /// Reads a shopper's reservation in a sale, strongly consistent.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, shopper: &ShopperId, product: &ProductId) -> Result<Option<Reservation>, StoreError> {
        let key = keys::reservation(shopper, product);
        let item = get_item(&self.client, &self.table, key, true).await?;
        item.as_ref().map(form::from_item).transpose()
    }

    /// Ends a hold. One write.
    ///
    /// Guards: ends only this reservation, never one that is being paid or is purchased. With [`Ending::Overdue`], it
    /// ends only a hold whose time is over.
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
