//! `GET /v1/payment_intents/search`: <https://docs.stripe.com/search>.
//!
//! The index lags: it shows a state of an intent a minute after the change, as Stripe says that it may. What the search returns are
//! the intents as they are now.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use test_provider::later;

use crate::{
    books::Books,
    form::Form,
    intent::{Indexed, Intent},
    list::limit,
    refusal::Refusal,
};

/// "Data is searchable in under a minute."
const INDEX_LAGS: Duration = Duration::from_mins(1);

/// One page of the intents that a query finds, the newest first.
pub(crate) fn intents(books: &Books, form: &Form, now: Timestamp) -> Result<Value, Refusal> {
    form.only(&["expand", "limit", "page", "query"])?;
    let query = Query::read(form.required("query")?)?;
    let limit = limit(form)?;
    let start = match form.text("page")? {
        None => 0,
        Some(page) => page
            .strip_prefix("page_")
            .and_then(|page| page.parse::<usize>().ok())
            .ok_or_else(|| Refusal::invalid(format!("Invalid page: {page}")).param("page"))?,
    };
    let found = books.intents.values().rev().filter(|intent| {
        let shown = intent.history.iter().rfind(|(at, _)| later(*at, INDEX_LAGS) <= now);
        shown.is_some_and(|(_, indexed)| query.finds(intent, indexed))
    });
    let mut page: Vec<_> = found.skip(start).take(limit + 1).map(Intent::view).collect();
    let has_more = page.len() > limit;
    page.truncate(limit);
    Ok(json!({
        "object": "search_result",
        "data": page,
        "has_more": has_more,
        "next_page": has_more.then(|| format!("page_{}", start + limit)),
        "url": "/v1/payment_intents/search",
    }))
}

/// Clauses that all hold, or of which one holds. Stripe does not mix the two.
struct Query {
    all: bool,
    clauses: Vec<Clause>,
}

struct Clause {
    negated: bool,
    field: Field,
    operator: Operator,
    /// Absent for `null`.
    value: Option<String>,
}

enum Field {
    Amount,
    Created,
    Currency,
    Status,
    Metadata(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    Contains,
    Above,
    AtLeast,
    Below,
    AtMost,
}

fn unreadable() -> Refusal {
    Refusal::invalid(
        "We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"` to query for metadata or \
         key:\"value\" to query for other fields.",
    )
    .param("query")
}

impl Query {
    fn read(text: &str) -> Result<Self, Refusal> {
        let (mut rest, mut clauses, mut words) = (text.trim(), Vec::new(), Vec::new());
        loop {
            let clause;
            (clause, rest) = Clause::read(rest)?;
            clauses.push(clause);
            if rest.trim().is_empty() {
                break;
            }
            // Two clauses without a word between them both hold.
            rest = rest.strip_prefix(char::is_whitespace).ok_or_else(unreadable)?.trim_start();
            for word in ["AND", "OR"] {
                let after = rest.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).and(rest.get(word.len()..));
                if let Some(after) = after.filter(|after| after.starts_with(char::is_whitespace)) {
                    words.push(word);
                    rest = after.trim_start();
                    break;
                }
            }
        }
        let any = words.contains(&"OR");
        if any && (words.contains(&"AND") || words.len() + 1 < clauses.len()) {
            return Err(Refusal::invalid("Search queries cannot mix AND and OR.").param("query"));
        }
        if clauses.len() > 10 {
            return Err(Refusal::invalid("Search queries can have up to 10 clauses.").param("query"));
        }
        Ok(Self { all: !any, clauses })
    }

    fn finds(&self, intent: &Intent, indexed: &Indexed) -> bool {
        let holds = |clause: &Clause| clause.holds(intent, indexed);
        if self.all { self.clauses.iter().all(holds) } else { self.clauses.iter().any(holds) }
    }
}

impl Clause {
    /// Reads one clause and returns what follows it.
    fn read(text: &str) -> Result<(Self, &str), Refusal> {
        let (negated, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let end = text.find([':', '~', '<', '>', '[']).ok_or_else(unreadable)?;
        let (name, mut rest) = text.split_at(end);
        let field = match name {
            "amount" => Field::Amount,
            "created" => Field::Created,
            "currency" => Field::Currency,
            "status" => Field::Status,
            "metadata" => {
                let (key, after) = quoted(rest.strip_prefix('[').ok_or_else(unreadable)?)?;
                rest = after.strip_prefix(']').ok_or_else(unreadable)?;
                Field::Metadata(key)
            }
            _ => {
                let message = format!("Field `{name}` is an unsupported search field for resource `payment_intents`.");
                return Err(Refusal::invalid(message).param("query"));
            }
        };
        let operators = [
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            (">", Operator::Above),
            ("<", Operator::Below),
            (":", Operator::Is),
            ("~", Operator::Contains),
        ];
        let found = operators.into_iter().find_map(|(sign, operator)| Some((operator, rest.strip_prefix(sign)?)));
        let (operator, rest) = found.ok_or_else(unreadable)?;
        let (value, rest) = if rest.starts_with(['"', '\'']) {
            let (value, rest) = quoted(rest)?;
            (Some(value), rest)
        } else {
            let (word, rest) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            match word {
                "null" => (None, rest),
                number if number.parse::<i64>().is_ok() => (Some(number.to_owned()), rest),
                _ => return Err(unreadable()),
            }
        };
        Ok((Self { negated, field, operator, value }, rest))
    }

    fn holds(&self, intent: &Intent, indexed: &Indexed) -> bool {
        let is = match &self.field {
            Field::Amount => self.compares(intent.amount),
            Field::Created => self.compares(intent.created.as_second()),
            Field::Currency => self.matches(Some(intent.currency.code)),
            Field::Status => self.matches(Some(indexed.status.name())),
            Field::Metadata(key) => self.matches(indexed.metadata.get(key).map(String::as_str)),
        };
        is != self.negated
    }

    fn compares(&self, number: i64) -> bool {
        let Some(value) = self.value.as_ref().and_then(|value| value.parse().ok()) else { return false };
        match self.operator {
            Operator::Is => number == value,
            Operator::Above => number > value,
            Operator::AtLeast => number >= value,
            Operator::Below => number < value,
            Operator::AtMost => number <= value,
            Operator::Contains => false,
        }
    }

    /// Texts are compared without regard to case.
    fn matches(&self, text: Option<&str>) -> bool {
        match (&self.value, text) {
            (None, text) => text.is_none(),
            (Some(_), None) => false,
            (Some(value), Some(text)) => match self.operator {
                Operator::Is => text.eq_ignore_ascii_case(value),
                Operator::Contains => text.to_ascii_lowercase().contains(&value.to_ascii_lowercase()),
                Operator::Above | Operator::AtLeast | Operator::Below | Operator::AtMost => false,
            },
        }
    }
}

/// Reads a text in single or double quotes, in which `\` takes the next character as it is. Returns what follows.
fn quoted(text: &str) -> Result<(String, &str), Refusal> {
    let mut characters = text.char_indices();
    let quote = characters.next().map(|(_, quote)| quote).filter(|quote| ['"', '\''].contains(quote)).ok_or_else(unreadable)?;
    let mut read = String::new();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => read.push(characters.next().map(|(_, escaped)| escaped).ok_or_else(unreadable)?),
            end if end == quote => return Ok((read, text.get(index + 1..).unwrap_or_default())),
            other => read.push(other),
        }
    }
    Err(unreadable())
}
