//! Items of the reservation table and the order table.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Action, Address, Attempt, AttemptStatus, GatewayName, LateMoney, Notice, Order, OrderEvent, OrderLine, OrderStatus,
    OrderStep, PaymentStatus, Quantity, Reservation, ReservationStatus, ShardNumber, ShopperRate, SignedDuration, StockStatus,
    TokenBucket, UnpaidEnds, Waiting,
};
use serde_json::{Value, json};
use store::{Entry, EntryState, TakeOutcome};

use super::{assert_stored, item, milliseconds, on_the_day, put, seconds, with};
use crate::shop::{A_DAY, END, NOW, Shop, at, id, key, method, order_after, price, product, reservation, shopper};

const RESERVATION_KEY: (&str, &str) = ("SHOPPER#shopper-1", "SALE#demo");
const ORDER_PK: &str = "ORDER#demo.01JD3V3Z5T8Q6W7X9Y0A000001";

#[tokio::test]
async fn a_reservation() {
    let of_any_status = json!({
        "pk": {"S": "SHOPPER#shopper-1"},
        "sk": {"S": "SALE#demo"},
        "reservation_id": {"S": "demo.01JD3V3Z5T8Q6W7X9Y0A000001"},
        "shard": {"N": "3"},
        "quantity": {"N": "2"},
        "expires_at": {"N": seconds(at(END))},
        "created_at": {"N": milliseconds(at(NOW))},
    });
    for (status, rest) in [
        (ReservationStatus::Held, json!({"status": {"S": "HELD"}, "ttl": {"N": seconds(at(END))}})),
        (ReservationStatus::Paying, json!({"status": {"S": "PAYING"}})),
        (ReservationStatus::Purchased, json!({"status": {"S": "PURCHASED"}})),
    ] {
        let (read, wrote) = (Shop::open().await, Shop::open().await);
        let stored = with(&of_any_status, &rest);
        let expected = Reservation { status, shard: ShardNumber(3), quantity: Quantity::new(2).unwrap(), ..reservation(1) };
        put(&read, read.dynamo.reservation_table(), &stored).await;
        assert_eq!(read.reservations.get(&shopper(1), &product()).await.unwrap().as_ref(), Some(&expected));
        assert_eq!(store::reservation_image(&item(&stored).into()).unwrap().as_ref(), Some(&expected));
        // An earlier version stored no latest end.
        wrote.reservations.open(&expected).await.unwrap();
        assert_stored(&wrote, wrote.dynamo.reservation_table(), RESERVATION_KEY, &stored).await;

        let (read, wrote) = (Shop::open().await, Shop::open().await);
        let stored = with(&stored, &json!({"latest_end": {"N": seconds(at("12:09:00"))}}));
        let expected = Reservation { latest_end: Some(at("12:09:00")), ..expected };
        put(&read, read.dynamo.reservation_table(), &stored).await;
        assert_eq!(read.reservations.get(&shopper(1), &product()).await.unwrap().as_ref(), Some(&expected));
        wrote.reservations.open(&expected).await.unwrap();
        assert_stored(&wrote, wrote.dynamo.reservation_table(), RESERVATION_KEY, &stored).await;
    }
}

#[tokio::test]
async fn unpaid_ends() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let stored = json!({
        "pk": {"S": "SHOPPER#shopper-1"},
        "sk": {"S": "COOLING#demo"},
        "unpaid_ends": {"N": "1"},
        "last_reservation": {"S": "01JD3V3Z5T8Q6W7X9Y0A000001"},
        "last_at": {"N": seconds(at(END))},
        "ttl": {"N": seconds(at(END) + A_DAY)},
    });
    put(&read, read.dynamo.reservation_table(), &stored).await;
    let expected = UnpaidEnds { count: 1, last_at: at(END) };
    assert_eq!(read.cooling.get(&shopper(1), &product()).await.unwrap(), Some(expected));
    assert_eq!(wrote.cooling.count(&shopper(1), &id(1), at(END)).await.unwrap(), expected);
    let key = ("SHOPPER#shopper-1", "COOLING#demo");
    assert_stored(&wrote, wrote.dynamo.reservation_table(), key, &stored).await;
}

