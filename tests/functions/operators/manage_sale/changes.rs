//! A sale can be changed until it starts. Its shards and its availability item follow.

use domain::SaleStatus;
use get_sale::GetSale;
use insta::assert_snapshot;
use manage_sale::ManageSale;
use serde_json::{Value, json};
use store::WriteOutcome;
use test_aws::Calls;
use test_shop::{Judged, Shop, brief, demo};

use crate::operators::manage_sale::{body, drop_id, function, is_made_of, put, shop, state_of};

/// A sale of `units` units in `shards` shards.
fn in_shards(units: u32, shards: u32) -> Value {
    let mut body = body(units);
    body["shards"] = json!(shards);
    body
}

#[tokio::test]
async fn units_and_shards_follow_every_change() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    let steps = [
        (body(60), 60, 3, "201"),
        (body(200), 200, 8, "200"),
        (body(61), 61, 3, "200"),
        (in_shards(61, 61), 61, 61, "200"),
        (in_shards(61, 1), 61, 1, "200"),
        (body(1), 1, 1, "200"),
        (body(60), 60, 3, "200"),
    ];
    let mut before = 0;
    for (body, units, shards, status) in steps {
        calls.reset();
        assert_eq!(brief(&function.handle(put(&body)).await), status, "{body}");
        is_made_of(&shop, units, shards, &body.to_string()).await;
        let deleted: u32 = u32::saturating_sub(before, shards);
        let (put, deleted) = (usize::try_from(shards + 4).unwrap(), usize::try_from(deleted).unwrap());
        assert_eq!((calls.count("PutItem"), calls.count("DeleteItem")), (put, deleted), "{body}");
        before = shards;
    }
}

#[tokio::test]
async fn every_member_can_be_changed_and_the_answer_shows_it() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    function.handle(put(&body(60))).await;
    let changed = json!({
        "name": "Winter drop, again",
        "description": "Sixty of them.",
        "image_url": "https://images.example.com/winter-drop.jpg",
        "price": {"amount_minor": 5_999, "currency": "EUR"},
        "units": 61,
        "starts_at": "2026-11-01T12:12:00Z",
        "ends_at": "2026-11-01T14:00:00.5Z",
        "hold_seconds": 60,
        "max_hold_seconds": 90,
        "max_per_shopper": 3,
    });
    let response = function.handle(put(&changed)).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    200 OK
    {"admission":{"mode":"fcfs"},"as_of":"2026-11-01T12:01:00Z","available_quantity":61,
     "description":"Sixty of them.","ends_at":"2026-11-01T14:00:00.5Z","hold_seconds":60,"holds":{"count":0},
     "image_url":"https://images.example.com/winter-drop.jpg","max_hold_seconds":90,"max_per_shopper":3,
     "name":"Winter drop, again","price":{"amount_minor":5999,"currency":"EUR"},"product_id":"winter-drop",
     "server_time":"2026-11-01T12:01:00Z","starts_at":"2026-11-01T12:12:00Z","state":"scheduled","units":61}
    "#);
    is_made_of(&shop, 61, 3, "changed").await;
}

