//! Bodies and parameters of operators' requests.

use std::{collections::BTreeSet, fmt::Display, str::FromStr};

use domain::{
    Admission, Currency, Money, MoneyError, OrderId, OrderStatus, ProductId, ProofOfWork, Quantity, SaleDraft, SaleError,
    Timestamp, has_card_number,
};
use kit::{Problem, Request};
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use crate::{object::Object, problems, schemas, whole::Whole};

/// The group whose members operate sales.
pub const OPERATORS: &str = "ops";

type Units = Whole<1, { SaleDraft::MOST_UNITS }>;
type HoldSeconds = Whole<{ *SaleDraft::HOLD_SECONDS.start() }, { *SaleDraft::HOLD_SECONDS.end() }>;
type MaxHoldSeconds = Whole<{ *SaleDraft::MAX_HOLD_SECONDS.start() }, { *SaleDraft::MAX_HOLD_SECONDS.end() }>;
type RampSeconds = Whole<{ *Admission::RAMP_SECONDS.start() }, { *Admission::RAMP_SECONDS.end() }>;
type WindowSeconds = Whole<{ *ProofOfWork::WINDOW_SECONDS.start() }, { *ProofOfWork::WINDOW_SECONDS.end() }>;

/// The default length of a hold, s.
const DEFAULT_HOLD_SECONDS: u32 = 300;

// Unknown members are refused: a misspelt one would be ignored, and a sale cannot be changed after its start.
/// Body of `PUT /admin/flash-sales/{product_id}`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaleRequest {
    #[schema(value_type = schemas::SaleName)]
    name: String,
    #[schema(value_type = Option<schemas::SaleDescription>)]
    description: Option<String>,
    #[schema(value_type = Option<schemas::ImageUrl>)]
    image_url: Option<String>,
    #[serde(deserialize_with = "price")]
    #[schema(value_type = Price)]
    price: Money,
    #[schema(value_type = schemas::SaleUnits)]
    units: Units,
    /// Shoppers do not learn of the sale before this time. Not later than `starts_at`. Default: at once.
    #[serde(default, deserialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<schemas::Time>)]
    visible_from: Option<Timestamp>,
    /// A time in the past opens the sale at once.
    #[serde(deserialize_with = "rfc3339")]
    #[schema(value_type = schemas::Time)]
    starts_at: Timestamp,
    /// Later than `starts_at`, and in the future.
    #[serde(deserialize_with = "rfc3339")]
    #[schema(value_type = schemas::Time)]
    ends_at: Timestamp,
    /// Default: 300.
    #[schema(value_type = Option<schemas::HoldSeconds>)]
    hold_seconds: Option<HoldSeconds>,
    /// At least `hold_seconds`. Default: twice `hold_seconds`, and at least two minutes more than it.
    #[schema(value_type = Option<schemas::MaxHoldSeconds>)]
    max_hold_seconds: Option<MaxHoldSeconds>,
    /// Default: 1.
    #[schema(value_type = Option<schemas::Quantity>)]
    max_per_shopper: Option<Whole<1, 10>>,
    /// Default: first come, first served.
    #[schema(value_type = Option<schemas::AdmissionRequest>)]
    admission: Option<Object<AdmissionRequest>>,
    /// Default: one for every 25 units, at most 4,000. A shard has at most 100 units.
    #[schema(value_type = Option<schemas::Shards>)]
    shards: Option<Whole<1, { SaleDraft::MOST_SHARDS }>>,
}

/// The price of one unit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Price {
    #[serde(deserialize_with = "amount_minor")]
    #[schema(value_type = schemas::AmountMinor)]
    amount_minor: i64,
    #[serde(deserialize_with = "currency")]
    #[schema(value_type = schemas::Currency)]
    currency: Currency,
}

fn price<'de, D: Deserializer<'de>>(json: D) -> Result<Money, D::Error> {
    let Object(Price { amount_minor, currency }) = Object::deserialize(json)?;
    Money::new(amount_minor, currency).map_err(de::Error::custom)
}

/// An amount within its limits; checked here so that the refusal points at this member.
pub(crate) fn amount_minor<'de, D: Deserializer<'de>>(json: D) -> Result<i64, D::Error> {
    let amount = i64::deserialize(json)?;
    if (1..=Money::MAX_MINOR).contains(&amount) { Ok(amount) } else { Err(de::Error::custom(MoneyError::Amount)) }
}

/// A currency that is in use.
pub(crate) fn currency<'de, D: Deserializer<'de>>(json: D) -> Result<Currency, D::Error> {
    let currency = Currency::deserialize(json)?;
    if currency.is_in_use() { Ok(currency) } else { Err(de::Error::custom(MoneyError::Currency)) }
}

/// A time as RFC 3339 writes it. `Timestamp` alone reads more, such as times without seconds.
fn rfc3339<'de, D: Deserializer<'de>>(json: D) -> Result<Timestamp, D::Error> {
    parse_rfc3339(&String::deserialize(json)?).map_err(de::Error::custom)
}

