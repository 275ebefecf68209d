//! The product's functions, wired as in production except for the clock, the randomness and the other end of the wire.

use std::sync::Arc;

use kit::Configuration;
use parts::{FromParts, Parts};
use reconcile::Reconcile;

use crate::{
    services::{
        environments::Code,
        providers::{ACCOUNTS, PAYPAL, SECRETS, STRIPE},
        queues::{EXPIRY, ORDERS, PAYMENT_EVENTS},
        tables::{ORDER, RESERVATION, STOCK},
    },
    time::SkewedClock,
    world::World,
};

/// The variables that the template sets for the functions.
const VARIABLES: [(&str, &str); 16] = [
    // Only here providers may be without TLS.
    ("ENVIRONMENT", "local"),
    ("STOCK_TABLE", STOCK),
    ("RESERVATION_TABLE", RESERVATION),
    ("ORDER_TABLE", ORDER),
    ("ORDERS_QUEUE_URL", ORDERS),
    ("EXPIRY_QUEUE_URL", EXPIRY),
    ("PAYMENT_EVENTS_QUEUE_URL", PAYMENT_EVENTS),
    ("STATE_MACHINE_ARN", "arn:aws:states:us-east-1:1:stateMachine:payment-saga"),
    ("NOTIFICATIONS_TOPIC_ARN", "arn:aws:sns:us-east-1:1:notifications"),
    ("ORDER_EVENTS_BUS", "orders"),
    ("PAYMENT_GATEWAYS", ACCOUNTS),
    ("PAYMENT_RETURN_URL", "https://shop.invalid/return"),
    ("STRIPE_URL", STRIPE),
    ("PAYPAL_URL", PAYPAL),
    ("PAYMENT_SECRETS", SECRETS),
    // No sale asks for a proof of work: a refusal without it moves nothing.
    ("CHALLENGE_SECRET", "challenges"),
];

/// The time-out of a function, as in the template.
pub fn timeout_seconds(function: &str) -> u64 {
    match function {
        "reserve" | "place-order" | "checkout" | "cancel-reservation" | "get-reservation" | "get-order" | "get-sale"
        | "change-sale-status" => 5,
        "manage-sale" | "restock-sale" | "get-sale-report" | "end-holds" | "refund-order" => 28,
        "pay" | "receive-paypal" | "receive-stripe" => 15,
        "publish-orders"
        | "schedule-expiry"
        | "settle-payment"
        | "start-payment"
        | "expire-reservation"
        | "release-stock"
        | "refresh-availability" => 30,
        "await-action" | "capture-payment" | "charge-payment" | "refund-payment" => 20,
        "reconcile" => 55,
        "sell-stock" | "complete-order" | "take-back-stock" | "fail-order" | "notify-shopper" => 10,
        other => panic!("the simulation does not deploy {other}"),
    }
}

/// The functions that are simulated.
pub const FUNCTIONS: [&str; 33] = [
    "await-action",
    "cancel-reservation",
    "capture-payment",
    "change-sale-status",
    "charge-payment",
    "checkout",
    "complete-order",
    "end-holds",
    "expire-reservation",
    "fail-order",
    "get-order",
    "get-reservation",
    "get-sale",
    "get-sale-report",
    "manage-sale",
    "notify-shopper",
    "pay",
    "place-order",
    "publish-orders",
    "receive-paypal",
    "receive-stripe",
    "reconcile",
    "refresh-availability",
    "refund-order",
    "refund-payment",
    "release-stock",
    "reserve",
    "restock-sale",
    "schedule-expiry",
    "sell-stock",
    "settle-payment",
    "start-payment",
    "take-back-stock",
];

/// A new environment of a function: its code, with an empty memory.
pub(crate) fn deploy(world: &World, function: &str, clock: &SkewedClock) -> Code {
    let mut parts = parts(world, clock);
    if function == "reconcile" {
        return Code::Reconcile(Arc::new(Reconcile::wire(&mut parts).unwrap()));
    }
    let groups = [shoppers::FUNCTIONS, operators::FUNCTIONS, saga_tasks::FUNCTIONS, gate::FUNCTIONS, workers::FUNCTIONS];
    let wire = groups.into_iter().find_map(|group| parts::find(group, function));
    let wire = wire.unwrap_or_else(|| panic!("there is no function {function}"));
    Code::Function(wire(&mut parts).unwrap())
}

/// The parts of functions in `world` with this `clock`.
pub(crate) fn parts(world: &World, clock: &SkewedClock) -> Parts {
    let configuration = Configuration::of(VARIABLES);
    Parts::new(configuration, world.clients.clone(), Arc::new(clock.clone()), Arc::new(world.chance.clone()))
}
