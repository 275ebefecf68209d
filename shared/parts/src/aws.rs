//! The source of a function's AWS clients.

use aws_config::SdkConfig;

/// Makes AWS clients.
pub trait Aws: Send {
    /// A DynamoDB client.
    fn dynamodb(&self) -> aws_sdk_dynamodb::Client;

    /// An SQS client.
    fn sqs(&self) -> aws_sdk_sqs::Client;

    /// A Step Functions client that gives up soon when it is throttled, for a run with other work to do.
    fn sfn(&self) -> aws_sdk_sfn::Client;

    /// A Step Functions client that waits when it is throttled, for a queue worker.
    fn patient_sfn(&self) -> aws_sdk_sfn::Client;

    /// An SNS client.
    fn sns(&self) -> aws_sdk_sns::Client;

    /// An EventBridge client.
    fn eventbridge(&self) -> aws_sdk_eventbridge::Client;

    /// A Secrets Manager client.
    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client;

    /// A client of the KeyValueStore of the gate at the edge.
    fn edge_store(&self) -> aws_sdk_cloudfrontkeyvaluestore::Client;

    /// Calls to payment providers.
    fn providers(&self) -> payments::Http {
        payments::Http::deployed()
    }

    /// Documents from the network.
    fn https(&self) -> kit::Https {
        kit::Https::deployed()
    }
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

    fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        kit::eventbridge(self)
    }

    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        kit::secrets_manager(self)
    }

    fn edge_store(&self) -> aws_sdk_cloudfrontkeyvaluestore::Client {
        kit::edge_store(self)
    }
}
