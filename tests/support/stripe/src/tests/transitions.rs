//! Every step in every status.

use super::{CARD, Reply, World};
use crate::Status;

/// An intent in this status, by its id.
fn in_status(world: &mut World, status: Status) -> String {
    let reply = match status {
        Status::RequiresPaymentMethod => world.post("/v1/payment_intents", CARD),
        Status::RequiresConfirmation => world.post("/v1/payment_intents", &format!("{CARD}&payment_method=pm_card_visa")),
        Status::RequiresAction => world.pay("pm_card_threeDSecure2Required", ""),
        Status::Processing => world.post(
            "/v1/payment_intents",
            "amount=2000&currency=usd&payment_method_types[]=us_bank_account&confirm=true&payment_method=pm_usBankAccount_success",
        ),
        Status::RequiresCapture => world.pay("pm_card_visa", "capture_method=manual"),
        Status::Succeeded => world.pay("pm_card_visa", ""),
        Status::Canceled => {
            let id = world.post("/v1/payment_intents", CARD).id();
            world.post(&format!("/v1/payment_intents/{id}/cancel"), "")
        }
    };
    assert_eq!(reply.body["status"], status.name(), "{reply:?}");
    reply.id()
}

fn step(world: &mut World, status: Status, step: &str, form: &str) -> Reply {
    let id = in_status(world, status);
    world.post(&format!("/v1/payment_intents/{id}/{step}"), form)
}

/// The status after a step that is possible; the error of one that is not, which shows the intent as it stays.
fn outcome(status: Status, name: &str, form: &str) -> String {
    let mut world = World::new();
    let reply = step(&mut world, status, name, form);
    if reply.status == 200 {
        return reply.text("/status");
    }
    assert_eq!(reply.error(), "400 invalid_request_error payment_intent_unexpected_state -", "{reply:?}");
    assert_eq!(reply.text("/error/payment_intent/status"), status.name());
    let id = reply.text("/error/payment_intent/id");
    assert_eq!(world.get(&format!("/v1/payment_intents/{id}")).text("/status"), status.name());
    reply.text("/error/message")
}

#[test]
fn confirm_charges_what_is_not_charged_yet() {
    for status in Status::ALL {
        let expected = match status {
            Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction => "succeeded",
            Status::Succeeded => {
                "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
            }
            Status::Processing | Status::RequiresCapture | Status::Canceled => {
                let message = outcome(status, "confirm", "payment_method=pm_card_visa");
                assert!(message.contains(&format!("has a status of {}. Only", status.name())), "{message}");
                continue;
            }
        };
        assert_eq!(outcome(status, "confirm", "payment_method=pm_card_visa"), expected, "{status:?}");
    }
}

#[test]
fn only_an_authorised_intent_can_be_captured() {
    for status in Status::ALL {
        let found = outcome(status, "capture", "");
        match status {
            Status::RequiresCapture => assert_eq!(found, "succeeded"),
            Status::Succeeded => {
                assert_eq!(found, "This PaymentIntent could not be captured because it has already been captured.");
            }
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::Processing
            | Status::Canceled => assert_eq!(
                found,
                format!(
                    "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with one of the \
                     following statuses may be captured: requires_capture.",
                    status.name()
                )
            ),
        }
    }
}

#[test]
fn what_is_neither_paid_nor_over_nor_processing_can_be_cancelled() {
    for status in Status::ALL {
        let found = outcome(status, "cancel", "cancellation_reason=abandoned");
        match status {
            Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction | Status::RequiresCapture => {
                assert_eq!(found, "canceled", "{status:?}");
            }
            Status::Processing | Status::Succeeded | Status::Canceled => {
                assert!(
                    found.contains(&format!("You cannot cancel this PaymentIntent because it has a status of {}", status.name()))
                );
            }
        }
    }
}

#[test]
fn an_intent_without_a_payment_method_cannot_be_confirmed() {
    let mut world = World::new();
    let reply = step(&mut world, Status::RequiresPaymentMethod, "confirm", "");
    assert_eq!(reply.error(), "400 invalid_request_error payment_intent_unexpected_state -");
    assert!(
        reply.text("/error/message").starts_with("You cannot confirm this PaymentIntent because it's missing a payment method.")
    );
}

