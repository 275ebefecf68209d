//! Claims and the cost of losing: a request claims on the home shard, then on at most four shards with units left, within the
//! environment's budget of failed claims. An environment that knows the sale is sold out answers from memory.

use std::borrow::Cow;

use contract::{Holds, Refusal};
use domain::{
    Availability, ClaimOutcome, Coverage, Hold, LoserMemory, Quantity, Sale, ShardNumber, ShopperId, StockShard, Timestamp,
};

use crate::UnitReservations;

/// The result of a claim.
pub(crate) enum Claim {
    /// Units are held now.
    New { shard: ShardNumber, hold: Hold },
    /// The shopper holds units in this shard under another reservation.
    Held { shard: ShardNumber, hold: Hold },
    /// The shopper has bought.
    Bought,
}

/// The result of reading the stock.
enum Read {
    Stock(Availability),
    /// The shopper has units in one of the shards.
    OwnHold(Claim),
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
    /// Claims units on a shard that has enough.
    pub(crate) async fn claim(
        &self,
        sale: &Sale,
        shopper: &ShopperId,
        quantity: Quantity,
        now: Timestamp,
    ) -> Result<Claim, Refusal> {
        self.refuse_from_memory(sale, quantity, now)?;
        let hold = self.new_hold(sale, quantity, now);
        let home = sale.layout.home_of(&sale.product, shopper);
        let home_is_empty = self.losers(sale, now, |losers| losers.knows_too_few_in(home, quantity));
        if !home_is_empty && let Some(claim) = self.try_shard(sale, home, shopper, &hold, now).await? {
            return Ok(claim);
        }
        let known = self.losers(sale, now, |losers| losers.stock().map(Cow::into_owned));
        let stock = match known {
            // The stock was read before this claim failed, and may have led to it.
            Some(known) if home_is_empty => known,
            Some(_) | None => match self.read_stock(sale, shopper, quantity, !home_is_empty, now).await? {
                Read::Stock(stock) => stock,
                Read::OwnHold(claim) => return Ok(claim),
            },
        };
        refuse_uncovered(&stock, quantity)?;
        for shard in stock.candidates(&sale.product, shopper, quantity, self.limits.tries) {
            if self.losers(sale, now, |losers| losers.knows_too_few_in(shard, quantity)) {
                continue;
            }
            self.refuse_from_memory(sale, quantity, now)?;
            if let Some(claim) = self.try_shard(sale, shard, shopper, &hold, now).await? {
                return Ok(claim);
            }
        }
        self.refuse_from_memory(sale, quantity, now)?;
        Err(Refusal::TryAgain { after_seconds: 1 })
    }

    /// Refuses from memory: the environment knows that no shard has enough units, or its budget for this second is used
    /// up.
    fn refuse_from_memory(&self, sale: &Sale, quantity: Quantity, now: Timestamp) -> Result<(), Refusal> {
        self.losers(sale, now, |losers| {
            losers.stock().map_or(Ok(()), |stock| refuse_uncovered(&stock, quantity))?;
            if losers.may_fail(&self.limits) { Ok(()) } else { Err(Refusal::TryAgain { after_seconds: 1 }) }
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

    /// Reads the availability item. If that promises units although a shard was just found empty, and the sale has few enough
    /// shards, it reads every shard. If all are empty, it marks the sale as sold out for the other environments.
    async fn read_stock(
        &self,
        sale: &Sale,
        shopper: &ShopperId,
        quantity: Quantity,
        claim_was_lost: bool,
        now: Timestamp,
    ) -> Result<Read, Refusal> {
        let product = &sale.product;
        let read = self.availabilities.get(product, false).await?;
        let mut availability = read.unwrap_or_else(|| Availability::untouched(&sale.layout, now));
        let may_read_all = claim_was_lost && sale.layout.shards() <= self.limits.whole_read_shards;
        if !may_read_all || !availability.promises(quantity) {
            return Ok(Read::Stock(self.losers(sale, now, |losers| {
                losers.learn(availability.clone(), now);
                losers.stock().map_or(availability, Cow::into_owned)
            })));
        }
        let shards = self.stock.read_all(product, &sale.layout).await?;
        if let Some(claim) = shards.iter().find_map(|(number, shard)| own_hold(*number, shard, shopper)) {
            return Ok(Read::OwnHold(claim));
        }
        for (number, shard) in shards {
            availability.fold(number, &shard);
        }
        if availability.available() == 0 {
            // Fails if another run has written the item since: units may have been released after the shards were read.
            self.availabilities.mark_sold_out(product, availability.version, now).await?;
        }
        self.losers(sale, now, |losers| losers.learn_all(availability.clone(), now));
        Ok(Read::Stock(availability))
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
