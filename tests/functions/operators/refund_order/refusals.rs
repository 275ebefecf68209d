//! Every refusal of a refund. A refused request writes nothing.

use domain::{RefundStatus, Refunds};
use insta::assert_snapshot;
use refund_order::RefundOrder;
use serde_json::json;
use test_aws::Calls;
use test_shop::{Body, Buyer, Shop, Stage, brief, by_stage, refuses_what_every_route_refuses};

use crate::operators::refund_order::{function, of_operator, part, refund, state, statuses, whole, with_unit};

#[tokio::test]
async fn what_every_route_refuses() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    let id = Buyer::first().id.to_string();
    let good = test_aws::request("POST", &format!("/admin/orders/{id}/refund")).path_parameter("order_id", &id);
    refuses_what_every_route_refuses::<RefundOrder>(&shop, &good, Body::Required).await;
    let good = good.header("idempotency-key", "one");
    let no_operator = good.shopper("shopper-1").json(&json!({}));
    assert_eq!(brief(&function(&shop, &calls).handle(no_operator.build()).await), "403 forbidden");
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn only_a_completed_order_is_refunded() {
    let answers = by_stage(async |shop, _| {
        let before = shop.everything().await;
        let answer = brief(&function(&shop, &Calls::new()).handle(whole("one")).await);
        assert_eq!(shop.everything().await == before, answer != "200", "{answer}");
        answer
    });
    assert_snapshot!(answers.await, @"
    200: Completed
    404 unknown-order: Claimed, Held
    409 not-refundable: Waiting, Pending, Unavailable, Declined, Authorised, Uncaptured, Charged, Sold, Mischarged, WaitingAgain, PayingAgain, Failed, GivenBack, Refunded, Refunding, RefundPending, GivenBackLater, Expired
    ");
}

#[tokio::test]
async fn values_out_of_their_limits_are_pointed_at() {
    let (shop, calls) = (Shop::with(Stage::Completed).await, Calls::new());
    let function = function(&shop, &calls);
    let amount = |amount_minor| json!({"amount": {"amount_minor": amount_minor, "currency": "USD"}});
    for (body, expected) in [
        (json!({"amount": {"amount_minor": 1, "currency": "USD"}, "return_unit": true}), "422 invalid-request /return_unit"),
        (amount(0), "400 malformed-request /amount/amount_minor"),
        (json!({"amount": {"amount_minor": 1}}), "400 malformed-request /amount/currency"),
        (json!({"amount": 1}), "400 malformed-request /amount"),
        (json!({"amount": {"amount_minor": 1, "currency": "USD", "more": 1}}), "400 malformed-request /amount/more"),
        (json!({"return_unit": 1}), "400 malformed-request /return_unit"),
        (json!({"ammount": 1}), "400 malformed-request /ammount"),
    ] {
        assert_eq!(brief(&function.handle(refund("one", &body)).await), expected, "{body}");
    }
    for key in ["", " ", &"x".repeat(65), "\u{e9}"] {
        assert_eq!(brief(&function.handle(whole(key)).await), "400 malformed-request", "{key:?}");
    }
    assert_eq!(brief(&function.handle(of_operator().json(&json!({})).build()).await), "400 malformed-request");
    assert_eq!(calls.total(), 0);
}

#[tokio::test]
async fn another_currency_or_more_than_the_price_is_refused() {
    let shop = Shop::with(Stage::Completed).await;
    let before = shop.everything().await;
    let function = function(&shop, &Calls::new());
    let euros = json!({"amount": {"amount_minor": 1, "currency": "EUR"}});
    for request in [refund("one", &euros), part("one", 99_901), part("one", 99_999_999_999)] {
        let response = function.handle(request).await;
        assert_eq!(brief(&response), "409 refund-too-large");
        assert_eq!(test_shop::body(&response)["refundable_minor"], 99_900);
    }
    assert_eq!(shop.everything().await, before);
}

#[tokio::test]
async fn a_key_with_another_body_is_422() {
    let shop = Shop::with(Stage::Completed).await;
    let function = function(&shop, &Calls::new());
    function.handle(part("one", 5)).await;
    let before = shop.everything().await;
    for other in [part("one", 6), whole("one"), with_unit("one")] {
        let response = function.handle(other).await;
        assert_eq!(brief(&response), "422 idempotency-key-reused");
    }
    assert_eq!(shop.everything().await, before);
    function.handle(with_unit("two")).await;
    for other in [part("two", 99_895), whole("two")] {
        assert_eq!(brief(&function.handle(other).await), "422 idempotency-key-reused");
    }
}

#[tokio::test]
async fn an_order_has_twenty_refunds_at_most() {
    let shop = Shop::with(Stage::Completed).await;
    let function = function(&shop, &Calls::new());
    for number in 0..Refunds::MOST {
        assert_eq!(brief(&function.handle(part(&number.to_string(), 1)).await), "200");
    }
    assert_snapshot!(test_aws::told(&function.handle(part("last", 1)).await), @"
    409 Conflict: too-many-refunds, The order was refunded too often
    An order can be refunded 20 times.
    ");
    assert_eq!(brief(&function.handle(part("7", 1)).await), "200", "a known key");
    assert_snapshot!(state(&shop).await, @"(Completed, Completed, Confirmed), 20 back, 1 sold");
}

#[tokio::test]
async fn a_refund_that_the_gateway_refuses_frees_its_amount() {
    let shop = Shop::open().await;
    shop.bring(&Buyer::first().paying("sandbox:refund-refused"), Stage::Completed).await;
    let function = function(&shop, &Calls::new());
    for key in ["one", "two", "one"] {
        assert_eq!(brief(&function.handle(with_unit(key)).await), "409 refund-refused", "{key}");
    }
    assert_eq!(statuses(&shop).await, [(99_900, RefundStatus::Failed); 2]);
    assert_snapshot!(state(&shop).await, @"(Completed, Completed, Confirmed), 0 back, 1 sold");
}

#[tokio::test]
async fn before_the_shopper_is_told_of_the_purchase_it_is_503() {
    let shop = Shop::untold(Stage::Completed).await;
    let before = shop.everything().await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(whole("one")).await), "503 try-again");
    assert_eq!(shop.everything().await, before);
}
