//! The orders of a sale, for operators: by an index that contains only keys, so that only a new order is written to it.

use domain::{OrderId, ProductId, Timestamp};
use serde::Deserialize;

use super::{Orders, form};
use crate::{
    StoreError,
    item::{Item, name, parse},
    keys::{self, string},
};

/// The index of all orders by product, newest last.
const BY_SALE: &str = "sale-index";

/// An order as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// The order's id.
    pub id: OrderId,
    /// When it was placed, to the millisecond.
    pub at: Timestamp,
}

/// A page of a sale's orders, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedPage {
    /// At most [`Orders::READ_AT_ONCE`] orders.
    pub orders: Vec<PlacedOrder>,
    /// There are more: the next page starts after the last of these orders.
    pub more: bool,
}

impl Orders {
    /// A page of the orders of a sale that were placed at `since` or later, to the millisecond; oldest first, eventually consistent.
    /// With `after`, which is an order of this sale: the page that follows this order.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn of_sale(
        &self,
        product: &ProductId,
        since: Timestamp,
        after: Option<&PlacedOrder>,
    ) -> Result<PlacedPage, StoreError> {
        // Times before 1970 do not sort as text, and no order is so old.
        let since = since.max(Timestamp::UNIX_EPOCH);
        // DynamoDB refuses a place outside of the range. What follows one before it is all of the range.
        let after = after.filter(|order| order.at.as_millisecond() >= since.as_millisecond());
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_SALE)
            .key_condition_expression("product = :product AND created_at >= :since")
            .expression_attribute_values(":product", string(product.as_str()))
            .expression_attribute_values(":since", string(form::milliseconds(since)))
            .limit(i32::try_from(Self::READ_AT_ONCE).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after.map(|order| place(product, order)));
        let answer = query.send().await.map_err(|error| StoreError::call("Query", error))?;
        let more = answer.last_evaluated_key.is_some();
        let orders = answer.items.unwrap_or_default().iter().map(placed).collect::<Result<Vec<_>, _>>()?;
        Ok(PlacedPage { orders, more })
    }
}

/// An order's key in the index.
fn place(product: &ProductId, order: &PlacedOrder) -> Item {
    let mut key = keys::order(&order.id);
    key.insert("product".to_owned(), string(product.as_str()));
    key.insert("created_at".to_owned(), string(form::milliseconds(order.at)));
    key
}

fn placed(item: &Item) -> Result<PlacedOrder, StoreError> {
    #[derive(Deserialize)]
    struct Form {
        pk: String,
        created_at: Timestamp,
    }
    let form: Form = parse(item)?;
    let id = keys::parse_order_pk(&form.pk).ok_or_else(|| StoreError::corrupt(name(item), "not an order"))?;
    Ok(PlacedOrder { id, at: form.created_at })
}
