//! Items as they lie in the tables, and their way to and from the domain's types. An item that does not parse is corrupt.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Address, Admission, Attempt, AttemptStatus, Availability, Currency, Extent, GatewayName, Hold, IdempotencyKey, Money, Order,
    OrderEvent, OrderId, OrderStatus, PaymentMethod, PaymentStatus, ProductId, Quantity, Reservation, ReservationId,
    ReservationStatus, RestockKey, Sale, SaleDraft, SaleStatus, ShardLayout, ShardNumber, ShopperId, Sold, StockShard,
    StockStatus, Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use crate::{
    Restock, StoreError, Stored, Unsettled,
    error::Item,
    keys::{self, string},
};

/// An item without its key, as the attributes to write.
pub(crate) fn attributes<T: Serialize>(key: Item, body: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(body).map_err(|error| StoreError::corrupt(name(&key), error))?;
    item.extend(key);
    Ok(item)
}

/// One attribute's value.
pub(crate) fn value<T: Serialize>(of: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(of).map_err(|error| StoreError::corrupt("(new)", error))
}

fn parse<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item.clone()).map_err(|error| StoreError::corrupt(name(item), error))
}

/// Partition and sort key, for people.
fn name(item: &Item) -> String {
    let part = |attribute: &str| item.get(attribute).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    format!("{} / {}", part("pk"), part("sk"))
}

pub(crate) fn second(of: &Item, seconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(seconds).map_err(|error| StoreError::corrupt(name(of), error))
}

#[derive(Serialize, Deserialize)]
struct HeldForm {
    /// ULID of the reservation: the product is in the shard's key.
    r: String,
    q: Quantity,
    /// Epoch seconds.
    x: i64,
}

#[derive(Serialize, Deserialize)]
struct SoldForm {
    r: String,
    q: Quantity,
}

#[derive(Serialize, Deserialize)]
struct ShardForm {
    /// Revision of the sale that the shard was made for. A short name: every byte of a shard is paid with each of its moves.
    #[serde(default)]
    rev: u64,
    capacity: u32,
    available: u32,
    held: BTreeMap<ShopperId, HeldForm>,
    sold: BTreeMap<ShopperId, SoldForm>,
}

pub(crate) fn new_shard(product: &ProductId, number: ShardNumber, capacity: u32, revision: u64) -> Result<Item, StoreError> {
    let body = ShardForm { rev: revision, capacity, available: capacity, held: BTreeMap::new(), sold: BTreeMap::new() };
    attributes(keys::shard(product, number), &body)
}

/// The revision of its sale that a shard was made for.
pub(crate) fn shard_revision(item: &Item) -> Result<u64, StoreError> {
    Ok(parse::<ShardForm>(item)?.rev)
}

pub(crate) fn held_value(hold: &Hold) -> Result<AttributeValue, StoreError> {
    value(&HeldForm { r: hold.reservation.ulid(), q: hold.quantity, x: hold.expires_at.as_second() })
}

pub(crate) fn sold_value(reservation: &ReservationId, quantity: Quantity) -> Result<AttributeValue, StoreError> {
    value(&SoldForm { r: reservation.ulid(), q: quantity })
}

pub(crate) fn shard(product: &ProductId, item: &Item) -> Result<StockShard, StoreError> {
    let form: ShardForm = parse(item)?;
    let reservation = |ulid: &str| ReservationId::of(product, ulid).map_err(|error| StoreError::corrupt(name(item), error));
    let mut held = BTreeMap::new();
    for (shopper, hold) in form.held {
        let hold = Hold { reservation: reservation(&hold.r)?, quantity: hold.q, expires_at: second(item, hold.x)? };
        held.insert(shopper, hold);
    }
    let mut sold = BTreeMap::new();
    for (shopper, sale) in form.sold {
        sold.insert(shopper, Sold { reservation: reservation(&sale.r)?, quantity: sale.q });
    }
    Ok(StockShard::from_parts(form.capacity, form.available, held, sold))
}

#[derive(Serialize, Deserialize)]
struct AvailabilityForm {
    available: u32,
    held: u32,
    sold: u32,
    units: u32,
    as_of: Timestamp,
    version: u64,
    free: ByteBuf,
    held_by_shard: ByteBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_hold_ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sold_out_at: Option<Timestamp>,
}