#[test]
fn an_automatic_payment_is_received_at_once() {
    let mut world = World::new();
    let paid = world.pay("pm_card_mastercard", "metadata[order]=o-1&expand[]=latest_charge").body;
    assert_eq!(
        (&paid["status"], &paid["amount_received"], &paid["amount_capturable"]),
        (&"succeeded".into(), &2000.into(), &0.into())
    );
    assert_eq!(paid["capture_method"], "automatic_async");
    let charge = &paid["latest_charge"];
    assert_eq!((&charge["captured"], &charge["amount_captured"], &charge["paid"]), (&true.into(), &2000.into(), &true.into()));
    assert_eq!(charge["payment_method_details"]["card"]["brand"], "mastercard");
    assert_eq!(charge["metadata"]["order"], "o-1", "a charge copies the metadata of its intent");
    assert!(charge["payment_method_details"]["card"].get("capture_before").is_none());
}

#[test]
fn a_held_payment_is_received_when_it_is_captured_and_the_rest_is_released() {
    for (form, received) in [("", 2000), ("amount_to_capture=2000", 2000), ("amount_to_capture=1500&metadata[a]=b", 1500)] {
        let mut world = World::new();
        let held = world.pay("pm_card_visa", "capture_method=manual&expand[]=latest_charge").body;
        assert_eq!((&held["amount_capturable"], &held["amount_received"]), (&2000.into(), &0.into()));
        assert_eq!(held["latest_charge"]["captured"], false);
        let seven_days = world.now.as_second() + 7 * 86_400;
        assert_eq!(held["latest_charge"]["payment_method_details"]["card"]["capture_before"], seven_days);

        let id = held["id"].as_str().unwrap();
        let captured = world.post(&format!("/v1/payment_intents/{id}/capture"), &format!("{form}&expand[]=latest_charge")).body;
        assert_eq!((&captured["status"], &captured["amount_received"]), (&"succeeded".into(), &received.into()), "{form}");
        assert_eq!(captured["amount_capturable"], 0);
        let charge = &captured["latest_charge"];
        assert_eq!(
            (&charge["amount_captured"], &charge["amount_refunded"]),
            (&received.into(), &(2000 - received).into()),
            "{form}"
        );
        assert_eq!(charge["refunded"], false);
        assert_eq!(world.fake.payments()[0].refunded_minor, 0, "a release is no refund");
    }
}

#[test]
fn a_capture_of_a_wrong_amount_changes_nothing() {
    for (amount, error) in [
        ("2001", "400 invalid_request_error amount_too_large -"),
        ("0", "400 invalid_request_error parameter_invalid_integer amount"),
        ("-1", "400 invalid_request_error - amount_to_capture"),
        ("x", "400 invalid_request_error parameter_invalid_integer amount_to_capture"),
    ] {
        let mut world = World::new();
        let id = world.authorised();
        let reply = world.post(&format!("/v1/payment_intents/{id}/capture"), &format!("amount_to_capture={amount}"));
        assert_eq!(reply.error(), error, "{amount}");
        assert_eq!(world.get(&format!("/v1/payment_intents/{id}")).text("/status"), "requires_capture");
    }
}

#[test]
fn a_refused_capture_leaves_the_intent_without_money_and_without_a_payment_method() {
    let mut world = World::new();
    let id = world.pay("pm_fake_captureDeclined", "capture_method=manual").id();
    let reply = world.post(&format!("/v1/payment_intents/{id}/capture"), "");
    assert_eq!(reply.error(), "402 card_error card_declined -");
    let intent = world.get(&format!("/v1/payment_intents/{id}?expand[]=latest_charge")).body;
    assert_eq!((&intent["status"], &intent["payment_method"]), (&"requires_payment_method".into(), &serde_json::Value::Null));
    assert_eq!((&intent["amount_received"], &intent["amount_capturable"]), (&0.into(), &0.into()));
    assert_eq!(intent["latest_charge"]["status"], "failed");
    assert_eq!(
        world.post(&format!("/v1/payment_intents/{id}/confirm"), "payment_method=pm_card_visa").text("/status"),
        "requires_capture"
    );
}

