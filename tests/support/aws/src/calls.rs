//! The requests of a test's AWS clients: counts them by operation, with their capacity, and makes them fail on demand.
//!
//! It is an interceptor of the real client. It asks DynamoDB for the consumed capacity, so that product code need not.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput},
        delete_item::{DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemInput, UpdateItemOutput},
    },
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
                BeforeTransmitInterceptorContextRef, Input, Output,
            },
        },
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use jiff::SignedDuration;

use crate::{interleaving::Pause, time::FixedClock};

/// How a request fails. The SDK's own retries see the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives.
    LostRequest,
    /// The service carries the request out, but its answer never arrives.
    LostAnswer,
    /// The service throttles the request.
    Throttled,
    /// The service has an internal error.
    ServerError,
    /// The service refuses the request for good; the SDK does not retry it.
    Denied,
}

impl Fault {
    /// The passing faults: the SDK retries the request.
    pub const PASSING: [Self; 4] = [Self::LostRequest, Self::LostAnswer, Self::Throttled, Self::ServerError];
    /// All faults.
    pub const ALL: [Self; 5] = [Self::LostRequest, Self::LostAnswer, Self::Throttled, Self::ServerError, Self::Denied];
}

/// Every passing fault of each of these operations.
pub fn passing_faults<'a>(operations: &'a [&'a str]) -> impl Iterator<Item = (&'a str, Fault)> {
    operations.iter().flat_map(|operation| Fault::PASSING.map(|fault| (*operation, fault)))
}

/// The requests of one or several clients. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    requests: HashMap<String, usize>,
    failures: HashMap<String, usize>,
    read_units: f64,
    write_units: f64,
    next_faults: HashMap<String, Vec<Fault>>,
    standing_faults: HashMap<String, StandingFault>,
    crash: Option<Crash>,
    has_crashed: bool,
    pause: Option<(usize, Arc<Pause>)>,
    pace: Option<(FixedClock, SignedDuration)>,
}

/// A fault of every request of an operation that contains these words.
#[derive(Debug, Clone)]
struct StandingFault {
    words: String,
    fault: Fault,
}

/// The end of a process: how many requests come before it, and the fault of the request at which the process dies.
#[derive(Debug, Clone, Copy)]
struct Crash {
    left: usize,
    fault: Fault,
}

impl Calls {
    /// No request counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests of an operation (`UpdateItem`, `SendMessage`, …), including the SDK's retries.
    pub fn count(&self, operation: &str) -> usize {
        self.0.lock().unwrap().requests.get(operation).copied().unwrap_or(0)
    }

    /// All requests, including the SDK's retries.
    pub fn total(&self) -> usize {
        self.0.lock().unwrap().requests.values().sum()
    }

    /// Answers with this error code (`ConditionalCheckFailedException`, …).
    pub fn failed(&self, code: &str) -> usize {
        self.0.lock().unwrap().failures.get(code).copied().unwrap_or(0)
    }

    /// Write units of the requests that succeeded. DynamoDB does not report the units of a failed condition, which cost
    /// as much as the write: count those with [`Calls::failed`].
    pub fn write_units(&self) -> f64 {
        self.0.lock().unwrap().write_units
    }

    /// Read units of the requests that succeeded.
    pub fn read_units(&self) -> f64 {
        self.0.lock().unwrap().read_units
    }

    /// Resets the counts. Faults stay.
    pub fn reset(&self) {
        let mut record = self.0.lock().unwrap();
        let kept = (std::mem::take(&mut record.next_faults), std::mem::take(&mut record.standing_faults));
        let (crash, has_crashed, pause) = (record.crash, record.has_crashed, record.pause.take());
        let pace = record.pace.take();
        *record = Record { next_faults: kept.0, standing_faults: kept.1, crash, has_crashed, pause, pace, ..Record::default() };
    }

    /// Makes the next request of an operation fail; called twice, the next two.
    pub fn fail_next(&self, operation: &str, fault: Fault) {
        self.0.lock().unwrap().next_faults.entry(operation.to_owned()).or_default().push(fault);
    }

    /// Makes every request of an operation fail until [`Calls::heal`].
    pub fn fail_always(&self, operation: &str, fault: Fault) {
        self.fail_always_for(operation, "", fault);
    }

    /// As [`Calls::fail_always`], but only for requests that contain these words, such as a part of an item's key.
    pub fn fail_always_for(&self, operation: &str, words: &str, fault: Fault) {
        let standing = StandingFault { words: words.to_owned(), fault };
        self.0.lock().unwrap().standing_faults.insert(operation.to_owned(), standing);
    }

    /// Kills the process at request number `request`, counted from 0: that request has `fault`, and later ones never
    /// arrive. [`Calls::heal`] restarts the process.
    pub fn crash_at(&self, request: usize, fault: Fault) {
        self.0.lock().unwrap().crash = Some(Crash { left: request, fault });
    }

    /// Whether the process has reached the request at which it crashes.
    pub fn has_crashed(&self) -> bool {
        self.0.lock().unwrap().has_crashed
    }

    /// Slows the service down: `clock` advances by `each` with every request, one after the other.
    pub fn slow_down(&self, clock: &FixedClock, each: SignedDuration) {
        self.0.lock().unwrap().pace = Some((clock.clone(), each));
    }

