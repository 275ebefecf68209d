use domain::Timestamp;
use serde_json::json;
use test_aws::FixedClock;

use super::*;

/// The time of these tests.
const NOW: &str = "2026-11-01T12:00:00Z";

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(NOW))
}

fn granted_only() -> Identity {
    Identity::granted_only(clock())
}

fn trusting() -> Identity {
    Identity::trusting_header(clock())
}

fn asked() -> test_aws::RequestBuilder {
    test_aws::request("GET", "/orders")
}

/// A request with a token that ends so many seconds from now.
fn ending_in(seconds: i64) -> test_aws::RequestBuilder {
    let now: Timestamp = NOW.parse().unwrap();
    asked().shopper("shopper-1").granted("exp", json!((now.as_second() + seconds).to_string()))
}

fn status<T>(result: Result<T, Problem>) -> u16 {
    result.err().map_or(200, |problem| problem.status())
}

#[test]
fn the_shopper_is_the_tokens_subject() {
    let caller = granted_only().shopper(&asked().shopper("shopper-1").build()).unwrap();
    assert_eq!(caller.shopper.as_str(), "shopper-1");
}

#[test]
fn a_grant_that_api_gateway_still_has_ends_with_its_token() {
    for (seconds, expected) in [(3600, 200), (1, 200), (0, 200), (-59, 200), (-60, 401), (-299, 401), (-100_000, 401)] {
        let request = ending_in(seconds);
        assert_eq!(status(granted_only().shopper(&request.clone().build())), expected, "{seconds}");
        assert_eq!(status(granted_only().operator(&request.group("ops").build(), "ops")), expected, "{seconds}");
    }
}

#[test]
fn only_operators_in_the_group_pass_and_a_name_that_contains_the_groups_is_not_it() {
    let operator = |groups: &str| status(granted_only().operator(&asked().shopper("ann").group(groups).build(), "ops"));
    assert_eq!((operator("ops"), operator("admin,ops")), (200, 200));
    for groups in ["", "admin", "devops", "ops2", "OPS", "ops.", "[ops]", "\"ops\"", " ops"] {
        assert_eq!(operator(groups), 403, "{groups}");
    }
}

#[test]
fn a_group_of_the_customers_issuer_makes_nobody_an_operator() {
    let customer = asked().shopper("ann").granted("groups", json!("ops")).build();
    assert_eq!(status(granted_only().operator(&customer, "ops")), 403);
    assert_eq!(status(granted_only().shopper(&customer)), 200);
}

#[test]
fn an_operator_is_no_shopper_even_with_a_shoppers_id() {
    let operator = asked().shopper("shopper-1").group("ops").build();
    assert_eq!(status(granted_only().shopper(&operator)), 403);
    let without_group = asked().shopper("shopper-1").group("").build();
    assert_eq!(
        (status(granted_only().shopper(&without_group)), status(granted_only().operator(&without_group, "ops"))),
        (403, 403)
    );
}

#[test]
fn nobody_is_refused() {
    let nobody = [
        asked().build(),
        asked().granted("principalId", json!("ann")).build(),
        asked().shopper("").build(),
        asked().shopper("ann").granted("principalId", json!(7)).build(),
        asked().shopper("ann").granted("realm", json!("admins")).build(),
        asked().shopper("ann").granted("exp", json!("never")).build(),
        asked().shopper("ann").granted("exp", json!(null)).build(),
        asked().granted("claims", json!({"sub": "ann", "cognito:groups": "ops"})).build(),
        Request::default(),
    ];
    for request in nobody {
        for identity in [granted_only(), trusting()] {
            assert_eq!(status(identity.shopper(&request)), 401);
            assert_eq!(status(identity.operator(&request, "ops")), 401);
        }
    }
}

#[test]
fn the_header_counts_only_where_it_is_trusted_and_never_against_a_token() {
    let request = asked().header("x-user-id", "shopper-2").build();
    assert_eq!(status(granted_only().shopper(&request)), 401);
    assert_eq!(trusting().shopper(&request).unwrap().shopper.as_str(), "shopper-2");
    let both = asked().shopper("shopper-1").header("x-user-id", "shopper-2").build();
    assert_eq!(trusting().shopper(&both).unwrap().shopper.as_str(), "shopper-1");
    let over = ending_in(-3600).header("x-user-id", "shopper-2").build();
    assert_eq!(status(trusting().shopper(&over)), 401);
    let operator = asked().header("x-user-id", "o").header("x-user-groups", "ops").build();
    assert_eq!((status(trusting().operator(&operator, "ops")), status(trusting().shopper(&operator))), (200, 403));
    assert_eq!(status(granted_only().operator(&operator, "ops")), 401);
    assert_eq!(status(trusting().shopper(&asked().header("x-user-id", "").build())), 401);
}

#[test]
fn a_body_cannot_make_the_caller_somebody_else() {
    let caller = granted_only().shopper(&asked().shopper("shopper-1").build()).unwrap();
    assert!(caller.must_be(None).is_ok());
    assert!(caller.must_be(Some(&"shopper-1".parse().unwrap())).is_ok());
    assert_eq!(caller.must_be(Some(&"shopper-2".parse().unwrap())).unwrap_err().status(), 403);
}
