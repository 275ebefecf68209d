//! What the tests share: the whole store on three empty tables, and plain examples of everything that it keeps.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use domain::{
    Address, Admission, Attempt, AttemptStatus, Clock as _, GatewayName, Hold, IdempotencyKey, Money, Order, OrderEvent,
    OrderStep, PaymentMethod, ProductId, Quantity, Reservation, ReservationId, ReservationStatus, Sale, SaleDraft, SaleStatus,
    ShardLayout, ShardNumber, ShopperId, SignedDuration, StockShard, Timestamp,
};
use kit::SystemClock;
use store::{Attempts, Availabilities, Client, Orders, Purchases, Reservations, Sales, SandboxBooks, Stock};
use test_aws::{Calls, Dynamo, FixedClock};

/// An item as it lies in its table.
pub(crate) type RawItem = HashMap<String, aws_sdk_dynamodb::types::AttributeValue>;

/// The first shard: enough for most tests.
pub(crate) const SHARD: ShardNumber = ShardNumber(0);
/// When most tests take place, on their day.
pub(crate) const NOW: &str = "12:00:00.25";
/// When the holds of most tests end, on the same day.
pub(crate) const END: &str = "12:05:00";

/// From one day to the next.
pub(crate) const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The store on three empty tables of its own.
pub(crate) struct Shop {
    pub(crate) dynamo: Dynamo,
    pub(crate) client: Client,
    pub(crate) calls: Calls,
    pub(crate) stock: Stock,
    pub(crate) sales: Sales,
    pub(crate) availabilities: Availabilities,
    pub(crate) reservations: Reservations,
    pub(crate) orders: Orders,
    pub(crate) purchases: Purchases,
    pub(crate) attempts: Attempts,
    pub(crate) books: SandboxBooks,
}

impl Shop {
    /// On dynoxide, or on the server that the environment names.
    pub(crate) async fn open() -> Self {
        Self::on(Dynamo::start().await)
    }

    /// On dynoxide, whose TTL goes by `clock`.
    pub(crate) async fn open_at(clock: &FixedClock) -> Self {
        Self::on(Dynamo::start_at(clock).await)
    }

    /// With a shard of `units` units.
    pub(crate) async fn with_units(units: u32) -> Self {
        let shop = Self::open().await;
        shop.stock.create(&product(), &ShardLayout::new(units, 1), 1).await.unwrap();
        shop.calls.reset();
        shop
    }

    fn on(dynamo: Dynamo) -> Self {
        let (client, calls) = dynamo.counted();
        let (stock, reservation, order) = (dynamo.stock_table(), dynamo.reservation_table(), dynamo.order_table());
        Self {
            stock: Stock::new(client.clone(), stock),
            sales: Sales::new(client.clone(), stock),
            availabilities: Availabilities::new(client.clone(), stock),
            reservations: Reservations::new(client.clone(), reservation),
            orders: Orders::new(client.clone(), order),
            purchases: Purchases::new(client.clone(), reservation, order),
            attempts: Attempts::new(client.clone(), order),
            books: SandboxBooks::new(client.clone(), order),
            client,
            calls,
            dynamo,
        }
    }

    /// The first shard as it is now.
    pub(crate) async fn shard(&self) -> StockShard {
        self.shard_of(&product()).await
    }

    /// The first shard of a sale as it is now. It must add up.
    pub(crate) async fn shard_of(&self, product: &ProductId) -> StockShard {
        let read = self.stock.read_all(product, &ShardLayout::new(0, 1)).await.unwrap();
        let shard = read[0].1.clone();
        assert!(shard.is_balanced(), "{shard:?}");
        shard
    }

    /// An item as it lies in `table`.
    pub(crate) async fn raw(&self, table: &str, pk: &str, sk: &str) -> Option<RawItem> {
        let get = self.dynamo.client().get_item().table_name(table).consistent_read(true);
        get.key("pk", text(pk)).key("sk", text(sk)).send().await.unwrap().item
    }

    /// A shopper's reservation as it lies in its table.
    pub(crate) async fn raw_reservation(&self, of: &ShopperId, product: &ProductId) -> Option<RawItem> {
        self.raw(self.dynamo.reservation_table(), &format!("SHOPPER#{of}"), &format!("SALE#{product}")).await
    }

    /// Writes a payment attempt that nobody has begun as it is when it has come to `status`.
    pub(crate) async fn attempt(&self, key: &IdempotencyKey, status: AttemptStatus) -> Attempt {
        let (begun, is_new) = self.attempts.begin(key, &GatewayName("sandbox".into())).await.unwrap();
        let is_charged =
            matches!(status, AttemptStatus::Charged | AttemptStatus::Kept | AttemptStatus::Refunding | AttemptStatus::Refunded);
        let reference = is_charged.then(|| format!("sandbox_{key}"));
        let attempt = Attempt { status, reference, confirmed: is_charged.then(price), ..begun.clone() };
        assert!(is_new && self.attempts.replace(&begun, &attempt).await.unwrap());
        attempt
    }

    /// A payment attempt as it lies in its table.
    pub(crate) async fn raw_attempt(&self, key: &IdempotencyKey) -> Option<RawItem> {
        self.raw(self.dynamo.order_table(), &format!("ORDER#{}", key.order), &format!("PAYMENT#{}", key.attempt)).await
    }

