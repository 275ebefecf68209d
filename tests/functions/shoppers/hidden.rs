//! A sale that is not visible yet is unknown to shoppers, on every route. Operators see it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of tests say what they expect")]

use domain::{Quantity, SaleDraft};
use get_inventory::GetInventory;
use get_sale::GetSale;
use kit::{HttpFunction, Request};
use list_sales::ListSales;
use parts::FromParts;
use place_order::PlaceOrder;
use reserve::{Reserve, UnitReservations};
use serde_json::json;
use test_aws::Calls;
use test_shop::{Judged, Shop, brief, demo, draft};

/// The answer of a function in a new environment.
async fn answer<F: HttpFunction + FromParts>(shop: &Shop, request: Request) -> String
where
    Judged<F>: FromParts,
{
    let function: Judged<F> = shop.wire(&Calls::new());
    brief(&function.handle(request).await)
}

fn get(path: &str) -> Request {
    test_aws::request("GET", path).path_parameter("product_id", "demo").build()
}

/// A shop with the demo sale, which is visible from its start on.
async fn hidden_until(start: &str) -> Shop {
    let (shop, starts_at) = (Shop::empty().await, start.parse().unwrap());
    shop.sale(&demo(), SaleDraft { visible_from: Some(starts_at), starts_at, ..draft() }).await;
    shop
}

#[tokio::test]
async fn a_hidden_sale_is_unknown_to_shoppers_until_its_time() {
    let shop = hidden_until("2026-11-01T12:05:00Z").await;
    shop.sale(&"another".parse().unwrap(), draft()).await;
    let reserve =
        || test_aws::request("POST", "/reserve-inventory").shopper("shopper-1").json(&json!({"product_id": "demo"})).build();
    let order = || {
        let request = test_aws::request("POST", "/api/flash-sales/demo/order").path_parameter("product_id", "demo");
        request.shopper("shopper-2").build()
    };
    for (time, is_visible) in [("2026-11-01T12:04:59.999Z", false), ("2026-11-01T12:05:00Z", true)] {
        shop.clock.set(time);
        let status = |visible: &str| if is_visible { visible.to_owned() } else { "404 unknown-product".to_owned() };
        assert_eq!(answer::<GetSale>(&shop, get("/api/flash-sales/demo")).await, status("200"), "{time}");
        assert_eq!(answer::<GetInventory>(&shop, get("/inventory/demo")).await, status("200"), "{time}");
        assert_eq!(answer::<Reserve>(&shop, reserve()).await, status("201"), "{time}");
        assert_eq!(answer::<PlaceOrder>(&shop, order()).await, status("202"), "{time}");
        let list: Judged<ListSales> = shop.wire(&Calls::new());
        let listed = test_shop::body(&list.handle(test_aws::request("GET", "/api/flash-sales").build()).await);
        let products: Vec<_> = listed["sales"].as_array().unwrap().iter().map(|sale| sale["product_id"].clone()).collect();
        assert_eq!(products, if is_visible { vec![json!("another"), json!("demo")] } else { vec![json!("another")] });
    }
}

#[tokio::test]
async fn an_environment_that_remembers_a_hidden_sale_shows_it_in_time() {
    let shop = hidden_until("2026-11-01T12:01:00.500Z").await;
    let (get_sale, list, units): (Judged<GetSale>, Judged<ListSales>, UnitReservations) =
        (shop.wire(&Calls::new()), shop.wire(&Calls::new()), shop.wire(&Calls::new()));
    for (time, is_visible) in [("2026-11-01T12:01:00Z", false), ("2026-11-01T12:01:00.500Z", true)] {
        shop.clock.set(time);
        assert_eq!(brief(&get_sale.handle(get("/api/flash-sales/demo")).await) == "200", is_visible, "{time}");
        let listed = test_shop::body(&list.handle(test_aws::request("GET", "/api/flash-sales").build()).await);
        assert_eq!(listed["sales"].as_array().unwrap().len(), usize::from(is_visible), "{time}");
        let reserved = units.reserve(&"shopper-1".parse().unwrap(), &demo(), Some(Quantity::ONE), None).await;
        assert_eq!(reserved.is_ok(), is_visible, "{time}");
    }
}

