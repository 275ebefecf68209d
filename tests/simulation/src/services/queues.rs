//! SQS: delivery at least once, in no order, with delays, visibility and dead letters, and the event source mappings
//! that pass messages to their functions. It uses no table: it invokes functions in environments.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use kit::workers::SqsEvent;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{faults::Fault, services::environments, world::World};

pub(crate) const ORDERS: &str = "https://sqs.us-east-1.amazonaws.com/1/orders";
pub(crate) const EXPIRY: &str = "https://sqs.us-east-1.amazonaws.com/1/expiry";
pub(crate) const PAYMENT_EVENTS: &str = "https://sqs.us-east-1.amazonaws.com/1/payment-events";

/// As in the template.
const VISIBILITY: Duration = Duration::from_mins(3);
const MOST_RECEIVES: u32 = 10;
const BATCH: usize = 10;

struct Message {
    body: String,
    visible_at: Duration,
    receives: u32,
}

#[derive(Default)]
struct Queue {
    messages: Mutex<BTreeMap<u64, Message>>,
    sent: Notify,
}

/// SQS: every queue with its messages, until they are deleted or go to the dead-letter queue.
#[derive(Default)]
pub(crate) struct Queues {
    orders: Queue,
    expiry: Queue,
    payment_events: Queue,
    sent: Mutex<u64>,
    dead: Mutex<u64>,
}

impl Queues {
    fn of(&self, url: &str) -> &Queue {
        match url {
            ORDERS => &self.orders,
            EXPIRY => &self.expiry,
            PAYMENT_EVENTS => &self.payment_events,
            other => panic!("there is no queue {other}"),
        }
    }

    /// Number of messages that failed too often.
    pub(crate) fn dead(&self) -> u64 {
        *self.dead.lock().unwrap()
    }

    /// Answers a request. Of a batch, it may take only some messages.
    pub(crate) fn serve(&self, world: &World, operation: &str, request: &Value) -> (u16, String) {
        let url = request["QueueUrl"].as_str().unwrap();
        match operation {
            "SendMessage" => {
                self.send(world, url, request);
                (200, json!({"MessageId": "1", "MD5OfMessageBody": ""}).to_string())
            }
            "SendMessageBatch" => {
                let (mut taken, mut failed) = (Vec::new(), Vec::new());
                let entries = request["Entries"].as_array().unwrap();
                assert_eq!(test_aws::batch_fault(entries), None, "SQS refuses the batch");
                for entry in entries {
                    if world.strikes(Fault::HalfSent) {
                        world.note(|| format!("SQS does not take message {} of a batch", entry["Id"]));
                        failed.push(json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}));
                    } else {
                        self.send(world, url, entry);
                        taken.push(json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": ""}));
                    }
                }
                (200, json!({"Successful": taken, "Failed": failed}).to_string())
            }
            other => panic!("the simulation does not know {other}"),
        }
    }

    /// Takes one message.
    fn send(&self, world: &World, url: &str, message: &Value) {
        let body = message["MessageBody"].as_str().unwrap();
        let delay = message["DelaySeconds"].as_u64().unwrap_or(0);
        assert!(delay <= 900, "SQS refuses a delay of {delay} s");
        if url == EXPIRY && world.strikes(Fault::ExpiryLost) {
            world.note(|| "the message above never arrives".to_owned());
        } else {
            self.put(world, url, body, Duration::from_secs(delay));
            if world.strikes(Fault::MessageDuplicated) {
                self.put(world, url, body, Duration::from_secs(delay));
            }
        }
    }

    fn put(&self, world: &World, url: &str, body: &str, delay: Duration) {
        let id = {
            let mut sent = self.sent.lock().unwrap();
            *sent += 1;
            *sent
        };
        let late = if world.strikes(Fault::MessageDelayed) { (1_000, 200_000) } else { (0, 300) };
        let visible_at = world.time.elapsed() + delay + world.chance.milliseconds(late.0, late.1);
        let queue = self.of(url);
        queue.messages.lock().unwrap().insert(id, Message { body: body.to_owned(), visible_at, receives: 0 });
        queue.sent.notify_one();
    }
}

/// Starts the mappings of the queues.
pub(crate) fn start(world: &Arc<World>) {
    for (url, function) in [(ORDERS, "start-payment"), (EXPIRY, "expire-reservation"), (PAYMENT_EVENTS, "settle-payment")] {
        world.spawn(poll(Arc::clone(world), url, function));
    }
}

/// Passes the visible messages to a function, in several batches at once.
async fn poll(world: Arc<World>, url: &'static str, function: &'static str) {
    loop {
        let queue = world.queues.of(url);
        let next = queue.messages.lock().unwrap().values().map(|message| message.visible_at).min();
        let now = world.time.elapsed();
        match next {
            None => queue.sent.notified().await,
            Some(at) if at > now => {
                tokio::select! {
                    biased;
                    () = queue.sent.notified() => {}
                    () = world.sleep(at.saturating_sub(now)) => {}
                }
            }
            Some(_) => {
                world.pause(1, 120).await;
                let batch = receive(&world, queue);
                if !batch.is_empty() {
                    world.spawn(deliver(Arc::clone(&world), url, function, batch));
                }
            }
        }
    }
}

/// Takes some of the visible messages, in any order, and hides them for a while.
fn receive(world: &World, queue: &Queue) -> Vec<(u64, String)> {
    let now = world.time.elapsed();
    let mut messages = queue.messages.lock().unwrap();
    let mut visible: Vec<u64> = messages.iter().filter(|(_, it)| it.visible_at <= now).map(|(id, _)| *id).collect();
    let mut batch = Vec::new();
    let most = 1 + world.chance.index(BATCH);
    while batch.len() < most && !visible.is_empty() {
        let id = visible.swap_remove(world.chance.index(visible.len()));
        let message = messages.get_mut(&id).unwrap();
        if message.receives == MOST_RECEIVES {
            let message = messages.remove(&id).unwrap();
            *world.queues.dead.lock().unwrap() += 1;
            world.note(|| format!("to the dead letters: {}", message.body));
            continue;
        }
        message.receives += 1;
        message.visible_at = now + VISIBILITY;
        batch.push((id, message.body.clone()));
    }
    batch
}

async fn deliver(world: Arc<World>, url: &'static str, function: &'static str, batch: Vec<(u64, String)>) {
    let records: Vec<Value> = batch.iter().map(|(id, body)| json!({"messageId": id.to_string(), "body": body})).collect();
    let event: SqsEvent = serde_json::from_value(json!({"Records": records})).unwrap();
    let ids: Vec<u64> = batch.iter().map(|(id, _)| *id).collect();
    world.note(|| format!("{function} gets messages {ids:?}"));
    let answer = environments::queue(&world, function, event).await;
    let queue = world.queues.of(url);
    let mut messages = queue.messages.lock().unwrap();
    for (id, _) in batch {
        let has_failed = match &answer {
            Ok(answer) => answer.batch_item_failures.iter().any(|failure| failure.item_identifier == id.to_string()),
            Err(_) => true,
        };
        if has_failed {
            world.note(|| format!("message {id} has failed"));
        } else if world.strikes(Fault::HalfBatch) {
            // The message was handled, and is delivered again.
            world.note(|| format!("message {id} is said to have failed"));
        } else {
            messages.remove(&id);
        }
    }
    queue.sent.notify_one();
}
