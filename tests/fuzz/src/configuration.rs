//! The variables with which a function starts: those that would be dangerous do not let it start.

use parts::Parts;

use crate::{
    functions::wire,
    world::{World, usual_variables},
};

/// The first line names a function; each other line is `NAME=value`.
pub(crate) fn variables(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let mut lines = text.lines();
    let Some(wire) = lines.next().and_then(wire) else { return false };
    let changed: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut parts = World::new().parts(&changed);
    match wire(&mut parts) {
        Ok(_) => {
            is_safe(&parts, &changed);
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert!(parts.variables().iter().any(|name| said.contains(name.as_str())), "no variable is named: {said}");
            false
        }
    }
}

/// Checks what no stage but `local` may have, in the variables that the function has asked for.
fn is_safe(parts: &Parts, changed: &[(String, String)]) {
    let usual = usual_variables();
    let value = |name: &str| {
        let changed = changed.iter().rev().find(|(changed, _)| changed == name).map(|(_, value)| value.trim());
        let usual = usual.iter().find(|(usual, _)| *usual == name).map(|(_, value)| value.as_str());
        if parts.variables().contains(name) { changed.or(usual).unwrap_or_default() } else { "" }
    };
    let is_local = changed.iter().rev().find(|(name, _)| name == "ENVIRONMENT").is_none_or(|(_, value)| value.trim() == "local");
    let is_prod = value("ENVIRONMENT") == "prod";
    if is_local {
        return;
    }
    assert_ne!(value("TRUST_USER_ID_HEADER"), "true", "a header stands in for a token");
    for name in ["STRIPE_URL", "PAYPAL_URL", "CUSTOMER_KEYS_URL", "OPERATOR_KEYS_URL"] {
        assert!(value(name).is_empty() || value(name).starts_with("https://"), "{name} is without TLS");
    }
    assert!(
        value("CUSTOMER_ISSUER").is_empty() || value("CUSTOMER_ISSUER") != value("OPERATOR_ISSUER"),
        "customers are operators"
    );
    let accounts = || value("PAYMENT_GATEWAYS").split(',').map(str::trim);
    assert!(!is_prod || !accounts().any(|account| account.starts_with("sandbox")), "prod has a sandbox");
    assert!(!accounts().any(|account| account.contains("=sk_") || account.contains("=rk_")), "a secret key is public");
}

pub(crate) fn variable_seeds() -> Vec<Vec<u8>> {
    let all: Vec<String> = usual_variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let all = all.join("\n");
    let prod = "ENVIRONMENT=prod\nPAYMENT_GATEWAYS=stripe=pk_live_1,paypal-eu=AbC:M\nTRUST_USER_ID_HEADER=false\n";
    let staging =
        "ENVIRONMENT=staging\nPAYMENT_GATEWAYS=sandbox\nPAYMENTS_PER_SECOND=500\nPAYPAL_URL=https://api-m.sandbox.paypal.com\n";
    let unsafe_ones = [
        "ENVIRONMENT=prod\n",
        "ENVIRONMENT=staging\nTRUST_USER_ID_HEADER=true\n",
        "ENVIRONMENT=staging\nSTRIPE_URL=http://127.0.0.1:1\n",
        "CUSTOMER_ISSUER=https://a.example.com\nOPERATOR_ISSUER=https://a.example.com\n",
        "PAYMENT_GATEWAYS=stripe=sk_live_1\n",
        "ENVIRONMENT=staging\nPAYPAL_URL=http://127.0.0.1:1\nCUSTOMER_KEYS_URL=http://127.0.0.1:1/keys\n",
    ];
    let all = [all.as_str(), prod, staging].into_iter().chain(unsafe_ones);
    let functions = ["authorize", "checkout", "charge-payment", "receive-paypal", "feed-edge"];
    all.flat_map(|text| functions.map(|function| format!("{function}\n{text}").into_bytes())).collect()
}
