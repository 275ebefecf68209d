//! What every operation of a description answered, counted from a record of the requests (HAR).

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

/// How often each operation gave each status. 0 stands for no answer.
pub(crate) struct Answers(Vec<Operation>);

struct Operation {
    name: String,
    method: String,
    /// The template's segments, such as `["orders", "{order_id}"]`.
    path: Vec<String>,
    /// Only a payment provider can sign what succeeds.
    is_for_providers: bool,
    statuses: BTreeMap<u16, usize>,
}

#[derive(Deserialize)]
struct Record {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    url: String,
}

#[derive(Deserialize)]
struct Response {
    status: u16,
}

impl Answers {
    /// Reads both files. Requests that fit no operation, such as those with another method, are left out.
    pub(crate) fn read(description: &Path, record: &Path, api_url: &str) -> Result<Self> {
        let description: Value = json(description)?;
        let record: Record = json(record)?;
        Self::count(&description, record, api_url)
    }

    fn count(description: &Value, record: Record, api_url: &str) -> Result<Self> {
        let mut operations = operations(description).context("the description has no paths")?;
        for Entry { request, response } in record.log.entries {
            let Some(path) = request.url.strip_prefix(api_url) else { continue };
            let path: Vec<&str> = path.split(['?', '#']).next().unwrap_or_default().split('/').skip(1).collect();
            let asked = operations.iter_mut().find(|operation| operation.serves(&request.method, &path));
            if let Some(operation) = asked {
                *operation.statuses.entry(response.status).or_default() += 1;
            }
        }
        Ok(Self(operations))
    }

    /// Fails for an operation without a successful answer. One for payment providers must have refused.
    pub(crate) fn every_operation_succeeded(&self) -> Result<()> {
        let never: Vec<&str> =
            self.0.iter().filter(|operation| !operation.is_known()).map(|operation| operation.name.as_str()).collect();
        if !never.is_empty() {
            bail!("never answered with success, so nothing is known of their answers: {}", never.join(", "));
        }
        Ok(())
    }
}

impl Operation {
    fn serves(&self, method: &str, path: &[&str]) -> bool {
        self.method.eq_ignore_ascii_case(method)
            && self.path.len() == path.len()
            && self.path.iter().zip(path).all(|(template, segment)| template.starts_with('{') || template == segment)
    }

    fn is_known(&self) -> bool {
        if self.is_for_providers { self.statuses.contains_key(&400) } else { self.successes() > 0 }
    }

    fn successes(&self) -> usize {
        self.statuses.range(200..300).map(|(_, count)| count).sum()
    }
}

fn operations(description: &Value) -> Option<Vec<Operation>> {
    let mut operations = Vec::new();
    for (path, methods) in description.get("paths")?.as_object()? {
        for (method, operation) in methods.as_object()? {
            operations.push(Operation {
                name: operation.get("operationId")?.as_str()?.to_owned(),
                method: method.clone(),
                path: path.split('/').skip(1).map(str::to_owned).collect(),
                is_for_providers: operation
                    .get("tags")
                    .and_then(Value::as_array)
                    .is_some_and(|tags| tags.contains(&"providers".into())),
                statuses: BTreeMap::new(),
            });
        }
    }
    Some(operations)
}

impl fmt::Display for Answers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "Answers (status × how often):")?;
        for Operation { name, statuses, .. } in &self.0 {
            let statuses: Vec<String> = statuses.iter().map(|(status, count)| format!("{status} × {count}")).collect();
            writeln!(formatter, "  {name:20} {}", statuses.join(", "))?;
        }
        Ok(())
    }
}

fn json<T: for<'de> Deserialize<'de>>(file: &Path) -> Result<T> {
    let read = || -> Result<T> { Ok(serde_json::from_reader(BufReader::new(File::open(file)?))?) };
    read().with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const API: &str = "http://127.0.0.1:4566/restapis/a/v1/_user_request_";

    fn counted(requests: &[(&str, &str, u16)]) -> Answers {
        let description = json!({"paths": {
            "/orders": {"get": {"operationId": "list-orders"}},
            "/orders/{order_id}": {"get": {"operationId": "get-order"}},
        }});
        of(&description, requests)
    }

    fn of(description: &Value, requests: &[(&str, &str, u16)]) -> Answers {
        let entries = requests.iter().map(|(method, path, status)| {
            json!({"request": {"method": method, "url": format!("{API}{path}")}, "response": {"status": status}})
        });
        let record = json!({"log": {"entries": entries.collect::<Vec<_>>()}});
        Answers::count(description, serde_json::from_value(record).unwrap(), API).unwrap()
    }

    #[test]
    fn answers_are_counted_by_operation_and_status() {
        let answers = counted(&[
            ("GET", "/orders?next=a/b", 200),
            ("GET", "/orders/one", 404),
            ("GET", "/orders/two#", 404),
            ("GET", "/orders/", 404),
            ("DELETE", "/orders/one", 405),
        ]);
        let shown: Vec<BTreeMap<u16, usize>> = answers.0.into_iter().map(|operation| operation.statuses).collect();
        assert_eq!(shown, [BTreeMap::from([(200, 1)]), BTreeMap::from([(404, 3)])]);
    }

    #[test]
    fn an_operation_without_success_fails_the_run() {
        let answers = counted(&[("GET", "/orders", 200), ("GET", "/orders/one", 404)]);
        assert!(answers.every_operation_succeeded().unwrap_err().to_string().ends_with(": get-order"));
        let answers = counted(&[("GET", "/orders", 200), ("GET", "/orders/one", 204)]);
        assert!(answers.every_operation_succeeded().is_ok());
    }

    #[test]
    fn an_operation_for_payment_providers_has_to_refuse_what_nobody_signed() {
        let description =
            json!({"paths": {"/webhooks/stripe": {"post": {"operationId": "receive-stripe", "tags": ["providers"]}}}});
        let ok = |status| of(&description, &[("POST", "/webhooks/stripe", status)]).every_operation_succeeded().is_ok();
        assert!(ok(400));
        assert!(!ok(200) && !ok(404) && !ok(503));
    }
}
