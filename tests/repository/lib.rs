//! The repository as data, for the tests of the whole system.
//!
//! Only tests use this crate. A missing or unreadable file ends the test with a message that names it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test support: a fault ends the test and says what it was"
)]

pub mod access_patterns;
pub mod calls;
pub mod linked;
pub mod markdown;
pub mod permissions;
pub mod repository;
pub mod rust;
pub mod samconfig;
pub mod template;
pub mod yaml;

pub use repository::Repository;
