//! The state of the tables when a sample event comes.

use domain::{Admission, Availability, ProductId, SaleDraft, SaleStatus, SignedDuration};

use super::{Buyer, Shop, Stage, demo, draft, guarded, sold_out};

/// The state of the purchase in the sample events, which is the first buyer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// No shopper has reserved anything.
    Sale,
    /// The availability item of the sale `sold-out` is from before its last unit was held.
    Stale,
    /// [`Stage::Held`], and for a minute the availability item of `demo` has missed all changes of the shards.
    Unknown,
    /// The availability item of the sale `ended` has not changed since the sale's end.
    Settled,
    /// The sale `sold-out` was closed a minute ago; the second buyer still holds its unit.
    Closed,
    /// [`Stage::Held`].
    Held,
    /// [`Stage::Held`], and the hold ended a minute ago.
    Overdue,
    /// [`Stage::Claimed`], and the hold ended a minute ago.
    Abandoned,
    /// [`Stage::Waiting`].
    Waiting,
    /// [`Stage::Waiting`], and the hold ended a minute ago.
    Waited,
    /// [`Stage::Pending`].
    Paying,
    /// [`Stage::Pending`] for two minutes.
    Unpaid,
    /// [`Stage::Pending`]: the gateway was asked, and the shopper has to act.
    ToAct,
    /// [`Stage::Unavailable`].
    Unavailable,
    /// [`Stage::Declined`].
    Declined,
    /// [`Stage::WaitingAgain`]: the attempt is given up.
    GivenUp,
    /// [`Stage::Authorised`].
    Authorised,
    /// [`Stage::Uncaptured`].
    Uncaptured,
    /// [`Stage::Charged`].
    Charged,
    /// [`Stage::Sold`].
    Sold,
    /// [`Stage::Mischarged`].
    Mischarged,
    /// [`Stage::Completed`].
    Completed,
    /// [`Stage::Completed`] for two minutes, and nobody has told the shopper.
    Untold,
    /// [`Stage::Completed`]: an operator has requested a refund of a tenth of the price, and the gateway has not been asked.
    RefundRequested,
    /// [`Stage::Refunding`].
    Refunding,
    /// [`Stage::GivenBack`].
    Refunded,
    /// [`Stage::GivenBackLater`].
    RefundedLater,
}

impl Given {
    /// Every value.
    pub const ALL: [Self; 27] = [
        Self::Sale,
        Self::Stale,
        Self::Unknown,
        Self::Settled,
        Self::Closed,
        Self::Held,
        Self::Overdue,
        Self::Abandoned,
        Self::Waiting,
        Self::Waited,
        Self::Paying,
        Self::Unpaid,
        Self::ToAct,
        Self::Unavailable,
        Self::Declined,
        Self::GivenUp,
        Self::Authorised,
        Self::Uncaptured,
        Self::Charged,
        Self::Sold,
        Self::Mischarged,
        Self::Completed,
        Self::Untold,
        Self::RefundRequested,
        Self::Refunding,
        Self::Refunded,
        Self::RefundedLater,
    ];

    /// The stage of the purchase; `None`: it has not begun.
    pub fn stage(self) -> Option<Stage> {
        match self {
            Self::Sale | Self::Stale | Self::Settled | Self::Closed => None,
            Self::Abandoned => Some(Stage::Claimed),
            Self::Unknown | Self::Held | Self::Overdue => Some(Stage::Held),
            Self::Waiting | Self::Waited => Some(Stage::Waiting),
            Self::Paying | Self::Unpaid | Self::ToAct => Some(Stage::Pending),
            Self::Unavailable => Some(Stage::Unavailable),
            Self::Declined => Some(Stage::Declined),
            Self::GivenUp => Some(Stage::WaitingAgain),
            Self::Authorised => Some(Stage::Authorised),
            Self::Uncaptured => Some(Stage::Uncaptured),
            Self::Charged => Some(Stage::Charged),
            Self::Sold => Some(Stage::Sold),
            Self::Mischarged => Some(Stage::Mischarged),
            Self::Completed | Self::Untold | Self::RefundRequested => Some(Stage::Completed),
            Self::Refunding => Some(Stage::Refunding),
            Self::Refunded => Some(Stage::GivenBack),
            Self::RefundedLater => Some(Stage::GivenBackLater),
        }
    }
}

