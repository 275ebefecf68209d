//! The answers of the shoppers' functions to their sample events.

use cancel_reservation::CancelReservation;
use checkout::Checkout;
use get_challenge::GetChallenge;
use get_draw::GetDraw;
use get_inventory::GetInventory;
use get_order::GetOrder;
use get_reservation::GetReservation;
use get_sale::GetSale;
use insta::assert_snapshot;
use kit::HttpFunction;
use list_sales::ListSales;
use parts::FromParts;
use pay::Pay;
use place_order::PlaceOrder;
use test_shop::{Shop, Stage, answers};

#[tokio::test]
async fn cancel_reservation_answers_its_sample_events() {
    assert_snapshot!(answers::<CancelReservation>("cancel-reservation", async || Shop::with(Stage::Held).await).await, @r#"
    impossible-reservation-id: 404 unknown-reservation
    no-identity: 401 unauthenticated
    ok: 204
    somebody-elses: 204
    unknown-reservation: 204
    "#);
}

/// The sample cart's id is from 2024. For any caller but its owner, a hold with such an id must have ended long ago, hence 410
/// for `somebody-elses`. With an id of today the answer is 404, see `refusals`.
#[tokio::test]
async fn checkout_answers_its_sample_events() {
    assert_snapshot!(answers::<Checkout>("checkout", async || Shop::with(Stage::Held).await).await, @r#"
    another-address: 202
    broken-json: 400 malformed-request /shipping_address
    card-number: 400 card-data /shipping_address/address_line2
    declined: 202
    empty-city: 422 invalid-request /shipping_address/city
    ended-cart: 410 reservation-expired
    impossible-cart-id: 404 unknown-reservation
    missing-cart-id: 400 malformed-request /cart_id
    no-identity: 401 unauthenticated
    no-postal-code: 422 invalid-request /shipping_address/postal_code
    ok: 202
    other-user-id: 403 forbidden
    somebody-elses: 410 reservation-expired
    unknown-cart: 404 unknown-reservation
    unknown-payment-method: 422 invalid-request /payment_method
    whole-address: 202
    wrong-type: 400 malformed-request /shipping_address
    "#);
}

/// The answers of a function whose only input is a product id.
async fn answers_for_products_on_sale<F: HttpFunction + FromParts>(function: &str) {
    let answers = answers::<F>(function, Shop::open).await;
    insta::allow_duplicates! {
        assert_snapshot!(answers, @r#"
        impossible-product-id: 404 unknown-product
        ok: 200
        unknown-product: 404 unknown-product
        "#);
    }
}

#[tokio::test]
async fn get_challenge_answers_its_sample_events() {
    assert_snapshot!(answers::<GetChallenge>("get-challenge", super::get_challenge::with_guarded).await, @"
    impossible-product-id: 404 unknown-product
    no-identity: 401 unauthenticated
    no-proof-of-work: 404 no-proof-of-work
    ok: 200
    unknown-product: 404 unknown-product
    ");
}

#[tokio::test]
async fn get_draw_answers_its_sample_events() {
    assert_snapshot!(answers::<GetDraw>("get-draw", super::get_draw::with_draw).await, @"
    impossible-product-id: 404 unknown-product
    no-draw: 404 no-draw
    ok: 200
    unknown-product: 404 unknown-product
    ");
}

#[tokio::test]
async fn get_inventory_answers_its_sample_events() {
    answers_for_products_on_sale::<GetInventory>("get-inventory").await;
}

#[tokio::test]
async fn get_order_answers_its_sample_events() {
    assert_snapshot!(answers::<GetOrder>("get-order", async || Shop::with(Stage::Completed).await).await, @r#"
    impossible-order-id: 404 unknown-order
    list-impossible-next: 400 malformed-request
    list-no-identity: 401 unauthenticated
    list-of-nobody: 200
    list: 200
    no-identity: 401 unauthenticated
    ok: 200
    somebody-elses: 404 unknown-order
    unknown-order: 404 unknown-order
    "#);
}

#[tokio::test]
async fn get_reservation_answers_its_sample_events() {
    assert_snapshot!(answers::<GetReservation>("get-reservation", async || Shop::with(Stage::Held).await).await, @r#"
    by-impossible-product: 400 malformed-request
    by-nothing: 400 malformed-request
    by-product-no-identity: 401 unauthenticated
    by-product-without-one: 404 unknown-reservation
    by-product: 200
    impossible-reservation-id: 404 unknown-reservation
    no-identity: 401 unauthenticated
    ok: 200
    somebody-elses: 404 unknown-reservation
    unknown-reservation: 404 unknown-reservation
    "#);
}

#[tokio::test]
async fn get_sale_answers_its_sample_events() {
    answers_for_products_on_sale::<GetSale>("get-sale").await;
}

#[tokio::test]
async fn list_sales_answers_its_sample_events() {
    assert_snapshot!(answers::<ListSales>("list-sales", Shop::open).await, @r"
    ended: 200
    impossible-next: 400 malformed-request
    impossible-state: 400 malformed-request
    ok: 200
    state: 200
    ");
}

#[tokio::test]
async fn pay_answers_its_sample_events() {
    assert_snapshot!(answers::<Pay>("pay", async || Shop::with(Stage::Waiting).await).await, @r#"
    amount-as-number: 202
    amount-mismatch: 422 amount-mismatch
    amount-too-precise: 422 amount-mismatch
    broken-json: 400 malformed-request /order_id
    card-number: 400 card-data /payment_method
    impossible-amount: 400 malformed-request /amount
    no-identity: 401 unauthenticated
    ok: 202
    prefer-wait: 202
    somebody-elses: 404 unknown-order
    unknown-order: 404 unknown-order
    unknown-payment-method: 422 invalid-request /payment_method
    wrong-type: 400 malformed-request /order_id
    "#);
}

#[tokio::test]
async fn place_order_answers_its_sample_events() {
    assert_snapshot!(answers::<PlaceOrder>("place-order", super::place_order::shop).await, @"
    address-only: 202
    broken-json: 400 malformed-request
    card-number: 400 card-data /payment_method
    empty-object: 202
    forged-proof-of-work: 422 proof-of-work-invalid
    no-body: 202
    no-identity: 401 unauthenticated
    no-proof-of-work: 428 proof-of-work-required
    ok: 202
    quantity-not-allowed: 422 quantity-not-allowed
    sold-out: 409 sold-out
    unknown-payment-method: 422 invalid-request /payment_method
    unknown-product: 404 unknown-product
    wrong-type: 400 malformed-request /quantity
    ");
}
