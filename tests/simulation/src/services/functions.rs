//! The product's functions, wired as their `main.rs` does, but for the clock, the randomness and the other end of the wire.

use std::sync::Arc;

use cancel_reservation::CancelReservation;
use change_sale_status::ChangeSaleStatus;
use charge_payment::ChargePayment;
use checkout::{Checkout, Ordering};
use complete_order::CompleteOrder;
use domain::Clock;
use expire_reservation::ExpireReservation;
use fail_order::FailOrder;
use get_order::GetOrder;
use get_reservation::GetReservation;
use get_sale::{GetSale, KnownSales};
use get_sale_report::{GetSaleReport, Reporting};
use kit::{Identity, workers};
use messages::{ExpiryQueue, OrdersQueue};
use notify_shopper::NotifyShopper;
use pay::Pay;
use payments::Gateways;
use place_order::PlaceOrder;
use reconcile::{Executions, Reconcile};
use refresh_availability::RefreshAvailability;
use refund_payment::RefundPayment;
use release_stock::ReleaseStock;
use reserve::{Reserve, ReserveUnits};
use restock_sale::{RestockSale, Restocking};
use sell_stock::SellStock;
use start_payment::StartPayment;
use store::{Attempts, Availabilities, Orders, Purchases, Reservations, Sales, SandboxLedger, Stock};
use take_back_stock::TakeBackStock;

use crate::{
    services::{
        clients::Clients,
        environments::Code,
        queues::{EXPIRY, ORDERS},
        tables::{ORDER, RESERVATION, STOCK},
    },
    time::SkewedClock,
    world::World,
};

/// The gateways in order of preference, as in the template.
const GATEWAYS: [&str; 2] = ["sandbox", "sandbox-standby"];

/// The payment saga.
const STATE_MACHINE: &str = "arn:aws:states:us-east-1:1:stateMachine:payment-saga";

/// How long a function may run, as in the template.
pub fn timeout_seconds(function: &str) -> u64 {
    match function {
        "reserve" | "place-order" | "checkout" | "cancel-reservation" | "get-reservation" | "get-order" | "get-sale"
        | "change-sale-status" => 5,
        "restock-sale" | "get-sale-report" => 28,
        "pay" => 15,
        "start-payment" | "expire-reservation" | "release-stock" | "refresh-availability" => 30,
        "charge-payment" | "refund-payment" => 20,
        "reconcile" => 55,
        "sell-stock" | "complete-order" | "take-back-stock" | "fail-order" | "notify-shopper" => 10,
        other => panic!("the simulation does not deploy {other}"),
    }
}

/// The functions that are simulated.
pub const FUNCTIONS: [&str; 23] = [
    "cancel-reservation",
    "change-sale-status",
    "charge-payment",
    "checkout",
    "complete-order",
    "expire-reservation",
    "fail-order",
    "get-order",
    "get-reservation",
    "get-sale",
    "get-sale-report",
    "notify-shopper",
    "pay",
    "place-order",
    "reconcile",
    "refresh-availability",
    "refund-payment",
    "release-stock",
    "reserve",
    "restock-sale",
    "sell-stock",
    "start-payment",
    "take-back-stock",
];

impl Clients {
    pub(crate) fn stock(&self) -> Stock {
        Stock::new(self.dynamodb.clone(), STOCK)
    }

    pub(crate) fn sales(&self) -> Sales {
        Sales::new(self.dynamodb.clone(), STOCK)
    }

    pub(crate) fn availabilities(&self) -> Availabilities {
        Availabilities::new(self.dynamodb.clone(), STOCK)
    }

    pub(crate) fn reservations(&self) -> Reservations {
        Reservations::new(self.dynamodb.clone(), RESERVATION)
    }

    pub(crate) fn orders(&self) -> Orders {
        Orders::new(self.dynamodb.clone(), ORDER)
    }

    pub(crate) fn attempts(&self) -> Attempts {
        Attempts::new(self.dynamodb.clone(), ORDER)
    }

    pub(crate) fn purchases(&self) -> Purchases {
        Purchases::new(self.dynamodb.clone(), RESERVATION, ORDER)
    }

    pub(crate) fn orders_queue(&self) -> OrdersQueue {
        OrdersQueue::new(self.sqs.clone(), ORDERS)
    }

    pub(crate) fn expiry_queue(&self) -> ExpiryQueue {
        ExpiryQueue::new(self.sqs.clone(), EXPIRY)
    }

    pub(crate) fn gateways(&self) -> Gateways {
        let books = SandboxLedger::new(self.dynamodb.clone(), ORDER);
        Gateways::configured(&GATEWAYS.map(str::to_owned), true, &books).unwrap()
    }
}

/// A function in the form that one of the kit's `serve_…` has it.
macro_rules! serve {
    ($kind:ident, $function:expr, |$it:ident, $event:ident| $answer:expr) => {{
        let function = Arc::new($function);
        Code::$kind(Box::new(move |$event| {
            let $it = Arc::clone(&function);
            Box::pin(async move { $answer.await })
        }))
    }};
}
macro_rules! serve_http {
    ($function:expr) => {
        serve!(Http, $function, |it, request| it.handle(request))
    };
}
macro_rules! serve_task {
    ($function:expr) => {
        serve!(Task, $function, |it, input| test_shop::task(input, |task| it.handle(task)))
    };
}