impl Shop {
    /// Makes the sales that the sample events name, and brings the first buyer's purchase to the given state, at the
    /// present time.
    pub async fn give(&self, given: Given) {
        self.sales_of_the_events().await;
        let (now, seconds) = (self.now(), SignedDuration::from_secs);
        let (made_at, ends_at) = if matches!(given, Given::Overdue | Given::Waited | Given::Abandoned) {
            (now - seconds(360), now - seconds(60))
        } else if matches!(given, Given::Unpaid | Given::Untold) {
            (now - seconds(120), now + seconds(180))
        } else {
            (now, now + seconds(300))
        };
        let buyer = Buyer::first().holding(made_at, ends_at);
        match given.stage() {
            Some(stage) if given == Given::Untold => {
                self.clock.advance(seconds(-120));
                self.bring_untold(&buyer, stage).await;
                self.clock.advance(seconds(120));
            }
            Some(stage) => self.bring(&buyer, stage).await,
            None => {}
        }
        if given == Given::RefundRequested {
            self.request_refund(&buyer, "given", buyer.amount().amount_minor() / 10).await;
        }
        if given == Given::ToAct {
            self.waits_for_shopper(&buyer).await;
        }
        if given == Given::Closed {
            let sales = self.uncounted().sales();
            let stored = sales.get_for_write(&sold_out()).await.unwrap().expect("the sale is there");
            sales.change_status(&stored, SaleStatus::Closed, now - seconds(60)).await.unwrap();
        }
        if given == Given::Stale {
            let layout = self.uncounted().sales().get(&sold_out()).await.unwrap().expect("the sale is there").layout;
            self.know(&sold_out(), Availability::untouched(&layout, now)).await;
        }
        if given == Given::Settled {
            let ended = "ended".parse().unwrap();
            let known = self.availability(&ended).await;
            self.know(&ended, Availability { as_of: now - seconds(1_800), ..known }).await;
        }
        if given == Given::Unknown {
            let known = self.availability(&demo()).await;
            self.know(&demo(), Availability { as_of: now - seconds(60), ..known }).await;
        }
    }

    /// An open sale, one that has not started, one that has ended, one whose draw has just begun, one that asks for a proof of work, and one
    /// whose only unit the second buyer holds.
    async fn sales_of_the_events(&self) {
        let (now, hour) = (self.now(), SignedDuration::from_hours(1));
        let sale = async |product: &str, units, starts_at, ends_at| {
            let draft = SaleDraft { name: format!("A sale of {product}"), units, starts_at, ends_at, ..draft() };
            self.sale(&product.parse().unwrap(), draft).await;
        };
        sale("demo", 100, now - hour, now + hour).await;
        sale("not-started", 100, now + hour * 24, now + hour * 25).await;
        sale("ended", 100, now - hour, now - hour / 2).await;
        let admission = Admission::Draw { ramp_seconds: 3_600 };
        let by_draw = SaleDraft { admission, starts_at: now, ends_at: now + hour, ..draft() };
        self.sale(&"draw".parse().unwrap(), by_draw).await;
        self.sale(&"guarded".parse().unwrap(), SaleDraft { starts_at: now - hour, ends_at: now + hour, ..guarded() }).await;
        let of_now = SaleDraft { starts_at: now - hour, ends_at: now + hour, ..draft() };
        self.sold_out(of_now, &Buyer::second().holding(now, now + hour)).await;
    }

    /// Writes this as the availability item of a sale.
    async fn know(&self, product: &ProductId, availability: Availability) {
        let version = self.availability(product).await.version;
        let newer = Availability { version: version + 1, ..availability };
        assert!(self.uncounted().availabilities().put(product, &newer, version).await.unwrap());
    }
}
