//! What an access costs, as the engine reports it with `ReturnConsumedCapacity`.

use std::future::Future;

use store::StoreError;

use crate::shop::Shop;

/// Requests, read request units and write request units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    pub(crate) requests: usize,
    pub(crate) read: f64,
    pub(crate) write: f64,
}

pub(crate) fn reads(requests: usize, read: f64) -> Cost {
    Cost { requests, read, write: 0.0 }
}

pub(crate) fn writes(requests: usize, write: f64) -> Cost {
    Cost { requests, read: 0.0, write }
}

pub(crate) async fn cost<T>(shop: &Shop, access: impl Future<Output = Result<T, StoreError>>) -> Cost {
    shop.calls.reset();
    access.await.unwrap();
    Cost { requests: shop.calls.total(), read: shop.calls.read_units(), write: shop.calls.write_units() }
}
