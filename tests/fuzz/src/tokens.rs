//! Tokens, the keys of their issuers, and what the authorizer grants.

use std::{collections::BTreeMap, sync::LazyLock};

use domain::Timestamp;
use identity::{Algorithm, Grant, Issuer, KeySet, LARGEST_KEY_SET, LARGEST_TOKEN, LEEWAY_SECONDS, Realm, Refusal, Token};
use serde_json::{Value, json};
use test_issuer::Signer;

/// The time of the tests, in seconds.
pub(crate) const NOW_SECONDS: i64 = 1_793_534_460; // 2026-11-01T12:01:00Z

/// Two issuers, whose tokens every function of the API believes: the customers' and the operators'.
pub(crate) struct Issuers {
    pub(crate) customers: test_issuer::Issuer,
    pub(crate) operators: test_issuer::Issuer,
}

impl Issuers {
    fn all(&self) -> [(Realm, &test_issuer::Issuer); 2] {
        [(Realm::Customers, &self.customers), (Realm::Operators, &self.operators)]
    }
}

pub(crate) static ISSUERS: LazyLock<Issuers> = LazyLock::new(|| Issuers {
    customers: test_issuer::Issuer::oidc("shop", Signer::es256(1)),
    operators: test_issuer::Issuer::cognito("ops", Signer::rs256(1)),
});

/// The issuers as the authorizer knows them.
static KNOWN: LazyLock<Vec<(Issuer, KeySet)>> = LazyLock::new(|| {
    let known = |(realm, issuer): (Realm, &test_issuer::Issuer)| {
        let keys = KeySet::read(issuer.key_set().to_string().as_bytes()).unwrap();
        (Issuer::new(realm, issuer.url.clone(), vec![issuer.audience.clone()]).unwrap(), keys)
    };
    ISSUERS.all().into_iter().map(known).collect()
});

/// The tokens that the issuers have made.
pub(crate) static TRUE_TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let Issuers { customers, operators } = &*ISSUERS;
    let with_groups = |mut claims: Value| {
        claims["cognito:groups"] = json!(["ops", "night_shift"]);
        claims
    };
    let several = json!({"iss": customers.url, "sub": "auth0|1", "aud": ["other", customers.audience], "exp": NOW_SECONDS + 60});
    vec![
        customers.token(&customers.id_claims("ann", NOW_SECONDS)),
        customers.token(&several),
        operators.token(&with_groups(operators.id_claims("olga", NOW_SECONDS))),
        operators.token(&with_groups(operators.access_claims("olga", NOW_SECONDS))),
        customers.token(&with_groups(customers.id_claims("ann", NOW_SECONDS))),
        operators.token(&customers.id_claims("ann", NOW_SECONDS)),
        customers.token(&customers.id_claims("ann", NOW_SECONDS - 4_000)),
    ]
});

fn now() -> Timestamp {
    Timestamp::from_second(NOW_SECONDS).unwrap()
}

/// As the authorizer: the issuer that the token names, its key, and what it grants.
fn granted(text: &str) -> Result<Grant, Refusal> {
    let token = Token::read(text)?;
    assert!(text.len() <= LARGEST_TOKEN, "a token of {} bytes is read", text.len());
    let (issuer, keys) = KNOWN.iter().find(|(issuer, _)| issuer.names(&token)).ok_or(Refusal::Issuer)?;
    let key = keys.find(token.algorithm(), token.key_id()).ok_or(Refusal::UnknownKey)?;
    let grant = issuer.verify(&token, key, now())?;
    assert_eq!(grant.realm, issuer.realm());
    is_within_limits(&grant);
    Ok(grant)
}

/// A grant is of this time, can be written into a log, and arrives as it was given.
fn is_within_limits(grant: &Grant) {
    assert!(grant.expires_at.as_second() + LEEWAY_SECONDS > NOW_SECONDS, "{grant:?} has ended");
    assert!(grant.realm == Realm::Operators || grant.groups.is_empty(), "{grant:?}: a customer has groups");
    assert!(!grant.subject.as_str().contains(['"', '\\']), "{grant:?}");
    arrives(grant);
}

/// API Gateway hands the grant on as texts, and the functions read the same.
fn arrives(grant: &Grant) {
    let mut members: BTreeMap<&str, String> = grant.context().into_iter().collect();
    members.insert("principalId", grant.subject.to_string());
    assert_eq!(Grant::read(|name| members.get(name).map(String::as_str)).as_ref(), Some(grant));
}

/// Nothing is believed but what an issuer has signed.
pub(crate) fn token(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    if granted(text).is_err() {
        return false;
    }
    is_true(text);
    true
}

/// Checks that an issuer made the token. The signature may be another one of the same text.
pub(crate) fn is_true(text: &str) {
    let signed = |token: &str| token.rsplit_once('.').map(|(signed, _)| signed.to_owned());
    assert!(TRUE_TOKENS.iter().any(|token| signed(token) == signed(text)), "a forged token is believed");
}

