//! `GET /api/flash-sales/{product_id}/draw` on sample events: the commitment from the beginning, the seed after the end.

use domain::{Admission, DrawSeed, ProductId, Sale, SaleDraft};
use get_draw::GetDraw;
use insta::assert_snapshot;
use store::WriteOutcome;
use test_aws::{Calls, event};
use test_shop::{Judged, Shop, draft, tells_that_a_table_fails};

/// A shop with the demo sale, and one that admits by draw.
pub(super) async fn with_draw() -> Shop {
    let (shop, product): (_, ProductId) = (Shop::open().await, "draw".parse().unwrap());
    shop.sale(&product, SaleDraft { admission: Admission::Draw { ramp_seconds: 3_600 }, ..draft() }).await;
    shop
}

#[tokio::test]
async fn the_seed_is_shown_once_the_sale_has_ended() {
    let shop = with_draw().await;
    let commitment = r#""commitment":"4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0","#;
    for time in [test_shop::START, "2026-11-02T11:59:59.999Z"] {
        shop.clock.set(time);
        let told = shop.told::<GetDraw>("get-draw/ok").await;
        assert!(told.contains(commitment) && !told.contains("seed\":"), "{told}");
    }
    shop.clock.set("2026-11-02T12:00:00Z");
    assert_snapshot!(shop.told::<GetDraw>("get-draw/ok").await, @r#"
    200 OK
    cache-control: public, max-age=1
    {"algorithm":"rank = first 8 bytes, big-endian, of HMAC-SHA-256(seed, product_id || 0x00 || shopper); admitted when rank / 2^64 < (t - starts_at) / ramp_seconds; commitment = SHA-256(seed)",
     "commitment":"4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0","ramp_seconds":3600,
     "seed":"0707070707070707070707070707070707070707070707070707070707070707","starts_at":"2026-11-01T12:00:00Z"}
    "#);
}

/// Its operator may give it another end, and it keeps its seed.
#[tokio::test]
async fn a_sale_in_preparation_keeps_its_seed_to_itself_beyond_its_end() {
    let shop = Shop::open().await;
    let draft = SaleDraft { admission: Admission::Draw { ramp_seconds: 3_600 }, ..draft() };
    let sale = Sale { draw_seed: Some(DrawSeed::new([7; 32])), ..Sale::of("draw".parse().unwrap(), draft) };
    assert!(matches!(shop.uncounted().sales().prepare(&sale, None).await.unwrap(), WriteOutcome::Written(_)));
    shop.clock.set("2026-11-02T12:00:00Z");
    let told = shop.told::<GetDraw>("get-draw/ok").await;
    assert!(told.contains("commitment") && !told.contains("seed\":"), "{told}");
}

#[tokio::test]
async fn a_sale_that_admits_first_come_first_served_has_no_draw() {
    assert_snapshot!(with_draw().await.told::<GetDraw>("get-draw/no-draw").await, @"
    404 Not Found: no-draw, No draw
    This sale admits shoppers first come, first served.
    ");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_503_and_one_that_refuses_is_500() {
    let (shop, calls) = (with_draw().await, Calls::new());
    let function = || -> Judged<GetDraw> { shop.wire(&calls) };
    let ask = async || function().handle(event("get-draw/ok.json")).await;
    tells_that_a_table_fails(&calls, &["GetItem"], ask).await;
}
