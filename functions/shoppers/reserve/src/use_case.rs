//! The use case: claim units for a shopper, then write the reservation. With the token of the shopper's bucket before them,
//! these writes are all that a winner costs in the rush: `schedule-expiry` sees the reservation in the table's stream and sends
//! the message that ends the hold (ADR 18).
//!
//! A run may die between the two writes. Units held for a reservation that was never written are orphaned: the same
//! shopper's next request finds them if it looks into their shard (ADR 1 says where it looks). Otherwise `reconcile` releases
//! them when the hold's time is over.

use std::sync::{Arc, Mutex, PoisonError};

use contract::Refusal;
use domain::{
    Accounts, Clock, Hold, LoserMemory, Memory, MemoryLimits, NotReservable, ProductId, Quantity, Randomness, Reservation,
    ReservationId, ReservationStatus, Sale, ShardNumber, ShopperId, SignedDuration, Timestamp, seconds_until,
};
use parts::{FromParts, Parts};
use store::{Availabilities, CoolingShoppers, EndOutcome, Ending, OpenOutcome, Reservations, Sales, Stock, StoreError};

use crate::{claims::Claim, entrance::Entrant};

/// Rounds of one request. It starts another round after it has ended an old hold of its shopper.
pub(crate) const ROUNDS: usize = 3;

/// How long an environment remembers its winners: a client that lost an answer repeats its request within this time.
const WINNERS_REMEMBERED_FOR: SignedDuration = SignedDuration::from_mins(15);
/// Remembered winners, about 200 bytes each.
const MOST_WINNERS: usize = 10_000;

/// A shopper's reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// The reservation.
    pub reservation: Reservation,
    /// This request made it.
    pub is_new: bool,
}

/// Holds units for shoppers. Each execution environment has one value, with the environment's memory.
pub struct UnitReservations {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
    pub(crate) sales: Sales,
    pub(crate) availabilities: Availabilities,
    pub(crate) stock: Stock,
    pub(crate) reservations: Reservations,
    pub(crate) cooling: CoolingShoppers,
    pub(crate) accounts: Accounts,
    pub(crate) limits: MemoryLimits,
    pub(crate) remembered: Mutex<EnvironmentMemory>,
}

/// The memory of one environment.
pub(crate) struct EnvironmentMemory {
    sales: Memory<ProductId, Option<Sale>>,
    pub(crate) losers: Memory<ProductId, LoserMemory>,
    /// Shoppers who got units from this environment, so that it does not refuse their repeated requests as losers'.
    winners: Memory<(ProductId, ShopperId), ()>,
    /// Until when a refused shopper has to cool down.
    cooling: Memory<(ProductId, ShopperId), Timestamp>,
}

impl Default for EnvironmentMemory {
    fn default() -> Self {
        let winners = Memory::lasting(WINNERS_REMEMBERED_FOR, MOST_WINNERS);
        Self { sales: Memory::default(), losers: Memory::default(), winners, cooling: Memory::default() }
    }
}

/// The result of one round.
enum Round {
    Over(Reserved),
    /// The round ended an old hold of the shopper.
    Again,
}

impl FromParts for UnitReservations {
    /// With an empty memory.
    fn from_parts(parts: &mut Parts) -> Self {
        Self {
            clock: parts.clock(),
            randomness: parts.randomness(),
            sales: parts.sales(),
            availabilities: parts.availabilities(),
            stock: parts.stock(),
            reservations: parts.reservations(),
            cooling: parts.cooling_shoppers(),
            accounts: parts.accounts(),
            limits: MemoryLimits::DEFAULT,
            remembered: Mutex::default(),
        }
    }
}

impl UnitReservations {
    /// The shop's accounts at payment providers.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Holds `quantity` units of `product` for `shopper`. A repetition returns the existing reservation. `quantity` is `None` for
    /// more than any sale allows, and `entrant` for the product's own request, which takes no token and shows no work.
    ///
    /// # Errors
    /// Every [`Refusal`].
    pub async fn reserve(
        &self,
        shopper: &ShopperId,
        product: &ProductId,
        quantity: Option<Quantity>,
        entrant: Option<&Entrant<'_>>,
    ) -> Result<Reserved, Refusal> {
        let now = self.clock.now();
        let sale = self.sale(product, now).await?.filter(|sale| sale.is_visible(now)).ok_or(Refusal::UnknownProduct)?;
        sale.accepts(quantity.unwrap_or(Quantity::ONE), now)?;
        let max_per_shopper = sale.draft.max_per_shopper;
        let quantity = quantity.ok_or(NotReservable::QuantityNotAllowed { max_per_shopper })?;
        if let Some(reserved) = self.won_here_before(&sale, shopper, entrant, now).await? {
            return Ok(reserved);
        }
        if let Err(refusal) = admit(&sale, shopper, entrant, now).await {
            // Without a call. That the sale is sold out says more than when the shopper's turn comes, or what its request lacks.
            self.refuse_known_shortage(&sale, quantity, now)?;
            return Err(refusal);
        }
        self.refuse_without_units(&sale, quantity, now).await?;
        self.refuse_cooling(&sale, shopper, now)?;
        if let Some(entrant) = entrant {
            entrant.take_token(shopper, self.clock.now()).await?;
        }
        for _ in 0..ROUNDS {
            if let Some(standing) = self.cool_down(&sale, shopper, now).await? {
                return Ok(standing);
            }
            let round = match self.claim(&sale, shopper, &self.new_hold(&sale, quantity, now), now).await? {
                Claim::New { shard, hold } => self.open(&sale, shopper, shard, hold, now).await?,
                Claim::Held { shard, hold } => self.resume(&sale, shopper, shard, hold, now).await?,
                Claim::Bought => return Err(Refusal::AlreadyPurchased),
            };
            if let Round::Over(reserved) = round {
                return Ok(reserved);
            }
            self.refuse_without_units(&sale, quantity, now).await?;
        }
        Err(Refusal::TryAgain { after_seconds: 1 })
    }