#[test]
fn a_cancelled_hold_is_released() {
    let mut world = World::new();
    let id = world.authorised();
    world.wait(10);
    let canceled = world
        .post(&format!("/v1/payment_intents/{id}/cancel"), "cancellation_reason=requested_by_customer&expand[]=latest_charge")
        .body;
    assert_eq!((&canceled["status"], &canceled["cancellation_reason"]), (&"canceled".into(), &"requested_by_customer".into()));
    assert_eq!((&canceled["canceled_at"], &canceled["amount_capturable"]), (&world.now.as_second().into(), &0.into()));
    let charge = &canceled["latest_charge"];
    assert_eq!(
        (&charge["captured"], &charge["refunded"], &charge["amount_refunded"]),
        (&false.into(), &true.into(), &2000.into())
    );
    let wrong = world.post(&format!("/v1/payment_intents/{id}/cancel"), "cancellation_reason=bored");
    assert_eq!(wrong.error(), "400 invalid_request_error - cancellation_reason");
}

#[test]
fn an_authorisation_that_is_not_captured_expires_after_seven_days() {
    const SEVEN_DAYS: u64 = 7 * 86_400;
    let mut world = World::new();
    let created = world.post("/v1/payment_intents", &format!("{CARD}&capture_method=manual&payment_method=pm_card_visa")).id();
    world.wait(3600);
    world.post(&format!("/v1/payment_intents/{created}/confirm"), "");
    let captured = world.authorised();
    world.post(&format!("/v1/payment_intents/{captured}/capture"), "");
    let path = format!("/v1/payment_intents/{created}");

    world.wait(SEVEN_DAYS - 1);
    assert_eq!(world.get(&path).text("/status"), "requires_capture", "the time counts from the authorisation");
    world.wait(1);
    let expired = world.now.as_second();
    world.wait(86_400);
    let intent = world.get(&format!("{path}?expand[]=latest_charge")).body;
    assert_eq!((&intent["status"], &intent["cancellation_reason"]), (&"canceled".into(), &"automatic".into()));
    assert_eq!((&intent["canceled_at"], &intent["amount_capturable"]), (&expired.into(), &0.into()));
    assert_eq!(intent["latest_charge"]["refunded"], true);
    assert_eq!(world.get(&format!("/v1/payment_intents/{captured}")).text("/status"), "succeeded");
    let events = world.events();
    assert_eq!(events[events.len() - 2..], ["charge.expired", "payment_intent.canceled"]);
    assert_eq!(world.post(&format!("{path}/capture"), "").error(), "400 invalid_request_error payment_intent_unexpected_state -");
}

#[test]
fn a_payment_that_cannot_authorise_is_processing_and_then_ends() {
    for (method, status, received) in [
        ("pm_usBankAccount_success", "succeeded", 2000),
        ("pm_usBankAccount_insufficientFunds", "requires_payment_method", 0),
        ("pm_usBankAccount_processing", "processing", 0),
    ] {
        let mut world = World::new();
        let form =
            format!("amount=2000&currency=usd&payment_method_types[]=us_bank_account&confirm=true&payment_method={method}");
        let reply = world.post("/v1/payment_intents", &form);
        assert_eq!(reply.text("/status"), "processing", "{method}");
        let path = format!("/v1/payment_intents/{}", reply.id());
        world.wait(4);
        assert_eq!(world.get(&path).text("/status"), "processing", "{method}");
        world.wait(1);
        let settled = world.get(&path).body;
        assert_eq!((&settled["status"], &settled["amount_received"]), (&status.into(), &received.into()), "{method}");
    }
}

#[test]
fn a_payment_method_that_cannot_authorise_is_refused_for_manual_capture_and_other_currencies() {
    let mut world = World::new();
    let bank = "payment_method=pm_usBankAccount_success";
    for (form, error) in [
        (
            "payment_method_types[]=us_bank_account&capture_method=manual&currency=usd",
            "payment_intent_invalid_parameter capture_method",
        ),
        (
            "automatic_payment_methods[enabled]=true&capture_method=manual&currency=usd",
            "payment_intent_invalid_parameter capture_method",
        ),
        ("payment_method_types[]=us_bank_account&currency=eur", "payment_intent_invalid_parameter currency"),
        ("payment_method_types[]=card&currency=usd", "payment_intent_incompatible_payment_method payment_method"),
    ] {
        let reply = world.post("/v1/payment_intents", &format!("amount=2000&{bank}&{form}"));
        assert_eq!(reply.error(), format!("400 invalid_request_error {error}"), "{form}");
    }
    assert!(world.fake.payments().is_empty());
}
