//! What the product's own parts send each other: messages, tasks, and values for the gate at the edge.

use contract::GateValue;
use domain::{Exhausted, OrderStep, Sale, Timestamp};
use messages::{ExpiryMessage, OrderChanged, OrderMessage, PaymentEvent};
use saga::Task;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use test_cases::Event;
use test_shop::{Buyer, NOW, demo, draft};

/// Whether `T` takes the text. What it writes is read as the same.
fn is_message<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(text: &str) -> bool {
    let Ok(read) = serde_json::from_str::<T>(text) else { return false };
    let written = serde_json::to_string(&read).expect("a message is written");
    assert_eq!(serde_json::from_str::<T>(&written).expect("a message is read again"), read);
    true
}

pub(crate) fn message(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    if let Ok(order) = serde_json::from_str::<OrderMessage>(text) {
        let names: Vec<String> = order.execution_names().collect();
        let is_logged =
            |name: &String| name.len() <= 80 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        assert!(names.iter().all(is_logged), "{names:?}");
    }
    let taken = [
        is_message::<OrderMessage>(text),
        is_message::<ExpiryMessage>(text),
        is_message::<PaymentEvent>(text),
        is_message::<OrderChanged>(text),
    ];
    taken.contains(&true)
}

pub(crate) fn task(input: &[u8]) -> bool {
    let Ok(task) = serde_json::from_slice::<Task>(input) else { return false };
    assert_eq!(task.key().to_string().parse(), Ok(task.key()), "another payment has the same key");
    true
}

pub(crate) fn gate_value(input: &[u8]) -> bool {
    let Some(value) = std::str::from_utf8(input).ok().and_then(GateValue::read) else { return false };
    assert_eq!(GateValue::read(&value.text()).as_ref(), Some(&value), "the gate is told something else");
    _ = value.stock();
    assert_eq!(value.without_stock().stock(), None);
    true
}

fn bytes(values: impl IntoIterator<Item = Value>) -> Vec<Vec<u8>> {
    values.into_iter().map(|value| value.to_string().into_bytes()).collect()
}

pub(crate) fn message_seeds() -> Vec<Vec<u8>> {
    let bodies = test_cases::cases().into_iter().flat_map(|case| match case.event {
        Event::Queue { bodies, .. } => bodies,
        Event::Http(_) | Event::Authorizer { .. } | Event::Stream { .. } | Event::Schedule | Event::Task(_) => Vec::new(),
    });
    bytes(
        bodies.chain([
            serde_json::to_value(OrderChanged::of(&Buyer::first().order(OrderStep::Placed))).expect("an event is written")
        ]),
    )
}

pub(crate) fn task_seeds() -> Vec<Vec<u8>> {
    let inputs = test_cases::cases().into_iter().filter_map(|case| match case.event {
        Event::Task(input) => Some(input),
        Event::Http(_) | Event::Authorizer { .. } | Event::Queue { .. } | Event::Stream { .. } | Event::Schedule => None,
    });
    bytes(inputs)
}

pub(crate) fn gate_value_seeds() -> Vec<Vec<u8>> {
    let sale = Sale { status: domain::SaleStatus::Active, ..Sale::of(demo(), draft()) };
    let time: Timestamp = NOW.parse().unwrap();
    let stock = [None, Some(Exhausted { until: time, held: 3, next_ends_at: Some(time), half_end_at: Some(time) })];
    let values = stock.map(|stock| GateValue::new(&sale, stock.as_ref()).text().into_bytes());
    values.into_iter().chain(bytes([json!({"v": 2, "status": "closed"})])).collect()
}
