//! Every refusal of a sale. A refused request writes nothing.

use insta::assert_snapshot;
use manage_sale::ManageSale;
use serde_json::{Value, json};
use test_aws::{Calls, event};
use test_shop::{Body, Shop, brief, refuses_what_every_route_refuses};

use crate::operators::manage_sale::{body, function, of_operator, put, shop};

#[tokio::test]
async fn what_every_route_refuses() {
    let good = test_aws::request("PUT", "/admin/flash-sales/winter-drop").path_parameter("product_id", "winter-drop");
    refuses_what_every_route_refuses::<ManageSale>(&shop().await, &good, Body::Required).await;
}

#[tokio::test]
async fn whoever_is_no_operator_is_403_whatever_is_asked_for() {
    let (shop, calls) = (shop().await, Calls::new());
    let function = function(&shop, &calls);
    let response = function.handle(event("manage-sale/not-an-operator.json")).await;
    assert_snapshot!(test_aws::told(&response), @r"
    403 Forbidden: forbidden, Not allowed
    only members of the group 'ops' may do this
    ");
    let shopper = || test_aws::request("PUT", "/admin/flash-sales/x").path_parameter("product_id", "x").shopper("shopper-1");
    for request in [
        shopper().json(&body(10)),
        shopper().group("opsies").json(&body(10)),
        shopper().group("shop-ops,devops").json(&body(10)),
        shopper().json(&json!({"units": "many"})),
        shopper().header("x-user-groups", "ops").json(&body(10)),
        shopper().path_parameter("product_id", "NOT-A-PRODUCT").json(&body(10)),
    ] {
        assert_eq!(brief(&function.handle(request.build()).await), "403 forbidden");
    }
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn an_operator_of_several_groups_is_one() {
    let shop = Shop::empty().await;
    let request = of_operator("winter-drop").group("admins,ops").json(&body(10));
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(request.build()).await), "201");
}

#[tokio::test]
async fn a_path_that_can_be_no_product_is_400() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    let response = function.handle(event("manage-sale/impossible-product-id.json")).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    400 Bad Request: malformed-request, The request cannot be read
    product_id in the path: a product id is 1 to 64 characters of a-z, 0-9, '-' and '_'
    {"pointer":""}
    "#);
    for product in ["", "a b", "a/b", "a#b", "a.b", &"a".repeat(65)] {
        let response = function.handle(of_operator(product).json(&body(10)).build()).await;
        assert_eq!(brief(&response), "400 malformed-request", "{product}");
    }
    assert_eq!(calls.total(), 0);
    assert_eq!(brief(&function.handle(of_operator(&"a".repeat(64)).json(&body(10)).build()).await), "201");
}

/// Shoppers send the id in bodies, where its digits would be refused.
#[tokio::test]
async fn no_sale_has_a_product_id_that_looks_like_a_card_number() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    let response = function.handle(of_operator("4222222222222").json(&body(10)).build()).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    400 Bad Request: card-data, Never send card numbers
    product_id in the path: its digits look like a card number, and bodies with such digits are refused. Divide them by a letter or an underscore.
    {"pointer":""}
    "#);
    for product in ["drop-4242424242424242", "drop-4242-4242-4242-4242", "4242424242424242-drop"] {
        let response = function.handle(of_operator(product).json(&body(10)).build()).await;
        assert_eq!(brief(&response), "400 card-data", "{product}");
    }
    assert_eq!(calls.total(), 0);
    for product in ["4222222_222222", "4222222222221", "drop-2026-11-01", "5b2f1c1e-7a44-4c0f-4242-424242424242"] {
        assert_eq!(brief(&function.handle(of_operator(product).json(&body(10)).build()).await), "201", "{product}");
    }
}

