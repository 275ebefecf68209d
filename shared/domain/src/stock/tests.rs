use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Move {
    Claim { quantity: u32 },
    Release,
    Sell,
    TakeBack,
}

fn moves() -> impl Strategy<Value = Vec<(u8, u8, Move)>> {
    let a_move = prop_oneof![
        3 => (1u32..=10).prop_map(|quantity| Move::Claim { quantity }),
        2 => Just(Move::Release),
        2 => Just(Move::Sell),
        1 => Just(Move::TakeBack),
    ];
    prop::collection::vec((0u8..4, 0u8..3, a_move), 1..80)
}

fn shopper(n: u8) -> ShopperId {
    format!("shopper-{n}").parse().unwrap()
}

fn reservation(shopper: u8, n: u8) -> ReservationId {
    format!("demo.01JD3V3Z5T8Q6W7X9Y0A1B2{shopper}0{n}").parse().unwrap()
}

fn hold(shopper: u8, n: u8, quantity: u32) -> Hold {
    Hold {
        reservation: reservation(shopper, n),
        quantity: Quantity::new(quantity).unwrap(),
        expires_at: Timestamp::from_second(1_000).unwrap(),
    }
}

fn apply(shard: &mut StockShard, who: u8, id: u8, a_move: &Move) -> String {
    let (shopper, reservation) = (shopper(who), reservation(who, id));
    match a_move {
        Move::Claim { quantity } => format!("{:?}", shard.claim(&shopper, hold(who, id, *quantity))),
        Move::Release => format!("{:?}", shard.release(&shopper, &reservation)),
        Move::Sell => format!("{:?}", shard.sell(&shopper, &reservation)),
        Move::TakeBack => format!("{:?}", shard.take_back(&shopper, &reservation)),
    }
}

proptest! {
    #[test]
    fn no_sequence_of_moves_makes_or_loses_a_unit(capacity in 0u32..30, moves in moves()) {
        let mut shard = StockShard::new(capacity);
        for (who, id, a_move) in &moves {
            apply(&mut shard, *who, *id, a_move);
            prop_assert!(shard.is_balanced(), "{:?}", shard);
            prop_assert_eq!(shard.capacity(), capacity);
        }
    }

    #[test]
    fn a_repeated_move_changes_nothing(capacity in 0u32..30, moves in moves()) {
        let mut shard = StockShard::new(capacity);
        for (who, id, a_move) in &moves {
            apply(&mut shard, *who, *id, a_move);
            let once = shard.clone();
            apply(&mut shard, *who, *id, a_move);
            prop_assert_eq!(&shard, &once, "{:?} twice", a_move);
        }
    }

    #[test]
    fn a_move_with_a_stale_reservation_changes_nothing(capacity in 1u32..30, moves in moves()) {
        let mut shard = StockShard::new(capacity);
        for (who, id, a_move) in &moves {
            apply(&mut shard, *who, *id, a_move);
        }
        let before = shard.clone();
        for who in 0..4 {
            for a_move in [Move::Release, Move::Sell, Move::TakeBack] {
                // Reservations 0–2 took part; 9 never did.
                apply(&mut shard, who, 9, &a_move);
            }
        }
        prop_assert_eq!(shard, before);
    }

    #[test]
    fn a_shopper_is_in_the_shard_at_most_once(capacity in 0u32..30, moves in moves()) {
        let mut shard = StockShard::new(capacity);
        for (who, id, a_move) in &moves {
            apply(&mut shard, *who, *id, a_move);
            prop_assert!(shard.held().keys().all(|shopper| !shard.sold().contains_key(shopper)));
        }
    }
}

#[test]
fn a_hold_is_overdue_ten_seconds_after_its_end_and_never_while_its_claim_may_be_unfinished() {
    let made = "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D".parse::<ReservationId>().unwrap();
    let after = |seconds| made.made_at() + SignedDuration::from_secs(seconds);
    let hold = |expires_at| Hold { reservation: made.clone(), quantity: Quantity::ONE, expires_at };
    let late = hold(after(300));
    assert!(!late.is_overdue(after(309)) && late.is_overdue(after(310)));
    let ended_before_it_was_made = hold(after(-60));
    assert!(!ended_before_it_was_made.is_overdue(after(11)) && ended_before_it_was_made.is_overdue(after(12)));
    assert_eq!(late.settles_at(), after(12));
}

#[test]
fn every_refusal_of_a_claim_says_which() {
    let mut shard = StockShard::new(3);
    assert_eq!(shard.claim(&shopper(1), hold(1, 1, 2)), ClaimOutcome::Claimed);
    assert_eq!(shard.claim(&shopper(1), hold(1, 1, 2)), ClaimOutcome::Claimed, "the same claim again");
    assert_eq!(shard.claim(&shopper(1), hold(1, 2, 1)), ClaimOutcome::AlreadyHeld(hold(1, 1, 2)));
    assert_eq!(shard.claim(&shopper(2), hold(2, 1, 2)), ClaimOutcome::NotEnough { available: 1 });
    assert_eq!(shard.sell(&shopper(1), &reservation(1, 1)), SellOutcome::Sold);
    assert_eq!(shard.sell(&shopper(1), &reservation(1, 1)), SellOutcome::Sold, "the same sale again");
    assert!(matches!(shard.claim(&shopper(1), hold(1, 2, 1)), ClaimOutcome::AlreadySold(_)));
    assert_eq!(shard.release(&shopper(1), &reservation(1, 1)), ReleaseOutcome::NotHeld, "what is sold is not released");
    assert_eq!(shard.take_back(&shopper(1), &reservation(1, 1)), TakeBackOutcome::TakenBack);
    assert_eq!(shard.sell(&shopper(1), &reservation(1, 1)), SellOutcome::HoldLost);
    assert_eq!(shard, StockShard::new(3));
}
