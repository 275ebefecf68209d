//! The part of the query language that the state machine uses: paths, texts, `true`, objects, arrays, `=`, `and`, `a ? b : c`, `$exists`
//! and `$merge`. The parser refuses anything else.

use serde_json::{Map, Value};

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    /// A quoted text.
    Text(String),
    /// `true`.
    True,
    /// `$states.input.outcome`.
    Path(Vec<String>),
    /// `{"a": …}`.
    Object(Vec<(String, Expression)>),
    /// `[…]`.
    Array(Vec<Expression>),
    /// `a = b`.
    Equal(Box<Expression>, Box<Expression>),
    /// `a and b`.
    And(Box<Expression>, Box<Expression>),
    /// `a ? b : c`.
    If(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `$exists(a)`.
    Exists(Box<Expression>),
    /// `$merge(a)`.
    Merge(Box<Expression>),
}

impl Expression {
    /// Reads an expression, without its `{%` and `%}`.
    ///
    /// # Errors
    /// When it uses a part of the language that the interpreter does not know.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text };
        let expression = reader.expression()?;
        match reader.peek() {
            None => Ok(expression),
            Some(_) => Err(format!("not understood from {:?} on, in {text:?}", reader.rest)),
        }
    }

    /// Whether its value is true or false.
    pub(crate) fn is_condition(&self) -> bool {
        match self {
            Self::Equal(..) | Self::And(..) | Self::Exists(_) => true,
            Self::If(_, then, otherwise) => then.is_condition() && otherwise.is_condition(),
            Self::Text(_) | Self::True | Self::Path(_) | Self::Object(_) | Self::Array(_) | Self::Merge(_) => false,
        }
    }

    /// The value, where `$states` is `states`. `None`: there is no value, such as that of a missing member.
    ///
    /// # Errors
    /// When a function is called with an argument that it does not accept.
    pub(crate) fn value(&self, states: &Value) -> Result<Option<Value>, String> {
        Ok(match self {
            Self::Text(text) => Some(Value::from(text.as_str())),
            Self::True => Some(Value::Bool(true)),
            Self::Path(names) => names.iter().try_fold(states, |value, name| value.get(name)).cloned(),
            Self::Object(members) => {
                let member = |(name, it): &(String, Self)| Some(it.value(states).transpose()?.map(|value| (name.clone(), value)));
                Some(Value::Object(members.iter().filter_map(member).collect::<Result<_, _>>()?))
            }
            Self::Array(items) => {
                Some(Value::Array(items.iter().filter_map(|item| item.value(states).transpose()).collect::<Result<_, _>>()?))
            }
            Self::Equal(a, b) => {
                let (a, b) = (a.value(states)?, b.value(states)?);
                Some(Value::from(a.is_some() && a == b))
            }
            Self::And(a, b) => Some(Value::from(a.is_true(states)? && b.is_true(states)?)),
            Self::If(condition, then, otherwise) => if condition.is_true(states)? { then } else { otherwise }.value(states)?,
            Self::Exists(it) => Some(Value::from(it.value(states)?.is_some())),
            Self::Merge(it) => it.value(states)?.as_ref().map(merged).transpose()?,
        })
    }

    /// Whether the value is `true`.
    ///
    /// # Errors
    /// As [`Expression::value`].
    pub(crate) fn is_true(&self, states: &Value) -> Result<bool, String> {
        Ok(self.value(states)? == Some(Value::Bool(true)))
    }
}

