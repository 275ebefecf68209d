//! AWS clients, configured once for all functions.
//!
//! The bounds belong together: three attempts of at most 2 s inside an operation of at most 4 s. Several slow operations in a
//! row are more than an HTTP function has (5 s); [`serve`](crate::serve) then answers `try-again` before Lambda cuts it off.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};

const CONNECT: Duration = Duration::from_secs(1);
const ATTEMPT: Duration = Duration::from_secs(2);
const OPERATION: Duration = Duration::from_secs(4);
const ATTEMPTS: u32 = 3;
/// A shopper waits for the answer: the SDK's own first back-off of a second would be most of the time there is.
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(1);

/// Inside the 30 s of a queue worker.
const PATIENCE: Duration = Duration::from_secs(25);
const PATIENT_ATTEMPTS: u32 = 10;
const PATIENT_FIRST_BACK_OFF: Duration = Duration::from_millis(500);
const PATIENT_LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

/// Region, credentials and endpoint from the function's environment, with our bounds on time and attempts.
pub async fn aws() -> SdkConfig {
    let (timeouts, retries) = bounds();
    // A fixed version: "latest" would change behaviour with an update of the SDK.
    aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).retry_config(retries).load().await
}

/// Our bounds on time and attempts, also for clients on another wire.
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

/// A DynamoDB client.
#[must_use]
pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(config)
}

/// An SQS client.
#[must_use]
pub fn sqs(config: &SdkConfig) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(config)
}

/// A Step Functions client.
#[must_use]
pub fn sfn(config: &SdkConfig) -> aws_sdk_sfn::Client {
    aws_sdk_sfn::Client::new(config)
}

/// A Step Functions client for a queue worker. An account starts some hundred executions a second, and a worker that is
/// told to slow down does better to wait than to let its message wait for minutes.
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

/// An SNS client.
#[must_use]
pub fn sns(config: &SdkConfig) -> aws_sdk_sns::Client {
    aws_sdk_sns::Client::new(config)
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