/// The members of a sale that a `PUT` takes.
fn put_back(sale: &Value) -> Value {
    let schema = &contract::openapi(&contract::routes())["components"]["schemas"]["SaleRequest"]["properties"];
    let members = sale.as_object().unwrap().iter().filter(|(name, _)| schema.get(name.as_str()).is_some());
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[tokio::test]
async fn a_sale_that_is_read_and_sent_back_is_the_same_in_every_state() {
    let times =
        ["2026-11-01T12:30:00Z", "2026-11-01T12:30:00.5Z", "2026-11-01T13:30:00.123456+01:00", "2026-11-01T12:30:00.123456789Z"];
    for starts_at in times {
        for more in [
            json!({}),
            json!({"admission": {"mode": "draw", "ramp_seconds": 60}}),
            json!({"admission": {"mode": "fcfs", "proof_of_work": {"cost": 5_000, "window_seconds": 20}}}),
            json!({"shards": 30, "max_per_shopper": 2, "hold_seconds": 60, "max_hold_seconds": 90, "description": "Sixty."}),
        ] {
            let shop = Shop::empty().await;
            let function = function(&shop, &Calls::new());
            let mut sent = body(60);
            sent["starts_at"] = json!(starts_at);
            sent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(brief(&function.handle(put(&sent)).await), "201");
            let request = test_aws::request("GET", "/api/flash-sales/winter-drop").path_parameter("product_id", "winter-drop");
            let read = shop.wire::<Judged<GetSale>>(&Calls::new()).handle(request.build()).await;
            let back = put_back(&test_shop::body(&read));
            for (name, value) in sent.as_object().unwrap() {
                assert!(back.get(name).is_some(), "{name} ({value}) cannot be read");
            }
            // After the start, only the same description is taken.
            shop.clock.set("2026-11-01T12:31:00Z");
            assert_eq!(brief(&function.handle(put(&back)).await), "200", "{back}");
        }
    }
}

#[tokio::test]
async fn the_last_description_again_is_200_also_when_the_sale_is_over() {
    for shortened in [false, true] {
        let shop = Shop::empty().await;
        let function = function(&shop, &Calls::new());
        let mut sent = body(10);
        assert_eq!(brief(&function.handle(put(&sent)).await), "201");
        if shortened {
            sent["ends_at"] = json!("2026-11-01T12:45:00Z");
            assert_eq!(brief(&function.handle(put(&sent)).await), "200");
        }
        shop.clock.set(sent["ends_at"].as_str().unwrap());
        let before = shop.everything().await;
        let response = function.handle(put(&sent)).await;
        assert_eq!((brief(&response), &test_shop::body(&response)["state"]), ("200".to_owned(), &json!("ended")));
        for (member, value) in [("name", json!("Other")), ("units", json!(20)), ("ends_at", json!("2026-11-01T14:00:00Z"))] {
            let mut other = sent.clone();
            other[member] = value;
            assert_eq!(brief(&function.handle(put(&other)).await), "409 sale-ended", "{member}");
        }
        assert_eq!(shop.everything().await, before);
    }
}

#[tokio::test]
async fn a_change_of_the_far_off_sale_is_200() {
    let shop = shop().await;
    let response = shop.ask::<ManageSale>("manage-sale/change").await;
    let shown = test_shop::body(&response);
    assert_eq!(
        (brief(&response), &shown["units"], &shown["available_quantity"]),
        ("200".to_owned(), &json!(2_000), &json!(2_000))
    );
    assert_eq!(shop.units(&"not-started".parse().unwrap()).await, (2_000, 0, 0));
}

#[tokio::test]
async fn a_sale_that_has_started_is_not_changed() {
    let (shop, calls) = (shop().await, Calls::new());
    let before = shop.everything().await;
    assert_snapshot!(shop.told_with::<ManageSale>(&calls, "manage-sale/sale-started").await, @r"
    409 Conflict: sale-started, The sale has started
    A sale can be changed until ten seconds before it starts. After that, only its end can come earlier.
    ");
    assert_eq!((shop.everything().await, calls.count("GetItem"), calls.total()), (before, 1, 1));
}

/// An environment of `reserve` may use the old description for a second. Its clock may differ by four seconds. The write that
/// stops it takes time.
#[tokio::test]
async fn changes_end_ten_seconds_before_the_start() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    function.handle(put(&body(60))).await;
    shop.clock.set("2026-11-01T12:10:49.999Z");
    assert_eq!(brief(&function.handle(put(&body(61))).await), "200");
    for time in ["2026-11-01T12:10:50Z", "2026-11-01T12:10:59.999Z", "2026-11-01T12:11:00Z", "2026-11-01T12:59:59Z"] {
        shop.clock.set(time);
        assert_eq!(brief(&function.handle(put(&body(62))).await), "409 sale-started", "{time}");
        assert_eq!(brief(&function.handle(put(&body(61))).await), "200", "{time}: as it is");
    }
    is_made_of(&shop, 61, 3, "the last change").await;
}

#[tokio::test]
async fn the_start_cannot_be_put_off_once_it_has_come() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    function.handle(put(&body(60))).await;
    shop.clock.set("2026-11-01T12:11:00Z");
    let mut later = body(60);
    later["starts_at"] = json!("2026-11-01T12:30:00Z");
    assert_eq!(brief(&function.handle(put(&later)).await), "409 sale-started");
}

