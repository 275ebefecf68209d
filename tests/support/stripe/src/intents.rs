//! The endpoints that make and move a payment intent: <https://docs.stripe.com/api/payment_intents>.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    books::{Books, Cause},
    currency::{Currency, LARGEST_CHARGE},
    form::Form,
    intent::{Accepts, CaptureMethod, Intent},
    methods::{AUTHENTICATION_REQUIRED, Behaviour, Kind, PaymentMethod},
    payment::{self, Attempt, End},
    refusal::Refusal,
    status::{Status, Step},
};

/// A request to an endpoint.
pub(crate) struct Call<'a> {
    pub(crate) form: &'a Form,
    pub(crate) cause: &'a Cause,
    pub(crate) now: Timestamp,
    /// The host and port that the client used, for links back to this fake.
    pub(crate) host: &'a str,
}

const ONLY_WITH_CONFIRM: [&str; 4] = ["error_on_requires_action", "off_session", "return_url", "use_stripe_sdk"];

/// `POST /v1/payment_intents`.
pub(crate) fn create(books: &mut Books, call: &Call<'_>) -> Result<Value, Refusal> {
    call.form.only(&[
        "amount",
        "automatic_payment_methods",
        "capture_method",
        "confirm",
        "confirmation_method",
        "currency",
        "description",
        "error_on_requires_action",
        "expand",
        "metadata",
        "off_session",
        "payment_method",
        "payment_method_types",
        "receipt_email",
        "return_url",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "use_stripe_sdk",
    ])?;
    let mut intent = described(call)?;
    let confirms = call.form.boolean("confirm")?.unwrap_or(false);
    if let (false, Some(name)) = (confirms, ONLY_WITH_CONFIRM.iter().find(|name| call.form.has(name))) {
        let message =
            format!("The parameter {name} cannot be passed when creating a PaymentIntent unless confirm is set to true.");
        return Err(Refusal::invalid(message).param(*name));
    }
    let found = call.form.text("payment_method")?.map(|token| find_method(books, token, None)).transpose()?;
    if let Some(Found::Token(kind) | Found::Method(PaymentMethod { kind, .. })) = &found {
        fits(&intent, *kind)?;
    }
    let flags = Flags::read(call.form)?;
    if confirms && found.is_some() {
        returns(&intent, &flags)?;
    }

    intent.id = books.id("pi");
    let method = found.map(|found| found.into_method(books, call.now));
    intent.payment_method = method.as_ref().map(|method| method.id.clone());
    intent.status = if method.is_some() { Status::RequiresConfirmation } else { Status::RequiresPaymentMethod };
    let id = intent.id.clone();
    books.intents.insert(id.clone(), intent);
    books.emit_intent("payment_intent.created", &id, call.cause, call.now);
    if confirms {
        attempt(books, &id, method.as_ref(), &flags, call)?;
    }
    Ok(books.view(&id).unwrap_or_default())
}

/// The intent that the parameters describe, without id, method and status.
fn described(call: &Call<'_>) -> Result<Intent, Refusal> {
    let form = call.form;
    form.required("amount")?;
    let amount = form.integer("amount")?.unwrap_or_default();
    let code = form.required("currency")?;
    let currency = Currency::named(code).ok_or_else(|| {
        let known = Currency::codes();
        Refusal::invalid(format!("Invalid currency: {code}. Stripe currently supports these currencies: {known}"))
            .param("currency")
    })?;
    chargeable(amount, currency)?;
    form.one_of("confirmation_method", &["automatic"])?;
    let capture_method = CaptureMethod::named(form.one_of("capture_method", &CaptureMethod::WORDS)?);
    let accepts = accepts(form)?;
    if let (Accepts::Types(types), CaptureMethod::Manual) = (&accepts, capture_method)
        && let Some(cannot) = types.iter().find(|name| *name != "card")
    {
        let message = format!("The payment method type {cannot} does not support `capture_method` `manual`.");
        return Err(Refusal::invalid(message).code("payment_intent_invalid_parameter").param("capture_method"));
    }
    let mut metadata = std::collections::BTreeMap::new();
    form.metadata(&mut metadata)?;
    Ok(Intent {
        id: String::new(),
        created: call.now,
        amount,
        amount_capturable: 0,
        amount_received: 0,
        currency,
        capture_method,
        accepts,
        status: Status::RequiresPaymentMethod,
        payment_method: None,
        latest_charge: None,
        last_payment_error: None,
        next_action: None,
        canceled_at: None,
        cancellation_reason: None,
        metadata,
        description: form.unsettable("description")?,
        receipt_email: form.unsettable("receipt_email")?,
        statement_descriptor: form.unsettable("statement_descriptor")?,
        statement_descriptor_suffix: form.unsettable("statement_descriptor_suffix")?,
        return_url: form.text("return_url")?.map(str::to_owned),
        history: Vec::new(),
    })
}

