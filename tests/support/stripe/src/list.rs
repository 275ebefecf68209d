//! Lists of objects, the newest first, in pages: <https://docs.stripe.com/api/pagination>.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{books::Books, charge, form::Form, intent::Intent, refusal::Refusal};

/// The parameters of every list.
const PAGING: [&str; 5] = ["created", "ending_before", "expand", "limit", "starting_after"];

/// `GET /v1/payment_intents`.
pub(crate) fn intents(books: &Books, form: &Form) -> Result<Value, Refusal> {
    page(&books.intents, form, "payment_intent", &[], Intent::view)
}

/// `GET /v1/charges`.
pub(crate) fn charges(books: &Books, form: &Form) -> Result<Value, Refusal> {
    page(&books.charges, form, "charge", &["payment_intent"], charge::Charge::view)
}

/// `GET /v1/refunds`.
pub(crate) fn refunds(books: &Books, form: &Form) -> Result<Value, Refusal> {
    page(&books.refunds, form, "refund", &["charge", "payment_intent"], charge::Refund::view)
}

/// `GET /v1/events`.
pub(crate) fn events(books: &Books, form: &Form) -> Result<Value, Refusal> {
    page(&books.events, form, "event", &["type"], Value::clone)
}

/// One page. `filters` are parameters that members of the same name have to equal.
fn page<T>(
    objects: &BTreeMap<String, T>,
    form: &Form,
    object: &str,
    filters: &[&str],
    view: fn(&T) -> Value,
) -> Result<Value, Refusal> {
    form.only(&[&PAGING, filters].concat())?;
    let limit = limit(form)?;
    let created = Created::read(form)?;
    let wanted: Vec<_> = filters.iter().map(|name| Ok((*name, form.text(name)?))).collect::<Result<_, _>>()?;
    let (after, before) = (form.text("starting_after")?, form.text("ending_before")?);
    if after.is_some() && before.is_some() {
        return Err(Refusal::invalid("You may only specify one of these parameters: ending_before, starting_after."));
    }
    for (name, cursor) in [("starting_after", after), ("ending_before", before)] {
        if let Some(id) = cursor.filter(|id| !objects.contains_key(*id)) {
            return Err(Refusal::missing(object, id, name));
        }
    }

    let all = objects
        .iter()
        .rev()
        .filter(|(id, _)| after.is_none_or(|after| id.as_str() < after) && before.is_none_or(|before| id.as_str() > before));
    let matching = all.map(|(_, object)| view(object)).filter(|view| {
        created.holds(view)
            && wanted
                .iter()
                .all(|(name, wanted)| wanted.is_none_or(|wanted| view.get(name).and_then(Value::as_str) == Some(wanted)))
    });
    // `ending_before` wants the page next to the cursor, so it counts from the other end.
    let mut found: Vec<_> =
        if before.is_some() { matching.rev().take(limit + 1).collect() } else { matching.take(limit + 1).collect() };
    let has_more = found.len() > limit;
    found.truncate(limit);
    if before.is_some() {
        found.reverse();
    }
    Ok(json!({ "object": "list", "data": found, "has_more": has_more, "url": format!("/v1/{object}s") }))
}

/// How many objects a page has: 1 to 100, or 10.
pub(crate) fn limit(form: &Form) -> Result<usize, Refusal> {
    let refused = |message| Refusal::invalid(message).code("parameter_invalid_integer").param("limit");
    match form.integer("limit")?.unwrap_or(10) {
        ..=0 => Err(refused("This value must be greater than or equal to 1.")),
        101.. => Err(refused("This value must be less than or equal to 100.")),
        limit => usize::try_from(limit).map_err(|_| refused("Invalid integer")),
    }
}

/// `created=n`, or `created[gte]=n` and so on, in seconds since 1970.
struct Created(Vec<(&'static str, i64)>);

impl Created {
    const NAMES: [&str; 4] = ["gt", "gte", "lt", "lte"];

    fn read(form: &Form) -> Result<Self, Refusal> {
        if let Ok(Some(exactly)) = form.integer("created") {
            return Ok(Self(vec![("", exactly)]));
        }
        let Some(range) = form.object("created", &Self::NAMES)? else { return Ok(Self(Vec::new())) };
        let bounds = Self::NAMES.into_iter().filter_map(|name| Some((name, range.integer(name).transpose()?)));
        bounds.map(|(name, bound)| Ok((name, bound?))).collect::<Result<_, _>>().map(Self)
    }

    fn holds(&self, view: &Value) -> bool {
        let created = view.get("created").and_then(Value::as_i64).unwrap_or_default();
        self.0.iter().all(|(name, bound)| match *name {
            "gt" => created > *bound,
            "gte" => created >= *bound,
            "lt" => created < *bound,
            "lte" => created <= *bound,
            _ => created == *bound,
        })
    }
}