/// Only the end differs, and it is earlier.
#[tokio::test]
async fn the_end_can_come_earlier_also_while_the_sale_runs() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    assert_eq!(brief(&function.handle(put(&body(60))).await), "201");
    let ends = |time: &str| {
        let mut body = body(60);
        body["ends_at"] = json!(time);
        put(&body)
    };
    calls.reset();
    let scheduled = function.handle(ends("2026-11-01T12:50:00Z")).await;
    assert_eq!((brief(&scheduled), state_of(&scheduled)), ("200".to_owned(), "scheduled".to_owned()));
    assert_eq!(calls.count("PutItem"), 1, "its shards stay");
    shop.clock.set("2026-11-01T12:20:00Z");
    let running = function.handle(ends("2026-11-01T12:40:00Z")).await;
    assert_eq!((state_of(&running), &test_shop::body(&running)["ends_at"]), ("open".to_owned(), &json!("2026-11-01T12:40:00Z")));
    let restocked = shop.uncounted().sales().get_for_write(&drop_id()).await.unwrap().unwrap();
    let extent = restocked.sale.restock(25).unwrap();
    shop.uncounted().sales().begin_restock(&restocked, "one".parse().unwrap(), extent).await.unwrap();
    assert_eq!(state_of(&function.handle(ends("2026-11-01T12:35:00Z")).await), "open", "a restock is unfinished, and stays so");
    shop.set_status(&drop_id(), "PAUSED").await;
    assert_eq!(state_of(&function.handle(ends("2026-11-01T12:30:00Z")).await), "paused");
    for (time, expected) in [
        ("2026-11-01T12:30:01Z", "409 sale-started"),
        ("2026-11-01T12:20:00Z", "422 invalid-request /ends_at"),
        ("2026-11-01T12:19:00Z", "422 invalid-request /ends_at"),
    ] {
        assert_eq!(brief(&function.handle(ends(time)).await), expected, "{time}");
    }
    let mut other = body(60);
    (other["ends_at"], other["name"]) = (json!("2026-11-01T12:25:00Z"), json!("Another name"));
    assert_eq!(brief(&function.handle(put(&other)).await), "409 sale-started", "more than the end differs");
    let stored = shop.uncounted().sales().get_for_write(&drop_id()).await.unwrap().unwrap();
    assert!(stored.unfinished.is_some());
    shop.set_status(&drop_id(), "CLOSED").await;
    assert_eq!(brief(&function.handle(ends("2026-11-01T12:25:00Z")).await), "409 sale-ended");
    assert_eq!(shop.units(&drop_id()).await, (60, 0, 0));
}

