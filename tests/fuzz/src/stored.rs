//! Items of the tables, as the store reads them back: an item of a later version, or one that an operator has changed by hand.

use domain::{Availability, GatewayName, OrderStep, PaymentMethod, Sale, SaleStatus, ShardNumber, Timestamp};
use serde_json::{Value, json};
use store::{
    Attempts, Availabilities, CoolingShoppers, EdgeRecords, Entry, EntryState, GatewayStates, Orders, Reservations, Rounds,
    Sales, SandboxBooks, Stock, StoreError, WriteOutcome,
};
use test_shop::{Buyer, NOW, demo, draft, price};

use crate::world::{Table, waited};

const NAME: &str = "table";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn gateway() -> GatewayName {
    GatewayName("sandbox".to_owned())
}

/// Whether an item was read. One that cannot be read is an error that no repetition mends.
fn read<T>(result: Result<Option<T>, StoreError>) -> Option<T> {
    result.map_err(|error| assert!(!error.is_passing(), "{error}")).ok().flatten()
}

/// The first line names the kind of the item, the rest is DynamoDB's JSON. What is read and written again is read as the same.
pub(crate) fn item(input: &[u8]) -> bool {
    let Some((kind, item)) = kind_and_item(input) else { return false };
    let (table, written, buyer) = (Table::with(item.clone()), Table::default(), Buyer::first());
    let again = || Table::with(written.put().expect("it was put")).client();
    let client = table.client();
    match kind.as_str() {
        "sale" => {
            let sales = |client| Sales::new(client, NAME);
            let Some(stored) = read(waited(sales(client).get_for_write(&demo()))) else { return false };
            let change = waited(sales(written.client()).change_status(&stored, SaleStatus::Paused, now()));
            let Ok(WriteOutcome::Written(changed)) = change else { return true };
            let found = read(waited(sales(again()).get_for_write(&demo()))).expect("it is read again");
            assert_eq!(format!("{found:?}"), format!("{changed:?}"));
        }
        "availability" => {
            let availabilities = |client| Availabilities::new(client, NAME);
            let Some(availability) = read(waited(availabilities(client).get(&demo(), true))) else { return false };
            if waited(availabilities(written.client()).put(&demo(), &availability, 0)).is_ok() {
                assert_eq!(read(waited(availabilities(again()).get(&demo(), true))), Some(availability));
            }
        }
        "reservation" => {
            let reservations = |client| Reservations::new(client, NAME);
            let product = buyer.id.product();
            let Some(reservation) = read(waited(reservations(client).get(&buyer.shopper, product))) else { return false };
            if waited(reservations(written.client()).open(&reservation)).is_ok() {
                assert_eq!(read(waited(reservations(again()).get(&buyer.shopper, product))), Some(reservation));
            }
        }
        "order" => {
            let orders = |client| Orders::new(client, NAME);
            _ = waited(orders(table.client()).of_shopper(&buyer.shopper, None));
            _ = waited(orders(table.client()).unsettled(&demo(), now(), None));
            let Some(order) = read(waited(orders(client).get(&buyer.id))) else { return false };
            // A time is written to the millisecond, so only what was written before is written as it is.
            if waited(orders(written.client()).place(&order)).is_ok() {
                let first = read(waited(orders(again()).get(&buyer.id))).expect("it is read again");
                assert!(waited(orders(written.client()).place(&first)).is_ok());
                assert_eq!(read(waited(orders(again()).get(&buyer.id))), Some(first));
            }
        }
        "book" => {
            let books = |client| SandboxBooks::new(client, NAME);
            let Some(entry) = read(waited(books(client).get(&gateway(), &buyer.key(1)))) else { return false };
            if waited(books(written.client()).settle(&gateway(), &buyer.key(1), &entry)).is_ok() {
                assert_eq!(read(waited(books(again()).get(&gateway(), &buyer.key(1)))), Some(entry));
            }
        }
        _ => return is_read(&kind, &table),
    }
    true
}

/// Whether an item is read that the store writes by expressions only.
fn is_read(kind: &str, table: &Table) -> bool {
    let (client, buyer) = (table.client(), Buyer::first());
    match kind {
        "shard" => {
            let shards = waited(Stock::new(client, NAME).read(&demo(), &[ShardNumber(0)]));
            read(shards.map(Some)).is_some_and(|shards| !shards.is_empty())
        }
        "attempt" => read(waited(Attempts::new(client, NAME).get(&buyer.key(1)))).is_some(),
        "cooling" => {
            let ends = read(waited(CoolingShoppers::new(client, NAME).get(&buyer.shopper, &demo())));
            ends.is_some_and(|ends| ends.cool_until(300).is_none_or(|until| until >= ends.last_at))
        }
        "gateway" => read(waited(GatewayStates::new(client, NAME).breaker(&gateway())).map(Some)).is_some(),
        "edge" => read(waited(EdgeRecords::new(client, NAME).get(&demo()))).is_some(),
        _ => read(waited(Rounds::new(client, NAME).start())).is_some(),
    }
}