#[tokio::test]
async fn token_bucket() {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let now = at(NOW);
    let rate = ShopperRate::new(4).unwrap();
    let stored = json!({
        "pk": {"S": "SHOPPER#shopper-1"},
        "sk": {"S": "BUCKET"},
        "full_at_us": {"N": (now + SignedDuration::from_millis(250)).as_microsecond().to_string()},
        "ttl": {"N": seconds(at("13:00:01"))},
    });
    put(&read, read.dynamo.reservation_table(), &stored).await;
    let expected = TokenBucket { full_at: now + SignedDuration::from_millis(500) };
    assert_eq!(read.buckets.take(&shopper(1), rate, TokenBucket::FULL, now).await.unwrap(), TakeOutcome::Taken(expected));
    wrote.buckets.take(&shopper(1), rate, TokenBucket::FULL, now).await.unwrap();
    assert_stored(&wrote, wrote.dynamo.reservation_table(), ("SHOPPER#shopper-1", "BUCKET"), &stored).await;
}

/// Every word of an order's history.
const LINES: [(&str, OrderLine); 11] = [
    ("placed", OrderLine::Step(OrderStep::Placed)),
    ("payment_started", OrderLine::Step(OrderStep::PaymentStarted)),
    ("payment_failed", OrderLine::Step(OrderStep::PaymentFailed)),
    ("completed", OrderLine::Step(OrderStep::Completed)),
    ("refunded", OrderLine::Step(OrderStep::Refunded)),
    ("failed", OrderLine::Step(OrderStep::Failed)),
    ("refund_failed", OrderLine::Step(OrderStep::RefundFailed)),
    ("refund_confirmed", OrderLine::Step(OrderStep::RefundConfirmed)),
    ("expired", OrderLine::Step(OrderStep::Expired)),
    ("paid_late", OrderLine::Step(OrderStep::PaidLate)),
    ("late_money_returned", OrderLine::LateMoneyReturned),
];

/// An order that waits for its first payment.
fn placed_order() -> Value {
    json!({
        "pk": {"S": ORDER_PK},
        "sk": {"S": "ORDER"},
        "order_id": {"S": "demo.01JD3V3Z5T8Q6W7X9Y0A000001"},
        "shopper": {"S": "shopper-1"},
        "product": {"S": "demo"},
        "quantity": {"N": "1"},
        "amount_minor": {"N": "99900"},
        "currency": {"S": "USD"},
        "status": {"S": "awaiting_payment"},
        "payment_status": {"S": "none"},
        "inventory_status": {"S": "held"},
        "attempt": {"N": "0"},
        "pay_by": {"N": seconds(at(END))},
        "created_at": {"S": on_the_day("12:00:00.250")},
        "updated_at": {"S": on_the_day("12:00:00.25")},
        "history": {"L": [{"M": {"at": {"S": on_the_day("12:00:00.25")}, "event": {"S": "placed"}}}]},
        "revision": {"N": "1"},
    })
}

/// An earlier version stored no revision. The first write of this version makes it 1.
#[tokio::test]
async fn an_order_of_an_earlier_version_has_no_revision_and_counts_from_there() {
    let shop = Shop::open().await;
    let mut stored = placed_order();
    stored.as_object_mut().unwrap().remove("revision");
    put(&shop, shop.dynamo.order_table(), &stored).await;
    let order = shop.orders.get(&id(1)).await.unwrap().unwrap();
    assert_eq!(order, Order { shipping_address: None, revision: 0, ..order_after(1, OrderStep::Placed, 0) });
    assert_eq!(store::order_image(&item(&stored).into()).unwrap().as_ref(), Some(&order));
    for revision in 1..=2 {
        let read = shop.orders.get(&id(1)).await.unwrap().unwrap();
        shop.orders.replace_address(&read, &test_shop::address(), at("12:01:00")).await.unwrap();
        assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().revision, revision);
    }
    let wrote = Shop::open().await;
    wrote.orders.place(&order).await.unwrap();
    assert_stored(&wrote, wrote.dynamo.order_table(), (ORDER_PK, "ORDER"), &stored).await;
}

