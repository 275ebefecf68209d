//! Stock stream: tells the gate at the edge (`infra/edge/gate`) what has changed in a sale. Without an edge stack it does
//! nothing.
//!
//! The stream passes changed sales and changed availability items. They only say which sale to look at: the run reads the sale
//! as it is now. So a batch that arrives again, late or half processed tells the gate the same.

mod gate;
mod use_case;

use std::collections::BTreeSet;

use domain::ProductId;
use kit::{Failure, StreamBatchFunction, workers::EventRecord};
use parts::{FromParts, Parts};
use store::sale_key;

pub use use_case::EdgeFeed;

/// The Lambda handler and its dependencies.
pub struct FeedEdge {
    feed: EdgeFeed,
}

impl FromParts for FeedEdge {
    fn from_parts(parts: &mut Parts) -> Self {
        Self { feed: EdgeFeed::from_parts(parts) }
    }
}

impl StreamBatchFunction for FeedEdge {
    /// Feeds each sale of a batch once.
    ///
    /// # Errors
    /// When DynamoDB or the gate's store does not answer: the stream delivers the batch again.
    async fn handle(&self, records: Vec<EventRecord>) -> Result<(), Failure> {
        let products: BTreeSet<ProductId> = records.iter().filter_map(|record| sale_key(&record.change.keys)).collect();
        for product in products {
            self.feed.feed(&product).await?;
        }
        Ok(())
    }
}