pub(crate) fn availability_item(product: &ProductId, availability: &Availability) -> Result<Item, StoreError> {
    let body = AvailabilityForm {
        available: availability.available(),
        held: availability.held_units(),
        sold: availability.sold_units(),
        units: availability.units,
        as_of: availability.as_of,
        version: availability.version,
        free: ByteBuf::from(availability.free.clone()),
        held_by_shard: ByteBuf::from(availability.held.clone()),
        next_hold_ends_at: availability.next_hold_ends_at,
        sold_out_at: availability.sold_out_at,
    };
    attributes(keys::availability(product), &body)
}

pub(crate) fn availability(item: &Item) -> Result<Availability, StoreError> {
    let form: AvailabilityForm = parse(item)?;
    Ok(Availability {
        as_of: form.as_of,
        version: form.version,
        free: form.free.into_vec(),
        held: form.held_by_shard.into_vec(),
        units: form.units,
        next_hold_ends_at: form.next_hold_ends_at,
        sold_out_at: form.sold_out_at,
    })
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SaleStatusForm {
    Preparing,
    Active,
    Paused,
    Closed,
}

impl From<SaleStatus> for SaleStatusForm {
    fn from(status: SaleStatus) -> Self {
        match status {
            SaleStatus::Preparing => Self::Preparing,
            SaleStatus::Active => Self::Active,
            SaleStatus::Paused => Self::Paused,
            SaleStatus::Closed => Self::Closed,
        }
    }
}

impl From<SaleStatusForm> for SaleStatus {
    fn from(status: SaleStatusForm) -> Self {
        match status {
            SaleStatusForm::Preparing => Self::Preparing,
            SaleStatusForm::Active => Self::Active,
            SaleStatusForm::Paused => Self::Paused,
            SaleStatusForm::Closed => Self::Closed,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct SaleForm {
    product: ProductId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    amount_minor: i64,
    currency: Currency,
    units: u32,
    shards: u32,
    /// Shards that were ever made: those above `shards` are left over from an earlier description.
    shards_made: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shards_chosen: bool,
    starts_at: Timestamp,
    ends_at: Timestamp,
    hold_seconds: u32,
    max_per_shopper: Quantity,
    admission: Admission,
    status: SaleStatusForm,
    revision: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    restocks: Vec<RestockForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished_restock: Option<RestockForm>,
}

#[derive(Serialize, Deserialize)]
struct RestockForm {
    key: RestockKey,
    units: u32,
    shards: u32,
    revision: u64,
}

impl From<&Restock> for RestockForm {
    fn from(restock: &Restock) -> Self {
        let Restock { key, extent, revision } = restock;
        Self { key: key.clone(), units: extent.units, shards: extent.shards, revision: *revision }
    }
}

impl From<RestockForm> for Restock {
    fn from(form: RestockForm) -> Self {
        let extent = Extent { units: form.units, shards: form.shards };
        Self { key: form.key, extent, revision: form.revision }
    }
}

pub(crate) fn sale_item(record: &Stored) -> Result<Item, StoreError> {
    let (sale, draft) = (&record.sale, &record.sale.draft);
    let body = SaleForm {
        product: sale.product.clone(),
        name: draft.name.clone(),
        description: draft.description.clone(),
        image_url: draft.image_url.clone(),
        amount_minor: draft.price.amount_minor(),
        currency: draft.price.currency(),
        units: sale.layout.made().units,
        shards: sale.layout.made().shards,
        shards_made: record.shards_made,
        shards_chosen: draft.shards.is_some(),
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        hold_seconds: draft.hold_seconds,
        max_per_shopper: draft.max_per_shopper,
        admission: draft.admission,
        status: sale.status.into(),
        revision: record.revision,
        restocks: record.restocks.iter().map(RestockForm::from).collect(),
        unfinished_restock: record.unfinished.as_ref().map(RestockForm::from),
    };
    attributes(keys::sale(&sale.product), &body)
}

pub(crate) fn sale(item: &Item) -> Result<Stored, StoreError> {
    let form: SaleForm = parse(item)?;
    let draft = SaleDraft {
        name: form.name,
        description: form.description,
        image_url: form.image_url,
        price: money(item, form.amount_minor, form.currency)?,
        units: form.units,
        starts_at: form.starts_at,
        ends_at: form.ends_at,
        hold_seconds: form.hold_seconds,
        max_per_shopper: form.max_per_shopper,
        admission: form.admission,
        shards: form.shards_chosen.then_some(form.shards),
    };
    let restocks: Vec<Restock> = form.restocks.into_iter().map(Restock::from).collect();
    let unfinished = form.unfinished_restock.map(Restock::from);
    if form.shards == 0 || restocks.iter().chain(&unfinished).any(|restock| restock.extent.shards == 0) {
        return Err(StoreError::corrupt(name(item), "a sale, and what is restocked, has at least one shard"));
    }
    let made = ShardLayout::new(form.units, form.shards);
    let layout = restocks.iter().fold(made, |layout, restock| layout.restocked(restock.extent));
    let sale = Sale { product: form.product, draft, layout, status: form.status.into() };
    Ok(Stored { sale, shards_made: form.shards_made, revision: form.revision, restocks, unfinished })
}

fn money(item: &Item, amount_minor: i64, currency: Currency) -> Result<Money, StoreError> {
    Money::new(amount_minor, currency).map_err(|error| StoreError::corrupt(name(item), error))
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ReservationStatusForm {
    Held,
    Paying,
    Purchased,
}

impl From<ReservationStatus> for ReservationStatusForm {
    fn from(status: ReservationStatus) -> Self {
        match status {
            ReservationStatus::Held => Self::Held,
            ReservationStatus::Paying => Self::Paying,
            ReservationStatus::Purchased => Self::Purchased,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ReservationForm {
    pk: String,
    reservation_id: ReservationId,
    shard: u32,
    quantity: Quantity,
    status: ReservationStatusForm,
    /// Epoch seconds.
    expires_at: i64,
    /// Epoch milliseconds.
    created_at: i64,
    /// Epoch seconds; only while the reservation is held, so that nothing else is ever deleted by time alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<i64>,
}

pub(crate) fn reservation_item(reservation: &Reservation) -> Result<Item, StoreError> {
    let key = keys::reservation(&reservation.shopper, reservation.id.product());
    let body = ReservationForm {
        pk: keys::reservation_pk(&reservation.shopper),
        reservation_id: reservation.id.clone(),
        shard: reservation.shard.0,
        quantity: reservation.quantity,
        status: reservation.status.into(),
        expires_at: reservation.expires_at.as_second(),
        created_at: reservation.created_at.as_millisecond(),
        ttl: (reservation.status == ReservationStatus::Held).then_some(reservation.expires_at.as_second()),
    };
    attributes(key, &body)
}

pub(crate) fn reservation(item: &Item) -> Result<Reservation, StoreError> {
    let form: ReservationForm = parse(item)?;
    let shopper = form.pk.strip_prefix("SHOPPER#").unwrap_or_default();
    Ok(Reservation {
        id: form.reservation_id,
        shopper: shopper.parse().map_err(|error| StoreError::corrupt(name(item), error))?,
        shard: ShardNumber(form.shard),
        quantity: form.quantity,
        status: match form.status {
            ReservationStatusForm::Held => ReservationStatus::Held,
            ReservationStatusForm::Paying => ReservationStatus::Paying,
            ReservationStatusForm::Purchased => ReservationStatus::Purchased,
        },
        expires_at: second(item, form.expires_at)?,
        created_at: Timestamp::from_millisecond(form.created_at).map_err(|error| StoreError::corrupt(name(item), error))?,
    })
}

#[derive(Serialize, Deserialize)]
struct OrderForm {
    order_id: OrderId,
    shopper: ShopperId,
    product: ProductId,
    quantity: Quantity,
    amount_minor: i64,
    currency: Currency,
    status: OrderStatus,
    payment_status: PaymentStatus,
    inventory_status: StockStatus,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaymentMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    /// Epoch seconds.
    pay_by: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    /// Sort key of the shoppers' index, so of one width: RFC 3339 with milliseconds.
    created_at: String,
    updated_at: Timestamp,
    history: Vec<OrderEvent>,
    /// The product, while the order is pending: hash key of the index of unsettled orders, which has no other orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled: Option<ProductId>,
    /// Epoch seconds; with `unsettled`: when the attempt started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled_since: Option<i64>,
}

/// When an order was placed, as the sort key of the shoppers' index has it.
pub(crate) fn order_created_at(order: &Order) -> String {
    format!("{:.3}", order.created_at)
}

pub(crate) fn order_item(order: &Order) -> Result<Item, StoreError> {
    let is_unsettled = order.status == OrderStatus::Pending;
    let body = OrderForm {
        order_id: order.id.clone(),
        shopper: order.shopper.clone(),
        product: order.product().clone(),
        quantity: order.quantity,
        amount_minor: order.amount.amount_minor(),
        currency: order.amount.currency(),
        status: order.status,
        payment_status: order.payment_status,
        inventory_status: order.stock_status,
        attempt: order.attempt,
        payment_method: order.payment_method.clone(),
        shipping_address: order.shipping_address.clone(),
        pay_by: order.pay_by.as_second(),
        transaction_id: order.transaction_id.clone(),
        created_at: order_created_at(order),
        updated_at: order.updated_at,
        history: order.history.clone(),
        unsettled: is_unsettled.then(|| order.product().clone()),
        // The last thing that happened to a pending order is that its payment was started.
        unsettled_since: is_unsettled.then_some(order.updated_at.as_second()),
    };
    attributes(keys::order(&order.id), &body)
}

pub(crate) fn order(item: &Item) -> Result<Order, StoreError> {
    let form: OrderForm = parse(item)?;
    Ok(Order {
        amount: money(item, form.amount_minor, form.currency)?,
        pay_by: second(item, form.pay_by)?,
        created_at: form.created_at.parse().map_err(|error| StoreError::corrupt(name(item), error))?,
        id: form.order_id,
        shopper: form.shopper,
        quantity: form.quantity,
        status: form.status,
        payment_status: form.payment_status,
        stock_status: form.inventory_status,
        attempt: form.attempt,
        payment_method: form.payment_method,
        shipping_address: form.shipping_address,
        transaction_id: form.transaction_id,
        updated_at: form.updated_at,
        history: form.history,
    })
}

/// An order as the index of unsettled orders has it.
pub(crate) fn unsettled(item: &Item) -> Result<Unsettled, StoreError> {
    #[derive(Deserialize)]
    struct Form {
        pk: String,
        unsettled_since: i64,
    }
    let form: Form = parse(item)?;
    let id = keys::parse_order_pk(&form.pk).ok_or_else(|| StoreError::corrupt(name(item), "not an order"))?;
    Ok(Unsettled { id, since: second(item, form.unsettled_since)? })
}

#[derive(Serialize, Deserialize)]
struct AttemptForm {
    gateway: GatewayName,
    idempotency_key: String,
    status: AttemptStatus,
    /// There only if it is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    asked_again: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(crate) fn attempt_item(attempt: &Attempt) -> Result<Item, StoreError> {
    let body = AttemptForm {
        gateway: attempt.gateway.clone(),
        idempotency_key: attempt.key.to_string(),
        status: attempt.status,
        asked_again: attempt.asked_again,
        provider_reference: attempt.reference.clone(),
        confirmed: attempt.confirmed,
        reason: attempt.reason.clone(),
    };
    attributes(keys::attempt(&attempt.key), &body)
}

pub(crate) fn attempt(key: &IdempotencyKey, item: &Item) -> Result<Attempt, StoreError> {
    let form: AttemptForm = parse(item)?;
    Ok(Attempt {
        key: key.clone(),
        gateway: form.gateway,
        status: form.status,
        asked_again: form.asked_again,
        reference: form.provider_reference,
        confirmed: form.confirmed,
        reason: form.reason,
    })
}

/// A `String` attribute for an id.
pub(crate) fn id(of: &impl ToString) -> AttributeValue {
    string(of.to_string())
}

/// A ledger's or any other plain form.
pub(crate) fn plain<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    parse(item)
}
