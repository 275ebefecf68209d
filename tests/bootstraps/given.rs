//! What a case finds in the tables. The events speak of one shopper, one product and one reservation; the states are what
//! a purchase goes through.

use domain::{
    Admission, Attempt, AttemptStatus, Availability, GatewayName, Hold, IdempotencyKey, Money, Order, OrderEvent, OrderStatus,
    OrderStep, PaymentMethod, ProductId, Quantity, Reservation, ReservationId, ReservationStatus, Sale, SaleDraft, SaleStatus,
    ShardNumber, ShopperId, SignedDuration, Timestamp,
};
use serde_json::{Value, json};
use store::{
    Attempts, Availabilities, Ending, Entry, EntryState, Orders, Purchases, Reservations, Sales, SandboxLedger, Stock,
    WriteOutcome,
};
use test_aws::Dynamo;

const SHOPPER: &str = "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01";
const SOMEBODY_ELSE: &str = "9d0f6a52-3c1b-4e8a-8f27-6b5c4d3e2f10";
const RESERVATION: &str = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D";
const SHARD: ShardNumber = ShardNumber(0);

/// Makes the sales, and of the one purchase everything up to `state`.
pub(crate) async fn make(tables: &Dynamo, state: &str) {
    let shop = Shop::new(tables);
    shop.sales().await;
    let (held_until, steps): (i64, &[&str]) = match state {
        "sale" => (0, &[]),
        "held" => (300, &["hold"]),
        "overdue" => (-60, &["hold"]),
        "abandoned" => (-60, &["hold", "lose"]),
        "stale" => (0, &["forget"]),
        "unpaid" => (300, &["hold", "start-long-ago"]),
        "unknown" => (300, &["grow-old", "hold"]),
        "waiting" => (300, &["hold", "place"]),
        "waited" => (-60, &["hold", "place"]),
        "paying" => (300, &["hold", "start"]),
        "unavailable" => (300, &["hold", "start", "begin", "be-down"]),
        "declined" => (300, &["hold", "start", "begin", "decline"]),
        "given-up" => (300, &["hold", "start", "begin", "decline", "wait"]),
        "charged" => (300, &["hold", "start", "begin", "charge"]),
        "sold" => (300, &["hold", "start", "begin", "charge", "sell"]),
        "completed" => (300, &["hold", "start", "begin", "charge", "sell", "complete"]),
        "mischarged" => (300, &["hold", "start", "begin", "mischarge", "sell"]),
        "refunding" => (300, &["hold", "start", "begin", "charge", "sell", "decide"]),
        "refunded" => (300, &["hold", "start", "begin", "charge", "refund"]),
        "refunded-later" => (300, &["hold", "start", "begin", "charge", "decide", "keep-for-review", "refund"]),
        other => panic!("nobody knows the state {other:?}"),
    };
    for step in steps {
        shop.step(step, SignedDuration::from_secs(held_until)).await;
    }
}

/// What is not as expected afterwards: the shard of the purchase, the reservation.
pub(crate) async fn faults(tables: &Dynamo, expected: &Value) -> Vec<String> {
    let shop = Shop::new(tables);
    let mut faults = Vec::new();
    if let Some(units) = expected.get("units") {
        let sale = shop.sales.get(&id("demo")).await.unwrap().unwrap();
        let shards = shop.stock.read_all(&sale.product, &sale.layout).await.unwrap();
        let (_, shard) = shards.into_iter().find(|(number, _)| *number == SHARD).unwrap();
        let found = json!({"available": shard.available(), "held": shard.held_units(), "sold": shard.sold_units()});
        if found != *units {
            faults.push(format!("the shard has {found} instead of {units}"));
        }
    }
    if let Some(expected) = expected.get("reservation") {
        let found = shop.reservations.get(&id(SHOPPER), &id("demo")).await.unwrap();
        let found = match found.filter(|found| found.id == id(RESERVATION)).map(|found| found.status) {
            None => "gone",
            Some(ReservationStatus::Held) => "held",
            Some(ReservationStatus::Paying) => "paying",
            Some(ReservationStatus::Purchased) => "purchased",
        };
        if expected != found {
            faults.push(format!("the reservation is {found} instead of {expected}"));
        }
    }
    faults
}

