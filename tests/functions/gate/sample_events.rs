//! The answers to the sample events: no configured issuer signed the tokens in the files.

use kit::{AuthorizerEvent, AuthorizerFunction, NotGranted};
use test_cases::Event;

use crate::gate::world::Gate;

#[tokio::test]
async fn authorize_refuses_its_sample_events() {
    let gate = Gate::open();
    let mut count = 0;
    for case in test_cases::cases().into_iter().filter(|case| case.function == "authorize") {
        assert!(matches!(case.event, Event::Authorizer { .. }));
        let event: AuthorizerEvent = serde_json::from_value(case.json()).unwrap();
        assert_eq!(gate.authorizer().admit(&event.authorization_token).await, Err(NotGranted::Refused), "{}", case.name);
        count += 1;
    }
    assert_eq!((count, gate.server.total()), (4, 0));
}