fn chargeable(amount: i64, currency: Currency) -> Result<(), Refusal> {
    let refused = |code, message: String| Err(Refusal::invalid(message).code(code).param("amount"));
    let code = currency.code;
    if amount < 1 {
        return refused("parameter_invalid_integer", "This value must be greater than or equal to 1.".to_owned());
    }
    if amount < currency.smallest_charge {
        let least = currency.text(currency.smallest_charge);
        return refused("amount_too_small", format!("Amount must be at least {least} {code}"));
    }
    if amount > LARGEST_CHARGE {
        return refused("amount_too_large", format!("Amount must be no more than {} {code}", currency.text(LARGEST_CHARGE)));
    }
    if amount % currency.multiple_of != 0 {
        let message = format!("Invalid amount: {code} amounts must be multiples of {}.", currency.multiple_of);
        return refused("parameter_invalid_integer", message);
    }
    Ok(())
}

fn accepts(form: &Form) -> Result<Accepts, Refusal> {
    let automatic = form.object("automatic_payment_methods", &["allow_redirects", "enabled"])?;
    let types = form.list("payment_method_types")?;
    match (automatic, types) {
        (Some(automatic), types) => {
            let enabled = automatic.boolean("enabled")?.ok_or_else(|| {
                let name = "automatic_payment_methods[enabled]";
                Refusal::invalid(format!("Missing required param: {name}.")).code("parameter_missing").param(name)
            })?;
            let redirects = automatic.one_of("allow_redirects", &["always", "never"])? != Some("never");
            match types {
                Some(_) if enabled => Err(Refusal::invalid(
                    "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
                )),
                Some(types) => listed(types),
                None if enabled => Ok(Accepts::Automatic { redirects }),
                None => listed(vec!["card".to_owned()]),
            }
        }
        (None, Some(types)) => listed(types),
        // The default since the API version 2023-08-16.
        (None, None) => Ok(Accepts::Automatic { redirects: true }),
    }
}

fn listed(types: Vec<String>) -> Result<Accepts, Refusal> {
    match types.iter().find(|name| !["card", "us_bank_account"].contains(&name.as_str())) {
        None => Ok(Accepts::Types(types)),
        Some(unknown) => Err(Refusal::invalid(format!(
            "The payment method type \"{unknown}\" is invalid. Please ensure the provided type is activated in your dashboard."
        ))
        .code("payment_intent_invalid_parameter")
        .param("payment_method_types")),
    }
}

/// What a `payment_method` parameter stands for.
enum Found {
    Token(Kind),
    Method(PaymentMethod),
}

impl Found {
    /// The payment method; Stripe makes a new one of a token.
    fn into_method(self, books: &mut Books, now: Timestamp) -> PaymentMethod {
        match self {
            Self::Method(method) => method,
            Self::Token(kind) => {
                let method = PaymentMethod { id: books.id("pm"), kind, created: now, used_by: None };
                books.methods.insert(method.id.clone(), method.clone());
                method
            }
        }
    }
}

/// The payment method for an intent, if it is not used up.
fn find_method(books: &Books, token: &str, intent: Option<&str>) -> Result<Found, Refusal> {
    if let Some(method) = books.methods.get(token) {
        if method.used_by.as_deref().is_some_and(|user| Some(user) != intent) {
            return Err(Refusal::invalid(
                "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a \
                 connected account without Customer attachment, or was detached from a Customer. It may not be used again. To \
                 use a PaymentMethod multiple times, you must attach it to a Customer first.",
            ));
        }
        return Ok(Found::Method(method.clone()));
    }
    Kind::of(token).map(Found::Token).ok_or_else(|| Refusal::missing("PaymentMethod", token, "payment_method"))
}

