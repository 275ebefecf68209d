//! The operator: pauses, resumes, restocks and ends the sale, and repeats unanswered requests. It uses the product through HTTP
//! only, and reads items only to compare the sale's report with them.

mod ending;

use std::sync::Arc;

use domain::{Clock, Timestamp};
use serde_json::json;
use test_aws::{RequestBuilder, request};

use self::ending::is_end;
pub(crate) use self::ending::may_be_over;
use crate::{
    actors::{caller::Caller, refunder::Requested},
    checks::{self, invariants::REPORT},
    faults::Fault,
    world::{Violation, World},
};

/// How often the operator makes a request before it does something else.
const PATIENCE: usize = 6;
/// Most actions on one sale.
const MOST_ACTS: u64 = 4;
/// Milliseconds after which an unanswered request has no effect any more: the time-out of a function and of its last
/// call.
const UNDER_WAY: u64 = 9_000;

/// An operator and the unfinished requests.
pub(crate) struct Operator {
    world: Arc<World>,
    caller: Caller,
    has_paused: bool,
    is_close_unanswered: bool,
    /// The earlier end that was asked for, if no answer says that the sale has it.
    unanswered_end: Option<Timestamp>,
    /// Units by key. An unanswered restock may be partly done.
    unfinished: Vec<(String, u32)>,
    restocks: u32,
}

/// What operators did to the sale, by the true time.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four answers that do not exclude each other")]
pub(crate) struct Operated {
    /// Units whose addition was confirmed.
    pub(crate) added: u32,
    /// Units that were requested.
    pub(crate) asked: u32,
    /// Whether the sale is over for good: it was closed, shortened or deleted.
    pub(crate) is_over: bool,
    /// The sale may be over from this time on, whatever the answers: a request to close or delete it was sent, or it was asked to
    /// end then.
    pub(crate) may_be_over_from: Option<Timestamp>,
    /// Whether its deletion was asked for. The sale may be closed then, whatever the answer.
    pub(crate) wants_deletion: bool,
    /// Whether the sale was deleted.
    pub(crate) is_deleted: bool,
    /// Whether the operator has asked to end the holds of the sale that is over.
    pub(crate) are_holds_ended: bool,
    /// Periods from the answer that the sale is paused or over until the request that resumes it.
    pub(crate) shut: Vec<(Timestamp, Timestamp)>,
    /// The refunds that were requested, with the answers.
    pub(crate) refunds: Requested,
}