#[tokio::test]
async fn a_restocked_sale_that_is_read_and_sent_back_is_the_same_and_its_end_can_come_earlier() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    assert_eq!(brief(&function.handle(put(&body(60))).await), "201");
    let sales = shop.uncounted().sales();
    let stored = sales.get_for_write(&drop_id()).await.unwrap().unwrap();
    let extent = stored.sale.restock(25).unwrap();
    let WriteOutcome::Written(begun) = sales.begin_restock(&stored, "one".parse().unwrap(), extent).await.unwrap() else {
        panic!("another writer")
    };
    let WriteOutcome::Written(_) = sales.finish_restock(&begun).await.unwrap() else { panic!("another writer") };
    shop.clock.set("2026-11-01T12:20:00Z");
    let request = test_aws::request("GET", "/api/flash-sales/winter-drop").path_parameter("product_id", "winter-drop");
    let read = test_shop::body(&shop.wire::<Judged<GetSale>>(&Calls::new()).handle(request.build()).await);
    assert_eq!(read["units"], 85);
    let mut back = put_back(&read);
    assert_eq!(brief(&function.handle(put(&back)).await), "200", "{back}");
    back["ends_at"] = json!("2026-11-01T12:40:00Z");
    assert_eq!(brief(&function.handle(put(&back)).await), "200", "{back}");
    for units in [60, 85] {
        back["units"] = json!(units);
        assert_eq!(brief(&function.handle(put(&back)).await), "200", "{back}");
    }
    back["units"] = json!(84);
    assert_eq!(brief(&function.handle(put(&back)).await), "409 sale-started", "{back}");
}

#[tokio::test]
async fn a_sale_that_was_closed_stays_so() {
    let shop = Shop::open().await;
    shop.set_status(&demo(), "CLOSED").await;
    let before = shop.everything().await;
    let response = shop.ask::<ManageSale>("manage-sale/sale-started").await;
    assert_eq!((brief(&response), shop.everything().await), ("409 sale-ended".to_owned(), before));
}

/// A change would make the sale follow its times again.
#[tokio::test]
async fn a_sale_that_is_paused_is_not_changed_and_stays_so() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    function.handle(put(&body(60))).await;
    shop.set_status(&drop_id(), "PAUSED").await;
    let before = shop.everything().await;
    assert_eq!(brief(&function.handle(put(&body(61))).await), "409 sale-paused");
    assert_eq!(state_of(&function.handle(put(&body(60))).await), "paused", "the same again");
    shop.clock.set("2026-11-01T12:11:00Z");
    assert_eq!(brief(&function.handle(put(&body(61))).await), "409 sale-started");
    assert_eq!(state_of(&function.handle(put(&body(60))).await), "paused", "the same again");
    assert_eq!(shop.everything().await, before);
}

/// A restock has added shards that the sale's description does not contain.
#[tokio::test]
async fn a_sale_that_was_restocked_is_not_changed_and_the_same_again_shows_all_its_units() {
    for is_finished in [false, true] {
        let shop = Shop::empty().await;
        let function = function(&shop, &Calls::new());
        function.handle(put(&body(60))).await;
        let made = shop.uncounted().sales().get_for_write(&drop_id()).await.unwrap().unwrap();
        let extent = made.sale.restock(30).unwrap();
        let begun = shop.uncounted().sales().begin_restock(&made, "one".parse().unwrap(), extent).await.unwrap();
        let WriteOutcome::Written(begun) = begun else { unreachable!() };
        if is_finished {
            shop.uncounted().stock().restock(&drop_id(), 3, extent, .., begun.revision).await.unwrap();
            shop.uncounted().sales().finish_restock(&begun).await.unwrap();
        }
        let before = shop.everything().await;
        assert_eq!(brief(&function.handle(put(&body(61))).await), "409 sale-restocked");
        let same = function.handle(put(&body(60))).await;
        assert_eq!(
            (brief(&same), &test_shop::body(&same)["units"]),
            ("200".to_owned(), &json!(if is_finished { 90 } else { 60 }))
        );
        assert_eq!(shop.everything().await, before);
    }
}

#[tokio::test]
async fn while_a_sale_is_changed_it_is_in_preparation_whatever_the_time() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    let mut open = body(60);
    open["starts_at"] = json!("2026-11-01T12:00:00Z");
    assert_eq!(state_of(&function.handle(put(&open)).await), "open");
    shop.set_status(&drop_id(), "PREPARING").await;
    let sale = shop.uncounted().sales().get(&drop_id()).await.unwrap().unwrap();
    assert_eq!(sale.status, SaleStatus::Preparing);
    assert_eq!(sale.state(shop.now(), 60), domain::SaleState::InPreparation);
    // The same request continues where the run that died stopped.
    assert_eq!(state_of(&function.handle(put(&open)).await), "open");
    is_made_of(&shop, 60, 3, "again").await;
}

