//! Tests of the test kit itself: a counter that does not count would make every other test pass.

use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde_json::{Value, json};

use crate::{Calls, Dynamo, Fault, FixedClock, Queue, StepFunctions, Topic, every_crash, every_interleaving};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

async fn put(client: &aws_sdk_dynamodb::Client, table: &str, pk: &str) {
    client.put_item().table_name(table).item("pk", s(pk)).item("sk", s("STOCK")).item("available", n(5)).send().await.unwrap();
}

/// Takes one unit, not below zero.
fn take(
    client: &aws_sdk_dynamodb::Client,
    table: &str,
    pk: &str,
) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
    client
        .update_item()
        .table_name(table)
        .key("pk", s(pk))
        .key("sk", s("STOCK"))
        .update_expression("SET available = available - :one")
        .condition_expression("available >= :one")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .expression_attribute_values(":one", n(1))
}

#[tokio::test]
async fn requests_and_their_capacity_are_counted() {
    let dynamo = Dynamo::start_at(&FixedClock::at("2026-11-20T12:00:00Z")).await;
    let (client, calls) = dynamo.counted();
    put(&client, dynamo.stock_table(), "a").await;
    assert_eq!((calls.count("PutItem"), calls.total(), calls.write_units(), calls.read_units()), (1, 1, 1.0, 0.0));

    take(&client, dynamo.stock_table(), "a").send().await.unwrap();
    let get = client.get_item().table_name(dynamo.stock_table()).key("pk", s("a")).key("sk", s("STOCK"));
    get.clone().consistent_read(true).send().await.unwrap();
    get.send().await.unwrap();
    assert_eq!((calls.count("UpdateItem"), calls.count("GetItem"), calls.total()), (1, 2, 4));
    assert_eq!((calls.write_units(), calls.read_units()), (2.0, 1.5), "an eventually consistent read costs half");

    calls.reset();
    assert_eq!((calls.total(), calls.write_units(), calls.read_units()), (0, 0.0, 0.0));
}

#[tokio::test]
async fn batches_queries_and_transactions_report_their_capacity_too() {
    let dynamo = Dynamo::start_at(&FixedClock::at("2026-11-20T12:00:00Z")).await;
    let (client, calls) = dynamo.counted();
    put(&client, dynamo.stock_table(), "a").await;
    put(&client, dynamo.stock_table(), "b").await;
    calls.reset();

    let key = |pk: &str| [("pk".to_owned(), s(pk)), ("sk".to_owned(), s("STOCK"))].into();
    let keys = KeysAndAttributes::builder().keys(key("a")).keys(key("b")).consistent_read(true).build().unwrap();
    client.batch_get_item().request_items(dynamo.stock_table(), keys).send().await.unwrap();
    assert_eq!((calls.count("BatchGetItem"), calls.read_units()), (1, 2.0));

    let query = client.query().table_name(dynamo.stock_table()).key_condition_expression("pk = :pk");
    query.expression_attribute_values(":pk", s("a")).send().await.unwrap();
    assert_eq!((calls.count("Query"), calls.read_units()), (1, 2.5));

    let update = Update::builder()
        .table_name(dynamo.stock_table())
        .set_key(Some(key("a")))
        .update_expression("SET available = :n")
        .expression_attribute_values(":n", n(1))
        .build()
        .unwrap();
    client.transact_write_items().transact_items(TransactWriteItem::builder().update(update).build()).send().await.unwrap();
    assert_eq!((calls.count("TransactWriteItems"), calls.write_units()), (1, 2.0), "a transaction costs double");
}

#[tokio::test]
async fn failed_conditions_are_counted_by_their_code() {
    let dynamo = Dynamo::start().await;
    let (client, calls) = dynamo.counted();
    let error = take(&client, dynamo.stock_table(), "missing").send().await.unwrap_err();
    assert!(error.into_service_error().is_conditional_check_failed_exception());
    assert_eq!((calls.count("UpdateItem"), calls.failed("ConditionalCheckFailedException")), (1, 1));
}

#[tokio::test]
async fn a_lost_request_is_sent_again_and_a_lost_answer_is_a_write_done_twice() {
    let dynamo = Dynamo::start().await;
    let (client, calls) = dynamo.counted();
    put(&client, dynamo.stock_table(), "a").await;
    let take_one =
        || take(&client, dynamo.stock_table(), "a").return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew).send();

    calls.fail_next("UpdateItem", Fault::LostRequest);
    assert_eq!(take_one().await.unwrap().attributes.unwrap()["available"], n(4));
    calls.fail_next("UpdateItem", Fault::LostAnswer);
    assert_eq!(take_one().await.unwrap().attributes.unwrap()["available"], n(2), "which is why our moves are not like this one");
    assert_eq!(calls.count("UpdateItem"), 4);
}