/// One object with the members of all objects. If several have a member of the same name, the last one counts.
fn merged(objects: &Value) -> Result<Value, String> {
    let mut all = Map::new();
    for object in objects.as_array().ok_or_else(|| format!("$merge takes an array, not {objects}"))? {
        let members = object.as_object().ok_or_else(|| format!("$merge takes objects, not {object}"))?;
        all.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(Value::Object(all))
}

/// Refuses an operand that is not a condition. The query language treats every value as true or false; this interpreter does not.
fn condition(expression: Expression) -> Result<Box<Expression>, String> {
    if expression.is_condition() { Ok(Box::new(expression)) } else { Err(format!("neither true nor false: {expression:?}")) }
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    /// Consumes `token` if it is next.
    fn takes(&mut self, token: &str) -> bool {
        self.peek();
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn needs(&mut self, token: &str) -> Result<(), String> {
        if self.takes(token) { Ok(()) } else { Err(format!("{token:?} is missing before {:?}", self.rest)) }
    }

    fn expression(&mut self) -> Result<Expression, String> {
        let question = self.conjunction()?;
        if !self.takes("?") {
            return Ok(question);
        }
        let then = self.expression()?;
        self.needs(":")?;
        Ok(Expression::If(condition(question)?, Box::new(then), Box::new(self.expression()?)))
    }

    fn conjunction(&mut self) -> Result<Expression, String> {
        let mut left = self.comparison()?;
        while self.takes("and ") {
            left = Expression::And(condition(left)?, condition(self.comparison()?)?);
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let left = self.operand()?;
        if self.takes("=") { Ok(Expression::Equal(Box::new(left), Box::new(self.operand()?))) } else { Ok(left) }
    }

    fn operand(&mut self) -> Result<Expression, String> {
        match self.peek() {
            Some('"') => self.text().map(Expression::Text),
            Some('{') => {
                let member = |it: &mut Self| {
                    let name = it.text()?;
                    it.needs(":")?;
                    Ok((name, it.expression()?))
                };
                self.list("{", "}", member).map(Expression::Object)
            }
            Some('[') => self.list("[", "]", Self::expression).map(Expression::Array),
            Some('$') => self.path_or_call(),
            Some('t') => self.needs("true").map(|()| Expression::True),
            _ => Err(format!("not understood: {:?}", self.rest)),
        }
    }

    fn list<T>(
        &mut self,
        open: &str,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        self.needs(open)?;
        let mut items = Vec::new();
        if self.takes(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.takes(close) {
                return Ok(items);
            }
            self.needs(",")?;
        }
    }

    fn path_or_call(&mut self) -> Result<Expression, String> {
        for (call, make) in [("$exists(", Expression::Exists as fn(_) -> _), ("$merge(", Expression::Merge)] {
            if self.takes(call) {
                let argument = self.expression()?;
                self.needs(")")?;
                return Ok(make(Box::new(argument)));
            }
        }
        self.needs("$states")?;
        let mut names = Vec::new();
        while let Some(rest) = self.rest.strip_prefix('.') {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            names.push(rest[..end].to_owned());
            self.rest = &rest[end..];
        }
        let known = ["input", "result", "errorOutput", "context"];
        match names.first() {
            Some(first) if known.contains(&first.as_str()) => Ok(Expression::Path(names)),
            _ => Err(format!("$states has {known:?}, not {names:?}")),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        self.needs("\"")?;
        let end = self.rest.find('"').ok_or("a text has no end")?;
        let text = &self.rest[..end];
        if text.contains('\\') {
            return Err(format!("escapes are not known: {text}"));
        }
        self.rest = &self.rest[end + 1..];
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Result<Option<Value>, String> {
        let states = json!({"input": {"outcome": "charged", "next": 1}, "context": {"Execution": {"Input": {"a": 1}}}});
        Expression::parse(text).unwrap().value(&states)
    }

    #[test]
    fn expressions_mean_what_jsonata_says() {
        for (text, expected) in [
            ("$states.input.outcome", Some(json!("charged"))),
            ("$states.input.nothing.there", None),
            ("$states.input.outcome = \"charged\"", Some(json!(true))),
            ("$states.input.outcome = \"declined\"", Some(json!(false))),
            ("$states.input.nothing = \"charged\"", Some(json!(false))),
            ("$states.input.nothing = $states.input.nothing", Some(json!(false))),
            ("$states.input.outcome = \"charged\" and $exists($states.input.next)", Some(json!(true))),
            ("$states.input.outcome = \"charged\" and $exists($states.input.no)", Some(json!(false))),
            ("$merge([$states.context.Execution.Input, {\"b\": \"c\"}])", Some(json!({"a": 1, "b": "c"}))),
            ("$merge([$states.context.Execution.Input, {\"a\": \"c\"}])", Some(json!({"a": "c"}))),
            ("$merge([{}, $exists($states.input.no) ? {\"b\": $states.input.no} : {}])", Some(json!({}))),
            ("$merge($states.input.no)", None),
            ("[$states.input.next, $states.input.no]", Some(json!([1]))),
            ("{\"gone\": $states.input.nothing}", Some(json!({}))),
            ("{\"b\": true}", Some(json!({"b": true}))),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_call_with_what_it_does_not_take_fails() {
        for text in ["$merge($states.input)", "$merge([$states.input.outcome])", "{\"a\": $merge([\"b\"])}"] {
            value(text).unwrap_err();
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            "$uuid()",
            "$states.input or true",
            "$states.input + 1",
            "$states.other",
            "$states.input[0]",
            "1",
            "$states.input.a != \"b\"",
            "$states.input.a and $exists($states.input.b)",
            "$exists($states.input.b) and \"true\"",
            "$exists($states.input.b) and true",
            "false",
            "$states.input.a ? \"b\" : \"c\"",
            "$exists($states.input.a) ? \"b\"",
            "\"a\\\"b\"",
            "",
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }
}
