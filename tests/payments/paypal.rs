//! PayPal's gateway against a fake PayPal that shares no code with it: every instrument, every answer that is lost, every order
//! that belongs to another payment, and every request id that PayPal has forgotten. The money is judged by the fake's own books.

use std::sync::{Arc, Mutex};

use domain::{Action, CaptureOutcome, ChargeOutcome, Clock, GatewayName, Money, RefundOutcome, SignedDuration};
use fake_paypal::{FakePaypal, Instrument, Options};
use payments::{
    Keys, LookUp, OpenOutcome, Payment, PaymentGateway, PaypalKeys, Secret,
    paypal::{PaypalClient, PaypalGateway},
};
use serde_json::{Value, json};
use test_aws::FixedClock;
use test_provider::{Answer, Provider};
use test_shop::{Buyer, NOW, price};

use crate::{AskedBySaga, wire};

mod faults;
mod orders;
mod parts;

/// A fake PayPal in this process, its account's gateway, and the clock of both.
struct Bank {
    fake: Arc<Mutex<FakePaypal>>,
    clock: FixedClock,
    gateway: PaypalGateway,
}

const PRICE: u64 = 99_900;
const CAPTURED: fn() -> CaptureOutcome = || CaptureOutcome::Captured { confirmed: price() };
const TOO_LATE: &str = "The payment was not confirmed in time.";
const CANCELLED: &str = "The payment was cancelled.";
/// The token of a shopper who goes to PayPal from the shop.
const CHECKOUT: &str = "paypal:checkout";

impl AskedBySaga for Bank {
    fn asked(&self) -> (&dyn PaymentGateway, &FixedClock) {
        (&self.gateway, &self.clock)
    }
}

