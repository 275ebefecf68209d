//! Which orders pay for which payments, and for how long: orders that the shop's page made, orders of others, orders that have
//! ended, and request ids that PayPal has forgotten.

use domain::{CaptureOutcome, ChargeOutcome, Clock, Money, RefundOutcome, SignedDuration};
use fake_paypal::{Account, Instrument, Options};
use payments::{LookUp, OpenOutcome, Payment, PaymentGateway};
use test_shop::{Buyer, price};

use super::{Bank, CAPTURED, CHECKOUT, PRICE, TOO_LATE, gateway, payment, redirect};
use crate::AskedBySaga;

/// A payment with the order `id`, which the shop's page made.
fn with_order(id: &str) -> Payment {
    payment(&format!("paypal:{id}"))
}

fn not_for_this_order() -> OpenOutcome {
    OpenOutcome::Not(crate::declined("This PayPal payment does not fit the order. Start a new one."))
}

#[tokio::test]
async fn an_order_of_the_shop_s_page_pays_once() {
    let bank = Bank::open();
    let id = bank.page_order("AUTHORIZE", &Buyer::first().id.to_string(), "USD", "999.00");
    let payment = bank.opened(with_order(&id)).await;
    assert_eq!(payment.provider_id, Some(id));
    assert_eq!(bank.gateway.charge(&payment).await, redirect(&payment));
    bank.approve(&payment, Instrument::Good);
    for _ in 0..2 {
        assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
    }
    assert_eq!((bank.capture(&payment).await, bank.money()), (CAPTURED(), (0, PRICE, 0)));
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Refunded, (0, PRICE, PRICE)));
}

#[tokio::test]
async fn an_order_that_does_not_fit_is_declined_before_anything_is_authorised() {
    let (own, other) = (Buyer::first().id.to_string(), Buyer::second().id.to_string());
    let attempt = Buyer::first().key(1).to_string();
    for (intent, custom_id, currency, value) in [
        ("AUTHORIZE", &own, "USD", "998.99"),
        ("AUTHORIZE", &own, "USD", "999.01"),
        ("AUTHORIZE", &own, "USD", "9.99"),
        ("AUTHORIZE", &own, "EUR", "999.00"),
        ("AUTHORIZE", &other, "USD", "999.00"),
        ("AUTHORIZE", &attempt, "USD", "999.00"),
        ("CAPTURE", &own, "USD", "999.00"),
    ] {
        let bank = Bank::open();
        let id = bank.page_order(intent, custom_id, currency, value);
        let case = format!("{intent} {custom_id} {currency} {value}");
        assert_eq!(bank.gateway.open(&with_order(&id)).await, not_for_this_order(), "{case}");
        // A run that stored the id all the same, and a shopper who approves.
        let forced = Payment { provider_id: Some(id.clone()), ..with_order(&id) };
        bank.approve(&forced, Instrument::Good);
        let is_own_attempt = custom_id == &attempt;
        if !is_own_attempt {
            for outcome in [bank.gateway.charge(&forced).await, bank.gateway.abandon(&forced).await] {
                assert_eq!(outcome, crate::declined("This PayPal payment does not belong to the order."), "{case}");
            }
        }
        assert_eq!((bank.undo(&forced).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)), "{case}");
        assert_eq!(bank.statuses() == ["APPROVED"], !is_own_attempt, "{case}");
    }
}

#[tokio::test]
async fn the_money_of_another_purchase_is_neither_captured_nor_given_back() {
    let bank = Bank::open();
    let (paid, _) = bank.charge(&[Instrument::Good]).await;
    let id = paid.provider_id.clone().unwrap();
    let key = Buyer::second().key(1);
    assert_eq!(bank.gateway.open(&Payment { key: key.clone(), ..with_order(&id) }).await, not_for_this_order());
    let forced = Payment { key, provider_id: Some(id.clone()), ..with_order(&id) };
    for captured in [false, true] {
        assert_eq!(bank.gateway.charge(&forced).await, ChargeOutcome::Unknown);
        assert_eq!(bank.gateway.look_up(&forced).await, LookUp::Unknown);
        assert_eq!(bank.gateway.abandon(&forced).await, ChargeOutcome::Unknown);
        assert_eq!(bank.gateway.capture(&forced).await, CaptureOutcome::Unknown);
        assert_eq!(bank.gateway.refund(&forced).await, RefundOutcome::Unknown);
        assert_eq!(bank.money(), if captured { (0, PRICE, 0) } else { (PRICE, 0, 0) });
        bank.capture(&paid).await;
    }
}

