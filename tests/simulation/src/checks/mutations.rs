//! Deliberate bugs, which show that the invariants can fail. Each alters a function's requests in transit, or the state
//! machine, as if the product had been written with that mistake. Product code has no switches for them, and no
//! mutation changes an item itself.

mod calls;
mod events;
mod refunds;

use serde_json::{Value, json};

use crate::services::{
    calls::Call,
    tables::{self, ORDER, RESERVATION, STOCK},
};

/// A deliberate bug.
#[derive(Debug)]
pub struct Mutation {
    /// Its name on the command line and in docs/simulation.md.
    pub name: &'static str,
    /// The bug, as a developer would have written it by mistake.
    pub bug: &'static str,
    /// Only orderly histories show the bug: the product makes up for it, as for the faults that look like it.
    pub is_hidden_by_faults: bool,
    alters: Alters,
}

type AlterCall = fn(&Call) -> Option<http::Request<Vec<u8>>>;
type AlterAnswer = fn(&Call, &mut http::Response<Vec<u8>>);

#[derive(Debug)]
enum Alters {
    /// Alters the requests of functions. `None`: this request stays unchanged.
    Requests(fn(&Request<'_>) -> Option<Value>),
    /// Alters the states of the state machine.
    States(fn(&mut Value)),
    /// Alters the calls to payment providers, and what their callers make of the answers. `None`: this call stays unchanged.
    Calls(AlterCall, AlterAnswer),
    /// Takes a connection to a provider that breaks for one that was refused.
    Breaks,
    /// Takes an event that EventBridge refuses for one that it has taken.
    Puts,
}

/// A request in transit.
pub(crate) struct Request<'r> {
    pub(crate) function: &'r str,
    pub(crate) operation: &'r str,
    pub(crate) body: &'r Value,
    /// The request's number, unique in a history.
    pub(crate) number: u64,
}

impl Mutation {
    const fn of_requests(name: &'static str, bug: &'static str, alter: fn(&Request<'_>) -> Option<Value>) -> Self {
        Self { name, bug, is_hidden_by_faults: false, alters: Alters::Requests(alter) }
    }

    const fn hidden_by_faults(name: &'static str, bug: &'static str, alter: fn(&Request<'_>) -> Option<Value>) -> Self {
        Self { name, bug, is_hidden_by_faults: true, alters: Alters::Requests(alter) }
    }

    const fn of_states(name: &'static str, bug: &'static str, alter: fn(&mut Value)) -> Self {
        Self { name, bug, is_hidden_by_faults: false, alters: Alters::States(alter) }
    }

    const fn of_calls(name: &'static str, bug: &'static str, call: AlterCall, answer: AlterAnswer) -> Self {
        Self { name, bug, is_hidden_by_faults: false, alters: Alters::Calls(call, answer) }
    }

    /// Whether a connection to a provider that breaks counts as one that was refused.
    pub(crate) fn takes_breaks_for_refusals(&self) -> bool {
        matches!(self.alters, Alters::Breaks)
    }

    /// Whether an event that EventBridge refuses counts as taken.
    pub(crate) fn believes_every_put(&self) -> bool {
        matches!(self.alters, Alters::Puts)
    }

    /// The altered request, if the bug affects it.
    pub(crate) fn alter(&self, request: &Request<'_>) -> Option<Value> {
        match self.alters {
            Alters::Requests(alter) => alter(request),
            Alters::States(_) | Alters::Calls(..) | Alters::Breaks | Alters::Puts => None,
        }
    }

    /// The altered call to a provider, if the bug affects it.
    pub(crate) fn alter_call(&self, call: &Call) -> Option<Call> {
        match self.alters {
            Alters::Requests(_) | Alters::States(_) | Alters::Breaks | Alters::Puts => None,
            Alters::Calls(alter, _) => alter(call).map(|request| Call { request, ..*call }),
        }
    }

    /// Alters what the caller makes of the answer to its call, if the bug affects it.
    pub(crate) fn alter_answer(&self, call: &Call, answer: &mut http::Response<Vec<u8>>) {
        match self.alters {
            Alters::Requests(_) | Alters::States(_) | Alters::Breaks | Alters::Puts => {}
            Alters::Calls(_, alter) => alter(call, answer),
        }
    }

    /// Puts the bug into the state machine, if it belongs there.
    pub(crate) fn alter_machine(&self, definition: &mut Value) {
        match self.alters {
            Alters::Requests(_) | Alters::Calls(..) | Alters::Breaks | Alters::Puts => {}
            Alters::States(alter) => alter(&mut definition["States"]),
        }
    }
}

/// All deliberate bugs.
pub static MUTATIONS: [Mutation; 55] = [
    Mutation::of_requests("claim-twice", "`claim` does not check whether the shopper has units in the shard", |it| {
        it.with(STOCK, "SET available = available - ", Some("available >= :quantity"))
    }),
    Mutation::of_requests("claim-below-zero", "`claim` does not check whether the shard has enough units", |it| {
        let condition = "attribute_not_exists(held.#shopper) AND attribute_not_exists(sold.#shopper)";
        it.with(STOCK, "SET available = available - ", Some(condition))
    }),
    Mutation::of_requests(
        "release-whatever-is-held",
        "`release` does not check under which reservation the units are held",
        |it| it.with(STOCK, "SET available = available + held", Some("attribute_exists(held.#shopper)")),
    ),
    Mutation::of_requests("open-over-another", "`open` overwrites an existing reservation", |it| {
        (it.operation == "PutItem" && it.is_in(RESERVATION, "SHOPPER#")).then(|| conditioned(it.body, None))
    }),
    Mutation::of_requests("end-ignores-paying", "`end` does not check whether the reservation is being paid", |it| {
        let is_overdue = it.body["ExpressionAttributeValues"][":now"].is_object();
        let condition = if is_overdue { "reservation_id = :id AND expires_at <= :now" } else { "reservation_id = :id" };
        (it.operation == "DeleteItem" && it.is_in(RESERVATION, "SHOPPER#")).then(|| conditioned(it.body, Some(condition)))
    }),
    Mutation::of_requests("end-ignores-the-time", "`end` does not check whether the hold's time is over", |it| {
        let condition = "reservation_id = :id AND #status = :held";
        (it.operation == "DeleteItem" && it.is_in(RESERVATION, "SHOPPER#")).then(|| conditioned(it.body, Some(condition)))
    }),
    Mutation::of_requests("start-keeps-the-ttl", "a reservation that is being paid keeps its TTL", |it| {
        it.within(RESERVATION, "SET #status = :to REMOVE #ttl", |write| {
            write["UpdateExpression"] = json!("SET #status = :to");
            prune(write);
        })
    }),
    Mutation::of_requests("next-attempt-keeps-the-address", "the next attempt drops the address that was sent with it", |it| {
        let mut body = it.body.clone();
        let writes = body["TransactItems"].as_array_mut()?.iter_mut().filter_map(|write| write.get_mut("Update"));
        let set = ", shipping_address = :shipping_address_new";
        let mut found = writes.into_iter().filter(|it| it["UpdateExpression"].as_str().is_some_and(|text| text.contains(set)));
        let write = found.next()?;
        write["UpdateExpression"] = json!(write["UpdateExpression"].as_str()?.replace(set, ""));
        prune(write);
        Some(body)
    }),
    Mutation::of_requests("failed-payment-keeps-the-end", "a hold is not extended after a failed payment", |it| {
        it.within(RESERVATION, "SET #status = :to, expires_at = :end, #ttl = :end", |write| {
            write["UpdateExpression"] = json!("SET #status = :to, #ttl = :end");
        })
    }),
    Mutation::of_requests("prolonged-without-end", "a hold has no latest end", |it| {
        (it.operation == "PutItem" && it.is_in(RESERVATION, "SHOPPER#")).then(|| {
            let mut body = it.body.clone();
            body["Item"].as_object_mut().unwrap().remove("latest_end");
            body
        })
    }),
    Mutation::of_requests("unpaid-ends-count-again", "a record that comes again counts an unpaid end again", |it| {
        (it.operation == "UpdateItem" && it.sort_key().starts_with("COOLING#")).then(|| conditioned(it.body, None))
    }),
    Mutation::of_requests("attempt-overwritten", "a run that knows less overwrites an attempt", |it| {
        let is_write = ["PutItem", "UpdateItem"].contains(&it.operation);
        (is_write && it.is_in(ORDER, "ORDER#") && it.sort_key().starts_with("PAYMENT#")).then(|| conditioned(it.body, None))
    }),
    Mutation::of_requests("another-key-for-each-charge", "every charge has its own idempotency key", |it| {
        let is_charge = it.function == "charge-payment" && it.sort_key().starts_with("SANDBOX#");
        is_charge.then(|| {
            let mut body = it.body.clone();
            let of = if body["Item"].is_object() { "Item" } else { "Key" };
            body[of]["sk"] = json!({"S": format!("{}-{}", it.sort_key(), it.number)});
            body
        })
    }),
    Mutation::of_requests("sold-out-for-ever", "the availability item is never updated", |it| {
        (it.function == "refresh-availability" && it.operation == "PutItem").then(|| {
            let mut body = conditioned(it.body, None);
            body["Item"]["pk"] = json!({"S": "ELSEWHERE"});
            body
        })
    }),
    Mutation::of_requests("sell-without-a-hold", "`sell` does not check whether the units are held", |it| {
        it.with(STOCK, "SET sold.#shopper = :sold REMOVE held.#shopper", None)
    }),
    Mutation::of_requests("complete-uncharged", "`complete-order` does not check the charge", |it| {
        (it.function == "complete-order").then_some(())?;
        it.within(ORDER, "SET #status = :to", |write| *write = conditioned(write, None))
    }),
    Mutation::of_requests("nothing-is-taken-up", "`reconcile` finds no interrupted payment", |it| {
        (it.function == "reconcile" && it.body["IndexName"] == "unsettled-index").then(|| {
            let mut body = it.body.clone();
            body["ExpressionAttributeValues"][":before"] = json!({"N": "0"});
            body
        })
    }),
    Mutation::of_requests("ends-are-forgotten", "the step that ends a payment removes the order from the index", |it| {
        let mut body = it.body.clone();
        let writes = body["TransactItems"].as_array_mut()?.iter_mut().filter_map(|write| write.get_mut("Update"));
        let is_end = |it: &&mut Value| {
            it["UpdateExpression"].as_str().is_some_and(|text| text.contains("untold = ") && !text.contains("unsettled = "))
        };
        let write = writes.into_iter().find(is_end)?;
        write["UpdateExpression"] = json!(format!("{} REMOVE unsettled, unsettled_since", write["UpdateExpression"].as_str()?));
        Some(body)
    }),
    Mutation::of_requests("overdue-holds-stay", "`reconcile` ends no overdue hold", |it| {
        let ends = it.operation == "DeleteItem" || (it.operation == "UpdateItem" && it.body["TableName"] == STOCK);
        (it.function == "reconcile" && ends).then(|| conditioned(it.body, Some("attribute_not_exists(pk)")))
    }),
    Mutation::of_requests("closed-in-name-only", "`close` leaves the sale open", |it| {
        let closes = it.function == "change-sale-status" && it.body["Item"]["status"]["S"] == "CLOSED";
        closes.then(|| {
            let mut body = it.body.clone();
            body["Item"]["status"]["S"] = json!("ACTIVE");
            body
        })
    }),
    Mutation::of_requests("shortened-in-name-only", "an earlier end is not written", |it| {
        (it.function == "manage-sale" && it.operation == "PutItem").then(|| {
            let mut body = it.body.clone();
            body["Item"]["ends_at"]["S"] = json!("2099-01-01T00:00:00Z");
            body
        })
    }),
    Mutation::of_requests("end-holds-ends-payments", "`end-holds` does not check whether the reservation is being paid", |it| {
        (it.function == "end-holds" && it.operation == "DeleteItem").then(|| conditioned(it.body, Some("reservation_id = :id")))
    }),
    Mutation::of_requests("delete-ignores-holds", "`DELETE` does not check whether units are held or sold", |it| {
        if it.function != "manage-sale" {
            return None;
        }
        let mut body = it.body.clone();
        match it.operation {
            "BatchGetItem" => {
                for key in body["RequestItems"][STOCK]["Keys"].as_array_mut()? {
                    key["pk"] = json!({"S": format!("ELSEWHERE{}", tables::text(key, "pk"))});
                }
                Some(body)
            }
            "DeleteItem" => Some(conditioned(it.body, None)),
            _ => None,
        }
    }),
    Mutation::of_requests("deleted-in-name-only", "`DELETE` notes the revision of the sale, and deletes nothing", |it| {
        let mut body = it.body.clone();
        let writes = body["TransactItems"].as_array_mut().filter(|_| it.function == "manage-sale")?;
        writes.retain(|write| write["Put"].is_object());
        Some(body)
    }),
    Mutation::of_requests("restock-forgets-its-key", "a repeated restock adds its units again", |it| {
        let restocks = it.body["Item"]["restocks"]["L"].as_array().filter(|_| it.function == "restock-sale")?;
        let forgotten = |(n, restock): (usize, &Value)| {
            let mut restock = restock.clone();
            restock["M"]["key"]["S"] = json!(format!("forgotten-{n}"));
            restock
        };
        let mut body = it.body.clone();
        body["Item"]["restocks"]["L"] = restocks.iter().enumerate().map(forgotten).collect();
        Some(body)
    }),
    Mutation::of_requests("restock-makes-shards-anew", "a restock overwrites a shard that it has made", |it| {
        (it.function == "restock-sale" && it.operation == "PutItem" && it.is_in(STOCK, "SHARD#"))
            .then(|| conditioned(it.body, None))
    }),
    Mutation::hidden_by_faults(
        "ends-are-scheduled-late",
        "`schedule-expiry` delays each message by a quarter of an hour",
        |it| {
            (it.operation == "SendMessageBatch").then(|| {
                let mut body = it.body.clone();
                for message in body["Entries"].as_array_mut().into_iter().flatten() {
                    message["DelaySeconds"] = json!(900);
                }
                body
            })
        },
    ),
    Mutation::of_states("unknown-is-failed", "the saga treats an unknown outcome as a failed payment", |states| {
        states["Charge"]["Catch"][0]["Next"] = json!("PaymentFailed");
    }),
    Mutation::of_states(
        "no-refund-after-a-failed-sale",
        "the saga does not refund when the sale fails after the charge",
        |states| {
            for state in ["SellStock", "CapturePayment", "CompleteOrder"] {
                states[state]["Catch"][0]["Next"] = json!("TakeBackStock");
            }
        },
    ),
    Mutation::of_states("capture-before-the-sale", "the saga captures before it sells the units", |states| {
        states["WhatCameOfTheCharge"]["Choices"][0]["Next"] = json!("CapturePayment");
        states["CapturePayment"]["Next"] = json!("SellStock");
        states["SellStock"]["Next"] = json!("CompleteOrder");
    }),
    Mutation::of_states("no-take-back", "the saga does not take back the units of a refunded order", |states| {
        states["Refund"]["Next"] = json!("FailOrder");
    }),
    Mutation::of_calls(
        "token-to-another-account",
        "some tokens are sent to another account than the order's",
        calls::at_another_account,
        calls::believed,
    ),
    Mutation::of_calls(
        "another-key-for-each-opening",
        "every request to open a payment has its own idempotency key",
        calls::with_another_key,
        calls::believed,
    ),
    Mutation::of_calls(
        "abandoned-without-cancelling",
        "a payment whose time to act is over is released before its intent is cancelled",
        calls::without_abandoning,
        calls::as_if_abandoned,
    ),
    Mutation::of_calls(
        "voided-in-name-only",
        "`refund-payment` does not cancel an intent",
        calls::without_voiding,
        calls::as_if_voided,
    ),
    Mutation::of_calls(
        "late-money-is-kept",
        "late money that finds no units is not given back",
        calls::without_returning,
        calls::as_if_returned,
    ),
    Mutation::of_requests("late-money-is-used-twice", "late money that buys units also counts as money that goes back", |it| {
        it.within(ORDER, "SET pays_by = :decided", |write| write["UpdateExpression"] = json!("SET goes_back = :decided"))
    }),
    Mutation::of_calls("refund-in-part", "a refund is of less than what was captured", calls::in_part, calls::believed),
    Mutation::of_calls(
        "void-without-reading",
        "`refund-payment` voids a payment without reading whether it was captured",
        calls::unaltered,
        calls::void_without_reading,
    ),
    Mutation::of_calls(
        "refused-is-captured",
        "a capture that the provider refuses counts as done",
        calls::unaltered,
        calls::refused_is_captured,
    ),
    Mutation::of_calls(
        "event-is-believed",
        "an event that a payment has changed counts as its money",
        calls::unaltered,
        calls::event_is_believed,
    ),
    Mutation::of_calls(
        "failure-is-a-decline",
        "an answer 500 to a confirmation counts as a declined card",
        calls::unaltered,
        calls::failure_is_a_decline,
    ),
    Mutation {
        name: "break-is-a-refusal",
        bug: "a connection to a provider that breaks counts as one that was never made",
        is_hidden_by_faults: false,
        alters: Alters::Breaks,
    },
    Mutation::of_requests(
        "refund-without-reserving",
        "a refund does not see the refunds that were added since its order was read",
        refunds::without_reserving,
    ),
    Mutation::of_requests(
        "refund-above-the-amount",
        "a refund is of a minor unit more than the operator asked for",
        refunds::above_the_amount,
    ),
    Mutation::of_requests("refund-returns-units", "every refund returns the units", refunds::with_units),
    Mutation::of_requests("part-ends-the-order", "a refund of a part ends the order", refunds::part_is_whole),
    Mutation::of_requests(
        "refusal-is-a-refund",
        "a refund that the gateway refuses counts as done",
        refunds::refused_is_refunded,
    ),
    Mutation::of_requests(
        "returned-purchase-keeps-its-reservation",
        "a purchase that is returned keeps its reservation",
        refunds::without_the_reservation,
    ),
    Mutation::of_requests("refund-is-not-told", "no shopper has to be told of a refund", refunds::untold),
    Mutation::of_requests("pending-refunds-are-forgotten", "`reconcile` finds no pending refund", refunds::forgotten),
    Mutation::of_calls(
        "another-key-for-each-refund",
        "every request for a refund of a part has its own idempotency key and note",
        refunds::with_another_key,
        calls::believed,
    ),
    Mutation::of_requests(
        "refunds-are-not-counted",
        "the steps of a refund do not count their writes",
        events::refunds_uncounted,
    ),
    Mutation::of_requests("steps-are-not-counted", "the steps of a purchase do not count their writes", events::steps_uncounted),
    Mutation {
        name: "refused-event-is-done",
        bug: "an event that EventBridge refuses counts as published",
        is_hidden_by_faults: false,
        alters: Alters::Puts,
    },
];

impl Request<'_> {
    fn is_in(&self, table: &str, prefix: &str) -> bool {
        tables::written(self.operation, self.body).iter().any(|key| key.table == table && key.pk.starts_with(prefix))
    }

    fn sort_key(&self) -> &str {
        let of = if self.body["Item"].is_object() { &self.body["Item"] } else { &self.body["Key"] };
        tables::text(of, "sk")
    }

    /// The request with another condition, if it is an update of `table` that begins with this expression.
    fn with(&self, table: &str, update: &str, condition: Option<&str>) -> Option<Value> {
        let begins = self.body["UpdateExpression"].as_str().is_some_and(|text| text.starts_with(update));
        (begins && self.body["TableName"] == table).then(|| conditioned(self.body, condition))
    }

    /// The transaction with another update in it, if it has exactly this update of `table`.
    fn within(&self, table: &str, update: &str, alter: impl Fn(&mut Value)) -> Option<Value> {
        let mut body = self.body.clone();
        let writes = body["TransactItems"].as_array_mut()?.iter_mut().filter_map(|write| write.get_mut("Update"));
        let mut found = writes.into_iter().filter(|it| it["UpdateExpression"] == update && it["TableName"] == table);
        alter(found.next()?);
        Some(body)
    }
}

/// The write with another condition, or none.
fn conditioned(write: &Value, condition: Option<&str>) -> Value {
    let mut write = write.clone();
    match condition {
        Some(condition) => write["ConditionExpression"] = json!(condition),
        None => _ = write.as_object_mut().and_then(|write| write.remove("ConditionExpression")),
    }
    prune(&mut write);
    write
}

/// Removes the names and values that no expression uses any more, because DynamoDB refuses them.
fn prune(write: &mut Value) {
    let used: String = ["UpdateExpression", "ConditionExpression"].iter().filter_map(|it| write[*it].as_str()).collect();
    for list in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        let Some(members) = write.get_mut(list).and_then(Value::as_object_mut) else { continue };
        members.retain(|name, _| used.contains(name.as_str()));
        if members.is_empty() {
            write.as_object_mut().unwrap().remove(list);
        }
    }
}
