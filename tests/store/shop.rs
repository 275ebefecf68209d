//! Shared by the tests: the store in a shop of its own, with its calls counted, and a plain example of each item that it keeps.

use std::{ops::Deref, sync::LazyLock};

use domain::{
    Attempt, AttemptStatus, Clock as _, Hold, IdempotencyKey, Order, OrderStep, PaymentMethod, ProductId, Quantity, Reservation,
    ReservationId, ReservationStatus, Sale, SaleDraft, SaleStatus, ShardLayout, ShardNumber, ShopperId, SignedDuration,
    StockShard, Timestamp,
};
use kit::SystemClock;
use store::{
    Attempts, Availabilities, Client, CoolingShoppers, Orders, PlaceOutcome, Purchases, Reservations, Sales, SandboxBooks,
    ShopperBuckets, Stock,
};
use test_aws::{Calls, FixedClock};
use test_shop::{Buyer, draft};
pub(crate) use test_shop::{RawItem, demo as product, price};

/// The first shard: enough for most tests.
pub(crate) const SHARD: ShardNumber = ShardNumber(0);
/// The time of most tests, on the tests' day.
pub(crate) const NOW: &str = "12:00:00.25";
/// The end of the holds in most tests, on the same day.
pub(crate) const END: &str = "12:05:00";

pub(crate) const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The store in a shop of its own.
pub(crate) struct Shop {
    whole: test_shop::Shop,
    pub(crate) client: Client,
    pub(crate) calls: Calls,
    pub(crate) stock: Stock,
    pub(crate) sales: Sales,
    pub(crate) availabilities: Availabilities,
    pub(crate) reservations: Reservations,
    pub(crate) cooling: CoolingShoppers,
    pub(crate) buckets: ShopperBuckets,
    pub(crate) orders: Orders,
    pub(crate) purchases: Purchases,
    pub(crate) attempts: Attempts,
    pub(crate) books: SandboxBooks,
}

impl Deref for Shop {
    type Target = test_shop::Shop;

    fn deref(&self) -> &test_shop::Shop {
        &self.whole
    }
}

impl Shop {
    /// An empty store, in this process or on the server that the environment names.
    pub(crate) async fn open() -> Self {
        Self::on(test_shop::Shop::anywhere(clock()).await)
    }

    /// An empty store in this process. Its TTL follows `clock`.
    pub(crate) async fn open_at(clock: &FixedClock) -> Self {
        Self::on(test_shop::Shop::empty_at(clock.clone()).await)
    }

    /// With a sale of `units` units in one shard.
    pub(crate) async fn with_units(units: u32) -> Self {
        let shop = Self::open().await;
        shop.sale(&product(), SaleDraft { shards: Some(1), ..sale(&product(), units).draft }).await;
        shop
    }

    /// With a hold and an order that waits for its first payment.
    pub(crate) async fn with_waiting_order() -> (Self, Order) {
        let (shop, order) = (Self::open().await, waiting_order(1));
        shop.reservations.open(&reservation(1)).await.unwrap();
        assert_eq!(shop.orders.place(&order).await.unwrap(), PlaceOutcome::Placed);
        (shop, order)
    }

    /// With an order that is being paid in its second attempt.
    pub(crate) async fn with_second_attempt() -> (Self, Order) {
        let (shop, order) = (Self::open().await, order_after(1, OrderStep::PaymentStarted, 2));
        shop.reservations.open(&Reservation { status: ReservationStatus::Paying, ..reservation(1) }).await.unwrap();
        assert_eq!(shop.orders.place(&order).await.unwrap(), PlaceOutcome::Placed);
        (shop, order)
    }

    fn on(shop: test_shop::Shop) -> Self {
        let calls = Calls::new();
        let mut parts = shop.parts(&calls);
        Self {
            stock: parts.stock(),
            sales: parts.sales(),
            availabilities: parts.availabilities(),
            reservations: parts.reservations(),
            cooling: parts.cooling_shoppers(),
            buckets: parts.shopper_buckets(),
            orders: parts.orders(),
            purchases: parts.purchases(),
            attempts: parts.attempts(),
            books: parts.books(),
            client: shop.dynamo.client_with(&calls),
            calls,
            whole: shop,
        }
    }

    /// The first shard as it is now.
    pub(crate) async fn shard(&self) -> StockShard {
        self.shard_of(&product()).await
    }

    /// The first shard of a sale as it is now. Its units must add up.
    pub(crate) async fn shard_of(&self, product: &ProductId) -> StockShard {
        let read = self.stock.read_all(product, &ShardLayout::new(0, 1)).await.unwrap();
        let shard = read[0].1.clone();
        assert!(shard.is_balanced(), "{shard:?}");
        shard
    }

    /// Writes a payment attempt that has reached `status`.
    pub(crate) async fn attempt(&self, key: &IdempotencyKey, status: AttemptStatus) -> Attempt {
        let buyer = Buyer { id: key.order.clone(), ..buyer(1) };
        self.whole.attempt(&buyer, key.attempt, "sandbox", status).await
    }
}

pub(crate) fn text(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
}

/// A time of day, such as `12:05:00`, of tomorrow (UTC). A server may delete an item at any moment once it has ended by the
/// real clock.
pub(crate) fn at(time_of_day: &str) -> Timestamp {
    // All tests of this process share one day, also when they run past midnight.
    static TOMORROW: LazyLock<String> = LazyLock::new(|| (SystemClock.now() + A_DAY).to_string()[..10].to_owned());
    format!("{}T{time_of_day}Z", *TOMORROW).parse().unwrap()
}

/// A clock that stands still at [`NOW`].
pub(crate) fn clock() -> FixedClock {
    FixedClock::at(&at(NOW).to_string())
}

pub(crate) fn shopper(number: u32) -> ShopperId {
    buyer(number).shopper
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
        description: Some("A phone.".into()),
        image_url: Some("https://example.com/phone.png".into()),
        units,
        visible_from: None,
        starts_at: at("12:00:00"),
        ends_at: at("13:00:00.5"),
        max_per_shopper: Quantity::ONE,
        ..draft()
    };
    Sale { status: SaleStatus::Preparing, ..Sale::of(product.clone(), draft) }
}

/// The buyer of one unit of the demo sale with this number.
pub(crate) fn buyer(number: u32) -> Buyer {
    Buyer::number(number).holding(at(NOW), at(END))
}

/// Reservation (and order) number `number` of the demo sale.
pub(crate) fn id(number: u32) -> ReservationId {
    id_in(&product(), number)
}

pub(crate) fn id_in(product: &ProductId, number: u32) -> ReservationId {
    buyer(number).of(product).id
}

pub(crate) fn hold(number: u32, quantity: u32) -> Hold {
    Buyer { quantity: units(quantity), ..buyer(number) }.hold()
}

/// Reservation `number`, of one unit, held by shopper `number`.
pub(crate) fn reservation(number: u32) -> Reservation {
    buyer(number).reservation()
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
    buyer(number).order_after(step, attempt)
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
    buyer(number).key(attempt)
}