    /// Everything in the reservation and order tables, by key.
    pub(crate) async fn purchases_now(&self) -> BTreeMap<String, RawItem> {
        let mut found = BTreeMap::new();
        for table in [self.dynamo.reservation_table(), self.dynamo.order_table()] {
            let scan = self.dynamo.client().scan().table_name(table).consistent_read(true).send().await.unwrap();
            found.extend(scan.items.unwrap_or_default().into_iter().map(|item| {
                let key = format!("{} {}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap());
                (key, item)
            }));
        }
        found
    }
}

pub(crate) fn text(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
}

/// A time of day, such as `12:05:00`, of tomorrow (UTC): a server deletes whatever has ended by the real clock at any moment.
pub(crate) fn at(time_of_day: &str) -> Timestamp {
    // One day for all tests of this process, also when midnight comes between two of them.
    static TOMORROW: LazyLock<String> = LazyLock::new(|| (SystemClock.now() + A_DAY).to_string()[..10].to_owned());
    format!("{}T{time_of_day}Z", *TOMORROW).parse().unwrap()
}

/// A clock that stands still at [`NOW`].
pub(crate) fn clock() -> FixedClock {
    FixedClock::at(&at(NOW).to_string())
}

pub(crate) fn product() -> ProductId {
    "demo".parse().unwrap()
}

pub(crate) fn shopper(number: u32) -> ShopperId {
    format!("shopper-{number}").parse().unwrap()
}

/// As Cognito names shoppers: a UUID.
pub(crate) fn uuid_shopper(number: u32) -> ShopperId {
    format!("5b2f1c1e-7a44-4c0f-9d53-0a4d5e{number:06}").parse().unwrap()
}

pub(crate) fn units(quantity: u32) -> Quantity {
    Quantity::new(quantity).unwrap()
}

/// A sale in preparation.
pub(crate) fn sale(product: &ProductId, units: u32) -> Sale {
    let draft = SaleDraft {
        name: "Phone".into(),
        description: Some("A phone.".into()),
        image_url: Some("https://example.com/phone.png".into()),
        price: price(),
        units,
        starts_at: at("12:00:00"),
        ends_at: at("13:00:00.5"),
        hold_seconds: 300,
        max_per_shopper: Quantity::ONE,
        admission: Admission::Fcfs,
        shards: None,
    };
    Sale { product: product.clone(), layout: draft.layout(), draft, status: SaleStatus::Preparing }
}

/// Reservation (and order) number `number` of the demo sale.
pub(crate) fn id(number: u32) -> ReservationId {
    id_in(&product(), number)
}

pub(crate) fn id_in(product: &ProductId, number: u32) -> ReservationId {
    ReservationId::of(product, &format!("01JD3V3Z5T8Q6W7X9Y0A{number:06}")).unwrap()
}

pub(crate) fn hold(number: u32, quantity: u32) -> Hold {
    Hold { reservation: id(number), quantity: units(quantity), expires_at: at(END) }
}

/// Reservation `number`, of one unit, held by shopper `number`.
pub(crate) fn reservation(number: u32) -> Reservation {
    Reservation {
        id: id(number),
        shopper: shopper(number),
        shard: SHARD,
        quantity: Quantity::ONE,
        status: ReservationStatus::Held,
        expires_at: at(END),
        created_at: at(NOW),
    }
}

/// Order `number`, of shopper `number`, that waits for its payment.
pub(crate) fn waiting_order(number: u32) -> Order {
    order_after(number, OrderStep::Placed, 0)
}

/// Order `number`, of shopper `number`, in its first attempt to be paid.
pub(crate) fn pending_order(number: u32) -> Order {
    order_after(number, OrderStep::PaymentStarted, 1)
}

/// Order `number`, of shopper `number`, as `step` leaves it.
pub(crate) fn order_after(number: u32, step: OrderStep, attempt: u32) -> Order {
    let (status, payment_status, stock_status) = step.leads_to();
    Order {
        id: id(number),
        shopper: shopper(number),
        quantity: Quantity::ONE,
        amount: price(),
        status,
        payment_status,
        stock_status,
        attempt,
        payment_method: (attempt > 0).then(|| method("sandbox:ok")),
        shipping_address: Some(Address {
            address_line1: "1 Infinite Loop".into(),
            city: "Cupertino".into(),
            postal_code: "95014".into(),
            country: "US".into(),
        }),
        pay_by: at(END),
        transaction_id: None,
        created_at: at(NOW),
        updated_at: at(NOW),
        history: vec![OrderEvent { at: at(NOW), event: step, reason: None }],
    }
}

pub(crate) fn price() -> Money {
    Money::new(99_900, "USD".parse().unwrap()).unwrap()
}

pub(crate) fn method(token: &str) -> PaymentMethod {
    token.parse().unwrap()
}

/// The key of the first attempt to pay order `number`.
pub(crate) fn key(number: u32) -> IdempotencyKey {
    key_of(number, 1)
}

/// The key of an attempt to pay order `number`.
pub(crate) fn key_of(number: u32, attempt: u32) -> IdempotencyKey {
    IdempotencyKey { order: id(number), attempt }
}