impl Bank {
    fn open() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let options = Options { base_url: "http://paypal.test".to_owned(), ..options };
        let (fake, clock) = (Arc::new(Mutex::new(FakePaypal::new(options))), FixedClock::at(NOW));
        let gateway = gateway(&fake, &clock, "local");
        Self { fake, clock, gateway }
    }

    /// Orders a fault for the next requests with this method and path.
    fn goes_wrong(&self, (method, path): (&str, &str), fault: &str, times: u32) {
        self.fake.lock().unwrap().faults().add(wire::fault(method, path, fault, times));
    }

    /// The shopper approves the payment's order.
    fn approve(&self, payment: &Payment, instrument: Instrument) -> String {
        let order = payment.provider_id.as_ref().unwrap();
        self.fake.lock().unwrap().approve(order, instrument, self.clock.now()).unwrap().unwrap_or_default()
    }

    /// What an attempt's item would contain after `open`: the payment with its id.
    async fn opened(&self, payment: Payment) -> Payment {
        match self.gateway.open(&payment).await {
            OpenOutcome::ById(id) => Payment { provider_id: Some(id), ..payment },
            other @ (OpenOutcome::ByKey | OpenOutcome::Not(_)) => panic!("{other:?}"),
        }
    }

    /// An opened payment that its shopper has approved.
    async fn approved(&self, instrument: Instrument) -> Payment {
        let payment = self.opened(payment(CHECKOUT)).await;
        self.approve(&payment, instrument);
        payment
    }

    /// Charges as `charge-payment` does, until the outcome is known. The shopper approves with one instrument after the other.
    async fn charge(&self, instruments: &[Instrument]) -> (Payment, ChargeOutcome) {
        let (mut payment, mut instruments) = (payment(CHECKOUT), instruments.iter());
        for _ in 0..20 {
            let outcome = self.charge_once(&mut payment).await;
            match (&outcome, instruments.as_slice().first()) {
                (ChargeOutcome::Unknown | ChargeOutcome::Pending | ChargeOutcome::Busy, _) => self.clock.advance_seconds(10),
                (ChargeOutcome::RequiresAction(_), Some(instrument)) => {
                    self.approve(&payment, *instrument);
                    instruments.next();
                }
                (ChargeOutcome::RequiresAction(_), None)
                | (
                    ChargeOutcome::Authorised { .. }
                    | ChargeOutcome::Charged { .. }
                    | ChargeOutcome::Declined { .. }
                    | ChargeOutcome::Unavailable,
                    _,
                ) => return (payment, outcome),
            }
        }
        (payment, ChargeOutcome::Unknown)
    }

    /// Reserved, captured and refunded, of all orders together, in minor units.
    fn money(&self) -> (u64, u64, u64) {
        let payments = self.fake.lock().unwrap().payments();
        let sum = |of: fn(&fake_paypal::Payment) -> u64| payments.iter().map(of).sum();
        (sum(|it| it.held_minor), sum(|it| it.captured_minor), sum(|it| it.refunded_minor))
    }

    /// PayPal's statuses of the orders.
    fn statuses(&self) -> Vec<&'static str> {
        self.fake.lock().unwrap().payments().iter().map(|payment| payment.order_status).collect()
    }

    /// PayPal's id of the only authorization.
    fn authorization(&self) -> String {
        self.fake.lock().unwrap().payments()[0].authorization.clone().unwrap().0
    }

    /// The outcome of a payment that is authorised with the only order.
    fn authorised(&self) -> ChargeOutcome {
        ChargeOutcome::Authorised { reference: self.authorization() }
    }

    /// Makes a request with the account's credentials, past the gateway. The body of the answer.
    fn asks(&self, method: &str, path: &str, body: &Value) -> Value {
        let sent = |method: &str, path: &str, authorization: &str, kind: &str, body: String| {
            let request = http::Request::builder().method(method).uri(path).header("authorization", authorization);
            let request = request.header("content-type", kind).header("prefer", "return=representation");
            match self.fake.lock().unwrap().answer(&request.body(body.into_bytes()).unwrap(), self.clock.now()) {
                Answer::Now(response) => serde_json::from_slice::<Value>(response.body()).unwrap(),
                other @ (Answer::Late(..) | Answer::Lost) => panic!("{other:?}"),
            }
        };
        // "paypal_client_local:paypal_secret_local"
        let credentials = "Basic cGF5cGFsX2NsaWVudF9sb2NhbDpwYXlwYWxfc2VjcmV0X2xvY2Fs";
        let (form, grant) = ("application/x-www-form-urlencoded", "grant_type=client_credentials".to_owned());
        let token = sent("POST", "/v1/oauth2/token", credentials, form, grant);
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        sent(method, path, &bearer, "application/json", body.to_string())
    }

    /// The ids of the payment's `captures` or `refunds`.
    fn ids(&self, payment: &Payment, kind: &str) -> Vec<String> {
        let path = format!("/v2/checkout/orders/{}", payment.provider_id.clone().unwrap());
        let order = self.asks("GET", &path, &Value::Null);
        let list = order["purchase_units"][0]["payments"][kind].as_array().unwrap();
        list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// An order that the shop's page made.
    fn page_order(&self, intent: &str, custom_id: &str, currency: &str, value: &str) -> String {
        let amount = json!({"currency_code": currency, "value": value});
        let body = json!({"intent": intent, "purchase_units": [{"custom_id": custom_id, "amount": amount}]});
        self.asks("POST", "/v2/checkout/orders", &body)["id"].as_str().unwrap().to_owned()
    }
}

/// The gateway of the account `account`.
fn gateway(fake: &Arc<Mutex<FakePaypal>>, clock: &FixedClock, account: &str) -> PaypalGateway {
    let (client_id, client_secret) = (format!("paypal_client_{account}"), Secret::new(format!("paypal_secret_{account}")));
    let keys = Keys::fixed(GatewayName("paypal".to_owned()), PaypalKeys { client_id, client_secret, webhook_id: None });
    let client = PaypalClient::new(wire::to(fake, clock), "http://paypal.test", keys, Arc::new(clock.clone()));
    let (name, page) = (GatewayName("paypal".to_owned()), "https://shop.test/back?lang=en#pay".to_owned());
    PaypalGateway::new(name, client, page, Arc::new(clock.clone())).paying("FAKEMERCHANT1".to_owned())
}

fn payment(method: &str) -> Payment {
    Payment { method: method.parse().unwrap(), ..crate::payment(price(), "sandbox:ok") }
}

