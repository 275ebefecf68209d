//! Money that comes after its attempt and its hold have ended buys units again if there are any, and goes back otherwise: always one
//! of the two, whatever dies, repeats or comes at the same time.

use capture_payment::CapturePayment;
use charge_payment::ChargePayment;
use complete_order::CompleteOrder;
use domain::{Attempt, AttemptStatus, LateMoney, Order, OrderLine, OrderStatus, OrderStep, ReservationStatus, StockStatus};
use fail_order::FailOrder;
use fake_stripe::Status;
use parts::FromParts;
use reconcile::Reconcile;
use refund_payment::RefundPayment;
use release_stock::ReleaseStock;
use reserve::{ClaimedAgain, UnitReservations};
use sell_stock::SellStock;
use serde_json::{Value, json};
use settle_payment::SettlePayment;
use store::{EndOutcome, Ending};
use take_back_stock::TakeBackStock;
use test_aws::{Calls, every_crash, every_interleaving};
use test_shop::{Buyer, END, Stage, demo};

use super::{StripeShop, fails, told};

/// What became of a late payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The order is being paid again.
    Claimed,
    /// The money went back.
    WentBack,
}

impl StripeShop {
    /// The first attempt was declined as far as the shop knows, the order waits again, and Stripe has authorised. The hold still
    /// lasts.
    async fn waiting() -> Self {
        Self::waiting_for("stripe:pm_card_visa").await
    }

    async fn waiting_for(method: &str) -> Self {
        let stripe = Self::paying(method).await;
        let _ = stripe.charge().await;
        let authorised = stripe.attempt().await;
        let declined = Attempt { status: AttemptStatus::Declined, reference: None, ..authorised.clone() };
        assert!(stripe.shop.uncounted().attempts().replace(&authorised, &declined).await.unwrap());
        stripe.shop.step(&stripe.buyer, Stage::WaitingAgain).await;
        stripe
    }

    /// As [`Self::waiting`], and the hold's time is over. Nothing has noticed it.
    async fn overdue() -> Self {
        let stripe = Self::waiting().await;
        stripe.shop.clock.set(END);
        stripe
    }

    /// As [`Self::overdue`], and the order has expired.
    async fn expired() -> Self {
        let stripe = Self::overdue().await;
        stripe.shop.step(&stripe.buyer, Stage::Expired).await;
        stripe
    }

    /// Stripe's event comes. True: the queue delivers it again.
    async fn comes(&self, calls: &Calls) -> bool {
        let intent = self.attempt().await.provider_id.unwrap();
        let function = SettlePayment::wire(&mut self.parts_with(calls)).unwrap();
        fails(&function, &told("payment_intent.amount_capturable_updated", &intent)).await
    }

    async fn order(&self) -> Order {
        self.shop.order(&self.buyer).await
    }

    async fn lines(&self) -> Vec<OrderLine> {
        self.order().await.history.into_iter().map(|line| line.event).collect()
    }

    /// Runs a task of the saga of the second attempt.
    async fn task<F: FromParts + kit::TaskFunction>(&self, more: Value) -> Result<Value, String> {
        let mut task = json!({"order_id": self.buyer.id, "shopper": self.buyer.shopper, "attempt": 2});
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        test_shop::task(&F::wire(&mut self.parts()).unwrap(), task).await
    }

    /// Runs the saga of the second attempt to its good end.
    async fn is_paid(&self) {
        assert_eq!(self.task::<ChargePayment>(json!({})).await.unwrap()["outcome"], "authorised");
        self.task::<SellStock>(json!({})).await.unwrap();
        assert_eq!(self.status(), Status::RequiresCapture, "captured only for what is sold");
        self.task::<CapturePayment>(json!({})).await.unwrap();
        self.task::<CompleteOrder>(json!({})).await.unwrap();
        assert_eq!((self.status(), self.order().await.status), (Status::Succeeded, OrderStatus::Completed));
        assert_eq!(self.shop.units(&demo()).await, (99, 0, 1));
    }