#[tokio::test]
async fn an_order_that_pays_another_account_is_declined() {
    let bank = Bank::open();
    let id = bank.page_order("AUTHORIZE", &Buyer::first().id.to_string(), "USD", "999.00");
    let own = gateway(&bank.fake, &bank.clock, "local").paying("FAKEMERCHANT1".to_owned());
    assert_eq!(own.open(&with_order(&id)).await, OpenOutcome::ById(id.clone()));
    let other = gateway(&bank.fake, &bank.clock, "local").paying("ANOTHER".to_owned());
    assert_eq!(other.open(&with_order(&id)).await, not_for_this_order());
    let forced = Payment { provider_id: Some(id.clone()), ..with_order(&id) };
    bank.approve(&forced, Instrument::Good);
    assert!(matches!(other.charge(&forced).await, ChargeOutcome::Declined { .. }));
    assert_eq!(bank.money(), (0, 0, 0));
}

#[tokio::test]
async fn a_token_that_is_no_order_of_the_account_is_declined() {
    let bank = Bank::open();
    assert_eq!(bank.gateway.open(&with_order("OR000000000000009")).await, not_for_this_order());
    for token in ["..", ".", "Checkout", "OR1/authorize", &"A".repeat(37)] {
        let outcome = bank.gateway.open(&with_order(token)).await;
        assert_eq!(outcome, OpenOutcome::Not(crate::declined("This payment method cannot be used.")), "{token}");
    }
    let dirham = Money::new(100, "AED".parse().unwrap()).unwrap();
    let outcome = bank.gateway.open(&Payment { amount: dirham, ..payment(CHECKOUT) }).await;
    assert_eq!(outcome, OpenOutcome::Not(crate::declined("This payment method cannot be used.")));
}

