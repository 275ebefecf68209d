//! Declines, 3-D Secure, and payment methods.

use super::{CARD, World};
use crate::Status;

#[test]
fn a_decline_keeps_the_intent_for_another_payment_method() {
    let insufficient = "card_declined insufficient_funds Your card has insufficient funds.";
    for (method, error) in [
        ("pm_card_chargeDeclined", "card_declined generic_decline Your card was declined."),
        ("pm_card_visa_chargeDeclined", "card_declined generic_decline Your card was declined."),
        ("pm_card_chargeDeclinedInsufficientFunds", insufficient),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", insufficient),
        ("pm_card_chargeDeclinedLostCard", "card_declined lost_card Your card was declined."),
        ("pm_card_chargeDeclinedStolenCard", "card_declined stolen_card Your card was declined."),
        ("pm_card_chargeDeclinedVelocityLimitExceeded", "card_declined card_velocity_exceeded Your card was declined."),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card - Your card has expired."),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc - Your card's security code is incorrect."),
        (
            "pm_card_chargeDeclinedProcessingError",
            "processing_error - An error occurred while processing your card. Try again in a little bit.",
        ),
    ] {
        let mut world = World::new();
        let reply = world.pay(method, "");
        assert_eq!((reply.status, reply.text("/error/type").as_str()), (402, "card_error"), "{method}");
        let of = |pointer: &str| {
            let part =
                |name: &str| reply.body.pointer(&format!("{pointer}/{name}")).and_then(|v| v.as_str()).unwrap_or("-").to_owned();
            format!("{} {} {}", part("code"), part("decline_code"), part("message"))
        };
        assert_eq!(of("/error"), error, "{method}");
        assert_eq!(of("/error/payment_intent/last_payment_error"), error, "{method}");

        let intent = &reply.body["error"]["payment_intent"];
        assert_eq!((&intent["status"], &intent["payment_method"]), (&"requires_payment_method".into(), &serde_json::Value::Null));
        assert_eq!(intent["latest_charge"], reply.body["error"]["charge"]);
        let charge = world.get(&format!("/v1/charges/{}", reply.text("/error/charge"))).body;
        assert_eq!((&charge["status"], &charge["paid"], &charge["captured"]), (&"failed".into(), &false.into(), &false.into()));
        assert_eq!(charge["outcome"]["type"], "issuer_declined");

        let path = format!("/v1/payment_intents/{}/confirm", intent["id"].as_str().unwrap());
        let paid = world.post(&path, "payment_method=pm_card_visa").body;
        assert_eq!((&paid["status"], &paid["last_payment_error"]), (&"succeeded".into(), &serde_json::Value::Null), "{method}");
        assert_eq!(world.fake.payments()[0].charges, 2);
    }
}

