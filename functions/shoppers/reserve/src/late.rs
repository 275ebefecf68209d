//! Units for an order whose hold has ended, and whose money came after all. They are claimed as any others, under the order's
//! own id.

use std::time::Duration;

use contract::Refusal;
use domain::{Hold, Order, Reservation, ReservationStatus, Sale, ShardNumber, SignedDuration, Timestamp};
use store::StoreError;

use crate::{
    claims::Claim,
    use_case::{ROUNDS, UnitReservations},
};

/// A run that claims units ends within this time of its reading of the sale, as `reserve` does by its time-out: see
/// `Sale::unreservable_at`.
const CLAIMS_WITHIN: Duration = Duration::from_secs(5);

/// What became of claiming units again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedAgain {
    /// Units are held under this reservation, which the caller has to write, or else release by
    /// [`UnitReservations::release_claim`].
    Held(Box<Reservation>),
    /// There are no units for the order: its sale takes no reservations now, is another one, or has too few units left, or its
    /// shopper has others.
    NoUnits,
    /// Nobody can say at the moment. The caller has to ask again.
    NotNow,
}

impl UnitReservations {
    /// Claims the units of `order` again.
    ///
    /// # Errors
    /// When the store does not answer. Units may be claimed: the next run takes them over, or `reconcile` releases them.
    pub async fn claim_again(&self, order: &Order) -> Result<ClaimedAgain, StoreError> {
        let claimed = tokio::time::timeout(CLAIMS_WITHIN, self.claim_in_time(order)).await;
        claimed.unwrap_or(Ok(ClaimedAgain::NotNow))
    }

    async fn claim_in_time(&self, order: &Order) -> Result<ClaimedAgain, StoreError> {
        let now = self.clock.now();
        let sale = self.sales.get(order.product()).await?.filter(|sale| sale.is_visible(now));
        let sale = sale.filter(|sale| sale.accepts(order.quantity, now).is_ok() && is_of(order, sale));
        // Another sale of the product may admit by draw: late money does not jump its line.
        let sale = sale.filter(|sale| sale.admits(&order.shopper, now).is_ok());
        let Some(sale) = sale else { return Ok(ClaimedAgain::NoUnits) };
        if self.reservations.get(&order.shopper, order.product()).await?.is_some() {
            return Ok(ClaimedAgain::NoUnits);
        }
        // Later than the end of the first hold: so whatever comes late to release that one leaves this one alone. If this run hangs
        // until after it, `reconcile` takes the units for abandoned. The saga then finds no units and voids the payment.
        let after_first = order.pay_by.checked_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let expires_at = sale.draft.hold_end(now).max(after_first);
        let hold = Hold { reservation: order.id.clone(), quantity: order.quantity, expires_at };
        let held = |shard: ShardNumber, hold: Hold| {
            ClaimedAgain::Held(Box::new(Reservation {
                id: hold.reservation,
                shopper: order.shopper.clone(),
                shard,
                quantity: hold.quantity,
                status: ReservationStatus::Paying,
                expires_at: hold.expires_at,
                latest_end: Some(sale.draft.latest_hold_end(now).max(hold.expires_at)),
                accounts: order.accounts.clone(),
                created_at: now,
            }))
        };
        for _ in 0..ROUNDS {
            let claim = match self.refuse_without_units(&sale, order.quantity, now).await {
                Ok(()) => self.claim(&sale, &order.shopper, &hold, now).await,
                Err(refusal) => Err(refusal),
            };
            match claim {
                Ok(Claim::New { shard, hold }) => return Ok(held(shard, hold)),
                Ok(Claim::Held { shard, hold }) if hold.reservation == order.id => {
                    // By another run of the same request, which may be at work or dead.
                    if hold.expires_at > order.pay_by.max(now) {
                        return Ok(held(shard, hold));
                    }
                    // What the first hold has left.
                    self.stock.release_ended(shard, &order.shopper, &order.id, hold.expires_at).await?;
                }
                Err(Refusal::Store(error)) => return Err(error),
                Err(Refusal::TryAgain { .. }) => return Ok(ClaimedAgain::NotNow),
                Ok(Claim::Held { .. } | Claim::Bought)
                | Err(
                    Refusal::UnknownProduct
                    | Refusal::NotReservable(_)
                    | Refusal::SoldOut(_)
                    | Refusal::NotTogether { .. }
                    | Refusal::NotYetAdmitted(_)
                    | Refusal::ProofOfWorkRequired
                    | Refusal::ProofOfWork(_)
                    | Refusal::RateLimited(_)
                    | Refusal::CoolingDown { .. }
                    | Refusal::AlreadyPurchased,
                ) => return Ok(ClaimedAgain::NoUnits),
            }
        }
        Ok(ClaimedAgain::NotNow)
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

/// Whether the sale has the order's price. The order's own sale may have been deleted, and another one made of the product.
fn is_of(order: &Order, sale: &Sale) -> bool {
    sale.draft.price.times(order.quantity.units()) == Ok(order.amount)
}
