//! Queues and clock as functions are given them.

use std::sync::Arc;

use domain::Clock;
use messages::{ExpiryQueue, OrdersQueue};
use serde_json::Value;
use test_aws::Calls;

use crate::Shop;

const ORDERS: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/orders";
const EXPIRY: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/expiry";

impl Shop {
    /// The clock, for a function.
    pub fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    /// The queue of orders, counted by `calls`.
    pub fn orders_queue(&self, calls: &Calls) -> OrdersQueue {
        OrdersQueue::new(self.queue.client_with(calls), ORDERS)
    }

    /// The queue of holds that end, counted by `calls`.
    pub fn expiry_queue(&self, calls: &Calls) -> ExpiryQueue {
        ExpiryQueue::new(self.queue.client_with(calls), EXPIRY)
    }

    /// What was sent to the queue of orders.
    pub fn orders_sent(&self) -> Vec<Value> {
        self.sent_to(ORDERS)
    }

    /// What was sent to the queue of holds that end.
    pub fn expiries_sent(&self) -> Vec<Value> {
        self.sent_to(EXPIRY)
    }

    fn sent_to(&self, url: &str) -> Vec<Value> {
        self.queue.sent().into_iter().filter(|sent| sent.queue_url == url).map(|sent| sent.body).collect()
    }
}