#[tokio::test]
async fn what_is_no_whole_number_is_told_the_range_of_its_member() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    for (member, value, range) in [
        ("units", json!(1.5), "1 to 400000"),
        ("hold_seconds", json!(-1), "5 to 3600"),
        ("max_hold_seconds", json!(600.5), "5 to 7200"),
        ("max_per_shopper", json!(1.5), "1 to 10"),
        ("shards", json!(4_294_967_297_u64), "1 to 4000"),
        ("admission", json!({"mode": "draw", "ramp_seconds": 0.5}), "1 to 3600"),
        ("admission", json!({"mode": "fcfs", "proof_of_work": {"cost": 1.5}}), "0 to 50000"),
        ("admission", json!({"mode": "fcfs", "proof_of_work": {"cost": 1, "window_seconds": 7.5}}), "5 to 60"),
    ] {
        let mut body = body(10);
        body[member] = value;
        let told = test_aws::told(&function.handle(put(&body)).await);
        assert!(told.contains(&format!("expected a whole number from {range}, found another number")), "{told}");
    }
}

#[tokio::test]
async fn a_member_at_fault_is_pointed_at_and_nothing_is_written() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    let text = |length: usize| json!("x".repeat(length));
    let cases = [
        ("name", json!(""), "422 invalid-request /name"),
        ("name", json!(" "), "422 invalid-request /name"),
        ("name", text(201), "422 invalid-request /name"),
        ("name", json!("Win\nter"), "422 invalid-request /name"),
        ("name", json!(null), "400 malformed-request /name"),
        ("name", json!(7), "400 malformed-request /name"),
        ("description", text(4_001), "422 invalid-request /description"),
        ("description", json!([]), "400 malformed-request /description"),
        ("description", json!("Pay with 4242 4242 4242 4242."), "400 card-data /description"),
        ("image_url", json!("http://example.com/x.jpg"), "422 invalid-request /image_url"),
        ("image_url", json!("javascript:alert(1)"), "422 invalid-request /image_url"),
        ("image_url", json!(""), "422 invalid-request /image_url"),
        ("image_url", json!(format!("https://{}", "x".repeat(2_000))), "422 invalid-request /image_url"),
        ("price", json!(49.99), "400 malformed-request /price"),
        ("price", json!({"amount_minor": 4_999}), "400 malformed-request /price/currency"),
        ("price", json!({"currency": "USD"}), "400 malformed-request /price/amount_minor"),
        ("price", json!({"amount_minor": 49.99, "currency": "USD"}), "400 malformed-request /price/amount_minor"),
        ("price", json!({"amount_minor": "4999", "currency": "USD"}), "400 malformed-request /price/amount_minor"),
        ("price", json!({"amount_minor": 4_999, "currency": "usd"}), "400 malformed-request /price/currency"),
        ("price", json!({"amount_minor": 4_999, "currency": "DOLLARS"}), "400 malformed-request /price/currency"),
        ("price", json!({"amount_minor": 0, "currency": "USD"}), "400 malformed-request /price/amount_minor"),
        ("price", json!({"amount_minor": -1, "currency": "USD"}), "400 malformed-request /price/amount_minor"),
        ("price", json!({"amount_minor": 100_000_000_000_i64, "currency": "USD"}), "400 malformed-request /price/amount_minor"),
        ("price", json!({"amount_minor": 1, "currency": "USD", "tax": 1}), "400 malformed-request /price/tax"),
        ("units", json!(0), "422 invalid-request /units"),
        ("units", json!(400_001), "422 invalid-request /units"),
        ("units", json!(-1), "400 malformed-request /units"),
        ("units", json!(1.5), "400 malformed-request /units"),
        ("units", json!("10"), "400 malformed-request /units"),
        ("units", json!(4_294_967_297_u64), "400 malformed-request /units"),
        ("starts_at", json!("tomorrow"), "400 malformed-request /starts_at"),
        ("starts_at", json!(1_793_534_400), "400 malformed-request /starts_at"),
        ("starts_at", json!("2026-11-01T12:11:00"), "400 malformed-request /starts_at"),
        ("visible_from", json!("2026-11-01T12:11:01Z"), "422 invalid-request /visible_from"),
        ("visible_from", json!("2026-11-01"), "400 malformed-request /visible_from"),
        ("visible_from", json!(1_793_534_400), "400 malformed-request /visible_from"),
        ("ends_at", json!("2026-11-01T12:11:00Z"), "422 invalid-request /ends_at"),
        ("ends_at", json!("2026-11-01T12:10:59Z"), "422 invalid-request /ends_at"),
        ("hold_seconds", json!(4), "422 invalid-request /hold_seconds"),
        ("hold_seconds", json!(3_601), "422 invalid-request /hold_seconds"),
        ("hold_seconds", json!("5 min"), "400 malformed-request /hold_seconds"),
        ("max_hold_seconds", json!(299), "422 invalid-request /max_hold_seconds"),
        ("max_hold_seconds", json!(7_201), "422 invalid-request /max_hold_seconds"),
        ("max_hold_seconds", json!(600.5), "400 malformed-request /max_hold_seconds"),
        ("max_per_shopper", json!(0), "422 invalid-request /max_per_shopper"),
        ("max_per_shopper", json!(11), "422 invalid-request /max_per_shopper"),
        ("max_per_shopper", json!([]), "400 malformed-request /max_per_shopper"),
        ("shards", json!(0), "422 invalid-request /shards"),
        ("shards", json!(11), "422 invalid-request /shards"),
        ("shards", json!(-1), "400 malformed-request /shards"),
    ];
    for (member, value, expected) in cases {
        let mut body = body(10);
        body[member] = value;
        assert_eq!(brief(&function.handle(put(&body)).await), expected, "{body}");
    }
    for member in ["name", "price", "units", "starts_at", "ends_at"] {
        let mut body = body(10);
        body.as_object_mut().unwrap().remove(member);
        assert_eq!(brief(&function.handle(put(&body)).await), format!("400 malformed-request /{member}"));
    }
    assert_eq!(calls.total(), 0);
}

