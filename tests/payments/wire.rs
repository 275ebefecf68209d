//! The connection between a gateway and a fake provider in the same process.

use test_provider::faults::Order;
pub(crate) use test_shop::calls_to as to;

/// A fault for the next requests to this path. A slow answer takes a minute.
pub(crate) fn fault(method: &str, path: &str, fault: &str, times: u32) -> Order {
    let order = serde_json::json!({"path": path, "method": method, "times": times, "fault": fault, "seconds": 60});
    serde_json::from_value(order).unwrap()
}
