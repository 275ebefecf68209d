//! The tests' tables agree with the template's. A test on another key, index, stream or TTL proves nothing about them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement};
use serde_json::{Value, json};
use system_tests::{Repository, template};
use test_aws::{TableDefinition, TableNames, table_definitions};

use crate::{Faults, none, notices};

const DEFINITIONS: &str = "tests/support/aws/src/tables.rs";

/// Logical ids of tables, and for each of them what is declared: `key HASH` → `pk`, `index shopper-index projection` → `ALL`.
type Tables = BTreeMap<String, BTreeMap<String, String>>;

fn in_the_template(repository: &Repository) -> Tables {
    let tables = template::resources(&repository.template, "AWS::DynamoDB::Table");
    tables.map(|(id, table)| (id.to_owned(), declared(&table["Properties"]))).collect()
}

fn in_the_tests() -> Tables {
    let [stock, reservation, order] = ["StockTable", "ReservationTable", "OrderTable"].map(str::to_owned);
    let definitions = table_definitions(&TableNames { stock, reservation, order });
    definitions.iter().map(|table| (table.create.get_table_name().clone().unwrap(), declared(&as_properties(table)))).collect()
}

/// A table of the tests in the form of the template.
fn as_properties(TableDefinition { create, ttl }: &TableDefinition) -> Value {
    let keys = |keys: &[KeySchemaElement]| {
        let key = |key: &KeySchemaElement| json!({"AttributeName": key.attribute_name(), "KeyType": key.key_type().as_str()});
        keys.iter().map(key).collect::<Vec<_>>()
    };
    let attribute = |attribute: &AttributeDefinition| json!({"AttributeName": attribute.attribute_name(), "AttributeType": attribute.attribute_type().as_str()});
    let mut properties = json!({
        "BillingMode": create.get_billing_mode().as_ref().map(BillingMode::as_str),
        "KeySchema": keys(create.get_key_schema().as_deref().unwrap_or_default()),
        "AttributeDefinitions":
            create.get_attribute_definitions().iter().flatten().map(attribute).collect::<Vec<_>>(),
    });
    for index in create.get_global_secondary_indexes().iter().flatten() {
        let projection = index.projection().unwrap();
        let mut described = json!({
            "IndexName": index.index_name(),
            "KeySchema": keys(index.key_schema()),
            "Projection": {"ProjectionType": projection.projection_type().unwrap().as_str()},
        });
        if !projection.non_key_attributes().is_empty() {
            described["Projection"]["NonKeyAttributes"] = json!(projection.non_key_attributes());
        }
        let indexes = properties.as_object_mut().unwrap().entry("GlobalSecondaryIndexes").or_insert_with(|| json!([]));
        indexes.as_array_mut().unwrap().push(described);
    }
    assert!(create.get_local_secondary_indexes().is_none(), "{DEFINITIONS}: compare local indexes, too");
    if let Some(stream) = create.get_stream_specification().as_ref().filter(|stream| stream.stream_enabled()) {
        properties["StreamSpecification"] = json!({"StreamViewType": stream.stream_view_type().unwrap().as_str()});
    }
    if let Some(attribute) = ttl {
        properties["TimeToLiveSpecification"] = json!({"AttributeName": attribute, "Enabled": true});
    }
    properties
}

/// The properties of a table that a test can depend on.
fn declared(properties: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |what: String, value: &Value| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(found.insert(what.clone(), value), None, "{what} is declared twice");
    };
    let list = |of: &Value, name: &str| of[name].as_array().cloned().unwrap_or_default();
    let word = |of: &Value, name: &str| of[name].as_str().unwrap_or_else(|| panic!("{name} of {of}")).to_owned();
    add("billing mode".to_owned(), &properties["BillingMode"]);
    for attribute in list(properties, "AttributeDefinitions") {
        add(format!("attribute {}", word(&attribute, "AttributeName")), &attribute["AttributeType"]);
    }
    for key in list(properties, "KeySchema") {
        add(format!("key {}", word(&key, "KeyType")), &key["AttributeName"]);
    }
    for (kind, indexes) in [("index", "GlobalSecondaryIndexes"), ("local index", "LocalSecondaryIndexes")] {
        for index in list(properties, indexes) {
            let name = word(&index, "IndexName");
            for key in list(&index, "KeySchema") {
                add(format!("{kind} {name} key {}", word(&key, "KeyType")), &key["AttributeName"]);
            }
            add(format!("{kind} {name} projection"), &index["Projection"]["ProjectionType"]);
            for attribute in list(&index["Projection"], "NonKeyAttributes") {
                add(format!("{kind} {name} has {attribute}"), &json!("yes"));
            }
        }
    }
    if let Some(stream) = properties.get("StreamSpecification") {
        add("stream view".to_owned(), &stream["StreamViewType"]);
    }
    if let Some(ttl) = properties.get("TimeToLiveSpecification").filter(|ttl| ttl["Enabled"] == true) {
        add("TTL attribute".to_owned(), &ttl["AttributeName"]);
    }
    found
}