fn parse_rfc3339(text: &str) -> Result<Timestamp, &'static str> {
    if !is_rfc3339(text.as_bytes()) {
        return Err("a time is RFC 3339 with seconds and an offset, such as 2026-11-01T12:00:00Z");
    }
    // A day that does not exist, more than nine decimals, or a time beyond `Timestamp::MAX`.
    text.parse().map_err(|_| "a time is a date that exists, before 9999-12-30, with at most nine decimals")
}

fn optional_rfc3339<'de, D: Deserializer<'de>>(json: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    struct Time(#[serde(deserialize_with = "rfc3339")] Timestamp);
    Ok(Option::<Time>::deserialize(json)?.map(|Time(time)| time))
}

/// Whether a text has the form `2026-11-01T12:00:00`, perhaps a fraction, and an offset. There is no second 60.
fn is_rfc3339(text: &[u8]) -> bool {
    let fits = |text: &[u8], form: &[u8]| {
        let fit = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte.eq_ignore_ascii_case(form) };
        text.len() == form.len() && text.iter().zip(form).all(fit)
    };
    let Some((time, rest)) = text.split_at_checked(19) else { return false };
    let (fraction, offset) = match rest.strip_prefix(b".") {
        Some(rest) => rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        None => (&b"0"[..], rest),
    };
    let is_offset = match offset {
        [b'+' | b'-', hours_minutes @ ..] => fits(hours_minutes, b"00:00") && hours_minutes < &b"24:00"[..],
        zulu => fits(zulu, b"Z"),
    };
    fits(time, b"0000-00-00T00:00:00") && !time.ends_with(b"60") && !fraction.is_empty() && is_offset
}

/// How a sale admits shoppers.
// Not an enum with a tag: serde would ignore its unknown members.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdmissionRequest {
    mode: AdmissionMode,
    ramp_seconds: Option<RampSeconds>,
    proof_of_work: Option<Object<ProofOfWorkRequest>>,
}

/// The proof of work that a sale asks for; none with cost 0.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofOfWorkRequest {
    /// None with 0.
    cost: Whole<0, { *ProofOfWork::COST.end() }>,
    window_seconds: Option<WindowSeconds>,
}

/// A mode of admission by its name.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
enum AdmissionMode {
    /// First come, first served.
    Fcfs,
    /// By draw.
    Draw,
}

// Not derived from the variants' names: serde would read `{"fcfs": null}`, too.
impl TryFrom<String> for AdmissionMode {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        match name.as_str() {
            "fcfs" => Ok(Self::Fcfs),
            "draw" => Ok(Self::Draw),
            _ => Err("the mode of admission is \"fcfs\" or \"draw\""),
        }
    }
}

impl AdmissionRequest {
    /// The proof of work, within its limits also where it costs nothing.
    fn proof_of_work(self) -> Result<Option<ProofOfWork>, Problem> {
        let Some(Object(ProofOfWorkRequest { cost, window_seconds })) = self.proof_of_work else { return Ok(None) };
        let cost = cost.get();
        let window_seconds = window_seconds.map_or(ProofOfWork::DEFAULT_WINDOW_SECONDS, Whole::get);
        ProofOfWork { cost: cost.max(1), window_seconds }.check().map_err(refused)?;
        Ok((cost > 0).then_some(ProofOfWork { cost, window_seconds }))
    }

    fn admission(self) -> Result<Admission, Problem> {
        match (self.mode, self.ramp_seconds.map(Whole::get)) {
            (AdmissionMode::Fcfs, None) => Ok(Admission::Fcfs),
            (AdmissionMode::Draw, Some(ramp_seconds)) => Ok(Admission::Draw { ramp_seconds }),
            (AdmissionMode::Fcfs, Some(_)) => {
                Err(Problem::invalid_request("only the mode \"draw\" has ramp_seconds", "/admission/ramp_seconds"))
            }
            (AdmissionMode::Draw, None) => {
                let says = "the mode \"draw\" needs ramp_seconds, a whole number from 1 to 3,600";
                Err(Problem::invalid_request(says, "/admission/ramp_seconds"))
            }
        }
    }
}

fn refused(error: SaleError) -> Problem {
    Problem::invalid_request(error.should_be, &format!("/{}", error.field))
}

impl SaleRequest {
    /// Checks every limit and returns the sale's description.
    ///
    /// # Errors
    /// 422 `invalid-request` with a pointer to the first member that is out of its limits.
    pub fn draft(self) -> Result<SaleDraft, Problem> {
        let max_per_shopper = Quantity::new(self.max_per_shopper.map_or(1, Whole::get))
            .map_err(|_| Problem::invalid_request("max_per_shopper is a whole number from 1 to 10", "/max_per_shopper"))?;
        let hold_seconds = self.hold_seconds.map_or(DEFAULT_HOLD_SECONDS, Whole::get);
        let draft = SaleDraft {
            name: self.name,
            description: self.description,
            image_url: self.image_url,
            price: self.price,
            units: self.units.get(),
            visible_from: self.visible_from,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            hold_seconds,
            max_hold_seconds: self.max_hold_seconds.map_or_else(|| SaleDraft::default_max_hold_seconds(hold_seconds), Whole::get),
            max_per_shopper,
            admission: self.admission.map(|Object(admission)| admission.admission()).transpose()?.unwrap_or_default(),
            proof_of_work: self.admission.map_or(Ok(None), |Object(admission)| admission.proof_of_work())?,
            shards: self.shards.map(Whole::get),
        };
        draft.check().map_err(refused)?;
        Ok(draft)
    }
}