#[tokio::test]
async fn an_order() {
    let placed = Order { shipping_address: None, ..order_after(1, OrderStep::Placed, 0) };
    let pending = order_after(1, OrderStep::PaymentStarted, 1);
    let pending_item = with(
        &placed_order(),
        &json!({
            "status": {"S": "pending"},
            "payment_status": {"S": "pending"},
            "inventory_status": {"S": "confirmed"},
            "attempt": {"N": "1"},
            "payment_method": {"S": "sandbox:ok"},
            "shipping_address": {"M": {
                "address_line1": {"S": "1 Market Street"},
                "city": {"S": "Springfield"},
                "postal_code": {"S": "49007"},
                "country": {"S": "US"},
            }},
            "history": {"L": [{"M": {"at": {"S": on_the_day("12:00:00.25")}, "event": {"S": "payment_started"}}}]},
            "unsettled": {"S": "demo"},
            "unsettled_since": {"N": seconds(at(NOW))},
        }),
    );
    let reason = |line: OrderLine| (line == OrderStep::PaymentFailed).then(|| "The card was declined.".to_owned());
    let completed = Order {
        transaction_id: Some("sandbox_1".to_owned()),
        updated_at: at("12:03:00"),
        history: LINES.map(|(_, event)| OrderEvent { at: at("12:03:00"), event, reason: reason(event) }).to_vec(),
        ..order_after(1, OrderStep::Completed, 2)
    };
    let line = |(word, says)| {
        let line = json!({"at": {"S": on_the_day("12:03:00")}, "event": {"S": word}});
        json!({"M": reason(says).map_or(line.clone(), |reason| with(&line, &json!({"reason": {"S": reason}})))})
    };
    let mut completed_item = with(
        &pending_item,
        &json!({
            "status": {"S": "completed"},
            "payment_status": {"S": "completed"},
            "attempt": {"N": "2"},
            "transaction_id": {"S": "sandbox_1"},
            "updated_at": {"S": on_the_day("12:03:00")},
            "history": {"L": LINES.map(line)},
        }),
    );
    completed_item.as_object_mut().unwrap().retain(|name, _| !name.starts_with("unsettled"));
    let sent = Order { sent_at: Some(at("12:00:30")), ..pending.clone() };
    let sent_item = with(&pending_item, &json!({"sent_at": {"S": on_the_day("12:00:30")}}));
    let owed = Order { untold: Some(Notice::OrderCompleted), ..completed.clone() };
    let owed_item = with(
        &completed_item,
        &json!({
            "untold": {"S": "order-completed"}, "unsettled": {"S": "demo"}, "unsettled_since": {"N": seconds(at("12:03:00"))},
        }),
    );
    let all =
        [(placed, placed_order()), (pending, pending_item), (sent, sent_item), (completed, completed_item), (owed, owed_item)];
    for (order, stored) in all {
        let (read, wrote) = (Shop::open().await, Shop::open().await);
        put(&read, read.dynamo.order_table(), &stored).await;
        assert_eq!(read.orders.get(&id(1)).await.unwrap().as_ref(), Some(&order));
        assert_eq!(read.orders.of_shopper(&shopper(1), None).await.unwrap().orders, std::slice::from_ref(&order));
        let unsettled = read.orders.unsettled(&product(), at(END), None).await.unwrap().orders;
        assert_eq!(unsettled.len(), usize::from(order.status == OrderStatus::Pending || order.untold.is_some()));
        wrote.orders.place(&order).await.unwrap();
        assert_stored(&wrote, wrote.dynamo.order_table(), (ORDER_PK, "ORDER"), &stored).await;
    }
}

