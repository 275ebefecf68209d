//! A purchase at every stage. The product's own moves bring it there.

use domain::{
    AttemptStatus, ClaimOutcome, GatewayName, Money, Order, OrderStep, RefundRequest, ReleaseOutcome, Reservation, SellOutcome,
    StockShard, TakeBackOutcome,
};
use store::{Advanced, EndOutcome, Ending, OpenOutcome, PlaceOutcome, StartOutcome};

use super::{Buyer, Shop};

/// The stage of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Units are held on the shard; the run that claimed them has not written the reservation.
    Claimed,
    /// Units are held for a reservation; there is no order.
    Held,
    /// The order waits for its first payment.
    Waiting,
    /// The first payment is in progress; no gateway has been asked.
    Pending,
    /// The first payment is in progress; the gateway `sandbox` was asked and was certainly down.
    Unavailable,
    /// The first payment is in progress; the gateway `sandbox` has declined it.
    Declined,
    /// Authorised by the gateway `sandbox`; the units are still held.
    Authorised,
    /// Authorised, and the units are sold.
    Uncaptured,
    /// Charged by the gateway `sandbox`; the units are still held.
    Charged,
    /// Charged, and the units are sold.
    Sold,
    /// As [`Stage::Sold`], but the gateway has charged another amount than the order's.
    Mischarged,
    /// Paid and sold.
    Completed,
    /// The first payment was declined: the order waits for another, the units are held.
    WaitingAgain,
    /// The second payment is in progress; no gateway has been asked.
    PayingAgain,
    /// Ended before any money moved.
    Failed,
    /// Charged and refunded; the order does not show it yet, and the units are held.
    GivenBack,
    /// Ended after the refund.
    Refunded,
    /// Charged and sold; the refund is recorded, but the gateway has not been asked.
    Refunding,
    /// Ended with a charge that could not be refunded; the units are kept.
    RefundPending,
    /// As [`Stage::RefundPending`], and then refunded; the order does not show it yet.
    GivenBackLater,
    /// The hold ended before a payment: the reservation is gone and the units are available.
    Expired,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 21] = [
        Self::Claimed,
        Self::Held,
        Self::Waiting,
        Self::Pending,
        Self::Unavailable,
        Self::Declined,
        Self::Authorised,
        Self::Uncaptured,
        Self::Charged,
        Self::Sold,
        Self::Mischarged,
        Self::Completed,
        Self::WaitingAgain,
        Self::PayingAgain,
        Self::Failed,
        Self::GivenBack,
        Self::Refunded,
        Self::Refunding,
        Self::RefundPending,
        Self::GivenBackLater,
        Self::Expired,
    ];

    /// Whether a payment has just ended, so that the shopper has to be told.
    pub fn ends_payment(self) -> bool {
        matches!(self, Self::Completed | Self::WaitingAgain | Self::Failed | Self::Refunded | Self::RefundPending)
    }

    /// The stage directly before this one; `None` if there is none.
    fn before(self) -> Option<Self> {
        match self {
            Self::Claimed => None,
            Self::Held => Some(Self::Claimed),
            Self::Waiting | Self::Pending => Some(Self::Held),
            Self::Unavailable
            | Self::Declined
            | Self::Authorised
            | Self::Charged
            | Self::Mischarged
            | Self::Failed
            | Self::GivenBack => Some(Self::Pending),
            Self::Uncaptured => Some(Self::Authorised),
            Self::Sold => Some(Self::Charged),
            Self::Completed | Self::Refunding => Some(Self::Sold),
            Self::WaitingAgain => Some(Self::Declined),
            Self::PayingAgain => Some(Self::WaitingAgain),
            Self::Refunded => Some(Self::GivenBack),
            Self::RefundPending => Some(Self::Refunding),
            Self::GivenBackLater => Some(Self::RefundPending),
            Self::Expired => Some(Self::Waiting),
        }
    }
}