fn redirect(payment: &Payment) -> ChargeOutcome {
    let url = format!("http://paypal.test/checkoutnow?token={}", payment.provider_id.as_ref().unwrap());
    ChargeOutcome::RequiresAction(Action::Redirect { url })
}

#[tokio::test]
async fn an_approved_order_is_authorised_then_captured_once() {
    let bank = Bank::open();
    let (payment, outcome) = bank.charge(&[Instrument::Good]).await;
    assert_eq!((outcome, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
    for _ in 0..2 {
        assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
    }
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(bank.authorised()));
    for _ in 0..2 {
        assert_eq!((bank.gateway.capture(&payment).await, bank.money()), (CAPTURED(), (0, PRICE, 0)));
    }
    let charged = ChargeOutcome::Charged { reference: bank.authorization(), confirmed: price() };
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(charged.clone()));
    assert_eq!(bank.gateway.charge(&payment).await, charged);
    let books = bank.fake.lock().unwrap().payments();
    assert_eq!((books.len(), books[0].custom_id.clone()), (1, Some(Buyer::first().key(1).to_string())));
}

#[tokio::test]
async fn a_shopper_who_has_not_approved_is_sent_to_paypal_and_comes_back_to_the_shop() {
    let bank = Bank::open();
    let (payment, outcome) = bank.charge(&[]).await;
    assert_eq!((outcome, bank.money()), (redirect(&payment), (0, 0, 0)));
    assert_eq!(bank.gateway.charge(&payment).await, redirect(&payment));
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(redirect(&payment)));
    let order = payment.provider_id.clone().unwrap();
    let page = format!("https://shop.test/back?lang=en&order_id={}", Buyer::first().id);
    let left = bank.fake.lock().unwrap().abandon(&order, bank.clock.now()).unwrap();
    assert_eq!(left, Some(format!("{page}&cancelled=true&token={order}#pay")));
    let back = bank.approve(&payment, Instrument::Good);
    assert_eq!(back, format!("{page}&token={order}&PayerID=FAKEPAYER0001#pay"));
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::NotFound, "nothing is authorised yet");
    assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
}

#[tokio::test]
async fn declines_say_why_and_reserve_nothing() {
    let bank_declined = "The bank or card that you chose at PayPal declined the payment. Choose another one there.";
    for (instrument, reason) in
        [(Instrument::Declines, bank_declined), (Instrument::AuthorizationDenied, "PayPal declined the payment.")]
    {
        let bank = Bank::open();
        let (payment, outcome) = bank.charge(&[instrument]).await;
        assert_eq!((outcome, bank.money()), (crate::declined(reason), (0, 0, 0)), "{instrument:?}");
        assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)), "{instrument:?}");
    }
}

#[tokio::test]
async fn a_shopper_whom_paypal_asks_again_approves_again() {
    let bank = Bank::open();
    let payment = bank.approved(Instrument::ActionRequired).await;
    for _ in 0..2 {
        assert_eq!(bank.gateway.charge(&payment).await, redirect(&payment));
    }
    bank.approve(&payment, Instrument::Good);
    assert_eq!((bank.gateway.charge(&payment).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
    for abandons in [true, false] {
        let bank = Bank::open();
        let payment = bank.approved(Instrument::ActionRequired).await;
        if abandons {
            assert_eq!(bank.gateway.abandon(&payment).await, crate::declined(TOO_LATE));
        } else {
            assert_eq!(bank.undo(&payment).await, RefundOutcome::Voided);
        }
    }
}

#[tokio::test]
async fn an_order_that_nobody_approved_is_over_when_it_is_abandoned() {
    let bank = Bank::open();
    let (payment, _) = bank.charge(&[]).await;
    assert_eq!((bank.gateway.abandon(&payment).await, bank.money()), (crate::declined(TOO_LATE), (0, 0, 0)));
    bank.approve(&payment, Instrument::Good);
    assert_eq!((bank.statuses(), bank.money()), (vec!["APPROVED"], (0, 0, 0)), "an approval authorises nothing");
    assert_eq!(bank.gateway.abandon(&Payment { provider_id: None, ..payment }).await, ChargeOutcome::Unknown);
}

#[tokio::test]
async fn an_order_that_was_approved_before_it_is_abandoned_is_authorised_and_can_be_undone() {
    let bank = Bank::open();
    let payment = bank.approved(Instrument::Good).await;
    for _ in 0..2 {
        assert_eq!((bank.gateway.abandon(&payment).await, bank.money()), (bank.authorised(), (PRICE, 0, 0)));
    }
    assert_eq!(bank.gateway.charge(&payment).await, bank.authorised());
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)));
    assert_eq!(bank.gateway.abandon(&payment).await, crate::declined(CANCELLED));
    let bank = Bank::open();
    let payment = bank.approved(Instrument::Declines).await;
    assert!(matches!(bank.gateway.abandon(&payment).await, ChargeOutcome::Declined { .. }));
}