#[tokio::test]
async fn two_operators_at_once_make_one_sale() {
    let shop = Shop::empty().await;
    let (one, two) = (function(&shop, &Calls::new()), function(&shop, &Calls::new()));
    let (first, second) = tokio::join!(one.handle(put(&body(60))), two.handle(put(&body(200))));
    let mut answers = [brief(&first), brief(&second)];
    answers.sort();
    assert_eq!(answers, ["201", "503 try-again"]);
    let (units, shards) = if brief(&first) == "201" { (60, 3) } else { (200, 8) };
    is_made_of(&shop, units, shards, "the first one's").await;
}

#[tokio::test]
async fn a_proof_of_work_can_be_asked_for_and_no_longer_be_asked_for_before_the_start() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    for (asked, shown) in [
        (json!({"cost": 5_000}), json!({"cost": 5_000, "window_seconds": 10})),
        (json!({"cost": 1, "window_seconds": 60}), json!({"cost": 1, "window_seconds": 60})),
        (json!({"cost": 0}), Value::Null),
        (json!({"cost": 10_000, "window_seconds": null}), json!({"cost": 10_000, "window_seconds": 10})),
        (Value::Null, Value::Null),
    ] {
        let mut sale = body(60);
        sale["admission"] = json!({"mode": "draw", "ramp_seconds": 60, "proof_of_work": asked});
        let told = test_shop::body(&function.handle(put(&sale)).await)["admission"].clone();
        assert_eq!((&told["mode"], &told["proof_of_work"]), (&json!("draw"), &shown), "{asked}");
        let stored = shop.uncounted().sales().get(&drop_id()).await.unwrap().unwrap().draft.proof_of_work;
        assert_eq!(stored.map_or(json!(null), |work| json!({"cost": work.cost, "window_seconds": work.window_seconds})), shown);
    }
}

/// Nobody can draw again: not by another description, not by turning the draw off and on.
#[tokio::test]
async fn the_seed_is_made_with_the_sale_and_stays_whatever_its_description() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    let mut seeds = Vec::new();
    let descriptions = [
        json!({"mode": "fcfs"}),
        json!({"mode": "draw", "ramp_seconds": 60}),
        json!(null),
        json!({"mode": "draw", "ramp_seconds": 5}),
    ];
    for admission in descriptions {
        let mut sale = body(60);
        sale["admission"] = admission.clone();
        let response = function.handle(put(&sale)).await;
        let told = test_shop::body(&response)["admission"].clone();
        assert_eq!(told, if admission.is_null() { json!({"mode": "fcfs"}) } else { admission });
        assert!(!test_aws::told(&response).contains("seed"), "nobody sees it");
        seeds.push(shop.uncounted().sales().get(&drop_id()).await.unwrap().unwrap().draw_seed);
    }
    let seed = seeds[0].clone().unwrap();
    assert!(seeds.iter().all(|one| one.as_ref() == Some(&seed)), "{seeds:?}");
    // The randomness of this test gives another seed each time, as a sale that is made again shows.
    let delete = test_aws::request("DELETE", "/admin/flash-sales/winter-drop").path_parameter("product_id", "winter-drop");
    let deleted = function.handle(delete.shopper("operator-1").group("ops").build()).await;
    assert_eq!(brief(&deleted), "204");
    assert_eq!(brief(&function.handle(put(&body(60))).await), "201");
    let again = shop.uncounted().sales().get(&drop_id()).await.unwrap().unwrap().draw_seed;
    assert_ne!(again, Some(seed));
}
