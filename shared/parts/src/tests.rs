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
    // Every function asks for the origins that may read its answers.
    let asked = ["ALLOWED_ORIGINS", "NOTIFICATIONS_TOPIC_ARN", "ORDERS_QUEUE_URL", "ORDER_TABLE", "STOCK_TABLE"];
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
        let trusts_header = parts.identity().trusts_header();
        parts.finish(trusts_header)
    };
    assert_eq!(identity(&[]), Ok(false));
    assert_eq!(identity(&[("TRUST_USER_ID_HEADER", "false"), ("ENVIRONMENT", "prod")]), Ok(false));
    assert_eq!(identity(&[("TRUST_USER_ID_HEADER", "true"), ("ENVIRONMENT", "local")]), Ok(true));
    for stage in ["staging", "prod", "Local", ""] {
        assert!(identity(&[("TRUST_USER_ID_HEADER", "true"), ("ENVIRONMENT", stage)]).is_err(), "{stage}");
    }
    assert!(identity(&[("TRUST_USER_ID_HEADER", "yes")]).is_err());
}

/// The fault in the variables of a function that asks gateways, or none.
fn gateway_fault(changed: &[(&str, &str)]) -> Option<String> {
    let variables =
        [("ORDER_TABLE", "orders"), ("PAYMENT_GATEWAYS", "sandbox"), ("PAYMENT_SECRETS", "s/"), ("ENVIRONMENT", "staging")];
    let mut parts = parts(&[&variables[..], changed].concat());
    let gateways = parts.gateways();
    let error = parts.finish(gateways).err()?.to_string();
    Some(error.strip_prefix("the configuration is not usable: ").unwrap().to_owned())
}

#[test]
fn accounts_are_those_that_are_listed_and_prod_has_no_sandbox() {
    for (names, stage) in [
        ("sandbox, sandbox-standby", "local"),
        ("sandbox,stripe=pk_test_1", "staging"),
        ("stripe=pk_live_1,stripe-eu=pk_live_2", "prod"),
    ] {
        assert_eq!(gateway_fault(&[("PAYMENT_GATEWAYS", names), ("ENVIRONMENT", stage)]), None, "{names}");
    }
    for (names, stage, fault) in [
        ("sandbox", "prod", "PAYMENT_GATEWAYS: the sandbox moves no money"),
        ("stripe=pk_test_1", "prod", "PAYMENT_GATEWAYS: stripe has a test key"),
        ("stripe=pk_live_1,sandbox", "prod", "PAYMENT_GATEWAYS: the sandbox moves no money"),
        ("sandbox,adyen=1", "staging", "PAYMENT_GATEWAYS: \"adyen\" is no account"),
        ("stripe", "staging", "PAYMENT_GATEWAYS: stripe has no public key"),
        ("stripe=sk_live_1", "staging", "PAYMENT_GATEWAYS: stripe has a secret key"),
        ("", "staging", "PAYMENT_GATEWAYS is missing"),
        ("sandbox", "", "ENVIRONMENT is missing"),
    ] {
        let found = gateway_fault(&[("PAYMENT_GATEWAYS", names), ("ENVIRONMENT", stage)]).unwrap();
        assert!(found.starts_with(fault) && !found.contains("sk_live"), "{found}");
    }
}

#[test]
fn keys_are_sent_to_https_only_except_on_the_local_stack() {
    for variable in ["STRIPE_URL", "PAYPAL_URL"] {
        assert_eq!(gateway_fault(&[(variable, "http://127.0.0.1:12111"), ("ENVIRONMENT", "local")]), None);
        for url in ["http://127.0.0.1:12111", "api.stripe.com", "ftp://x"] {
            assert_eq!(gateway_fault(&[(variable, url)]), Some(format!("{variable} has to begin with https://")));
        }
    }
}

#[test]
fn payments_per_second_has_a_limit() {
    for (rate, fault) in
        [("500", None), ("0", None), ("501", Some("PAYMENTS_PER_SECOND is at most 500")), ("x", Some("PAYMENTS_PER_SECOND has"))]
    {
        let found = gateway_fault(&[("PAYMENTS_PER_SECOND", rate)]);
        assert_eq!(found.is_some(), fault.is_some(), "{found:?}");
        assert!(found.unwrap_or_default().starts_with(fault.unwrap_or_default()), "{rate}");
    }
}

