//! Claims and the cost of losing: a request claims on the home shard, then on at most four shards with units left, within the
//! environment's budget of failed claims. An environment that knows the sale is sold out answers from memory.

use contract::{Holds, Refusal};
use domain::{
    Availability, ClaimOutcome, Coverage, Hold, LoserMemory, Quantity, Sale, ShardNumber, ShopperId, StockShard, Timestamp,
};

use crate::UnitReservations;

/// The result of a claim.
pub(crate) enum Claim {
    /// Units are held now.
    New { shard: ShardNumber, hold: Hold },
    /// The shopper holds units in this shard by another claim.
    Held { shard: ShardNumber, hold: Hold },
    /// The shopper has bought.
    Bought,
}

/// The entry of `shopper` in a shard that was read.
fn own_hold(number: ShardNumber, shard: &StockShard, shopper: &ShopperId) -> Option<Claim> {
    if shard.sold().contains_key(shopper) {
        return Some(Claim::Bought);
    }
    shard.held().get(shopper).map(|hold| Claim::Held { shard: number, hold: hold.clone() })
}

/// Refuses a request for more units than any shard has.
fn refuse_uncovered(stock: &Availability, quantity: Quantity) -> Result<(), Refusal> {
    match stock.covers(quantity) {
        Coverage::Together => Ok(()),
        Coverage::NotTogether { largest } => Err(Refusal::NotTogether { available: stock.available(), largest }),
        Coverage::SoldOut => Err(Refusal::SoldOut(Holds::of(stock))),
    }
}

impl UnitReservations {
    /// Claims the units of `hold` on a shard that has enough. [`Self::refuse_without_units`] has let the request through.
    pub(crate) async fn claim(&self, sale: &Sale, shopper: &ShopperId, hold: &Hold, now: Timestamp) -> Result<Claim, Refusal> {
        let quantity = hold.quantity;
        let home = sale.layout.home_of(&sale.product, shopper);
        let home_is_empty = self.losers(sale, now, |losers| losers.knows_too_few_in(home, quantity));
        if !home_is_empty && let Some(claim) = self.try_shard(sale, home, shopper, hold, now).await? {
            return Ok(claim);
        }
        // A stock that was known before this claim failed may have led to it.
        let is_known = home_is_empty && self.losers(sale, now, |losers| losers.stock().is_some());
        if !is_known && let Some(own) = self.read_stock(sale, shopper, quantity, !home_is_empty, now).await? {
            return Ok(own);
        }
        for shard in self.candidates(sale, shopper, quantity, now) {
            if self.losers(sale, now, |losers| losers.knows_too_few_in(shard, quantity)) {
                continue;
            }
            self.refuse_from_memory(sale, quantity, now)?;
            if let Some(claim) = self.try_shard(sale, shard, shopper, hold, now).await? {
                return Ok(claim);
            }
        }
        self.refuse_from_memory(sale, quantity, now)?;
        Err(Refusal::TryAgain { after_seconds: 1 })
    }

    /// Refuses a request that the known stock does not cover. If the stock is not known any more, but did not cover a request
    /// when it was, it reads the availability item first.
    pub(crate) async fn refuse_without_units(&self, sale: &Sale, quantity: Quantity, now: Timestamp) -> Result<(), Refusal> {
        if self.losers(sale, now, |losers| losers.should_read_first()) {
            self.read_item(sale, now).await?;
        }
        self.refuse_from_memory(sale, quantity, now)
    }

    /// Shards that should have enough units.
    fn candidates(&self, sale: &Sale, shopper: &ShopperId, quantity: Quantity, now: Timestamp) -> Vec<ShardNumber> {
        self.losers(sale, now, |losers| {
            losers.stock().map(|stock| stock.candidates(&sale.product, shopper, quantity, self.limits.tries)).unwrap_or_default()
        })
    }

    /// Refuses from memory: the environment knows that no shard has enough units, or its budget for this second is used
    /// up.
    fn refuse_from_memory(&self, sale: &Sale, quantity: Quantity, now: Timestamp) -> Result<(), Refusal> {
        self.refuse_known_shortage(sale, quantity, now)?;
        let may_fail = self.losers(sale, now, |losers| losers.may_fail(&self.limits));
        if may_fail { Ok(()) } else { Err(Refusal::TryAgain { after_seconds: 1 }) }
    }

    /// Refuses from memory: the environment knows that no shard has enough units.
    pub(crate) fn refuse_known_shortage(&self, sale: &Sale, quantity: Quantity, now: Timestamp) -> Result<(), Refusal> {
        self.losers(sale, now, |losers| {
            let Some(judged) = losers.stock().map(|stock| refuse_uncovered(&stock, quantity)) else { return Ok(()) };
            losers.note_coverage(judged.is_ok());
            judged
        })
    }

    /// One claim. `None`: the shard has too few units; the environment remembers it.
    async fn try_shard(
        &self,
        sale: &Sale,
        shard: ShardNumber,
        shopper: &ShopperId,
        hold: &Hold,
        now: Timestamp,
    ) -> Result<Option<Claim>, Refusal> {
        match self.stock.claim(shard, shopper, hold).await? {
            ClaimOutcome::Claimed => Ok(Some(Claim::New { shard, hold: hold.clone() })),
            ClaimOutcome::AlreadyHeld(hold) => Ok(Some(Claim::Held { shard, hold })),
            ClaimOutcome::AlreadySold(_) => Ok(Some(Claim::Bought)),
            ClaimOutcome::NotEnough { available } => {
                self.losers(sale, now, |losers| losers.claim_failed(shard, available, now));
                Ok(None)
            }
        }
    }

    /// Reads the availability item and remembers it.
    async fn read_item(&self, sale: &Sale, now: Timestamp) -> Result<Availability, Refusal> {
        let item = self.availabilities.get(&sale.product, false).await?;
        let item = item.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
        self.losers(sale, now, |losers| losers.learn(item.clone(), now));
        Ok(item)
    }

    /// Reads the availability item. If that promises units although a shard was just found empty, and the sale has few enough
    /// shards, it reads every shard. If all are empty, it marks the sale as sold out for the other environments. It remembers
    /// what it read, unless the shopper has units in one of the shards: then it returns those.
    async fn read_stock(
        &self,
        sale: &Sale,
        shopper: &ShopperId,
        quantity: Quantity,
        claim_was_lost: bool,
        now: Timestamp,
    ) -> Result<Option<Claim>, Refusal> {
        let mut stock = self.read_item(sale, now).await?;
        let may_read_all = claim_was_lost && sale.layout.shards() <= self.limits.whole_read_shards;
        if !may_read_all || !stock.promises(quantity) {
            return Ok(None);
        }
        let shards = self.stock.read_all(&sale.product, &sale.layout).await?;
        if let Some(claim) = shards.iter().find_map(|(number, shard)| own_hold(*number, shard, shopper)) {
            return Ok(Some(claim));
        }
        for (number, shard) in shards {
            stock.fold(number, &shard);
        }
        if stock.available() == 0 {
            // Fails if another run has written the item since: units may have been released after the shards were read.
            self.availabilities.mark_sold_out(&sale.product, stock.version, now).await?;
        }
        self.losers(sale, now, |losers| losers.learn_all(stock, now));
        Ok(None)
    }

    /// Reads or changes the memory of a sale's losers.
    fn losers<T>(&self, sale: &Sale, now: Timestamp, look: impl FnOnce(&mut LoserMemory) -> T) -> T {
        self.remember(|remembered| {
            let losers = remembered.losers.keep(&sale.product, now);
            losers.forget(now);
            look(losers)
        })
    }
}