struct Shop {
    now: Timestamp,
    sales: Sales,
    stock: Stock,
    availabilities: Availabilities,
    reservations: Reservations,
    orders: Orders,
    purchases: Purchases,
    attempts: Attempts,
    ledger: SandboxLedger,
}

impl Shop {
    fn new(tables: &Dynamo) -> Self {
        let client = tables.client();
        let (stock, reservation, order) = (tables.stock_table(), tables.reservation_table(), tables.order_table());
        Self {
            now: now(),
            sales: Sales::new(client.clone(), stock),
            stock: Stock::new(client.clone(), stock),
            availabilities: Availabilities::new(client.clone(), stock),
            reservations: Reservations::new(client.clone(), reservation),
            orders: Orders::new(client.clone(), order),
            purchases: Purchases::new(client.clone(), reservation, order),
            attempts: Attempts::new(client.clone(), order),
            ledger: SandboxLedger::new(client, order),
        }
    }

    async fn sales(&self) {
        let hour = SignedDuration::from_hours(1);
        let far: Timestamp = "2099-12-01T12:00:00Z".parse().unwrap();
        self.sale("demo", 100, self.now - hour, self.now + hour).await;
        self.sale("not-started", 100, far, far + hour).await;
        self.sale("ended", 100, self.now - hour, self.now - hour / 2).await;
        let sold_out = self.sale("sold-out", 1, self.now - hour, self.now + hour).await;
        let reservation: ReservationId = id("sold-out.01JD3V3Z5T0000000000000000");
        let hold = Hold { reservation, quantity: Quantity::ONE, expires_at: self.now + hour };
        self.stock.claim(SHARD, &id(SOMEBODY_ELSE), &hold).await.unwrap();
        let mut availability = self.availabilities.get(&sold_out.product, true).await.unwrap().unwrap();
        let version = availability.version;
        for (number, shard) in self.stock.read_all(&sold_out.product, &sold_out.layout).await.unwrap() {
            availability.fold(number, &shard);
        }
        availability.stamp(self.now);
        assert!(self.availabilities.put(&sold_out.product, &availability, version).await.unwrap());
    }

    /// As `manage-sale` makes one, but it may have started.
    async fn sale(&self, product: &str, units: u32, starts_at: Timestamp, ends_at: Timestamp) -> Sale {
        let product: ProductId = id(product);
        let draft = SaleDraft {
            name: format!("A sale of {product}"),
            description: None,
            image_url: None,
            price: price(),
            units,
            starts_at,
            ends_at,
            hold_seconds: 300,
            max_per_shopper: Quantity::new(2).unwrap(),
            admission: Admission::Fcfs,
            shards: None,
        };
        let sale = Sale { product: product.clone(), layout: draft.layout(), draft, status: SaleStatus::Preparing };
        let WriteOutcome::Written(prepared) = self.sales.prepare(&sale, None).await.unwrap() else {
            panic!("{product} is there")
        };
        self.stock.create(&product, &sale.layout, 1).await.unwrap();
        self.availabilities.put(&product, &Availability::untouched(&sale.layout, self.now), 0).await.unwrap();
        self.sales.list(&product).await.unwrap();
        self.sales.activate(&prepared).await.unwrap();
        sale
    }