#[test]
fn the_keys_are_those_of_the_accounts_at_the_provider() {
    let of = |provider| {
        let accounts = "sandbox,stripe=pk_1,paypal=client,stripe-eu=pk_2";
        let mut parts = parts(&[("PAYMENT_GATEWAYS", accounts), ("PAYMENT_SECRETS", "s/"), ("ENVIRONMENT", "staging")]);
        let keys: Vec<Keys<payments::StripeKeys>> = parts.account_keys(provider);
        keys.iter().map(|keys| keys.account().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of(Provider::Stripe), ["stripe", "stripe-eu"]);
    assert_eq!(of(Provider::Paypal), ["paypal"]);
}

#[test]
fn a_paypal_without_tls_is_on_this_machine_and_on_the_local_stack_only() {
    let fault = |stage: &str, url: &str| {
        let mut parts = parts(&[("PAYPAL_URL", url), ("ENVIRONMENT", stage)]);
        let verifier = parts.paypal_verifier();
        parts.finish(verifier).err().map(|error| error.to_string())
    };
    for (stage, url) in [
        ("local", "http://127.0.0.1:12112"),
        ("local", "https://api-m.paypal.com"),
        ("staging", "https://api-m.sandbox.paypal.com"),
        ("prod", "https://api-m.paypal.com"),
    ] {
        assert_eq!(fault(stage, url), None, "{stage} {url}");
    }
    for (stage, url) in [
        ("staging", "http://127.0.0.1:12112"),
        ("prod", "http://127.0.0.1:12112"),
        ("local", "http://10.0.0.1:12112"),
        ("local", "http://paypal.example.com"),
        ("local", "http://127.0.0.1:1@example.com"),
    ] {
        assert!(fault(stage, url).is_some(), "{stage} {url}");
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

/// The fault in the variables of the authorizer, or none.
fn issuer_fault(changed: &[(&str, &str)]) -> Option<String> {
    let variables = [
        ("ENVIRONMENT", "prod"),
        ("CUSTOMER_ISSUER", "https://login.example.com/"),
        ("CUSTOMER_AUDIENCES", "web,app"),
        ("CUSTOMER_KEYS_URL", "https://login.example.com/keys"),
        ("OPERATOR_ISSUER", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a"),
        ("OPERATOR_AUDIENCES", "client"),
        ("OPERATOR_KEYS_URL", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a/.well-known/jwks.json"),
    ];
    let mut parts = parts(&[&variables[..], changed].concat());
    let issuers = parts.trusted_issuers();
    let error = parts.finish(issuers).err()?.to_string();
    Some(error.strip_prefix("the configuration is not usable: ").unwrap().to_owned())
}

#[test]
fn issuers_are_reached_over_tls_and_are_two() {
    assert_eq!(issuer_fault(&[]), None);
    let fault = |changed: (&str, &str)| issuer_fault(&[changed]).unwrap();
    assert_eq!(fault(("CUSTOMER_ISSUER", "")), "CUSTOMER_ISSUER is missing");
    assert_eq!(fault(("CUSTOMER_AUDIENCES", "")), "CUSTOMER_AUDIENCES is missing");
    assert_eq!(fault(("OPERATOR_KEYS_URL", "")), "OPERATOR_KEYS_URL is missing");
    assert_eq!(fault(("CUSTOMER_ISSUER", "http://login.example.com/")), "CUSTOMER_ISSUER: an issuer begins with https://");
    for url in ["http://login.example.com/keys", "http://127.0.0.1:4566/keys", "file:///keys", "//login.example.com/keys"] {
        assert_eq!(fault(("CUSTOMER_KEYS_URL", url)), "CUSTOMER_KEYS_URL has to begin with https://", "{url}");
    }
    let local = |url| issuer_fault(&[("ENVIRONMENT", "local"), ("CUSTOMER_KEYS_URL", url)]);
    assert_eq!(local("http://127.0.0.1:4566/keys"), None);
    assert!(local("http://login.example.com/keys").is_some() && local("http://127.0.0.1.example.com/keys").is_some());
    let pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a";
    assert_eq!(fault(("CUSTOMER_ISSUER", pool)), "CUSTOMER_ISSUER and OPERATOR_ISSUER have to be different issuers");
    let keys = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a/.well-known/jwks.json";
    assert_eq!(fault(("CUSTOMER_KEYS_URL", keys)), "CUSTOMER_KEYS_URL and OPERATOR_KEYS_URL have to be different addresses");
}
