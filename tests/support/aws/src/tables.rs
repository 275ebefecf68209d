//! The three tables of `template.yaml`: keys, indexes, streams and TTL are the same in both. A drift test compares them.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    operation::create_table::builders::CreateTableInputBuilder,
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

/// A table as the tests make it.
pub struct Definition {
    /// The table's name, keys, indexes and stream.
    pub create: CreateTableInputBuilder,
    /// The attribute that holds an item's end, in epoch seconds. `None`: DynamoDB deletes nothing in this table.
    pub ttl: Option<&'static str>,
}

/// The definitions of the three tables.
pub fn definitions(names: &Names) -> [Definition; 3] {
    let stream = |view| StreamSpecification::builder().stream_enabled(true).stream_view_type(view).build().unwrap();
    let order = table(&names.order)
        .attribute_definitions(text("shopper"))
        .attribute_definitions(text("created_at"))
        .attribute_definitions(text("unsettled"))
        .attribute_definitions(attribute("unsettled_since", ScalarAttributeType::N))
        .attribute_definitions(text("product"))
        .global_secondary_indexes(index("shopper-index", "shopper", "created_at", ProjectionType::All))
        .global_secondary_indexes(index("unsettled-index", "unsettled", "unsettled_since", ProjectionType::KeysOnly))
        .global_secondary_indexes(index("sale-index", "product", "created_at", ProjectionType::KeysOnly))
        .stream_specification(stream(StreamViewType::NewImage));
    [
        Definition { create: table(&names.stock).stream_specification(stream(StreamViewType::NewImage)), ttl: None },
        Definition {
            create: table(&names.reservation).stream_specification(stream(StreamViewType::NewAndOldImages)),
            ttl: Some("ttl"),
        },
        Definition { create: order, ttl: Some("ttl") },
    ]
}

fn table(name: &str) -> CreateTableInputBuilder {
    CreateTableInputBuilder::default()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(vec![key("pk", KeyType::Hash), key("sk", KeyType::Range)]))
        .attribute_definitions(text("pk"))
        .attribute_definitions(text("sk"))
}

/// Makes the tables and waits until they are ready.
pub async fn create(client: &Client, names: &Names) {
    create_without_ttl(client, names).await;
    for Definition { create, ttl } in definitions(names) {
        let Some(attribute) = ttl else { continue };
        let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build().unwrap();
        let update = client.update_time_to_live().set_table_name(create.get_table_name().clone());
        update.time_to_live_specification(ttl).send().await.unwrap();
    }
}

/// As [`create`], but without TTL: nothing is deleted automatically.
pub(crate) async fn create_without_ttl(client: &Client, names: &Names) {
    for Definition { create, .. } in definitions(names) {
        let name = create.get_table_name().clone().unwrap();
        create.send_with(client).await.unwrap_or_else(|error| panic!("{name} cannot be made: {error:?}"));
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
