//! Payment attempts in every status, with matching books of the gateway.

use domain::{Action, Attempt, AttemptStatus, GatewayName, Money, SandboxMethod, Waiting};
use store::{Entry, EntryState};

use super::{Buyer, Shop};

impl Shop {
    /// Writes an attempt with this `status`, and the matching books of the sandbox called `gateway`.
    pub async fn attempt(&self, buyer: &Buyer, attempt: u32, gateway: &str, status: AttemptStatus) -> Attempt {
        let (key, name) = (buyer.key(attempt), GatewayName(gateway.to_owned()));
        let started = self.uncounted().attempts().begin(&key, &name).await.unwrap().0;
        let books = self.uncounted().books();
        let after = match status {
            AttemptStatus::Started | AttemptStatus::Unavailable => started.clone(),
            AttemptStatus::Authorised => {
                let entry = Entry::asked(EntryState::Authorised, buyer.amount(), buyer.amount(), &buyer.method);
                books.settle(&name, &key, &entry).await.unwrap();
                Attempt { reference: Some(format!("{gateway}_{key}")), ..started.clone() }
            }
            AttemptStatus::Charged | AttemptStatus::Kept | AttemptStatus::Refunding => {
                self.charge(buyer, &started, buyer.amount()).await
            }
            AttemptStatus::Refunded => {
                let charged = self.charge(buyer, &started, buyer.amount()).await;
                books.refund(&name, &key).await.unwrap();
                charged
            }
            AttemptStatus::Declined | AttemptStatus::GivenUp => {
                let entry = Entry::asked(EntryState::Declined, buyer.amount(), buyer.amount(), &buyer.method);
                books.settle(&name, &key, &entry).await.unwrap();
                Attempt { reason: Some("The card was declined.".into()), ..started.clone() }
            }
            AttemptStatus::Voided => {
                books.void(&name, &key).await.unwrap();
                started.clone()
            }
        };
        let after = Attempt { status, ..after };
        assert!(after == started || self.uncounted().attempts().replace(&started, &after).await.unwrap());
        after
    }

    /// Lets the gateway charge `confirmed` for an attempt. Returns the charged attempt, which is not written yet.
    async fn charge(&self, buyer: &Buyer, attempt: &Attempt, confirmed: Money) -> Attempt {
        let entry = Entry::asked(EntryState::Charged, buyer.amount(), confirmed, &buyer.method);
        self.uncounted().books().settle(&attempt.gateway, &attempt.key, &entry).await.unwrap();
        let reference = Some(format!("{}_{}", attempt.gateway.0, attempt.key));
        Attempt { status: AttemptStatus::Charged, reference, confirmed: Some(confirmed), ..attempt.clone() }
    }

    /// Writes a first attempt for which the sandbox has charged another amount than the order's.
    pub(super) async fn mischarge(&self, buyer: &Buyer) {
        let started = self.attempt(buyer, 1, "sandbox", AttemptStatus::Started).await;
        let charged = self.charge(buyer, &started, Money::new(1, buyer.amount().currency()).unwrap()).await;
        assert!(self.uncounted().attempts().replace(&started, &charged).await.unwrap());
    }

    /// Writes a first attempt that waits for its shopper until the end of the hold; the shopper has not acted.
    pub async fn waits_for_shopper(&self, buyer: &Buyer) -> Attempt {
        let started = self.attempt(buyer, 1, "sandbox", AttemptStatus::Started).await;
        let method = SandboxMethod::ActionAbandoned.as_str().parse().unwrap();
        let entry = Entry::asked(EntryState::Called, buyer.amount(), buyer.amount(), &method);
        self.uncounted().books().settle(&started.gateway, &started.key, &entry).await.unwrap();
        let action = Action::Redirect { url: "https://sandbox.invalid/".to_owned() };
        let waiting = Some(Waiting { action, until: buyer.ends_at, task_token: None });
        let after = Attempt { waiting, ..started.clone() };
        assert!(self.uncounted().attempts().replace(&started, &after).await.unwrap());
        after
    }

    /// Writes another status into an attempt, and does not change the gateway's books.
    pub(super) async fn becomes(&self, buyer: &Buyer, attempt: u32, status: AttemptStatus) {
        let before = self.uncounted().attempts().get(&buyer.key(attempt)).await.unwrap().expect("there is such an attempt");
        assert!(self.uncounted().attempts().replace(&before, &Attempt { status, ..before.clone() }).await.unwrap());
    }

    /// The status in the attempt's item; `None`: there is no item.
    pub async fn attempt_status(&self, buyer: &Buyer, attempt: u32) -> Option<AttemptStatus> {
        self.uncounted().attempts().get(&buyer.key(attempt)).await.unwrap().map(|attempt| attempt.status)
    }

    /// How often a sandbox has charged and refunded an attempt.
    pub async fn money(&self, buyer: &Buyer, attempt: u32, gateway: &str) -> (u32, u32) {
        let entry = self.uncounted().books().get(&GatewayName(gateway.to_owned()), &buyer.key(attempt)).await.unwrap();
        entry.map_or((0, 0), |entry| (entry.charges, entry.refunds))
    }
}
