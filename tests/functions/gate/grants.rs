//! Tokens that are believed, and what they grant.

use identity::{Grant, Realm};
use kit::AuthorizerFunction;
use serde_json::json;
use test_issuer::{Issuer, Signer};

use crate::gate::world::{Gate, but, without};

async fn granted(gate: &Gate, token: &str) -> Grant {
    let grant = gate.authorizer().admit(&format!("Bearer {token}")).await;
    grant.unwrap_or_else(|refused| panic!("{refused:?}"))
}

#[tokio::test]
async fn a_customers_id_token_and_access_token_name_the_same_shopper() {
    let gate = Gate::open();
    let (id, access) = (gate.good(), gate.customers.token(&gate.customers.access_claims("ann", gate.now())));
    let grant = granted(&gate, &id).await;
    assert_eq!((grant.subject.as_str(), grant.realm, grant.groups.len()), ("ann", Realm::Customers, 0));
    assert_eq!(grant.expires_at.as_second(), gate.now() + 3600);
    assert_eq!(granted(&gate, &access).await, grant);
}

#[tokio::test]
async fn an_operators_token_names_the_groups_of_the_operators_pool() {
    let gate = Gate::open();
    for claims in [gate.operators.id_claims("olga", gate.now()), gate.operators.access_claims("olga", gate.now())] {
        let token = gate.operators.token(&but(claims.clone(), "cognito:groups", json!(["ops", "reports"])));
        let grant = granted(&gate, &token).await;
        assert_eq!((grant.realm, grant.groups), (Realm::Operators, vec!["ops".to_owned(), "reports".to_owned()]));
        assert!(granted(&gate, &gate.operators.token(&claims)).await.groups.is_empty());
    }
}

#[tokio::test]
async fn a_group_of_the_customers_issuer_is_not_handed_on() {
    for gate in [Gate::open(), Gate::of_oidc()] {
        for name in ["cognito:groups", "groups", "roles", "realm"] {
            let grant = granted(&gate, &gate.claiming(name, json!(["ops"]))).await;
            assert_eq!((grant.realm, grant.groups.len()), (Realm::Customers, 0), "{name}");
        }
    }
}

#[tokio::test]
async fn a_group_whose_name_looks_like_several_is_left_out() {
    let gate = Gate::open();
    let groups = json!(["a,ops", "ops ", " ops", "", "ops\n", "ops,", 7, null, ["ops"], "night-shift"]);
    let token = gate.operators.token(&but(gate.operators.id_claims("olga", gate.now()), "cognito:groups", groups));
    assert_eq!(granted(&gate, &token).await.groups, ["night-shift"]);
    let text = but(gate.operators.id_claims("olga", gate.now()), "cognito:groups", json!("ops"));
    assert!(granted(&gate, &gate.operators.token(&text)).await.groups.is_empty(), "Cognito writes a list");
}

#[tokio::test]
async fn a_token_of_another_issuer_of_openid_connect_is_good_for_one_of_its_apps() {
    let gate = Gate::of_oidc();
    assert_eq!(granted(&gate, &gate.good()).await.subject.as_str(), "ann");
    let among_others = gate.claiming("aud", json!(["https://login.example.com/userinfo", gate.customers.audience]));
    assert_eq!(granted(&gate, &among_others).await.subject.as_str(), "ann");
    // Such an issuer has no `token_use`, and subjects of its own form.
    let claims = but(without(gate.claims(), "token_use"), "sub", json!("auth0|65f0c1d2e3"));
    assert_eq!(granted(&gate, &gate.customers.token(&claims)).await.subject.as_str(), "auth0|65f0c1d2e3");
}

#[tokio::test]
async fn a_leeway_of_a_minute_covers_clocks_that_differ() {
    let gate = Gate::open();
    for (claim, offset) in [("exp", -59), ("exp", 1), ("nbf", 60), ("nbf", -1), ("iat", 60), ("iat", -86_400)] {
        granted(&gate, &gate.claiming(claim, json!(gate.now() + offset))).await;
    }
    granted(&gate, &gate.not_claiming("iat")).await;
}

#[tokio::test]
async fn the_scheme_is_bearer_in_any_case_and_nothing_else() {
    let gate = Gate::open();
    let (authorizer, good) = (gate.authorizer(), gate.good());
    for header in [format!("Bearer {good}"), format!("bearer {good}"), format!("BEARER {good}"), format!("Bearer   {good}")] {
        assert!(authorizer.admit(&header).await.is_ok(), "{header}");
    }
    for header in [good.clone(), format!("Basic {good}"), format!("Bearer{good}"), format!(" Bearer {good}"), "Bearer".to_owned()]
    {
        assert!(authorizer.admit(&header).await.is_err(), "{header}");
    }
}

#[tokio::test]
async fn rsa_and_elliptic_keys_of_one_issuer_work_side_by_side_even_under_one_id() {
    let gate = Gate::open();
    let id = gate.customers.key_id.clone();
    let elliptic = Issuer { key_id: id.clone(), ..Issuer::cognito("Shoppers", Signer::es256(1)) };
    gate.server.publish(&gate.customers.keys_url, &json!({"keys": [gate.customers.signer.jwk(&id), elliptic.signer.jwk(&id)]}));
    granted(&gate, &gate.good()).await;
    granted(&gate, &elliptic.token(&gate.claims())).await;
}
