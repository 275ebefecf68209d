//! Deliberate bugs, to see that the invariants can fail: each alters the requests of a function on their way, or the state
//! machine, as if the product had been written with that mistake. Product code has no switches for them.

use serde_json::Value;

/// A deliberate bug.
#[derive(Debug)]
pub struct Mutation {
    /// Its name on the command line and in docs/simulation.md.
    pub name: &'static str,
    /// What it does, as a developer would have written it by mistake.
    pub bug: &'static str,
    alters: Alters,
}

#[derive(Debug)]
enum Alters {
    /// The requests of a function, by operation. `None`: this one stays.
    Requests(fn(&str, &str, &Value) -> Option<Value>),
    /// The state machine.
    Machine(fn(&mut Value)),
}

impl Mutation {
    /// The altered request, if the bug is in it.
    pub(crate) fn alter(&self, function: &str, operation: &str, request: &Value) -> Option<Value> {
        match self.alters {
            Alters::Requests(alter) => alter(function, operation, request),
            Alters::Machine(_) => None,
        }
    }

    pub(crate) fn alter_machine(&self, definition: &mut Value) {
        match self.alters {
            Alters::Requests(_) => {}
            Alters::Machine(alter) => alter(definition),
        }
    }
}

/// All deliberate bugs.
pub static MUTATIONS: [Mutation; 0] = [];