/// An image in a record of a stream. What is no item of the kind that a reader wants is left out or refused.
pub(crate) fn image(input: &[u8]) -> bool {
    let Some((_, item)) = kind_and_item(input) else { return false };
    let Ok(item) = serde_json::from_value::<serde_dynamo::Item>(item) else { return false };
    let (product, shard, reservation) = (store::sale_key(&item), store::shard_image(&item), store::reservation_image(&item));
    for error in [shard.as_ref().err(), reservation.as_ref().err()].into_iter().flatten() {
        assert!(!error.is_passing(), "{error}");
    }
    let (shard, reservation) = (shard.ok().flatten(), reservation.ok().flatten());
    if let Some((product, _, shard)) = &shard {
        let holds = shard.held().values().map(|hold| &hold.reservation);
        assert!(holds.chain(shard.sold().values().map(|sold| &sold.reservation)).all(|id| id.product() == product), "{shard:?}");
    }
    product.is_some() || shard.is_some() || reservation.is_some()
}

fn kind_and_item(input: &[u8]) -> Option<(String, Value)> {
    let (kind, item) = std::str::from_utf8(input).ok()?.split_once('\n')?;
    Some((kind.to_owned(), serde_json::from_str(item).ok().filter(Value::is_object)?))
}

/// An item of each kind: as the store writes it, or written out for those that it writes by expressions.
pub(crate) fn item_seeds() -> Vec<Vec<u8>> {
    let buyer = Buyer { latest_end: Some(now()), ..Buyer::first() };
    let put = |write: &dyn Fn(aws_sdk_dynamodb::Client)| {
        let table = Table::default();
        write(table.client());
        table.put().expect("it was put")
    };
    let sale = Sale::of(demo(), draft());
    let method: PaymentMethod = "sandbox:ok".parse().unwrap();
    let entry = Entry::asked(EntryState::Charged, price(), price(), &method);
    let availability = Availability::untouched(&sale.layout, now());
    let items = [
        ("sale", put(&|client| _ = waited(Sales::new(client, NAME).prepare(&sale, None)))),
        ("availability", put(&|client| _ = waited(Availabilities::new(client, NAME).put(&demo(), &availability, 0)))),
        ("reservation", put(&|client| _ = waited(Reservations::new(client, NAME).open(&buyer.reservation())))),
        ("order", put(&|client| _ = waited(Orders::new(client, NAME).place(&buyer.order(OrderStep::Placed))))),
        ("order", put(&|client| _ = waited(Orders::new(client, NAME).place(&buyer.order(OrderStep::PaymentStarted))))),
        ("attempt", put(&|client| _ = waited(Attempts::new(client, NAME).begin(&buyer.key(1), &gateway())))),
        ("book", put(&|client| _ = waited(SandboxBooks::new(client, NAME).settle(&gateway(), &buyer.key(1), &entry)))),
        ("edge", put(&|client| _ = waited(EdgeRecords::new(client, NAME).begin(&demo(), 0, "store")))),
        ("round", put(&|client| _ = waited(Rounds::new(client, NAME).begin_next_at(&demo())))),
        (
            "shard",
            json!({
                "pk": {"S": "SHARD#demo#0"}, "sk": {"S": "STOCK"}, "rev": {"N": "1"}, "capacity": {"N": "25"}, "available": {"N": "22"},
                "held": {"M": {"ann": {"M": {"r": {"S": buyer.id.ulid()}, "q": {"N": "2"}, "x": {"N": "1793534700"}}}}},
                "sold": {"M": {"bob": {"M": {"r": {"S": buyer.id.ulid()}, "q": {"N": "1"}}}}},
            }),
        ),
        (
            "cooling",
            json!({
                "pk": {"S": "SHOPPER#ann"}, "sk": {"S": "COOLING#demo"}, "unpaid_ends": {"N": "2"},
                "last_reservation": {"S": buyer.id.ulid()}, "last_at": {"N": "1793534700"}, "ttl": {"N": "1793621100"},
            }),
        ),
        (
            "gateway",
            json!({
                "pk": {"S": "GATEWAY#sandbox"}, "sk": {"S": "STATE"}, "tickets": {"N": "3"}, "tickets_since": {"N": "1793534400000"},
                "failures": {"N": "5"}, "failing_since": {"N": "1793534400000"}, "open_until": {"N": "1793534415000"},
            }),
        ),
    ];
    // Types that the SDK does not know: `serde_dynamo` panicked.
    let unknown = [("gateway", json!({"tickets": {"XX": "1"}})), ("sale", json!({"pk": {"L": [{"M": {"a": {"XX": []}}}]}}))];
    items.into_iter().chain(unknown).map(|(kind, item)| format!("{kind}\n{item}").into_bytes()).collect()
}
