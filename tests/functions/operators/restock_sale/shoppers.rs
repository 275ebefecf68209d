//! Shoppers before, during and after a restock: no shopper gets units twice, and the added units are sold.

use contract::Refusal;
use domain::{Quantity, SaleDraft, ShopperId, SignedDuration};
use kit::Response;
use reserve::{Reserved, UnitReservations};
use test_aws::{Calls, Interleaving, every_interleaving};
use test_shop::{Shop, brief, demo, draft};

use crate::operators::restock_sale::{function, restock};

/// A new execution environment of `reserve`.
fn fresh(shop: &Shop, calls: &Calls) -> UnitReservations {
    shop.wire(calls)
}

fn shopper(number: u32) -> ShopperId {
    format!("shopper-{number}").parse().unwrap()
}

async fn one(units: &UnitReservations, shopper: &ShopperId) -> Result<Reserved, Refusal> {
    units.reserve(shopper, &demo(), Some(Quantity::ONE), None).await
}

/// A sale of `units` units in one shard, all held by as many shoppers.
async fn all_held(units: u32) -> (Shop, Vec<Reserved>) {
    let shop = Shop::empty().await;
    shop.sale(&demo(), SaleDraft { units, ..draft() }).await;
    let reserve = fresh(&shop, &Calls::new());
    let mut reserved = Vec::new();
    for number in 0..units {
        reserved.push(one(&reserve, &shopper(number)).await.unwrap());
    }
    shop.refresh_availability(&demo()).await;
    (shop, reserved)
}

#[tokio::test]
async fn a_winner_who_asks_again_after_a_restock_gets_the_first_reservation() {
    let (shop, reserved) = all_held(20).await;
    assert_eq!(brief(&function(&shop, &Calls::new()).handle(restock("one", 100)).await), "200");
    let layout = shop.uncounted().sales().get(&demo()).await.unwrap().unwrap().layout;
    let mut moved = 0;
    for first in reserved {
        let shopper = &first.reservation.shopper;
        moved += u32::from(layout.home_of(&demo(), shopper) != first.reservation.shard);
        let again = one(&fresh(&shop, &Calls::new()), shopper).await.unwrap();
        assert_eq!(again, Reserved { is_new: false, ..first });
    }
    assert!(moved > 10, "only {moved} have another home now");
    assert_eq!(shop.units(&demo()).await, (100, 20, 0));
}

#[tokio::test]
async fn everybody_gets_a_unit_until_the_last_one_of_the_restock_is_gone() {
    let (shop, _) = all_held(5).await;
    let reserve = fresh(&shop, &Calls::new());
    assert!(matches!(one(&reserve, &shopper(100)).await, Err(Refusal::SoldOut(_))));
    function(&shop, &Calls::new()).handle(restock("one", 30)).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    for number in 100..130 {
        let reserved = one(&reserve, &shopper(number)).await;
        assert!(reserved.is_ok(), "{number}: {reserved:?}");
        shop.refresh_availability(&demo()).await;
        shop.clock.advance(SignedDuration::from_millis(1_001));
    }
    assert!(matches!(one(&reserve, &shopper(130)).await, Err(Refusal::SoldOut(_))));
    assert_eq!(shop.units(&demo()).await, (0, 35, 0));
}

/// Restocks a sale of which all units are held, while a shopper with a reservation, or without one, asks for a unit. `both` runs
/// the two, one of which hangs.
async fn beside_a_restock(both: impl AsyncFn(&Interleaving, &Shop, &ShopperId) -> (Response, Result<Reserved, Refusal>)) {
    for asks_again in [false, true] {
        every_interleaving(async |interleaving| {
            let (shop, reserved) = all_held(5).await;
            let who = if asks_again { shopper(0) } else { shopper(100) };
            let (restocked, answer) = both(interleaving, &shop, &who).await;
            assert_eq!(brief(&restocked), "200");
            is_right(&shop, &reserved, asks_again, answer).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_shopper_who_reserves_while_a_restock_hangs_is_answered_once_and_rightly() {
    beside_a_restock(async |interleaving, shop, who| {
        let (restocking, reserve) = (function(shop, &interleaving.calls), fresh(shop, &Calls::new()));
        interleaving.run(restocking.handle(restock("one", 30)), one(&reserve, who)).await
    })
    .await;
}

#[tokio::test]
async fn a_shopper_who_hangs_while_the_sale_is_restocked_is_answered_once_and_rightly() {
    beside_a_restock(async |interleaving, shop, who| {
        let (reserve, restocking) = (fresh(shop, &interleaving.calls), function(shop, &Calls::new()));
        let (answer, restocked) = interleaving.run(one(&reserve, who), restocking.handle(restock("one", 30))).await;
        (restocked, answer)
    })
    .await;
}

/// Asserts that a shopper with a reservation got it again or was told sold out, as before the restock. A shopper without one got
/// one or was told sold out. No unit is lost or held twice, and the availability item includes the added units.
async fn is_right(shop: &Shop, reserved: &[Reserved], asks_again: bool, answer: Result<Reserved, Refusal>) {
    let held = match answer {
        Ok(found) if asks_again => {
            assert_eq!(found, Reserved { is_new: false, ..reserved[0].clone() });
            5
        }
        Ok(found) => {
            assert!(found.is_new);
            6
        }
        Err(Refusal::SoldOut(_) | Refusal::TryAgain { .. }) => 5,
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(shop.units(&demo()).await, (35 - held, held, 0));
    let known = shop.availability(&demo()).await;
    assert_eq!((known.units, known.free.len(), known.sold_out_at), (35, 3, None));
}
