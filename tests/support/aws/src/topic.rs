//! SNS in this process, behind the real client.

use crate::{kept::service, wire::form_field};

/// A published notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The ARN of the topic that it was published to.
    pub topic_arn: String,
    /// The subject, if any.
    pub subject: Option<String>,
    /// The text.
    pub message: String,
}

service! {
    /// Topics of any ARN. Keeps the notifications.
    Topic(Published), aws_sdk_sns
}

impl Topic {
    /// All notifications, in order.
    pub fn published(&self) -> Vec<Published> {
        self.0.all()
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
