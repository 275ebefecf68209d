//! SNS in this process, behind the real client.

use crate::{
    calls::Calls,
    kept::Kept,
    wire::{NOWHERE, client, form_field},
};

/// A published notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The topic.
    pub topic_arn: String,
    /// The subject, if any.
    pub subject: Option<String>,
    /// The text.
    pub message: String,
}

/// Topics of any ARN. Keeps the notifications.
#[derive(Clone, Default)]
pub struct Topic(Kept<Published>);

impl Topic {
    /// A client that counts its requests in `calls`.
    pub fn client_with(&self, calls: &Calls) -> aws_sdk_sns::Client {
        client!(aws_sdk_sns, self.0.wire(calls, serve, BROKEN), calls, NOWHERE)
    }

    /// All notifications, in order.
    pub fn published(&self) -> Vec<Published> {
        self.0.all()
    }

    /// Breaks the service, so that every request fails. False: repairs it.
    pub fn fail(&self, broken: bool) {
        self.0.fail(broken);
    }
}

const BROKEN: &str = "<ErrorResponse><Error><Type>Receiver</Type><Code>InternalError</Code><Message>broken</Message></Error>\
    <RequestId>1</RequestId></ErrorResponse>";

fn serve(published: &mut Vec<Published>, operation: &str, body: &[u8]) -> (u16, String) {
    assert_eq!(operation, "Publish", "the topic of the testkit knows nothing else");
    let field = |name| form_field(body, name);
    published.push(Published {
        topic_arn: field("TopicArn").unwrap_or_default(),
        subject: field("Subject"),
        message: field("Message").unwrap_or_default(),
    });
    let result = format!("<PublishResult><MessageId>{}</MessageId></PublishResult>", published.len());
    (200, format!("<PublishResponse>{result}</PublishResponse>"))
}