#[tokio::test]
async fn throttling_is_retried_and_a_refusal_is_not() {
    let dynamo = Dynamo::start().await;
    let (client, calls) = dynamo.counted();
    put(&client, dynamo.stock_table(), "a").await;
    let take_one = || take(&client, dynamo.stock_table(), "a").send();

    calls.fail_next("UpdateItem", Fault::Throttled);
    calls.fail_next("UpdateItem", Fault::ServerError);
    take_one().await.unwrap();
    assert_eq!((calls.count("UpdateItem"), calls.failed("ThrottlingException"), calls.failed("InternalServerError")), (3, 1, 1));

    calls.reset();
    calls.fail_always("UpdateItem", Fault::Throttled);
    assert!(take_one().await.unwrap_err().into_service_error().is_throttling_exception());
    assert_eq!(calls.count("UpdateItem"), 3);

    calls.reset();
    calls.fail_always("UpdateItem", Fault::Denied);
    assert!(take_one().await.is_err());
    assert_eq!(calls.count("UpdateItem"), 1);
    calls.heal();
    take_one().await.unwrap();
}

#[tokio::test]
async fn streams_tell_what_happened_since_the_last_look() {
    let clock = FixedClock::at("2026-11-20T12:00:00Z");
    let dynamo = Dynamo::start_at(&clock).await;
    let client = dynamo.client();
    assert!(dynamo.stock_records().is_empty());

    put(&client, dynamo.stock_table(), "a").await;
    take(&client, dynamo.stock_table(), "a").send().await.unwrap();
    let records = dynamo.stock_records();
    let names: Vec<&str> = records.iter().map(|record| record.event_name.as_str()).collect();
    assert_eq!(names, ["INSERT", "MODIFY"]);
    let number = |image: &aws_lambda_events::dynamodb::StreamRecord| {
        (
            serde_json::to_value(&image.old_image).unwrap()["available"]["N"].clone(),
            serde_json::to_value(&image.new_image).unwrap()["available"]["N"].clone(),
        )
    };
    assert_eq!(number(&records[1].change), (Value::Null, json!("4")), "the stream carries new images only");
    assert!(records[0].change.sequence_number < records[1].change.sequence_number);
    assert!(dynamo.stock_records().is_empty());
    assert!(dynamo.reservation_event().records.is_empty());
}

#[tokio::test]
async fn what_ttl_deletes_is_marked_as_the_services_doing() {
    let clock = FixedClock::at("2026-11-20T12:00:00Z");
    let dynamo = Dynamo::start_at(&clock).await;
    let ends = jiff::Timestamp::from_second(1_795_176_060).unwrap();
    let item =
        dynamo.client().put_item().table_name(dynamo.reservation_table()).item("pk", s("SHOPPER#1")).item("sk", s("SALE#demo"));
    item.item("ttl", n(ends.as_second())).send().await.unwrap();

    clock.set_to(ends.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap());
    assert_eq!(dynamo.sweep_ttl(), 0);
    clock.advance_seconds(3);
    assert_eq!(dynamo.sweep_ttl(), 1);
    let records = dynamo.reservation_event().records;
    assert_eq!(records[1].event_name, "REMOVE");
    let identity = records[1].user_identity.as_ref().unwrap();
    assert_eq!((identity.type_.as_str(), identity.principal_id.as_str()), ("Service", "dynamodb.amazonaws.com"));
}

/// Writes a reservation whose `ttl` is this many seconds from now, on tables whose TTL uses the real clock.
async fn ending_after(seconds: i64) {
    let dynamo = Dynamo::start().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let item = dynamo.client().put_item().table_name(dynamo.reservation_table()).item("pk", s("SHOPPER#1"));
    item.item("sk", s("SALE#demo")).item("ttl", n(i64::try_from(now).unwrap() + seconds)).send().await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "the real clock has overtaken the `ttl` of 1 items")]
async fn an_end_that_the_real_clock_has_overtaken_is_noticed() {
    ending_after(-1).await;
}

#[tokio::test]
async fn an_end_that_is_far_away_may_be_written() {
    ending_after(3_600).await;
}

