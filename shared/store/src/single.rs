//! One item: `GetItem`, and `PutItem` for an item whose first write stays.

use aws_sdk_dynamodb::{Client, types::ReturnValuesOnConditionCheckFailure};

use crate::{
    StoreError,
    error::{Written, conditional},
    item::Item,
};

/// Gets an item by its key.
pub(crate) async fn get_item(client: &Client, table: &str, key: Item, consistent: bool) -> Result<Option<Item>, StoreError> {
    let get = client.get_item().table_name(table).set_key(Some(key)).consistent_read(consistent);
    let answer = get.send().await.map_err(|error| StoreError::call("GetItem", error))?;
    Ok(answer.item)
}

/// Puts an item unless its key is taken. One write. Returns the item that has the key already, or nothing if this call
/// wrote it. `named` names the item in an error; a write that succeeds does not build the name.
pub(crate) async fn put_first(
    client: &Client,
    table: &str,
    item: Item,
    named: impl FnOnce() -> String,
) -> Result<Option<Item>, StoreError> {
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match conditional("PutItem", put.send().await)? {
        Written::Done => Ok(None),
        Written::Refused(Some(first)) => Ok(Some(first)),
        Written::Refused(None) => Err(StoreError::corrupt(named(), "its condition was false, but DynamoDB returned no item")),
    }
}
