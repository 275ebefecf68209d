//! The functions that shoppers call.
#![expect(clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod cancel_reservation;
mod checkout;
mod down;
mod get_challenge;
mod get_draw;
mod get_inventory;
mod get_order;
mod get_reservation;
mod get_sale;
mod hidden;
mod list_sales;
mod pay;
mod place_order;
mod reserve;
mod sample_events;

use domain::AttemptStatus;
use kit::{HttpFunction, Response};
use parts::FromParts;
use store::Advanced;
use test_aws::Calls;
use test_shop::{Buyer, Judged, Shop, brief};

// The answers that several functions give a shopper, as `test_aws::told` writes them.
const TRY_AGAIN: &str = "503 Service Unavailable: try-again, Try again in a moment\nretry-after: 1";
/// The order's message was not acknowledged: the same request sends it again after half a minute.
const NOT_SENT: &str = "503 Service Unavailable: try-again, Try again in a moment\nretry-after: 30";
const UNKNOWN_PRODUCT: &str = "404 Not Found: unknown-product, Unknown product\nThere is no sale of this product.";
const UNKNOWN_RESERVATION: &str = "404 Not Found: unknown-reservation, Unknown reservation\nYou have no such reservation.";
const UNKNOWN_ORDER: &str = "404 Not Found: unknown-order, Unknown order\nYou have no such order.";
const RESERVATION_EXPIRED: &str =
    "410 Gone: reservation-expired, Reservation expired\nThe time of this reservation is over. Reserve again.";
const PAYMENT_IN_PROGRESS: &str = "409 Conflict: payment-in-progress, Payment in progress\n\
    A payment is under way. Read the order to see its result.";

/// Runs `F` on a sample event until it dies at one of its requests, and again half a minute later: that run is surely dead, and
/// what it did not send is sent again. Returns the first answer in brief, and the second.
async fn cut_off_and_again<F: FromParts + HttpFunction>(shop: &Shop, calls: &Calls, event: &str) -> (String, Response) {
    let died = brief(&shop.ask_with::<F>(calls, event).await);
    assert!(matches!(died.as_str(), "202" | "503 try-again"), "{died}");
    calls.heal();
    shop.clock.advance_seconds(30);
    (died, shop.ask_with::<F>(calls, event).await)
}

/// Methods that look like the sandbox's and are not.
const NOT_OF_THE_SANDBOX: [&str; 5] = ["sandbox:nonsense", "sandbox:OK", "sandbox:okay", "sandbox:ok:1", "sandbox:declined2"];

/// Declines the attempt with which the order is pending, and makes the order wait again until the same time.
async fn decline(shop: &Shop, buyer: &Buyer, attempt: u32) {
    let order = shop.order(buyer).await;
    let declined = Buyer { method: order.payment_method.clone().unwrap(), ..buyer.clone() };
    shop.attempt(&declined, attempt, "sandbox", AttemptStatus::Declined).await;
    let purchases = shop.uncounted().purchases();
    let failed = purchases.payment_failed(&order, attempt, order.pay_by, "The card was declined.", shop.now()).await.unwrap();
    assert_eq!(failed, Advanced::Done);
}

/// Sends a sample event a second later, when what `function` remembers is out of date.
async fn a_second_later<F: HttpFunction>(shop: &Shop, function: &Judged<F>, event: &str) -> Response {
    shop.clock.advance_seconds(1);
    function.handle(test_aws::event(&format!("{event}.json"))).await
}