    /// The sale, read at most once a second.
    async fn sale(&self, product: &ProductId, now: Timestamp) -> Result<Option<Sale>, StoreError> {
        if let Some(known) = self.remember(|remembered| remembered.sales.recall(product, now).cloned()) {
            return Ok(known);
        }
        let sale = self.sales.get(product).await?;
        self.remember(|remembered| remembered.sales.learn(product.clone(), sale.clone(), now));
        Ok(sale)
    }

    /// The reservation of a shopper who got one from this environment. It costs a token and one read, instead of a claim that must
    /// fail.
    async fn won_here_before(
        &self,
        sale: &Sale,
        shopper: &ShopperId,
        entrant: Option<&Entrant<'_>>,
        now: Timestamp,
    ) -> Result<Option<Reserved>, Refusal> {
        let winner = (sale.product.clone(), shopper.clone());
        if self.remember(|remembered| remembered.winners.recall(&winner, now).is_none()) {
            return Ok(None);
        }
        if let Some(entrant) = entrant {
            entrant.take_token(shopper, self.clock.now()).await?;
        }
        let known = self.reservations.get(shopper, &sale.product).await?.filter(|reservation| !reservation.is_overdue(now));
        if known.is_none() {
            // The reservation is over: the shopper's further requests are those of anybody.
            self.remember(|remembered| remembered.winners.forget(&winner));
        }
        known.map(standing).transpose()
    }

    /// Refuses a shopper who has to cool down, unless the shopper has a reservation: that is returned. It costs nothing
    /// before the first shopper of the sale has to cool down.
    async fn cool_down(&self, sale: &Sale, shopper: &ShopperId, now: Timestamp) -> Result<Option<Reserved>, Refusal> {
        if !sale.has_cooling_shoppers {
            return Ok(None);
        }
        let ends = self.cooling.get(shopper, &sale.product).await?;
        let until = ends.and_then(|ends| ends.cool_until(sale.draft.hold_seconds));
        let Some(until) = until.filter(|until| now < *until) else { return Ok(None) };
        match self.reservations.get(shopper, &sale.product).await? {
            Some(reservation) if !reservation.is_overdue(now) => self.stand(reservation, now).map(Some),
            Some(_) | None => {
                let key = (sale.product.clone(), shopper.clone());
                self.remember(|remembered| remembered.cooling.learn(key, until, now));
                Err(Refusal::CoolingDown { until })
            }
        }
    }

    /// Refuses from memory: the environment knows that the shopper has to cool down.
    fn refuse_cooling(&self, sale: &Sale, shopper: &ShopperId, now: Timestamp) -> Result<(), Refusal> {
        if !sale.has_cooling_shoppers {
            return Ok(());
        }
        let key = (sale.product.clone(), shopper.clone());
        let known = self.remember(|remembered| remembered.cooling.recall(&key, now).copied());
        known.filter(|until| now < *until).map_or(Ok(()), |until| Err(Refusal::CoolingDown { until }))
    }

    /// Writes the reservation of a new hold. The units stay held until another reservation is known to exist: a timed-out write
    /// may still take effect and needs them.
    async fn open(
        &self,
        sale: &Sale,
        shopper: &ShopperId,
        shard: ShardNumber,
        hold: Hold,
        now: Timestamp,
    ) -> Result<Round, Refusal> {
        let reservation = Reservation {
            accounts: self.accounts.choose(&hold.reservation),
            id: hold.reservation,
            shopper: shopper.clone(),
            shard,
            quantity: hold.quantity,
            status: ReservationStatus::Held,
            expires_at: hold.expires_at,
            latest_end: Some(sale.draft.latest_hold_end(now)),
            created_at: now,
        };
        for _ in 0..ROUNDS {
            let first = match self.reservations.open(&reservation).await? {
                OpenOutcome::Opened => {
                    self.remember_winner(&reservation, now);
                    return Ok(Round::Over(Reserved { reservation, is_new: true }));
                }
                OpenOutcome::Exists(first) => first,
            };
            if let Some(first) = self.clear(shopper, first, now).await? {
                // The shopper has a reservation with units in another shard: it stays, and the new units are released.
                self.stock.release(shard, shopper, &reservation.id).await?;
                return self.stand(first, now).map(Round::Over);
            }
        }
        self.stock.release(shard, shopper, &reservation.id).await?;
        Err(Refusal::TryAgain { after_seconds: 1 })
    }

