//! Queues and streams: timeouts, numbers of tries, and where failed messages go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use system_tests::{
    Repository,
    template::{self, Function},
};

use crate::{Faults, none, notices, set};

/// API Gateway gives up after 29 s. The client never receives a later answer.
const GATEWAY_SECONDS: i64 = 29;
/// The least visibility timeout that Lambda asks of a queue, in timeouts of the function that reads it.
const VISIBILITY_TIMEOUTS: i64 = 6;

fn sources(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let mut faults = Faults::new();
    for (id, mapping) in template::resources(&repository.template, "AWS::Lambda::EventSourceMapping") {
        let properties = &mapping["Properties"];
        let reader = template::target(&properties["FunctionName"]).unwrap_or_default();
        let Some(function) = functions.values().find(|function| function.logical_id == reader) else {
            faults.push(format!("{id}: reads for {reader:?}, which is no function"));
            continue;
        };
        if properties["FunctionResponseTypes"] != json!(["ReportBatchItemFailures"]) {
            faults.push(format!("{id}: one bad message fails its whole batch (no ReportBatchItemFailures)"));
        }
        let source = template::target(&properties["EventSourceArn"]).unwrap_or_default();
        let resource = &repository.template["Resources"][source];
        match resource["Type"].as_str() {
            Some("AWS::SQS::Queue") => {
                queue(id, properties, source, &resource["Properties"], function, &mut faults);
            }
            Some("AWS::DynamoDB::Table") => stream(id, properties, source, &mut faults),
            _ => faults.push(format!("{id}: reads {source:?}, which is neither queue nor table")),
        }
    }
    faults
}

/// "No more than two processes at most should be reading from the same stream's shard at the same time": DynamoDB may throttle
/// more (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>). Each mapping is one.
const MOST_READERS: usize = 2;

fn readers(repository: &Repository) -> Faults {
    let mut readers = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (id, mapping) in template::resources(&repository.template, "AWS::Lambda::EventSourceMapping") {
        let source = template::target(&mapping["Properties"]["EventSourceArn"]).unwrap_or_default();
        if repository.template["Resources"][source]["Type"] == "AWS::DynamoDB::Table" {
            readers.entry(source).or_default().insert(id);
        }
    }
    let too_many = readers.into_iter().filter(|(_, ids)| ids.len() > MOST_READERS);
    too_many.map(|(table, ids)| format!("{table}: its stream has more than {MOST_READERS} readers: {ids:?}")).collect()
}

fn queue(id: &str, mapping: &Value, name: &str, queue: &Value, function: &Function, faults: &mut Faults) {
    let timeout_seconds = function.timeout_seconds;
    // SQS uses 30 s when the template sets nothing.
    let visibility = queue["VisibilityTimeout"].as_i64().unwrap_or(30);
    if visibility < VISIBILITY_TIMEOUTS * timeout_seconds {
        faults.push(format!("{name}: visible again after {visibility} s, less than {VISIBILITY_TIMEOUTS} × {timeout_seconds} s"));
    }
    if template::target(&queue["RedrivePolicy"]["deadLetterTargetArn"]).is_none()
        || !queue["RedrivePolicy"]["maxReceiveCount"].is_i64()
    {
        faults.push(format!("{name}: has no dead-letter queue"));
    }
    // With a higher maximum, Lambda throttles the reader, and each throttled message is a step towards the dead-letter queue.
    let reserved = &function.resource["Properties"]["ReservedConcurrentExecutions"]["Fn::If"][1];
    if reserved.is_null() || mapping["ScalingConfig"]["MaximumConcurrency"] != *reserved {
        faults.push(format!("{id}: its maximum concurrency is not what {} reserves", function.logical_id));
    }
}

/// The table whose records end holds and return units. Nothing else does in time, so no record may be given up on, or wait.
/// Functions leave out by themselves what they can never handle.
const ENDS_HOLDS: &str = "ReservationTable";

fn stream(id: &str, mapping: &Value, table: &str, faults: &mut Faults) {
    if mapping["BisectBatchOnFunctionError"] != true {
        faults.push(format!("{id}: one bad record fails its whole batch"));
    }
    if !mapping["MaximumRetryAttempts"].is_i64() {
        faults.push(format!("{id}: says nothing of how often it retries"));
    }
    if mapping["StartingPosition"] != "TRIM_HORIZON" {
        faults.push(format!("{id}: leaves out what was written before it began"));
    }
    if table == ENDS_HOLDS {
        if mapping["MaximumRetryAttempts"] != -1 || !mapping["MaximumRecordAgeInSeconds"].is_null() {
            faults.push(format!("{id}: gives up on records that the stream still has"));
        }
        if mapping["MaximumBatchingWindowInSeconds"].as_i64().is_some_and(|window| window > 0) {
            faults.push(format!("{id}: waits for full batches, and the ends of holds wait with it"));
        }
    }
    if template::target(&mapping["DestinationConfig"]["OnFailure"]["Destination"]).is_none() {
        faults.push(format!("{id}: what is given up on goes nowhere"));
    }
}

