//! Tables of the functions that API Gateway asks about a request.

pub(crate) mod authorize;
