//! Lists in pages, and expanded references.

use super::{CARD, World};

/// Five intents, a second apart; their ids, the oldest first.
fn five(world: &mut World) -> Vec<String> {
    (0..5)
        .map(|_| {
            world.wait(1);
            world.post("/v1/payment_intents", CARD).id()
        })
        .collect()
}

fn page(world: &mut World, query: &str) -> (Vec<String>, bool) {
    let reply = world.get(&format!("/v1/payment_intents?{query}"));
    assert_eq!(reply.status, 200, "{query}: {reply:?}");
    let data = reply.body["data"].as_array().unwrap();
    (data.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect(), reply.body["has_more"].as_bool().unwrap())
}

#[test]
fn pages_go_from_new_to_old_and_back() {
    let mut world = World::new();
    let ids = five(&mut world);
    let named = |numbers: &[usize]| numbers.iter().map(|number| ids[*number].clone()).collect::<Vec<_>>();
    let created = world.now.as_second() - 2;
    for (query, numbers, more) in [
        (String::new(), vec![4, 3, 2, 1, 0], false),
        ("limit=2".to_owned(), vec![4, 3], true),
        (format!("limit=2&starting_after={}", ids[3]), vec![2, 1], true),
        (format!("limit=2&starting_after={}", ids[1]), vec![0], false),
        (format!("limit=2&ending_before={}", ids[1]), vec![3, 2], true),
        (format!("limit=3&ending_before={}", ids[1]), vec![4, 3, 2], false),
        (format!("created[gte]={created}"), vec![4, 3, 2], false),
        (format!("created[gt]={created}"), vec![4, 3], false),
        (format!("created[lt]={created}&created[gte]={}", created - 1), vec![1], false),
        (format!("created={created}"), vec![2], false),
    ] {
        assert_eq!(page(&mut world, &query), (named(&numbers), more), "{query}");
    }
}

#[test]
fn a_wrong_page_is_refused() {
    let mut world = World::new();
    let id = five(&mut world).remove(0);
    for (query, error) in [
        ("limit=0".to_owned(), "parameter_invalid_integer limit"),
        ("limit=101".to_owned(), "parameter_invalid_integer limit"),
        ("starting_after=pi_unknown".to_owned(), "resource_missing starting_after"),
        (format!("starting_after={id}&ending_before={id}"), "- -"),
        ("created[from]=1".to_owned(), "parameter_unknown created[from]"),
        ("status=succeeded".to_owned(), "parameter_unknown status"),
    ] {
        let reply = world.get(&format!("/v1/payment_intents?{query}"));
        assert_eq!(reply.error(), format!("400 invalid_request_error {error}"), "{query}");
    }
}

#[test]
fn refunds_and_charges_are_found_by_their_intent() {
    let mut world = World::new();
    let (one, other) = (world.pay("pm_card_visa", "").id(), world.pay("pm_card_visa", ""));
    world.post("/v1/refunds", &format!("payment_intent={one}&amount=100"));
    let count = |world: &mut World, path: &str| world.get(path).body["data"].as_array().unwrap().len();
    assert_eq!(count(&mut world, &format!("/v1/refunds?payment_intent={one}")), 1);
    assert_eq!(count(&mut world, &format!("/v1/refunds?payment_intent={}", other.id())), 0);
    assert_eq!(count(&mut world, &format!("/v1/refunds?charge={}", other.text("/latest_charge"))), 0);
    assert_eq!(count(&mut world, &format!("/v1/charges?payment_intent={one}")), 1);
    assert_eq!(count(&mut world, "/v1/charges"), 2);
}

#[test]
fn references_are_expanded_where_the_client_asks() {
    let mut world = World::new();
    let id = world.pay("pm_card_visa", "").id();
    let one = world.get(&format!("/v1/payment_intents/{id}?expand[]=latest_charge.refunds&expand[]=payment_method")).body;
    assert_eq!((&one["latest_charge"]["object"], &one["payment_method"]["object"]), (&"charge".into(), &"payment_method".into()));
    assert_eq!(one["latest_charge"]["refunds"]["object"], "list");
    let list = world.get("/v1/payment_intents?expand[]=data.latest_charge.payment_intent").body;
    assert_eq!(list["data"][0]["latest_charge"]["payment_intent"]["id"], id);
    let refund = world.post("/v1/refunds", &format!("payment_intent={id}&expand[]=charge")).body;
    assert_eq!(refund["charge"]["amount_refunded"], 2000);
    for path in [format!("/v1/payment_intents/{id}?expand[]=amount"), "/v1/payment_intents?expand[]=latest_charge".to_owned()] {
        assert_eq!(world.get(&path).error(), "400 invalid_request_error - expand", "{path}");
    }
}