    /// Asserts that the late payment has exactly one of its two ends, with all that belongs to it.
    async fn end(&self) -> End {
        let (order, attempt, units) = (self.order().await, self.attempt().await, self.shop.units(&demo()).await);
        let went_back = order.history.iter().filter(|line| line.event == OrderLine::LateMoneyReturned).count();
        let claimed = order.history.iter().filter(|line| line.event == OrderStep::PaidLate).count();
        match attempt.late_money {
            Some(LateMoney::GoesBack) => {
                assert_eq!((self.status(), went_back, claimed, units.1), (Status::Canceled, 1, 0, 0));
                assert_eq!(order.attempt, 1);
                End::WentBack
            }
            Some(LateMoney::PaysBy(2)) => {
                assert_eq!((self.status(), went_back, claimed), (Status::RequiresCapture, 0, 1));
                assert_eq!((order.status, order.attempt), (OrderStatus::Pending, 2));
                let next = self.shop.uncounted().attempts().get(&self.buyer.key(2)).await.unwrap().unwrap();
                assert_eq!(next, attempt.paid_late_by(2));
                let reservation = self.shop.reservation(&self.buyer).await.unwrap();
                assert_eq!((reservation.status, self.shop.ttl(&self.buyer).await), (ReservationStatus::Paying, None));
                let shard = self.shop.shards(&demo()).await.swap_remove(usize::try_from(reservation.shard.0).unwrap());
                assert_eq!(shard.held().get(&self.buyer.shopper).map(|hold| &hold.reservation), Some(&self.buyer.id));
                End::Claimed
            }
            other => panic!("nothing was decided: {other:?}, {order:?}"),
        }
    }
}

#[tokio::test]
async fn late_money_of_an_expired_order_buys_its_units_after_all() {
    for stripe in [StripeShop::expired().await, StripeShop::overdue().await] {
        for _ in 0..3 {
            assert!(!stripe.comes(&Calls::new()).await);
            assert_eq!((stripe.end().await, stripe.shop.units(&demo()).await), (End::Claimed, (99, 1, 0)));
        }
        let message = json!({"order_id": stripe.buyer.id, "shopper": stripe.buyer.shopper, "attempt": 2});
        assert_eq!(stripe.shop.orders_sent(), [message]);
        assert_eq!(stripe.order().await.stock_status, StockStatus::Confirmed);
        stripe.is_paid().await;
        assert!(!stripe.comes(&Calls::new()).await);
        assert_eq!((stripe.status(), stripe.order().await.status), (Status::Succeeded, OrderStatus::Completed), "kept");
        let lines =
            [OrderStep::PaymentStarted, OrderStep::PaymentFailed, OrderStep::Expired, OrderStep::PaidLate, OrderStep::Completed];
        assert_eq!(stripe.lines().await, lines.map(OrderLine::Step));
    }
}

/// A bank debit cannot be authorised: its money moves by itself, days later.
#[tokio::test]
async fn late_money_that_has_moved_buys_units_too_and_is_refunded_without_them() {
    for has_units in [true, false] {
        let stripe = StripeShop::waiting_for("stripe:pm_usBankAccount_success").await;
        stripe.shop.clock.set("2026-11-01T12:09:00Z");
        stripe.shop.step(&stripe.buyer, Stage::Expired).await;
        if !has_units {
            stripe.shop.set_status(&demo(), "PAUSED").await;
        }
        assert!(!stripe.comes(&Calls::new()).await);
        if has_units {
            assert_eq!(stripe.task::<ChargePayment>(json!({})).await.unwrap()["outcome"], "charged");
            stripe.task::<SellStock>(json!({})).await.unwrap();
            stripe.task::<CompleteOrder>(json!({})).await.unwrap();
        }
        let refunded = stripe.fake.lock().unwrap().payments().first().unwrap().refunded_minor;
        assert_eq!(refunded == 0, has_units);
    }
}

#[tokio::test]
async fn late_money_goes_back_while_the_sale_takes_no_reservations() {
    for status in ["PAUSED", "CLOSED"] {
        let stripe = StripeShop::expired().await;
        stripe.shop.set_status(&demo(), status).await;
        for _ in 0..3 {
            assert!(!stripe.comes(&Calls::new()).await);
            assert_eq!(stripe.end().await, End::WentBack, "{status:?}");
        }
        assert_eq!(stripe.order().await.status, OrderStatus::Expired);
    }
}

/// The order's own sale was deleted, and another one made of its product.
#[tokio::test]
async fn late_money_goes_back_if_the_sale_has_another_price() {
    let stripe = StripeShop::expired().await;
    stripe.shop.set_price(&demo(), 199_900).await;
    assert!(!stripe.comes(&Calls::new()).await);
    assert_eq!((stripe.end().await, stripe.shop.units(&demo()).await), (End::WentBack, (100, 0, 0)));
}