/// First come, first served, with this proof of work.
fn with_work(proof_of_work: &Value) -> Value {
    json!({"mode": "fcfs", "proof_of_work": proof_of_work})
}

#[tokio::test]
async fn an_admission_that_nobody_knows_is_refused() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let function = function(&shop, &calls);
    for (admission, expected) in [
        (json!({"mode": "lottery"}), "400 malformed-request /admission"),
        (json!({"mode": "FCFS"}), "400 malformed-request /admission"),
        (json!({"mode": 1}), "400 malformed-request /admission/mode"),
        (json!({"mode": {"fcfs": null}}), "400 malformed-request /admission/mode"),
        (json!(["fcfs"]), "400 malformed-request /admission"),
        (json!({"mode": "fcfs", "ramp": 5}), "400 malformed-request /admission/ramp"),
        (json!({"mode": "draw", "ramp_seconds": "60"}), "400 malformed-request /admission/ramp_seconds"),
        (json!({"mode": "fcfs", "ramp_seconds": 60}), "422 invalid-request /admission/ramp_seconds"),
        (json!({"mode": "draw"}), "422 invalid-request /admission/ramp_seconds"),
        (json!({"mode": "draw", "ramp_seconds": 0}), "422 invalid-request /admission/ramp_seconds"),
        (json!({"mode": "draw", "ramp_seconds": 3_601}), "422 invalid-request /admission/ramp_seconds"),
        (json!({}), "400 malformed-request /admission/mode"),
        (json!("fcfs"), "400 malformed-request /admission"),
        (with_work(&json!({})), "400 malformed-request /admission/proof_of_work/cost"),
        (with_work(&json!([5_000])), "400 malformed-request /admission/proof_of_work"),
        (with_work(&json!({"cost": -1})), "400 malformed-request /admission/proof_of_work/cost"),
        (with_work(&json!({"cost": "5000"})), "400 malformed-request /admission/proof_of_work/cost"),
        (with_work(&json!({"cost": 1, "window": 10})), "400 malformed-request /admission/proof_of_work/window"),
        (with_work(&json!({"cost": 50_001, "window_seconds": 60})), "422 invalid-request /admission/proof_of_work/cost"),
        (with_work(&json!({"cost": 10_001})), "422 invalid-request /admission/proof_of_work/cost"),
        (with_work(&json!({"cost": 1, "window_seconds": 61})), "422 invalid-request /admission/proof_of_work/window_seconds"),
        (with_work(&json!({"cost": 0, "window_seconds": 4})), "422 invalid-request /admission/proof_of_work/window_seconds"),
    ] {
        let mut body = body(10);
        body["admission"] = admission.clone();
        let line = brief(&function.handle(put(&body)).await);
        assert!(line.starts_with(expected), "{admission}: {line}");
    }
    let mut body = body(10);
    body["admission"] = json!({"mode": "lottery"});
    assert_snapshot!(test_aws::told(&function.handle(put(&body)).await), @r#"
    400 Bad Request: malformed-request, The request cannot be read
    the mode of admission is "fcfs" or "draw"
    {"pointer":"/admission/mode"}
    "#);
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn the_largest_order_must_be_one_that_can_be_charged() {
    let shop = Shop::empty().await;
    let function = function(&shop, &Calls::new());
    let with = |amount: i64, most: u32| {
        let mut body = body(10);
        body["price"] = json!({"amount_minor": amount, "currency": "USD"});
        body["max_per_shopper"] = json!(most);
        put(&body)
    };
    assert_eq!(brief(&function.handle(with(9_999_999_999, 11)).await), "422 invalid-request /max_per_shopper");
    assert_eq!(brief(&function.handle(with(10_000_000_000, 10)).await), "422 invalid-request /price");
    assert_eq!(brief(&function.handle(with(9_999_999_999, 10)).await), "201");
}

#[tokio::test]
async fn the_ends_of_every_range_are_allowed() {
    let ends: [(&str, Value); 14] = [
        ("visible_from", json!("2026-11-01T12:11:00Z")),
        ("visible_from", json!("2020-01-01T00:00:00Z")),
        ("name", json!("\u{e9}".repeat(200))),
        ("description", json!("x".repeat(4_000))),
        ("description", json!("")),
        ("image_url", json!(format!("https://{}", "x".repeat(1_992)))),
        ("units", json!(1)),
        ("hold_seconds", json!(5)),
        ("hold_seconds", json!(3_600)),
        ("max_hold_seconds", json!(300)),
        ("max_hold_seconds", json!(7_200)),
        ("max_hold_seconds", json!(null)),
        ("max_per_shopper", json!(10)),
        ("shards", json!(10)),
    ];
    for (member, value) in ends {
        let shop = Shop::empty().await;
        let mut body = body(10);
        body[member] = value;
        let function = function(&shop, &Calls::new());
        assert_eq!(brief(&function.handle(put(&body)).await), "201", "{member}");
        assert_eq!(brief(&function.handle(put(&body)).await), "200", "{member}: it reads as it was written");
    }
}

#[tokio::test]
async fn a_sale_that_is_over_already_is_422() {
    let (shop, calls) = (Shop::empty().await, Calls::new());
    let mut body = body(10);
    body["starts_at"] = json!("2026-11-01T11:00:00Z");
    body["ends_at"] = json!(test_shop::NOW);
    let response = function(&shop, &calls).handle(put(&body)).await;
    assert_snapshot!(test_aws::told(&response), @r#"
    422 Unprocessable Entity: invalid-request, A value is not allowed
    ends_at must be in the future
    {"pointer":"/ends_at"}
    "#);
    assert_eq!((calls.total(), calls.count("GetItem")), (1, 1), "it looks whether the sale is over as described");
}
