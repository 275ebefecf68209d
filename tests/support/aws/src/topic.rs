//! SNS in the process, behind the real client.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    calls::Calls,
    wire::{NOWHERE, Service, Wire, client, form_field},
};

/// A notification as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The topic.
    pub topic_arn: String,
    /// The subject, when there is one.
    pub subject: Option<String>,
    /// The text.
    pub message: String,
}

/// Topics of any ARN. Keeps what was published.
#[derive(Clone)]
pub struct Topic {
    published: Arc<Mutex<Vec<Published>>>,
    broken: Arc<AtomicBool>,
    service: Service,
}

impl Default for Topic {
    fn default() -> Self {
        Self::new()
    }
}

impl Topic {
    /// Nothing published.
    pub fn new() -> Self {
        let (published, broken) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let service: Service = {
            let (published, broken) = (Arc::clone(&published), Arc::clone(&broken));
            Arc::new(move |operation, body| {
                assert_eq!(operation, "Publish", "the topic of the testkit knows nothing else");
                if broken.load(Ordering::Relaxed) {
                    let error = "<Error><Type>Receiver</Type><Code>InternalError</Code><Message>broken</Message></Error>";
                    return (500, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"));
                }
                let field = |name| form_field(body, name);
                let mut published = published.lock().unwrap();
                published.push(Published {
                    topic_arn: field("TopicArn").unwrap_or_default(),
                    subject: field("Subject"),
                    message: field("Message").unwrap_or_default(),
                });
                let result = format!("<PublishResult><MessageId>{}</MessageId></PublishResult>", published.len());
                (200, format!("<PublishResponse>{result}</PublishResponse>"))
            })
        };
        Self { published, broken, service }
    }

    /// A client whose calls nobody counts.
    pub fn client(&self) -> aws_sdk_sns::Client {
        self.client_with(&Calls::new())
    }

    /// A client that counts its calls there.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_sns::Client {
        client!(aws_sdk_sns, Wire::in_process(&self.service, calls), calls, NOWHERE)
    }

    /// Everything that was published, in order.
    pub fn published(&self) -> Vec<Published> {
        self.published.lock().unwrap().clone()
    }

    /// Whether every request fails from now on.
    pub fn fail(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }
}