fn timeouts(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let asked_by_http =
        |events: &Value| events.as_object().is_some_and(|events| events.values().any(|event| event["Type"] == "Api"));
    functions
        .values()
        .filter(|function| {
            asked_by_http(&function.resource["Properties"]["Events"]) && function.timeout_seconds >= GATEWAY_SECONDS
        })
        .map(|function| {
            format!("{}: may take {} s, but API Gateway waits {GATEWAY_SECONDS} s", function.logical_id, function.timeout_seconds)
        })
        .collect()
}

/// After this time a run of a function that claims units is dead (docs/adr/0001), s.
const CLAIM_SECONDS: i64 = 5;

fn claims(repository: &Repository) -> Faults {
    let functions = template::functions(&repository.template);
    let claiming = ["reserve", "place-order"].map(|name| functions.get(name));
    claiming
        .into_iter()
        .flatten()
        .filter(|function| function.timeout_seconds > CLAIM_SECONDS)
        .map(|function| {
            format!("{}: may write a reservation {} s after its claim", function.logical_id, function.timeout_seconds)
        })
        .collect()
}

#[test]
fn no_claim_is_written_down_after_it_counts_as_abandoned() {
    none(&claims(&Repository::read()));
    for id in ["ReserveFunction", "PlaceOrderFunction"] {
        notices(claims, "may write a reservation 6 s after its claim", |repository| {
            repository.template["Resources"][id]["Properties"]["Timeout"] = json!(6);
        });
    }
}

#[test]
fn every_queue_and_stream_is_read_patiently_and_gives_up_visibly() {
    none(&sources(&Repository::read()));
}

#[test]
fn an_impatient_or_lossy_source_is_noticed() {
    notices(sources, "visible again", set("OrdersQueue", "VisibilityTimeout", json!(179)));
    notices(sources, "visible again", set("StartPaymentFunction", "Timeout", json!(31)));
    notices(sources, "no dead-letter queue", set("ExpiryQueue", "RedrivePolicy", Value::Null));
    notices(sources, "StartPaymentOrders: its maximum concurrency", set("StartPaymentOrders", "ScalingConfig", Value::Null));
    notices(sources, "not what StartPaymentFunction", set("StartPaymentFunction", "ReservedConcurrentExecutions", json!(30)));
    notices(sources, "fails its whole batch", set("RefreshAvailabilityMoves", "FunctionResponseTypes", Value::Null));
    notices(sources, "fails its whole batch", set("ReleaseStockRemovedHolds", "BisectBatchOnFunctionError", json!(false)));
    notices(sources, "how often it retries", set("RefreshAvailabilityMoves", "MaximumRetryAttempts", Value::Null));
    notices(sources, "gives up on records", set("ScheduleExpiryHolds", "MaximumRetryAttempts", json!(3)));
    notices(sources, "gives up on records", set("ScheduleExpiryHolds", "MaximumRecordAgeInSeconds", json!(60)));
    notices(sources, "written before it began", set("ScheduleExpiryHolds", "StartingPosition", json!("LATEST")));
    notices(sources, "waits for full batches", set("ScheduleExpiryHolds", "MaximumBatchingWindowInSeconds", json!(3)));
    notices(sources, "goes nowhere", set("ReleaseStockRemovedHolds", "DestinationConfig", Value::Null));
    notices(sources, "which is no function", set("StartPaymentOrders", "FunctionName", json!({"Ref": "OrdersQueue"})));
}

#[test]
fn no_stream_has_more_readers_than_it_serves() {
    none(&readers(&Repository::read()));
    notices(readers, "ReservationTable: its stream has more than 2 readers", |repository| {
        let resources = &mut repository.template["Resources"];
        let stream = resources["ReleaseStockRemovedHolds"]["Properties"]["EventSourceArn"].clone();
        resources["RefreshAvailabilityMoves"]["Properties"]["EventSourceArn"] = stream;
    });
}

#[test]
fn every_http_function_ends_before_api_gateway_gives_up() {
    none(&timeouts(&Repository::read()));
    notices(timeouts, "API Gateway waits", |repository| {
        repository.template["Resources"]["ManageSaleFunction"]["Properties"]["Timeout"] = json!(29);
    });
}
