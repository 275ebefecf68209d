//! Types that are parsed from a text: what one of them takes, it writes again as it was.

use std::{fmt::Display, str::FromStr};

use domain::{
    Account, Accounts, Currency, IdempotencyKey, Money, PaymentMethod, ProductId, Provider, RefundKey, ReservationId, RestockKey,
    ShopperId, has_card_number,
};
use kit::{Origins, http::EdgeSecrets};

/// Whether `T` takes the text. It then writes the same text.
fn is_exact<T: FromStr + Display>(text: &str) -> bool {
    let Ok(read) = text.parse::<T>() else { return false };
    assert_eq!(read.to_string(), text, "another spelling is taken");
    true
}

/// Whether the text is a short text of this many bytes at most, all of them printable.
fn is_short<T: FromStr + Display>(text: &str, most: usize) -> bool {
    let is_taken = is_exact::<T>(text);
    assert!(!is_taken || (1..=most).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{text:?}");
    is_taken
}

fn is_reservation(text: &str) -> bool {
    let Ok(id) = text.parse::<ReservationId>() else { return false };
    assert!(is_short::<ProductId>(id.product().as_str(), ProductId::MAX_LENGTH));
    assert_eq!(ReservationId::of(id.product(), &id.ulid()), Ok(id.clone()), "a shard has another id");
    is_exact::<ReservationId>(text)
}

/// The number of an attempt may be written with zeros before it, so only what is read again counts.
fn is_key(text: &str) -> bool {
    let Ok(key) = text.parse::<IdempotencyKey>() else { return false };
    assert_eq!(key.to_string().parse(), Ok(key));
    true
}

fn is_method(text: &str) -> bool {
    let Ok(method) = text.parse::<PaymentMethod>() else { return false };
    let (provider, token) = method.parts();
    assert_eq!((format!("{provider}:{token}").as_str(), method.as_str()), (text, text));
    assert_eq!(
        Provider::of(&method).map(Provider::as_str),
        Some(provider).filter(|name| ["sandbox", "stripe", "paypal"].contains(name))
    );
    true
}

/// No secret key is shown to shoppers.
fn is_account(text: &str) -> bool {
    let Ok(account) = text.parse::<Account>() else { return false };
    let key = account.public_key.as_deref().unwrap_or_default();
    assert!(!["sk_", "rk_"].iter().any(|secret| key.starts_with(secret)), "{key} is a secret");
    assert_eq!(key.is_empty(), account.public_key.is_none());
    assert!(account.provider == Provider::Sandbox || !key.is_empty(), "{text} has no public key");
    assert!(account.name.0.starts_with(account.provider.as_str()) && account.name.0.len() <= 40);
    let both = Accounts::read(&[text.to_owned(), text.to_owned()]);
    assert!(both.is_err(), "{text} is there twice");
    true
}

/// An amount is a plain decimal number, and exactly one amount of a currency.
fn is_amount(text: &str) -> bool {
    let is_decimal = Money::check_decimal(text).is_ok();
    let euro: Currency = "EUR".parse().unwrap();
    let of = |minor: i64| Money::new(minor, euro).unwrap().equals_decimal(text);
    assert!(is_decimal == of(1).is_ok() && [1, 100, 99_900].iter().filter(|minor| of(**minor) == Ok(true)).count() <= 1);
    is_decimal
}

/// Nothing but a SHA-256 in lower-case hex is a hash of the edge's secret.
fn is_hash(text: &str) -> bool {
    let Some(secrets) = EdgeSecrets::with_hashes(vec![text.to_owned()]) else { return false };
    assert!(text.len() == 64 && !secrets.admit(Some(text)) && !secrets.admit(None));
    true
}

pub(crate) fn texts(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    // Neither of them refuses anything.
    _ = (text.parse::<Origins>(), has_card_number(text));
    [
        is_short::<ProductId>(text, ProductId::MAX_LENGTH),
        is_short::<ShopperId>(text, ShopperId::MAX_LENGTH),
        is_short::<RestockKey>(text, RestockKey::MAX_LENGTH),
        is_short::<RefundKey>(text, RefundKey::MAX_LENGTH),
        is_exact::<Currency>(text),
        is_reservation(text),
        is_key(text),
        is_method(text),
        is_account(text),
        is_amount(text),
        is_hash(text),
    ]
    .contains(&true)
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let account = "stripe-eu=pk_live_51Example";
    let texts = [
        "demo-1_x",
        "5b2f1c1e-7a44-4c0f-9d53-0a4d5e6f7a01",
        "auth0|ann lee#1",
        "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D",
        "demo.01JD3V3Z5T8Q6W7X9Y0A1B2C3D-12",
        "sandbox:charged-but-answer-lost",
        "paypal=AbC:MERCHANT",
        "EUR",
        "999.00",
        "https://shop.example.com,https://m.shop.example.com",
        "4242 4242 4242 4242",
        account,
        hash,
    ];
    texts.into_iter().map(|text| text.as_bytes().to_vec()).collect()
}
