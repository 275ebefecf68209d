//! Every fault is named, and each part asks for its own variables.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use test_aws::{CountingRandomness, FixedClock};

use super::*;

fn parts(variables: &[(&str, &str)]) -> Parts {
    let clock = FixedClock::at("2026-11-01T12:00:00Z");
    // This configuration reaches no endpoint: parts make no call.
    let aws = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12()).build();
    Parts::new(Configuration::of(variables.iter().copied()), aws, Arc::new(clock), Arc::new(CountingRandomness::new()))
}

#[test]
fn all_that_is_missing_is_named_at_once_and_a_shared_variable_once() {
    let mut parts = parts(&[("ORDER_TABLE", "orders")]);
    let function = (parts.sales(), parts.stock(), parts.orders(), parts.orders_queue(), parts.notifications());
    let error = parts.finish(function).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the configuration is not usable: STOCK_TABLE is missing; ORDERS_QUEUE_URL is missing; \
         NOTIFICATIONS_TOPIC_ARN is missing"
    );
    let asked = ["NOTIFICATIONS_TOPIC_ARN", "ORDERS_QUEUE_URL", "ORDER_TABLE", "STOCK_TABLE"];
    assert!(parts.variables().iter().eq(asked), "{:?}", parts.variables());
}

#[test]
fn a_fault_of_one_function_is_not_held_against_the_next() {
    let mut parts = parts(&[("STOCK_TABLE", "stock")]);
    let orders = parts.orders();
    assert!(parts.finish(orders).is_err());
    let sales = parts.sales();
    assert!(parts.finish(sales).is_ok());
}

/// Attempts, and the time of an operation with all of them.
macro_rules! limits {
    ($client:expr) => {{
        let client = $client;
        let (retries, timeouts) = (client.config().retry_config(), client.config().timeout_config());
        (retries.unwrap().max_attempts(), timeouts.unwrap().operation_timeout().unwrap())
    }};
}

#[test]
fn every_client_gives_up_soon_except_that_of_a_queue_worker_for_step_functions() {
    let (timeouts, retries) = kit::bounds();
    let aws = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12());
    let aws = aws.timeout_config(timeouts).retry_config(retries).build();
    let (soon, patient) = ((3, Duration::from_secs(4)), (10, Duration::from_secs(25)));
    assert_eq!([limits!(aws.dynamodb()), limits!(aws.sqs()), limits!(aws.sns()), limits!(aws.sfn())], [soon; 4]);
    assert_eq!(limits!(aws.patient_sfn()), patient);

    let configuration = Configuration::of([("STATE_MACHINE_ARN", "arn:aws:states:::PaymentSaga")]);
    let clock = Arc::new(FixedClock::at("2026-11-01T12:00:00Z"));
    let mut parts = Parts::new(configuration, aws, clock, Arc::new(CountingRandomness::new()));
    assert_eq!(limits!(parts.payment_saga().client), soon);
    assert_eq!(limits!(parts.patient_payment_saga().client), patient);
}

#[test]
fn the_header_is_trusted_in_the_local_stage_only() {
    let identity = |variables: &[(&str, &str)]| {
        let mut parts = parts(variables);
        let identity = parts.identity();
        parts.finish(identity)
    };
    assert_eq!(identity(&[]), Ok(Identity::ClaimsOnly));
    assert_eq!(identity(&[("TRUST_USER_ID_HEADER", "false"), ("ENVIRONMENT", "prod")]), Ok(Identity::ClaimsOnly));
    assert_eq!(identity(&[("TRUST_USER_ID_HEADER", "true"), ("ENVIRONMENT", "local")]), Ok(Identity::TrustingHeader));
    for stage in ["staging", "prod", "Local", ""] {
        assert!(identity(&[("TRUST_USER_ID_HEADER", "true"), ("ENVIRONMENT", stage)]).is_err(), "{stage}");
    }
    assert!(identity(&[("TRUST_USER_ID_HEADER", "yes")]).is_err());
}

#[test]
fn gateways_are_those_that_are_listed_and_prod_has_no_sandbox() {
    let gateways = |names: &str, stage: &str| {
        let mut parts = parts(&[("ORDER_TABLE", "orders"), ("PAYMENT_GATEWAYS", names), ("ENVIRONMENT", stage)]);
        let gateways = parts.gateways();
        parts.finish(gateways).map(|gateways| (0..).map_while(|n| Some(gateways.at(n)?.name().0.clone())).collect::<Vec<_>>())
    };
    assert_eq!(gateways("sandbox, sandbox-standby", "local").unwrap(), ["sandbox", "sandbox-standby"]);
    for (names, stage, fault) in [
        ("sandbox", "prod", "PAYMENT_GATEWAYS: there is no payment gateway \"sandbox\""),
        ("sandbox,stripe", "dev", "PAYMENT_GATEWAYS: there is no payment gateway \"stripe\""),
        ("", "dev", "PAYMENT_GATEWAYS is missing"),
        ("sandbox", "", "ENVIRONMENT is missing"),
    ] {
        let error = gateways(names, stage).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the configuration is not usable: {fault}")), "{error}");
    }
}

/// Two functions with different variables, so that a fault shows which function was chosen.
const REGISTRY: Registry = &[
    ("get-sale", |parts| {
        let sales = parts.sales();
        parts.finish(sales).map(|_| nothing())
    }),
    ("get-order", |parts| {
        let orders = parts.orders();
        parts.finish(orders).map(|_| nothing())
    }),
];

fn nothing() -> kit::Function {
    kit::Function::Schedule(Box::new(|_| Box::pin(async { Ok(()) })))
}

#[test]
fn the_handler_names_the_function_that_is_wired() {
    let chosen = |variables: &[(&str, &str)]| registry::chosen(REGISTRY, &mut parts(variables)).map(|_| ());
    let fault = |variables| chosen(variables).unwrap_err().to_string();
    assert_eq!(chosen(&[("_HANDLER", "get-sale"), ("STOCK_TABLE", "stock")]), Ok(()));
    assert_eq!(fault(&[("_HANDLER", "get-order")]), "the configuration is not usable: ORDER_TABLE is missing");
    for (variables, found) in [
        (&[("_HANDLER", "get-sales"), ("STOCK_TABLE", "stock")][..], "\"get-sales\""),
        (&[("_HANDLER", "GET-SALE")], "\"GET-SALE\""),
        (&[("_HANDLER", "")], "missing"),
        (&[], "missing"),
    ] {
        let expected = format!("the configuration is not usable: _HANDLER is {found}: this bootstrap serves get-sale, get-order");
        assert_eq!(fault(variables), expected);
    }
}
