//! Units for an order whose hold has ended, and whose money came after all. They are claimed as any others, under the order's
//! own id.

use contract::Refusal;
use domain::{Hold, Order, Reservation, ReservationStatus, ShardNumber, SignedDuration, Timestamp};
use store::StoreError;

use crate::{
    claims::Claim,
    use_case::{ROUNDS, UnitReservations},
};

impl UnitReservations {
    /// Claims the units of `order` again. Returns the reservation that the caller has to write, or else release by
    /// [`Self::release_claim`]. `None`: the sale takes no reservations now, has too few units left, or its shopper has others.
    ///
    /// # Errors
    /// When the store does not answer. Units may be claimed: the next run takes them over, or `reconcile` releases them.
    pub async fn claim_again(&self, order: &Order) -> Result<Option<Reservation>, StoreError> {
        let now = self.clock.now();
        let sale = self.sales.get(order.product()).await?.filter(|sale| sale.is_visible(now));
        let Some(sale) = sale.filter(|sale| sale.accepts(order.quantity, now).is_ok()) else { return Ok(None) };
        if self.reservations.get(&order.shopper, order.product()).await?.is_some() {
            return Ok(None);
        }
        // Later than the end of the first hold: so whatever comes late to release that one leaves this one alone. If this run hangs
        // until after it, `reconcile` takes the units for abandoned. The saga then finds no units and voids the payment.
        let after_first = order.pay_by.checked_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let expires_at = sale.draft.hold_end(now).max(after_first);
        let hold = Hold { reservation: order.id.clone(), quantity: order.quantity, expires_at };
        let reservation = |shard: ShardNumber, hold: Hold| Reservation {
            id: hold.reservation,
            shopper: order.shopper.clone(),
            shard,
            quantity: hold.quantity,
            status: ReservationStatus::Paying,
            expires_at: hold.expires_at,
            latest_end: Some(sale.draft.latest_hold_end(now).max(hold.expires_at)),
            accounts: order.accounts.clone(),
            created_at: now,
        };
        for _ in 0..ROUNDS {
            let claim = match self.refuse_without_units(&sale, order.quantity, now).await {
                Ok(()) => self.claim(&sale, &order.shopper, &hold, now).await,
                Err(refusal) => Err(refusal),
            };
            match claim {
                Ok(Claim::New { shard, hold }) => return Ok(Some(reservation(shard, hold))),
                Ok(Claim::Held { shard, hold }) if hold.reservation == order.id => {
                    // By another run of the same request, which may be at work or dead.
                    if hold.expires_at > order.pay_by.max(now) {
                        return Ok(Some(reservation(shard, hold)));
                    }
                    // What the first hold has left.
                    self.stock.release_ended(shard, &order.shopper, &order.id, hold.expires_at).await?;
                }
                Err(Refusal::Store(error)) => return Err(error),
                Ok(Claim::Held { .. } | Claim::Bought)
                | Err(
                    Refusal::UnknownProduct
                    | Refusal::NotReservable(_)
                    | Refusal::SoldOut(_)
                    | Refusal::NotTogether { .. }
                    | Refusal::CoolingDown { .. }
                    | Refusal::AlreadyPurchased
                    | Refusal::TryAgain { .. },
                ) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Releases the units of a claim whose reservation was not written, unless another run has written one for these units.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn release_claim(&self, claimed: &Reservation) -> Result<(), StoreError> {
        let found = self.reservations.get(&claimed.shopper, claimed.id.product()).await?;
        if found.is_none_or(|found| found.id != claimed.id || found.shard != claimed.shard) {
            self.stock.release_ended(claimed.shard, &claimed.shopper, &claimed.id, claimed.expires_at).await?;
        }
        Ok(())
    }
}
