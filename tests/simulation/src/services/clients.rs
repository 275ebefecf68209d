//! The real clients of AWS and of the payment providers as in production, with wires that end in this process.

use std::sync::Weak;

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, SharedCredentialsProvider, retry::RetryPartition,
};
use kit::aws_config::SdkConfig;

use parts::Aws;

use crate::{
    services::{calls::Calls, wire::Wire},
    world::World,
};

/// The clients that all functions of one history share. The wire finds the caller from the task that makes the call.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    sfn: aws_sdk_sfn::Client,
    patient_sfn: aws_sdk_sfn::Client,
    sns: aws_sdk_sns::Client,
    eventbridge: aws_sdk_eventbridge::Client,
    secrets_manager: aws_sdk_secretsmanager::Client,
    edge_store: aws_sdk_cloudfrontkeyvaluestore::Client,
    providers: payments::Http,
}

/// A client without the state that the SDK shares in the process: retry budgets that other histories have used up. Its
/// tokens and its jitter come from this thread's generator.
macro_rules! alone {
    ($sdk:ident, $client:expr) => {{
        let config = $client.config().to_builder().retry_partition(RetryPartition::custom("history").build());
        let config = config.identity_cache(IdentityCache::no_cache());
        $sdk::Client::from_conf(config.build())
    }};
}

impl Clients {
    /// Clients whose requests go to `world`.
    pub(crate) fn on(world: &Weak<World>) -> Self {
        let (timeouts, retries) = kit::bounds();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "s", None, None, "simulation")))
            .endpoint_url("http://in-process.invalid")
            .timeout_config(timeouts)
            .retry_config(retries)
            .http_client(Wire::to(world))
            .build();
        Self {
            dynamodb: alone!(aws_sdk_dynamodb, kit::dynamodb(&config)),
            sqs: alone!(aws_sdk_sqs, kit::sqs(&config)),
            sfn: alone!(aws_sdk_sfn, kit::sfn(&config)),
            patient_sfn: alone!(aws_sdk_sfn, kit::patient_sfn(&config)),
            sns: alone!(aws_sdk_sns, kit::sns(&config)),
            eventbridge: alone!(aws_sdk_eventbridge, kit::eventbridge(&config)),
            secrets_manager: alone!(aws_sdk_secretsmanager, kit::secrets_manager(&config)),
            edge_store: alone!(aws_sdk_cloudfrontkeyvaluestore, kit::edge_store(&config)),
            providers: Calls::to(world),
        }
    }
}

impl Aws for Clients {
    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.clone()
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        self.sqs.clone()
    }

    fn sfn(&self) -> aws_sdk_sfn::Client {
        self.sfn.clone()
    }

    fn patient_sfn(&self) -> aws_sdk_sfn::Client {
        self.patient_sfn.clone()
    }

    fn sns(&self) -> aws_sdk_sns::Client {
        self.sns.clone()
    }

    fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        self.eventbridge.clone()
    }

    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        self.secrets_manager.clone()
    }

    /// The simulation has no edge stack: no function asks for it.
    fn edge_store(&self) -> aws_sdk_cloudfrontkeyvaluestore::Client {
        self.edge_store.clone()
    }

    fn providers(&self) -> payments::Http {
        self.providers.clone()
    }
}
