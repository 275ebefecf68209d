//! Hostile tokens. Each is refused by a test of its own, which names what an attacker tries.

mod algorithms;
mod audiences;
mod forms;
mod headers;
mod issuers;
mod keys;
mod signatures;
mod subjects;
mod times;

/// One test for each token: its name, the reason for the refusal, and how the token is made at a gate.
macro_rules! hostile {
    ($($(#[$meta:meta])* $name:ident: $reason:ident, |$gate:ident| $token:expr;)+) => {
        $(
            $(#[$meta])*
            #[tokio::test]
            async fn $name() {
                let $gate = crate::gate::world::Gate::open();
                let token: String = $token;
                $gate.refuses(&token, identity::Refusal::$reason).await;
            }
        )+
    };
}

/// The same at a gate whose customers have an issuer of OpenID Connect that signs with ES256.
macro_rules! hostile_to_oidc {
    ($($name:ident: $reason:ident, |$gate:ident| $token:expr;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                let $gate = crate::gate::world::Gate::of_oidc();
                let token: String = $token;
                $gate.refuses(&token, identity::Refusal::$reason).await;
            }
        )+
    };
}

use hostile;
use hostile_to_oidc;
