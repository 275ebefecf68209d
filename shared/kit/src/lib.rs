//! The runtime kit: what every function needs besides its decision.
//!
//! Only the kit reads the wall clock, the environment variables and the operating system's randomness. It builds AWS
//! clients, HTTP problems and batch responses, and writes metrics and logs. It knows no sale, no stock and no order.

mod authorizer;
mod aws;
mod clock;
mod configuration;
mod failure;
mod function;
pub mod http;
mod https;
pub mod metrics;
mod progress;
mod secrets;
mod serve;
mod telemetry;
pub mod workers;

pub use authorizer::{AuthorizerEvent, NotGranted};
pub use aws::{aws, bounds, dynamodb, edge_store, eventbridge, patient_sfn, secrets_manager, sfn, sns, sqs};
pub use aws_config;
pub use clock::{OsRandomness, SystemClock};
pub use configuration::{Configuration, ConfigurationError};
pub use failure::Failure;
pub use function::{
    AuthorizerFunction, Function, Handler, HttpFunction, QueueFunction, ScheduledFunction, StreamBatchFunction, StreamFunction,
    StreamPartsFunction, TaskFunction,
};
pub use http::{Caller, EdgeSecrets, Identity, Origins, Problem, ProblemKind};
pub use https::{FetchError, Https};
pub use lambda_http::Request;
pub use lambda_runtime::Error;
pub use progress::{Deadline, Progress, Stopped};
pub use secrets::Secrets;
pub use serve::serve;
pub use telemetry::{chain, readable};
pub use workers::{PartFailure, TaskError};

/// The response of an HTTP function.
pub type Response = lambda_http::Response<lambda_http::Body>;