    /// Continues from a hold that the shopper already has in the shard.
    async fn resume(
        &self,
        sale: &Sale,
        shopper: &ShopperId,
        shard: ShardNumber,
        hold: Hold,
        now: Timestamp,
    ) -> Result<Round, Refusal> {
        let product = hold.reservation.product();
        match self.reservations.get(shopper, product).await? {
            Some(reservation) if reservation.id == hold.reservation => self.stand_or_clear(shopper, reservation, now).await,
            // The hold has no reservation: its run died before it wrote one, or the reservation ended and the stream is late.
            other => {
                // Units that were claimed again for an order that is paid late, under an id that is long made.
                // An id has the milliseconds of the time from which the first hold's end was counted, and not the rest.
                let first_claim =
                    hold.reservation.made_at().checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
                let is_again = hold.expires_at > sale.draft.hold_end(first_claim);
                let settled_at = if is_again { hold.expires_at } else { hold.settles_at() };
                if now >= settled_at {
                    self.stock.release_ended(shard, shopper, &hold.reservation, hold.expires_at).await?;
                    return Ok(Round::Again);
                }
                match other {
                    Some(reservation) => self.stand_or_clear(shopper, reservation, now).await,
                    None => Err(Refusal::TryAgain { after_seconds: seconds_until(settled_at, now).clamp(1, 2) }),
                }
            }
        }
    }

    /// Returns a valid reservation, or ends an overdue one.
    async fn stand_or_clear(&self, shopper: &ShopperId, reservation: Reservation, now: Timestamp) -> Result<Round, Refusal> {
        match self.clear(shopper, reservation, now).await? {
            Some(standing) => self.stand(standing, now).map(Round::Over),
            None => Ok(Round::Again),
        }
    }

    /// Ends an overdue reservation and releases its units. Returns a reservation that is still valid.
    async fn clear(&self, shopper: &ShopperId, reservation: Reservation, now: Timestamp) -> Result<Option<Reservation>, Refusal> {
        if !reservation.is_overdue(now) {
            return Ok(Some(reservation));
        }
        match self.reservations.end(shopper, &reservation.id, Ending::Overdue(now)).await? {
            // `release-stock` would do this too; the shopper need not wait for it.
            EndOutcome::Ended | EndOutcome::Gone => {
                self.stock.release_ended(reservation.shard, shopper, &reservation.id, reservation.expires_at).await?;
                Ok(None)
            }
            // Its payment has started in the meantime, so its units must stay.
            EndOutcome::Kept(reservation) => Ok(Some(reservation)),
        }
    }

    /// Returns a valid reservation, and remembers its shopper.
    fn stand(&self, reservation: Reservation, now: Timestamp) -> Result<Reserved, Refusal> {
        self.remember_winner(&reservation, now);
        standing(reservation)
    }

    fn remember_winner(&self, reservation: &Reservation, now: Timestamp) {
        let winner = (reservation.id.product().clone(), reservation.shopper.clone());
        self.remember(|remembered| remembered.winners.learn(winner, (), now));
    }

    /// A hold that starts at `now`.
    pub(crate) fn new_hold(&self, sale: &Sale, quantity: Quantity, now: Timestamp) -> Hold {
        let reservation = ReservationId::generate(&sale.product, now, self.randomness.as_ref());
        Hold { reservation, quantity, expires_at: sale.draft.hold_end(now) }
    }

    /// Reads or changes the memory. The lock is never held across an await.
    pub(crate) fn remember<T>(&self, look: impl FnOnce(&mut EnvironmentMemory) -> T) -> T {
        look(&mut self.remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Refuses a shopper whose turn in the draw has not come, then a request that does not show the work that the sale asks for: a
/// solution must not expire before its shopper's turn.
async fn admit(sale: &Sale, shopper: &ShopperId, entrant: Option<&Entrant<'_>>, now: Timestamp) -> Result<(), Refusal> {
    sale.admits(shopper, now)?;
    match (sale.draft.proof_of_work, entrant) {
        (None, _) => Ok(()),
        (Some(_), Some(entrant)) => entrant.work.check(sale, shopper, now).await,
        (Some(_), None) => Err(Refusal::ProofOfWorkRequired),
    }
}

/// The result for a reservation that existed before.
fn standing(reservation: Reservation) -> Result<Reserved, Refusal> {
    match reservation.status {
        ReservationStatus::Purchased => Err(Refusal::AlreadyPurchased),
        ReservationStatus::Held | ReservationStatus::Paying => Ok(Reserved { reservation, is_new: false }),
    }
}
