//! The mirrored items as the checks read them: shards with their entries, orders, the sandbox's books. It reads the store's
//! attribute names itself, because the checks must not trust the store's own reading.

use serde_json::Value;

use crate::{
    services::providers::Paid,
    services::tables::{Key, Mirror, ORDER, RESERVATION, STOCK, number, text},
    world::World,
};

/// A unit's entry in a shard's `held` or `sold`.
pub(super) struct Entry<'i> {
    pub(super) shard: i64,
    pub(super) shopper: &'i str,
    pub(super) ulid: &'i str,
    pub(super) units: i64,
    /// The end of a hold, in seconds since 1970.
    pub(super) ends_at: i64,
}

pub(super) fn of_table<'m>(items: &'m Mirror, table: &'m str) -> impl Iterator<Item = (&'m Key, &'m Value)> {
    items.iter().filter(move |(key, _)| key.table == table)
}

/// Every reservation, by its partition key. The same table has the unpaid ends of each shopper.
pub(super) fn reservations(items: &Mirror) -> impl Iterator<Item = (&str, &Value)> {
    of_table(items, RESERVATION).filter(|(key, _)| key.sk.starts_with("SALE#")).map(|(key, item)| (key.pk.as_str(), item))
}

/// How often each shopper's holds ended unpaid, by partition key, as the product has counted them.
pub(super) fn unpaid_ends(items: &Mirror) -> impl Iterator<Item = (&str, i64)> {
    let counted = of_table(items, RESERVATION).filter(|(key, _)| key.sk.starts_with("COOLING#"));
    counted.map(|(key, item)| (key.pk.as_str(), number(item, "unpaid_ends")))
}

pub(super) fn shards(items: &Mirror) -> impl Iterator<Item = (i64, &Value)> {
    let number = |key: &Key| key.pk.rsplit('#').next().and_then(|number| number.parse().ok()).unwrap_or(-1);
    of_table(items, STOCK).filter(|(key, _)| key.pk.starts_with("SHARD#")).map(move |(key, item)| (number(key), item))
}

pub(super) fn entries<'m>(items: &'m Mirror, map: &'m str) -> impl Iterator<Item = Entry<'m>> {
    shards(items).flat_map(move |(shard, item)| {
        item[map]["M"].as_object().into_iter().flatten().map(move |(shopper, entry)| Entry {
            shard,
            shopper,
            ulid: text(&entry["M"], "r"),
            units: number(&entry["M"], "q"),
            ends_at: number(&entry["M"], "x"),
        })
    })
}

pub(super) fn orders(items: &Mirror) -> impl Iterator<Item = (&str, &Value)> {
    of_table(items, ORDER).filter(|(key, _)| key.sk == "ORDER").map(|(_, item)| (text(item, "order_id"), item))
}

pub(super) fn id_of(ulid: &str) -> String {
    format!("{}.{ulid}", World::product())
}

pub(super) fn ulid(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or_default()
}

/// The number of sold units.
pub(crate) fn sold_units(items: &Mirror) -> i64 {
    entries(items, "sold").map(|entry| entry.units).sum()
}

/// The number of available units.
pub(crate) fn available(items: &Mirror) -> i64 {
    shards(items).map(|(_, item)| number(item, "available")).sum()
}

/// The sandbox's and the providers' own books of an order: how often each of its attempts was charged and refunded.
pub(super) fn books(items: &Mirror, paid: &[Paid], order: &str) -> Vec<(i64, i64)> {
    let sandbox = entries_in_books(items, order).map(|entry| (number(entry, "charges"), number(entry, "refunds")));
    let of_order = paid.iter().filter(|paid| paid.order == order);
    // A refund of a part is none.
    let providers = of_order.map(|it| (it.captured > 0, it.captured > 0 && it.refunded >= it.captured));
    sandbox.chain(providers.map(|(charged, refunded)| (i64::from(charged), i64::from(refunded)))).collect()
}

/// What went back of the payment that completed an order, by the sandbox's and the providers' own books, in minor units.
pub(super) fn given_back(items: &Mirror, paid: &[Paid], order: &str, attempt: i64) -> i64 {
    let attempt = opened_by(items, order, attempt);
    let of_attempt = |key: &&Key| key.sk.rsplit('#').next().is_some_and(|number| number.parse() == Ok(attempt));
    let is_book = |key: &&Key| key.pk.strip_prefix("ORDER#") == Some(order) && key.sk.starts_with("SANDBOX#");
    let books = of_table(items, ORDER).filter(|(key, _)| is_book(key) && of_attempt(key));
    let sandbox: i64 = books.map(|(_, entry)| number(entry, "refunded_minor")).sum();
    let of_payment = paid.iter().filter(|paid| paid.order == order && i64::from(paid.attempt) == attempt);
    sandbox + of_payment.map(|paid| paid.refunded).sum::<i64>()
}

/// The attempt under which gateways know the payment of an attempt: an earlier one if late money pays.
fn opened_by(items: &Mirror, order: &str, attempt: i64) -> i64 {
    let is_item = |key: &&Key| key.pk.strip_prefix("ORDER#") == Some(order) && key.sk == format!("PAYMENT#{attempt}");
    let item = of_table(items, ORDER).find(|(key, _)| is_item(key)).map(|(_, item)| item);
    item.filter(|item| item["opened_by"].is_object()).map_or(attempt, |item| number(item, "opened_by"))
}

/// Whether the sandbox has reserved money for an order and has neither taken it nor given it up.
pub(super) fn is_authorised(items: &Mirror, order: &str) -> bool {
    entries_in_books(items, order).any(|entry| text(entry, "state") == "authorised")
}

/// Whether the sandbox has captured money for an order that it had only authorised before, and keeps it.
pub(super) fn is_captured(items: &Mirror, order: &str) -> bool {
    let methods = ["sandbox:ok", "sandbox:authorised-but-answer-lost", "sandbox:captured-but-answer-lost"];
    entries_in_books(items, order).any(|entry| text(entry, "state") == "charged" && methods.contains(&text(entry, "method")))
}

/// The end of the time in which the shopper of an order can act for its payment, in seconds since 1970.
pub(crate) fn acts_until(items: &Mirror, order: &str) -> Option<i64> {
    let is_attempt = |key: &Key| key.pk.strip_prefix("ORDER#") == Some(order) && key.sk.starts_with("PAYMENT#");
    let attempts = of_table(items, ORDER).filter(|(key, _)| is_attempt(key));
    attempts.filter(|(_, attempt)| attempt["waiting"].is_object()).map(|(_, it)| number(&it["waiting"]["M"], "until")).max()
}

/// The payment attempts of an order.
pub(super) fn attempts<'m>(items: &'m Mirror, order: &'m str) -> impl Iterator<Item = &'m Value> {
    let is_attempt = move |key: &Key| key.pk.strip_prefix("ORDER#") == Some(order) && key.sk.starts_with("PAYMENT#");
    of_table(items, ORDER).filter(move |(key, _)| is_attempt(key)).map(|(_, attempt)| attempt)
}

fn entries_in_books<'m>(items: &'m Mirror, order: &'m str) -> impl Iterator<Item = &'m Value> {
    let is_of_order = move |key: &Key| key.pk.strip_prefix("ORDER#") == Some(order) && key.sk.starts_with("SANDBOX#");
    of_table(items, ORDER).filter(move |(key, _)| is_of_order(key)).map(|(_, entry)| entry)
}