/// The other sale admits by draw. The shopper's turn comes later.
#[tokio::test]
async fn late_money_does_not_come_before_its_shoppers_turn() {
    let stripe = StripeShop::expired().await;
    stripe.shop.set_ramp(&demo(), 3_600).await;
    assert!(!stripe.comes(&Calls::new()).await);
    assert_eq!((stripe.end().await, stripe.shop.units(&demo()).await), (End::WentBack, (100, 0, 0)));
}

/// Money that a person has given back at the provider buys nothing.
#[tokio::test]
async fn money_that_was_refunded_at_the_provider_is_not_late() {
    let stripe = StripeShop::waiting_for("stripe:pm_usBankAccount_success").await;
    stripe.shop.clock.set("2026-11-01T12:09:00Z");
    stripe.shop.step(&stripe.buyer, Stage::Expired).await;
    let attempt = stripe.shop.uncounted().attempts().get(&stripe.buyer.key(1)).await.unwrap().unwrap();
    let gateways = stripe.parts().gateways();
    let gateway = gateways.named(&attempt.gateway).unwrap();
    let payment = saga::payment(&stripe.order().await, &attempt).unwrap();
    assert_eq!(gateway.refund(&payment).await, domain::RefundOutcome::Refunded);
    assert!(!stripe.comes(&Calls::new()).await);
    assert_eq!((stripe.order().await.status, stripe.shop.units(&demo()).await), (OrderStatus::Expired, (100, 0, 0)));
}

#[tokio::test]
async fn late_money_goes_back_without_enough_units() {
    let stripe = StripeShop::expired().await;
    for number in 1..=100 {
        let buyer = Buyer { shard: domain::ShardNumber((number - 1) % 4), ..Buyer::number(number) };
        stripe.shop.bring(&buyer, Stage::Claimed).await;
    }
    assert!(!stripe.comes(&Calls::new()).await);
    assert_eq!((stripe.order().await.status, stripe.status()), (OrderStatus::Expired, Status::Canceled));
    assert_eq!(stripe.shop.units(&demo()).await, (0, 100, 0));
    assert_eq!(stripe.lines().await.last(), Some(&OrderLine::LateMoneyReturned));
}

/// One purchase per shopper: the shopper has reserved again, or bought.
#[tokio::test]
async fn late_money_goes_back_if_its_shopper_has_another_reservation() {
    for stage in [Stage::Held, Stage::Pending, Stage::Completed] {
        let stripe = StripeShop::expired().await;
        let again = Buyer { id: "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3E".parse().unwrap(), ..stripe.buyer.clone() };
        let again = again.paying("sandbox:ok").holding(stripe.shop.now(), "2026-11-01T12:10:00Z".parse().unwrap());
        if stage == Stage::Completed {
            stripe.shop.bring(&again, Stage::Sold).await;
            stripe.shop.step(&again, Stage::Completed).await;
        } else {
            stripe.shop.bring(&again, stage).await;
        }
        let before = stripe.shop.units(&demo()).await;
        assert!(!stripe.comes(&Calls::new()).await);
        assert_eq!((stripe.status(), stripe.shop.units(&demo()).await), (Status::Canceled, before), "{stage:?}");
        assert_eq!(stripe.order().await.status, OrderStatus::Expired, "{stage:?}");
    }
}