// Unknown members are refused: a misspelt one would be ignored.
/// Body of `POST /admin/flash-sales/{product_id}/restock`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockRequest {
    /// Units to add. The sale has at most 400,000 with them.
    #[schema(value_type = schemas::SaleUnits)]
    units: Units,
}

impl RestockRequest {
    /// Checks the limits and returns the units to add.
    ///
    /// # Errors
    /// 422 `invalid-request`.
    pub fn units(self) -> Result<u32, Problem> {
        let units = self.units.get();
        if (1..=SaleDraft::MOST_UNITS).contains(&units) { Ok(units) } else { Err(problems::units_out_of_range()) }
    }
}

/// The parameters of `GET /admin/orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderQuery {
    /// The orders that are listed.
    pub which: WhichOrders,
    /// Only orders with this status.
    pub status: Option<ListedStatus>,
    /// Only orders placed then or later; of those with a refund that is not confirmed, only those whose refund failed, or was
    /// requested by an operator, then or later.
    pub since: Timestamp,
    /// Where the page begins: `next` of the page before.
    pub next: Option<String>,
}

/// The orders that a request lists. Each is found by a key or in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichOrders {
    /// Orders whose refund is not confirmed: of this sale, or (`None`) of all sales.
    RefundPending(Option<ProductId>),
    /// Those of a sale, oldest first.
    OfSale(ProductId),
    /// The order with this id, in any status.
    One(OrderId),
}

/// The status by which orders are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedStatus {
    /// The order has this status.
    Order(OrderStatus),
    /// A refund is not confirmed.
    RefundPending,
}

impl ListedStatus {
    fn of(word: &str) -> Option<Self> {
        if word == "refund_pending" {
            return Some(Self::RefundPending);
        }
        serde_json::from_value(word.into()).ok().map(Self::Order)
    }
}

impl OrderQuery {
    /// The parameters of `request`.
    ///
    /// # Errors
    /// 400 that names the parameter at fault.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let wrong = |name: &str, why: &str| Problem::malformed_request(format!("parameter {name}: {why}"), "");
        let parameter = |name| kit::http::query_parameter(request, name);
        let status = parameter("status").map(|word| ListedStatus::of(word).ok_or_else(|| wrong("status", "no order has it")));
        let status = status.transpose()?;
        let sale = parameter("sale").map(|text| text.parse().map_err(|error: domain::IdError| wrong("sale", &error.to_string())));
        let (sale, id): (Option<ProductId>, _) = (sale.transpose()?, parameter("order_id"));
        let id = id.map(|text| text.parse().map_err(|_| wrong("order_id", "it is no order's id")));
        let which = match (id.transpose()?, status, sale) {
            (Some(id), _, _) => WhichOrders::One(id),
            (None, Some(ListedStatus::RefundPending), sale) => WhichOrders::RefundPending(sale),
            (None, Some(ListedStatus::Order(_)) | None, Some(sale)) => WhichOrders::OfSale(sale),
            (None, Some(ListedStatus::Order(_)) | None, None) => {
                return Err(wrong(
                    "status",
                    "without order_id and sale, only orders with the status refund_pending can be listed",
                ));
            }
        };
        let since = parameter("since").map(|text| parse_rfc3339(text).map_err(|why| wrong("since", why)));
        let next = parameter("next").map(str::to_owned);
        Ok(Self { which, status, since: since.transpose()?.unwrap_or(Timestamp::MIN), next })
    }
}

/// The header `Idempotency-Key`: it tells a repeated request from a second restock or refund.
///
/// # Errors
/// 400 when it is missing or no key.
pub fn idempotency_key<K: FromStr<Err: Display>>(request: &Request) -> Result<K, Problem> {
    let sent = request.headers().get_all("idempotency-key").into_iter().map(|value| value.to_str().unwrap_or_default().trim());
    let keys: BTreeSet<&str> = sent.collect();
    if keys.len() > 1 {
        return Err(Problem::malformed_request("header Idempotency-Key: several keys were sent", ""));
    }
    keys.into_iter()
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|error| Problem::malformed_request(format!("header Idempotency-Key: {error}"), ""))
}

/// The product in the path of a request that creates a sale.
///
/// # Errors
/// 400 when the text is not a product id, or looks like a card number: then no shopper could name the product in a body.
pub fn new_product_path(request: &Request) -> Result<ProductId, Problem> {
    let text = kit::http::path_parameter(request, "product_id").unwrap_or_default();
    if has_card_number(text) {
        return Err(Problem::card_data("").detail(
            "product_id in the path: its digits look like a card number, and bodies with such digits are refused. Divide them by a \
             letter or an underscore.",
        ));
    }
    text.parse().map_err(|error| Problem::malformed_request(format!("product_id in the path: {error}"), ""))
}