impl Shop {
    /// A shop with the open sale `demo`, and the first buyer's purchase at this stage.
    pub async fn with(stage: Stage) -> Self {
        let shop = Self::open().await;
        shop.bring(&Buyer::first(), stage).await;
        shop
    }

    /// A shop with the open sale `demo`, and the first buyer's purchase at this end of a payment, of which nobody was told.
    pub async fn untold(stage: Stage) -> Self {
        let (shop, buyer) = (Self::open().await, Buyer::first());
        shop.bring_untold(&buyer, stage).await;
        shop
    }

    /// Brings a purchase that has not begun to this end of a payment, of which nobody was told.
    pub async fn bring_untold(&self, buyer: &Buyer, stage: Stage) {
        self.bring(buyer, stage.before().unwrap()).await;
        self.step_untold(buyer, stage).await;
    }

    /// Brings a purchase that has not begun to `stage`. The demo sale must exist.
    pub async fn bring(&self, buyer: &Buyer, stage: Stage) {
        let mut stages: Vec<Stage> = std::iter::successors(Some(stage), |stage| stage.before()).collect();
        while let Some(next) = stages.pop() {
            // Boxed, because a test's thread has a small stack.
            Box::pin(self.step(buyer, next)).await;
        }
    }

    /// Brings a purchase from the stage directly before to `stage`. If that is the end of a payment, its shopper is told.
    pub async fn step(&self, buyer: &Buyer, stage: Stage) {
        self.step_untold(buyer, stage).await;
        if stage.ends_payment() {
            let order = self.order(buyer).await;
            assert!(self.uncounted().orders().told(&order.id, order.attempt, order.untold.unwrap()).await.unwrap());
        }
    }

