//! Where a function's AWS clients come from.

use aws_config::SdkConfig;

/// Makes AWS clients.
pub trait Aws: Send {
    /// DynamoDB.
    fn dynamodb(&self) -> aws_sdk_dynamodb::Client;

    /// SQS.
    fn sqs(&self) -> aws_sdk_sqs::Client;

    /// Step Functions, for a run that has other things to do when it is told to slow down.
    fn sfn(&self) -> aws_sdk_sfn::Client;

    /// Step Functions, for a queue worker: it waits when it is told to slow down.
    fn patient_sfn(&self) -> aws_sdk_sfn::Client;

    /// SNS.
    fn sns(&self) -> aws_sdk_sns::Client;
}

impl Aws for SdkConfig {
    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        kit::dynamodb(self)
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        kit::sqs(self)
    }

    fn sfn(&self) -> aws_sdk_sfn::Client {
        kit::sfn(self)
    }

    fn patient_sfn(&self) -> aws_sdk_sfn::Client {
        kit::patient_sfn(self)
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        kit::sns(self)
    }
}