impl Operator {
    /// A new operator.
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let caller = Caller::operator(world);
        Self {
            world: Arc::clone(world),
            caller,
            has_paused: false,
            is_close_unanswered: false,
            unanswered_end: None,
            unfinished: Vec::new(),
            restocks: 0,
        }
    }

    /// Operates the sale while there are faults.
    pub(crate) async fn operate(mut self) -> Self {
        if self.world.chance.happens(0.2) && self.world.strikes(Fault::SaleDeleted) {
            self.world.pause(0, 8_000).await;
            self.delete().await;
        }
        for _ in 0..self.world.chance.between(1, MOST_ACTS) {
            self.world.pause(0, 20_000).await;
            if self.is_over() {
                break;
            }
            if self.world.strikes(Fault::SaleRestocked) {
                self.restock().await;
            }
            if self.world.strikes(Fault::SalePaused) {
                self.change("pause").await;
                self.world.pause(500, 30_000).await;
                self.change("resume").await;
            }
        }
        self.end().await;
        self
    }

    fn is_over(&self) -> bool {
        self.world.operated.lock().unwrap().is_over
    }

    /// Repeats the unanswered requests in the quiet time.
    pub(crate) async fn finish(&mut self) {
        self.finish_ending().await;
        if self.has_paused && !self.is_over() {
            self.change("resume").await;
        }
        for (key, units) in std::mem::take(&mut self.unfinished) {
            self.add(&key, units).await;
        }
        assert!(self.unfinished.is_empty() && self.has_ended_what_it_asked(), "all is quiet, and the operator is not answered");
    }

    async fn change(&mut self, change: &str) {
        let path = format!("/admin/flash-sales/demo/{change}");
        self.has_paused = self.has_paused || change == "pause";
        if change == "resume"
            && let Some((_, until)) = self.world.operated.lock().unwrap().shut.last_mut()
        {
            *until = self.world.time.now().min(*until);
        }
        if change == "close" {
            self.is_close_unanswered = true;
            self.may_be_over_from(self.world.time.now());
        }
        for tries in 1..=PATIENCE {
            let asked = request("POST", &path).path_parameter("product_id", "demo");
            match self.caller.ask("change-sale-status", asked).await {
                Some((200, _)) => {
                    if change != "resume" {
                        self.shut_from(self.world.time.now());
                    }
                    if change == "close" {
                        self.is_closed();
                    }
                    if tries == 1 {
                        return;
                    }
                    break;
                }
                Some((status, answer)) if is_end(status, &answer) => {
                    self.believe_the_end();
                    self.is_closed();
                    break;
                }
                _ => self.world.pause(300, 3_000).await,
            }
        }
        // Unanswered requests may still be in progress and would undo the next one.
        self.world.pause(UNDER_WAY, UNDER_WAY).await;
    }

    /// Adds units, sometimes in two windows at once.
    async fn restock(&mut self) {
        self.restocks += 1;
        let (key, units) = (format!("restock-{}", self.restocks), u32::try_from(self.world.chance.between(1, 3)).unwrap());
        self.world.operated.lock().unwrap().asked += units;
        if self.world.chance.happens(0.5) {
            let (other, asked) = (self.caller.clone(), restock(&key, units));
            self.world.spawn(async move { other.ask("restock-sale", asked).await });
        }
        self.add(&key, units).await;
    }

    async fn add(&mut self, key: &str, units: u32) {
        for _ in 0..PATIENCE {
            match self.caller.ask("restock-sale", restock(key, units)).await {
                Some((200, _)) => {
                    self.world.operated.lock().unwrap().added += units;
                    return;
                }
                // The sale was over before this restock was complete.
                Some((status, answer)) if is_end(status, &answer) => return self.believe_the_end(),
                _ => self.world.pause(300, 3_000).await,
            }
        }
        self.unfinished.push((key.to_owned(), units));
    }

    /// Whether the report agrees with the items and shows no difference.
    pub(crate) async fn read_report(&self) {
        let asked = request("GET", "/admin/flash-sales/demo/report").path_parameter("product_id", "demo");
        let report = match self.caller.ask("get-sale-report", asked).await {
            Some((200, report)) if !self.world.operated.lock().unwrap().is_deleted => report,
            Some((404, _)) if self.world.operated.lock().unwrap().is_deleted => return,
            answer => panic!("all is quiet, and there is no report: {answer:?}"),
        };
        let units = self.world.size.units + self.world.operated.lock().unwrap().added;
        let (available, sold) = self.world.tables.look(|items| (checks::available(items), checks::sold_units(items)));
        let expected = json!({
            "units": units, "sold": sold, "held": 0, "differences": {"units": 0, "sold_unpaid": 0, "paid_unsold": 0},
            "missing": 0, "unbalanced": 0, "all_orders": true,
        });
        let said = json!({
            "units": report["units"], "sold": report["sold"], "held": report["held"], "differences": report["differences"],
            "missing": report["shards"]["missing"], "unbalanced": report["shards"]["unbalanced"],
            "all_orders": report["orders"]["complete"],
        });
        // The shards of a restock that was interrupted by the end of the sale do not belong to the sale.
        let is_unfinished = report["unfinished_restock"].is_object();
        if said != expected || !(is_unfinished || report["available"].as_i64() == Some(available)) {
            self.world.violate(Violation { invariant: REPORT, detail: format!("it is {report}") });
        }
    }
}

fn restock(key: &str, units: u32) -> RequestBuilder {
    let path = "/admin/flash-sales/demo/restock";
    request("POST", path).path_parameter("product_id", "demo").header("idempotency-key", key).json(&json!({"units": units}))
}