    /// As [`Shop::step`], but no run of the saga gets as far as to tell the shopper.
    pub async fn step_untold(&self, buyer: &Buyer, stage: Stage) {
        let (now, purchases) = (self.now(), self.uncounted().purchases());
        let order = buyer.order(OrderStep::PaymentStarted);
        match stage {
            Stage::Claimed => {
                let claimed = self.uncounted().stock().claim(buyer.shard, &buyer.shopper, &buyer.hold()).await.unwrap();
                assert_eq!(claimed, ClaimOutcome::Claimed);
            }
            Stage::Held => {
                assert_eq!(self.uncounted().reservations().open(&buyer.reservation()).await.unwrap(), OpenOutcome::Opened);
            }
            Stage::Waiting => {
                assert_eq!(self.uncounted().orders().place(&buyer.order(OrderStep::Placed)).await.unwrap(), PlaceOutcome::Placed);
            }
            Stage::Pending => {
                assert_eq!(purchases.start(&order, now).await.unwrap(), StartOutcome::Started);
            }
            Stage::Unavailable => _ = self.attempt(buyer, 1, "sandbox", AttemptStatus::Unavailable).await,
            Stage::Declined => _ = self.attempt(buyer, 1, "sandbox", AttemptStatus::Declined).await,
            Stage::Authorised => _ = self.attempt(buyer, 1, "sandbox", AttemptStatus::Authorised).await,
            Stage::Charged => _ = self.attempt(buyer, 1, "sandbox", AttemptStatus::Charged).await,
            Stage::Uncaptured | Stage::Sold => self.sell(buyer).await,
            Stage::Mischarged => {
                self.mischarge(buyer).await;
                self.sell(buyer).await;
            }
            Stage::Completed => {
                let reference = format!("sandbox_{}", buyer.key(1));
                assert_eq!(purchases.complete(&order, 1, &reference, now).await.unwrap(), Advanced::Done);
            }
            Stage::WaitingAgain => {
                let pay_by = buyer.reservation().end_after_failed_payment(now);
                let failed = purchases.payment_failed(&order, 1, pay_by, "The card was declined.", now).await.unwrap();
                assert_eq!(failed, Advanced::Done);
            }
            Stage::PayingAgain => {
                let waiting = self.order(buyer).await;
                assert_eq!(purchases.start_again(&waiting, &buyer.method, now).await.unwrap(), StartOutcome::Started);
            }
            Stage::Failed => {
                self.attempt(buyer, 1, "sandbox", AttemptStatus::Voided).await;
                self.release(buyer).await;
                assert_eq!(purchases.end(&order, 1, OrderStep::Failed, now).await.unwrap(), Advanced::Done);
            }
            Stage::GivenBack => _ = self.attempt(buyer, 1, "sandbox", AttemptStatus::Refunded).await,
            Stage::Refunded => {
                self.sell(buyer).await;
                let taken_back = self.uncounted().stock().take_back(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
                assert_eq!(taken_back, TakeBackOutcome::TakenBack);
                assert_eq!(purchases.end(&order, 1, OrderStep::Refunded, now).await.unwrap(), Advanced::Done);
            }
            Stage::Refunding => self.becomes(buyer, 1, AttemptStatus::Refunding).await,
            Stage::RefundPending => {
                assert_eq!(purchases.end_order(&order, 1, OrderStep::RefundFailed, now).await.unwrap(), Advanced::Done);
            }
            Stage::GivenBackLater => {
                self.uncounted().books().refund(&GatewayName("sandbox".to_owned()), &buyer.key(1)).await.unwrap();
                self.becomes(buyer, 1, AttemptStatus::Refunded).await;
            }
            Stage::Expired => {
                let end = Ending::Overdue(buyer.reservation().expires_at);
                assert_eq!(self.uncounted().reservations().end(&buyer.shopper, &buyer.id, end).await.unwrap(), EndOutcome::Ended);
                self.release(buyer).await;
                assert!(self.uncounted().orders().expire(&buyer.id, None, now).await.unwrap());
            }
        }
    }

    /// Records a refund of a part that an operator requests. No gateway is asked. Returns the order after it.
    pub async fn request_refund(&self, buyer: &Buyer, key: &str, amount_minor: i64) -> Order {
        let order = self.order(buyer).await;
        let amount = Money::new(amount_minor, order.amount.currency()).unwrap();
        let asked = RefundRequest { key: key.parse().unwrap(), amount: Some(amount), return_unit: false };
        let refund = order.new_refund(&asked, self.now()).unwrap();
        self.uncounted().orders().begin_refund(&order, &refund, self.now()).await.unwrap().expect("the order takes it")
    }

    /// Moves the buyer's units from held to sold.
    async fn sell(&self, buyer: &Buyer) {
        let sold = self.uncounted().stock().sell(buyer.shard, &buyer.shopper, &buyer.id, buyer.quantity).await.unwrap();
        assert_eq!(sold, SellOutcome::Sold);
    }

    /// Moves the buyer's units from held to available.
    async fn release(&self, buyer: &Buyer) {
        let released = self.uncounted().stock().release(buyer.shard, &buyer.shopper, &buyer.id).await.unwrap();
        assert_eq!(released, ReleaseOutcome::Released);
    }

    /// The order, which must exist.
    pub async fn order(&self, buyer: &Buyer) -> Order {
        self.uncounted().orders().get(&buyer.id).await.unwrap().expect("there is an order")
    }

    /// The reservation, if it still exists and is the buyer's.
    pub async fn reservation(&self, buyer: &Buyer) -> Option<Reservation> {
        let found = self.uncounted().reservations().get(&buyer.shopper, buyer.id.product()).await.unwrap();
        found.filter(|found| found.id == buyer.id)
    }

    /// The buyer's shard. Asserts that it adds up.
    pub async fn shard(&self, buyer: &Buyer) -> StockShard {
        let number = usize::try_from(buyer.shard.0).unwrap();
        self.shards(buyer.id.product()).await.swap_remove(number)
    }

    /// When TTL may delete the reservation, in epoch seconds; `None`: never.
    pub async fn ttl(&self, buyer: &Buyer) -> Option<i64> {
        let item = self.raw_reservation(&buyer.shopper, buyer.id.product()).await.expect("there is a reservation");
        item.get("ttl").map(|ttl| ttl.as_n().unwrap().parse().unwrap())
    }
}