#[tokio::test]
async fn orders_are_found_by_shopper() {
    let dynamo = Dynamo::start().await;
    let client = dynamo.client();
    let order = client.put_item().table_name(dynamo.order_table()).item("pk", s("ORDER#1")).item("sk", s("ORDER"));
    order.item("shopper", s("shopper-1")).item("created_at", s("2026-11-20T12:00:00Z")).send().await.unwrap();
    let found = client
        .query()
        .table_name(dynamo.order_table())
        .index_name("shopper-index")
        .key_condition_expression("shopper = :s")
        .expression_attribute_values(":s", s("shopper-1"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.items()[0]["pk"], s("ORDER#1"), "the index has all attributes");
}

#[tokio::test]
async fn a_queue_keeps_what_was_sent_and_hands_it_over() {
    let (queue, calls) = (Queue::default(), Calls::new());
    let client = queue.client_with(&calls);
    let body = json!({"order_id": "demo.1"});
    client.send_message().queue_url("https://sqs/orders").message_body(body.to_string()).delay_seconds(60).send().await.unwrap();
    assert_eq!(calls.count("SendMessage"), 1);
    assert_eq!(
        (queue.sent()[0].body.clone(), queue.sent()[0].delay_seconds, queue.sent()[0].queue_url.as_str()),
        (body.clone(), 60, "https://sqs/orders")
    );

    let event: SqsEvent = queue.take_event();
    assert_eq!(serde_json::from_str::<Value>(event.records[0].body.as_deref().unwrap()).unwrap(), body);
    assert!(queue.sent().is_empty());

    queue.fail(true);
    assert!(client.send_message().queue_url("q").message_body("{}").send().await.is_err());
    assert_eq!(calls.count("SendMessage"), 4, "tried three times");
}

#[tokio::test]
async fn an_execution_starts_once_by_its_name() {
    let machine = StepFunctions::default();
    let client = machine.client_with(&Calls::new());
    let arn = "arn:aws:states:us-east-1:000000000000:stateMachine:PaymentSaga";
    let start = || client.start_execution().state_machine_arn(arn).name("demo-1-1").input(r#"{"attempt":1}"#).send();
    start().await.unwrap();
    assert_eq!((machine.started()[0].name.as_str(), &machine.started()[0].input), ("demo-1-1", &json!({"attempt": 1})));
    assert!(start().await.unwrap_err().into_service_error().is_execution_already_exists());
    machine.fail(true);
    assert!(start().await.is_err());
    assert_eq!(machine.started().len(), 1);
}

#[tokio::test]
async fn a_topic_keeps_what_was_published() {
    let (topic, calls) = (Topic::default(), Calls::new());
    let client = topic.client_with(&calls);
    let message = r#"{"to": "shöpper & co", "percent": "100%+"}"#;
    client.publish().topic_arn("arn:aws:sns:x").subject("Order completed").message(message).send().await.unwrap();
    let published = &topic.published()[0];
    assert_eq!(
        (published.message.as_str(), published.subject.as_deref(), published.topic_arn.as_str()),
        (message, Some("Order completed"), "arn:aws:sns:x")
    );
    assert_eq!(calls.count("Publish"), 1);
    calls.fail_next("Publish", Fault::LostRequest);
    client.publish().topic_arn("arn:aws:sns:x").message("again").send().await.unwrap();
    topic.fail(true);
    assert!(client.publish().topic_arn("arn:aws:sns:x").message("m").send().await.is_err());
}

/// Two writes: the process dies before and after each, and both can be repeated, so both are made once in the end.
#[tokio::test]
async fn a_process_dies_before_and_after_each_of_its_requests() {
    let found = std::sync::Mutex::new(Vec::new());
    every_crash(async |calls| {
        let dynamo = Dynamo::start().await;
        let client = dynamo.client_with(calls);
        let put = async |pk: &str| {
            client.put_item().table_name(dynamo.stock_table()).item("pk", s(pk)).item("sk", s("STOCK")).send().await.is_ok()
        };
        let answers = if put("a").await { (true, put("b").await) } else { (false, false) };
        let items = dynamo.client().scan().table_name(dynamo.stock_table()).send().await.unwrap().count;
        found.lock().unwrap().push((answers, items));
        calls.heal();
        assert!(put("a").await && put("b").await, "a new process");
    })
    .await;
    let before = [((false, false), 0), ((true, false), 1), ((true, true), 2)];
    let after = [((false, false), 1), ((true, false), 2), ((true, true), 2)];
    assert_eq!(*found.lock().unwrap(), [before, after].concat());
}

/// A run that hangs after its read overwrites what another run has written since. It does not if it hangs before the
/// read.
#[tokio::test]
async fn a_process_hangs_before_each_of_its_requests_while_another_one_runs() {
    let found = std::sync::Mutex::new(Vec::new());
    every_interleaving(async |interleaving| {
        let dynamo = Dynamo::start().await;
        let add = async |client: aws_sdk_dynamodb::Client| {
            let read = client.get_item().table_name(dynamo.stock_table()).key("pk", s("a")).key("sk", s("STOCK")).send().await;
            let before = read.unwrap().item.map_or(0, |item| item["n"].as_n().unwrap().parse().unwrap());
            let put = client.put_item().table_name(dynamo.stock_table()).item("pk", s("a")).item("sk", s("STOCK"));
            put.item("n", n(before + 1)).send().await.unwrap();
            before + 1
        };
        let hung = add(dynamo.client_with(&interleaving.calls));
        let (hung, other) = interleaving.run(hung, add(dynamo.client())).await;
        assert_eq!(add(dynamo.client_with(&interleaving.calls)).await, hung.max(other) + 1, "it hangs only once");
        found.lock().unwrap().push((hung, other));
    })
    .await;
    assert_eq!(*found.lock().unwrap(), [(2, 1), (1, 1), (1, 2)], "before its first request, before its second, not at all");
}