/// The shopper chooses another card at PayPal, and pays with the same order.
#[tokio::test]
async fn the_attempt_after_a_decline_can_use_the_same_order() {
    for remembers_refusals in [false, true] {
        let bank = Bank::with(Options { remembers_refusals, ..Options::default() });
        let id = bank.page_order("AUTHORIZE", &Buyer::first().id.to_string(), "USD", "999.00");
        let first = bank.opened(with_order(&id)).await;
        bank.approve(&first, Instrument::Declines);
        assert!(matches!(bank.gateway.charge(&first).await, ChargeOutcome::Declined { .. }));
        let second = bank.opened(Payment { key: Buyer::first().key(2), ..with_order(&id) }).await;
        bank.approve(&second, Instrument::Good);
        assert_eq!((bank.gateway.charge(&second).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
        assert_eq!((bank.capture(&second).await, bank.money()), (CAPTURED(), (0, PRICE, 0)));
    }
}

#[tokio::test]
async fn the_same_attempt_opens_one_order_and_another_amount_opens_none() {
    let bank = Bank::open();
    let (first, again) = (bank.opened(payment(CHECKOUT)).await, bank.opened(payment(CHECKOUT)).await);
    assert_eq!(first, again);
    let amount = Money::new(1, price().currency()).unwrap();
    let other = bank.gateway.open(&Payment { amount, ..payment(CHECKOUT) }).await;
    assert_eq!((other, bank.statuses().len()), (OpenOutcome::Not(ChargeOutcome::Unknown), 1));
}

/// A request id that PayPal knows is answered with what it made first, even for another order.
#[tokio::test]
async fn the_answer_of_another_order_settles_nothing() {
    let bank = Bank::open();
    let orders = [(); 2].map(|()| bank.page_order("AUTHORIZE", &Buyer::first().id.to_string(), "USD", "999.00"));
    let [first, second] = orders.map(|id| Payment { provider_id: Some(id.clone()), ..with_order(&id) });
    for payment in [&first, &second] {
        bank.approve(payment, Instrument::Good);
    }
    assert_eq!(bank.gateway.charge(&first).await, bank.authorised());
    assert_eq!((bank.gateway.charge(&second).await, bank.money()), (ChargeOutcome::Unknown, (PRICE, 0, 0)));
    assert_eq!(bank.gateway.look_up(&second).await, LookUp::NotFound);
    assert_eq!(bank.statuses(), ["COMPLETED", "APPROVED"]);
}

/// Orders v2 forgets request ids after six hours. A run that comes then makes no second order, and reads the one that is stored.
#[tokio::test]
async fn a_request_id_that_paypal_may_have_forgotten_makes_no_second_order() {
    let bank = Bank::open();
    let (paid, _) = bank.charge(&[Instrument::Good]).await;
    bank.clock.advance(SignedDuration::from_hours(5));
    assert_eq!(bank.gateway.open(&payment(CHECKOUT)).await, OpenOutcome::Not(ChargeOutcome::Unavailable));
    bank.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(bank.gateway.open(&payment(CHECKOUT)).await, OpenOutcome::Not(ChargeOutcome::Unavailable));
    assert_eq!(bank.gateway.open(&paid).await, OpenOutcome::ById(paid.provider_id.clone().unwrap()));
    for _ in 0..2 {
        assert_eq!((bank.gateway.charge(&paid).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
    }
    assert_eq!((bank.capture(&paid).await, bank.undo(&paid).await), (CAPTURED(), RefundOutcome::Refunded));
    assert_eq!((bank.money(), bank.statuses().len()), ((0, PRICE, PRICE), 1));
    let fresh = Bank::open();
    fresh.clock.advance(SignedDuration::from_hours(5) - SignedDuration::from_secs(1));
    fresh.opened(payment(CHECKOUT)).await;
}

/// The authorization's answer was lost, and the next run comes when PayPal has forgotten the request id.
#[tokio::test]
async fn an_order_is_authorised_once_also_after_its_request_id_is_forgotten() {
    let bank = Bank::open();
    let payment = bank.approved(Instrument::Good).await;
    bank.goes_wrong(("POST", "/v2/checkout/orders/*/authorize"), "lost-answer", 1);
    assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (ChargeOutcome::Unknown, (PRICE, 0, 0)));
    bank.clock.advance(SignedDuration::from_hours(7));
    assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
}

#[tokio::test]
async fn an_order_that_has_ended_is_declined_and_void() {
    for approves in [false, true] {
        let bank = Bank::open();
        let payment = bank.opened(payment(CHECKOUT)).await;
        if approves {
            bank.approve(&payment, Instrument::Good);
        }
        bank.clock.advance(SignedDuration::from_hours(3));
        assert_eq!(bank.gateway.charge(&payment).await, crate::declined(TOO_LATE));
        assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(crate::declined(TOO_LATE)));
        assert_eq!(bank.gateway.abandon(&payment).await, crate::declined(TOO_LATE));
        assert_eq!(bank.gateway.refund(&payment).await, RefundOutcome::Voided);
        let unstored = Payment { provider_id: None, ..payment };
        assert_eq!(bank.gateway.open(&unstored).await, OpenOutcome::Not(crate::declined(TOO_LATE)));
        assert_eq!(bank.money(), (0, 0, 0));
    }
    // The page made its order before the attempt began.
    let bank = Bank::open();
    let id = bank.page_order("AUTHORIZE", &Buyer::first().id.to_string(), "USD", "999.00");
    bank.clock.advance(SignedDuration::from_hours(3));
    let forced = Payment { provider_id: Some(id.clone()), began_at: bank.clock.now(), ..with_order(&id) };
    assert_eq!(bank.gateway.charge(&forced).await, crate::declined(TOO_LATE));
    assert_eq!(bank.gateway.open(&with_order(&id)).await, not_for_this_order());
}

/// An order cannot have ended yet: that PayPal does not know it has another reason, and nothing is concluded.
#[tokio::test]
async fn an_order_that_is_unknown_too_early_settles_nothing() {
    let bank = Bank::open();
    let payment = Payment { provider_id: Some("OR000000000000009".to_owned()), ..payment(CHECKOUT) };
    assert_eq!(bank.gateway.charge(&payment).await, ChargeOutcome::Unknown);
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Unknown);
    assert_eq!(bank.gateway.abandon(&payment).await, ChargeOutcome::Unknown);
    assert_eq!(bank.gateway.capture(&payment).await, CaptureOutcome::Unknown);
    assert_eq!(bank.gateway.refund(&payment).await, RefundOutcome::Unknown);
}

/// No secret, no such account: nothing is charged, and nothing stays unknown that is certain.
#[tokio::test]
async fn a_wrong_secret_or_another_account_has_certainly_charged_nothing() {
    let accounts = vec![Account::named("local"), Account::named("other")];
    let bank = Bank::with(Options { accounts, ..Options::default() });
    let stranger = gateway(&bank.fake, &bank.clock, "stranger");
    assert_eq!(stranger.open(&payment(CHECKOUT)).await, OpenOutcome::Not(ChargeOutcome::Unavailable));
    let (paid, _) = bank.charge(&[Instrument::Good]).await;
    for other in [stranger, gateway(&bank.fake, &bank.clock, "other")] {
        assert_eq!(other.charge(&paid).await, ChargeOutcome::Unavailable);
        assert_eq!(other.look_up(&paid).await, LookUp::Unknown, "only its own account knows an order");
        assert_eq!(other.abandon(&paid).await, ChargeOutcome::Unknown);
        assert_eq!(other.capture(&paid).await, CaptureOutcome::Unknown);
        assert_eq!(other.refund(&paid).await, RefundOutcome::Unknown);
    }
    assert_eq!(bank.money(), (PRICE, 0, 0));
}
