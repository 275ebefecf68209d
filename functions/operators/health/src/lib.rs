//! `GET /health`: whether the service answers. `GET /admin/health`, for operators: whether the three tables and the orders queue
//! answer, too.

use std::{error::Error, future::Future};

use aws_sdk_sqs::types::QueueAttributeName;
use contract::{HealthView, OPERATORS, problems};
use kit::{HttpFunction, Identity, Problem, Request, Response, http};
use parts::{FromParts, Parts};
use tracing::error;

/// The route of the deep check. It costs four requests, so it is not for anyone.
const DEEP_CHECK: &str = "/admin/health";

/// The Lambda handler and its dependencies.
pub struct Health {
    identity: Identity,
    store: store::Client,
    sqs: aws_sdk_sqs::Client,
    stock_table: String,
    reservation_table: String,
    order_table: String,
    orders_queue_url: String,
}

impl FromParts for Health {
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            identity: parts.identity(),
            store: parts.dynamodb(),
            sqs: parts.sqs(),
            stock_table: parts.stock_table(),
            reservation_table: parts.reservation_table(),
            order_table: parts.order_table(),
            orders_queue_url: parts.orders_queue_url(),
        }
    }
}

impl HttpFunction for Health {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let failed = if http::route(request) == DEEP_CHECK {
            self.identity.operator(request, OPERATORS)?;
            self.failed_dependencies().await
        } else if http::query_parameter(request, "deep") == Some("true") {
            return Err(Problem::forbidden(format!("the deep check is GET {DEEP_CHECK}, for operators")));
        } else {
            Vec::new()
        };
        if failed.is_empty() {
            Ok(http::ok_json(200, &HealthView::ok(env!("CARGO_PKG_VERSION"))))
        } else {
            Err(problems::unhealthy(failed))
        }
    }
}

impl Health {
    /// The names of the dependencies that do not answer. Asks all at once: the answer takes as long as the slowest.
    async fn failed_dependencies(&self) -> Vec<&'static str> {
        // Boxed: the future of an SDK call has ten kilobytes.
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

/// The name of a dependency whose call failed. The log says why.
async fn ask<T, E: Error + 'static>(name: &'static str, call: impl Future<Output = Result<T, E>>) -> Option<&'static str> {
    let failure = call.await.err()?;
    error!(dependency = name, cause = kit::chain(&failure), "a dependency does not answer");
    Some(name)
}
