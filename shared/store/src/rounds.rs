//! The sale with which the next run of `reconcile` begins, because the time of the last one was too short.

use aws_sdk_dynamodb::Client;
use domain::ProductId;
use serde::{Deserialize, Serialize};

use crate::{
    StoreError,
    item::{attributes, parse},
    keys,
    single::get_item,
};

/// The stock table, as the place of this one item.
#[derive(Debug, Clone)]
pub struct Rounds {
    client: Client,
    table: String,
}

#[derive(Serialize, Deserialize)]
struct RoundForm {
    product: ProductId,
}

impl Rounds {
    /// The item in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads where this run begins, eventually consistent. `None`: with the first sale.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn start(&self) -> Result<Option<ProductId>, StoreError> {
        let item = get_item(&self.client, &self.table, keys::next_round(), false).await?;
        Ok(item.as_ref().map(parse::<RoundForm>).transpose()?.map(|form| form.product))
    }

    /// Writes where the next run begins. Of two runs at once, either may be the last.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn begin_next_at(&self, product: &ProductId) -> Result<(), StoreError> {
        let item = attributes(keys::next_round(), &RoundForm { product: product.clone() })?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| StoreError::call("PutItem", error))
    }
}
