//! Every outcome of a payment, and what it leaves in the order, on the shard and in the gateway's books.

use serde_json::json;

use crate::stack::{Books, Stack, Units};

/// An order paid with `method`, in a sale of five units.
struct Paid {
    stack: Stack,
    shopper: crate::stack::Person,
    product: String,
    order: String,
}

async fn pay_with(method: &str, shopper: u32) -> Paid {
    let stack = Stack::running();
    let product = stack.sale(&format!("pay-{}", method.trim_start_matches("sandbox:")), json!({})).await;
    let shopper = stack.shopper(shopper).await;
    let order = shopper.order(&product, method).await;
    Paid { stack, shopper, product, order }
}

impl Paid {
    async fn ends(&self, status: &str, units: Units, books: Books) {
        self.shopper.order_becomes(&self.order, status).await;
        assert_eq!(self.stack.units(&self.product).await, units);
        assert_eq!(self.stack.books(&self.order).await, books);
    }

    async fn is_paid_in_the_end(&self) {
        let units = Units { available: 4, held: 0, sold: 1 };
        self.ends("completed", units, Books { charges: 1, refunds: 0 }).await;
    }

    /// Waits until the attempt has failed, and pays with a method that works.
    async fn pays_with_another_method(&self) {
        let waiting = self.shopper.order_becomes(&self.order, "awaiting_payment").await;
        assert_eq!((waiting.text("payment_status"), waiting.text("inventory_status")), ("failed", "held"));
        let left = waiting.text("pay_by").parse::<jiff::Timestamp>().unwrap().duration_since(crate::stack::now());
        assert!(left > jiff::SignedDuration::from_secs(100), "two minutes to try again, not {left:?}");
        assert_eq!(self.stack.units(&self.product).await, Units { available: 4, held: 1, sold: 0 });
        let pay = json!({"order_id": self.order, "payment_method": "sandbox:ok", "amount": "999.00"});
        self.shopper.post("/payment", &pay).await.expect(202);
        self.is_paid_in_the_end().await;
    }
}

#[tokio::test]
async fn a_declined_payment_can_be_made_with_another_method() {
    pay_with("sandbox:declined", 1).await.pays_with_another_method().await;
}

#[tokio::test]
async fn when_no_gateway_is_up_nothing_is_charged_and_another_try_works() {
    pay_with("sandbox:down", 2).await.pays_with_another_method().await;
}

#[tokio::test]
async fn when_the_first_gateway_is_down_the_next_one_charges() {
    pay_with("sandbox:primary-down", 3).await.is_paid_in_the_end().await;
}

#[tokio::test]
async fn a_charge_whose_answer_is_lost_is_made_once() {
    pay_with("sandbox:charged-but-answer-lost", 4).await.is_paid_in_the_end().await;
}

#[tokio::test]
async fn a_charge_that_timed_out_is_looked_up_and_then_made_once() {
    pay_with("sandbox:timeout-then-ok", 5).await.is_paid_in_the_end().await;
}

#[tokio::test]
async fn a_failure_after_the_charge_is_refunded_and_the_unit_is_back_in_stock() {
    let back = Units { available: 5, held: 0, sold: 0 };
    pay_with("sandbox:wrong-amount", 6).await.ends("refunded", back, Books { charges: 1, refunds: 1 }).await;
}

#[tokio::test]
async fn a_refund_that_fails_once_is_made_once() {
    let paid = pay_with("sandbox:refund-fails-once", 7).await;
    paid.ends("refunded", Units { available: 5, held: 0, sold: 0 }, Books { charges: 1, refunds: 1 }).await;
    let order = paid.shopper.get(&format!("/orders/{}", paid.order)).await.expect(200);
    assert_eq!((order.text("payment_status"), order.text("inventory_status")), ("refunded", "released"));
    // The shopper may try again in the same sale.
    paid.shopper.reserve(&paid.product).await.expect(201);
}
