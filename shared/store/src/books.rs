//! The books of the sandbox gateway: one item per gateway and idempotency key, so that tests can count the real charges
//! and refunds. The books belong to the provider's side: the product never reads them to decide anything.

mod form;

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::{GatewayName, IdempotencyKey, Money, PaymentMethod};

use crate::{
    StoreError,
    error::{Written, conditional},
    item::Item,
    keys::{self, number},
    single::get_item,
    word::word,
};

/// The state of a key in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// A charge was requested; nothing is charged yet.
    Called,
    /// The money is reserved.
    Authorised,
    /// The money was taken.
    Charged,
    /// The sandbox refused the charge.
    Declined,
    /// The money was taken and given back.
    Refunded,
    /// Nothing was charged, and nothing ever will be.
    Voided,
}

/// The entry of one idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The state after the last call.
    pub state: EntryState,
    /// The amount of the charge request.
    pub asked: Option<Money>,
    /// The amount that the sandbox confirmed as charged.
    pub confirmed: Option<Money>,
    /// The payment method of the charge request.
    pub method: Option<PaymentMethod>,
    /// How often money was taken. More than once is the bug that idempotency keys prevent.
    pub charges: u32,
    /// How often money was given back: at most once.
    pub refunds: u32,
    /// How often the product requested a refund.
    pub refund_calls: u32,
    /// The sum of the parts that were given back, in minor units.
    pub refunded_minor: i64,
    /// The numbers of these parts.
    pub parts: Vec<u32>,
}

impl Entry {
    /// The entry of a key under which nothing is ever charged.
    #[must_use]
    pub fn voided() -> Self {
        Self {
            state: EntryState::Voided,
            asked: None,
            confirmed: None,
            method: None,
            charges: 0,
            refunds: 0,
            refund_calls: 0,
            refunded_minor: 0,
            parts: Vec::new(),
        }
    }

    /// The first entry of a key, for which a charge of `asked` is requested.
    #[must_use]
    pub fn asked(state: EntryState, asked: Money, confirmed: Money, method: &PaymentMethod) -> Self {
        let charged = state == EntryState::Charged;
        Self {
            state,
            asked: Some(asked),
            confirmed: charged.then_some(confirmed),
            method: Some(method.clone()),
            charges: u32::from(charged),
            refunds: 0,
            refund_calls: 0,
            refunded_minor: 0,
            parts: Vec::new(),
        }
    }
}

/// The books of all sandbox gateways.
#[derive(Debug, Clone)]
pub struct SandboxBooks {
    client: Client,
    table: String,
}