/// Checks that the store reads `word` in this attribute of an order, and writes it, for an order that `change` has changed.
async fn assert_word(attribute: &str, word: &str, change: impl FnOnce(&mut Order)) {
    let (read, wrote) = (Shop::open().await, Shop::open().await);
    let mut order = Order { shipping_address: None, ..order_after(1, OrderStep::Placed, 0) };
    change(&mut order);
    let stored = with(&placed_order(), &json!({attribute: {"S": word}}));
    put(&read, read.dynamo.order_table(), &stored).await;
    assert_eq!(read.orders.get(&id(1)).await.unwrap().unwrap(), order);
    wrote.orders.place(&order).await.unwrap();
    let raw = wrote.raw(wrote.dynamo.order_table(), ORDER_PK, "ORDER").await.unwrap();
    assert_eq!(raw[attribute], AttributeValue::S(word.to_owned()));
}

#[tokio::test]
async fn an_address_with_every_member_and_one_without_a_postal_code() {
    let text = |text: &str| Some(text.to_owned());
    let whole = Address {
        name: text("Ann Example"),
        address_line2: text("Apartment 4"),
        state: text("MI"),
        phone: text("+1 517 555 0100"),
        ..test_shop::address()
    };
    let all = json!({
        "name": {"S": "Ann Example"}, "address_line1": {"S": "1 Market Street"}, "address_line2": {"S": "Apartment 4"},
        "city": {"S": "Springfield"}, "state": {"S": "MI"}, "postal_code": {"S": "49007"}, "country": {"S": "US"},
        "phone": {"S": "+1 517 555 0100"},
    });
    let least = json!({
        "address_line1": {"S": "1 Market Street"}, "city": {"S": "Springfield"}, "postal_code": {"S": ""}, "country": {"S": "US"},
    });
    for (address, stored) in [(whole, all), (Address { postal_code: None, ..test_shop::address() }, least)] {
        let (read, wrote) = (Shop::open().await, Shop::open().await);
        let order = Order { shipping_address: Some(address.clone()), ..order_after(1, OrderStep::Placed, 0) };
        let stored = with(&placed_order(), &json!({"shipping_address": {"M": stored}}));
        put(&read, read.dynamo.order_table(), &stored).await;
        assert_eq!(read.orders.get(&id(1)).await.unwrap(), Some(order.clone()));
        let without = Order { shipping_address: None, ..order };
        wrote.orders.place(&without).await.unwrap();
        wrote.orders.replace_address(&without, &address, without.updated_at).await.unwrap();
        let stored = with(&stored, &json!({"revision": {"N": "2"}}));
        assert_stored(&wrote, wrote.dynamo.order_table(), (ORDER_PK, "ORDER"), &stored).await;
    }
}

#[tokio::test]
async fn a_notice_is_read_and_written_by_its_word_and_an_unknown_one_is_left_alone() {
    for (word, notice) in [
        ("order-completed", Some(Notice::OrderCompleted)),
        ("payment-failed", Some(Notice::PaymentFailed)),
        ("order-failed", Some(Notice::OrderFailed)),
        ("refund-failed", Some(Notice::RefundFailed)),
        ("order-refunded", Some(Notice::OrderRefunded)),
        ("of-a-later-version", None),
    ] {
        let shop = Shop::open().await;
        put(&shop, shop.dynamo.order_table(), &with(&placed_order(), &json!({"untold": {"S": word}}))).await;
        assert_eq!(shop.orders.get(&id(1)).await.unwrap().unwrap().untold, notice, "{word}");
        let Some(notice) = notice else { continue };
        let wrote = Shop::open().await;
        wrote.orders.place(&Order { untold: Some(notice), ..order_after(1, OrderStep::Placed, 0) }).await.unwrap();
        let raw = wrote.raw(wrote.dynamo.order_table(), ORDER_PK, "ORDER").await.unwrap();
        assert_eq!(raw["untold"], AttributeValue::S(word.to_owned()));
    }
}

