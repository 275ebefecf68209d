//! The search, and how late it is.

use super::{CARD, World};

fn found(world: &mut World, query: &str) -> Vec<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let reply = world.get(&format!("/v1/payment_intents/search?query={encoded}"));
    assert_eq!(reply.status, 200, "{query}: {reply:?}");
    reply.body["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_change_is_found_a_minute_later_and_shown_as_it_is_now() {
    let mut world = World::new();
    let id = world.pay("pm_card_visa", "capture_method=manual&metadata[order]=o-1").id();
    let query = "metadata['order']:'o-1'";
    world.wait(59);
    assert!(found(&mut world, query).is_empty());
    world.wait(1);
    assert_eq!(found(&mut world, query), [id.as_str()]);
    world.post(&format!("/v1/payment_intents/{id}/capture"), "");
    assert_eq!(found(&mut world, "status:'requires_capture'"), [id.as_str()], "the index still has the old status");
    let shown = world.get("/v1/payment_intents/search?query=status:%22requires_capture%22").body;
    assert_eq!(shown["data"][0]["status"], "succeeded", "what it returns is the intent as it is");
    world.wait(60);
    assert!(found(&mut world, "status:'requires_capture'").is_empty());
    assert_eq!(found(&mut world, "status:'succeeded'"), [id]);
}

#[test]
fn a_query_combines_fields() {
    let mut world = World::new();
    let one = world.post("/v1/payment_intents", &format!("{CARD}&metadata[order]=o-1&metadata[it%27s]=x")).id();
    world.wait(10);
    let two = world.post("/v1/payment_intents", "amount=3000&currency=eur&metadata[order]=o-2").id();
    let created = world.now.as_second();
    world.wait(60);
    let both = vec![two.clone(), one.clone()];
    for (query, expected) in [
        ("metadata[\"order\"]:\"o-1\"".to_owned(), vec![one.clone()]),
        ("metadata[\"order\"]:\"O-1\"".to_owned(), vec![one.clone()]),
        ("metadata['order']:'o-1' OR metadata['order']:'o-2'".to_owned(), both.clone()),
        ("metadata['order']:'o-1' AND currency:'eur'".to_owned(), vec![]),
        ("metadata['order']:'o-1' currency:'usd'".to_owned(), vec![one.clone()]),
        ("-metadata['order']:'o-1'".to_owned(), vec![two.clone()]),
        ("metadata['it\\'s']:null".to_owned(), vec![two.clone()]),
        ("-metadata['it\\'s']:null".to_owned(), vec![one.clone()]),
        ("metadata['order']~'o-'".to_owned(), both.clone()),
        ("amount>2000".to_owned(), vec![two.clone()]),
        ("amount<=2000 and status:'requires_payment_method'".to_owned(), vec![one.clone()]),
        (format!("created>={created}"), vec![two.clone()]),
        (format!("created<{created}"), vec![one.clone()]),
    ] {
        assert_eq!(found(&mut world, &query), expected, "{query}");
    }
}

#[test]
fn a_query_that_cannot_be_read_is_refused() {
    let mut world = World::new();
    for query in [
        "",
        "order",
        "metadata[order]:'x'",
        "status:succeeded",
        "status:'a' AND",
        "colour:'red'",
        "status:'a' AND amount:1 OR amount:2",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let reply = world.get(&format!("/v1/payment_intents/search?query={encoded}"));
        assert_eq!((reply.status, reply.text("/error/param").as_str()), (400, "query"), "{query}");
    }
}

#[test]
fn a_search_has_pages() {
    let mut world = World::new();
    for _ in 0..3 {
        world.post("/v1/payment_intents", CARD);
    }
    world.wait(60);
    let first = world.get("/v1/payment_intents/search?limit=2&query=amount:2000").body;
    assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (2, &true.into()));
    let next = first["next_page"].as_str().unwrap();
    let last = world.get(&format!("/v1/payment_intents/search?limit=2&query=amount:2000&page={next}")).body;
    assert_eq!((last["data"].as_array().unwrap().len(), &last["has_more"]), (1, &false.into()));
    assert!(last["next_page"].is_null());
}
