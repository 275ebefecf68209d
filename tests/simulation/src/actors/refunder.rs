//! The operator who refunds completed orders: whole, with and without their units, in parts, more than is left, twice, and with a
//! request that is repeated, or left to `reconcile`. It uses the product through HTTP only, and reads items only to choose an order.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use test_aws::{RequestBuilder, request};

use crate::{
    actors::caller::{Answer, Caller},
    faults::Fault,
    services::tables::{Key, Mirror, ORDER, number, text},
    world::World,
};

/// Refunds that the operator thinks about.
const MOST_REFUNDS: u64 = 8;
/// How often a request is sent.
const PATIENCE: usize = 4;
/// How often a request is sent again in the quiet time: for two minutes at least.
const MOST_WAITS: usize = 60;

/// The operator and the requests that were not answered.
pub(crate) struct Refunder {
    world: Arc<World>,
    caller: Caller,
    unanswered: Vec<Wish>,
}

/// A request for a refund.
#[derive(Clone)]
struct Wish {
    order: String,
    key: String,
    asked: Asked,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// In minor units; `None`: all that is left.
    pub(crate) amount_minor: Option<i64>,
    pub(crate) return_unit: bool,
    /// The last answer.
    pub(crate) told: Told,
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// None, or that the operator should try again.
    Nothing,
    /// 202.
    Accepted,
    /// 200.
    Done,
    /// The provider refuses.
    Refused,
    /// The order does not allow it.
    NotAllowed,
}

/// The requests for refunds, by order and key.
pub(crate) type Requested = BTreeMap<(String, String), Asked>;

impl Refunder {
    /// A new operator.
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), caller: Caller::operator(world), unanswered: Vec::new() }
    }

    /// Refunds orders while there are faults.
    pub(crate) async fn refund(mut self) -> Self {
        for _ in 0..MOST_REFUNDS {
            self.world.pause(500, 20_000).await;
            if self.world.is_quiet() {
                break;
            }
            let Some(wish) = self.wish() else { continue };
            if self.world.strikes(Fault::OrderRefunded) {
                self.make(wish).await;
            }
        }
        self
    }

    /// Repeats some of the unanswered requests in the quiet time. The others are left to `reconcile`.
    pub(crate) async fn finish(&mut self) {
        for wish in std::mem::take(&mut self.unanswered) {
            if self.world.chance.happens(0.5) {
                let mut is_answered = false;
                for _ in 0..MOST_WAITS {
                    // The first refund of an order waits until its shopper is told of the purchase, by `reconcile` at the latest.
                    is_answered = self.ask(&wish).await;
                    if is_answered {
                        break;
                    }
                    self.world.pause(2_000, 4_000).await;
                }
                assert!(is_answered, "all is quiet, and no refund is answered");
            }
        }
    }

    /// A refund of a completed order, if there is one.
    fn wish(&self) -> Option<Wish> {
        let completed = self.world.tables.look(completed);
        if completed.is_empty() {
            return None;
        }
        let chance = &self.world.chance;
        let (order, left) = chance.pick(&completed).clone();
        let number = self.world.operated.lock().unwrap().refunds.len() + 1;
        let (amount_minor, return_unit) = match chance.below(8) {
            0 => (None, false),
            1..=3 => (None, true),
            4 => (Some(left), false),
            5 => (Some(left + 1), false),
            _ => (Some(i64::try_from(chance.between(1, u64::try_from(left.max(2)).unwrap() / 2)).unwrap()), false),
        };
        Some(Wish { order, key: format!("refund-{number}"), asked: Asked { amount_minor, return_unit, told: Told::Nothing } })
    }

    /// Makes a refund, sometimes in two windows at once, sometimes beside another one.
    async fn make(&mut self, wish: Wish) {
        self.remember(&wish);
        if self.world.chance.happens(0.2) {
            let (other, asked) = (self.caller.clone(), asks(&wish));
            self.world.spawn(async move { other.ask("refund-order", asked).await });
        }
        if self.world.chance.happens(0.3)
            && let Some(another) = self.wish()
        {
            let another = Wish { order: wish.order.clone(), ..another };
            self.remember(&another);
            let other = Self { world: Arc::clone(&self.world), caller: self.caller.clone(), unanswered: Vec::new() };
            let asked = another.clone();
            self.world.spawn(async move { other.ask(&asked).await });
            self.unanswered.push(another);
        }
        if !self.ask(&wish).await {
            self.unanswered.push(wish);
        } else if self.world.chance.happens(0.3) {
            self.world.pause(0, 5_000).await;
            self.ask(&wish).await;
        }
    }

    /// Notes the request before it is sent.
    fn remember(&self, wish: &Wish) {
        self.world.operated.lock().unwrap().refunds.insert((wish.order.clone(), wish.key.clone()), wish.asked);
    }

    /// Sends a request, mostly until it is answered. Returns whether it was.
    async fn ask(&self, wish: &Wish) -> bool {
        for _ in 0..PATIENCE {
            let told = told(&self.caller.ask("refund-order", asks(wish)).await);
            if told != Told::Nothing {
                let mut operated = self.world.operated.lock().unwrap();
                let known = operated.refunds.get_mut(&(wish.order.clone(), wish.key.clone())).unwrap();
                // An answer may overtake an earlier one.
                if !matches!(known.told, Told::Done | Told::Refused) {
                    known.told = told;
                }
                return true;
            }
            if self.world.chance.happens(0.2) {
                return false;
            }
            self.world.pause(300, 4_000).await;
        }
        false
    }
}

fn asks(wish: &Wish) -> RequestBuilder {
    let path = format!("/admin/orders/{}/refund", wish.order);
    let body = match wish.asked {
        Asked { amount_minor: Some(amount), .. } => json!({"amount": {"amount_minor": amount, "currency": "USD"}}),
        Asked { return_unit: true, .. } => json!({"return_unit": true}),
        Asked { .. } => json!({}),
    };
    request("POST", &path).path_parameter("order_id", &wish.order).header("idempotency-key", &wish.key).json(&body)
}

fn told(answer: &Answer) -> Told {
    match answer {
        Some((200, _)) => Told::Done,
        Some((202, _)) => Told::Accepted,
        Some((409, answer)) if answer["code"] == "refund-refused" => Told::Refused,
        Some((409, answer)) if ["not-refundable", "refund-too-large"].iter().any(|code| answer["code"] == *code) => {
            Told::NotAllowed
        }
        Some((503, _)) | None => Told::Nothing,
        Some(other) => panic!("a refund is answered by {other:?}"),
    }
}

/// The completed orders, each with what is left of its price.
fn completed(items: &Mirror) -> Vec<(String, i64)> {
    let is_completed =
        |(key, item): &(&Key, &Value)| key.table == ORDER && key.sk == "ORDER" && text(item, "status") == "completed";
    let left = |item: &Value| {
        let refunds = item["refunds"]["L"].as_array().into_iter().flatten().map(|refund| &refund["M"]);
        let counted = refunds.filter(|refund| text(refund, "status") != "failed").map(|refund| number(refund, "amount_minor"));
        number(item, "amount_minor") - counted.sum::<i64>()
    };
    items.iter().filter(is_completed).map(|(_, item)| (text(item, "order_id").to_owned(), left(item).max(1))).collect()
}
