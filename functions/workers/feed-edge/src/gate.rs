//! The store that the gate reads: CloudFront's KeyValueStore, behind its API.

use aws_sdk_cloudfrontkeyvaluestore::error::{ProvideErrorMetadata, SdkError};
use domain::ProductId;
use kit::Failure;
use parts::EdgeStore;

/// Codes of the answer to a write with an old version.
const CHANGED: [&str; 2] = ["ConflictException", "ValidationException"];
/// The code of the answer to the deletion of a key that is not there.
const NO_SUCH_KEY: &str = "ResourceNotFoundException";

/// The version of the whole store, which rises with every write.
pub(crate) struct StoreVersion(String);

/// The version of the store now. A write with it fails if anything was written since.
pub(crate) async fn version(store: &EdgeStore) -> Result<StoreVersion, Failure> {
    let answer = store.client.describe_key_value_store().kvs_arn(&store.arn).send().await.map_err(failure)?;
    Ok(StoreVersion(answer.e_tag))
}

/// Stores the value of `product`, or removes it. False: another run has written the store since `version`.
pub(crate) async fn write(
    store: &EdgeStore,
    product: &ProductId,
    value: Option<&str>,
    version: &StoreVersion,
) -> Result<bool, Failure> {
    let refused = if let Some(value) = value {
        let put = store.client.put_key().kvs_arn(&store.arn).key(product.as_str()).value(value).if_match(&version.0);
        put.send().await.err().map(|error| (error.code().map(str::to_owned), failure(error)))
    } else {
        let delete = store.client.delete_key().kvs_arn(&store.arn).key(product.as_str()).if_match(&version.0);
        delete.send().await.err().map(|error| (error.code().map(str::to_owned), failure(error)))
    };
    match refused {
        None => Ok(true),
        Some((Some(code), _)) if CHANGED.contains(&code.as_str()) => Ok(false),
        Some((Some(code), _)) if value.is_none() && code == NO_SUCH_KEY => Ok(true),
        Some((_, failure)) => Err(failure),
    }
}

fn failure<E, R>(error: SdkError<E, R>) -> Failure
where
    SdkError<E, R>: std::error::Error + Send + Sync + 'static,
{
    Failure::from(error)
}