#[tokio::test]
async fn an_authorization_that_paypal_has_not_decided_stays_unknown_until_it_has() {
    for accepted in [Some(true), Some(false), None] {
        let bank = Bank::open();
        let payment = bank.approved(Instrument::AuthorizationPending).await;
        assert_eq!(bank.gateway.charge(&payment).await, ChargeOutcome::Unknown);
        assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Unknown);
        assert_eq!(bank.gateway.capture(&payment).await, CaptureOutcome::Unknown);
        let Some(accepted) = accepted else {
            assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)));
            continue;
        };
        let (id, now) = (bank.authorization(), bank.clock.now());
        bank.fake.lock().unwrap().decide_authorization(&id, accepted, now).unwrap();
        let outcome = if accepted { bank.authorised() } else { crate::declined("PayPal declined the payment.") };
        assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(outcome));
        let captures = bank.gateway.capture(&payment).await;
        assert_eq!(captures == CAPTURED(), accepted, "{captures:?}");
        let expected = if accepted { RefundOutcome::Refunded } else { RefundOutcome::Voided };
        assert_eq!(bank.undo(&payment).await, expected);
    }
}

#[tokio::test]
async fn a_capture_that_paypal_has_not_decided_stays_unknown_until_it_has() {
    for completed in [true, false] {
        let bank = Bank::open();
        let (payment, _) = bank.charge(&[Instrument::CapturePending]).await;
        for _ in 0..2 {
            assert_eq!(bank.gateway.capture(&payment).await, CaptureOutcome::Unknown);
            assert_eq!(bank.gateway.refund(&payment).await, RefundOutcome::Unknown);
        }
        let (captures, now) = (bank.ids(&payment, "captures"), bank.clock.now());
        assert_eq!(captures.len(), 1);
        bank.fake.lock().unwrap().decide_capture(&captures[0], completed, now).unwrap();
        let captured = bank.gateway.capture(&payment).await;
        let undone = bank.undo(&payment).await;
        if completed {
            assert_eq!((captured, undone, bank.money()), (CAPTURED(), RefundOutcome::Refunded, (0, PRICE, PRICE)));
        } else {
            assert!(matches!(captured, CaptureOutcome::Refused { .. }), "{captured:?}");
            assert_eq!((undone, bank.money()), (RefundOutcome::Voided, (0, 0, 0)));
        }
    }
}

#[tokio::test]
async fn a_refused_capture_moves_no_money() {
    for (instrument, days) in [(Instrument::CaptureDeclined, 0), (Instrument::HonorPeriodOnly, 4), (Instrument::Good, 30)] {
        let bank = Bank::open();
        let (payment, _) = bank.charge(&[instrument]).await;
        bank.clock.advance(SignedDuration::from_hours(24 * days));
        for _ in 0..2 {
            let captured = bank.capture(&payment).await;
            assert!(matches!(captured, CaptureOutcome::Refused { .. }), "{instrument:?}: {captured:?}");
        }
        assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)), "{instrument:?}");
    }
}

