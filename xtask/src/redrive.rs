//! `cargo xtask redrive`: sends the messages of a dead-letter queue of the stack on this machine to their queue again.
//!
//! For a stack on AWS there is `aws sqs start-message-move-task`; the emulator does not know that operation.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::aws;
use crate::stack::Stack;

/// Messages of one call: the most that SQS gives.
const PAGE: u32 = 10;

/// Send dead letters to their queue again, once their cause is mended
///
/// A message may be sent twice if this is interrupted; whoever reads it can take that.
#[derive(Args)]
pub(crate) struct Redrive {
    /// Whose dead letters
    #[arg(value_enum)]
    queue: Queue,
}

#[derive(Clone, Copy, ValueEnum)]
enum Queue {
    /// Orders whose payment could not be started
    Orders,
    /// Ends of holds
    Expiry,
}

impl Redrive {
    pub(crate) fn run(self) -> Result<()> {
        let Some(stack) = Stack::running() else {
            bail!("no stack is up; `cargo xtask up --detach` starts one");
        };
        let (from, to) = match self.queue {
            Queue::Orders => (&stack.orders_dead_letter_queue_url, &stack.orders_queue_url),
            Queue::Expiry => (&stack.expiry_dead_letter_queue_url, &stack.expiry_queue_url),
        };
        // What is there now: a message that ends there again meanwhile is not sent round and round.
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

/// Messages that wait in a queue.
fn waiting(queue: &str) -> Result<u32> {
    const COUNT: &str = "ApproximateNumberOfMessages";
    let answer = aws::sqs("GetQueueAttributes", &json!({"QueueUrl": queue, "AttributeNames": [COUNT]}))?;
    let count = answer.pointer(&format!("/Attributes/{COUNT}")).and_then(Value::as_str);
    count.and_then(|count| count.parse().ok()).with_context(|| format!("{queue} does not say how many messages wait: {answer}"))
}
