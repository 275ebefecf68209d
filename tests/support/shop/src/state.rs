//! Turning and comparing the state of a shop as a whole.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Availability, ProductId, ShardNumber};

use crate::{Buyer, Shop};

impl Shop {
    /// Writes a sale's `status` as it lies in its table, and nothing else.
    pub async fn set_status(&self, product: &ProductId, status: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = self.dynamo.client().update_item().table_name(self.dynamo.stock_table());
        let update = update.key("pk", text(&format!("SALE#{product}"))).key("sk", text("META"));
        let update = update.update_expression("SET #status = :status").expression_attribute_names("#status", "status");
        update.expression_attribute_values(":status", text(status)).send().await.unwrap();
    }

    /// Writes a reservation that nobody can read.
    pub async fn spoil_reservation(&self, buyer: &Buyer) {
        let put = self.dynamo.client().put_item().table_name(self.dynamo.reservation_table());
        let put = put.item("pk", AttributeValue::S(format!("SHOPPER#{}", buyer.shopper)));
        put.item("sk", AttributeValue::S(format!("SALE#{}", buyer.id.product()))).send().await.unwrap();
    }

    /// Removes a shard, which nothing in the product does once its sale has started.
    pub async fn remove_shard(&self, product: &ProductId, shard: ShardNumber) {
        let delete = self.dynamo.client().delete_item().table_name(self.dynamo.stock_table());
        let delete = delete.key("pk", AttributeValue::S(format!("SHARD#{product}#{shard}")));
        delete.key("sk", AttributeValue::S("STOCK".to_owned())).send().await.unwrap();
    }

    /// Removes what readers know of a sale's stock.
    pub async fn remove_availability(&self, product: &ProductId) {
        let delete = self.dynamo.client().delete_item().table_name(self.dynamo.stock_table());
        let delete = delete.key("pk", AttributeValue::S(format!("SALE#{product}")));
        delete.key("sk", AttributeValue::S("AVAILABILITY".to_owned())).send().await.unwrap();
    }

    /// Puts units into a shard that come from nowhere, which nothing in the product does.
    pub async fn add_units(&self, product: &ProductId, shard: ShardNumber, units: u32) {
        let update = self.dynamo.client().update_item().table_name(self.dynamo.stock_table());
        let update = update.key("pk", AttributeValue::S(format!("SHARD#{product}#{shard}")));
        let update = update.key("sk", AttributeValue::S("STOCK".to_owned())).update_expression("ADD available :units");
        update.expression_attribute_values(":units", AttributeValue::N(units.to_string())).send().await.unwrap();
    }

    /// What readers know of a sale's stock.
    pub async fn availability(&self, product: &ProductId) -> Availability {
        self.uncounted().availabilities().get(product, true).await.unwrap().expect("there is such a sale")
    }

    /// Makes what readers know of a sale's stock what its shards are, as the Stock stream does.
    pub async fn refresh_availability(&self, product: &ProductId) {
        let before = self.availability(product).await;
        let mut after = before.clone();
        for (number, shard) in (0..).map(ShardNumber).zip(self.shards(product).await) {
            after.fold(number, &shard);
        }
        after.stamp(self.now());
        assert!(self.uncounted().availabilities().put(product, &after, before.version).await.unwrap());
    }

    /// Everything in the three tables by its key, to see that nothing has changed.
    pub async fn everything(&self) -> BTreeMap<String, BTreeMap<String, AttributeValue>> {
        let client = self.dynamo.client();
        let mut found = BTreeMap::new();
        for table in [self.dynamo.stock_table(), self.dynamo.reservation_table(), self.dynamo.order_table()] {
            let mut items = client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
            while let Some(item) = items.try_next().await.unwrap() {
                let key = format!("{} {}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap());
                found.insert(key, item.into_iter().collect());
            }
        }
        found
    }
}
