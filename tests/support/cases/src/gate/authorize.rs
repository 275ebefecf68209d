//! The authorizer. A token is good for an hour, and for one stack, so those in files are refused; `tests/functions/gate` has tokens
//! that are believed.

use crate::prelude::*;

/// `{"alg":"RS256","kid":"example"}`, `{"iss":"https://other.example.com/","sub":"ann"}`, and a signature of nobody.
const OF_ANOTHER_ISSUER: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImV4YW1wbGUifQ.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUuY29tLyIsInN1YiI6ImFubiJ9.c2lnbmF0dXJl";
/// The same with `{"alg":"none"}`.
const UNSIGNED: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUuY29tLyIsInN1YiI6ImFubiJ9.";

pub(crate) fn cases() -> Vec<Case> {
    let token = |header: String| Event::Authorizer { header };
    let refused = || [error("Unauthorized")];
    vec![
        case("ok", token(format!("Bearer {OF_ANOTHER_ISSUER}")), refused()),
        case("unsigned", token(format!("Bearer {UNSIGNED}")), refused()),
        case("another-scheme", token("Basic YW5uOnNlY3JldA==".to_owned()), refused()),
        case("no-token", token("Bearer ".to_owned()), refused()),
    ]
}