#[tokio::test]
async fn what_is_undone_stays_undone() {
    for captures in [false, true] {
        let bank = Bank::open();
        let (payment, _) = bank.charge(&[Instrument::Good]).await;
        if captures {
            bank.capture(&payment).await;
        }
        let expected = if captures { RefundOutcome::Refunded } else { RefundOutcome::Voided };
        for _ in 0..3 {
            assert_eq!(bank.undo(&payment).await, expected);
        }
        assert!(matches!(bank.capture(&payment).await, CaptureOutcome::Refused { .. }));
        assert_eq!(bank.gateway.look_up(&payment).await, LookUp::Found(crate::declined(CANCELLED)));
        assert_eq!(bank.money(), if captures { (0, PRICE, PRICE) } else { (0, 0, 0) });
    }
}

/// A run that was about to authorise when another run undid the attempt comes late.
#[tokio::test]
async fn an_approved_order_that_was_undone_is_never_authorised() {
    let bank = Bank::open();
    let payment = bank.approved(Instrument::Good).await;
    assert_eq!(bank.undo(&payment).await, RefundOutcome::Voided);
    assert_eq!(bank.gateway.charge(&payment).await, crate::declined(CANCELLED));
    assert_eq!((bank.statuses(), bank.money()), (vec!["VOIDED"], (0, 0, 0)));
}

#[tokio::test]
async fn a_payment_without_an_order_is_undone_and_charges_nothing() {
    let bank = Bank::open();
    let payment = payment(CHECKOUT);
    assert_eq!(bank.gateway.refund(&payment).await, RefundOutcome::Voided);
    assert_eq!(bank.gateway.look_up(&payment).await, LookUp::NotFound);
    assert_eq!(bank.gateway.charge(&payment).await, ChargeOutcome::Unknown);
    assert_eq!(bank.gateway.capture(&payment).await, CaptureOutcome::Unknown);
    let opened = bank.opened(payment).await;
    assert!(matches!(bank.gateway.capture(&opened).await, CaptureOutcome::Refused { .. }));
    assert_eq!((bank.undo(&opened).await, bank.money()), (RefundOutcome::Voided, (0, 0, 0)));
}

#[tokio::test]
async fn a_refund_that_fails_is_made_again() {
    let bank = Bank::open();
    let (payment, _) = bank.charge(&[Instrument::RefundPending]).await;
    bank.capture(&payment).await;
    for round in 1..=3 {
        for _ in 0..2 {
            assert_eq!(bank.undo(&payment).await, RefundOutcome::Refunded, "PayPal has accepted it");
        }
        let (refunds, now) = (bank.ids(&payment, "refunds"), bank.clock.now());
        assert_eq!(refunds.len(), round, "the first, and one for each that failed");
        bank.fake.lock().unwrap().decide_refund(&refunds[round - 1], round == 3, now).unwrap();
        assert_eq!(bank.money(), (0, PRICE, if round == 3 { PRICE } else { 0 }));
    }
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Refunded, (0, PRICE, PRICE)));
}

/// What an operator does at PayPal counts: a part that was captured or refunded there goes back once.
#[tokio::test]
async fn a_part_that_an_operator_captured_or_refunded_is_undone_with_the_rest() {
    let part = json!({"amount": {"currency_code": "USD", "value": "400.00"}});
    let bank = Bank::open();
    let (payment, _) = bank.charge(&[Instrument::Good]).await;
    bank.asks("POST", &format!("/v2/payments/authorizations/{}/capture", bank.authorization()), &part);
    let confirmed = Money::new(40_000, price().currency()).unwrap();
    assert_eq!(
        bank.gateway.capture(&payment).await,
        CaptureOutcome::Captured { confirmed },
        "the order does not complete with it"
    );
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Refunded, (0, 40_000, 40_000)));
    let bank = Bank::open();
    let (payment, _) = bank.charge(&[Instrument::Good]).await;
    bank.capture(&payment).await;
    bank.asks("POST", &format!("/v2/payments/captures/{}/refund", bank.ids(&payment, "captures")[0]), &part);
    assert_eq!(bank.money(), (0, PRICE, 40_000));
    assert_eq!((bank.undo(&payment).await, bank.money()), (RefundOutcome::Refunded, (0, PRICE, PRICE)));
}
