//! What may be refunded, and what becomes of a refund.

use super::World;

#[test]
fn a_payment_is_refunded_in_parts_up_to_its_amount() {
    let mut world = World::new();
    let id = world.pay("pm_card_visa", "").id();
    let refund = |world: &mut World, form: &str| world.post("/v1/refunds", &format!("payment_intent={id}&{form}"));
    let part = refund(&mut world, "amount=500&reason=requested_by_customer&metadata[order]=o-1").body;
    assert_eq!((&part["status"], &part["amount"], &part["currency"]), (&"succeeded".into(), &500.into(), &"usd".into()));
    assert_eq!((&part["reason"], &part["metadata"]["order"]), (&"requested_by_customer".into(), &"o-1".into()));
    let above = refund(&mut world, "amount=1501");
    assert_eq!(above.error(), "400 invalid_request_error - amount");
    assert_eq!(above.text("/error/message"), "Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)");
    assert_eq!(refund(&mut world, "").body["amount"], 1500, "without an amount, the rest is refunded");
    let again = refund(&mut world, "");
    assert_eq!(again.error(), "400 invalid_request_error charge_already_refunded -");
    assert_eq!(refund(&mut world, "amount=1").error(), "400 invalid_request_error charge_already_refunded -");

    let payment = &world.fake.payments()[0];
    assert_eq!((payment.received_minor, payment.refunded_minor), (2000, 2000));
    let charge = world.get(&format!("/v1/charges?payment_intent={id}&expand[]=data.refunds")).body["data"][0].clone();
    assert_eq!((&charge["amount_refunded"], &charge["refunded"]), (&2000.into(), &true.into()));
    assert_eq!(charge["refunds"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(world.get(&format!("/v1/refunds/{}", part["id"].as_str().unwrap())).body, part);
}

#[test]
fn of_a_partial_capture_only_the_captured_amount_can_be_refunded() {
    let mut world = World::new();
    let id = world.authorised();
    world.post(&format!("/v1/payment_intents/{id}/capture"), "amount_to_capture=1500");
    let above = world.post("/v1/refunds", &format!("payment_intent={id}&amount=1501"));
    assert_eq!(above.error(), "400 invalid_request_error - amount");
    assert_eq!(world.post("/v1/refunds", &format!("payment_intent={id}")).body["amount"], 1500);
    assert_eq!(world.fake.payments()[0].refunded_minor, 1500);
}

#[test]
fn what_was_not_captured_cannot_be_refunded() {
    let mut world = World::new();
    let held = world.authorised();
    let reply = world.post("/v1/refunds", &format!("payment_intent={held}"));
    assert_eq!(reply.error(), "400 invalid_request_error - -");
    assert!(reply.text("/error/message").starts_with(&format!(
        "This uncaptured Charge was created by a PaymentIntent ({held}). You must cancel the PaymentIntent to reverse the authorization"
    )));
    world.post(&format!("/v1/payment_intents/{held}/cancel"), "");
    let declined = world.pay("pm_card_chargeDeclined", "").text("/error/payment_intent/id");
    let waiting = world.pay("pm_card_threeDSecure2Required", "").id();
    for id in [held, declined, waiting] {
        let reply = world.post("/v1/refunds", &format!("payment_intent={id}"));
        let message = format!("This PaymentIntent ({id}) does not have a successful charge to refund.");
        assert_eq!((reply.status, reply.text("/error/message")), (400, message));
    }
}

#[test]
fn a_refund_names_an_existing_charge_or_intent() {
    let mut world = World::new();
    let paid = world.pay("pm_card_visa", "");
    let other = world.pay("pm_card_visa", "").id();
    let charge = paid.text("/latest_charge");
    for (form, error) in [
        (String::new(), "400 invalid_request_error - -"),
        ("charge=ch_unknown".to_owned(), "404 invalid_request_error resource_missing id"),
        ("payment_intent=pi_unknown".to_owned(), "400 invalid_request_error resource_missing payment_intent"),
        (format!("charge={charge}&payment_intent={other}"), "400 invalid_request_error - charge"),
        (format!("charge={charge}&amount=0"), "400 invalid_request_error parameter_invalid_integer amount"),
        (format!("charge={charge}&reason=regret"), "400 invalid_request_error - reason"),
    ] {
        assert_eq!(world.post("/v1/refunds", &form).error(), error, "{form}");
    }
    assert_eq!(world.post("/v1/refunds", &format!("charge={charge}")).text("/payment_intent"), paid.id());
    assert_eq!(world.get("/v1/refunds/re_unknown").error(), "404 invalid_request_error resource_missing refund");
}

#[test]
fn a_refund_may_be_pending_or_fail_later() {
    for (method, first, then, refunded) in [
        ("pm_card_visa", "succeeded", "succeeded", 2000),
        ("pm_card_pendingRefund", "pending", "succeeded", 2000),
        ("pm_card_refundFail", "succeeded", "failed", 0),
    ] {
        let mut world = World::new();
        let id = world.pay(method, "").id();
        let refund = world.post("/v1/refunds", &format!("payment_intent={id}"));
        assert_eq!(refund.text("/status"), first, "{method}");
        assert_eq!(world.fake.payments()[0].refunded_minor, 2000);
        world.wait(5);
        let path = format!("/v1/refunds/{}", refund.id());
        assert_eq!(world.get(&path).text("/status"), then, "{method}");
        assert_eq!(world.fake.payments()[0].refunded_minor, refunded, "{method}");
        let charge = &world.get(&format!("/v1/charges?payment_intent={id}")).body["data"][0];
        assert_eq!(charge["amount_refunded"], refunded, "{method}");
    }
}