/// Refuses a payment method of a type that the intent does not accept.
fn fits(intent: &Intent, kind: Kind) -> Result<(), Refusal> {
    let types = intent.types();
    if kind.name != "card" && intent.currency.code != "usd" {
        let message =
            format!("The currency provided ({}) is invalid for payment method type {}.", intent.currency.code, kind.name);
        return Err(Refusal::invalid(message).code("payment_intent_invalid_parameter").param("currency"));
    }
    if kind.name != "card" && intent.capture_method == CaptureMethod::Manual {
        let message = format!("The payment method type {} does not support `capture_method` `manual`.", kind.name);
        return Err(Refusal::invalid(message).code("payment_intent_invalid_parameter").param("capture_method"));
    }
    if types.iter().any(|name| name == kind.name) {
        return Ok(());
    }
    let message = format!(
        "The PaymentMethod provided ({}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the \
         following types: {}.",
        kind.name,
        types.join(", ")
    );
    Err(Refusal::invalid(message).code("payment_intent_incompatible_payment_method").param("payment_method"))
}

/// How a client wants an intent confirmed.
struct Flags {
    return_url: Option<String>,
    /// No shopper is there who could authenticate.
    nobody_there: bool,
}

impl Flags {
    fn read(form: &Form) -> Result<Self, Refusal> {
        form.boolean("use_stripe_sdk")?;
        let off_session = form.boolean("off_session")?.unwrap_or(false);
        let fails = form.boolean("error_on_requires_action")?.unwrap_or(false);
        Ok(Self { return_url: form.text("return_url")?.map(str::to_owned), nobody_there: off_session || fails })
    }
}

