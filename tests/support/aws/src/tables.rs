//! The three tables of `template.yaml`: keys, indexes, streams and TTL must stay the same in both.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus, TimeToLiveSpecification,
    },
};

/// The names of the three tables of one test.
#[derive(Debug, Clone)]
pub struct Names {
    /// Sales and their stock.
    pub stock: String,
    /// Reservations.
    pub reservation: String,
    /// Orders, payment attempts, the sandbox's books.
    pub order: String,
}

impl Names {
    pub(crate) fn all(&self) -> [&str; 3] {
        [&self.stock, &self.reservation, &self.order]
    }
}

/// Makes the tables and waits until they are ready.
pub async fn create(client: &Client, names: &Names) {
    create_without_ttl(client, names).await;
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("ttl").build().unwrap();
    client.update_time_to_live().table_name(&names.reservation).time_to_live_specification(ttl).send().await.unwrap();
}

/// As [`create`], but without TTL: nothing is deleted automatically.
pub(crate) async fn create_without_ttl(client: &Client, names: &Names) {
    for table in names.all() {
        let mut request = client
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(vec![key("pk", KeyType::Hash), key("sk", KeyType::Range)]))
            .attribute_definitions(text("pk"))
            .attribute_definitions(text("sk"));
        if table == names.order {
            request = request
                .attribute_definitions(text("shopper"))
                .attribute_definitions(text("created_at"))
                .attribute_definitions(text("unsettled"))
                .attribute_definitions(attribute("unsettled_since", ScalarAttributeType::N))
                .global_secondary_indexes(index("shopper-index", "shopper", "created_at", ProjectionType::All))
                .global_secondary_indexes(index("unsettled-index", "unsettled", "unsettled_since", ProjectionType::KeysOnly));
        } else {
            let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
            request = request.stream_specification(stream.build().unwrap());
        }
        request.send().await.unwrap_or_else(|error| panic!("{table} cannot be made: {error:?}"));
    }
    for table in names.all() {
        wait_until_active(client, table).await;
    }
}

async fn wait_until_active(client: &Client, table: &str) {
    for _ in 0..100 {
        let description = client.describe_table().table_name(table).send().await.unwrap();
        if description.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{table} was not ready after 5 s");
}

fn index(name: &str, hash: &str, range: &str, projection: ProjectionType) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(vec![key(hash, KeyType::Hash), key(range, KeyType::Range)]))
        .projection(Projection::builder().projection_type(projection).build())
        .build()
        .unwrap()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

fn text(name: &str) -> AttributeDefinition {
    attribute(name, ScalarAttributeType::S)
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
}
