//! The answers of the operators' functions to their sample events.

use change_sale_status::ChangeSaleStatus;
use end_holds::EndHolds;
use get_sale_report::GetSaleReport;
use insta::assert_snapshot;
use list_orders::ListOrders;
use manage_sale::ManageSale;
use refund_order::RefundOrder;
use restock_sale::RestockSale;
use test_shop::{Shop, Stage, answers};

#[tokio::test]
async fn change_sale_status_answers_its_sample_events() {
    assert_snapshot!(answers::<ChangeSaleStatus>("change-sale-status", super::change_sale_status::shop).await, @r#"
    close-over: 200
    close: 200
    impossible-product-id: 404 unknown-product
    no-identity: 401 unauthenticated
    not-an-operator: 403 forbidden
    ok: 200
    over: 409 sale-ended
    pause-no-identity: 401 unauthenticated
    pause-not-an-operator: 403 forbidden
    resume-no-identity: 401 unauthenticated
    resume-not-an-operator: 403 forbidden
    resume: 200
    unknown-product: 404 unknown-product
    "#);
}

#[tokio::test]
async fn end_holds_answers_its_sample_events() {
    assert_snapshot!(answers::<EndHolds>("end-holds", super::end_holds::shop).await, @r#"
    held: 404 unknown-product
    impossible-product-id: 404 unknown-product
    no-identity: 401 unauthenticated
    not-an-operator: 403 forbidden
    not-over: 409 sale-not-over
    ok: 200
    unknown-product: 404 unknown-product
    "#);
}

#[tokio::test]
async fn get_sale_report_answers_its_sample_events() {
    assert_snapshot!(answers::<GetSaleReport>("get-sale-report", Shop::open).await, @r#"
    completed: 200
    impossible-product-id: 404 unknown-product
    no-identity: 401 unauthenticated
    not-an-operator: 403 forbidden
    ok: 200
    unknown-product: 404 unknown-product
    "#);
}

#[tokio::test]
async fn list_orders_answers_its_sample_events() {
    assert_snapshot!(answers::<ListOrders>("list-orders", Shop::open).await, @r#"
    another-status: 400 malformed-request
    by-id: 200
    csv: 200
    impossible-next: 400 malformed-request
    impossible-sale: 400 malformed-request
    impossible-since: 400 malformed-request
    next: 200
    no-identity: 401 unauthenticated
    no-status: 400 malformed-request
    not-an-operator: 403 forbidden
    of-a-sale-since: 200
    of-a-sale: 200
    ok: 200
    one-no-identity: 401 unauthenticated
    one-not-an-operator: 403 forbidden
    one: 404 unknown-order
    unknown-next: 400 malformed-request
    "#);
}

#[tokio::test]
async fn manage_sale_answers_its_sample_events() {
    assert_snapshot!(answers::<ManageSale>("manage-sale", super::manage_sale::shop).await, @"
    broken-json: 400 malformed-request
    card-number: 400 card-data /description
    change: 200
    delete-impossible-product-id: 404 unknown-product
    delete-no-identity: 401 unauthenticated
    delete-not-an-operator: 403 forbidden
    delete-sold: 503 try-again
    delete: 204
    draw-longer-than-sale: 422 invalid-request /admission/ramp_seconds
    draw-without-ramp: 422 invalid-request /admission/ramp_seconds
    draw: 201
    ends-before-start: 422 invalid-request /ends_at
    fewer-units: 200
    impossible-product-id: 400 malformed-request
    least: 201
    missing-price: 400 malformed-request /price
    no-identity: 401 unauthenticated
    no-units: 422 invalid-request /units
    not-an-operator: 403 forbidden
    ok: 201
    proof-of-work-too-costly: 422 invalid-request /admission/proof_of_work/cost
    proof-of-work: 201
    sale-started: 409 sale-started
    wrong-type: 400 malformed-request /units
    ");
}

#[tokio::test]
async fn refund_order_answers_its_sample_events() {
    assert_snapshot!(answers::<RefundOrder>("refund-order", async || Shop::with(Stage::Completed).await).await, @"
    broken-json: 400 malformed-request /amount
    card-number: 400 card-data /note
    impossible-order-id: 404 unknown-order
    no-identity: 401 unauthenticated
    no-key: 400 malformed-request
    not-an-operator: 403 forbidden
    ok: 200
    part-with-unit: 422 invalid-request /return_unit
    part: 200
    return-unit: 200
    too-large: 409 refund-too-large
    unknown-order: 404 unknown-order
    ");
}

#[tokio::test]
async fn restock_sale_answers_its_sample_events() {
    assert_snapshot!(answers::<RestockSale>("restock-sale", super::restock_sale::shop).await, @r#"
    broken-json: 400 malformed-request
    card-number: 400 card-data /note
    impossible-product-id: 404 unknown-product
    no-identity: 401 unauthenticated
    no-key: 400 malformed-request
    no-units: 422 invalid-request /units
    not-an-operator: 403 forbidden
    ok: 200
    over: 409 sale-ended
    sold-out: 200
    too-many-units: 422 invalid-request /units
    unknown-product: 404 unknown-product
    "#);
}