/// Refuses to confirm an intent whose payment methods may redirect the shopper to nowhere.
fn returns(intent: &Intent, flags: &Flags) -> Result<(), Refusal> {
    let redirects = matches!(intent.accepts, Accepts::Automatic { redirects: true });
    if redirects && intent.return_url.is_none() && flags.return_url.is_none() {
        return Err(Refusal::invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment \
             methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept \
             redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and \
             `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
        ));
    }
    Ok(())
}

/// An intent that the path names.
pub(crate) fn named<'a>(books: &'a Books, id: &str) -> Result<&'a Intent, Refusal> {
    books.intents.get(id).ok_or_else(|| Refusal::not_found("payment_intent", id, "intent"))
}

/// Refuses a step that the status does not allow.
fn allowed(intent: &Intent, step: Step) -> Result<(), Refusal> {
    match intent.status.refusal(step) {
        None => Ok(()),
        Some(message) => Err(unexpected_state(intent, message)),
    }
}

fn unexpected_state(intent: &Intent, message: impl Into<String>) -> Refusal {
    Refusal::invalid(message).code("payment_intent_unexpected_state").with("payment_intent", intent.view()).executed()
}

/// `POST /v1/payment_intents/:id/confirm`.
pub(crate) fn confirm(books: &mut Books, id: &str, call: &Call<'_>) -> Result<Value, Refusal> {
    call.form.only(&[
        "client_secret",
        "error_on_requires_action",
        "expand",
        "off_session",
        "payment_method",
        "receipt_email",
        "return_url",
        "use_stripe_sdk",
    ])?;
    let flags = Flags::read(call.form)?;
    let email = call.form.text("receipt_email")?.map(str::to_owned);
    let intent = named(books, id)?;
    let token = call.form.text("payment_method")?;
    let found = token.or(intent.payment_method.as_deref()).map(|token| find_method(books, token, Some(id))).transpose()?;
    allowed(intent, Step::Confirm)?;
    let shown = |refusal: Refusal| refusal.with("payment_intent", intent.view()).executed();
    if let Some(Found::Token(kind) | Found::Method(PaymentMethod { kind, .. })) = &found {
        fits(intent, *kind).map_err(shown)?;
        returns(intent, &flags).map_err(shown)?;
    }
    let method = found.map(|found| found.into_method(books, call.now));
    if let Some(intent) = books.intents.get_mut(id) {
        intent.receipt_email = email.or(intent.receipt_email.take());
        intent.return_url = flags.return_url.clone().or(intent.return_url.take());
    }
    attempt(books, id, method.as_ref(), &flags, call)?;
    Ok(books.view(id).unwrap_or_default())
}

fn attempt(books: &mut Books, id: &str, method: Option<&PaymentMethod>, flags: &Flags, call: &Call<'_>) -> Result<(), Refusal> {
    let Some(method) = method else {
        return Err(unexpected_state(
            named(books, id)?,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the \
             PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or \
             ConfirmationToken.",
        ));
    };
    let attempt = Attempt { intent: id, method, cause: call.cause, now: call.now };
    match method.kind.behaviour {
        Behaviour::NeedsAuthentication(_) if flags.nobody_there => Err(attempt.decline(books, AUTHENTICATION_REQUIRED, None)),
        Behaviour::NeedsAuthentication(_) => {
            let next = next_action(named(books, id)?, call.host);
            attempt.ask_for_authentication(books, next);
            Ok(())
        }
        Behaviour::Approves | Behaviour::Declines(_) | Behaviour::RefusesCapture | Behaviour::Settles(_) => attempt.charge(books),
    }
}

/// Where the shopper authenticates: a page of this fake.
fn next_action(intent: &Intent, host: &str) -> Value {
    let page = format!("http://{host}/_fake/payment_intents/{}/authenticate", intent.id);
    match &intent.return_url {
        Some(return_url) => json!({ "redirect_to_url": { "return_url": return_url, "url": page }, "type": "redirect_to_url" }),
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": { "stripe_js": page, "type": "three_d_secure_redirect" },
        }),
    }
}

/// `POST /v1/payment_intents/:id/capture`.
pub(crate) fn capture(books: &mut Books, id: &str, call: &Call<'_>) -> Result<Value, Refusal> {
    call.form.only(&["amount_to_capture", "expand", "metadata", "statement_descriptor", "statement_descriptor_suffix"])?;
    let amount = call.form.integer("amount_to_capture")?;
    let intent = named(books, id)?;
    let mut metadata = intent.metadata.clone();
    call.form.metadata(&mut metadata)?;
    let descriptor = call.form.text("statement_descriptor")?.map(str::to_owned);
    let suffix = call.form.text("statement_descriptor_suffix")?.map(str::to_owned);
    allowed(intent, Step::Capture)?;
    let amount = amount.unwrap_or(intent.amount_capturable);
    capturable(intent, amount)?;

    let method = intent.payment_method.as_ref().and_then(|method| books.methods.get(method)).cloned();
    let charge = intent.latest_charge.clone();
    if let Some(method) = method.filter(|method| method.kind.behaviour == Behaviour::RefusesCapture) {
        let attempt = Attempt { intent: id, method: &method, cause: call.cause, now: call.now };
        return Err(attempt.refuse_capture(books, charge.as_deref()));
    }
    if let Some(intent) = books.intents.get_mut(id) {
        intent.metadata = metadata;
        intent.statement_descriptor = descriptor.or(intent.statement_descriptor.take());
        intent.statement_descriptor_suffix = suffix.or(intent.statement_descriptor_suffix.take());
    }
    payment::capture(books, id, amount, call.cause, call.now);
    Ok(books.view(id).unwrap_or_default())
}

fn capturable(intent: &Intent, amount: i64) -> Result<(), Refusal> {
    let refusal = if amount < 0 {
        Refusal::invalid("Invalid non-negative integer").param("amount_to_capture")
    } else if amount == 0 {
        // Stripe names the parameter of the charge here, not the one that was sent.
        Refusal::invalid("This value must be greater than or equal to 1.").code("parameter_invalid_integer").param("amount")
    } else if amount > intent.amount_capturable {
        Refusal::invalid(
            "The payment could not be captured because the requested capture amount is greater than the amount you can capture \
             for this charge. Contact us via https://support.stripe.com/contact/ for help.",
        )
        .code("amount_too_large")
    } else {
        return Ok(());
    };
    Err(refusal.with("payment_intent", intent.view()).executed())
}

/// `POST /v1/payment_intents/:id/cancel`.
pub(crate) fn cancel(books: &mut Books, id: &str, call: &Call<'_>) -> Result<Value, Refusal> {
    call.form.only(&["cancellation_reason", "expand"])?;
    let reasons = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"];
    let reason = call.form.one_of("cancellation_reason", &reasons)?;
    allowed(named(books, id)?, Step::Cancel)?;
    payment::cancel(books, id, End::Asked(reason), call.cause, call.now);
    Ok(books.view(id).unwrap_or_default())
}
