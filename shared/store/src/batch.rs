//! `BatchGetItem`, repeated for the keys that DynamoDB leaves unprocessed.

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};

use crate::{StoreError, item::Item};

/// DynamoDB's limit of keys in one `BatchGetItem`.
pub(crate) const KEYS_IN_A_BATCH: usize = 100;
/// Requests per batch at most: the first, and repetitions for the keys that DynamoDB left unprocessed.
const BATCH_ROUNDS: usize = 8;

/// Gets up to a hundred items of `table` in no order. Asks again for the keys that DynamoDB leaves unprocessed.
pub(crate) async fn batch_get(client: &Client, table: &str, keys: Vec<Item>, consistent: bool) -> Result<Vec<Item>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    let mut wanted = keys;
    for _ in 0..BATCH_ROUNDS {
        let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(consistent).build();
        let request = request.map_err(|error| StoreError::corrupt("(batch)", error))?;
        let answer = client.batch_get_item().request_items(table, request).send().await;
        let mut answer = answer.map_err(|error| StoreError::call("BatchGetItem", error))?;
        found.extend(answer.responses.as_mut().and_then(|tables| tables.remove(table)).unwrap_or_default());
        wanted = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table)).map(|left| left.keys).unwrap_or_default();
        if wanted.is_empty() {
            return Ok(found);
        }
    }
    Err(StoreError::Unavailable { operation: "BatchGetItem", source: "DynamoDB kept leaving keys out".into() })
}
