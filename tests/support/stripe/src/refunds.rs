//! `POST /v1/refunds`: money goes back to the shopper.

use serde_json::Value;

use crate::{
    books::{Books, Timer},
    charge::{Charge, ChargeStatus, Refund, RefundStatus},
    intents::Call,
    methods::RefundCourse,
    payment::refund_of,
    refusal::Refusal,
};

/// Refunds a charge, or the latest charge of an intent: whole, or in part.
pub(crate) fn create(books: &mut Books, call: &Call<'_>) -> Result<Value, Refusal> {
    call.form.only(&["amount", "charge", "expand", "metadata", "payment_intent", "reason"])?;
    let (charge, intent) = (call.form.text("charge")?, call.form.text("payment_intent")?);
    let amount = call.form.integer("amount")?;
    if amount.is_some_and(|amount| amount < 1) {
        let message = "This value must be greater than or equal to 1.";
        return Err(Refusal::invalid(message).code("parameter_invalid_integer").param("amount"));
    }
    let reason = call.form.one_of("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let mut metadata = std::collections::BTreeMap::new();
    call.form.metadata(&mut metadata)?;
    let charge = refundable(books, charge, intent)?;
    let (remaining, currency) = (charge.remaining(), charge.currency);
    if remaining == 0 {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(Refusal::invalid(message).code("charge_already_refunded").executed());
    }
    let amount = amount.unwrap_or(remaining);
    if amount > remaining {
        let (wanted, left) = (currency.text(amount), currency.text(remaining));
        let message = format!("Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})");
        return Err(Refusal::invalid(message).param("amount").executed());
    }
    let charge = charge.id.clone();
    Ok(refund(books, &charge, Asked { amount, reason, metadata }, call))
}

/// The charge that the request names, if it can be refunded at all.
fn refundable<'a>(books: &'a Books, charge: Option<&str>, intent: Option<&str>) -> Result<&'a Charge, Refusal> {
    let unpaid = |intent: &str| {
        Refusal::invalid(format!("This PaymentIntent ({intent}) does not have a successful charge to refund.")).executed()
    };
    let charge = match (charge, intent) {
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(Refusal::invalid(message));
        }
        // Stripe names the parameter `id` here.
        (Some(id), _) => books.charges.get(id).ok_or_else(|| Refusal::not_found("charge", id, "id"))?,
        (None, Some(id)) => {
            let intent = books.intents.get(id).ok_or_else(|| Refusal::missing("payment_intent", id, "payment_intent"))?;
            let latest = intent.latest_charge.as_ref().and_then(|id| books.charges.get(id));
            latest.ok_or_else(|| unpaid(id))?
        }
    };
    if let Some(other) = intent.filter(|intent| *intent != charge.intent) {
        let message = format!("Charge {} does not belong to PaymentIntent {other}.", charge.id);
        return Err(Refusal::invalid(message).param("charge").executed());
    }
    match charge.status {
        ChargeStatus::Failed | ChargeStatus::Pending => Err(unpaid(&charge.intent)),
        ChargeStatus::Succeeded if charge.captured => Ok(charge),
        // Its authorisation was released: nothing can be cancelled or refunded any more.
        ChargeStatus::Succeeded if charge.remaining() == 0 => Err(unpaid(&charge.intent)),
        ChargeStatus::Succeeded => Err(Refusal::invalid(format!(
            "This uncaptured Charge was created by a PaymentIntent ({}). You must cancel the PaymentIntent to reverse the \
             authorization instead of refunding the Charge directly. For more information, see \
             https://stripe.com/docs/payments/place-a-hold-on-a-payment-method",
            charge.intent
        ))
        .executed()),
    }
}

struct Asked {
    amount: i64,
    reason: Option<&'static str>,
    metadata: std::collections::BTreeMap<String, String>,
}

fn refund(books: &mut Books, charge: &str, asked: Asked, call: &Call<'_>) -> Value {
    let (id, transaction) = (books.id("re"), books.id("txn"));
    let Some(charge) = books.charges.get_mut(charge) else { return Value::Null };
    charge.amount_refunded += asked.amount;
    let course = charge.kind.refunds;
    let status = if course == RefundCourse::Later { RefundStatus::Pending } else { RefundStatus::Succeeded };
    let refund = Refund {
        reason: asked.reason,
        metadata: asked.metadata,
        balance_transaction: Some(transaction),
        ..refund_of(charge, id.clone(), asked.amount, status, call.now)
    };
    let charge = charge.id.clone();
    books.refunds.insert(id.clone(), refund);
    books.emit_refund("refund.created", &id, call.cause, call.now);
    books.emit_charge("charge.refunded", &charge, call.cause, call.now);
    if course != RefundCourse::AtOnce {
        let after = books.delays.refund;
        books.set(Timer::Refund(id.clone()), call.now, after);
    }
    books.view(&id).unwrap_or_default()
}
