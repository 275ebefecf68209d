//! AWS clients, configured once for all functions.
//!
//! The limits fit together: three attempts of at most 2 s inside an operation of at most 4 s. Several slow operations
//! in a row can exceed the 5 s of an HTTP function. [`serve`](crate::serve) then answers `try-again` before Lambda
//! stops the function.

use std::{collections::HashMap, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_cloudfrontkeyvaluestore::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_smithy_types::Document;

const CONNECT: Duration = Duration::from_secs(1);
const ATTEMPT: Duration = Duration::from_secs(2);
const OPERATION: Duration = Duration::from_secs(4);
const ATTEMPTS: u32 = 3;
/// The SDK's default, a second, is most of the time that a shopper's request has.
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

/// Less than the 30 s of a queue worker.
const PATIENCE: Duration = Duration::from_secs(25);
const PATIENT_ATTEMPTS: u32 = 10;
const PATIENT_FIRST_BACK_OFF: Duration = Duration::from_millis(500);
const PATIENT_LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

/// Region, credentials and endpoint from the function's environment variables, with our limits on time and attempts.
pub async fn aws() -> SdkConfig {
    let (timeouts, retries) = bounds();
    // A fixed version: "latest" would change behaviour with an update of the SDK.
    aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).retry_config(retries).load().await
}

/// Our limits on time and attempts, also for clients with another HTTP transport.
#[must_use]
pub fn bounds() -> (TimeoutConfig, RetryConfig) {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACK_OFF)
        .with_max_backoff(LONGEST_BACK_OFF);
    (timeouts, retries)
}

/// A DynamoDB client with the limits of `config`.
#[must_use]
pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(config)
}

/// An SQS client with the limits of `config`.
#[must_use]
pub fn sqs(config: &SdkConfig) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(config)
}

/// A Step Functions client with the limits of `config`.
#[must_use]
pub fn sfn(config: &SdkConfig) -> aws_sdk_sfn::Client {
    aws_sdk_sfn::Client::new(config)
}

/// A Step Functions client for a queue worker: up to ten attempts in 25 s. An account starts a few hundred executions
/// per second. When Step Functions throttles a worker, retrying for seconds is better than returning the message to the
/// queue for minutes.
#[must_use]
pub fn patient_sfn(config: &SdkConfig) -> aws_sdk_sfn::Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).operation_timeout(PATIENCE);
    let retries = RetryConfig::standard()
        .with_max_attempts(PATIENT_ATTEMPTS)
        .with_initial_backoff(PATIENT_FIRST_BACK_OFF)
        .with_max_backoff(PATIENT_LONGEST_BACK_OFF);
    let config = aws_sdk_sfn::config::Builder::from(config).timeout_config(timeouts.build()).retry_config(retries);
    aws_sdk_sfn::Client::from_conf(config.build())
}

/// An SNS client with the limits of `config`.
#[must_use]
pub fn sns(config: &SdkConfig) -> aws_sdk_sns::Client {
    aws_sdk_sns::Client::new(config)
}

/// An EventBridge client with the limits of `config`.
#[must_use]
pub fn eventbridge(config: &SdkConfig) -> aws_sdk_eventbridge::Client {
    aws_sdk_eventbridge::Client::new(config)
}

/// A Secrets Manager client with the limits of `config`.
#[must_use]
pub fn secrets_manager(config: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(config)
}

/// A client of CloudFront's KeyValueStore with the limits of `config`. The store's API is at a host that contains the account's
/// number. Where another endpoint is configured, such as an emulator, that is asked as it is.
#[must_use]
pub fn edge_store(config: &SdkConfig) -> aws_sdk_cloudfrontkeyvaluestore::Client {
    let builder = aws_sdk_cloudfrontkeyvaluestore::config::Builder::from(config);
    let builder = match config.endpoint_url() {
        Some(url) => builder.endpoint_resolver(FixedEndpoint(url.to_owned())),
        None => builder,
    };
    aws_sdk_cloudfrontkeyvaluestore::Client::from_conf(builder.build())
}

/// An endpoint without the account's number before its host.
#[derive(Debug)]
struct FixedEndpoint(String);

impl ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        let scheme = HashMap::from([
            ("name".to_owned(), Document::from("sigv4a")),
            ("signingName".to_owned(), Document::from("cloudfront-keyvaluestore")),
            ("signingRegionSet".to_owned(), Document::Array(vec![Document::from("*")])),
        ]);
        let endpoint = Endpoint::builder().url(self.0.clone());
        EndpointFuture::ready(Ok(endpoint.property("authSchemes", vec![Document::Object(scheme)]).build()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_operation_with_all_its_attempts_ends_before_an_http_function_does() {
        let config = aws().await;
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION));
        assert!(timeouts.operation_timeout() < Some(Duration::from_secs(5)));
        assert!(timeouts.operation_attempt_timeout() < timeouts.operation_timeout());
        assert_eq!(config.retry_config().unwrap().max_attempts(), ATTEMPTS);
    }
}
