//! One row of a table: a name, an event, and the answers to it.

use serde_json::Value;

use crate::{Event, Expected, json};

/// One sample event of a function, and what the function answers.
#[derive(Debug, Clone)]
pub struct Case {
    /// The function's name, which is its folder's: `reserve`.
    pub function: &'static str,
    /// The name of the case, unique in its function: `sold-out`.
    pub name: &'static str,
    /// What the function is sent.
    pub event: Event,
    /// What it answers: at least one answer, and one for each state that matters.
    pub expected: Vec<Expected>,
}

/// A row of a table. Without an expected answer it does not compile.
pub(crate) fn case<const N: usize>(name: &'static str, event: impl Into<Event>, expected: [Expected; N]) -> Case {
    const { assert!(N > 0, "a case has an expected answer") };
    Case { function: "", name, event: event.into(), expected: expected.into() }
}

impl Case {
    pub(crate) fn of(self, function: &'static str) -> Self {
        Self { function, ..self }
    }

    /// The event as AWS hands it to the function. Its ids come from the names of function and case: they are the same each time.
    pub fn json(&self) -> Value {
        self.event.json(&[self.function, self.name])
    }

    /// The text of `events/<function>/<case>.json`.
    pub fn text(&self) -> String {
        format!("{:#}\n", json::sorted(self.json()))
    }
}
