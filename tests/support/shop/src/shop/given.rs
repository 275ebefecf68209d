//! What a sample event finds in the tables when it comes.

use domain::{Availability, ClaimOutcome, Hold, ProductId, Quantity, ReservationId, SaleDraft, ShardNumber, SignedDuration};
use store::{EndOutcome, Ending};

use super::{Buyer, Shop, Stage, demo, draft};

/// What has become of the one purchase that the sample events speak of, the first buyer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Nobody has reserved anything.
    Sale,
    /// What readers know of the sale `sold-out` is from before its last unit went.
    Stale,
    /// [`Stage::Held`], and no change of the shards has reached what readers know of `demo` for a minute.
    Unknown,
    /// [`Stage::Held`].
    Held,
    /// [`Stage::Held`], and the hold ended a minute ago.
    Overdue,
    /// Units are held, and the hold ended a minute ago; the run that claimed them has never written the reservation.
    Abandoned,
    /// [`Stage::Waiting`].
    Waiting,
    /// [`Stage::Waiting`], and the hold ended a minute ago.
    Waited,
    /// [`Stage::Pending`].
    Paying,
    /// [`Stage::Pending`] for two minutes.
    Unpaid,
    /// [`Stage::Unavailable`].
    Unavailable,
    /// [`Stage::Declined`].
    Declined,
    /// [`Stage::WaitingAgain`]: the attempt is given up.
    GivenUp,
    /// [`Stage::Charged`].
    Charged,
    /// [`Stage::Sold`].
    Sold,
    /// [`Stage::Mischarged`].
    Mischarged,
    /// [`Stage::Completed`].
    Completed,
    /// [`Stage::Refunding`].
    Refunding,
    /// [`Stage::GivenBack`].
    Refunded,
    /// [`Stage::GivenBackLater`].
    RefundedLater,
}

impl Given {
    /// Everything that can be given.
    pub const ALL: [Self; 20] = [
        Self::Sale,
        Self::Stale,
        Self::Unknown,
        Self::Held,
        Self::Overdue,
        Self::Abandoned,
        Self::Waiting,
        Self::Waited,
        Self::Paying,
        Self::Unpaid,
        Self::Unavailable,
        Self::Declined,
        Self::GivenUp,
        Self::Charged,
        Self::Sold,
        Self::Mischarged,
        Self::Completed,
        Self::Refunding,
        Self::Refunded,
        Self::RefundedLater,
    ];

    /// How far the purchase has come; `None`: it has not begun.
    pub fn stage(self) -> Option<Stage> {
        match self {
            Self::Sale | Self::Stale => None,
            Self::Unknown | Self::Held | Self::Overdue | Self::Abandoned => Some(Stage::Held),
            Self::Waiting | Self::Waited => Some(Stage::Waiting),
            Self::Paying | Self::Unpaid => Some(Stage::Pending),
            Self::Unavailable => Some(Stage::Unavailable),
            Self::Declined => Some(Stage::Declined),
            Self::GivenUp => Some(Stage::WaitingAgain),
            Self::Charged => Some(Stage::Charged),
            Self::Sold => Some(Stage::Sold),
            Self::Mischarged => Some(Stage::Mischarged),
            Self::Completed => Some(Stage::Completed),
            Self::Refunding => Some(Stage::Refunding),
            Self::Refunded => Some(Stage::GivenBack),
            Self::RefundedLater => Some(Stage::GivenBackLater),
        }
    }
}

impl Shop {
    /// Makes the sales that the sample events name, and brings the first buyer's purchase to what is given, all by the times of
    /// this moment.
    pub async fn give(&self, given: Given) {
        self.sales_of_the_events().await;
        let (now, seconds) = (self.now(), SignedDuration::from_secs);
        let (made_at, ends_at) = match given {
            Given::Overdue | Given::Waited | Given::Abandoned => (now - seconds(360), now - seconds(60)),
            Given::Unpaid => (now - seconds(120), now + seconds(180)),
            Given::Sale
            | Given::Stale
            | Given::Unknown
            | Given::Held
            | Given::Waiting
            | Given::Paying
            | Given::Unavailable
            | Given::Declined
            | Given::GivenUp
            | Given::Charged
            | Given::Sold
            | Given::Mischarged
            | Given::Completed
            | Given::Refunding
            | Given::Refunded
            | Given::RefundedLater => (now, now + seconds(300)),
        };
        let buyer = Buyer::first().holding(made_at, ends_at);
        if let Some(stage) = given.stage() {
            self.bring(&buyer, stage).await;
        }
        match given {
            Given::Abandoned => {
                let ended = self.uncounted().reservations().end(&buyer.shopper, &buyer.id, Ending::Cancelled).await.unwrap();
                assert_eq!(ended, EndOutcome::Ended);
            }
            Given::Stale => {
                let product = sold_out();
                let layout = self.uncounted().sales().get(&product).await.unwrap().expect("the sale is there").layout;
                self.know(&product, |known| Availability { version: known.version, ..Availability::untouched(&layout, now) })
                    .await;
            }
            Given::Unknown => self.know(&demo(), |known| Availability { as_of: now - seconds(60), ..known.clone() }).await,
            Given::Sale
            | Given::Held
            | Given::Overdue
            | Given::Waiting
            | Given::Waited
            | Given::Paying
            | Given::Unpaid
            | Given::Unavailable
            | Given::Declined
            | Given::GivenUp
            | Given::Charged
            | Given::Sold
            | Given::Mischarged
            | Given::Completed
            | Given::Refunding
            | Given::Refunded
            | Given::RefundedLater => {}
        }
    }

    /// An open sale, one that has not started, one that has ended, and one whose only unit the second buyer holds.
    async fn sales_of_the_events(&self) {
        let (now, hour) = (self.now(), SignedDuration::from_hours(1));
        let sale = async |product: &str, units, starts_at, ends_at| {
            let draft = SaleDraft { name: format!("A sale of {product}"), units, starts_at, ends_at, ..draft() };
            self.sale(&product.parse().unwrap(), draft).await;
        };
        sale("demo", 100, now - hour, now + hour).await;
        sale("not-started", 100, now + hour * 24, now + hour * 25).await;
        sale("ended", 100, now - hour, now - hour / 2).await;
        sale("sold-out", 1, now - hour, now + hour).await;
        let reservation = ReservationId::of(&sold_out(), &Buyer::second().id.ulid()).unwrap();
        let hold = Hold { reservation, quantity: Quantity::ONE, expires_at: now + hour };
        let claimed = self.uncounted().stock().claim(ShardNumber(0), &Buyer::second().shopper, &hold).await.unwrap();
        assert_eq!(claimed, ClaimOutcome::Claimed);
        self.refresh_availability(&sold_out()).await;
    }

    /// Has readers know something else of a sale's stock.
    async fn know(&self, product: &ProductId, change: impl FnOnce(&Availability) -> Availability) {
        let known = self.availability(product).await;
        let changed = Availability { version: known.version + 1, ..change(&known) };
        assert!(self.uncounted().availabilities().put(product, &changed, known.version).await.unwrap());
    }
}

fn sold_out() -> ProductId {
    "sold-out".parse().unwrap()
}