impl SandboxBooks {
    /// The books in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads the entry of a key, strongly consistent.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn get(&self, gateway: &GatewayName, key: &IdempotencyKey) -> Result<Option<Entry>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::sandbox_books(gateway, key), true).await?;
        item.as_ref().map(form::from_item).transpose()
    }

    /// Writes `entry`, unless the key is settled already. Returns the stored entry.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn settle(&self, gateway: &GatewayName, key: &IdempotencyKey, entry: &Entry) -> Result<Entry, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(form::to_item(gateway, key, entry)?))
            .condition_expression("attribute_not_exists(pk) OR #state = :called")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":called", word(EntryState::Called))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(entry.clone()),
            Written::Refused(item) => settled(gateway, key, item),
        }
    }

    /// An update of the entry of this key.
    fn update(&self, gateway: &GatewayName, key: &IdempotencyKey) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(keys::sandbox_books(gateway, key)))
    }

    /// Counts a refund request. Returns how many there have been, including this one.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn count_refund_call(&self, gateway: &GatewayName, key: &IdempotencyKey) -> Result<u32, StoreError> {
        let update = self
            .update(gateway, key)
            .update_expression("ADD refund_calls :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let answer = update.send().await.map_err(|error| StoreError::call("UpdateItem", error))?;
        settled(gateway, key, answer.attributes).map(|entry| entry.refund_calls)
    }

    /// Takes the reserved money of an authorised key, once. Returns the stored entry; `None`: there is none.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn capture(&self, gateway: &GatewayName, key: &IdempotencyKey) -> Result<Option<Entry>, StoreError> {
        let update = self
            .update(gateway, key)
            .update_expression("SET #state = :charged, confirmed = asked ADD charges :one")
            .condition_expression("#state = :authorised")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":charged", word(EntryState::Charged))
            .expression_attribute_values(":authorised", word(EntryState::Authorised))
            .expression_attribute_values(":one", number(1));
        conditional("UpdateItem", update.send().await)?;
        self.get(gateway, key).await
    }

    /// Gives the money of a charged key back, once. Returns the stored entry.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn refund(&self, gateway: &GatewayName, key: &IdempotencyKey) -> Result<Option<Entry>, StoreError> {
        let update = self
            .update(gateway, key)
            .update_expression("SET #state = :refunded ADD refunds :one")
            .condition_expression("#state = :charged")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":refunded", word(EntryState::Refunded))
            .expression_attribute_values(":charged", word(EntryState::Charged))
            .expression_attribute_values(":one", number(1));
        conditional("UpdateItem", update.send().await)?;
        self.get(gateway, key).await
    }

    /// Gives a part of the money of a charged key back. One write. False: the entry has changed since it was read as `before`. With
    /// the last part the key is refunded.
    ///
    /// Guards: the key is charged, and no other part was given back since it was read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn refund_part(
        &self,
        gateway: &GatewayName,
        key: &IdempotencyKey,
        before: &Entry,
        (part, amount): (u32, Money),
    ) -> Result<bool, StoreError> {
        let back = before.refunded_minor.saturating_add(amount.amount_minor());
        let is_all = before.confirmed.is_some_and(|confirmed| back >= confirmed.amount_minor());
        let unchanged = if before.parts.is_empty() { "attribute_not_exists(refunded_minor)" } else { "refunded_minor = :read" };
        let update = self
            .update(gateway, key)
            .update_expression(
                "SET #state = :after, refunded_minor = :back, parts = list_append(if_not_exists(parts, :none), :part) \
                 ADD refunds :refunds",
            )
            .condition_expression(format!("#state = :charged AND {unchanged}"))
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":after", word(if is_all { EntryState::Refunded } else { EntryState::Charged }))
            .expression_attribute_values(":charged", word(EntryState::Charged))
            .expression_attribute_values(":back", number(back))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":part", AttributeValue::L(vec![number(part)]))
            .expression_attribute_values(":refunds", number(u32::from(is_all)));
        let update = if before.parts.is_empty() {
            update
        } else {
            update.expression_attribute_values(":read", number(before.refunded_minor))
        };
        Ok(matches!(conditional("UpdateItem", update.send().await)?, Written::Done))
    }

    /// Makes sure that a key under which nothing is charged stays so, and gives an authorisation up. Returns the stored entry.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn void(&self, gateway: &GatewayName, key: &IdempotencyKey) -> Result<Entry, StoreError> {
        let voided = Entry::voided();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(form::to_item(gateway, key, &voided)?))
            .condition_expression("attribute_not_exists(pk) OR #state IN (:called, :authorised, :declined)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":called", word(EntryState::Called))
            .expression_attribute_values(":authorised", word(EntryState::Authorised))
            .expression_attribute_values(":declined", word(EntryState::Declined))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional("PutItem", put.send().await)? {
            Written::Done => Ok(voided),
            Written::Refused(item) => settled(gateway, key, item),
        }
    }
}

fn settled(gateway: &GatewayName, key: &IdempotencyKey, item: Option<Item>) -> Result<Entry, StoreError> {
    let item = item.ok_or_else(|| {
        StoreError::corrupt(format!("{gateway} {key}"), "its condition was false, but DynamoDB returned no item")
    })?;
    form::from_item(&item)
}
