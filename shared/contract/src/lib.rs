//! The HTTP contract: every route with its requests, views and refusals. `docs/openapi.json` is generated from it.

mod attempt;
mod challenge;
pub mod csv;
mod description;
mod draw;
mod ended_holds;
mod gate;
mod gateway;
mod health;
mod object;
mod openapi;
mod operating;
mod order;
mod payment;
pub mod problems;
mod rate_limit;
mod received;
mod refund;
mod refusal;
mod report;
mod requests;
mod reservation;
mod route;
mod routes;
mod sale;
mod schemas;
mod whole;

pub use challenge::{ChallengeView, PROOF_OF_WORK, solution};
pub use description::TypeSchema;
pub use draw::DrawView;
pub use ended_holds::EndedHoldsView;
pub use gate::GateValue;
pub use gateway::gateway_model;
pub use health::HealthView;
pub use openapi::openapi;
pub use operating::{
    ListedStatus, OPERATORS, OrderQuery, RestockRequest, SaleRequest, WhichOrders, idempotency_key, new_product_path,
};
pub use order::{CheckoutDetails, CheckoutRequest, OrderAccepted, OrderView, OrdersView, PlaceOrderRequest, ShippingAddress};
pub use payment::{ActionView, DecimalAmount, PaymentRequest, PaymentView, action};
pub use rate_limit::rate_limit_headers;
pub use received::ReceivedView;
pub use refund::OrderRefundRequest;
pub use refusal::{Holds, Refusal};
pub use report::ReportView;
pub use requests::{id_path, product_path, same_product};
pub use reservation::{ReservationView, ReserveRequest, ReservedView};
pub use route::{Answer, Body, Group, Method, Parameter, Place, Route};
pub use routes::routes;
pub use sale::{HoldsView, InventoryView, SaleView, SalesView, listed_state};

use domain::Timestamp;
pub use domain::to_the_millisecond as time;

/// A time that an operator sent, with every digit: a sale that is read and sent back is the same sale.
pub(crate) fn sent_time(at: Timestamp) -> String {
    at.to_string()
}