/// A new environment of a function: its code, with an empty memory.
pub(crate) fn deploy(world: &Arc<World>, function: &str, clock: &SkewedClock) -> Code {
    let (aws, identity) = (&world.clients, Identity::claims_only());
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    match function {
        "reserve" => serve_http!(Reserve::new(identity, Arc::clone(&clock), units(world, &clock))),
        "place-order" => {
            serve_http!(PlaceOrder::new(identity, Arc::clone(&clock), units(world, &clock), ordering(world, &clock)))
        }
        "checkout" => serve_http!(Checkout::new(identity, Arc::clone(&clock), ordering(world, &clock))),
        "cancel-reservation" => serve_http!(CancelReservation::new(identity, aws.reservations())),
        "get-reservation" => serve_http!(GetReservation::new(identity, clock, aws.reservations())),
        "get-order" => serve_http!(GetOrder::new(identity, clock, aws.orders())),
        "get-sale" => serve_http!(GetSale::new(clock, KnownSales::new(aws.sales(), aws.availabilities()))),
        "change-sale-status" => serve_http!(ChangeSaleStatus::new(identity, clock, aws.sales(), aws.availabilities())),
        "restock-sale" => {
            let restocking = Restocking {
                clock: Arc::clone(&clock),
                sales: aws.sales(),
                stock: aws.stock(),
                availabilities: aws.availabilities(),
            };
            serve_http!(RestockSale::new(identity, clock, restocking))
        }
        "get-sale-report" => {
            let reporting = Reporting {
                clock: Arc::clone(&clock),
                stock: aws.stock(),
                orders: aws.orders(),
                orders_read_for: Reporting::ORDERS_READ_FOR,
            };
            serve_http!(GetSaleReport::new(identity, clock, aws.sales(), reporting))
        }
        "pay" => {
            serve_http!(Pay { identity, clock, orders: aws.orders(), purchases: aws.purchases(), queue: aws.orders_queue() })
        }
        "start-payment" => {
            let function = StartPayment::new(aws.sfn.clone(), STATE_MACHINE);
            serve!(Queue, function, |it, event| workers::sqs_batch(event, |message| it.handle(message)))
        }
        "expire-reservation" => {
            let function = ExpireReservation::new(clock, aws.reservations(), aws.expiry_queue());
            serve!(Queue, function, |it, event| workers::sqs_batch(event, |message| it.handle(message)))
        }
        "release-stock" => {
            let function = ReleaseStock::new(clock, aws.stock(), aws.orders());
            serve!(Stream, function, |it, event| workers::stream_batch(event, |record| it.handle(record)))
        }
        "refresh-availability" => {
            let function = RefreshAvailability::new(clock, aws.sales(), aws.availabilities());
            serve!(Stream, function, |it, event| workers::whole_stream_batch(event, |records| it.handle(records)))
        }
        "reconcile" => {
            let function = Reconcile {
                sales: aws.sales(),
                stock: aws.stock(),
                availabilities: aws.availabilities(),
                reservations: aws.reservations(),
                orders: aws.orders(),
                releases: ReleaseStock::new(Arc::clone(&clock), aws.stock(), aws.orders()),
                executions: Executions::new(aws.impatient_sfn.clone(), STATE_MACHINE),
                clock,
            };
            serve!(Schedule, function, |it, until| it.run(until))
        }
        "charge-payment" => serve_task!(ChargePayment::new(aws.gateways(), aws.orders(), aws.attempts())),
        "refund-payment" => serve_task!(RefundPayment::new(aws.gateways(), aws.orders(), aws.attempts())),
        "sell-stock" => serve_task!(SellStock::new(aws.reservations(), aws.stock())),
        "take-back-stock" => serve_task!(TakeBackStock::new(aws.reservations(), aws.stock())),
        "complete-order" => {
            serve_task!(CompleteOrder { clock, orders: aws.orders(), attempts: aws.attempts(), purchases: aws.purchases() })
        }
        "fail-order" => serve_task!(FailOrder {
            clock,
            orders: aws.orders(),
            attempts: aws.attempts(),
            reservations: aws.reservations(),
            purchases: aws.purchases(),
            expiry: aws.expiry_queue(),
        }),
        "notify-shopper" => serve_task!(NotifyShopper::new(aws.sns.clone(), "arn:aws:sns:us-east-1:1:notifications")),
        other => panic!("the simulation does not deploy {other}"),
    }
}

fn units(world: &Arc<World>, clock: &Arc<dyn Clock>) -> ReserveUnits {
    let aws = &world.clients;
    ReserveUnits::new(
        Arc::clone(clock),
        Arc::new(world.chance.clone()),
        aws.sales(),
        aws.availabilities(),
        aws.stock(),
        aws.reservations(),
        aws.expiry_queue(),
    )
}

fn ordering(world: &Arc<World>, clock: &Arc<dyn Clock>) -> Ordering {
    let aws = &world.clients;
    Ordering {
        clock: Arc::clone(clock),
        sales: aws.sales(),
        reservations: aws.reservations(),
        orders: aws.orders(),
        purchases: aws.purchases(),
        queue: aws.orders_queue(),
    }
}