    /// Ends all faults.
    pub fn heal(&self) {
        let mut record = self.0.lock().unwrap();
        record.next_faults.clear();
        record.standing_faults.clear();
        record.crash = None;
    }

    /// Sets the request, counted from 0, before which the process hangs.
    /// Request number `request`, counted from 0, is never answered.
    pub fn hang_at(&self, request: usize) {
        self.set_pause(Some((request, Arc::default())));
    }

    pub(crate) fn set_pause(&self, pause: Option<(usize, Arc<Pause>)>) {
        self.0.lock().unwrap().pause = pause;
    }

    /// The pause for which this request waits, if any. Only one request waits.
    pub(crate) fn take_pause(&self) -> Option<Arc<Pause>> {
        let mut record = self.0.lock().unwrap();
        let (left, _) = record.pause.as_mut()?;
        if *left == 0 {
            return record.pause.take().map(|(_, pause)| pause);
        }
        *left -= 1;
        None
    }

    /// The fault of this request, if any.
    pub(crate) fn take_fault(&self, operation: &str, body: &[u8]) -> Option<Fault> {
        let mut record = self.0.lock().unwrap();
        match record.crash.as_mut() {
            Some(Crash { left: 0, fault }) => {
                let fault = std::mem::replace(fault, Fault::LostRequest);
                record.has_crashed = true;
                return Some(fault);
            }
            Some(Crash { left, .. }) => *left -= 1,
            None => {}
        }
        match record.next_faults.get_mut(operation) {
            Some(faults) if !faults.is_empty() => Some(faults.remove(0)),
            _ => {
                let contains = |words: &str| words.is_empty() || String::from_utf8_lossy(body).contains(words);
                let standing = record.standing_faults.get(operation).filter(|standing| contains(&standing.words));
                standing.map(|standing| standing.fault)
            }
        }
    }
}

/// The most requests of one run of a function.
pub(crate) const MOST_REQUESTS: usize = 40;

/// Runs `test` once for every way in which a process can die at one of its requests: at the first, the second, …,
/// before or after the service has carried it out. The test gives `calls` to the clients of the code that it runs. When
/// that has ended, the test heals them, runs the code again, and checks that nothing is left undone or done twice.
pub async fn every_crash(test: impl AsyncFn(&Calls)) {
    for fault in [Fault::LostRequest, Fault::LostAnswer] {
        for request in 0.. {
            assert!(request < MOST_REQUESTS, "it does not crash after {MOST_REQUESTS} requests: does it use these calls?");
            let calls = Calls::new();
            calls.crash_at(request, fault);
            test(&calls).await;
            if !calls.has_crashed() {
                assert!(request > 0, "it makes no request");
                break;
            }
        }
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        ask_for_capacity(context.input_mut());
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().expect("every operation has a name").name().to_owned();
        let mut record = self.0.lock().unwrap();
        *record.requests.entry(operation).or_default() += 1;
        if let Some((clock, each)) = &record.pace {
            clock.advance(*each);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut record = self.0.lock().unwrap();
        if let Ok(output) = context.output_or_error() {
            let (read, written) = consumed(output);
            record.read_units += read;
            record.write_units += written;
        } else {
            let code = error_code(context.response().body().bytes().unwrap_or_default());
            *record.failures.entry(code).or_default() += 1;
        }
        Ok(())
    }
}

macro_rules! ask_in {
    ($input:expr, $($kind:ty),*) => {$(
        if let Some(input) = $input.downcast_mut::<$kind>() {
            input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        }
    )*};
}

fn ask_for_capacity(input: &mut Input) {
    ask_in!(input, UpdateItemInput, PutItemInput, DeleteItemInput, TransactWriteItemsInput, BatchWriteItemInput);
    ask_in!(input, GetItemInput, QueryInput, BatchGetItemInput);
}

macro_rules! sum_in {
    ($output:expr, $($kind:ty),*) => {
        0.0 $(+ $output.downcast_ref::<$kind>().map_or(0.0, |output| units(output.consumed_capacity.as_ref())))*
    };
}

/// Read units and write units. The output has one capacity for a single item, and a list for several.
fn consumed(output: &Output) -> (f64, f64) {
    let read = sum_in!(output, GetItemOutput, QueryOutput, BatchGetItemOutput);
    let written =
        sum_in!(output, UpdateItemOutput, PutItemOutput, DeleteItemOutput, TransactWriteItemsOutput, BatchWriteItemOutput);
    (read, written)
}

fn units<C: Capacities>(capacity: Option<&C>) -> f64 {
    capacity.map_or(0.0, Capacities::sum)
}

trait Capacities {
    fn sum(&self) -> f64;
}

impl Capacities for ConsumedCapacity {
    fn sum(&self) -> f64 {
        self.capacity_units.unwrap_or(0.0)
    }
}

impl Capacities for Vec<ConsumedCapacity> {
    fn sum(&self) -> f64 {
        self.iter().map(Capacities::sum).sum()
    }
}

/// `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException` without its name space.
fn error_code(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let code = body["__type"].as_str().unwrap_or("unknown");
    code.rsplit('#').next().unwrap_or(code).to_owned()
}
