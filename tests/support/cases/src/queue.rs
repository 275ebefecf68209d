//! A message as SQS sends it to Lambda.

use serde_json::{Value, json};

use crate::{ids, json::sorted, values::START_MILLISECONDS};

/// The message at position `at` of a batch; the names are those of function and case.
pub(crate) fn record(names: &[&str; 2], at: usize, queue: &str, body: &Value) -> Value {
    let body = body.as_str().map_or_else(|| sorted(body.clone()).to_string(), str::to_owned);
    let (place, sent_at) = (at.to_string(), START_MILLISECONDS + i64::try_from(at).unwrap());
    let of = |what: &str| ids::uuid(&[names[0], names[1], &place, what]);
    json!({
        "messageId": of("message"),
        "receiptHandle": aws_smithy_types::base64::encode(of("receipt").repeat(2)),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent_at.to_string(),
            "SenderId": "AROAEXAMPLEEXAMPLE:flash-sale",
            "ApproximateFirstReceiveTimestamp": (sent_at + 12).to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": ids::digest(&body),
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:flash-sale-{queue}"),
        "awsRegion": "us-east-1",
    })
}
