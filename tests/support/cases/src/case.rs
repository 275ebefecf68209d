//! One row of a table: a name, an event, and the answers to it.

use serde_json::Value;

use crate::{Event, Expected, json};

/// One sample event of a function, and the function's answers.
#[derive(Debug, Clone)]
pub struct Case {
    /// The function's name, as in its folder: `reserve`.
    pub function: &'static str,
    /// The name of the case, unique in its function: `sold-out`.
    pub name: &'static str,
    /// The event in short form.
    pub event: Event,
    /// The expected answers: at least one, and one for each state that matters.
    pub expected: Vec<Expected>,
}

/// A row of a table. A row without an expected answer does not compile.
pub(crate) fn case<const N: usize>(name: &'static str, event: impl Into<Event>, expected: [Expected; N]) -> Case {
    const { assert!(N > 0, "a case has an expected answer") };
    Case { function: "", name, event: event.into(), expected: expected.into() }
}

impl Case {
    pub(crate) fn of(self, function: &'static str) -> Self {
        Self { function, ..self }
    }

    /// The event as AWS sends it to the function. Its ids are derived from the names of function and case, so they
    /// never change.
    pub fn json(&self) -> Value {
        self.event.json(&[self.function, self.name])
    }

    /// The text of `events/<function>/<case>.json`.
    pub fn text(&self) -> String {
        format!("{:#}\n", json::sorted(self.json()))
    }
}