#[test]
fn the_shopper_completes_3d_secure_or_fails() {
    for (method, passed, capture, status) in [
        ("pm_card_threeDSecure2Required", true, "automatic", "succeeded"),
        ("pm_card_authenticationRequired", true, "manual", "requires_capture"),
        ("pm_card_threeDSecureRequiredChargeDeclined", true, "manual", "requires_payment_method"),
        ("pm_card_threeDSecure2Required", false, "manual", "requires_payment_method"),
    ] {
        let mut world = World::new();
        let asked = world.pay(method, &format!("capture_method={capture}&return_url=http://127.0.0.1/done")).body;
        assert_eq!(
            (&asked["status"], &asked["latest_charge"]),
            (&"requires_action".into(), &serde_json::Value::Null),
            "{method}"
        );
        let id = asked["id"].as_str().unwrap();
        let page = format!("http://127.0.0.1:12111/_fake/payment_intents/{id}/authenticate");
        assert_eq!(asked["next_action"]["redirect_to_url"]["url"], page);

        let outcome = if passed { "passed" } else { "failed" };
        world.control(&format!("payment_intents/{id}/authenticate"), &format!(r#"{{"outcome": "{outcome}"}}"#));
        let intent = world.get(&format!("/v1/payment_intents/{id}")).body;
        assert_eq!((&intent["status"], &intent["next_action"]), (&status.into(), &serde_json::Value::Null), "{method} {outcome}");
        let code = &intent["last_payment_error"]["code"];
        match (passed, status) {
            (false, _) => assert_eq!(code, "payment_intent_authentication_failure"),
            (true, "requires_payment_method") => assert_eq!(code, "card_declined"),
            (true, _) => assert!(intent["last_payment_error"].is_null()),
        }
        assert_eq!(intent["latest_charge"].is_null(), !passed, "without authentication nothing is charged");
        assert_eq!(world.fake.authenticate(id, true, world.now), None, "only once");
    }
}

#[test]
fn without_a_return_url_the_sdk_gets_the_page() {
    let mut world = World::new();
    let asked = world.pay("pm_card_threeDSecure2Required", "").body;
    assert_eq!(asked["next_action"]["type"], "use_stripe_sdk");
    let page = asked["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap().to_owned();
    let path = page.strip_prefix("http://127.0.0.1:12111").unwrap();
    assert_eq!(world.ask("GET", path, &[], "").status, 200);
}

#[test]
fn the_page_sends_the_shopper_back_to_the_shop() {
    let mut world = World::new();
    let asked = world.pay("pm_card_threeDSecure2Required", "return_url=http://127.0.0.1/done?a=b");
    let path = format!("/_fake/payment_intents/{}/authenticate", asked.id());
    let reply = world.ask("POST", &path, &[], "outcome=passed");
    assert_eq!(reply.status, 303);
    let (id, secret) = (asked.id(), asked.text("/client_secret"));
    let back =
        format!("http://127.0.0.1/done?a=b&payment_intent={id}&payment_intent_client_secret={secret}&redirect_status=succeeded");
    assert_eq!(reply.header("location"), Some(back.as_str()));
}

#[test]
fn without_a_shopper_authentication_is_a_decline_and_nothing_is_charged() {
    for flag in ["off_session=true", "error_on_requires_action=true"] {
        let mut world = World::new();
        let reply = world.pay("pm_card_authenticationRequired", flag);
        assert_eq!(reply.error(), "402 card_error authentication_required -", "{flag}");
        assert_eq!(reply.text("/error/payment_intent/status"), "requires_payment_method");
        assert_eq!(world.fake.payments()[0].charges, 0);
    }
}

#[test]
fn an_unknown_payment_method_makes_no_intent() {
    let mut world = World::new();
    let reply = world.pay("pm_card_unknown", "");
    assert_eq!(reply.error(), "400 invalid_request_error resource_missing payment_method");
    assert_eq!(reply.text("/error/message"), "No such PaymentMethod: 'pm_card_unknown'");
    assert!(world.fake.payments().is_empty());
}

#[test]
fn a_payment_method_pays_only_one_intent() {
    let mut world = World::new();
    let method = world.pay("pm_card_visa", "").text("/payment_method");
    assert_ne!(method, "pm_card_visa", "Stripe makes a payment method of the token");
    assert_eq!(world.get(&format!("/v1/payment_methods/{method}")).text("/card/last4"), "4242");
    let again = world.pay(&method, "");
    assert_eq!(again.status, 400);
    assert!(again.text("/error/message").contains("It may not be used again."));
}

#[test]
fn a_wrong_amount_or_currency_makes_no_intent() {
    for (form, error) in [
        ("currency=usd", "parameter_missing amount"),
        ("amount=2000", "parameter_missing currency"),
        ("amount=0&currency=usd", "parameter_invalid_integer amount"),
        ("amount=49&currency=usd", "amount_too_small amount"),
        ("amount=49&currency=jpy", "amount_too_small amount"),
        ("amount=100000000&currency=usd", "amount_too_large amount"),
        ("amount=1005&currency=kwd", "parameter_invalid_integer amount"),
        ("amount=1050&currency=isk", "parameter_invalid_integer amount"),
        ("amount=2000&currency=zzz", "- currency"),
        ("amount=2000&currency=usd&capture_method=later", "- capture_method"),
        ("amount=2000&currency=usd&payment_method_types[]=cash", "payment_intent_invalid_parameter payment_method_types"),
        ("amount=2000&currency=usd&payment_method_types[]=card&automatic_payment_methods[enabled]=true", "- -"),
        ("amount=2000&currency=usd&return_url=http://127.0.0.1/", "- return_url"),
        ("amount=2000&currency=usd&colour=red", "parameter_unknown colour"),
        ("amount=2000&currency=usd&expand[]=colour", "- expand"),
    ] {
        let mut world = World::new();
        let reply = world.post("/v1/payment_intents", form);
        assert_eq!(reply.error(), format!("400 invalid_request_error {error}"), "{form}");
        assert!(world.fake.payments().is_empty(), "{form}");
    }
}

#[test]
fn automatic_payment_methods_may_redirect_so_they_need_a_return_url() {
    let mut world = World::new();
    let base = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true";
    for form in [base.to_owned(), format!("{base}&automatic_payment_methods[enabled]=true")] {
        let reply = world.post("/v1/payment_intents", &form);
        assert_eq!(reply.error(), "400 invalid_request_error - -", "{form}");
        assert!(reply.text("/error/message").contains("you must provide a `return_url`"));
    }
    for more in [
        "return_url=http://127.0.0.1/",
        "automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never",
    ] {
        let reply = world.post("/v1/payment_intents", &format!("{base}&{more}"));
        assert_eq!(reply.text("/status"), "succeeded", "{more}");
    }
    let unconfirmed = world.post("/v1/payment_intents", "amount=2000&currency=usd&payment_method=pm_card_visa").id();
    let reply = world.post(&format!("/v1/payment_intents/{unconfirmed}/confirm"), "");
    assert_eq!(reply.text("/error/payment_intent/status"), "requires_confirmation");
}

#[test]
fn a_browser_confirms_with_the_client_secret_and_sees_no_secrets_of_the_shop() {
    let mut world = World::new();
    let publishable = ("authorization", "Bearer pk_test_local");
    let intent = world.post("/v1/payment_intents", &format!("{CARD}&metadata[order]=o-1"));
    let (path, secret) = (format!("/v1/payment_intents/{}", intent.id()), intent.text("/client_secret"));
    let confirm = format!("{path}/confirm");
    for (form, error) in [
        ("payment_method=pm_card_visa".to_owned(), "401 invalid_request_error secret_key_required -"),
        (format!("client_secret={secret}x"), "400 invalid_request_error payment_intent_invalid_parameter client_secret"),
    ] {
        assert_eq!(world.ask("POST", &confirm, &[publishable], &form).error(), error);
    }
    assert_eq!(world.ask("POST", "/v1/refunds", &[publishable], "").error(), "401 invalid_request_error secret_key_required -");
    let seen = world.ask("POST", &confirm, &[publishable], &format!("client_secret={secret}&payment_method=pm_card_visa")).body;
    assert_eq!(seen["status"], "succeeded");
    assert!(seen.get("metadata").is_none() && seen.get("latest_charge").is_none());
    assert_eq!(world.ask("GET", &format!("{path}?client_secret={secret}"), &[publishable], "").body["status"], "succeeded");
    assert_eq!(world.fake.payments()[0].status, Status::Succeeded);
}
