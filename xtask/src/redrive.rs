//! `cargo xtask redrive`: sends the messages of a dead-letter queue of the stack on this machine to their queue again.
//!
//! A stack on AWS has `aws sqs start-message-move-task`, which the emulator does not know.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::aws;
use crate::stack::Stack;

/// Messages per call: the maximum of SQS.
const PAGE: u32 = 10;

/// Send dead letters to their queue again, once their cause is fixed
///
/// If this command is interrupted, a message may be sent twice. Its reader tolerates that.
#[derive(Args)]
pub(crate) struct Redrive {
    /// The queue whose dead letters are sent again
    #[arg(value_enum)]
    queue: Queue,
}

#[derive(Clone, Copy, ValueEnum)]
enum Queue {
    /// Orders whose payment failed to start
    Orders,
    /// Ends of holds
    Expiry,
    /// Hints that payments may have changed
    PaymentEvents,
}

impl Redrive {
    pub(crate) fn run(self) -> Result<()> {
        let Some(stack) = Stack::running() else {
            bail!("no stack is up; `cargo xtask up --detach` starts one");
        };
        let (from, to) = match self.queue {
            Queue::Orders => (&stack.orders_dead_letter_queue_url, &stack.orders_queue_url),
            Queue::Expiry => (&stack.expiry_dead_letter_queue_url, &stack.expiry_queue_url),
            Queue::PaymentEvents => (&stack.payment_events_dead_letter_queue_url, &stack.payment_events_queue_url),
        };
        // Sends only as many messages as are in the queue now, so that a message that returns to it is not sent in an
        // endless loop.
        let mut left = waiting(from)?;
        let mut sent = 0;
        while left > 0 {
            let page = left.min(PAGE);
            let answer = aws::sqs("ReceiveMessage", &json!({"QueueUrl": from, "MaxNumberOfMessages": page}))?;
            let messages = answer.get("Messages").and_then(Value::as_array).cloned().unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            for message in messages {
                aws::sqs("SendMessage", &json!({"QueueUrl": to, "MessageBody": message.get("Body")}))?;
                aws::sqs("DeleteMessage", &json!({"QueueUrl": from, "ReceiptHandle": message.get("ReceiptHandle")}))?;
                sent += 1;
                left = left.saturating_sub(1);
            }
        }
        println!("{sent} message(s) sent again");
        Ok(())
    }
}

/// The number of messages that wait in a queue.
fn waiting(queue: &str) -> Result<u32> {
    const COUNT: &str = "ApproximateNumberOfMessages";
    let answer = aws::sqs("GetQueueAttributes", &json!({"QueueUrl": queue, "AttributeNames": [COUNT]}))?;
    let count = answer.pointer(&format!("/Attributes/{COUNT}")).and_then(Value::as_str);
    count.and_then(|count| count.parse().ok()).with_context(|| format!("{queue} does not say how many messages wait: {answer}"))
}
