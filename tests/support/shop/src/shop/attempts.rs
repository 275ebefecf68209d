//! Payment attempts in every status, with the gateway's books to match.

use domain::{Attempt, AttemptStatus, GatewayName, Money};
use store::{Entry, EntryState};

use super::{Buyer, Shop};

impl Shop {
    /// Writes an attempt and the books of the sandbox called `gateway` as they are when it has come to `status`.
    pub async fn attempt(&self, buyer: &Buyer, attempt: u32, gateway: &str, status: AttemptStatus) -> Attempt {
        let (key, name) = (buyer.key(attempt), GatewayName(gateway.to_owned()));
        let after = match status {
            AttemptStatus::Started => return self.uncounted().attempts().begin(&key, &name).await.unwrap().0,
            AttemptStatus::Charged | AttemptStatus::Kept | AttemptStatus::Refunding => {
                self.charge(buyer, attempt, gateway, buyer.amount()).await
            }
            AttemptStatus::Refunded => {
                let charged = self.charge(buyer, attempt, gateway, buyer.amount()).await;
                self.uncounted().books().refund(&name, &key).await.unwrap();
                charged
            }
            AttemptStatus::Declined | AttemptStatus::GivenUp => {
                let started = self.uncounted().attempts().begin(&key, &name).await.unwrap().0;
                let entry = Entry::asked(EntryState::Declined, buyer.amount(), buyer.amount(), &buyer.method);
                self.uncounted().books().settle(&name, &key, &entry).await.unwrap();
                Attempt { reason: Some("The card was declined.".into()), ..started }
            }
            AttemptStatus::Voided => {
                let started = self.uncounted().attempts().begin(&key, &name).await.unwrap().0;
                self.uncounted().books().void(&name, &key).await.unwrap();
                started
            }
            AttemptStatus::Unavailable => self.uncounted().attempts().begin(&key, &name).await.unwrap().0,
        };
        self.replace(&after.clone(), Attempt { status, ..after }).await
    }

    /// Writes a charge of `confirmed` by the sandbox called `gateway` into the attempt and into the gateway's books.
    pub(super) async fn charge(&self, buyer: &Buyer, attempt: u32, gateway: &str, confirmed: Money) -> Attempt {
        let (key, name) = (buyer.key(attempt), GatewayName(gateway.to_owned()));
        let started = self.uncounted().attempts().begin(&key, &name).await.unwrap().0;
        let entry = Entry::asked(EntryState::Charged, buyer.amount(), confirmed, &buyer.method);
        self.uncounted().books().settle(&name, &key, &entry).await.unwrap();
        let (status, reference) = (AttemptStatus::Charged, Some(format!("{gateway}_{key}")));
        self.replace(&started, Attempt { status, reference, confirmed: Some(confirmed), ..started.clone() }).await
    }

    /// Writes another status into an attempt, and leaves the gateway's books as they are.
    pub(super) async fn becomes(&self, buyer: &Buyer, attempt: u32, status: AttemptStatus) {
        let before = self.uncounted().attempts().get(&buyer.key(attempt)).await.unwrap().expect("there is such an attempt");
        self.replace(&before, Attempt { status, ..before.clone() }).await;
    }

    async fn replace(&self, before: &Attempt, after: Attempt) -> Attempt {
        assert!(self.uncounted().attempts().replace(before, &after).await.unwrap());
        after
    }

    /// The status that an attempt is known by; `None`: there is no such attempt.
    pub async fn attempt_status(&self, buyer: &Buyer, attempt: u32) -> Option<AttemptStatus> {
        self.uncounted().attempts().get(&buyer.key(attempt)).await.unwrap().map(|attempt| attempt.status)
    }

    /// How often a sandbox has charged and refunded an attempt.
    pub async fn money(&self, buyer: &Buyer, attempt: u32, gateway: &str) -> (u32, u32) {
        let entry = self.uncounted().books().get(&GatewayName(gateway.to_owned()), &buyer.key(attempt)).await.unwrap();
        entry.map_or((0, 0), |entry| (entry.charges, entry.refunds))
    }
}
