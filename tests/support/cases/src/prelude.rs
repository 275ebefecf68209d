//! The imports of the tables.

pub(crate) use domain::ReservationStatus;
pub(crate) use serde_json::{Value, json};
pub(crate) use test_shop::Given;

pub(crate) use crate::case::{Case, case};
pub(crate) use crate::event::Event;
pub(crate) use crate::expected::{Expected, answer, done, error, failed, output, problem, problem_at, status};
pub(crate) use crate::http::{delete, get, post, put};
pub(crate) use crate::json::but;
pub(crate) use crate::stream::{Change, insert, modify, remove};
pub(crate) use crate::values::{
    CARD_NUMBER, DEMO, DRAW, END_SECONDS, FIRST, GUARDED, NO_SUCH_PRODUCT, NOT_A_PRODUCT, OPERATOR, OTHER_RESERVATION,
    RESERVATION, SECOND, START_MILLISECONDS, address, forged_work, whole_address,
};