/// The shopper may still pay by another method, or has begun to, or the order has failed and a saga has undone it.
#[tokio::test]
async fn late_money_goes_back_from_an_order_that_has_not_expired() {
    let waiting = StripeShop::waiting().await;
    let paying = StripeShop::waiting().await;
    let order = paying.order().await;
    let other = "stripe:pm_card_mastercard".parse().unwrap();
    let started = paying.shop.uncounted().purchases().start_again(&order, &other, order.updated_at).await.unwrap();
    assert_eq!(started, store::StartOutcome::Started);
    for stripe in [waiting, paying] {
        let before = stripe.order().await;
        for _ in 0..3 {
            assert!(!stripe.comes(&Calls::new()).await);
            assert_eq!(stripe.status(), Status::Canceled, "{:?}", before.status);
        }
        let after = stripe.order().await;
        assert_eq!((after.status, after.attempt, after.updated_at), (before.status, before.attempt, before.updated_at));
        assert_eq!(after.history.len(), before.history.len() + 1);
        assert_eq!(stripe.shop.units(&demo()).await, (99, 1, 0));
    }
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_continued_and_no_unit_is_lost() {
    for is_overdue in [false, true] {
        every_crash(async |calls| {
            let stripe = if is_overdue { StripeShop::overdue().await } else { StripeShop::expired().await };
            let again = stripe.comes(calls).await;
            assert!(again || stripe.attempt().await.late_money.is_some());
            assert!(!stripe.comes(&Calls::new()).await);
            // What the first hold has left in another shard is released as ever.
            let release: ReleaseStock = stripe.shop.wire(&Calls::new());
            assert_eq!(test_shop::stream(&release, stripe.shop.dynamo.reservation_event()).await, None);
            assert_eq!((stripe.end().await, stripe.shop.units(&demo()).await), (End::Claimed, (99, 1, 0)));
            stripe.is_paid().await;
        })
        .await;
    }
    every_crash(async |calls| {
        let stripe = StripeShop::expired().await;
        stripe.shop.set_status(&demo(), "PAUSED").await;
        let again = stripe.comes(calls).await;
        assert!(again || stripe.status() == Status::Canceled);
        // Money that was decided to go back still goes back after the sale reopens.
        let is_decided = stripe.attempt().await.late_money.is_some();
        stripe.shop.set_status(&demo(), "ACTIVE").await;
        assert!(!stripe.comes(&Calls::new()).await);
        assert_eq!(stripe.end().await == End::WentBack, is_decided);
    })
    .await;
}

/// The event comes twice, and the sale is paused or opened in between: one run finds units, the other one none.
#[tokio::test]
async fn two_runs_at_once_agree() {
    for paused_first in [None, Some(true), Some(false)] {
        every_interleaving(async |interleaving| {
            let stripe = StripeShop::expired().await;
            if paused_first == Some(true) {
                stripe.shop.set_status(&demo(), "PAUSED").await;
            }
            let other = async {
                match paused_first {
                    None => {}
                    Some(true) => stripe.shop.set_status(&demo(), "ACTIVE").await,
                    Some(false) => stripe.shop.set_status(&demo(), "PAUSED").await,
                }
                stripe.comes(&Calls::new()).await
            };
            let (_, _) = interleaving.run(stripe.comes(&interleaving.calls), other).await;
            assert!(!stripe.comes(&Calls::new()).await);
            let end = stripe.end().await;
            assert_eq!(stripe.shop.units(&demo()).await.1, u32::from(end == End::Claimed));
            if end == End::Claimed {
                stripe.is_paid().await;
            }
        })
        .await;
    }
}

/// The shopper reserves again while the late money comes: the shopper gets one of the two, once.
#[tokio::test]
async fn a_new_reservation_at_the_same_time_gets_the_units_or_leaves_them() {
    every_interleaving(async |interleaving| {
        let stripe = StripeShop::expired().await;
        let units = UnitReservations::wire(&mut stripe.shop.uncounted()).unwrap();
        let reserves = async {
            let _ = units.reserve(&stripe.buyer.shopper, &demo(), Some(domain::Quantity::ONE), None).await;
        };
        let _ = interleaving.run(stripe.comes(&interleaving.calls), reserves).await;
        assert!(!stripe.comes(&Calls::new()).await);
        let (held, decided) = (stripe.shop.units(&demo()).await, stripe.attempt().await.late_money);
        let reservation = stripe.shop.uncounted().reservations().get(&stripe.buyer.shopper, &demo()).await.unwrap();
        match decided {
            Some(LateMoney::GoesBack) => assert_eq!(stripe.status(), Status::Canceled),
            Some(LateMoney::PaysBy(2)) => assert_eq!(reservation.map(|found| found.id), Some(stripe.buyer.id.clone())),
            other => panic!("nothing was decided: {other:?}"),
        }
        assert!(held.1 <= 1, "{held:?}");
    })
    .await;
}

/// The stream's record of the first reservation, which has the same id, comes late or again.
#[tokio::test]
async fn a_late_release_of_the_first_hold_leaves_the_new_units_alone() {
    let stripe = StripeShop::overdue().await;
    let (buyer, now) = (stripe.buyer.clone(), stripe.shop.now());
    let ended = stripe.shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Overdue(now)).await.unwrap();
    assert_eq!(ended, EndOutcome::Ended);
    assert!(stripe.shop.uncounted().orders().expire(&buyer.id, None, now).await.unwrap());
    // The units of the first hold are still held: they are released, and claimed again.
    assert!(!stripe.comes(&Calls::new()).await);
    assert_eq!(stripe.end().await, End::Claimed);
    let release: ReleaseStock = stripe.shop.wire(&Calls::new());
    for _ in 0..2 {
        assert_eq!(test_shop::stream(&release, stripe.shop.dynamo.reservation_event()).await, None);
        assert_eq!((stripe.end().await, stripe.shop.units(&demo()).await), (End::Claimed, (99, 1, 0)));
    }
    stripe.is_paid().await;
}