fn tables(repository: &Repository) -> Faults {
    let (template, tests) = (in_the_template(repository), in_the_tests());
    let mut faults = Faults::new();
    for id in template.keys().chain(tests.keys()).collect::<BTreeSet<_>>() {
        let (Some(in_template), Some(in_tests)) = (template.get(id), tests.get(id)) else {
            faults.push(format!("{id}: is in one of template.yaml and {DEFINITIONS} only"));
            continue;
        };
        for what in in_template.keys().chain(in_tests.keys()).collect::<BTreeSet<_>>() {
            let said = |of: &BTreeMap<String, String>| of.get(what).map_or("missing", String::as_str).to_owned();
            let (deployed, tested) = (said(in_template), said(in_tests));
            if deployed != tested {
                faults.push(format!("{id}: {what} is {deployed} in template.yaml and {tested} in {DEFINITIONS}"));
            }
        }
    }
    faults
}

#[test]
fn the_tests_make_the_tables_of_the_template() {
    let all = in_the_tests();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["OrderTable", "ReservationTable", "StockTable"]);
    assert_eq!(all["OrderTable"]["index unsettled-index projection"], "KEYS_ONLY");
    assert_eq!(all["ReservationTable"]["TTL attribute"], "ttl");
    assert_eq!(all["OrderTable"]["TTL attribute"], "ttl");
    none(&tables(&Repository::read()));
}

/// Asserts that the check finds `what` after this table of the template has changed.
#[track_caller]
fn notices_in(table: &str, what: &str, change: impl FnOnce(&mut Value)) {
    notices(tables, &format!("{table}: {what}"), |repository| change(&mut repository.template["Resources"][table]["Properties"]));
}

#[test]
fn a_table_that_is_not_the_template_s_is_noticed() {
    notices_in("ReservationTable", "TTL attribute is expires_at in", |table| {
        table["TimeToLiveSpecification"]["AttributeName"] = json!("expires_at");
    });
    notices_in("ReservationTable", "TTL attribute is missing in", |table| {
        table["TimeToLiveSpecification"]["Enabled"] = json!(false);
    });
    notices_in("StockTable", "TTL attribute is ttl in", |table| {
        table["TimeToLiveSpecification"] = json!({"AttributeName": "ttl", "Enabled": true});
    });
    notices_in("OrderTable", "index shopper-index projection is KEYS_ONLY in", |table| {
        table["GlobalSecondaryIndexes"][0]["Projection"]["ProjectionType"] = json!("KEYS_ONLY");
    });
    notices_in("OrderTable", "index unsettled-index key RANGE is created_at in", |table| {
        table["GlobalSecondaryIndexes"][1]["KeySchema"][1]["AttributeName"] = json!("created_at");
    });
    notices_in("OrderTable", "attribute unsettled_since is S in", |table| {
        table["AttributeDefinitions"][5]["AttributeType"] = json!("S");
    });
    notices_in("StockTable", "key RANGE is missing in", |table| drop(table["KeySchema"].as_array_mut().unwrap().pop()));
    notices_in("StockTable", "stream view is KEYS_ONLY in", |table| {
        table["StreamSpecification"]["StreamViewType"] = json!("KEYS_ONLY");
    });
    notices_in("ReservationTable", "stream view is missing in", |table| {
        table.as_object_mut().unwrap().remove("StreamSpecification");
    });
    notices(tables, "AuditTable: is in one of", |repository| {
        repository.template["Resources"]["AuditTable"] = repository.template["Resources"]["StockTable"].clone();
    });
}

/// The records in the sample events have the images that the table's stream carries.
fn images(repository: &Repository) -> Faults {
    let mut faults = Faults::new();
    for (function, cases) in &repository.events {
        for (case, event) in cases {
            for record in event["Records"].as_array().into_iter().flatten().filter(|record| record["dynamodb"].is_object()) {
                let source = record["eventSourceARN"].as_str().unwrap_or_default();
                let table = source.split('/').nth(1).and_then(|name| name.strip_prefix("flash-sale-")).unwrap_or_default();
                let view = &repository.template["Resources"][table]["Properties"]["StreamSpecification"]["StreamViewType"];
                let has_old = record["dynamodb"].get("OldImage").is_some();
                if record["dynamodb"]["StreamViewType"] != *view || (has_old && view == "NEW_IMAGE") {
                    faults.push(format!("events/{function}/{case}.json: the stream of {table} carries {view}"));
                }
            }
        }
    }
    faults
}

#[test]
fn sample_events_have_the_images_of_their_stream() {
    none(&images(&Repository::read()));
    let record = |change: fn(&mut Value)| {
        move |repository: &mut Repository| {
            let cases = repository.events.get_mut("refresh-availability").unwrap();
            change(&mut cases.get_mut("ok").unwrap()["Records"][0]["dynamodb"]);
        }
    };
    let carries = "refresh-availability/ok.json: the stream of StockTable carries \"NEW_IMAGE\"";
    notices(images, carries, record(|record| record["StreamViewType"] = json!("NEW_AND_OLD_IMAGES")));
    notices(images, carries, record(|record| record["OldImage"] = record["NewImage"].clone()));
}
