//! A gate with two issuers whose keys a server in this process publishes.

use std::sync::Arc;

use authorize::{Authorize, Denial, Gatekeeper};
use domain::Clock;
use identity::{Grant, Refusal};
use kit::{AuthorizerFunction, Configuration, NotGranted};
use parts::{FromParts, Parts};
use serde_json::{Value, json};
use test_aws::{CountingRandomness, FixedClock};
use test_issuer::{Issuer, KeyServer, Signer};
use test_shop::{NOW, OnlyDocuments};

/// Two issuers, and the clock of the authorizer.
pub(crate) struct Gate {
    pub(crate) clock: FixedClock,
    pub(crate) server: KeyServer,
    pub(crate) customers: Issuer,
    pub(crate) operators: Issuer,
}

impl Gate {
    /// Two user pools of Cognito.
    pub(crate) fn open() -> Self {
        Self::of(Issuer::cognito("Shoppers", Signer::rs256(1)))
    }

    /// The customers of an issuer of OpenID Connect that signs with ES256.
    pub(crate) fn of_oidc() -> Self {
        Self::of(Issuer::oidc("login", Signer::es256(1)))
    }

    fn of(customers: Issuer) -> Self {
        let (clock, server, operators) =
            (FixedClock::at(NOW), KeyServer::default(), Issuer::cognito("Operators", Signer::rs256(2)));
        for issuer in [&customers, &operators] {
            server.publish(&issuer.keys_url, &issuer.key_set());
        }
        Self { clock, server, customers, operators }
    }

    /// The authorizer in a new environment.
    pub(crate) fn authorizer(&self) -> Authorize {
        Authorize::wire(&mut self.parts()).unwrap()
    }

    /// What is in it, which says why it refuses.
    pub(crate) fn gatekeeper(&self) -> Gatekeeper {
        Gatekeeper::wire(&mut self.parts()).unwrap()
    }

    fn parts(&self) -> Parts {
        let configuration = Configuration::of([
            ("ENVIRONMENT", "prod"),
            ("CUSTOMER_ISSUER", &self.customers.url),
            ("CUSTOMER_AUDIENCES", &self.customers.audience),
            ("CUSTOMER_KEYS_URL", &self.customers.keys_url),
            ("OPERATOR_ISSUER", &self.operators.url),
            ("OPERATOR_AUDIENCES", &self.operators.audience),
            ("OPERATOR_KEYS_URL", &self.operators.keys_url),
        ]);
        let aws = OnlyDocuments(self.server.https());
        Parts::new(configuration, aws, Arc::new(self.clock.clone()), Arc::new(CountingRandomness::new()))
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// The claims of a good ID token of the customers' issuer.
    pub(crate) fn claims(&self) -> Value {
        self.customers.id_claims("ann", self.now())
    }

    /// A good token of a customer.
    pub(crate) fn good(&self) -> String {
        self.customers.token(&self.claims())
    }

    /// A customer's token with another value of one claim.
    pub(crate) fn claiming(&self, name: &str, value: Value) -> String {
        self.customers.token(&but(self.claims(), name, value))
    }

    /// A customer's token without one claim.
    pub(crate) fn not_claiming(&self, name: &str) -> String {
        self.customers.token(&without(self.claims(), name))
    }

    /// A customer's token with one more member in the text of its claims.
    pub(crate) fn claiming_also(&self, member: &str) -> String {
        let claims = self.claims().to_string();
        self.customers.raw_token(&self.customers.header().to_string(), &format!("{},{member}}}", claims.trim_end_matches('}')))
    }

    /// A customer's token with another value of one member of the header.
    pub(crate) fn headed(&self, name: &str, value: Value) -> String {
        self.customers.token_with(&but(self.customers.header(), name, value), &self.claims())
    }

    /// A customer's token without one member of the header.
    pub(crate) fn not_headed(&self, name: &str) -> String {
        self.customers.token_with(&without(self.customers.header(), name), &self.claims())
    }

    /// A token with the customers' claims and key id that another key signed, by its own algorithm.
    pub(crate) fn signed_by(&self, signer: Signer) -> String {
        let forger = Issuer {
            url: self.customers.url.clone(),
            keys_url: String::new(),
            audience: self.customers.audience.clone(),
            key_id: self.customers.key_id.clone(),
            signer,
        };
        forger.token(&self.claims())
    }

    /// What a token grants in a new environment.
    pub(crate) async fn grant(&self, token: &str) -> Result<Grant, Denial> {
        self.gatekeeper().admit(&format!("Bearer {token}")).await
    }

    /// Asserts that the token is refused for this reason, and that the gate would have let a good one pass.
    #[track_caller]
    pub(crate) fn refuses(&self, token: &str, reason: Refusal) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            assert_eq!(self.grant(token).await, Err(Denial::Refused(reason)), "{at}: {token}");
            let told = self.authorizer().admit(&format!("Bearer {token}")).await;
            assert_eq!(told, Err(NotGranted::Refused), "{at}");
            assert!(self.grant(&self.good()).await.is_ok(), "{at}: the gate is closed to everyone");
        }
    }
}

/// An object with another value of one member.
pub(crate) fn but(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// An object without one member.
pub(crate) fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

/// A header for any algorithm.
pub(crate) fn header(algorithm: &str, key_id: &str) -> Value {
    json!({"alg": algorithm, "kid": key_id})
}
