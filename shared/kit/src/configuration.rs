//! A function's configuration: environment variables, read once at the start.
//!
//! Every variable that is missing or wrong is recorded, and one error names them all. So one look is enough to repair a
//! broken deployment.

use std::{
    collections::{BTreeSet, HashMap},
    fmt, mem,
    str::FromStr,
};

use crate::telemetry;

/// The variables that the process was started with, those that the function has asked for, and the faults found in
/// them.
#[derive(Debug)]
#[must_use = "ask `finish` whether anything was missing"]
pub struct Configuration {
    variables: HashMap<String, String>,
    asked: BTreeSet<String>,
    faults: Vec<String>,
}

impl Configuration {
    /// The environment variables of this process. A function reads them first, so logging starts here too.
    pub fn read() -> Self {
        telemetry::start();
        // All our variables are UTF-8: a variable that is not counts as missing.
        Self::of(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
    }

    /// Only the given variables: for tests.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, asked: BTreeSet::new(), faults: Vec::new() }
    }

    /// A required text. If it is missing, records the fault and returns an empty string.
    pub fn text(&mut self, name: &str) -> String {
        self.find(name).unwrap_or_else(|| {
            self.fault(format!("{name} is missing"));
            String::new()
        })
    }

    /// A required value of type `T`. If it is missing or wrong, records the fault and returns the default.
    pub fn parsed<T: FromStr + Default>(&mut self, name: &str) -> T {
        let text = self.text(name);
        if text.is_empty() { T::default() } else { self.parse(name, &text).unwrap_or_default() }
    }

    /// An optional value, `fallback` if it is missing. If it is not a `T`, records the fault.
    pub fn parsed_or<T: FromStr>(&mut self, name: &str, fallback: T) -> T {
        self.optional(name).unwrap_or(fallback)
    }

    /// An optional value. If it is not a `T`, records the fault.
    pub fn optional<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let text = self.find(name)?;
        self.parse(name, &text)
    }

    /// A required list of at least one item, separated by commas.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name);
        let items: Vec<String> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
        if items.is_empty() && !text.is_empty() {
            self.fault(format!("{name} has an invalid value: {text:?}"));
        }
        items
    }

    /// Records a fault that only the caller can detect.
    pub fn fault(&mut self, text: impl Into<String>) {
        // Two parts of a function may share a variable: it is named once.
        let text = text.into();
        if !self.faults.contains(&text) {
            self.faults.push(text);
        }
    }

    /// The variables that the function has asked for so far, found or not.
    #[must_use]
    pub fn asked(&self) -> &BTreeSet<String> {
        &self.asked
    }

    /// Checks that every variable asked for since the last `finish` was present and valid.
    ///
    /// # Errors
    /// Names every variable that was missing or wrong.
    pub fn finish(&mut self) -> Result<(), ConfigurationError> {
        let faults = mem::take(&mut self.faults);
        if faults.is_empty() { Ok(()) } else { Err(ConfigurationError { faults }) }
    }

    /// A template sets a variable to the empty string when it has no value for it, so an empty variable counts as
    /// missing.
    fn find(&mut self, name: &str) -> Option<String> {
        self.asked.insert(name.to_owned());
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    fn parse<T: FromStr>(&mut self, name: &str, text: &str) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            self.fault(format!("{name} has an invalid value: {text:?}"));
        }
        value
    }
}

/// All faults in a function's configuration.
#[derive(PartialEq, Eq, thiserror::Error)]
pub struct ConfigurationError {
    faults: Vec<String>,
}

impl ConfigurationError {
    /// An error with one fault.
    #[must_use]
    pub fn new(fault: String) -> Self {
        Self { faults: vec![fault] }
    }
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is not usable: {}", self.faults.join("; "))
    }
}

/// As `Display`, because `main` prints an error with `Debug` when a function does not start.
impl fmt::Debug for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The function's name, from Lambda.
pub(crate) fn function_name() -> &'static str {
    static NAME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "the kit reads the environment, and this variable is Lambda's own")]
    NAME.get_or_init(|| std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "unnamed".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_read() {
        let mut configuration = Configuration::of([("STOCK_TABLE", " stock "), ("LIMIT", "5"), ("GATEWAYS", "a, b,,c")]);
        assert_eq!(configuration.text("STOCK_TABLE"), "stock");
        assert_eq!(configuration.parsed::<u32>("LIMIT"), 5);
        assert_eq!(configuration.parsed_or("OTHER", 7_u32), 7);
        assert_eq!(configuration.optional::<u32>("OTHER"), None);
        assert_eq!(configuration.list("GATEWAYS"), ["a", "b", "c"]);
        assert_eq!(configuration.finish(), Ok(()));
        assert!(configuration.asked().iter().eq(["GATEWAYS", "LIMIT", "OTHER", "STOCK_TABLE"]), "{:?}", configuration.asked());
    }

    #[test]
    fn one_error_names_every_variable_that_is_missing_or_wrong() {
        let mut configuration = Configuration::of([("EMPTY", ""), ("LIMIT", "five"), ("OPTIONAL", "x"), ("COMMAS", ", ,")]);
        configuration.text("STOCK_TABLE");
        configuration.text("STOCK_TABLE");
        configuration.text("EMPTY");
        configuration.list("GATEWAYS");
        configuration.list("COMMAS");
        assert_eq!(configuration.parsed::<u32>("LIMIT"), 0);
        assert_eq!(configuration.optional::<u32>("OPTIONAL"), None);
        let error = configuration.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the configuration is not usable: STOCK_TABLE is missing; EMPTY is missing; GATEWAYS is missing; \
             COMMAS has an invalid value: \", ,\"; LIMIT has an invalid value: \"five\"; OPTIONAL has an invalid value: \"x\""
        );
        assert_eq!(format!("{error:?}"), error.to_string(), "main prints Debug");
        assert_eq!(configuration.finish(), Ok(()), "what was named is not named again");
    }
}
