//! Can the properties fail? Each test breaks a rule and names the property that then fails.

use std::collections::BTreeSet;

use model::{Bug, SmallWorld, properties};
use stateright::{Checker, HasDiscoveries, Model};

/// Breaks a rule in a world with one shopper and asserts that the property fails. Prints the shortest history.
fn finds(bug: Bug, property: &'static str, (reservations, attempts): (u8, u8)) {
    let world = SmallWorld {
        reservations,
        attempts,
        lateness: true,
        by_hand: true,
        crashes: true,
        refunds: matches!(bug, Bug::UnitGoesBackFirst | Bug::ReturnedPurchaseKeepsItsReservation),
        ..SmallWorld::smallest()
    };
    finds_in(world, bug, property);
}

/// The same in a world with late money.
fn finds_late(bug: Bug, property: &'static str) {
    finds_in(SmallWorld { late_money: true, lateness: true, ..SmallWorld::smallest() }, bug, property);
}

fn finds_in(world: SmallWorld, bug: Bug, property: &'static str) {
    let world = SmallWorld { bug: Some(bug), ..world };
    let until_found = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let checker = world.checker().finish_when(until_found).spawn_bfs().join();
    let found: Vec<_> = checker.discoveries().into_keys().collect();
    let history = checker.discovery(property);
    assert!(history.is_some(), "{bug:?} does not break \"{property}\", only {found:?}");
    let told = history.map(|history| history.to_string()).unwrap_or_default();
    println!("{bug:?} breaks \"{property}\" after {} states: {told}", checker.unique_state_count());
}

#[test]
fn a_release_that_forgets_the_reservation() {
    finds(Bug::ReleaseForgetsTheReservation, properties::PAID_IS_NOT_RELEASED, (2, 1));
}

#[test]
fn an_end_of_a_hold_that_ignores_paying() {
    finds(Bug::EndOfHoldIgnoresPaying, properties::PAID_IS_NOT_RELEASED, (1, 1));
}

#[test]
fn an_attempt_that_anybody_may_call_unavailable() {
    finds(Bug::AnybodySaysUnavailable, properties::NO_CHARGE_IS_LOST, (1, 1));
}

#[test]
fn a_gateway_that_is_asked_again_before_that_is_written_down() {
    finds(Bug::AskingAgainIsNotWrittenDown, properties::NO_CHARGE_IS_LOST, (1, 1));
}

#[test]
fn a_capture_before_the_sale() {
    finds(Bug::CapturesBeforeTheSale, properties::CAPTURED_IS_SOLD, (1, 1));
}

#[test]
fn a_completion_of_what_is_only_authorised() {
    finds(Bug::CompletesWhatIsAuthorised, properties::PAID_ONCE, (1, 1));
}

#[test]
fn a_void_before_the_gateway_is_read() {
    finds(Bug::VoidsBeforeItReads, properties::NO_CHARGE_IS_LOST, (1, 1));
}

#[test]
fn a_completion_that_forgets_the_charge() {
    finds(Bug::CompletionForgetsTheCharge, properties::PAID_ONCE, (1, 1));
}

#[test]
fn a_refund_that_is_not_written_down_first() {
    finds(Bug::RefundIsNotWrittenDownFirst, properties::KEPT_OR_GIVEN_BACK, (1, 1));
}

#[test]
fn a_refund_that_leaves_a_declined_attempt_as_it_is() {
    finds(Bug::RefundLeavesDeclinedAsItIs, properties::PAID_IS_NOT_RELEASED, (1, 2));
}

#[test]
fn a_payment_that_starts_without_its_number() {
    finds(Bug::PaymentStartsWithoutItsNumber, properties::ATTEMPTS_ARE_NOT_SHARED, (1, 2));
}

#[test]
fn a_payment_that_fails_without_its_attempt() {
    finds(Bug::PaymentFailsWithoutItsAttempt, properties::HELD_IS_NOT_RELEASED, (1, 1));
    finds(Bug::PaymentFailsWithoutItsAttempt, properties::PAID_IS_NOT_RELEASED, (1, 2));
}

#[test]
fn a_refund_that_undoes_what_was_given_up() {
    finds(Bug::RefundUndoesWhatWasGivenUp, properties::UNDOES_ITS_OWN, (1, 1));
    finds(Bug::RefundUndoesWhatWasGivenUp, properties::PAID_IS_NOT_RELEASED, (1, 2));
}

#[test]
fn a_hold_that_is_given_up_while_its_reservation_is_being_written() {
    finds(Bug::ClaimsDoNotSettle, properties::PAID_IS_NOT_RELEASED, (1, 1));
}

#[test]
fn a_refund_that_stays_pending() {
    finds(Bug::RefundStaysPending, properties::COMES_TO_REST, (1, 1));
}

#[test]
fn a_waiting_order_that_does_not_expire_with_its_hold() {
    finds(Bug::OrderDoesNotExpire, properties::NO_ORDER_IS_OPEN, (1, 2));
}

#[test]
fn holds_and_orders_that_nobody_reconciles() {
    finds(Bug::NobodyReconciles, properties::NO_HOLD_IS_LEFT, (1, 1));
    finds(Bug::NobodyReconciles, properties::NO_ORDER_IS_OPEN, (1, 1));
}

#[test]
fn late_money_that_starts_without_its_reservation() {
    finds_late(Bug::LateMoneyStartsWithoutItsReservation, properties::PAID_IS_NOT_RELEASED);
}

#[test]
fn late_money_that_goes_back_before_that_is_decided() {
    finds_late(Bug::LateMoneyGoesBackUndecided, properties::PAID_ONCE);
}

#[test]
fn late_money_that_pays_for_an_order_that_has_failed() {
    finds_late(Bug::LateMoneyPaysForFailedOrders, properties::PAID_IS_NOT_RELEASED);
    finds_late(Bug::LateMoneyPaysForFailedOrders, properties::PAID_ONCE);
}

#[test]
fn a_release_that_forgets_that_the_unit_was_claimed_again() {
    finds_late(Bug::ReleaseForgetsTheClaim, properties::PAID_IS_NOT_RELEASED);
}

#[test]
fn late_money_that_nobody_looks_for() {
    finds_late(Bug::NobodyLooksForLateMoney, properties::NO_CHARGE_IS_LOST);
}

#[test]
fn a_unit_that_goes_back_before_its_money() {
    finds(Bug::UnitGoesBackFirst, properties::CAPTURED_IS_SOLD, (1, 1));
}

#[test]
fn a_returned_purchase_that_keeps_its_reservation() {
    finds(Bug::ReturnedPurchaseKeepsItsReservation, properties::ONE_PURCHASE, (1, 1));
}