#[tokio::test]
async fn the_words_of_an_order() {
    for (word, status) in [
        ("awaiting_payment", OrderStatus::AwaitingPayment),
        ("pending", OrderStatus::Pending),
        ("completed", OrderStatus::Completed),
        ("failed", OrderStatus::Failed),
        ("expired", OrderStatus::Expired),
        ("refunded", OrderStatus::Refunded),
    ] {
        assert_word("status", word, |order| order.status = status).await;
    }
    for (word, status) in [
        ("none", PaymentStatus::None),
        ("pending", PaymentStatus::Pending),
        ("completed", PaymentStatus::Completed),
        ("failed", PaymentStatus::Failed),
        ("refunded", PaymentStatus::Refunded),
        ("refund_pending", PaymentStatus::RefundPending),
    ] {
        assert_word("payment_status", word, |order| order.payment_status = status).await;
    }
    for (word, status) in
        [("held", StockStatus::Held), ("confirmed", StockStatus::Confirmed), ("released", StockStatus::Released)]
    {
        assert_word("inventory_status", word, |order| order.stock_status = status).await;
    }
}

#[tokio::test]
async fn a_payment_attempt() {
    let started = Attempt::started(key(1), GatewayName("sandbox".to_owned()));
    let started_item = json!({
        "pk": {"S": ORDER_PK},
        "sk": {"S": "PAYMENT#1"},
        "gateway": {"S": "sandbox"},
        "idempotency_key": {"S": "demo.01JD3V3Z5T8Q6W7X9Y0A000001-1"},
        "status": {"S": "started"},
    });
    let action = Action::Redirect { url: "https://paypal.example/approve".to_owned() };
    let answered = Attempt {
        asked_again: true,
        provider_id: Some("pi_1".to_owned()),
        waiting: Some(Waiting { action, until: at("12:05:00"), task_token: Some("token".to_owned()) }),
        reference: Some("sandbox_1".to_owned()),
        confirmed: Some(price()),
        reason: Some("The card was declined.".to_owned()),
        opened_by: Some(1),
        ..started.clone()
    };
    let answers = json!({
        "asked_again": {"BOOL": true},
        "provider_id": {"S": "pi_1"},
        "waiting": {"M": {
            "action": {"S": "redirect"},
            "value": {"S": "https://paypal.example/approve"},
            "until": {"N": seconds(at("12:05:00"))},
            "task_token": {"S": "token"},
        }},
        "provider_reference": {"S": "sandbox_1"},
        "confirmed": {"M": {"amount_minor": {"N": "99900"}, "currency": {"S": "USD"}}},
        "reason": {"S": "The card was declined."},
        "opened_by": {"N": "1"},
    });
    let words = [
        ("started", AttemptStatus::Started),
        ("authorised", AttemptStatus::Authorised),
        ("charged", AttemptStatus::Charged),
        ("kept", AttemptStatus::Kept),
        ("refunding", AttemptStatus::Refunding),
        ("declined", AttemptStatus::Declined),
        ("unavailable", AttemptStatus::Unavailable),
        ("given_up", AttemptStatus::GivenUp),
        ("refunded", AttemptStatus::Refunded),
        ("voided", AttemptStatus::Voided),
    ];
    let shop = Shop::open().await;
    let (table, sort) = (shop.dynamo.order_table(), (ORDER_PK, "PAYMENT#1"));
    shop.attempts.begin(&key(1), &started.gateway).await.unwrap();
    assert_stored(&shop, table, sort, &started_item).await;
    for (word, status) in words {
        let expected = Attempt { status, ..answered.clone() };
        let stored = with(&with(&started_item, &answers), &json!({"status": {"S": word}}));
        put(&shop, table, &stored).await;
        assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(expected.clone()));

        put(&shop, table, &started_item).await;
        assert_eq!(shop.attempts.get(&key(1)).await.unwrap().as_ref(), Some(&started));
        assert!(shop.attempts.replace(&started, &expected).await.unwrap());
        assert_stored(&shop, table, sort, &stored).await;
    }
    for (late, decision) in
        [(LateMoney::GoesBack, json!({"goes_back": {"BOOL": true}})), (LateMoney::PaysBy(2), json!({"pays_by": {"N": "2"}}))]
    {
        put(&shop, table, &with(&started_item, &decision)).await;
        let expected = Attempt { late_money: Some(late), ..started.clone() };
        assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(expected));
        // A run that has read the attempt before keeps what was decided since.
        assert!(shop.attempts.replace(&started, &Attempt { asked_again: true, ..started.clone() }).await.unwrap());
        let stored = with(&with(&started_item, &decision), &json!({"asked_again": {"BOOL": true}}));
        assert_stored(&shop, table, sort, &stored).await;
    }
}