/// The parameter `next` names a product.
#[tokio::test]
async fn the_address_of_the_next_page_names_no_hidden_sale() {
    let shop = Shop::empty().await;
    let visible_from = Some("2026-11-01T12:05:00Z".parse().unwrap());
    let hidden = SaleDraft { visible_from, starts_at: "2026-11-01T12:06:00Z".parse().unwrap(), units: 1, ..draft() };
    for number in 0..101 {
        let draft = if (95..100).contains(&number) { hidden.clone() } else { SaleDraft { units: 1, ..draft() } };
        shop.sale(&format!("sale-{number:03}").parse().unwrap(), draft).await;
    }
    let list: Judged<ListSales> = shop.wire(&Calls::new());
    let first = test_shop::body(&list.handle(test_aws::request("GET", "/api/flash-sales").build()).await);
    assert_eq!((first["sales"].as_array().unwrap().len(), &first["next"]), (95, &json!("live.sale-094")));
    let second = test_aws::request("GET", "/api/flash-sales").query("next", "live.sale-094").build();
    let second = test_shop::body(&list.handle(second).await);
    assert_eq!((&second["sales"][0]["product_id"], &second["next"]), (&json!("sale-100"), &json!("ended")));
}

/// A page of the catalogue: its products and its `next`.
async fn page(list: &Judged<ListSales>, next: Option<&str>) -> (Vec<String>, Option<String>) {
    let request = test_aws::request("GET", "/api/flash-sales");
    let request = if let Some(next) = next { request.query("next", next) } else { request };
    let response = list.handle(request.build()).await;
    assert_eq!(brief(&response), "200", "{next:?}");
    let body = test_shop::body(&response);
    let products = body["sales"].as_array().unwrap().iter().map(|sale| sale["product_id"].as_str().unwrap().to_owned());
    (products.collect(), body["next"].as_str().map(str::to_owned))
}

/// `count` sales that become visible at `from`.
async fn hide(shop: &Shop, count: u32, from: &str) {
    let visible_from = Some(from.parse().unwrap());
    let hidden = SaleDraft { visible_from, starts_at: "2026-11-01T12:06:00Z".parse().unwrap(), units: 1, ..draft() };
    for number in 0..count {
        shop.sale(&format!("hidden-{number:04}").parse().unwrap(), hidden.clone()).await;
    }
}

#[tokio::test]
async fn a_page_on_which_all_sales_are_hidden_is_passed_over() {
    let shop = Shop::empty().await;
    hide(&shop, 205, "2026-11-01T12:05:00Z").await;
    let list: Judged<ListSales> = shop.wire(&Calls::new());
    assert_eq!(page(&list, None).await, (vec![], Some("ended".to_owned())), "nothing is visible");
    for product in ["a-visible-one", "the-last-one"] {
        shop.sale(&product.parse().unwrap(), draft()).await;
    }
    let list: Judged<ListSales> = shop.wire(&Calls::new());
    assert_eq!(page(&list, None).await, (vec!["a-visible-one".to_owned()], Some("live.a-visible-one".to_owned())));
    assert_eq!(page(&list, Some("live.a-visible-one")).await, (vec!["the-last-one".to_owned()], Some("ended".to_owned())));
}

#[tokio::test]
async fn hidden_sales_that_become_visible_within_the_second_fill_no_more_than_a_page() {
    let shop = Shop::empty().await;
    hide(&shop, 150, "2026-11-01T12:01:00.500Z").await;
    let list: Judged<ListSales> = shop.wire(&Calls::new());
    assert_eq!(page(&list, None).await, (vec![], Some("ended".to_owned())));
    shop.clock.set("2026-11-01T12:01:00.500Z");
    let (products, next) = page(&list, None).await;
    assert_eq!((products.len(), next.as_deref()), (100, Some("live.hidden-0099")));
    let (products, next) = page(&list, next.as_deref()).await;
    assert_eq!((products.len(), next.as_deref()), (50, Some("ended")));
}

/// A page without `next` would hide the visible one for good.
#[tokio::test]
async fn after_more_hidden_sales_than_one_request_reads_the_list_goes_on() {
    let shop = Shop::empty().await;
    hide(&shop, 301, "2026-11-01T12:05:00Z").await;
    shop.sale(&"the-last-one".parse().unwrap(), draft()).await;
    let list: Judged<ListSales> = shop.wire(&Calls::new());
    let (products, next) = page(&list, None).await;
    assert_eq!((products, next.as_deref()), (vec![], Some("live.hidden-0299")));
    assert_eq!(page(&list, next.as_deref()).await, (vec!["the-last-one".to_owned()], Some("ended".to_owned())));
}
