//! The whole payment saga: its tasks in the order of the state machine, with every payment method, cut off at every request, and
//! run twice. The streams and queues then process its end.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod afterwards;
mod crashes;
mod cut_off;
mod ends;
mod errors;
mod machine;
mod pace;
mod races;
mod trouble;
mod versions;

use domain::{OrderStatus, PaymentStatus, ReservationStatus, StockStatus};
use test_shop::{Buyer, Shop, Stage, demo};

use crate::machine::Machine;

/// Everything visible of a purchase after its saga has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    /// The state that the saga ended in.
    state: &'static str,
    order: (OrderStatus, PaymentStatus, StockStatus),
    reservation: Option<ReservationStatus>,
    /// Available, held, sold.
    units: (u32, u32, u32),
    /// Charges and refunds at the first gateway, and at the standby.
    money: [(u32, u32); 2],
    /// The last message to the shopper.
    told: &'static str,
}

const COMPLETED: End = End {
    state: "OrderCompleted",
    order: (OrderStatus::Completed, PaymentStatus::Completed, StockStatus::Confirmed),
    reservation: Some(ReservationStatus::Purchased),
    units: (99, 0, 1),
    money: [(1, 0), (0, 0)],
    told: "order-completed",
};
const WAITS: End = End {
    state: "WaitingForAnotherMethod",
    order: (OrderStatus::AwaitingPayment, PaymentStatus::Failed, StockStatus::Held),
    reservation: Some(ReservationStatus::Held),
    units: (99, 1, 0),
    money: [(0, 0), (0, 0)],
    told: "payment-failed",
};
const REFUNDED: End = End {
    state: "OrderFailed",
    order: (OrderStatus::Refunded, PaymentStatus::Refunded, StockStatus::Released),
    reservation: None,
    units: (100, 0, 0),
    money: [(1, 1), (0, 0)],
    told: "order-failed",
};
const FAILED: End = End {
    state: "OrderFailed",
    order: (OrderStatus::Failed, PaymentStatus::Failed, StockStatus::Released),
    reservation: None,
    units: (100, 0, 0),
    money: [(0, 0), (0, 0)],
    told: "order-failed",
};
const KEPT: End = End {
    state: "KeptForReview",
    order: (OrderStatus::Failed, PaymentStatus::RefundPending, StockStatus::Confirmed),
    reservation: Some(ReservationStatus::Paying),
    units: (99, 0, 1),
    money: [(1, 0), (0, 0)],
    told: "refund-failed",
};

/// The expected end of the saga with each payment method.
fn methods() -> [(&'static str, End); 14] {
    [
        ("sandbox:ok", COMPLETED),
        ("sandbox:authorised-but-answer-lost", COMPLETED),
        ("sandbox:captured-but-answer-lost", COMPLETED),
        ("sandbox:capture-refused", FAILED),
        ("sandbox:charged-at-once", COMPLETED),
        ("sandbox:timeout-then-ok", COMPLETED),
        ("sandbox:charged-but-answer-lost", COMPLETED),
        ("sandbox:primary-down", End { money: [(0, 0), (1, 0)], ..COMPLETED }),
        ("sandbox:declined", WAITS),
        ("sandbox:no-such-method", WAITS),
        ("sandbox:down", WAITS),
        ("sandbox:down-at-first", WAITS),
        ("sandbox:wrong-amount", REFUNDED),
        ("sandbox:refund-fails-once", REFUNDED),
    ]
}

/// The expected end after the saga was cut off, or beside another execution. If a gateway that several runs may have asked is
/// down for one of them, the outcome of the other is unknown. The saga then asks no other gateway and undoes the attempt.
async fn end_after_trouble(shop: &Shop, buyer: &Buyer, method: &str, expected: End) -> End {
    let attempt = shop.uncounted().attempts().get(&buyer.key(1)).await.unwrap();
    let (asked_again, gateway) = attempt.map(|attempt| (attempt.asked_again, attempt.gateway.0)).unwrap_or_default();
    match method {
        "sandbox:down" if asked_again => FAILED,
        "sandbox:primary-down" if asked_again && gateway == "sandbox" => FAILED,
        // The gateway works again at the second call, and charges.
        "sandbox:down-at-first" if asked_again && gateway == "sandbox" => COMPLETED,
        "sandbox:down-at-first" if asked_again => End { money: [(0, 0), (1, 0)], ..COMPLETED },
        _ => expected,
    }
}

/// An order with its first payment started, by this method.
async fn pending(method: &str) -> (Shop, Buyer) {
    let (shop, buyer) = (Shop::open().await, Buyer::first().paying(method));
    shop.bring(&buyer, Stage::Pending).await;
    (shop, buyer)
}

/// Everything visible of attempt `attempt` of the purchase, after its saga has ended.
async fn end_of(shop: &Shop, buyer: &Buyer, attempt: u32, machine: &Machine<'_>) -> End {
    let order = shop.order(buyer).await;
    End {
        state: machine.ended_in(),
        order: (order.status, order.payment_status, order.stock_status),
        reservation: shop.reservation(buyer).await.map(|reservation| reservation.status),
        units: shop.units(&demo()).await,
        money: [shop.money(buyer, attempt, "sandbox").await, shop.money(buyer, attempt, "sandbox-standby").await],
        told: machine.told().pop().unwrap_or("nothing"),
    }
}
