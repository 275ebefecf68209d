//! The authorizer, and what the functions check again. The tokens are signed by `ring`, which the product does not use.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "the helpers of tests say what they expect")]
#![expect(clippy::used_underscore_binding, reason = "some hostile texts need no signer")]

mod again;
mod grants;
mod hostile;
mod keys;
mod properties;
mod sample_events;
mod world;
