//! Gateways: the sandbox, which behaves like a provider, and those of Stripe and PayPal, each against a fake of its provider.
//! Each authorises, captures and refunds a payment once, and can look it up. A payment method triggers each failure of the
//! sandbox that matters.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]

mod authorisations;
mod charges;
mod configured;
mod paypal;
mod refunds;
mod stripe;
mod wire;

use domain::{CaptureOutcome, ChargeOutcome, GatewayName, Money, RefundOutcome};
use payments::{Keys, LookUp, OpenOutcome, Part, Payment, PaymentGateway, Sandbox, Secret, StripeKeys};
use store::Entry;
use test_aws::{Calls, FixedClock};
use test_shop::{Buyer, Shop, price};

/// One sandbox, its books, and the key of a purchase.
struct Bank {
    shop: Shop,
    calls: Calls,
    sandbox: Sandbox,
}

impl Bank {
    /// The gateway called `sandbox`.
    async fn open() -> Self {
        Self::called("sandbox").await
    }

    async fn called(name: &str) -> Self {
        Self::with_calls(name, &Calls::new()).await
    }

    async fn with_calls(name: &str, calls: &Calls) -> Self {
        let shop = Shop::empty().await;
        let sandbox = Sandbox::new(GatewayName(name.to_owned()), shop.parts(calls).books());
        Self { shop, calls: calls.clone(), sandbox }
    }

    async fn charge(&self, method: &str) -> ChargeOutcome {
        self.charge_of(price(), method).await
    }

    async fn charge_of(&self, amount: Money, method: &str) -> ChargeOutcome {
        self.sandbox.charge(&payment(amount, method)).await
    }

    async fn look_up(&self) -> LookUp {
        self.sandbox.look_up(&payment(price(), "sandbox:ok")).await
    }

    async fn capture(&self) -> CaptureOutcome {
        self.sandbox.capture(&payment(price(), "sandbox:ok")).await
    }

    async fn refund(&self) -> RefundOutcome {
        self.sandbox.refund(&payment(price(), "sandbox:ok")).await
    }

    async fn entry(&self) -> Option<Entry> {
        self.shop.uncounted().books().get(self.sandbox.name(), &Buyer::first().key(1)).await.unwrap()
    }

    /// How often the sandbox charged and refunded.
    async fn money(&self) -> (u32, u32) {
        self.entry().await.map_or((0, 0), |entry| (entry.charges, entry.refunds))
    }

    fn authorised(&self) -> ChargeOutcome {
        ChargeOutcome::Authorised { reference: format!("{}_{}", self.sandbox.name(), Buyer::first().key(1)) }
    }

    fn charged(&self, confirmed: Money) -> ChargeOutcome {
        ChargeOutcome::Charged { reference: format!("{}_{}", self.sandbox.name(), Buyer::first().key(1)), confirmed }
    }
}

/// A gateway in a test's world, asked as the saga's tasks ask it.
trait AskedBySaga {
    fn asked(&self) -> (&dyn PaymentGateway, &FixedClock);

    /// Charges as one run of `charge-payment` does: looks the payment up first, also after an unknown outcome. If there is
    /// none, opens it, stores the id and charges.
    async fn charge_once(&self, payment: &mut Payment) -> ChargeOutcome {
        let (gateway, _) = self.asked();
        match gateway.look_up(payment).await {
            LookUp::Found(outcome) => outcome,
            LookUp::Unknown => ChargeOutcome::Unknown,
            LookUp::NotFound => match gateway.open(payment).await {
                OpenOutcome::ById(id) => {
                    payment.provider_id = Some(id);
                    gateway.charge(payment).await
                }
                OpenOutcome::ByKey => panic!("Stripe and PayPal have ids"),
                OpenOutcome::Not(outcome) => outcome,
            },
        }
    }

    /// Undoes as `refund-payment` does: until it is confirmed.
    async fn undo(&self, payment: &Payment) -> RefundOutcome {
        let (gateway, clock) = self.asked();
        asked(clock, RefundOutcome::Unknown, async || gateway.refund(payment).await).await
    }

    /// Captures as `capture-payment` does: until the outcome is known.
    async fn capture(&self, payment: &Payment) -> CaptureOutcome {
        let (gateway, clock) = self.asked();
        asked(clock, CaptureOutcome::Unknown, async || gateway.capture(payment).await).await
    }
}

/// The first buyer's first attempt to pay.
fn payment(amount: Money, method: &str) -> Payment {
    Payment {
        key: Buyer::first().key(1),
        amount,
        method: method.parse().unwrap(),
        provider_id: None,
        reference: None,
        began_at: test_shop::NOW.parse().unwrap(),
    }
}

/// The keys of an account at Stripe.
fn stripe_keys(secret_key: &str) -> Keys<StripeKeys> {
    let keys = StripeKeys { secret_key: Secret::new(secret_key.to_owned()), webhook_secrets: Vec::new() };
    Keys::fixed(GatewayName("stripe".to_owned()), keys)
}

fn declined(reason: &str) -> ChargeOutcome {
    ChargeOutcome::Declined { reason: reason.to_owned() }
}

fn usd(amount_minor: i64) -> Money {
    Money::new(amount_minor, "USD".parse().unwrap()).unwrap()
}

/// A refund of an order, by its number.
fn part(number: u32, amount_minor: i64) -> Part {
    Part { number, amount: Money::new(amount_minor, price().currency()).unwrap() }
}

/// Asks as the saga does: nine times, ten seconds apart, while the outcome is `unknown`.
async fn asked<T: PartialEq>(clock: &FixedClock, unknown: T, mut ask: impl AsyncFnMut() -> T) -> T {
    for _ in 0..9 {
        let outcome = ask().await;
        if outcome != unknown {
            return outcome;
        }
        clock.advance_seconds(10);
    }
    unknown
}
