//! A function's answer and its effects.

use domain::ReservationStatus;
use serde_json::{Value, json};
use test_shop::Given;

/// A function's answer to an event in one state, and its effects.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The state of the purchase before the event.
    pub given: Given,
    /// How often the event comes; the last answer counts.
    pub times: u32,
    /// Whether the function accepts the header `X-User-ID` when no authorizer ran.
    pub trust_user_id_header: bool,
    /// Whether the shop has accounts at Stripe and PayPal.
    pub has_accounts: bool,
    /// What the function answers at last.
    pub answer: Answer,
    /// Units of the purchase's shard afterwards; `None`: they do not matter.
    pub units: Option<Units>,
    /// Status of the first shopper's reservation afterwards, or that it is gone; `None`: it does not matter.
    pub reservation: Option<Option<ReservationStatus>>,
}

/// An answer to the caller of a function.
#[derive(Debug, Clone)]
pub enum Answer {
    /// To API Gateway.
    Http {
        /// The HTTP status.
        status: u16,
        /// Members that the body must have. Null: any body, or none.
        body: Value,
    },
    /// To a queue or a stream: the positions of the records that come again.
    FailedRecords(Vec<usize>),
    /// To the state machine or the schedule: members that the output must have.
    Output(Value),
    /// To the state machine: the error's name.
    Error(&'static str),
}

/// Units of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units {
    /// Available units.
    pub available: u32,
    /// Held units.
    pub held: u32,
    /// Sold units.
    pub sold: u32,
}

/// A status and members of the body.
pub(crate) fn answer(status: u16, body: Value) -> Expected {
    Expected::new(Answer::Http { status, body })
}

/// A status with any body.
pub(crate) fn status(status: u16) -> Expected {
    answer(status, Value::Null)
}

/// A refusal with its problem's code.
pub(crate) fn problem(status: u16, code: &str) -> Expected {
    answer(status, json!({"code": code}))
}

/// A refusal that points at a member of the body.
pub(crate) fn problem_at(status: u16, code: &str, pointer: &str) -> Expected {
    answer(status, json!({"code": code, "pointer": pointer}))
}

/// No record comes again.
pub(crate) fn done() -> Expected {
    failed([])
}

/// The records at these positions come again.
pub(crate) fn failed<const N: usize>(records: [usize; N]) -> Expected {
    Expected::new(Answer::FailedRecords(records.into()))
}

/// Members of the output.
pub(crate) fn output(output: Value) -> Expected {
    Expected::new(Answer::Output(output))
}

/// An error with its name.
pub(crate) fn error(name: &'static str) -> Expected {
    Expected::new(Answer::Error(name))
}

impl Expected {
    fn new(answer: Answer) -> Self {
        let (given, times) = (Given::Sale, 1);
        Self { given, times, trust_user_id_header: false, has_accounts: false, answer, units: None, reservation: None }
    }

    /// In this state of the purchase.
    pub(crate) fn given(self, given: Given) -> Self {
        Self { given, ..self }
    }

    /// The second time that the event comes.
    pub(crate) fn twice(self) -> Self {
        Self { times: 2, ..self }
    }

    /// In a function that accepts `X-User-ID`.
    pub(crate) fn trusting_header(self) -> Self {
        Self { trust_user_id_header: true, ..self }
    }

    /// In a shop that has accounts at Stripe and PayPal.
    pub(crate) fn with_accounts(self) -> Self {
        Self { has_accounts: true, ..self }
    }

    /// Leaves these units in the purchase's shard.
    pub(crate) fn units(self, available: u32, held: u32, sold: u32) -> Self {
        Self { units: Some(Units { available, held, sold }), ..self }
    }

    /// Leaves the reservation with this status.
    pub(crate) fn reservation(self, status: ReservationStatus) -> Self {
        Self { reservation: Some(Some(status)), ..self }
    }

    /// Leaves no reservation.
    pub(crate) fn no_reservation(self) -> Self {
        Self { reservation: Some(None), ..self }
    }
}
