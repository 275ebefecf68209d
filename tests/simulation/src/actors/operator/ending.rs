//! How the operator ends a sale: closes it, lets it end earlier, ends its holds, deletes it.

use domain::{Clock, SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_aws::request;

use super::{Operator, PATIENCE};
use crate::{
    checks::invariants::NOT_OVER,
    faults::Fault,
    world::{Violation, World},
};

/// Milliseconds until the new end of a sale that ends earlier, at most.
const ENDS_WITHIN: u64 = 30_000;

/// How far an environment's clock may be ahead.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(2);
/// The members of a sale's description that the API shows unchanged.
const DESCRIBED: [&str; 8] =
    ["name", "price", "starts_at", "ends_at", "hold_seconds", "max_hold_seconds", "max_per_shopper", "admission"];

/// Whether an answer says that the sale is over or gone.
pub(super) fn is_end(status: u16, answer: &Value) -> bool {
    (status == 409 && answer["code"] == "sale-ended") || (status == 404 && answer["code"] == "unknown-product")
}

/// Whether the sale may be over by the clock of some environment.
pub(crate) fn may_be_over(world: &World) -> bool {
    world.operated.lock().unwrap().may_be_over_from.is_some_and(|from| may_have_come(world, from))
}

/// Whether the time has come by the clock of some environment.
fn may_have_come(world: &World, time: Timestamp) -> bool {
    time <= world.time.now().checked_add(MOST_SKEW).unwrap()
}

impl Operator {
    /// Ends the sale in the ways that strike.
    pub(super) async fn end(&mut self) {
        if self.world.strikes(Fault::SaleShortened) {
            let within = i64::try_from(self.world.chance.below(ENDS_WITHIN)).unwrap();
            self.shorten(self.world.time.now().checked_add(SignedDuration::from_millis(within)).unwrap()).await;
            self.world.pause(0, ENDS_WITHIN).await;
        }
        if self.world.strikes(Fault::SaleClosed) {
            self.change("close").await;
        }
        if self.has_asked_to_end() && self.world.chance.happens(0.5) {
            self.end_holds().await;
        }
        if self.world.strikes(Fault::SaleDeleted) {
            self.delete().await;
        }
    }

    /// Whether a request that ends the sale was sent.
    pub(super) fn has_asked_to_end(&self) -> bool {
        self.world.operated.lock().unwrap().may_be_over_from.is_some()
    }

    /// Whether every request that ends the sale was answered.
    pub(super) fn has_ended_what_it_asked(&self) -> bool {
        !self.is_close_unanswered && self.unanswered_end.is_none() && (!self.wants_deletion() || self.is_over())
    }

    /// Repeats the unanswered ones in the quiet time. A sale that is not deleted because units are held or sold is closed.
    pub(super) async fn finish_ending(&mut self) {
        if let Some(ends_at) = self.unanswered_end {
            self.shorten(ends_at).await;
        }
        self.finish_deletion().await;
        if self.is_close_unanswered || (self.wants_deletion() && !self.is_over()) {
            self.change("close").await;
        }
    }

    /// Deletes the sale whose deletion was asked for, if nothing prevents it any more.
    pub(crate) async fn finish_deletion(&mut self) {
        if self.wants_deletion() && !self.world.operated.lock().unwrap().is_deleted {
            self.delete().await;
        }
    }

    fn wants_deletion(&self) -> bool {
        self.world.operated.lock().unwrap().wants_deletion
    }

    /// Notes that the sale may be over from this time on.
    pub(super) fn may_be_over_from(&self, time: Timestamp) {
        let mut operated = self.world.operated.lock().unwrap();
        operated.may_be_over_from = Some(operated.may_be_over_from.map_or(time, |earlier| earlier.min(time)));
    }

    /// Takes an answer that the sale is over. It must not come before the sale may be over.
    pub(super) fn believe_the_end(&self) {
        if !may_be_over(&self.world) {
            let detail = "an operator is told so, and nobody has ended the sale".to_owned();
            self.world.violate(Violation { invariant: NOT_OVER, detail });
        }
    }

    /// Notes that the sale is closed.
    pub(super) fn is_closed(&mut self) {
        self.is_close_unanswered = false;
        self.world.operated.lock().unwrap().is_over = true;
    }

    /// Notes that the sale takes no reservations from this time on.
    pub(super) fn shut_from(&self, time: Timestamp) {
        self.world.operated.lock().unwrap().shut.push((time, Timestamp::MAX));
    }

    /// Lets the sale end at `ends_at`: sends what the API shows of it, with that end.
    async fn shorten(&mut self, ends_at: Timestamp) {
        self.unanswered_end = Some(ends_at);
        self.may_be_over_from(ends_at);
        for _ in 0..PATIENCE {
            let asked = request("GET", "/api/flash-sales/demo").path_parameter("product_id", "demo");
            let mut sale = match self.caller.ask("get-sale", asked).await {
                Some((200, sale)) => self.description(&sale),
                Some((404, _)) => {
                    self.believe_the_end();
                    return self.is_over_at(ends_at);
                }
                _ => {
                    self.world.pause(300, 3_000).await;
                    continue;
                }
            };
            let had = std::mem::replace(&mut sale["ends_at"], json!(ends_at));
            let asked = request("PUT", "/admin/flash-sales/demo").path_parameter("product_id", "demo").json(&sale);
            match self.caller.ask("manage-sale", asked).await {
                Some((200, _)) => return self.is_over_at(ends_at),
                // The end has passed, and no request has set it. The operator ends the sale in another way.
                Some((422, answer)) if answer["pointer"] == "/ends_at" && may_have_come(&self.world, ends_at) => {
                    let had: Timestamp = had.as_str().unwrap().parse().unwrap();
                    assert_ne!(had, ends_at, "the sale has the end with which it is refused");
                    self.unanswered_end = None;
                    return self.change("close").await;
                }
                // It was closed, or was over before.
                Some((409, answer)) if answer["code"] == "sale-ended" => {
                    self.believe_the_end();
                    return self.is_over_at(ends_at);
                }
                _ => self.world.pause(300, 3_000).await,
            }
        }
    }

    /// The operator's description of the sale, from what the API shows of it. A restock has changed units and shards since.
    fn description(&self, shown: &Value) -> Value {
        let mut sale = json!({"units": self.world.size.units, "shards": self.world.size.shards});
        for member in DESCRIBED {
            sale[member] = shown[member].clone();
        }
        sale
    }

    fn is_over_at(&mut self, ends_at: Timestamp) {
        self.unanswered_end = None;
        self.world.operated.lock().unwrap().is_over = true;
        self.shut_from(ends_at.max(self.world.time.now()));
    }

    /// Ends the holds of the sale that is over, until there can be no more.
    async fn end_holds(&self) {
        for _ in 0..PATIENCE {
            self.world.operated.lock().unwrap().are_holds_ended = true;
            let asked = request("POST", "/admin/flash-sales/demo/end-holds").path_parameter("product_id", "demo");
            match self.caller.ask("end-holds", asked).await {
                Some((200, answer)) if answer["more"] == false => return,
                // The sale is not over: the end was not answered, and may not have happened, or is still to come.
                Some((404 | 409, _)) => return,
                _ => self.world.pause(1_000, 5_000).await,
            }
        }
    }

    /// Deletes the sale, unless units are held or sold.
    pub(super) async fn delete(&mut self) {
        self.may_be_over_from(self.world.time.now());
        self.world.operated.lock().unwrap().wants_deletion = true;
        for _ in 0..PATIENCE {
            let asked = request("DELETE", "/admin/flash-sales/demo").path_parameter("product_id", "demo");
            match self.caller.ask("manage-sale", asked).await {
                Some((204, _)) => {
                    self.is_closed();
                    self.world.operated.lock().unwrap().is_deleted = true;
                    return self.shut_from(self.world.time.now());
                }
                Some((409, answer)) if answer["code"] == "sale-in-use" => return,
                Some((503, answer)) => {
                    let seconds = answer["retry_after"].as_str().and_then(|text| text.parse().ok()).unwrap_or(1);
                    self.world.pause(1_000 * seconds, 1_500 * seconds).await;
                }
                _ => self.world.pause(1_000, 5_000).await,
            }
        }
    }
}
