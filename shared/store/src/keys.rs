//! Every partition and sort key.

use std::{collections::HashMap, fmt::Display};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{GatewayName, IdempotencyKey, OrderId, ProductId, ShardNumber, ShopperId};

use crate::{item::Item, sales::Catalogue};

pub(crate) const SALE: &str = "META";
pub(crate) const AVAILABILITY: &str = "AVAILABILITY";
pub(crate) const SHARD: &str = "STOCK";
pub(crate) const ORDER: &str = "ORDER";

pub(crate) fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn number(number: impl Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

pub(crate) fn sale_pk(product: &ProductId) -> String {
    format!("SALE#{product}")
}

/// The product of an item in a sale's partition.
pub(crate) fn sale_of(item: &Item) -> Option<ProductId> {
    item.get("pk")?.as_s().ok()?.strip_prefix("SALE#")?.parse().ok()
}

pub(crate) fn sale(product: &ProductId) -> Item {
    key(sale_pk(product), SALE)
}

/// The last revision of a deleted sale.
pub(crate) fn deleted_sale(product: &ProductId) -> Item {
    key(sale_pk(product), "DELETED")
}

pub(crate) fn availability(product: &ProductId) -> Item {
    key(sale_pk(product), AVAILABILITY)
}

/// What the gate at the edge was told of the sale.
pub(crate) fn edge(product: &ProductId) -> Item {
    key(sale_pk(product), "EDGE")
}

pub(crate) fn catalogue_entry(catalogue: Catalogue, product: &ProductId) -> Item {
    key(catalogue.pk(), sale_pk(product))
}

/// The place where the next run of `reconcile` begins.
pub(crate) fn next_round() -> Item {
    key("RECONCILE", "NEXT")
}

pub(crate) fn shard_pk(product: &ProductId, shard: ShardNumber) -> String {
    format!("SHARD#{product}#{shard}")
}

pub(crate) fn shard(product: &ProductId, shard: ShardNumber) -> Item {
    key(shard_pk(product, shard), SHARD)
}

/// Parses a shard's partition key; `None` for any other item of the table.
pub(crate) fn parse_shard_pk(pk: &str) -> Option<(ProductId, ShardNumber)> {
    let (product, shard) = pk.strip_prefix("SHARD#")?.split_once('#')?;
    Some((product.parse().ok()?, ShardNumber(shard.parse().ok()?)))
}

pub(crate) fn reservation_pk(shopper: &ShopperId) -> String {
    format!("SHOPPER#{shopper}")
}

pub(crate) fn reservation(shopper: &ShopperId, product: &ProductId) -> Item {
    key(reservation_pk(shopper), sale_pk(product))
}

/// The key of a shopper's unpaid ends, beside the shopper's reservation.
pub(crate) fn unpaid_ends(shopper: &ShopperId, product: &ProductId) -> Item {
    key(reservation_pk(shopper), format!("COOLING#{product}"))
}

/// Whether an item of the reservation table is a reservation, and not a shopper's unpaid ends or token bucket.
pub(crate) fn is_reservation(item: &Item) -> bool {
    item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.starts_with("SALE#"))
}

/// The key of a shopper's token bucket, beside the shopper's reservations.
pub(crate) fn token_bucket(shopper: &ShopperId) -> Item {
    key(reservation_pk(shopper), "BUCKET")
}

pub(crate) fn order_pk(order: &OrderId) -> String {
    format!("ORDER#{order}")
}

pub(crate) fn order(id: &OrderId) -> Item {
    key(order_pk(id), ORDER)
}

/// Whether an item of the order table is an order, and not an attempt, an entry in the books, or an event of a provider.
pub(crate) fn is_order(item: &Item) -> bool {
    item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == ORDER)
}

/// Parses an order's partition key.
pub(crate) fn parse_order_pk(pk: &str) -> Option<OrderId> {
    pk.strip_prefix("ORDER#")?.parse().ok()
}

pub(crate) fn attempt(of: &IdempotencyKey) -> Item {
    key(order_pk(&of.order), format!("PAYMENT#{}", of.attempt))
}

pub(crate) fn sandbox_books(gateway: &GatewayName, of: &IdempotencyKey) -> Item {
    key(order_pk(&of.order), format!("SANDBOX#{gateway}#{}", of.attempt))
}

/// What all environments know of a gateway.
pub(crate) fn gateway(name: &GatewayName) -> Item {
    key(format!("GATEWAY#{name}"), "STATE")
}

/// A queued event of a payment provider. Events have a partition each: nothing reads them together.
pub(crate) fn provider_event(account: &GatewayName, event_id: &str) -> Item {
    key(format!("EVENT#{account}#{event_id}"), "EVENT")
}

/// A key that no item has.
pub(crate) fn health() -> Item {
    key("HEALTH", "HEALTH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_key_reads_back_and_no_other_key_does() {
        let product: ProductId = "demo-1_x".parse().unwrap();
        assert_eq!(parse_shard_pk(&shard_pk(&product, ShardNumber(3_999))), Some((product.clone(), ShardNumber(3_999))));
        for other in [sale_pk(&product), "SHARD#demo".into(), "SHARD#demo#x".into(), "SHARD##1".into()] {
            assert_eq!(parse_shard_pk(&other), None, "{other}");
        }
    }
}
