//! Every refusal of a move: its reason, that it changes nothing, and that it costs one request.

use domain::{ClaimOutcome, ReleaseOutcome, SellOutcome, ShopperId, Sold, StockShard, TakeBackOutcome};
use store::StoreError;

use crate::{
    moves::{Move, Outcome, Step},
    shop::{SHARD, Shop, hold, id, product, shopper, units},
};

const fn step(shopper: u32, reservation: u32, what: Move) -> Step {
    Step { shopper, reservation, what }
}

/// Shopper 1 holds 2 of the 3 units under reservation 1.
const HELD: &[Step] = &[step(1, 1, Move::Claim(2))];
/// Shopper 1 has bought 2 of the 3 units under reservation 1.
const SOLD: &[Step] = &[step(1, 1, Move::Claim(2)), step(1, 1, Move::Sell(2))];
/// Shopper 1 has given back what it held under reservation 1.
const RELEASED: &[Step] = &[step(1, 1, Move::Claim(2)), step(1, 1, Move::Release)];
/// Shopper 1 has given back what it had bought under reservation 1.
const TAKEN_BACK: &[Step] = &[step(1, 1, Move::Claim(2)), step(1, 1, Move::Sell(2)), step(1, 1, Move::TakeBack)];

#[tokio::test]
async fn a_refused_move_says_why_and_changes_nothing() {
    let held = || ClaimOutcome::AlreadyHeld(hold(1, 2));
    let sold = || ClaimOutcome::AlreadySold(Sold { reservation: id(1), quantity: units(2) });
    let claim = Outcome::Claim;
    let not_held = Outcome::Release(ReleaseOutcome::NotHeld);
    let hold_lost = Outcome::Sell(SellOutcome::HoldLost);
    let not_sold = Outcome::TakeBack(TakeBackOutcome::NotSold);
    for (rule, before, refused, outcome) in [
        ("the same claim again is claimed already", HELD, step(1, 1, Move::Claim(2)), claim(ClaimOutcome::Claimed)),
        ("a shopper holds once per shard", HELD, step(1, 2, Move::Claim(1)), claim(held())),
        ("also when there would not be enough", HELD, step(1, 2, Move::Claim(10)), claim(held())),
        ("a shopper buys once per shard", SOLD, step(1, 2, Move::Claim(1)), claim(sold())),
        ("what is sold is not claimed again by its own reservation", SOLD, step(1, 1, Move::Claim(2)), claim(sold())),
        ("no more than there is", HELD, step(2, 2, Move::Claim(2)), claim(ClaimOutcome::NotEnough { available: 1 })),
        ("nothing is released that was never held", &[], step(1, 1, Move::Release), not_held.clone()),
        ("a release is of its own reservation", HELD, step(1, 2, Move::Release), not_held.clone()),
        ("a release is of its own shopper", HELD, step(2, 1, Move::Release), not_held.clone()),
        ("nothing is released twice", RELEASED, step(1, 1, Move::Release), not_held.clone()),
        ("what is sold is not released", SOLD, step(1, 1, Move::Release), not_held),
        ("nothing is sold that was never held", &[], step(1, 1, Move::Sell(2)), hold_lost.clone()),
        ("a sale is of its own reservation", HELD, step(1, 2, Move::Sell(2)), hold_lost.clone()),
        ("a sale is of its own shopper", HELD, step(2, 1, Move::Sell(2)), hold_lost.clone()),
        ("a sale is of all that is held", HELD, step(1, 1, Move::Sell(1)), hold_lost.clone()),
        ("what was released is not sold", RELEASED, step(1, 1, Move::Sell(2)), hold_lost.clone()),
        ("the same sale again is sold already", SOLD, step(1, 1, Move::Sell(2)), Outcome::Sell(SellOutcome::Sold)),
        ("what was taken back is not sold", TAKEN_BACK, step(1, 1, Move::Sell(2)), hold_lost),
        ("nothing is taken back that was never sold", &[], step(1, 1, Move::TakeBack), not_sold.clone()),
        ("what is only held is not taken back", HELD, step(1, 1, Move::TakeBack), not_sold.clone()),
        ("a return is of its own reservation", SOLD, step(1, 2, Move::TakeBack), not_sold.clone()),
        ("a return is of its own shopper", SOLD, step(2, 1, Move::TakeBack), not_sold.clone()),
        ("nothing is taken back twice", TAKEN_BACK, step(1, 1, Move::TakeBack), not_sold),
    ] {
        let shop = Shop::with_units(3).await;
        for step in before {
            step.in_store(&shop, &product()).await;
        }
        let unchanged = shop.shard().await;
        shop.calls.reset();
        assert_eq!(refused.in_store(&shop, &product()).await, outcome, "{rule}");
        let counted = (shop.calls.total(), shop.calls.failed("ConditionalCheckFailedException"));
        assert_eq!(counted, (1, 1), "{rule}: one request, whose condition was false");
        assert_eq!(shop.shard().await, unchanged, "{rule}");
    }
}

#[tokio::test]
async fn the_last_unit_can_be_claimed() {
    let shop = Shop::with_units(3).await;
    assert_eq!(shop.stock.claim(SHARD, &shopper(1), &hold(1, 3)).await.unwrap(), ClaimOutcome::Claimed);
    assert_eq!(shop.shard().await.available(), 0);
}

#[tokio::test]
async fn units_that_went_back_can_be_claimed_again_by_the_same_shopper() {
    for before in [RELEASED, TAKEN_BACK] {
        let shop = Shop::with_units(3).await;
        for step in before {
            step.in_store(&shop, &product()).await;
        }
        assert_eq!(shop.shard().await, StockShard::new(3));
        assert_eq!(shop.stock.claim(SHARD, &shopper(1), &hold(2, 3)).await.unwrap(), ClaimOutcome::Claimed);
    }
}

#[tokio::test]
async fn a_shopper_may_be_called_anything_printable() {
    let shop = Shop::with_units(3).await;
    let longest = "~".repeat(128);
    for (number, name) in (1..).zip(["a.b[0]", "#pk", ":quantity", "held.x = y OR z", " ", "\"\\'", "size(held)", &longest]) {
        let odd: ShopperId = name.parse().unwrap();
        assert_eq!(shop.stock.claim(SHARD, &odd, &hold(number, 1)).await.unwrap(), ClaimOutcome::Claimed, "{name}");
        assert_eq!(shop.stock.sell(SHARD, &odd, &id(number), units(1)).await.unwrap(), SellOutcome::Sold, "{name}");
        assert!(shop.shard().await.sold().contains_key(&odd), "{name}");
        assert_eq!(shop.stock.take_back(SHARD, &odd, &id(number)).await.unwrap(), TakeBackOutcome::TakenBack, "{name}");
        assert_eq!(shop.shard().await, StockShard::new(3), "{name}");
    }
}

#[tokio::test]
async fn a_shard_that_is_not_there_is_no_lost_race() {
    let shop = Shop::open().await;
    let error = shop.stock.claim(SHARD, &shopper(1), &hold(1, 1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert!(!error.is_passing());
    // A caller that gives units back or sells them only learns that nothing is held there.
    assert_eq!(shop.stock.release(SHARD, &shopper(1), &id(1)).await.unwrap(), ReleaseOutcome::NotHeld);
    assert_eq!(shop.stock.sell(SHARD, &shopper(1), &id(1), units(1)).await.unwrap(), SellOutcome::HoldLost);
    assert_eq!(shop.stock.take_back(SHARD, &shopper(1), &id(1)).await.unwrap(), TakeBackOutcome::NotSold);
}