/// The late payment is declined after all, so the order waits again. The first hold's record comes again.
#[tokio::test]
async fn a_late_release_of_the_first_hold_leaves_an_order_that_waits_again_alone() {
    let stripe = StripeShop::expired().await;
    assert!(!stripe.comes(&Calls::new()).await);
    let attempts = stripe.shop.uncounted().attempts();
    let adopted = attempts.get(&stripe.buyer.key(2)).await.unwrap().unwrap();
    let declined = Attempt { status: AttemptStatus::Declined, ..adopted.clone() };
    assert!(attempts.replace(&adopted, &declined).await.unwrap());
    stripe.task::<FailOrder>(json!({"ending": "payment_failed"})).await.unwrap();
    let waiting = stripe.order().await;
    assert_eq!(waiting.status, OrderStatus::AwaitingPayment);
    let release: ReleaseStock = stripe.shop.wire(&Calls::new());
    assert_eq!(test_shop::stream(&release, stripe.shop.dynamo.reservation_event()).await, None);
    assert_eq!((stripe.order().await, stripe.shop.units(&demo()).await), (waiting, (99, 1, 0)));
}

/// The stream's record comes while the units are claimed again.
#[tokio::test]
async fn a_release_of_the_first_hold_at_the_same_time_leaves_the_new_units_alone() {
    every_interleaving(async |interleaving| {
        let stripe = StripeShop::overdue().await;
        let (buyer, now) = (stripe.buyer.clone(), stripe.shop.now());
        stripe.shop.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Overdue(now)).await.unwrap();
        let release: ReleaseStock = stripe.shop.wire(&interleaving.calls);
        let event = stripe.shop.dynamo.reservation_event();
        let (_, _) = interleaving.run(test_shop::stream(&release, event), stripe.comes(&Calls::new())).await;
        assert!(!stripe.comes(&Calls::new()).await);
        assert_eq!((stripe.end().await, stripe.shop.units(&demo()).await), (End::Claimed, (99, 1, 0)));
        stripe.is_paid().await;
    })
    .await;
}

/// A run that died after its claim: `reconcile` releases the units after the time of a hold, and the event comes again later.
#[tokio::test]
async fn units_that_were_claimed_and_never_written_down_are_released() {
    let stripe = StripeShop::expired().await;
    let units = UnitReservations::wire(&mut stripe.shop.uncounted()).unwrap();
    assert!(matches!(units.claim_again(&stripe.order().await).await.unwrap(), ClaimedAgain::Held(_)));
    assert_eq!(stripe.shop.units(&demo()).await, (99, 1, 0));
    stripe.shop.clock.set("2026-11-01T12:10:20Z");
    let reconcile: Reconcile = stripe.shop.wire(&Calls::new());
    assert_eq!(reconcile.run(domain::Timestamp::MAX).await.unwrap().holds_overdue, 1);
    assert_eq!(stripe.shop.units(&demo()).await, (100, 0, 0));
    assert!(!stripe.comes(&Calls::new()).await);
    assert_eq!(stripe.end().await, End::Claimed);
}

/// The units are lost after all: the authorisation is voided, and the order fails. It does not come back.
#[tokio::test]
async fn without_its_units_the_late_payment_is_undone_and_the_order_does_not_come_back() {
    let stripe = StripeShop::expired().await;
    assert!(!stripe.comes(&Calls::new()).await);
    let reservation = stripe.shop.reservation(&stripe.buyer).await.unwrap();
    stripe.shop.uncounted().stock().release(reservation.shard, &reservation.shopper, &reservation.id).await.unwrap();
    assert_eq!(stripe.task::<ChargePayment>(json!({})).await.unwrap()["outcome"], "authorised");
    assert_eq!(stripe.task::<SellStock>(json!({})).await, Err("HoldLost".to_owned()));
    stripe.task::<RefundPayment>(json!({})).await.unwrap();
    stripe.task::<TakeBackStock>(json!({})).await.unwrap();
    stripe.task::<FailOrder>(json!({"ending": "refunded"})).await.unwrap();
    for _ in 0..2 {
        assert!(!stripe.comes(&Calls::new()).await);
        assert_eq!((stripe.status(), stripe.order().await.status), (Status::Canceled, OrderStatus::Failed));
    }
    assert_eq!(stripe.shop.units(&demo()).await, (100, 0, 0));
}