/// Claims that are truly signed are believed only as far as they are for this shop, and of this time.
pub(crate) fn claims(input: &[u8]) -> bool {
    let Ok(claims) = std::str::from_utf8(input) else { return false };
    let issuer = &ISSUERS.customers;
    let token = issuer.raw_token(&issuer.header().to_string(), claims);
    let Ok(grant) = granted(&token) else { return false };
    let said: Value = serde_json::from_str(claims).expect("claims are JSON");
    assert!(said["iss"] == issuer.url.as_str() && said["sub"] == grant.subject.as_str(), "{said}");
    assert_eq!(said["exp"].as_i64(), Some(grant.expires_at.as_second()));
    let audiences = said["aud"].as_array().map_or_else(|| vec![&said["aud"]], |several| several.iter().collect());
    assert!(audiences.contains(&&json!(issuer.audience)), "{said} is for another application");
    for begin in ["nbf", "iat"] {
        assert!(
            said[begin].is_null() || said[begin].as_i64().is_some_and(|begin| begin <= NOW_SECONDS + LEEWAY_SECONDS),
            "{said}"
        );
    }
    true
}

/// A header that is truly signed chooses nothing but a key of the issuer.
pub(crate) fn header(input: &[u8]) -> bool {
    let Ok(header) = std::str::from_utf8(input) else { return false };
    let issuer = &ISSUERS.customers;
    let token = issuer.raw_token(header, &issuer.id_claims("ann", NOW_SECONDS).to_string());
    if granted(&token).is_err() {
        return false;
    }
    let said: Value = serde_json::from_str(header).expect("a header is JSON");
    assert!(said["alg"] == "ES256" && said["kid"] == issuer.key_id.as_str() && said["crit"].is_null(), "{said}");
    true
}

/// A key set has keys that the document names, and no others.
pub(crate) fn key_set(input: &[u8]) -> bool {
    let Ok(keys) = KeySet::read(input) else { return false };
    assert!(input.len() <= LARGEST_KEY_SET && !keys.is_empty(), "{} bytes", input.len());
    let said: Value = serde_json::from_slice(input).expect("a key set is JSON");
    let listed = said["keys"].as_array().expect("a key set has keys");
    assert!((1..=listed.len()).contains(&keys.len()), "{} of {} keys", keys.len(), listed.len());
    let found = listed
        .iter()
        .filter_map(|key| key["kid"].as_str())
        .filter(|id| [Algorithm::Rs256, Algorithm::Es256].into_iter().any(|algorithm| keys.find(algorithm, id).is_some()));
    assert!(found.count() > 0, "no key is found by its id");
    true
}

/// What is read of `requestContext.authorizer` is what it says.
pub(crate) fn grant(input: &[u8]) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_slice(input) else { return false };
    let Some(grant) = Grant::read(|name| members.get(name).and_then(Value::as_str)) else { return false };
    assert_eq!(members["principalId"], grant.subject.as_str());
    assert!(["customers", "operators"].map(|realm| json!(realm)).contains(&members["realm"]));
    arrives(&grant);
    true
}

fn bytes(texts: impl IntoIterator<Item = impl ToString>) -> Vec<Vec<u8>> {
    texts.into_iter().map(|text| text.to_string().into_bytes()).collect()
}

pub(crate) fn token_seeds() -> Vec<Vec<u8>> {
    let unsigned = format!("{}.", test_issuer::signed_part(r#"{"alg":"none"}"#, r#"{"iss":"https://shop.example.com/"}"#));
    bytes(TRUE_TOKENS.iter().cloned().chain([unsigned]))
}

pub(crate) fn claims_seeds() -> Vec<Vec<u8>> {
    let Issuers { customers, operators } = &*ISSUERS;
    let not_yet =
        json!({"iss": customers.url, "sub": "a", "aud": [customers.audience], "exp": NOW_SECONDS, "nbf": NOW_SECONDS + 90});
    bytes([
        customers.id_claims("ann", NOW_SECONDS),
        customers.access_claims("ann", NOW_SECONDS),
        operators.id_claims("o", 0),
        not_yet,
    ])
}

pub(crate) fn header_seeds() -> Vec<Vec<u8>> {
    let Issuers { customers, operators } = &*ISSUERS;
    let access = json!({"typ": "at+jwt", "alg": "ES256", "kid": customers.key_id, "x5t": "a"});
    let own_key = json!({"alg": "ES256", "kid": "mine", "jwk": Signer::es256(2).jwk("mine"), "crit": ["b64"], "b64": false});
    bytes([customers.header(), access, operators.header(), own_key])
}

pub(crate) fn key_set_seeds() -> Vec<Vec<u8>> {
    let Issuers { customers, operators } = &*ISSUERS;
    let signers = [Signer::es256(2), Signer::es384(), Signer::ed25519(), Signer::rs256(2), Signer::hs256("secret")];
    let many: Vec<Value> = signers.iter().enumerate().map(|(place, signer)| signer.jwk(&format!("key-{place}"))).collect();
    bytes([customers.key_set(), operators.key_set(), json!({"keys": many}), json!({"keys": []})])
}

pub(crate) fn grant_seeds() -> Vec<Vec<u8>> {
    let operator = json!({"principalId": "olga", "realm": "operators", "groups": "ops,night_shift", "exp": "1800000000"});
    let shopper = json!({"principalId": "ann", "realm": "customers", "groups": "", "exp": "1800000000", "integrationLatency": 3});
    bytes([operator, shopper, json!({})])
}
