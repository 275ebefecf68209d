//! Payment attempts in every status, with the gateway's books to match.

use domain::{Attempt, AttemptStatus, GatewayName};
use store::{Entry, EntryState};

use super::{Buyer, Shop};

impl Shop {
    /// Writes an attempt and the books of the sandbox called `gateway` as they are when it has come to `status`.
    pub async fn attempt(&self, buyer: &Buyer, attempt: u32, gateway: &str, status: AttemptStatus) -> Attempt {
        let (key, gateway) = (buyer.key(attempt), GatewayName(gateway.to_owned()));
        let started = self.attempts().begin(&key, &gateway).await.unwrap().0;
        let settle = async |state| {
            let entry = Entry::asked(state, buyer.amount(), buyer.amount(), &buyer.method);
            self.books().settle(&gateway, &key, &entry).await.unwrap();
        };
        let charged =
            || Attempt { reference: Some(format!("{gateway}_{key}")), confirmed: Some(buyer.amount()), ..started.clone() };
        let after = match status {
            AttemptStatus::Started => return started,
            AttemptStatus::Charged | AttemptStatus::Kept | AttemptStatus::Refunding => {
                settle(EntryState::Charged).await;
                charged()
            }
            AttemptStatus::Refunded => {
                settle(EntryState::Charged).await;
                self.books().refund(&gateway, &key).await.unwrap();
                charged()
            }
            AttemptStatus::Declined | AttemptStatus::GivenUp => {
                settle(EntryState::Declined).await;
                Attempt { reason: Some("The card was declined.".into()), ..started.clone() }
            }
            AttemptStatus::Voided => {
                self.books().void(&gateway, &key).await.unwrap();
                started.clone()
            }
            AttemptStatus::Unavailable => started.clone(),
        };
        let after = Attempt { status, ..after };
        assert!(self.attempts().replace(&started, &after).await.unwrap());
        after
    }

    /// The status that an attempt is known by; `None`: there is no such attempt.
    pub async fn attempt_status(&self, buyer: &Buyer, attempt: u32) -> Option<AttemptStatus> {
        self.attempts().get(&buyer.key(attempt)).await.unwrap().map(|attempt| attempt.status)
    }

    /// How often a sandbox has charged and refunded an attempt.
    pub async fn money(&self, buyer: &Buyer, attempt: u32, gateway: &str) -> (u32, u32) {
        let entry = self.books().get(&GatewayName(gateway.to_owned()), &buyer.key(attempt)).await.unwrap();
        entry.map_or((0, 0), |entry| (entry.charges, entry.refunds))
    }
}
