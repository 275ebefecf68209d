//! Changes, reads and compares the raw state of a shop's tables.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    operation::{delete_item::builders::DeleteItemFluentBuilder, update_item::builders::UpdateItemFluentBuilder},
    types::AttributeValue,
};
use domain::{Availability, IdempotencyKey, ProductId, ShardNumber, ShopperId};

use crate::{Buyer, Shop};

/// An item in DynamoDB's form.
pub type RawItem = HashMap<String, AttributeValue>;

impl Shop {
    /// Changes a sale's stored `status`, and nothing else.
    pub async fn set_status(&self, product: &ProductId, status: &str) {
        let update = self.update_stock(&format!("SALE#{product}"), "META").update_expression("SET #status = :status");
        let update = update.expression_attribute_names("#status", "status");
        update.expression_attribute_values(":status", text(status)).send().await.unwrap();
    }

    /// Changes a sale's stored price, which nothing in the product does once its sale has started.
    pub async fn set_price(&self, product: &ProductId, amount_minor: i64) {
        let update = self.update_stock(&format!("SALE#{product}"), "META").update_expression("SET amount_minor = :amount");
        update.expression_attribute_values(":amount", AttributeValue::N(amount_minor.to_string())).send().await.unwrap();
    }

    /// Lets a sale admit by draw, as one that was made again may.
    pub async fn set_ramp(&self, product: &ProductId, seconds: u32) {
        let admission = [("mode", text("draw")), ("ramp_seconds", AttributeValue::N(seconds.to_string()))];
        let admission = AttributeValue::M(admission.map(|(name, value)| (name.to_owned(), value)).into());
        let update = self.update_stock(&format!("SALE#{product}"), "META").update_expression("SET admission = :admission");
        update.expression_attribute_values(":admission", admission).send().await.unwrap();
    }

    /// Adds units to a shard without taking them from anywhere, which nothing in the product does.
    pub async fn add_units(&self, product: &ProductId, shard: ShardNumber, units: u32) {
        let update = self.update_stock(&format!("SHARD#{product}#{shard}"), "STOCK").update_expression("ADD available :units");
        update.expression_attribute_values(":units", AttributeValue::N(units.to_string())).send().await.unwrap();
    }

    fn update_stock(&self, pk: &str, sk: &str) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(self.dynamo.stock_table()).key("pk", text(pk)).key("sk", text(sk))
    }

    /// Removes a shard, which nothing in the product does once its sale has started.
    pub async fn remove_shard(&self, product: &ProductId, shard: ShardNumber) {
        self.delete(self.dynamo.stock_table(), &format!("SHARD#{product}#{shard}"), "STOCK").send().await.unwrap();
    }

    /// Deletes a sale's availability item.
    pub async fn remove_availability(&self, product: &ProductId) {
        self.delete(self.dynamo.stock_table(), &format!("SALE#{product}"), "AVAILABILITY").send().await.unwrap();
    }

    /// Removes a reservation whatever its status, which nothing in the product does while it is being paid.
    pub async fn remove_reservation(&self, buyer: &Buyer) {
        let (pk, sk) = reservation(&buyer.shopper, buyer.id.product());
        self.delete(self.dynamo.reservation_table(), &pk, &sk).send().await.unwrap();
    }

    fn delete(&self, table: &str, pk: &str, sk: &str) -> DeleteItemFluentBuilder {
        self.client.delete_item().table_name(table).key("pk", text(pk)).key("sk", text(sk))
    }

    /// Overwrites a sale with an item that cannot be read.
    pub async fn spoil_sale(&self, product: &ProductId) {
        self.spoil(self.dynamo.stock_table(), &format!("SALE#{product}"), "META").await;
    }

    /// Overwrites a reservation with an item that cannot be read.
    pub async fn spoil_reservation(&self, buyer: &Buyer) {
        let (pk, sk) = reservation(&buyer.shopper, buyer.id.product());
        self.spoil(self.dynamo.reservation_table(), &pk, &sk).await;
    }

    /// Gives an order a status that only a later version knows: it stays in its indexes and cannot be read.
    pub async fn spoil_order(&self, buyer: &Buyer) {
        let update = self.client.update_item().table_name(self.dynamo.order_table());
        let update = update.key("pk", text(&format!("ORDER#{}", buyer.id))).key("sk", text("ORDER"));
        let update = update.update_expression("SET #status = :later").expression_attribute_names("#status", "status");
        update.expression_attribute_values(":later", text("LATER")).send().await.unwrap();
    }

    async fn spoil(&self, table: &str, pk: &str, sk: &str) {
        self.client.put_item().table_name(table).item("pk", text(pk)).item("sk", text(sk)).send().await.unwrap();
    }

    /// The availability item of a sale.
    pub async fn availability(&self, product: &ProductId) -> Availability {
        self.uncounted().availabilities().get(product, true).await.unwrap().expect("there is such a sale")
    }

    /// Updates a sale's availability item from its shards, as the Stock stream does.
    pub async fn refresh_availability(&self, product: &ProductId) {
        let before = self.availability(product).await;
        let mut after = before.clone();
        for (number, shard) in (0..).map(ShardNumber).zip(self.shards(product).await) {
            after.fold(number, &shard);
        }
        after.stamp(self.now());
        assert!(self.uncounted().availabilities().put(product, &after, before.version).await.unwrap());
    }

    /// An item of `table` in DynamoDB's form.
    pub async fn raw(&self, table: &str, pk: &str, sk: &str) -> Option<RawItem> {
        let get = self.client.get_item().table_name(table).consistent_read(true);
        get.key("pk", text(pk)).key("sk", text(sk)).send().await.unwrap().item
    }

    /// A shopper's reservation in DynamoDB's form.
    pub async fn raw_reservation(&self, shopper: &ShopperId, product: &ProductId) -> Option<RawItem> {
        let (pk, sk) = reservation(shopper, product);
        self.raw(self.dynamo.reservation_table(), &pk, &sk).await
    }

    /// Writes another number of attempts into an order.
    pub async fn set_attempts(&self, buyer: &Buyer, attempts: u32) {
        let update = self
            .client
            .update_item()
            .table_name(self.dynamo.order_table())
            .key("pk", AttributeValue::S(format!("ORDER#{}", buyer.id)))
            .key("sk", AttributeValue::S("ORDER".to_owned()))
            .update_expression("SET attempt = :attempt")
            .expression_attribute_values(":attempt", AttributeValue::N(attempts.to_string()));
        update.send().await.unwrap();
    }

    /// A payment attempt in DynamoDB's form.
    pub async fn raw_attempt(&self, key: &IdempotencyKey) -> Option<RawItem> {
        self.raw(self.dynamo.order_table(), &format!("ORDER#{}", key.order), &format!("PAYMENT#{}", key.attempt)).await
    }

    /// Every item of the three tables by its key, to check that nothing has changed. Without token buckets, which a refused
    /// request may change, too.
    pub async fn everything(&self) -> BTreeMap<String, BTreeMap<String, AttributeValue>> {
        let mut found = BTreeMap::new();
        for table in [self.dynamo.stock_table(), self.dynamo.reservation_table(), self.dynamo.order_table()] {
            let mut items = self.client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
            while let Some(item) = items.try_next().await.unwrap() {
                let key = format!("{} {}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap());
                if !key.ends_with(" BUCKET") {
                    found.insert(key, item.into_iter().collect());
                }
            }
        }
        found
    }
}

fn reservation(shopper: &ShopperId, product: &ProductId) -> (String, String) {
    (format!("SHOPPER#{shopper}"), format!("SALE#{product}"))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