/// A kind of action that only a later version knows is left to that version: the attempt is readable after a roll-back.
#[tokio::test]
async fn an_action_of_another_kind() {
    let shop = Shop::open().await;
    let started = Attempt::started(key(1), GatewayName("stripe".to_owned()));
    for (kind, value, action) in [
        ("stripe", "pi_1_secret_2", Some(Action::Stripe { client_secret: "pi_1_secret_2".to_owned() })),
        ("telepathy", "?", None),
    ] {
        let item = json!({
            "pk": {"S": ORDER_PK},
            "sk": {"S": "PAYMENT#1"},
            "gateway": {"S": "stripe"},
            "idempotency_key": {"S": "demo.01JD3V3Z5T8Q6W7X9Y0A000001-1"},
            "status": {"S": "started"},
            "waiting": {"M": {"action": {"S": kind}, "value": {"S": value}, "until": {"N": seconds(at("12:05:00"))}}},
        });
        put(&shop, shop.dynamo.order_table(), &item).await;
        let waiting = action.map(|action| Waiting { action, until: at("12:05:00"), task_token: None });
        assert_eq!(shop.attempts.get(&key(1)).await.unwrap(), Some(Attempt { waiting, ..started.clone() }));
    }
}

#[tokio::test]
async fn an_entry_in_the_books_of_the_sandbox() {
    let charged = Entry { refund_calls: 3, ..Entry::asked(EntryState::Charged, price(), price(), &method("sandbox:ok")) };
    let money = json!({"M": {"amount_minor": {"N": "99900"}, "currency": {"S": "USD"}}});
    let charged_item = json!({
        "pk": {"S": ORDER_PK},
        "sk": {"S": "SANDBOX#sandbox#1"},
        "state": {"S": "charged"},
        "asked": money,
        "confirmed": money,
        "method": {"S": "sandbox:ok"},
        "charges": {"N": "1"},
        "refunds": {"N": "0"},
        "refund_calls": {"N": "3"},
    });
    let voided = json!({
        "state": {"S": "voided"}, "asked": {"NULL": true}, "confirmed": {"NULL": true}, "method": {"NULL": true},
        "charges": {"N": "0"}, "refund_calls": {"N": "0"},
    });
    let nothing = Entry::voided();
    let refunded = json!({"state": {"S": "refunded"}, "refunds": {"N": "1"}});
    let gateway = GatewayName("sandbox".to_owned());
    for (entry, stored) in [
        (charged.clone(), charged_item.clone()),
        (Entry { state: EntryState::Called, ..charged.clone() }, with(&charged_item, &json!({"state": {"S": "called"}}))),
        (Entry { state: EntryState::Declined, ..charged.clone() }, with(&charged_item, &json!({"state": {"S": "declined"}}))),
        (Entry { state: EntryState::Refunded, refunds: 1, ..charged.clone() }, with(&charged_item, &refunded)),
        (nothing, with(&charged_item, &voided)),
    ] {
        let (read, wrote) = (Shop::open().await, Shop::open().await);
        put(&read, read.dynamo.order_table(), &stored).await;
        assert_eq!(read.books.get(&gateway, &key(1)).await.unwrap().as_ref(), Some(&entry));
        wrote.books.settle(&gateway, &key(1), &entry).await.unwrap();
        assert_stored(&wrote, wrote.dynamo.order_table(), (ORDER_PK, "SANDBOX#sandbox#1"), &stored).await;
    }
}