    async fn step(&self, step: &str, held_for: SignedDuration) {
        let (shopper, reservation): (ShopperId, ReservationId) = (id(SHOPPER), id(RESERVATION));
        let expires_at = self.now + held_for;
        let key = IdempotencyKey { order: reservation.clone(), attempt: 1 };
        let gateway = GatewayName("sandbox".to_owned());
        match step {
            "hold" => {
                let hold = Hold { reservation: reservation.clone(), quantity: Quantity::ONE, expires_at };
                self.stock.claim(SHARD, &shopper, &hold).await.unwrap();
                let (status, created_at) = (ReservationStatus::Held, self.now);
                let held = Reservation {
                    id: reservation,
                    shopper,
                    shard: SHARD,
                    quantity: Quantity::ONE,
                    status,
                    expires_at,
                    created_at,
                };
                self.reservations.open(&held).await.unwrap();
            }
            "place" => _ = self.orders.place(&self.order(OrderStep::Placed, expires_at)).await.unwrap(),
            "start" => _ = self.purchases.start(&self.order(OrderStep::PaymentStarted, expires_at), self.now).await.unwrap(),
            "start-long-ago" => {
                let order = Order {
                    updated_at: self.now - SignedDuration::from_mins(2),
                    ..self.order(OrderStep::PaymentStarted, expires_at)
                };
                self.purchases.start(&order, self.now).await.unwrap();
            }
            // The run that claimed the units has never written the reservation.
            "lose" => _ = self.reservations.end(&shopper, &reservation, Ending::Cancelled).await.unwrap(),
            // No change of the shards has reached what readers know for a while.
            "grow-old" => {
                let product: ProductId = id("demo");
                let known = self.availabilities.get(&product, true).await.unwrap().unwrap();
                let as_of = self.now - SignedDuration::from_mins(1);
                let old = Availability { as_of, version: known.version + 1, ..known.clone() };
                assert!(self.availabilities.put(&product, &old, known.version).await.unwrap());
            }
            "begin" => _ = self.attempts.begin(&key, &gateway).await.unwrap(),
            "be-down" => self.becomes(&key, AttemptStatus::Unavailable, None).await,
            "decline" => self.becomes(&key, AttemptStatus::Declined, None).await,
            "wait" => {
                let order = self.orders.get(&reservation).await.unwrap().unwrap();
                self.purchases.payment_failed(&order, 1, expires_at, "The card was declined.", self.now).await.unwrap();
            }
            "keep-for-review" => {
                let order = self.orders.get(&reservation).await.unwrap().unwrap();
                self.purchases.end_order(&order, 1, OrderStep::RefundFailed, self.now).await.unwrap();
            }
            "charge" | "mischarge" => {
                let confirmed = if step == "charge" { price() } else { Money::new(1, price().currency()).unwrap() };
                let entry = Entry::asked(EntryState::Charged, price(), confirmed, &method());
                self.ledger.settle(&gateway, &key, &entry).await.unwrap();
                self.becomes(&key, AttemptStatus::Charged, Some(confirmed)).await;
            }
            // What readers know of the sold-out sale is from before its last unit went.
            "forget" => {
                let product: ProductId = id("sold-out");
                let known = self.availabilities.get(&product, true).await.unwrap().unwrap();
                let sale = self.sales.get(&product).await.unwrap().unwrap();
                let stale = Availability { version: known.version + 1, ..Availability::untouched(&sale.layout, self.now) };
                assert!(self.availabilities.put(&product, &stale, known.version).await.unwrap());
            }
            "sell" => _ = self.stock.sell(SHARD, &shopper, &reservation, Quantity::ONE).await.unwrap(),
            "complete" => {
                let order = self.orders.get(&reservation).await.unwrap().unwrap();
                self.purchases.complete(&order, 1, "sandbox_x", self.now).await.unwrap();
            }
            // The money is to go back; the gateway has not been asked yet.
            "decide" => self.becomes(&key, AttemptStatus::Refunding, Some(price())).await,
            "refund" => {
                self.ledger.refund(&gateway, &key).await.unwrap();
                self.becomes(&key, AttemptStatus::Refunded, Some(price())).await;
            }
            other => panic!("nobody knows the step {other:?}"),
        }
    }

    fn order(&self, step: OrderStep, pay_by: Timestamp) -> Order {
        let (status, payment_status, stock_status) = step.leads_to();
        let is_paid = status == OrderStatus::Pending;
        Order {
            id: id(RESERVATION),
            shopper: id(SHOPPER),
            quantity: Quantity::ONE,
            amount: price(),
            status,
            payment_status,
            stock_status,
            attempt: u32::from(is_paid),
            payment_method: is_paid.then(method),
            shipping_address: None,
            pay_by,
            transaction_id: None,
            created_at: self.now,
            updated_at: self.now,
            history: vec![OrderEvent { at: self.now, event: step, reason: None }],
        }
    }

    async fn becomes(&self, key: &IdempotencyKey, status: AttemptStatus, confirmed: Option<Money>) {
        let before = self.attempts.get(key).await.unwrap().expect("an attempt has begun");
        let reference = confirmed.map(|_| format!("sandbox_{key}"));
        let after = Attempt { status, reference, confirmed, ..before.clone() };
        assert!(self.attempts.replace(&before, &after).await.unwrap());
    }
}

fn price() -> Money {
    Money::new(99_900, "USD".parse().unwrap()).unwrap()
}

fn method() -> PaymentMethod {
    id("sandbox:ok")
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millisecond(i64::try_from(since.as_millis()).unwrap()).unwrap()
}
