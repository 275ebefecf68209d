//! A function of the API, each answer of which is held against the contract.

use std::ops::{Deref, DerefMut};

use kit::{HttpFunction, Request, Response};
use lambda_http::RequestExt;
use parts::{FromParts, Parts};

use crate::{Answered, Conformance};

/// A function whose every answer has to be one that the contract describes for the route.
pub struct Judged<T>(T);

impl<T: FromParts> FromParts for Judged<T> {
    fn from_parts(parts: &mut Parts) -> Self {
        Self(T::from_parts(parts))
    }
}

impl<T: HttpFunction> Judged<T> {
    /// The function's answer. Panics when the contract does not describe it. A request without a route, which API Gateway never
    /// sends, must be refused; the contract describes no answer to it.
    pub async fn handle(&self, request: Request) -> Response {
        let (method, path) = (request.method().to_string(), request.raw_http_path().trim_end_matches('/').to_owned());
        let response = self.0.handle(request).await;
        let contract = Conformance::of_the_contract();
        if contract.has_route(&method, &path) {
            let faults = contract.faults(&method, &path, &Answered::from(&response));
            assert!(faults.is_empty(), "{}", faults.join("\n"));
        } else {
            assert!(response.status().is_client_error(), "{method} {path}: {}", response.status());
        }
        response
    }
}

impl<T> Deref for Judged<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Judged<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
