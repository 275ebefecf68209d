//! What the gate at the edge knows of a sale: the value of its product in CloudFront's KeyValueStore.
//!
//! `infra/edge/gate/gate.js` reads it. The value holds facts with their times, and the gate judges the times by its own clock:
//! no write is needed when a sale starts or ends, and "sold out" ends by itself.

use domain::{Exhausted, Sale, SaleStatus, SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{sent_time, time};

/// The form of the value. The gate lets requests for a value of another form through.
const GATE_FORM: u8 = 1;

/// A sale as the gate knows it, about 300 bytes as JSON. Times in milliseconds are epoch times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateValue {
    v: u8,
    status: GateStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visible_ms: Option<i64>,
    starts_ms: i64,
    /// As the API shows it.
    starts_at: String,
    ends_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sold_out: Option<GateStock>,
}

/// How the gate judges the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GateStatus {
    /// By its start, its end and its stock.
    Timed,
    /// By its end only: the API says that it is paused.
    Paused,
    /// Over for good.
    Closed,
}

/// The stock of a sold-out sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct GateStock {
    until_ms: i64,
    held: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_ends_ms: Option<i64>,
    /// As the API shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_ends_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    half_end_ms: Option<i64>,
    /// As the API shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    half_end_at: Option<String>,
}

impl GateValue {
    /// The longest value that a KeyValueStore takes, in bytes.
    pub const MOST_BYTES: usize = 1_024;

    /// The value of `sale`. `stock`: nothing can be reserved for some time.
    #[must_use]
    pub fn new(sale: &Sale, stock: Option<&Exhausted>) -> Self {
        let draft = &sale.draft;
        let status = match sale.status {
            // A sale in preparation is not started until its start, and the gate lets requests through afterwards.
            SaleStatus::Preparing | SaleStatus::Active => GateStatus::Timed,
            SaleStatus::Paused => GateStatus::Paused,
            SaleStatus::Closed => GateStatus::Closed,
        };
        Self {
            v: GATE_FORM,
            status,
            visible_ms: draft.visible_from.map(up),
            starts_ms: draft.starts_at.as_millisecond(),
            starts_at: sent_time(draft.starts_at),
            ends_ms: up(draft.ends_at),
            sold_out: stock.filter(|_| sale.status == SaleStatus::Active).map(GateStock::new),
        }
    }

    /// The stock that the value tells of.
    #[must_use]
    pub fn stock(&self) -> Option<Exhausted> {
        let stock = self.sold_out.as_ref()?;
        let time = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MIN);
        let (next_ends_at, half_end_at) = (stock.next_ends_ms.map(time), stock.half_end_ms.map(time));
        Some(Exhausted { until: time(stock.until_ms), held: stock.held, next_ends_at, half_end_at })
    }

    /// The same without the stock.
    #[must_use]
    pub fn without_stock(self) -> Self {
        Self { sold_out: None, ..self }
    }

    /// The value as it is stored.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings and numbers only: serializing them cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a stored value. `None`: another version of the product wrote it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|value: &Self| value.v == GATE_FORM)
    }
}

impl GateStock {
    fn new(stock: &Exhausted) -> Self {
        Self {
            until_ms: stock.until.as_millisecond(),
            held: stock.held,
            next_ends_ms: stock.next_ends_at.map(Timestamp::as_millisecond),
            next_ends_at: stock.next_ends_at.map(time),
            half_end_ms: stock.half_end_at.map(Timestamp::as_millisecond),
            half_end_at: stock.half_end_at.map(time),
        }
    }
}

/// The first whole millisecond at or after `at`: before it, the gate must not refuse.
fn up(at: Timestamp) -> i64 {
    at.checked_add(SignedDuration::from_nanos(999_999)).unwrap_or(at).as_millisecond()
}
