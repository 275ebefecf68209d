//! The parts of a function that fetches documents and calls no service of AWS.

use kit::Https;
use parts::Aws;

/// Nothing but documents. A function that makes a client for a service of AWS fails the test.
pub struct OnlyDocuments(pub Https);

impl Aws for OnlyDocuments {
    fn dynamodb(&self) -> store::Client {
        panic!("the function has no table")
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        panic!("the function has no queue")
    }

    fn sfn(&self) -> aws_sdk_sfn::Client {
        panic!("the function has no state machine")
    }

    fn patient_sfn(&self) -> aws_sdk_sfn::Client {
        panic!("the function has no state machine")
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        panic!("the function has no topic")
    }

    fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        panic!("the function has no bus")
    }

    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        panic!("the function has no secret")
    }

    fn edge_store(&self) -> aws_sdk_cloudfrontkeyvaluestore::Client {
        panic!("the function has no key-value store")
    }

    fn https(&self) -> Https {
        self.0.clone()
    }
}
