//! Properties of the verifier, for any token: it does not panic, and it believes nothing that the issuer did not sign as it is.

use domain::Timestamp;
use identity::{Grant, Issuer, KeySet, Realm, Refusal, Token};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use test_issuer::{Issuer as Fake, Signer};

use crate::gate::world::{but, without};

const NOW: i64 = 1_793_534_460;

struct Pure {
    fake: Fake,
    issuer: Issuer,
    keys: KeySet,
}

impl Pure {
    fn new(signer: Signer) -> Self {
        let fake = Fake::cognito("Shoppers", signer);
        let issuer = Issuer::new(Realm::Customers, fake.url.clone(), vec![fake.audience.clone()]).unwrap();
        let keys = KeySet::read(fake.key_set().to_string().as_bytes()).unwrap();
        Self { fake, issuer, keys }
    }

    fn verify(&self, text: &str) -> Result<Grant, Refusal> {
        let token = Token::read(text)?;
        let key = self.keys.find(token.algorithm(), token.key_id()).ok_or(Refusal::UnknownKey)?;
        self.issuer.verify(&token, key, Timestamp::from_second(NOW).unwrap())
    }

    fn claims(&self) -> Value {
        self.fake.id_claims("ann", NOW)
    }
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_refused(text in "[A-Za-z0-9_.=+/ -]{0,200}") {
        prop_assert!(Pure::new(Signer::es256(1)).verify(&text).is_err());
    }

    #[test]
    fn any_bytes_in_the_three_parts_are_refused(header in vec(any::<u8>(), 0..80), claims in vec(any::<u8>(), 0..80), signature in vec(any::<u8>(), 0..80)) {
        let text = [header, claims, signature].map(test_issuer::encoded).join(".");
        prop_assert!(Pure::new(Signer::es256(1)).verify(&text).is_err());
    }

    #[test]
    fn a_good_token_with_any_letter_changed_is_refused(place in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.-]") {
        let pure = Pure::new(Signer::es256(1));
        let good = pure.fake.token(&pure.claims());
        prop_assert!(pure.verify(&good).is_ok());
        let place = place.index(good.len());
        let changed = format!("{}{letter}{}", &good[..place], &good[place + 1..]);
        prop_assert_eq!(pure.verify(&changed).is_ok(), changed == good);
    }

    #[test]
    fn a_good_token_that_is_cut_or_lengthened_is_refused(cut in any::<prop::sample::Index>(), more in "[A-Za-z0-9_.-]{1,8}") {
        let pure = Pure::new(Signer::es256(1));
        let good = pure.fake.token(&pure.claims());
        prop_assert!(pure.verify(&good[..cut.index(good.len())]).is_err());
        let (longer, later) = (format!("{good}{more}"), format!("{more}{good}"));
        prop_assert!(pure.verify(&longer).is_err());
        prop_assert!(pure.verify(&later).is_err());
    }

    #[test]
    fn what_is_granted_is_what_the_claims_say(subject in r"[!#-\[\]-~]{1,128}", lasts in 1_i64..1_000_000) {
        let pure = Pure::new(Signer::es256(1));
        let claims = but(but(pure.claims(), "sub", json!(subject)), "exp", json!(NOW + lasts));
        let grant = pure.verify(&pure.fake.token(&claims)).unwrap();
        prop_assert_eq!((grant.subject.as_str(), grant.expires_at.as_second()), (subject.as_str(), NOW + lasts));
        prop_assert_eq!((grant.realm, grant.groups.len()), (Realm::Customers, 0));
    }

    #[test]
    fn any_value_of_a_claim_that_decides_is_refused_or_means_what_it_says(
        name in prop::sample::select(vec!["iss", "aud", "token_use", "exp", "nbf", "iat", "sub", "events"]),
        value in any_json(),
    ) {
        let pure = Pure::new(Signer::es256(1));
        let verified = pure.verify(&pure.fake.token(&but(pure.claims(), name, value.clone())));
        if let Ok(grant) = verified {
            let means = match name {
                "exp" => value.as_i64() == Some(grant.expires_at.as_second()) && !grant.is_over(Timestamp::from_second(NOW).unwrap()),
                "nbf" | "iat" => value.as_i64().is_some_and(|time| (0..=NOW + 60).contains(&time)),
                "sub" => value.as_str() == Some(grant.subject.as_str()),
                _ => false,
            };
            prop_assert!(means, "{name}: {value}");
        }
    }

    #[test]
    fn claims_that_decide_nothing_may_be_anything(name in "x_[a-z]{1,8}", value in any_json()) {
        let pure = Pure::new(Signer::es256(1));
        let token = pure.fake.token(&but(pure.claims(), &name, value));
        let size = token.len();
        prop_assert_eq!(pure.verify(&token).is_ok(), size <= identity::LARGEST_TOKEN);
    }

    #[test]
    fn any_header_of_a_good_signature_is_refused_unless_it_is_the_issuers(
        name in prop::sample::select(vec!["alg", "kid", "typ", "crit", "b64", "zip", "enc", "cty"]),
        value in any_json(),
    ) {
        let pure = Pure::new(Signer::es256(1));
        let header = but(pure.fake.header(), name, value);
        prop_assert!(pure.verify(&pure.fake.token_with(&header, &pure.claims())).is_err());
    }

    #[test]
    fn any_document_is_a_key_set_or_is_refused(keys in vec(any_json(), 0..4), text in ".{0,60}") {
        let _ = KeySet::read(json!({"keys": keys}).to_string().as_bytes());
        let _ = KeySet::read(text.as_bytes());
    }

    #[test]
    fn any_numbers_in_a_key_are_a_key_or_are_left_out(n in vec(any::<u8>(), 0..300), e in vec(any::<u8>(), 0..6), x in vec(any::<u8>(), 30..34)) {
        let rsa = json!({"kty": "RSA", "kid": "r", "n": test_issuer::encoded(n), "e": test_issuer::encoded(e)});
        let point = test_issuer::encoded(x);
        let elliptic = json!({"kty": "EC", "crv": "P-256", "kid": "e", "x": point, "y": point});
        let _ = KeySet::read(json!({"keys": [rsa, elliptic]}).to_string().as_bytes());
    }
}

#[test]
fn a_token_needs_each_of_its_claims() {
    let pure = Pure::new(Signer::rs256(1));
    assert!(pure.verify(&pure.fake.token(&pure.claims())).is_ok());
    for (name, refusal) in [
        ("iss", Refusal::Issuer),
        ("aud", Refusal::Audience),
        ("token_use", Refusal::TokenUse),
        ("exp", Refusal::Time),
        ("sub", Refusal::Subject),
    ] {
        assert_eq!(pure.verify(&pure.fake.token(&without(pure.claims(), name))), Err(refusal), "{name}");
    }
}
