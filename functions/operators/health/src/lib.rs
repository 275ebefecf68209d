//! `GET /health`: whether the service answers. `?deep=true` also asks the three tables and the orders queue.

use std::{error::Error, future::Future};

use aws_sdk_sqs::types::QueueAttributeName;
use kit::{ConfigurationError, Environment, Problem, Request, Response, http};
use serde_json::json;
use tracing::error;

/// The function, with what it stands on.
pub struct Health {
    /// For the tables.
    pub store: store::Client,
    /// For the queue.
    pub sqs: aws_sdk_sqs::Client,
    /// The stock table's name.
    pub stock_table: String,
    /// The reservation table's name.
    pub reservation_table: String,
    /// The order table's name.
    pub order_table: String,
    /// The queue that checkout sends orders to.
    pub orders_queue_url: String,
}

impl Health {
    /// The function as it is deployed.
    ///
    /// # Errors
    /// Names every variable that is missing.
    pub async fn from_environment() -> Result<Self, ConfigurationError> {
        let mut env = Environment::read();
        let stock_table = env.text("STOCK_TABLE");
        let reservation_table = env.text("RESERVATION_TABLE");
        let order_table = env.text("ORDER_TABLE");
        let orders_queue_url = env.text("ORDERS_QUEUE_URL");
        env.finish()?;
        let aws = kit::aws().await;
        let (store, sqs) = (kit::dynamodb(&aws), kit::sqs(&aws));
        Ok(Self { store, sqs, stock_table, reservation_table, order_table, orders_queue_url })
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response {
        let deep = http::query_parameter(&request, "deep") == Some("true");
        let failed = if deep { self.failed_dependencies().await } else { Vec::new() };
        let result = if failed.is_empty() {
            Ok(http::ok_json(200, &json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})))
        } else {
            Err(Problem::new(503, "unhealthy", "Something that the service needs does not answer").member("failed", failed))
        };
        http::answer(&request, result)
    }

    /// Asks everything at the same time, so that the answer takes as long as the slowest.
    async fn failed_dependencies(&self) -> Vec<&'static str> {
        // Boxed: a call of the SDK is a future of ten kilobytes.
        let table = |table| Box::pin(store::touch(&self.store, table));
        let queue = self
            .sqs
            .get_queue_attributes()
            .queue_url(&self.orders_queue_url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .send();
        let answers = tokio::join!(
            ask("stock table", table(&self.stock_table)),
            ask("reservation table", table(&self.reservation_table)),
            ask("order table", table(&self.order_table)),
            ask("orders queue", Box::pin(queue)),
        );
        [answers.0, answers.1, answers.2, answers.3].into_iter().flatten().collect()
    }
}

/// The name of what failed, if it did. Why is for the log.
async fn ask<T, E: Error + 'static>(name: &'static str, call: impl Future<Output = Result<T, E>>) -> Option<&'static str> {
    let failure = call.await.err()?;
    error!(dependency = name, cause = kit::chain(&failure), "a dependency does not answer");
    Some(name)
}

#[cfg(test)]
mod tests;
