//! The list of targets.

use crate::{bodies, configuration, functions, messages, providers, stored, texts, tokens, webhooks, work};

/// A parser under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name in `cargo fuzz run <name>`.
    pub name: &'static str,
    /// Reads an input and returns whether the parser took it. Panics on a finding.
    pub run: fn(&[u8]) -> bool,
    /// Inputs to begin with. The parser takes at least one of them.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The number of inputs in `cargo test`: few for a target that is slow.
    pub inputs: usize,
}

/// The target with this name.
pub fn named(name: &str) -> Target {
    *TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name}"))
}

/// Makes the list, and a test of each of its targets.
macro_rules! targets {
    ($($(#[doc = $says:literal])* $name:ident: $module:ident::$run:ident from $seeds:ident, $inputs:literal;)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[
            $(Target { name: stringify!($name), run: $module::$run, seeds: $module::$seeds, inputs: $inputs },)*
        ];

        #[cfg(test)]
        mod short_run {
            $($(#[doc = $says])* #[test] fn $name() { crate::driver::passes(&super::named(stringify!($name))); })*
        }
    };
}

targets! {
    /// Bodies of `POST /reserve-inventory` and `POST /add-to-cart`.
    reserve_body: bodies::reserve from reserve_seeds, 600;
    /// Bodies of `POST /checkout`.
    checkout_body: bodies::checkout from checkout_seeds, 600;
    /// Bodies of `POST /api/flash-sales/{product_id}/order`.
    place_order_body: bodies::place_order from place_order_seeds, 600;
    /// Bodies of `POST /payment`.
    payment_body: bodies::payment from payment_seeds, 600;
    /// Bodies of `PUT /admin/flash-sales/{product_id}`.
    sale_body: bodies::sale from sale_seeds, 600;
    /// Bodies of `POST /admin/flash-sales/{product_id}/restock`.
    restock_body: bodies::restock from restock_seeds, 600;
    /// Bodies of `POST /admin/orders/{order_id}/refund`.
    refund_body: bodies::refund from refund_seeds, 600;
    /// Ids, keys, tokens of payment methods, currencies, amounts and accounts as texts.
    texts: texts::texts from seeds, 4000;
    /// Whole tokens.
    token: tokens::token from token_seeds, 1500;
    /// Claims that the issuer has signed.
    claims: tokens::claims from claims_seeds, 800;
    /// Headers of tokens that the issuer has signed.
    token_header: tokens::header from header_seeds, 800;
    /// Solutions of challenges.
    solution: work::solution from solution_seeds, 1000;
    /// Key sets of issuers.
    key_set: tokens::key_set from key_set_seeds, 800;
    /// What API Gateway hands on of the authorizer's answer.
    grant: tokens::grant from grant_seeds, 1500;
    /// Stripe's events with their signatures.
    stripe_webhook: webhooks::stripe from stripe_seeds, 1500;
    /// Stripe's events that are truly signed.
    stripe_event: webhooks::stripe_event from event_seeds, 1000;
    /// PayPal's events with their headers.
    paypal_webhook: webhooks::paypal from paypal_seeds, 500;
    /// PayPal's events that are truly signed.
    paypal_event: webhooks::paypal_event from event_seeds, 150;
    /// What is at the address of PayPal's certificate.
    paypal_certificate: webhooks::certificate from certificate_seeds, 500;
    /// Stripe's answers.
    stripe_answer: providers::stripe from stripe_seeds, 1000;
    /// PayPal's answers.
    paypal_answer: providers::paypal from paypal_seeds, 600;
    /// The accounts' keys in Secrets Manager.
    provider_keys: providers::keys from key_seeds, 1000;
    /// Bodies of queue messages.
    message: messages::message from message_seeds, 2000;
    /// Input of the saga's tasks.
    task: messages::task from task_seeds, 1000;
    /// Values in the KeyValueStore of the gate at the edge.
    gate_value: messages::gate_value from gate_value_seeds, 2000;
    /// Items of the tables.
    item: stored::item from item_seeds, 700;
    /// Images in records of the tables' streams.
    image: stored::image from item_seeds, 1500;
    /// Variables of the functions.
    variables: configuration::variables from variable_seeds, 500;
    /// Whole events of API Gateway, of queues, of streams and of the state machine, at the functions themselves.
    event: functions::event from event_seeds, 3000;
}
